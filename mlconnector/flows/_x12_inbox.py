"""What X12 files from partners say: whom they concern, what they answer, which acknowledgment they ask for."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import attrs

from mlconnector import x12
from mlconnector.cleo import Route, Routes, restored
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
    Document,
    FunctionalAcknowledgment,
    Invoice,
    OrderAcknowledgment,
    Party,
    Provenance,
)
from mlconnector.errors import DocumentError, InvalidDocument
from mlconnector.flows._compared import differences
from mlconnector.records import Rejected, Window

__all__ = ["X12Inbox"]

_ACKNOWLEDGMENTS = ("997", "999", "TA1")
_RECEIVED_BY_DEFAULT = ("855", "865", "824", "997")
Verdict = Literal["accepted", "accepted with errors", "rejected"]
_VERDICTS: dict[str, Verdict] = {
    "A": "accepted",
    "E": "accepted with errors",
    "P": "accepted with errors",
}
"""AK501 and AK901; every other word rejects (X12 reference, section 8)."""
_CONTROL_NUMBER = re.compile("[0-9]{1,9}")
_TAKEN = ("A", "E")
"""TA104 of an envelope that was taken: its groups are still to be answered."""
_GROUP_REJECTED = "AK905:"
_INTERCHANGE_REJECTED = ("TA105:001", "TA105:021", "TA105:023")
"""Faults of trailers: what they close is rejected whole (X12 reference, section 10)."""
_REJECTED: Verdict = "rejected"
_WORST_FIRST: tuple[Verdict, ...] = ("rejected", "accepted with errors", "accepted")
_FILES_KEPT = 2


Part = x12.TransactionSet | x12.Unreadable


@attrs.frozen
class X12Inbox:
    """The X12 side of an inbox.

    Args:
        ledger: Holds what came in. ``box``: the inbox.
        routes: Whose files are expected (rule B5).
        acknowledge: ``"library"`` owes a 997 for every group, ``"gateway"`` leaves that to the server (rule B17).
        also: Sets that a flow takes beside those of a route's default ``receives``. ``posts``: those of them that a
            sync of the flow posts.
        source: System whose codes the flow's documents hold; partners are told theirs by the crosswalk (rule B80).
    """

    ledger: Ledger
    box: str
    routes: Routes
    acknowledge: Literal["library", "gateway"] = "library"
    also: Sequence[str] = ()
    posts: Sequence[str] = ()
    source: str = ""
    _files: dict[str, list[Part]] = attrs.field(factory=dict, init=False, repr=False, eq=False)

    def interpret(self, content: bytes) -> Interpreted:
        """The messages in a file, and the 997s it asks for (delivery rule 14).

        What stands in a group or an interchange that is rejected is not taken; it keeps no numbers, so that the same
        sets may come again in a file that is whole.
        """
        parts = _read(content)
        digest = hashlib.sha256(content).hexdigest()
        refused = _refused(parts)
        messages, owed = [], {}
        for place, part in enumerate(parts):
            unreadable = str(part) if isinstance(part, x12.Unreadable) else refused.get(id(part), ("", ""))[1]
            if isinstance(part, x12.Unreadable) or unreadable:
                messages.append(Message(identity=f"file:{digest}/{place}", part=place, unreadable=unreadable))
            else:
                messages.append(self._message(part, place))
            level = refused.get(id(part), ("", ""))[0]
            one = self._owed(part, f"#{digest[:16]}" if level == "group" else "")
            if one is not None and level != "interchange":
                owed[one.name] = one
        if not messages:
            messages.append(Message(identity=f"file:{digest}", unreadable="it holds no X12 interchange"))
        return Interpreted(tuple(messages), tuple(owed.values()))

    def hear(self, message: InboxMessage) -> Iterator[Heard]:
        """What a message means for what was sent.

        Raises:
            InvalidDocument: It cannot be understood.
        """
        usage = str(message.facts["usage"])
        if not self.routes.of_pair(message.receiver, message.sender):
            yield Noted(
                text=f"{message.code} from {message.sender} to {message.receiver}: no route has them.", parked=True
            )
            return
        ts = self.the_set(message)
        if message.code in _ACKNOWLEDGMENTS:
            # Numbers are unique whatever the usage (delivery rule 10).
            yield self._acknowledged(message, ts)
            return
        partner = self._partner(message.sender, message.receiver, usage)
        if partner is None:
            text = f"{message.code} from {message.sender} has usage {usage!r}, which no route of theirs has (rule B3)."
            yield Noted(text=text, parked=True)
            return
        faults = [finding for finding in (*ts.findings, *x12.validate(ts)) if finding.severity == "error"]
        rejected = "; ".join(str(finding) for finding in faults if finding.code)
        if rejected:
            yield Noted(text=f"{message.code} from {message.sender} is rejected: {rejected}", parked=True)
            return
        if faults:
            # Sums have no code of the standard: our 997 accepts the set. Only money is kept from being posted.
            text = f"{message.code} from {message.sender} does not add up: {'; '.join(map(str, faults))}"
            yield Noted(text=text, parked=message.code in self.posts)
            if message.code in self.posts:
                return
        yield from self._business(message, ts, partner, usage)

    def _business(
        self, message: InboxMessage, ts: x12.TransactionSet, partner: x12.Partner, usage: str
    ) -> Iterator[Heard]:
        """What a set says that our 997 accepts."""
        if message.code not in self._received(message, usage):
            yield Noted(text=f"{message.code} came from {message.sender}. {_told(ts)}".strip())
        elif message.code in self.posts:
            x12.from_810(ts, partner=partner)
            if self._contradicts(message):
                text = f"{message.code} {message.business_key} came before with other content, which is taken first."
                yield Noted(text=text, parked=True)
        elif message.code in ("855", "865"):
            yield self._confirmed(message, ts, partner)
        elif message.code == "856":
            yield from self._shipped(message, x12.from_856(ts, partner=partner).orders)
        else:
            yield Noted(text=f"{message.code} came from {message.sender}. {_told(ts)}".strip())

    def the_set(self, message: InboxMessage) -> x12.TransactionSet:
        """The set that a message is.

        Raises:
            InvalidDocument: Its bytes were removed from the ledger.
        """
        parts = self._parts(message.file)
        found = parts[message.part] if message.part < len(parts) else None
        if not isinstance(found, x12.TransactionSet):
            raise InvalidDocument(f"The content of {message.identity} is no longer kept.", cause="forgotten")
        return found

    def invoices_reader(self) -> InboundReader[Invoice]:
        """The 810s that came in, as invoices under their business key: supplier and invoice number (rule B40)."""
        return InboundReader(kind="invoices", documents=self._invoices, clock=self.ledger.clock)

    def _invoices(self, window: Window) -> list[Invoice | Rejected]:
        """Of each key that is asked for the newest state, by its sender's own clock; an older one is never applied."""
        inbox = self.ledger.inbox
        keys = window.keys
        if keys is None:
            come = inbox.messages(self.box, "applied", "810", since=window.lower)
            keys = tuple(dict.fromkeys(message.business_key for message in come if message.business_key))
        found: list[Invoice | Rejected] = []
        for key in keys:
            known = [
                message
                for message in inbox.messages(key=key)
                if (message.box, message.state, message.code) == (self.box, "applied", "810") and message.facts
            ]
            if known:
                newest = max(known, key=lambda message: (message.stamp, message.id))
                at = max(message.updated_at for message in known)
                found += self._invoice(newest, at)
        return found

    def _invoice(self, message: InboxMessage, at: dt.datetime) -> Iterator[Invoice | Rejected]:
        routes = self.routes.of_pair(message.receiver, message.sender, message.facts["usage"])
        if not routes:
            return
        try:
            yield self._completed(x12.from_810(self.the_set(message), partner=routes[0].partner), message, routes, at)
        except DocumentError as error:
            row = {"identity": message.identity}
            yield Rejected(key=message.business_key, row=row, faults=error.faults, updated_at=at)

    def _completed(self, invoice: Invoice, message: InboxMessage, routes: Sequence[Route], at: dt.datetime) -> Invoice:
        """With the supplier that the sender is, and the order and business unit that it means."""
        invoice = restored(invoice, self.ledger.crosswalk, self.source) if self.source else invoice
        supplier = attrs.evolve(invoice.supplier or Party(), number=_supplier(invoice, routes))
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
            provenance=Provenance(system="cleo", kind="invoices", key=message.business_key, updated_at=at),
        )

    def _contradicts(self, message: InboxMessage) -> bool:
        """The same number came with other content, and nothing was made of it yet: only a person knows which is meant.

        Once it is being posted the target itself refuses a change (rule B40); what it refused may be corrected.
        """
        others = [
            other
            for other in self.ledger.inbox.messages(key=message.business_key)
            if (other.box, other.state, other.code) == (message.box, "applied", message.code)
        ]
        begun = [one for one in self.ledger.deliveries(key=message.business_key) if one.state != "recorded"]
        return any(other.hash != message.hash for other in others) and not begun

    def received(self, document: FunctionalAcknowledgment) -> list[Part]:
        """Everything that was received in the group which a 997 is owed for; once, where a file holds it twice."""
        facts = document.extras
        named = [part for part in self._parts(str(facts["file"])) if _group_name(part) == facts["of"]]
        return [part for part in named if part.group is named[0].group]

    def owed_reader(self) -> InboundReader[FunctionalAcknowledgment]:
        """The 997s that are owed, as documents."""
        return InboundReader(kind="acknowledgments", documents=self._owed_documents, clock=self.ledger.clock)

    def _owed_documents(self, window: Window) -> list[FunctionalAcknowledgment]:
        owed = self.ledger.inbox.owed
        if window.keys is None:
            found = owed(self.box, since=window.lower)
        else:
            found = [one for name in window.keys for one in owed(self.box, name=name)]
        return [
            FunctionalAcknowledgment(
                group=f"{facts['functional_id']}/{facts['group']}",
                extras={**facts, "file": file, "name": name},
                provenance=Provenance(system="inbox", kind="acknowledgments", key=name, updated_at=at),
            )
            for name, file, facts, at in found
        ]

    def _received(self, message: InboxMessage, usage: str) -> frozenset[str]:
        codes: set[str] = set()
        for route in self.routes.of_pair(message.receiver, message.sender, usage):
            codes |= set(route.receives)
            if route.receives == _RECEIVED_BY_DEFAULT:
                codes |= set(self.also)
        return frozenset(codes)

    def _partner(self, sender: str, receiver: str, usage: str) -> x12.Partner | None:
        return next((route.partner for route in self.routes.of_pair(receiver, sender, usage)), None)

    def _message(self, ts: x12.TransactionSet, part: int) -> Message:
        frame, group = ts.interchange, ts.group
        assert frame is not None
        sender, receiver = _address(frame.sender), _address(frame.receiver)
        numbers = f"{sender}>{receiver}/{frame.control_number}"
        if group is None:
            identity = f"{numbers}/TA1/{ts.segments[0][1]}"
        else:
            identity = f"{numbers}/{group.functional_id}{group.control_number}/{ts.control_number}"
        text = "\n".join("\t".join(one) for one in ts.segments)
        return Message(
            identity=identity,
            code=ts.code,
            sender=sender,
            receiver=receiver,
            hash=hashlib.sha256(f"{ts.code}\n{text}".encode()).hexdigest(),
            part=part,
            business_key=self._business_key(ts, sender, receiver, frame.usage) if ts.code in self.posts else "",
            stamp="" if group is None else f"{group.date[-6:]}{group.time}",
            facts={"usage": frame.usage, "version": ts.version},
        )

    def _business_key(self, ts: x12.TransactionSet, sender: str, receiver: str, usage: str) -> str:
        """Supplier and invoice number, whatever message brings them; the sender where it may be several suppliers."""
        routes = self.routes.of_pair(receiver, sender, usage)
        try:
            invoice = x12.from_810(ts, partner=routes[0].partner if routes else None)
        except DocumentError:
            return ""
        if self.source:
            invoice = restored(invoice, self.ledger.crosswalk, self.source)
        return f"{_supplier(invoice, routes) or sender}/{invoice.supplier_invoice_number}"

    def _owed(self, part: Part, mark: str) -> Owed | None:
        group, frame = part.group, part.interchange
        if self.acknowledge != "library" or group is None or frame is None or group.functional_id == "FA":
            return None
        sender, receiver = _address(frame.sender), _address(frame.receiver)
        if self._partner(sender, receiver, frame.usage) is None:
            return None
        facts = {
            "sender": sender,
            "receiver": receiver,
            "usage": frame.usage,
            "functional_id": group.functional_id,
            "group": group.control_number,
            "of": _group_name(part),
        }
        return Owed(name=f"{_group_name(part)}{mark}", facts=facts)

    def _parts(self, file: str) -> list[Part]:
        """What a file holds; a file of many sets is read once, not once a set."""
        if file not in self._files:
            while len(self._files) >= _FILES_KEPT:
                self._files.pop(next(iter(self._files)))
            self._files[file] = _read(self.ledger.inbox.content(file))
        return self._files[file]

    def _shipped(self, message: InboxMessage, orders: Iterable[str]) -> Iterator[Heard]:
        numbers = list(orders)
        if not numbers:
            yield Noted(text=f"{message.code} from {message.sender} names no order.", parked=True)
        for number in numbers:
            yield self._answer(message, number, "shipped", _nothing_to_compare)

    @staticmethod
    def _answer(
        message: InboxMessage, number: str, verdict: str, compare: Callable[[Document], Sequence[str]]
    ) -> Confirmed:
        return Confirmed(
            claim=_claim(message, number),
            verdict=verdict,
            compare=compare,
            channel=f"isa:{message.receiver}>{message.sender}",
            usage=str(message.facts["usage"]),
        )

    @staticmethod
    def _acknowledged(message: InboxMessage, ts: x12.TransactionSet) -> Heard:
        pair = f"{message.receiver}>{message.sender}"
        if message.code == "TA1":
            told = x12.from_ta1(ts)
            return Acknowledged(
                counter=f"isa:{pair}",
                number=_number(ts.segments[0][1]),
                verdict="transmitted" if told.verdict in _TAKEN else _REJECTED,
                errors=told.errors,
            )
        told = (x12.from_999 if message.code == "999" else x12.from_997)(ts)
        functional_id, _, number = told.group.partition("/")
        words = [told.verdict, *(one.verdict for one in told.sets)]
        # The group's word counts where it rejects all of it, or where it names no set.
        said: list[Verdict] = [_VERDICTS.get(word, _REJECTED) for word in (words[1:] or words)]
        worst: Verdict = _REJECTED if told.verdict == "R" else min(said, key=_WORST_FIRST.index)
        errors = [*told.errors, *(error for one in told.sets for error in one.errors)]
        return Acknowledged(
            counter=f"gs:{pair}:{functional_id}", number=_number(number), verdict=worst, errors=tuple(errors)
        )

    def _confirmed(self, message: InboxMessage, ts: x12.TransactionSet, partner: x12.Partner) -> Confirmed:
        read: Callable[..., OrderAcknowledgment] = x12.from_855 if message.code == "855" else x12.from_865
        told = read(ts, partner=partner)
        verdict = "rejected" if told.verdict.startswith("R") else "confirmed"
        compare = functools.partial(differences, told, partner, self.ledger.crosswalk)
        return self._answer(message, told.order_number, verdict, compare)


