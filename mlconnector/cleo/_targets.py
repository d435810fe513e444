"""The files target: a document becomes one interchange in one file in its route's folder (delivery targets, Cleo)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from mlconnector import x12
from mlconnector.cleo._codes import translated
from mlconnector.cleo._documents import code_of, content_of, csv_of, party_of
from mlconnector.cleo._files import CleoFile
from mlconnector.cleo._names import file_name
from mlconnector.cleo._routes import Route, Routes, pair_of
from mlconnector.cleo._shown import Shown, floors, is_sent, same_set, shown
from mlconnector.documents import (
    FunctionalAcknowledgment,
    Invoice,
    JournalLine,
    Payment,
    PurchaseOrder,
    Shipment,
    to_json,
)
from mlconnector.errors import (
    DeliveryInDoubt,
    InvalidArgument,
    InvalidDocument,
    MLConnectorError,
    NotFound,
    PermissionDenied,
    TargetChanged,
    UnknownReference,
    X12Error,
)
from mlconnector.http import loads
from mlconnector.target import Change, ControlNumbers, Counters, LookUp, Prepared, Receipt

if TYPE_CHECKING:
    from mlconnector.cleo._client import Cleo

__all__ = ["FilesTarget"]

_ASK = "Look into Cleo or ask the partner, then settle it."
MOST_AT_ONCE = 16
"""No limit of the servers is documented (Cleo reference, section 1); so many connections a client keeps."""


class FilesTarget:
    """Purchase orders as 850 and 860, invoices as 810, payments as 820, shipments as 856, acknowledgments as 997; or as
    JSON, and journal lines as JSON or CSV.

    Args:
        cleo: The client.
        routes: Where each party's documents go.
        no_route: ``"park"`` or ``"skip"`` (rule B5).
        look_up: ``"reliable"`` only where every route names a sentbox or a connection, and the sentbox or the
            transfers can be read; ``cleo.check(routes)`` proves it. Else ``"present_only"``: the send action moves
            files, so absence from the outbox proves nothing. Of a send action absence never proves anything.
        settle_after: How long after its deadline an upload may still appear.
        self_billed_when: Test for vouchers that are evaluated receipts, for routes with ``invoice_role="self_billed"``
            (rule B20).
        invoices: What is known of the invoices that a payment settles, by :attr:`Application.invoice`: gives its 820
            the supplier's own numbers.
        received: Everything received in the group that an acknowledgment is owed for.

    A file is appended, never written over, and its name holds fresh control numbers: nothing of ours can be there
    before the first intent, so neither creates nor changes are looked up before they are sent.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    batch_size = 1
    look_before_create = False
    compare_before_update = False

    def __init__(
        self,
        cleo: Cleo,
        *,
        routes: Routes | Iterable[Route],
        no_route: Literal["park", "skip"] = "park",
        look_up: LookUp = "present_only",
        settle_after: dt.timedelta = dt.timedelta(minutes=2),
        self_billed_when: Callable[[Invoice], bool] | None = None,
        invoices: Callable[[Payment], Mapping[str, Invoice]] | None = None,
        received: Callable[[FunctionalAcknowledgment], Sequence[x12.TransactionSet | x12.Unreadable]] | None = None,
    ) -> None:
        if look_up not in ("reliable", "present_only"):
            raise InvalidArgument(f"look_up={look_up!r}.", cure='Use "reliable" or "present_only".')
        self.routes: Routes = routes if isinstance(routes, Routes) else Routes(routes, no_route=no_route)
        if self_billed_when is None and any(route.invoice_role == "self_billed" for route in self.routes.all):
            raise InvalidArgument(
                'A route has invoice_role="self_billed", and no test says which vouchers are.',
                cure="Give self_billed_when=, e.g. lambda invoice: invoice.evaluated_receipt is True (rule B20).",
            )
        blind = [route for route in self.routes.all if not (route.path or route.sentbox or route.connection)]
        if look_up == "reliable" and blind:
            folders = ", ".join(sorted({repr(route.folder) for route in blind}))
            raise InvalidArgument(
                f'look_up="reliable", and nothing tells what has left {folders}: a send action moves files.',
                cure="Give those routes sentbox= or connection=, or leave look_up= out.",
            )
        self.name = "cleo files"
        self.look_up: LookUp = look_up
        self.settle_after = settle_after
        self._cleo = cleo
        self._self_billed_when = self_billed_when
        self._invoices = invoices
        self._received = received
        self._shown: dict[tuple[str | None, ...], list[Shown]] = {}

    @property
    def max_in_flight(self) -> int:
        """Uploads at once that it allows. A send action takes whatever lies in its folder: one after the other."""
        return 1 if any(route.action for route in self.routes.all) else MOST_AT_ONCE

    def route(self, document: Any) -> Route | None:
        """The route of a document: by the party that rule B5 names, journal lines by ledger and account, an
        acknowledgment by the pair of interchange ids."""
        if isinstance(document, JournalLine):
            return self.routes.find_journal(document.ledger, document.account)
        if isinstance(document, FunctionalAcknowledgment):
            facts = document.extras
            return next(iter(self.routes.of_pair(facts["receiver"], facts["sender"], facts["usage"])), None)
        company, branch = getattr(document, "company", ""), document.extras.get("branch", "")
        return self.routes.find(party_of(document), company=company, branch=branch, code=code_of(document))

    def usage(self, document: Any) -> str:
        """The route's usage indicator: what went as a test never counts as sent in production (rule B3)."""
        route = self.route(document)
        return "" if route is None or route.partner is None else route.partner.usage

    def content(self, document: Any) -> str:
        """What the partner is told (rule B11)."""
        return content_of(document)

    def prepare(self, change: Change[Any]) -> Prepared:
        """Make the set; see :class:`Target`.

        Raises:
            InvalidDocument: No route, or it cannot be written in the partner's form, with every fault.
        """
        document = change.document
        route = self.route(document)
        if route is None:
            raise _no_route(change)
        if route.format != "x12" or route.partner is None:
            return self._plain(change, route)
        at = self._cleo.clock.now()
        previous = None if change.previous is None else translated(change.previous, change.crosswalk)
        change = attrs.evolve(change, document=translated(document, change.crosswalk), previous=previous)
        try:
            ts = self._set(change, route, route.partner, at)
        except (InvalidArgument, X12Error) as error:
            raise InvalidDocument(error.message, cause="text", cure=error.cure) from None
        partner, functional_id = route.partner, str(ts.functional_id)
        sender, receiver = pair_of(partner)

        def payload(control: ControlNumbers) -> str:
            return x12.interchange([ts], partner, control=control, at=at)

        def marker(control: ControlNumbers) -> str:
            return file_name(ts.code, partner.sender.id, change.key, change.revision, control.interchange)

        try:
            payload(ControlNumbers())
        except X12Error as error:
            raise InvalidDocument(error.message, cause="text", cure=error.cure) from None
        pair = f"{sender}>{receiver}"
        # Usage is part of the name: what a test sent must not be in the way of production (rule B3).
        known = f"{receiver} {partner.usage}"
        claim = None
        if isinstance(document, PurchaseOrder):
            claim = ("order number", known, self._order_number(document, route))
        return Prepared(
            document,
            payload,
            marker,
            steps=("upload", "run") if route.action else (),
            counters=Counters(f"isa:{pair}", f"gs:{pair}:{functional_id}"),
            describe=self._described(route, ts.code),
            claim=claim,
        )

    def find(self, prepared: Prepared) -> Receipt | None:
        """Look for our file by name in every place it can have moved to: outbox, sentbox, transfers (rule 6).

        Raises:
            DeliveryInDoubt: It cannot be told where the file went.
        """
        name, route = prepared.marker, self.route(prepared.document)
        if not isinstance(name, str) or route is None or route.path is not None:
            raise DeliveryInDoubt(
                "Nothing tells whether it arrived.", cure="Ask the receiver, then settle it as arrived or not arrived."
            )
        running = prepared.step == "run"
        # That it lies in the outbox proves its upload, and says nothing of a run.
        if not running and self._listed(route.folder, name):
            return self._found(prepared, {"folder": route.folder}, sent=False)
        archived = None if route.sentbox is None else self._listing(route.sentbox)
        if archived is not None and any(file.name == name for file in archived):
            return self._found(prepared, {"folder": route.sentbox}, sent=True)
        transfer = self._transfer(route, name)
        if transfer is not None and (is_sent(transfer) or not running):
            facts = {"transfer": transfer.get("id"), "status": transfer.get("status")}
            return self._found(prepared, facts, sent=is_sent(transfer))
        if running:
            status = "no transfer" if transfer is None else f"a transfer that is {transfer.get('status')!r}"
            raise DeliveryInDoubt(
                f"Of {name} there is {status}: nothing proves that {route.action!r} has sent it.",
                cure="Look at the transfers and in the outbox, then settle it; an action is never run again by itself.",
            )
        unseen = route.sentbox is not None and archived is None and route.connection is None
        if self.look_up == "reliable" and not unseen:
            return None
        moved = f"there is no folder {route.sentbox}" if unseen else "the server moves files on"
        raise DeliveryInDoubt(
            f"{name} is not in {route.folder}, which proves nothing: {moved}.",
            cure="Look into the server's log or wait for the 997, then settle it as arrived or not arrived.",
        )

    def list_anew(self) -> None:
        """Forget what was listed for :meth:`newest`: what is asked from now on is read from now on."""
        self._shown.clear()

    def newest(self, prepared: Prepared) -> Receipt | None:
        """After a recovery: the file of the document with the highest number, wherever it has moved to (rule 13).

        It is the one asked for by its name, or by what it says apart from numbers and dates of telling. An outbox or
        sentbox is read once for all documents, see :meth:`list_anew`.

        Raises:
            TargetChanged: It says something else.
            DeliveryInDoubt: Only a transfer tells of it, or the files of its route have no numbers.
        """
        document, route = prepared.document, self.route(prepared.document)
        if route is None or route.format != "x12" or route.partner is None:
            raise DeliveryInDoubt("Its files have no numbers: nothing tells which is the newest.", cure=_ASK)
        sender = route.partner.sender.id
        found = [one for one in self._files_of(route) if one.is_of(code_of(document), sender, prepared.key)]
        if not found:
            return None
        last = max(found, key=lambda one: one.parts.number)
        if last.name != prepared.marker and not self._says(last, prepared):
            raise TargetChanged(f"{last.name} is the newest of it there, and says something else.", cure=_ASK)
        if route.action is not None and last.path is None and not last.sent:
            raise DeliveryInDoubt(f"{last.name} was taken up, and its transfer is no success.", cure=_ASK)
        return self._found(attrs.evolve(prepared, marker=last.name), {"adopted": last.name}, sent=last.sent)

    def numbers_shown(self) -> dict[str, int]:
        """Counters, no lower than the control numbers in the names of the files that Cleo shows (rule 13)."""
        self.list_anew()
        highest: dict[str, int] = {}
        for route in self.routes.all:
            if route.partner is not None and route.format == "x12":
                pair = ">".join(pair_of(route.partner))
                for counter, number in floors(route.partner.sender.id, pair, self._files_of(route)).items():
                    highest[counter] = max(number, highest.get(counter, 0))
        return highest

    def _files_of(self, route: Route) -> list[Shown]:
        places = (route.folder, route.sentbox, route.connection)
        if places not in self._shown:
            files: list[tuple[str, str | None, bool]] = []
            for folder in filter(None, (route.folder, route.sentbox)):
                files += [(file.name, file.path, folder == route.sentbox) for file in self._files(folder)]
            for transfer in self._transfers(route):
                files += [(name, None, is_sent(transfer)) for name in _sources(transfer)]
            self._shown[places] = shown(files)
        return self._shown[places]

    def _says(self, file: Shown, prepared: Prepared) -> bool:
        if file.path is None:
            raise DeliveryInDoubt(f"{file.name} was sent, and cannot be read again.", cure=_ASK)
        payload = prepared.payload
        text = payload(ControlNumbers()) if callable(payload) else payload
        return same_set(self._cleo.download(file.path), str(text))

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Upload, or run the send action, for the one delivery of the batch."""
        return [self._deliver(prepared) for prepared in batch]

    def _deliver(self, prepared: Prepared) -> Receipt:
        route = self.route(prepared.document)
        if route is None:
            raise UnknownReference("Its route is gone.", cause="no_route", cure="Give the flow the route again.")
        content = prepared.payload
        if route.path is not None:
            return self._cleo.post_payload(route.path, loads(str(content)))
        if prepared.step == "run" and route.action is not None and route.connection is not None:
            return self._cleo.run_action(route.action, connection=route.connection)
        data = content if isinstance(content, bytes) else str(content).encode(self._encoding(route))
        return self._cleo.upload(f"{route.folder.strip('/')}/{prepared.marker}", data)

    @staticmethod
    def _encoding(route: Route) -> str:
        partner = route.partner
        return "utf-8" if route.format != "x12" or partner is None or partner.non_ascii == "keep" else "ascii"

    def _set(self, change: Change[Any], route: Route, partner: x12.Partner, at: dt.datetime) -> x12.TransactionSet:
        document = change.document
        if isinstance(document, Invoice):
            return self._invoice_set(document, route, partner)
        if isinstance(document, Payment):
            known = {} if self._invoices is None else self._invoices(document)
            return x12.to_820(document, partner, invoices=known)
        if isinstance(document, Shipment):
            return x12.to_856(document, partner, purpose="00" if change.previous is None else "05", at=at)
        if isinstance(document, FunctionalAcknowledgment):
            return x12.to_997(() if self._received is None else self._received(document), partner)
        return self._order_set(change, route, partner, at)

    def _order_set(
        self, change: Change[PurchaseOrder], route: Route, partner: x12.Partner, at: dt.datetime
    ) -> x12.TransactionSet:
        order, previous = change.document, change.previous
        number = self._order_number(order, route)
        if previous is None or change.action == "create":
            return x12.to_850(order, partner, order_number=number)
        if partner.changes == "850" or "860" not in route.sends:
            purpose = "01" if change.action == "cancel" else "05"
            return x12.to_850(order, partner, purpose=purpose, order_number=number)
        return x12.to_860(previous, order, partner, sequence=change.sequence, at=at, order_number=number)

    def _invoice_set(self, invoice: Invoice, route: Route, partner: x12.Partner) -> x12.TransactionSet:
        number = route.order_number.format(number=invoice.purchase_order, company=invoice.company, type="OP")
        order = number if invoice.purchase_order else None
        test = self._self_billed_when
        if route.invoice_role == "self_billed" and test is not None:
            if not test(invoice):
                raise InvalidDocument(
                    "The voucher is not recognised as an evaluated receipt.",
                    cause="role",
                    cure='Send it as a copy (invoice_role="copy"), or correct self_billed_when (rule B20).',
                )
            return x12.to_810(invoice, partner, role="self_billed", order_number=order)
        return x12.to_810(invoice, partner, role="copy", order_number=order)

    @staticmethod
    def _order_number(order: PurchaseOrder, route: Route) -> str:
        return route.order_number.format(number=order.number, company=order.company, type=order.type)

    def _plain(self, change: Change[Any], route: Route) -> Prepared:
        sender = "" if route.partner is None else route.partner.sender.id
        document = translated(change.document, change.crosswalk)
        code = code_of(document)
        name = file_name(code, sender, change.key, change.revision, None, route.format)
        content = csv_of(document) if route.format == "csv" else to_json(document)
        steps = ("upload", "run") if route.action else ()
        return Prepared(change.document, content, name, steps=steps, describe=self._described(route, code))

    @staticmethod
    def _described(route: Route, code: str) -> dict[str, Any]:
        facts: dict[str, Any] = {"set": code, "folder": route.folder}
        if route.partner is not None:
            facts |= {"partner": pair_of(route.partner)[1], "usage": route.partner.usage}
        return facts | ({"path": route.path} if route.path else {})

    def _listed(self, folder: str, name: str) -> bool:
        return any(file.name == name for file in self._files(folder))

    def _files(self, folder: str) -> list[CleoFile]:
        return self._listing(folder) or []

    def _listing(self, folder: str) -> list[CleoFile] | None:
        """The files of a folder; ``None`` where there is no such folder, which is no empty one."""
        try:
            return self._cleo.files(folder)
        except NotFound:
            return None

    def _transfer(self, route: Route, name: str) -> Mapping[str, Any] | None:
        """A transfer of the file: one that succeeded, else the last that is told of."""
        found = None
        for transfer in self._transfers(route):
            if name in _sources(transfer):
                found = transfer
                if is_sent(transfer):
                    break
        return found

    def _transfers(self, route: Route) -> Iterator[Mapping[str, Any]]:
        if route.connection is None:
            return
        try:
            yield from self._cleo.transfers(route.connection)
        except (PermissionDenied, NotFound):
            # Configuration resources may be closed to the account, as on CIC (Cleo reference, section 1).
            if self.look_up == "reliable":
                raise

    def _found(self, prepared: Prepared, facts: dict[str, Any], *, sent: bool) -> Receipt:
        steps = prepared.steps if sent else prepared.steps[:1]
        return Receipt(system="cleo", id=str(prepared.marker), raw=facts, by="marker", steps=steps)


def _sources(transfer: Mapping[str, Any]) -> list[str]:
    """Names of the files that a transfer moved (Cleo reference, section 8.3)."""
    files = (transfer.get("_links") or {}).get("files") or []
    return [str(file.get("source", "")).rpartition("/")[2] for file in files]


def _no_route(change: Change[Any]) -> UnknownReference:
    document = change.document
    if isinstance(document, JournalLine):
        wanted, cure = f"ledger {document.ledger!r}, account {document.account!r}", f"Route(ledger={document.ledger!r})"
    else:
        party = party_of(document) or "nobody"
        wanted, cure = f"party {party!r}", f"Route({party!r}, ...) that sends {code_of(document)}"
    return UnknownReference(
        f"No route takes {change.key!r} of {wanted}.",
        cause="no_route",
        cure=f"Whoever runs the flow adds a {cure}, then replays.",
    )
