"""Invoices become bills, negative ones vendor credits (delivery targets, BILL; rules B60, B61)."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.bill._api import Api
from mlconnector.bill._body import (
    FORMS,
    Form,
    amount_of,
    charged,
    digest,
    facts,
    invoice_content,
    invoice_faults,
    invoice_number,
    mark,
    to_body,
)
from mlconnector.bill._books import Books, CostCenters
from mlconnector.bill._bulk import Answer, create_all, in_doubt, surely_not_acted, unsent
from mlconnector.bill._judge import (
    check_untouched,
    created,
    is_ours,
    number_of,
    one_error,
    parts,
    said,
    state,
    with_line_ids,
)
from mlconnector.bill._resources import BILLS, CREDITS
from mlconnector.bill._shelf import Hit, Shelf
from mlconnector.bill._values import Fields, check_options
from mlconnector.documents import Invoice
from mlconnector.errors import (
    DocumentError,
    InvalidArgument,
    InvalidDocument,
    MLConnectorError,
    NotFound,
    TargetChanged,
    UnknownReference,
)
from mlconnector.http import RequestRefused
from mlconnector.target import Change, LookUp, Prepared, Receipt

__all__ = ["InvoicesTarget"]

Row = Mapping[str, Any]
_BORN_HERE = "BILL:"


class InvoicesTarget:
    """One bill for each invoice, one vendor credit for each negative one; its amount is the open one (rule B61).

    The number is made of the document's key and belongs to it alone; vendor and number are what a record is found by
    (BILL reference, section 9). A record is ours if its description begins with the document's mark; one that is not
    is never touched, even when equal (delivery rule 7). A change replaces an unpaid bill as a whole; a void document,
    or one with nothing open any more, archives it; a bill that is scheduled or paid is left to a person.

    Args:
        api: Who asks. ``books``: vendors, accounts and cost centres, checked before every write.
        cost_centers: Where cost centres are kept at BILL: ``"departments"`` or ``"locations"``.
        home_currency: Currency of vendors that name none; that it is USD is not certain (section 6).
        look_back: How long ago a bill of ours can have been created without this ledger knowing it, for the look-up
            before a first create. ``None``: for ever, every bill of the vendor is read.
        settle_after: How long after its deadline a write may still appear.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    name = "bill invoices"
    batch_size: int = BILLS.bulk
    look_up: LookUp = "reliable"
    # A batch is looked up in one list by deliver, before it writes; one by one it would be a call for each document.
    look_before_create = False

    def __init__(
        self,
        api: Api,
        books: Books,
        *,
        cost_centers: CostCenters = "departments",
        home_currency: str = "USD",
        look_back: dt.timedelta | None = None,
        settle_after: dt.timedelta = dt.timedelta(minutes=2),
    ) -> None:
        if cost_centers not in ("departments", "locations"):
            raise InvalidArgument(f"cost_centers={cost_centers!r}.", cure='Use "departments" or "locations".')
        if look_back is not None and look_back <= dt.timedelta(0):
            raise InvalidArgument(f"look_back={look_back!r} is not above 0.", cure="Give a positive timedelta or None.")
        check_options(home_currency, settle_after)
        self.settle_after = settle_after
        self._api, self._books, self._home = api, books, home_currency
        self._centers: CostCenters = cost_centers
        self._shelves = {name: Shelf(api, form, look_back) for name, form in FORMS.items()}

    def content(self, document: Invoice) -> str:
        """What BILL is told of it."""
        return invoice_content(document)

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make ready; see :class:`~mlconnector.target.Target`.

        Raises:
            InvalidDocument: It cannot be a bill or credit as it is, with every fault.
            TargetChanged: The bill is not what we left there.
        """
        invoice: Invoice = change.document
        if invoice.origin.startswith(_BORN_HERE):
            raise InvalidDocument(
                f"{change.key or invoice.key!r} was born in BILL as {invoice.origin}.",
                cause="echo",
                cure="Nothing to do: it never goes back there (rule B1). The flow leaves such documents out.",
            )
        gone = invoice.void or (change.action != "create" and amount_of(invoice) == 0)
        if gone and (change.action == "create" or change.target_id is None):
            raise InvalidDocument(
                f"{change.key!r} is void and was never sent.", cause="void", cure="Nothing to do: nothing is at BILL."
            )
        base = None
        if change.previous is not None and change.action != "create":
            try:
                base = self._made(change.previous, change)
            except DocumentError:
                # What was sent then cannot be rebuilt now (an account is gone): the comparison will say so.
                base = None
        made = base if gone else self._made(invoice, change)
        if made is None:
            raise TargetChanged(
                f"{change.key!r} is void, and what BILL has of it can no longer be told.",
                cause="base",
                cure="Look at it in BILL, archive it there, and settle it.",
            )
        form, body = made
        if base is not None and base[0] is not form:
            raise InvalidDocument(
                f"{change.key!r} changed its sign: it is at BILL as {base[0].resource.name}.",
                cause="sign",
                cure="Archive that record in BILL and settle it, then replay.",
            )
        payload = {
            "resource": form.resource.name,
            "operation": _operation(change, form, gone=gone),
            "body": body,
            "base": None if base is None else base[1],
        }
        number, vendor = number_of(form, body), str(body["vendorId"])
        return Prepared(
            invoice,
            payload,
            number,
            target_id=change.target_id,
            describe={"resource": form.resource.name, "vendor": vendor, "number": number},
            claim=("invoice number", f"bill {vendor}", number),
        )

    def _made(self, invoice: Invoice, change: Change[Any]) -> tuple[Form, dict[str, Any]]:
        """The body for one revision, or everything that stands against it."""
        key = change.key or invoice.key
        faults, missing = invoice_faults(invoice), []
        system = "mlconnector" if invoice.provenance is None else invoice.provenance.system
        payee = invoice.payee or invoice.supplier
        vendor = ""
        if payee is None:
            faults.append("it has no payee")
        else:
            match = self._books.vendor(payee, invoice.currency, system, change.crosswalk, self._home)
            vendor = "" if match.row is None else str(match.row["id"])
            missing += [match.fault] if match.row is None else []
        tags, unknown = self._books.tags(charged(invoice), self._centers, system, change.crosswalk)
        missing += unknown
        if faults:
            raise InvalidDocument(
                f"{key!r} cannot be a bill.",
                faults=(*faults, *missing),
                cause="document",
                cure="Correct the document in its source; it is read again by itself.",
            )
        if missing:
            raise UnknownReference(
                f"{key!r} names what BILL does not know.",
                faults=tuple(missing),
                cause="reference",
                cure="The BILL administrator adds it, or whoever runs the flow links it in the crosswalk; then replay.",
            )
        form = FORMS[(CREDITS if (amount_of(invoice) or Decimal(0)) < 0 else BILLS).name]
        number, marked = invoice_number(key), mark(invoice, key)
        return form, to_body(form, invoice, vendor=vendor, number=number, marked=marked, tags=tags)

    def find(self, prepared: Prepared) -> Receipt | None:
        """Look for our write: by id, else by vendor and number among all of the vendor's (delivery rule 6)."""
        form, payload = parts(prepared)
        if prepared.target_id is not None:
            return state(form, payload, self._by_id(form, prepared.target_id))
        body = payload["body"]
        hits = self._shelves[form.resource.name].ask(str(body["vendorId"]), number_of(form, body))
        return self._judged(form, payload, hits)

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Create what is not there, in bulk; replace or archive what is. One answer each.

        Raises:
            MLConnectorError: The look-up or the first call failed; ``repeat_safe``, nothing was written.
        """
        answers: dict[int, Receipt | MLConnectorError] = {}
        places = list(enumerate(batch))
        new = {
            name: [(place, one) for place, one in places if one.target_id is None and parts(one)[0] is form]
            for name, form in FORMS.items()
        }
        for name, members in new.items():
            self._look(self._shelves[name], members)
        written = False
        for name, form in FORMS.items():
            left = [member for member in new[name] if not self._there(form, *member, answers)]
            try:
                self._create(form, left, answers)
            except MLConnectorError as error:
                if not written:
                    raise
                answers |= {place: unsent(error) for place, _one in left}
            written = written or bool(left)
        for place, prepared in places:
            if prepared.target_id is not None:
                answers[place] = self._updated(prepared, prepared.target_id)
        return [answers[place] for place, _one in places]

    def made_of(self, asked: Sequence[tuple[Prepared, Sequence[str]]]) -> list[tuple[Prepared, str]]:
        """Deliveries whose payee has a bill, not archived, that was made of another document, with that bill's id.

        Args:
            asked: Deliveries, each with the keys of the documents meant, of the same system.

        Raises:
            MLConnectorError: BILL cannot be asked; ``repeat_safe``.
        """
        shelf = self._shelves[BILLS.name]
        members = [(place, one) for place, (one, keys) in enumerate(asked) if keys]
        self._look(shelf, members)
        found = []
        for place, one in members:
            vendor = str(parts(one)[1]["body"]["vendorId"])
            for key in asked[place][1]:
                marked = {"description": mark(one.document, key)}
                with _nothing_written():
                    hits = shelf.hits(vendor, invoice_number(key))
                found += [(one, hit.id) for hit in hits if is_ours(marked, hit.description) and not hit.archived]
        return found

    def save(self, invoices: Sequence[Invoice], change: Any) -> list[Receipt]:
        """Look up, then create or update; see :meth:`BILL.save_invoices`.

        Raises:
            InvalidArgument: A credit among bills, or the same document twice.
        """
        prepared: list[Prepared] = []
        faults: list[DocumentError] = []
        for invoice in invoices:
            try:
                prepared.append(self.prepare(change(invoice)))
            except DocumentError as error:
                faults.append(error)
        if faults:
            raise one_error(faults, "Nothing was written.")
        numbers = {one.marker for one in prepared}
        if len(numbers) != len(prepared):
            raise InvalidArgument("Two of the invoices have the same key.", cure="Give each document once.")
        for form in {parts(one)[0].resource.name: parts(one)[0] for one in prepared}.values():
            same = [(0, one) for one in prepared if parts(one)[0] is form]
            self._look(self._shelves[form.resource.name], same)
        answers = self.deliver([self._updating(one) for one in prepared])
        failed = [answer for answer in answers if isinstance(answer, MLConnectorError)]
        if failed:
            raise one_error(failed, f"{len(answers) - len(failed)} of {len(answers)} were written.")
        return [answer for answer in answers if isinstance(answer, Receipt)]

    def _updating(self, prepared: Prepared) -> Prepared:
        """The same as an update, where exactly one record of ours is there and differs."""
        form, payload = parts(prepared)
        body = payload["body"]
        hits = self._shelves[form.resource.name].hits(str(body["vendorId"]), number_of(form, body))
        if len(hits) != 1 or hits[0].archived or not is_ours(body, hits[0].description):
            return prepared
        if _says(form, body, hits[0]) or facts(form, self._api.record(form.resource, hits[0].id)) == facts(form, body):
            return prepared
        return attrs.evolve(prepared, payload={**payload, "operation": "replace"}, target_id=hits[0].id)

    def _look(self, shelf: Shelf, members: Sequence[tuple[int, Prepared]]) -> None:
        with _nothing_written():
            shelf.fetch(str(parts(one)[1]["body"]["vendorId"]) for _place, one in members)

    def _there(
        self, form: Form, place: int, prepared: Prepared, answers: dict[int, Receipt | MLConnectorError]
    ) -> bool:
        """Whether a record of this number is there already: then that is the answer, and nothing is written."""
        payload = parts(prepared)[1]
        body = payload["body"]
        try:
            hits = self._shelves[form.resource.name].hits(str(body["vendorId"]), number_of(form, body))
            receipt = self._judged(form, payload, hits)
        except MLConnectorError as error:
            answers[place] = error if isinstance(error, TargetChanged) else unsent(error)
            return True
        if receipt is not None:
            answers[place] = attrs.evolve(receipt, existing=True)
        return receipt is not None

    def _create(
        self, form: Form, members: Sequence[tuple[int, Prepared]], answers: dict[int, Receipt | MLConnectorError]
    ) -> None:
        if not members:
            return
        bodies = [parts(one)[1]["body"] for _place, one in members]

        def key(record: Row) -> Hashable:
            return Fields(record, []).text("vendorId"), number_of(form, record)

        made: list[Answer] = []
        shelf = self._shelves[form.resource.name]
        try:
            made = create_all(self._api, form.resource, bodies, key, send_by=members[0][1].send_by)
        finally:
            certain = len(made) == len(bodies) and not any(isinstance(one, MLConnectorError) for one in made)
            if not certain:
                shelf.forget({str(body["vendorId"]) for body in bodies})
        for (place, _one), body, answer in zip(members, bodies, made, strict=True):
            if isinstance(answer, MLConnectorError):
                answers[place] = answer
            else:
                shelf.add(answer)
                answers[place] = created(form, body, answer)

    def _updated(self, prepared: Prepared, target_id: str) -> Receipt | MLConnectorError:
        form, payload = parts(prepared)
        path = form.resource.path_of(target_id)
        try:
            record = self._by_id(form, target_id)
            if payload["operation"] == "restore":
                record = {**record, "archived": False}
            check_untouched(record)
        except MLConnectorError as error:
            return error if isinstance(error, DocumentError) else unsent(error)
        try:
            if payload["operation"] == "archive":
                answer = self._api.call("POST", f"{path}/archive", send_by=prepared.send_by)
            else:
                if payload["operation"] == "restore":
                    self._api.call("POST", f"{path}/restore", send_by=prepared.send_by)
                body = with_line_ids(form, payload["body"], record)
                answer = self._api.call("PUT", path, json=body, send_by=prepared.send_by)
            told = answer.json()
        except (RequestRefused, NotFound) as error:
            return error
        except MLConnectorError as error:
            return unsent(error) if surely_not_acted(error) else in_doubt(error.message)
        finally:
            self._shelves[form.resource.name].forget([str(payload["body"]["vendorId"])])
        known = told if isinstance(told, Mapping) else {}
        return Receipt(system="bill", id=target_id, raw=said(known))

    def _judged(self, form: Form, payload: Row, hits: Sequence[Hit]) -> Receipt | None:
        if not hits:
            return None
        if len(hits) > 1:
            raise TargetChanged(
                f"{len(hits)} records of this vendor have the number {number_of(form, payload['body'])!r}.",
                cause="several",
                cure="Look at them in BILL: archive what is too much, then settle this one.",
            )
        hit = hits[0]
        if not is_ours(payload["body"], hit.description):
            raise TargetChanged(
                f"{hit.id} has this number, and does not carry our mark.",
                cause="not ours",
                cure="Look at it in BILL; whoever runs the flow settles it (delivery rule 7).",
            )
        if _says(form, payload["body"], hit) and not hit.archived:
            return Receipt(system="bill", id=hit.id, by="content")
        # Its row in a list may be thinner than the record: only the record itself tells that it differs.
        return state(form, payload, self._by_id(form, hit.id))

    def _by_id(self, form: Form, target_id: str) -> Row:
        try:
            return self._api.record(form.resource, target_id)
        except NotFound:
            raise TargetChanged(
                f"{target_id} is gone from BILL.", cause="gone", cure="Look in BILL; then settle it."
            ) from None


def _operation(change: Change[Any], form: Form, *, gone: bool) -> str:
    """What is to be done; a bill that was archived because its document was taken back is restored with it. A vendor
    credit cannot be (BILL reference, section 8).
    """
    if gone:
        return "archive"
    if change.target_id is None:
        return "create"
    was_gone = change.previous is not None and (change.previous.void or amount_of(change.previous) == 0)
    return "restore" if was_gone and form.resource is BILLS else "replace"


@contextlib.contextmanager
def _nothing_written() -> Iterator[None]:
    try:
        yield
    except MLConnectorError as error:
        error.repeat_safe = True
        raise


def _says(form: Form, body: Row, hit: Hit) -> bool:
    return hit.content == digest(facts(form, body))
