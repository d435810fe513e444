"""How the flows hold both of their systems against each other: who is read, and by what they know each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.cleo import Cleo, Routes
from mlconnector.delivery import Aligned, Aligning, Entry, Ledger, Period, Side, entries_of
from mlconnector.documents import Account, CostCenter, Invoice, Party, Payment, Supplier
from mlconnector.errors import MLConnectorError
from mlconnector.records import Records
from mlconnector.target import Change, Target

__all__ = [
    "account_of",
    "bills_and_credits",
    "charged",
    "charged_codes",
    "connections",
    "found",
    "linked",
    "numbered_saver",
    "open_amount",
    "partner_codes",
    "period_of",
    "suppliers",
    "unlinked",
    "vendor_saver",
    "writer",
]

_FALSE = ("false", "0", "no")


def period_of(column: str, period: Period) -> list[tuple[str, str, Any]]:
    """Conditions for the business days of a period."""
    return [(column, ">=", period.first), (column, "<=", period.last)]


def found(records: Records[Any]) -> Iterator[Any]:
    """The documents of a read; what cannot be read is as good as not there."""
    for page in records.pages():
        yield from page.documents


def bills_and_credits(bill: Any, ids: Sequence[str]) -> Iterator[Invoice]:
    """Bills, and vendor credits as debit memos: BILL keeps them apart (BILL reference, section 7)."""
    known = {one.key: one for one in found(bill.invoices(keys=ids))}
    yield from known.values()
    others = [one for one in ids if one not in known]
    for row in bill.rows("vendor-credits", where=[("id", "in", others)]) if others else ():
        yield Invoice(
            number=str(row["id"]),
            kind="credit",
            supplier=Party(number=str(row.get("vendorId") or "")),
            gross=-Decimal(str(row.get("amount") or 0)),
            void=row.get("archived") is True,
        )


def open_amount(invoice: Invoice) -> Decimal | None:
    """What is handed over of a pay item: what is open, not its gross (rule B61)."""
    return Decimal(0) if invoice.void else invoice.open


def linked(ledger: Ledger, here: str, there: str) -> Callable[[str], str | None]:
    """The target's id of a supplier, by its link."""
    return lambda number: ledger.crosswalk.find("supplier", to=there, **{here: number})


def unlinked(ledger: Ledger, here: str, there: str) -> Callable[[str], str | None]:
    """The target's number of a supplier, where it is the source's own: no link says otherwise."""
    known = linked(ledger, here, there)
    return lambda number: number.strip() if known(number) is None else None


def account_of(bank_account: str | Mapping[str, str] | None) -> Callable[[Payment], str]:
    """The account payments are recorded on."""
    if bank_account is None or isinstance(bank_account, str):
        return lambda _payment: bank_account or ""
    return lambda payment: bank_account.get(payment.currency or "", "")


def _here(supplier: Supplier) -> Entry:
    return Entry(
        id=supplier.number,
        name=supplier.name,
        tax_id=supplier.tax_id,
        active=supplier.active,
        ready=supplier.ready,
        why="; ".join(supplier.waiting_for),
    )


def _there(supplier: Supplier) -> Entry:
    """By the target's own id; the number beside it is the ERP's, where the target has one."""
    return attrs.evolve(
        _here(supplier), id=supplier.key, also=() if supplier.number == supplier.key else (supplier.number,)
    )


def suppliers(here: Any, there: Any, *, sync: str, write: Callable[[Aligned], str]) -> Aligning:
    """Suppliers of an ERP and of a payables system.

    Args:
        here, there: The two clients. ``sync``: name of the sync that delivers suppliers.
        write: Changes name and terms there.
    """
    owner: str = here.system
    return Aligning(
        kind="suppliers",
        link="supplier",
        here=Side(system=here.system, read=lambda: entries_of(here.suppliers(), _here)),
        there=Side(system=there.system, read=lambda: entries_of(there.suppliers(), _there)),
        owners={"name": owner, "number": owner, "terms": owner, "address": owner, "payment details": there.system},
        sync=sync,
        write=write,
    )


def writer(here: Any, save: Callable[[Supplier, Aligned], Any], system: str) -> Callable[[Aligned], str]:
    """Writes what the source owns of a supplier, its name and terms among it, over one that was renamed.

    Args:
        here: The client of the source. ``save``: writes a supplier over the one of the target that an item names;
            ``None`` where it cannot.
        system: The target, for people.
    """

    def write(item: Aligned) -> str:
        if item.status != "renamed":
            return ""
        (supplier,) = here.suppliers(keys=[item.here_id])
        if save(supplier, item) is None:
            return ""
        return f"name {item.there_name.strip()!r} at {system} is {supplier.name.strip()!r} now"

    return write


def vendor_saver(bill: Any, ledger: Ledger, countries: Mapping[str, str] | None) -> Callable[[Supplier, Aligned], Any]:
    """Over the vendor with the id that the alignment found."""

    def save(supplier: Supplier, item: Aligned) -> Any:
        change = Change(
            document=supplier,
            action="change",
            sequence=1,
            key=supplier.key,
            target_id=item.there_id,
            crosswalk=ledger.crosswalk,
        )
        target: Target[Any] = bill.target("suppliers", countries=countries)
        (answer,) = target.deliver([target.prepare(change)])
        if isinstance(answer, MLConnectorError):
            raise answer
        return answer

    return save


def numbered_saver(coupa: Any) -> Callable[[Supplier, Aligned], Any]:
    """Over the supplier of the same number; one that is only linked has another, and is left alone."""
    return lambda supplier, item: coupa.save_supplier(supplier) if item.by in ("number", "delivery") else None


