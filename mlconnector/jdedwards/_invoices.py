"""Reading vouchers: pay items of F0411 with the match and the distribution behind their lines (rules B21, B22).

A position is the last document number handed out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from mlconnector.documents import Invoice
from mlconnector.jdedwards._browse import identity
from mlconnector.jdedwards._changes import Scan
from mlconnector.jdedwards._invoice_mapping import VOUCHER_KEY, VoucherPage, VoucherRows, match_covers, to_invoices
from mlconnector.jdedwards._keys import voucher_key, voucher_number
from mlconnector.jdedwards._pass import Layout, Row, Stamps
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Parties, Source

__all__ = ["invoices_layout"]

_TYPES: Where = [("DCT", "in", ["PV", "PD"])]
_LEDGERS: Where = [("LT", "in", ["AA", "CA"])]
_MATCHED: Where = [("MATC", "=", "2")]


def invoices_layout(source: Source, where: Where) -> Layout[VoucherPage, Invoice]:
    """Where vouchers lie; ``where`` is on F0411."""
    parties = Parties(source)

    def fetch(items: Sequence[Row], stamps: Stamps) -> VoucherPage:
        numbers = [row["F0411_DOC"] for row in items]
        vouchers = _by_voucher("F0411", items)
        if where:
            # Conditions may fit one pay item and not its neighbour; a voucher is whole all the same.
            whole = _by_voucher("F0411", source.listed("F0411", "DOC", numbers, _TYPES))
            vouchers = {key: whole.get(key, rows) for key, rows in vouchers.items()}
        matches = _by_voucher("F43121", source.listed("F43121", "DOC", numbers, [*_MATCHED, *_TYPES]))
        open_ends = [rows[0] for key, rows in vouchers.items() if not match_covers(rows, matches.get(key, ()))]
        ledger = source.listed("F0911", "DOC", [row["F0411_DOC"] for row in open_ends], [*_TYPES, *_LEDGERS])
        distribution = _by_voucher("F0911", ledger)
        everyone = [row.get(f"F0411_{alias}") for rows in vouchers.values() for row in rows for alias in ("AN8", "PYE")]
        return VoucherPage(
            vouchers={
                key: VoucherRows(rows, matches.get(key, ()), distribution.get(key, ()))
                for key, rows in vouchers.items()
            },
            parties=parties.of(everyone),
            currencies=parties.currencies(rows[0].get("F0411_CO") for rows in vouchers.values() if _names_none(rows)),
            stamps=stamps,
            zone=source.zone,
        )

    return Layout(
        table="F0411",
        key=VOUCHER_KEY,
        natural_key=voucher_key,
        first_value=voucher_number,
        scans=[Scan("F0411", VOUCHER_KEY, [*_TYPES, *where])],
        where=[*_TYPES, *where],
        fetch=fetch,
        to_documents=to_invoices,
    )


def _names_none(rows: Sequence[Row]) -> bool:
    """The voucher does not say its currency, or not its base currency."""
    head = rows[0]
    wanted = "F0411_BCRC" if head.get("F0411_CRRM") == "F" else "F0411_CRCD"
    return not str(head.get(wanted) or "").strip()


def _by_voucher(table: str, rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[voucher_key(*identity(table, VOUCHER_KEY, row))].append(row)
    return dict(found)