def _refused(parts: Sequence[Part]) -> Mapping[int, tuple[str, str]]:
    """Sets, by identity, whose group or interchange is rejected for its trailer: which of the two, and why."""
    found: dict[int, tuple[str, str]] = {}
    for fault in parts:
        if not isinstance(fault, x12.Unreadable) or fault.code:
            continue
        codes = {finding.code for finding in fault.findings}
        if codes & {*_INTERCHANGE_REJECTED}:
            level, concerned = "interchange", [one for one in parts if one.interchange is fault.interchange]
        elif any(code.startswith(_GROUP_REJECTED) for code in codes):
            level, concerned = "group", [one for one in parts if one.group is fault.group]
        else:
            continue
        for one in concerned:
            if found.get(id(one), ("",))[0] != "interchange":
                found[id(one)] = level, f"its {level} is rejected: {fault}"
    return found


def _supplier(invoice: Invoice, routes: Sequence[Route]) -> str:
    """Which of the sender's parties it comes from; empty where it may be several (rule B5)."""
    parties = {party for route in routes for party in route.parties}
    told = "" if invoice.supplier is None else invoice.supplier.number
    if told in parties:
        return told
    return parties.pop() if len(parties) == 1 else ""


def _number(text: str) -> int:
    if not _CONTROL_NUMBER.fullmatch(text):
        raise InvalidDocument(f"{text[:20]!r} is no control number.", cause="control number")
    return int(text)


def _read(content: bytes) -> list[Part]:
    return list(x12.read(content, broken="yield"))


def _address(one: x12.Id) -> str:
    return f"{one.qualifier}:{one.id}"


def _group_name(part: Part) -> str:
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