def charged(here: Any, there: Any, *, link: str, kind: str) -> Aligning:
    """Accounts or cost centres that lines are charged to, told by link or number."""
    read: Callable[[], Iterable[Entry]] = {
        "accounts": lambda: _by_id(map(_object, found(here.accounts()))),
        "cost_centers": lambda: entries_of(here.cost_centers(), _center),
    }[kind]
    theirs = there.accounts if kind == "accounts" else there.cost_centers
    return Aligning(
        kind=kind,
        link=link,
        here=Side(system=here.system, read=read),
        there=Side(system=there.system, read=lambda: entries_of(theirs(), _coded)),
        owners={"number": here.system, "name": here.system},
        compare_names=False,
        needed_only=True,
    )


def charged_codes(here: Any, there: Any, ledger: Ledger, *, delimiter: str = "-") -> Aligning:
    """Accounts of an ERP and of a system whose account codes are made of cost centre and account.

    A link of the whole account goes before links of its parts.
    """

    def read() -> Iterator[Entry]:
        codes = {
            kind: {link[here.system]: link[there.system] for link in ledger.crosswalk.links(kind) if _both(link)}
            for kind in ("account", "cost_center")
        }
        for account in found(here.accounts()):
            center, own = account.cost_center.strip(), account.object.strip()
            parts = (codes["cost_center"].get(center, center), codes["account"].get(own, own))
            yield attrs.evolve(
                _object(account),
                id=".".join(filter(None, (center, own))),
                also=(delimiter.join(filter(None, parts)),),
            )

    def _both(link: Mapping[str, str]) -> bool:
        return here.system in link and there.system in link

    return Aligning(
        kind="accounts",
        link="account",
        here=Side(system=here.system, read=lambda: _by_id(read())),
        there=Side(system=there.system, read=lambda: entries_of(there.accounts(), _coded)),
        owners={"number": here.system, "name": there.system},
        compare_names=False,
        needed_only=True,
        held_as="charged",
    )


def _object(account: Account) -> Entry:
    return Entry(
        id=account.object or account.number,
        name=account.description,
        also=(account.number,),
        active=account.active,
        ready=account.postable,
        why="" if account.postable else "it cannot be posted to",
    )


def _by_id(entries: Iterable[Entry]) -> Iterator[Entry]:
    """One entry for each id: it is usable where one of the same id is."""
    first: dict[str, Entry] = {}
    for entry in entries:
        known = first.get(entry.id)
        if known is None or (entry.active and entry.ready and not (known.active and known.ready)):
            first[entry.id] = entry
    return iter(first.values())


def _center(center: CostCenter) -> Entry:
    return Entry(id=center.number, name=center.name, active=center.active)


def _coded(document: Account | CostCenter) -> Entry:
    return Entry(
        id=document.key,
        name=document.description if isinstance(document, Account) else document.name,
        also=(document.number,),
        active=document.active,
        ready=not isinstance(document, Account) or document.postable,
    )


def connections(here: Any, cleo: Cleo, routes: Routes) -> Aligning:
    """Suppliers of an ERP and connections of Cleo: by link, by route, by ``externalId``, else by a name that is unique
    on both sides (Cleo reference, section 10).

    A route without ``connection=`` says where its parties' documents go; they need none.
    """
    routed = {party: route.connection for route in routes.all for party in route.parties if route.connection}
    stated: set[str] = set()
    served = {party for route in routes.all for party in route.parties if not route.connection}

    def read() -> Iterator[Entry]:
        rows = {str(row.get("alias") or row["id"]): row for row in cleo.connections()}
        for alias, row in rows.items():
            number = str(row.get("externalId") or "")
            if number.strip():
                stated.add(alias)
            ready = str(row.get("ready", True)).lower() not in _FALSE
            yield Entry(
                id=alias,
                name=alias,
                also=(number,) if number.strip() else (),
                active=str(row.get("enabled", True)).lower() not in _FALSE,
                ready=ready,
                why="" if ready else str(row.get("notReadyReason") or "not ready"),
            )

    def write(item: Aligned) -> str:
        """Only where it is certain and nothing stands there yet; a name alone is no proof."""
        if item.by not in ("link", "route") or not item.there_id or item.there_id in stated:
            return ""
        cleo.set_external_id(item.there_id, item.here_id)
        return f"externalId {item.here_id}"

    def here_entries() -> Iterator[Entry]:
        for entry in entries_of(here.suppliers(), _here):
            yield attrs.evolve(entry, needs_none=entry.id.strip() in served)

    return Aligning(
        kind="suppliers",
        link="supplier",
        here=Side(system=here.system, read=here_entries),
        there=Side(system=cleo.system, read=read),
        owners={"externalId": here.system, "alias": cleo.system, "settings": cleo.system},
        routed=routed,
        write=write,
    )


def partner_codes(here: Any, ledger: Ledger, kinds: Sequence[str] = ("accounts", "cost_centers")) -> list[Aligning]:
    """Accounts and cost centres of an ERP and the partners' codes for them, which stand in the crosswalk."""
    reads: Mapping[str, Callable[[], Iterable[Entry]]] = {
        "accounts": lambda: _by_id(map(_object, found(here.accounts()))),
        "cost_centers": lambda: entries_of(here.cost_centers(), _center),
    }
    links = {"accounts": "account", "cost_centers": "cost_center"}

    def codes(link: str) -> Callable[[], Iterable[Entry]]:
        return lambda: [Entry(id=one["cleo"]) for one in ledger.crosswalk.links(link) if "cleo" in one]

    return [
        Aligning(
            kind=kind,
            link=links[kind],
            here=Side(system=here.system, read=reads[kind]),
            there=Side(system="cleo", read=codes(links[kind])),
            owners={"number": here.system, "code": "cleo"},
            compare_names=False,
            needed_only=True,
        )
        for kind in kinds
    ]
