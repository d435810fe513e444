"""Reading payments: F0413 with what they paid, F0414 (AIS reference, section 7).

A position is the last payment id handed out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from mlconnector.documents import Application, Party, Payment, Provenance
from mlconnector.jdedwards._changes import Scan
from mlconnector.jdedwards._keys import number_key, voucher_key
from mlconnector.jdedwards._pass import Layout, Row, Stamps
from mlconnector.jdedwards._query import Where
from mlconnector.jdedwards._source import Parties, Source
from mlconnector.jdedwards._values import Cells, Zone
from mlconnector.records import Rejected

__all__ = ["payments_layout"]

_VOID = "PO"
_ZERO = Decimal(0)


@attrs.frozen
class _Page:
    """Rows of F0413, rows of F0414 by payment id, payees, base currency of every company that paid."""

    headers: Sequence[Row]
    details: Mapping[str, Sequence[Row]]
    parties: Mapping[str, Party]
    currencies: Mapping[str, str | None]
    stamps: Stamps
    zone: Zone


def payments_layout(source: Source, where: Where) -> Layout[_Page, Payment]:
    """Where payments lie; ``where`` is on F0413."""
    parties = Parties(source)

    def fetch(headers: Sequence[Row], stamps: Stamps) -> _Page:
        details: dict[str, list[Row]] = defaultdict(list)
        for row in source.listed("F0414", "PYID", [row["F0413_PYID"] for row in headers]):
            details[str(row["F0414_PYID"])].append(row)
        return _Page(
            headers,
            details,
            parties.of(row.get("F0413_PYE") for row in headers),
            parties.currencies(row.get("F0414_KCO") for rows in details.values() for row in rows),
            stamps,
            source.zone,
        )

    return Layout(
        table="F0413",
        key=("PYID",),
        natural_key=str,
        first_value=number_key,
        scans=[Scan("F0413", ("PYID",), where), Scan("F0414", ("PYID",))],
        where=where,
        fetch=fetch,
        to_documents=_to_payments,
    )


def _to_payments(page: _Page) -> tuple[list[Payment], list[Rejected]]:
    documents, rejected = [], []
    for header in page.headers:
        faults: list[str] = []
        payment = _payment(page, header, faults)
        if faults:
            at = None if payment.provenance is None else payment.provenance.updated_at
            rejected.append(Rejected(key=payment.key, row=header, faults=tuple(faults), updated_at=at))
        else:
            documents.append(payment)
    return documents, rejected


def _payment(page: _Page, header: Row, faults: list[str]) -> Payment:
    key = str(header["F0413_PYID"])
    head, rows = Cells("F0413", header, faults), page.details.get(key, ())
    cells = [Cells("F0414", row, faults) for row in rows]
    void = head.date("VDGJ") is not None
    parts = [part for part in cells if part.text("DCTM") != _VOID] or cells
    base = {page.currencies.get(part.text("KCO")) for part in parts}
    currency = head.text("CRCD") or (next(iter(base)) if len(base) == 1 else None)
    # Where a company's currency is not known, that the foreign column is filled says so.
    foreign = any(part.number("PFAP") for part in parts) if None in base else bool(base) and currency not in base
    paid = _signed(parts, "PFAP" if foreign else "PAAP")
    total, told = sum((one.amount or _ZERO for one in paid), _ZERO), abs(head.number("PAAP") or _ZERO)
    payee, read = head.text("PYE"), {"F0413": [header], "F0414": rows}
    return Payment(
        number=head.text("DOCM"),
        date=head.date("DMTJ"),
        method=head.text("PYIN"),
        # Voiding takes the amount out of the header, and a foreign one is only told by its details.
        amount=total if void or foreign or not told else told,
        currency=currency,
        payee=page.parties.get(payee),
        bank_reference=next((part.text("RMK") for part in parts if part.text("RMK")), ""),
        applications=tuple(one for one in paid if (one.amount or _ZERO) >= 0),
        credits=tuple(one for one in paid if (one.amount or _ZERO) < 0),
        void=void,
        provenance=Provenance(
            system="jdedwards",
            kind="payments",
            key=key,
            updated_at=page.zone.newest(read, page.stamps.get(key)),
        ),
    )


def _signed(parts: Sequence[Cells], column: str) -> list[Application]:
    """What each voucher was paid, debit memos negative.

    Whether payments stand with a minus in F0414 is not documented (section 7): money moved is never below zero, so the
    rows' sum tells, and where it is zero the first voucher that is no debit memo.
    """
    amounts = [part.number(column) or _ZERO for part in parts]
    first = next((amount for amount, part in zip(amounts, parts, strict=True) if part.text("DCT") != "PD"), _ZERO)
    sign = -1 if (sum(amounts, _ZERO) or first) < 0 else 1
    return [
        Application(
            invoice=voucher_key(part.text("DOC"), part.text("DCT"), part.text("KCO")),
            amount=amount * sign,
            discount=_discount(part, amount * sign) if column == "PAAP" else None,
        )
        for amount, part in zip(amounts, parts, strict=True)
    ]


def _discount(part: Cells, amount: Decimal) -> Decimal:
    """ADSA, with the sign of what was paid."""
    taken = abs(part.number("ADSA") or _ZERO)
    return -taken if amount < 0 else taken
