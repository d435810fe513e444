"""What X12 files from partners say: whom they concern, what they answer, which acknowledgment they ask for."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import attrs

from mlconnector import x12
from mlconnector.cleo import Route, Routes, pair_of
from mlconnector.delivery import (
    Acknowledged,
    Confirmed,
    Heard,
    InboundReader,
    InboxMessage,
    Interpreted,
    Ledger,
    Message,
    Noted,
    Owed,
)
from mlconnector.documents import (
    AcknowledgedLine,
    Document,
    FunctionalAcknowledgment,
    Invoice,
    OrderAcknowledgment,
    OrderLine,
    Party,
    Provenance,
    PurchaseOrder,
)
from mlconnector.errors import DocumentError
from mlconnector.records import Rejected

__all__ = ["X12Inbox"]

_ACKNOWLEDGMENTS = ("997", "999", "TA1")
_RECEIVED_BY_DEFAULT = ("855", "865", "824", "997")
_LINE_REJECTED = ("IR", "R1", "R2", "R3", "R4", "R5", "R6", "RJ")
_BACKORDERED = ("IB",)
Verdict = Literal["accepted", "accepted with errors", "rejected"]
_VERDICTS: dict[str, Verdict] = {
    "A": "accepted",
    "E": "accepted with errors",
    "P": "accepted with errors",
}
"""AK501, AK901 and TA104; every other word rejects (X12 reference, section 8)."""
_REJECTED: Verdict = "rejected"
_WORST_FIRST: tuple[Verdict, ...] = ("rejected", "accepted with errors", "accepted")
_FILES_KEPT = 4


@attrs.frozen
class X12Inbox:
    """The X12 side of an inbox.

    Args:
        ledger: Holds what came in. ``box``: the inbox.
        routes: Whose files are expected (rule B5).
        acknowledge: ``"library"`` owes a 997 for every group, ``"gateway"`` leaves that to the server (rule B17).
        also: Sets that a flow takes beside those of a route's default ``receives``. ``posts``: those of them that a
            sync of the flow posts.
    """

    ledger: Ledger
    box: str
    routes: Routes
    acknowledge: Literal["library", "gateway"] = "library"
    also: Sequence[str] = ()
    posts: Sequence[str] = ()

    def interpret(self, content: bytes) -> Interpreted:
        """The messages in a file, and the 997s it asks for (delivery rule 14)."""
        messages, owed = [], {}
        for part, item in enumerate(x12.read(content, broken="yield")):
            if isinstance(item, x12.Unreadable):
                digest = hashlib.sha256(content).hexdigest()
                messages.append(Message(identity=f"file:{digest}/{part}", part=part, unreadable=str(item)))
            else:
                messages.append(_message(item, part))
            one = self._owed(item)
            if one is not None:
                owed[one.name] = one
        if not messages:
            digest = hashlib.sha256(content).hexdigest()
            messages.append(Message(identity=f"file:{digest}", unreadable="it holds no X12 interchange"))
        return Interpreted(tuple(messages), tuple(owed.values()))

    def hear(self, message: InboxMessage) -> Iterator[Heard]:
        """What a message means for what was sent.

        Raises:
            InvalidDocument: It cannot be understood.
        """
        partner = self._partner(message.sender, message.receiver)
        if partner is None:
            yield Noted(
                text=f"{message.code} from {message.sender} to {message.receiver}: no route has them.", parked=True
            )
            return
        ts = self.the_set(message)
        faults = [str(finding) for finding in (*ts.findings, *x12.validate(ts)) if finding.severity == "error"]
        if message.code in _ACKNOWLEDGMENTS:
            yield self._acknowledged(message, ts)
        elif faults:
            yield Noted(text=f"{message.code} from {message.sender} is rejected: {'; '.join(faults)}", parked=True)
        elif message.code not in self._received(partner):
            yield Noted(text=f"{message.code} came from {message.sender}. {_told(ts)}".strip())
        elif message.code in self.posts:
            return
        elif message.code in ("855", "865"):
            yield self._confirmed(message, ts, partner)
        elif message.code == "856":
            shipment = x12.from_856(ts, partner=partner)
            for number in shipment.orders:
                yield Confirmed(claim=_claim(message, number), verdict="shipped", compare=_nothing_to_compare)
        else:
            yield Noted(text=f"{message.code} came from {message.sender}. {_told(ts)}".strip())

    def the_set(self, message: InboxMessage) -> x12.TransactionSet:
        """The set that a message is."""
        found = self._parts(message.file)[message.part]
        assert isinstance(found, x12.TransactionSet)
        return found

    def invoices_reader(self) -> InboundReader[Invoice]:
        """The 810s that came in, as invoices under their business key: supplier and invoice number (rule B40)."""
        return InboundReader(kind="invoices", documents=self._invoices, clock=self.ledger.clock)

    def _invoices(self) -> list[Invoice | Rejected]:
        found: list[Invoice | Rejected] = []
        for message in self.ledger.inbox.messages(self.box, "applied", "810"):
            route = self.routes.of_pair(message.receiver, message.sender)
            if route is None or route.partner is None:
                continue
            try:
                invoice = x12.from_810(self.the_set(message), partner=route.partner)
            except DocumentError as error:
                key, row = message.identity, {"identity": message.identity}
                found.append(Rejected(key=key, row=row, faults=error.faults, updated_at=message.stored_at))
                continue
            found.append(self._completed(invoice, message, route))
        return found

    def _completed(self, invoice: Invoice, message: InboxMessage, route: Route) -> Invoice:
        """With the supplier that the sender is, and the order and business unit that it means."""
        told = "" if invoice.supplier is None else invoice.supplier.number
        number = told if told in route.parties else route.parties[0] if len(route.parties) == 1 else ""
        supplier = attrs.evolve(invoice.supplier or Party(), number=number)
        orders = {line.purchase_order or invoice.purchase_order for line in invoice.lines} | {invoice.purchase_order}
        owners = {name: self.ledger.crosswalk.owner(*_claim(message, name)) for name in orders if name}
        known = {name: key.split("/") for name, key in owners.items() if key is not None}
        units = {parts[0] for parts in known.values() if len(parts) == 2}
        lines = [
            attrs.evolve(line, purchase_order=known[line.purchase_order][-1]) if line.purchase_order in known else line
            for line in invoice.lines
        ]
        order = known.get(invoice.purchase_order, [invoice.purchase_order])[-1]
        return attrs.evolve(
            invoice,
            supplier=supplier,
            company=units.pop() if len(units) == 1 else "",
            purchase_order=order,
            lines=lines,
            provenance=Provenance(
                system="cleo",
                kind="invoices",
                key=f"{number or message.sender}/{invoice.supplier_invoice_number}",
                updated_at=message.stored_at,
            ),
        )

    def received(self, document: FunctionalAcknowledgment) -> list[x12.TransactionSet | x12.Unreadable]:
        """Everything that was received in the group which a 997 is owed for."""
        facts = document.extras
        return [part for part in self._parts(str(facts["file"])) if _group_name(part) == facts["name"]]

    def owed_reader(self) -> InboundReader[FunctionalAcknowledgment]:
        """The 997s that are owed, as documents."""
        return InboundReader(kind="acknowledgments", documents=self._owed_documents, clock=self.ledger.clock)

    def _owed_documents(self) -> list[FunctionalAcknowledgment]:
        documents = []
        for name, file, facts, at in self.ledger.inbox.owed(self.box):
            documents.append(
                FunctionalAcknowledgment(
                    group=f"{facts['functional_id']}/{facts['group']}",
                    extras={**facts, "file": file, "name": name},
                    provenance=Provenance(system="inbox", kind="acknowledgments", key=name, updated_at=at),
                )
            )
        return documents

    def _received(self, partner: x12.Partner) -> frozenset[str]:
        codes: set[str] = set()
        for route in self.routes.all:
            if route.partner is not None and pair_of(route.partner) == pair_of(partner):
                codes |= set(route.receives)
                if route.receives == _RECEIVED_BY_DEFAULT:
                    codes |= set(self.also)
        return frozenset(codes)

    def _partner(self, sender: str, receiver: str) -> x12.Partner | None:
        route = self.routes.of_pair(receiver, sender)
        return None if route is None else route.partner

    def _owed(self, part: x12.TransactionSet | x12.Unreadable) -> Owed | None:
        group, frame = part.group, part.interchange
        if self.acknowledge != "library" or group is None or frame is None or group.functional_id == "FA":
            return None
        sender, receiver = _address(frame.sender), _address(frame.receiver)
        if self._partner(sender, receiver) is None:
            return None
        facts = {
            "sender": sender,
            "receiver": receiver,
            "usage": frame.usage,
            "functional_id": group.functional_id,
            "group": group.control_number,
        }
        return Owed(name=_group_name(part), facts=facts)

    def _parts(self, file: str) -> list[x12.TransactionSet | x12.Unreadable]:
        return _read(self.ledger.inbox.content(file))

    @staticmethod
    def _acknowledged(message: InboxMessage, ts: x12.TransactionSet) -> Heard:
        pair = f"{message.receiver}>{message.sender}"
        if message.code == "TA1":
            told = x12.from_ta1(ts)
            return Acknowledged(
                counter=f"isa:{pair}",
                number=int(ts.segments[0][1]),
                verdict=_VERDICTS.get(told.verdict, _REJECTED),
                errors=told.errors,
            )
        told = (x12.from_999 if message.code == "999" else x12.from_997)(ts)
        functional_id, _, number = told.group.partition("/")
        words = [told.verdict, *(one.verdict for one in told.sets)]
        # The group's word counts where it rejects all of it, or where it names no set.
        said = {_VERDICTS.get(word, _REJECTED) for word in (words[1:] or words)}
        if told.verdict == "R":
            said = {_REJECTED}
        worst = next(verdict for verdict in _WORST_FIRST if verdict in said)
        errors = [*told.errors, *(error for one in told.sets for error in one.errors)]
        return Acknowledged(
            counter=f"gs:{pair}:{functional_id}", number=int(number), verdict=worst, errors=tuple(errors)
        )

    @staticmethod
    def _confirmed(message: InboxMessage, ts: x12.TransactionSet, partner: x12.Partner) -> Confirmed:
        read: Callable[..., OrderAcknowledgment] = x12.from_855 if message.code == "855" else x12.from_865
        told = read(ts, partner=partner)
        return Confirmed(
            claim=_claim(message, told.order_number),
            verdict="rejected" if told.verdict.startswith("R") else "confirmed",
            compare=functools.partial(_differences, told, partner),
        )


def _message(ts: x12.TransactionSet, part: int) -> Message:
    frame, group = ts.interchange, ts.group
    sender = "" if frame is None else _address(frame.sender)
    receiver = "" if frame is None else _address(frame.receiver)
    interchange = "" if frame is None else frame.control_number
    identity = f"{sender}>{receiver}/{interchange}/{'' if group is None else group.control_number}/{ts.control_number}"
    if ts.code == "TA1":
        identity = f"{sender}>{receiver}/{interchange}/TA1/{ts.segments[0][1]}"
    text = "\n".join("\t".join(one) for one in ts.segments)
    return Message(
        identity=identity,
        code=ts.code,
        sender=sender,
        receiver=receiver,
        hash=hashlib.sha256(f"{ts.code}\n{text}".encode()).hexdigest(),
        part=part,
        stamp="" if group is None else f"{group.date[-6:]}{group.time}",
        facts={"usage": "" if frame is None else frame.usage, "version": ts.version},
    )


@functools.lru_cache(maxsize=_FILES_KEPT)
def _read(content: bytes) -> list[x12.TransactionSet | x12.Unreadable]:
    return list(x12.read(content, broken="yield"))


def _address(one: x12.Id) -> str:
    return f"{one.qualifier}:{one.id}"


def _group_name(part: x12.TransactionSet | x12.Unreadable) -> str:
    group, frame = part.group, part.interchange
    if group is None or frame is None:
        return ""
    pair = f"{_address(frame.sender)}>{_address(frame.receiver)}"
    return f"{pair}/{frame.control_number}/{group.functional_id}/{group.control_number}"


def _claim(message: InboxMessage, number: str) -> tuple[str, str, str]:
    """As the files target claims an order number: by partner and usage."""
    return "order number", f"{message.sender} {message.facts['usage']}", number


def _told(ts: x12.TransactionSet) -> str:
    """What people would look for first: the texts of an 824 or 864."""
    texts = [one[3] for one in ts.all("TED")] + [one[1] for one in ts.all("MSG")] + [one[1] for one in ts.all("MIT")]
    return "; ".join(filter(None, texts))


def _nothing_to_compare(_sent: Document) -> Sequence[str]:
    return ()


def _differences(told: OrderAcknowledgment, partner: x12.Partner, sent: Document) -> list[str]:
    """Line by line, against the order as the partner was told it: quantities, prices, dates, rejections (rule B17)."""
    if not told.lines or not isinstance(sent, PurchaseOrder):
        return []
    try:
        ordered = x12.from_850(x12.to_850(sent, partner), partner=partner)
    except DocumentError as error:
        return [f"it cannot be compared: {error.message}"]
    lines = {line.number: line for line in ordered.lines if line.kind in ("item", "amount")}
    answers: dict[str, list[AcknowledgedLine]] = {}
    for answer in told.lines:
        answers.setdefault(answer.line, []).append(answer)
    found = [text for number, entries in answers.items() for text in _of_line(number, lines.get(number), entries)]
    return found + [f"line {number} is not answered" for number in lines if number not in answers]


def _of_line(number: str, line: OrderLine | None, entries: Iterable[AcknowledgedLine]) -> Iterator[str]:
    entries = list(entries)
    if line is None:
        yield f"line {number} is not in the order"
        return
    rejected = [one for one in entries if one.status in _LINE_REJECTED]
    if rejected:
        yield f"line {number}: rejected"
    taken = [one for one in entries if one not in rejected]
    quantities = [one.quantity for one in taken if one.quantity is not None]
    units = {one.unit for one in taken if one.unit}
    if not rejected and units - {line.unit}:
        yield f"line {number}: in {', '.join(sorted(units))}, ordered in {line.unit}"
    elif not rejected and quantities and sum(quantities) != line.quantity:
        yield f"line {number}: quantity {sum(quantities):f}, ordered {line.quantity:f}"
    if any(one.status in _BACKORDERED for one in entries):
        yield f"line {number}: backordered"
    prices = {one.price for one in taken if one.price is not None} - {line.unit_price}
    if prices:
        yield f"line {number}: price {', '.join(f'{one:f}' for one in sorted(prices))}, ordered {line.unit_price}"
    dates = {one.date for one in taken if one.date is not None}
    if line.requested_date is not None and dates - {line.requested_date}:
        yield f"line {number}: on {', '.join(map(str, sorted(dates)))}, requested {line.requested_date}"
