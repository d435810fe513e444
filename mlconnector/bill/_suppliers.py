"""Suppliers become vendors (delivery targets, BILL vendor; BILL reference, section 6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from mlconnector.bill._api import Api
from mlconnector.bill._body import (
    agrees,
    same_name,
    same_tax_id,
    supplier_content,
    supplier_faults,
    vendor_body,
)
from mlconnector.bill._books import Books, Match, Vendor
from mlconnector.bill._bulk import create_all, in_doubt, surely_not_acted, unsent
from mlconnector.bill._judge import one_error, said
from mlconnector.bill._resources import VENDORS
from mlconnector.bill._values import Fields, check_options, field_of
from mlconnector.documents import Supplier
from mlconnector.errors import (
    DeliveryInDoubt,
    DocumentError,
    InvalidDocument,
    MLConnectorError,
    NotFound,
    TargetChanged,
)
from mlconnector.http import RequestRefused
from mlconnector.target import Change, LookUp, Prepared, Receipt

__all__ = ["SuppliersTarget"]

Row = Mapping[str, Any]


class SuppliersTarget:
    """One vendor for each supplier and currency, found by name and tax id together, never by one of them alone.

    A vendor with the same name and tax id is linked when it says what we would say, and parked when it does not
    (delivery rule 7); two of them, a masked or a different tax id are parked, never guessed. One that differs in
    nothing is linked without a tax id too. Only fields we have a value for are sent and compared.

    Args:
        api: Who asks. ``books``: the vendors BILL has.
        countries: Country as the source writes it to its ISO 3166 code of two letters (trap 3): ``{"USA": "US"}``.
        home_currency: Currency of vendors that name none; that it is USD is not certain (section 6).
        settle_after: How long after its deadline a write may still appear.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    name = "bill suppliers"
    batch_size: int = VENDORS.bulk
    look_up: LookUp = "reliable"
    # A batch is looked up by deliver, in the changes of one list, before it writes.
    look_before_create = False

    def __init__(
        self,
        api: Api,
        books: Books,
        *,
        countries: Mapping[str, str] | None = None,
        home_currency: str = "USD",
        settle_after: dt.timedelta = dt.timedelta(minutes=1),
    ) -> None:
        check_options(home_currency, settle_after)
        self.settle_after = settle_after
        self._api, self._books = api, books
        self._countries, self._home = dict(countries or {}), home_currency

    def content(self, document: Supplier) -> str:
        """What BILL is told of it."""
        return supplier_content(document)

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; see :class:`~mlconnector.target.Target`.

        Raises:
            InvalidDocument: It cannot be a vendor as it is, with every fault.
        """
        supplier: Supplier = change.document
        body = vendor_body(supplier, self._countries)
        faults = supplier_faults(supplier, body)
        if faults:
            raise InvalidDocument(
                f"Supplier {change.key or supplier.key!r} cannot be a vendor.",
                faults=tuple(faults),
                cause="document",
                cure="Correct it in its source; a country as the source writes it can be given in countries=.",
            )
        base = None if change.previous is None else vendor_body(change.previous, self._countries)
        return Prepared(
            supplier,
            {"operation": "change" if change.target_id else "create", "body": body, "base": base},
            None,
            target_id=change.target_id or self._linked(change),
            describe={"resource": VENDORS.name},
        )

    @staticmethod
    def _linked(change: Change[Any]) -> str | None:
        supplier = change.document
        system = "mlconnector" if supplier.provenance is None else supplier.provenance.system
        numbers = (f"{supplier.number}/{supplier.currency}", supplier.number)
        links = (change.crosswalk.find("supplier", to="bill", **{system: number}) for number in numbers)
        found = next(filter(None, links), None)
        return None if found is None else str(found)

    def find(self, prepared: Prepared) -> Receipt | None:
        """Look for our write: by id, else by name and tax id among all vendors as they are now (rule 6)."""
        self._books.vendors.refresh()
        return self._found(prepared)

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Create what is not there, in bulk; change what is. One answer each.

        Raises:
            MLConnectorError: The look-up or the first call failed; ``repeat_safe``, nothing was written.
        """
        try:
            self._books.vendors.refresh()
        except MLConnectorError as error:
            error.repeat_safe = True
            raise
        answers: dict[int, Receipt | MLConnectorError] = {}
        waiting = list(enumerate(batch))
        while waiting:
            # One of a name in a call: its answer is recognised by the name, and the next of it meets the first.
            names: set[str] = set()
            later, new = [], []
            for place, prepared in waiting:
                name = same_name(str(_body(prepared)["name"]))
                if name in names:
                    later.append((place, prepared))
                    continue
                names.add(name)
                answer = self._answered(prepared)
                if answer is None:
                    new.append((place, prepared))
                else:
                    answers[place] = answer
            try:
                self._create(new, answers)
            except MLConnectorError as error:
                if not any(map(_may_have_acted, answers.values())):
                    raise
                answers |= {place: unsent(error) for place, _one in (*new, *later)}
                break
            waiting = later
        return [answers[place] for place in range(len(batch))]

    def _answered(self, prepared: Prepared) -> Receipt | MLConnectorError | None:
        """The answer for one member that needs no create; ``None`` where it is to be created."""
        if prepared.target_id is not None and _payload(prepared)["operation"] == "change":
            return self._changed(prepared, prepared.target_id)
        try:
            return self._found(prepared)
        except MLConnectorError as error:
            return error if isinstance(error, DocumentError) else unsent(error)

    def save(self, supplier: Supplier, change: Callable[[Supplier], Change[Any]]) -> Receipt:
        """Look up, then create or change; see :meth:`BILL.save_supplier`."""
        prepared = self.prepare(change(supplier))
        body = _body(prepared)
        self._books.vendors.refresh()
        match = self._match(body)
        if match.row is not None and agrees(body, self._books.vendors.whole(match.row)):
            return self._settled(self._changed(prepared, str(match.row["id"])))
        return self._settled(self.deliver([prepared])[0])

    @staticmethod
    def _settled(answer: Receipt | MLConnectorError) -> Receipt:
        if isinstance(answer, Receipt):
            return answer
        raise one_error([answer], "")

    def _match(self, body: Row) -> Match:
        tax_id = str(field_of(body, "additionalInfo.taxId") or "")
        wanted = Vendor(name=str(body["name"]), tax_id=tax_id, currency=body.get("billCurrency"))
        return self._books.match(wanted, self._home)

    def _found(self, prepared: Prepared) -> Receipt | None:
        body = _body(prepared)
        if prepared.target_id is not None:
            return self._state(prepared, self._by_id(prepared.target_id))
        match = self._match(body)
        if match.row is not None:
            thin = bool(agrees(body, match.row))
            return self._state(prepared, self._books.vendors.whole(match.row) if thin else match.row)
        return self._without_tax_id(body, match.fault) if match.unclear else None

    def _without_tax_id(self, body: Row, fault: str) -> Receipt:
        """Linked where the only vendor of the name says all that we would say, and none of both a tax id."""
        same = self._books.vendors.having(same_name(str(body["name"])))
        if len(same) == 1 and "additionalInfo" not in body:
            record = self._books.vendors.whole(same[0])
            theirs = Fields(record, [])
            alike = not agrees(body, record) and not same_tax_id(theirs.text("additionalInfo.taxId"))
            if alike and not theirs.flag("archived"):
                return Receipt(system="bill", id=theirs.text("id"), existing=True, by="content", raw=said(record))
        raise TargetChanged(
            f"{body['name']!r} cannot be told from a vendor that is there already.",
            faults=(fault,),
            cause="ambiguous",
            cure='Whoever runs the flow links them: ledger.crosswalk.link("supplier", jdedwards=..., bill=...).',
        )

    def _state(self, prepared: Prepared, record: Row) -> Receipt | None:
        body, payload = _body(prepared), _payload(prepared)
        fields = Fields(record, [])
        key = fields.text("id")
        if fields.flag("archived"):
            raise TargetChanged(f"Vendor {key} is archived.", cause="archived", cure="Restore it in BILL, then replay.")
        differing = agrees(body, record)
        if not differing:
            return Receipt(system="bill", id=key, existing=True, by="content", raw=said(record))
        if payload.get("base") is not None and not agrees(payload["base"], record):
            return None
        raise TargetChanged(
            f"Vendor {key} is not as we would leave it.",
            faults=tuple(f"vendor {key}: {name} differs" for name in sorted(differing)),
            cause="changed",
            cure="Settle it as it stands, or overwrite it.",
        )

    def _create(self, members: Sequence[tuple[int, Prepared]], answers: dict[int, Receipt | MLConnectorError]) -> None:
        if not members:
            return
        bodies = [_body(one) for _place, one in members]
        made = create_all(self._api, VENDORS, bodies, _key, send_by=members[0][1].send_by)
        for (place, _one), answer in zip(members, made, strict=True):
            if isinstance(answer, MLConnectorError):
                answers[place] = answer
            else:
                self._books.vendors.put(answer)
                answers[place] = Receipt(system="bill", id=str(answer.get("id") or "") or None, raw=said(answer))

    def _changed(self, prepared: Prepared, target_id: str) -> Receipt | MLConnectorError:
        path = VENDORS.path_of(target_id)
        try:
            answer = self._api.call("PATCH", path, json=_body(prepared), send_by=prepared.send_by).json()
        except (RequestRefused, NotFound) as error:
            return error
        except MLConnectorError as error:
            return unsent(error) if surely_not_acted(error) else in_doubt(error.message)
        record = answer if isinstance(answer, Mapping) else {}
        if "id" in record:
            self._books.vendors.put(record)
        return Receipt(system="bill", id=target_id, raw=said(record))

    def _by_id(self, target_id: str) -> Row:
        try:
            return self._api.record(VENDORS, target_id)
        except NotFound:
            raise TargetChanged(
                f"Vendor {target_id} is gone from BILL.", cause="gone", cure="Look in BILL; then settle it."
            ) from None


def _may_have_acted(answer: Receipt | MLConnectorError) -> bool:
    return not answer.existing if isinstance(answer, Receipt) else isinstance(answer, DeliveryInDoubt)


def _payload(prepared: Prepared) -> Row:
    payload: Any = prepared.payload
    return payload  # type: ignore[no-any-return]  # JSON values, fresh or read back from a ledger


def _body(prepared: Prepared) -> Row:
    body: Row = _payload(prepared)["body"]
    return body


def _key(record: Row) -> Hashable:
    return same_name(Fields(record, []).text("name"))
