"""HttpListeningConnector of the simulated PeopleSoft: asynchronous messages (PeopleSoft reference, section 8)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Literal

import attrs

from mlconnector.clock import Clock
from mlconnector.testing._peoplesoft_messages import (
    ACKNOWLEDGEMENT,
    VOUCHER_BUILD,
    BadMessage,
    Message,
    StagedRow,
    XMLDates,
    flatten,
    read_rowset,
)
from mlconnector.testing._peoplesoft_xml import BadXML, ib_response, parse_xml
from mlconnector.testing._wire import Request

__all__ = ["MessageGateway"]

_OPERATION, _TYPE, _NODE, _PASSWORD, _XML = 201, 202, 203, 204, 205


class _Refused(Exception):
    """An error of Integration Broker: its number in message set 158, and its text."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


@attrs.frozen(kw_only=True)
class _Envelope:
    operation: str
    kind: str
    requesting: str
    destination: str
    password: str = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


class MessageGateway:
    """Takes messages in, queues them, and stages their rows.

    Args:
        clock: Time of messages.
        node: Default local node: the destination.
        requesting_node: The one node with an inbound routing.
        node_password: Of the requesting node; None where it needs none.
        dates: Which dates in messages the subscription reads.
    """

    def __init__(
        self, *, clock: Clock, node: str, requesting_node: str, node_password: str | None, dates: XMLDates
    ) -> None:
        self._clock = clock
        self._node = node
        self._requesting_node = requesting_node
        self._node_password = node_password
        self._dates: XMLDates = dates
        self.operations: dict[str, str] = {
            VOUCHER_BUILD: f"{VOUCHER_BUILD}.VERSION_1",
            ACKNOWLEDGEMENT: f"{ACKNOWLEDGEMENT}.VERSION_1",
        }
        self.messages: list[Message] = []
        self.staged: dict[str, list[StagedRow]] = {VOUCHER_BUILD: [], ACKNOWLEDGEMENT: []}
        self.paused: bool = False

    def receive(self, request: Request, runnable: Callable[[str], bool]) -> str:
        """Answer a request: an acknowledgment that means queued, or an error (both with HTTP status 200).

        Args:
            request: The call.
            runnable: Whether an operation, by its name without version, is active.
        """
        try:
            return self._take(self._opened(request), runnable)
        except _Refused as refused:
            return ib_response(number=(158, refused.number), message=str(refused))

    def resume(self) -> None:
        """Let the subscriptions of queued messages run."""
        self.paused = False
        self.messages = [self._subscribed(each) if each.status == "queued" else each for each in self.messages]

    def rows(self, record: str) -> list[StagedRow]:
        """The staged rows of one record."""
        return [row for staged in self.staged.values() for row in flatten(staged) if row.record == record]

    def _opened(self, request: Request) -> _Envelope:
        headers = request.headers
        if "operationname" in headers:
            return _Envelope(
                operation=headers["operationname"],
                kind=headers.get("operationtype", ""),
                requesting=headers.get("from", ""),
                destination=headers.get("to", ""),
                password=headers.get("password", ""),
                body=request.raw,
            )
        try:
            root = parse_xml(request.raw)
        except BadXML as bad:
            raise _Refused(_XML, f"The request cannot be read: {bad}") from None
        if root.tag != "IBRequest":
            raise _Refused(_XML, "The request is no IBRequest and names no operation")
        return _Envelope(
            operation=root.findtext("ExternalOperationName", ""),
            kind=root.findtext("OperationType", ""),
            requesting=root.findtext("From/RequestingNode", ""),
            destination=root.findtext("To/DestinationNode", ""),
            password=root.findtext("From/Password", ""),
            body=root.findtext("ContentSections/ContentSection/Data", "").encode(),
        )

    def _take(self, envelope: _Envelope, runnable: Callable[[str], bool]) -> str:
        if envelope.kind == "ping":
            return ib_response()
        if envelope.requesting != self._requesting_node or envelope.destination not in ("", self._node):
            raise _Refused(_NODE, "The requesting or destination node is unknown or not active")
        expected = self._node_password
        if expected is not None and not secrets.compare_digest(expected.encode(), envelope.password.encode()):
            raise _Refused(_PASSWORD, "Node password failed")
        names = [name for name, alias in self.operations.items() if alias == envelope.operation]
        if not names or not runnable(names[0]):
            raise _Refused(_OPERATION, "No active routing for the service operation")
        if envelope.kind not in ("", "async"):
            raise _Refused(_TYPE, "The service operation is asynchronous")
        try:
            parse_xml(envelope.body)
        except BadXML as bad:
            raise _Refused(_XML, f"The content cannot be read: {bad}") from None
        message = Message(
            transaction_id=self._transaction_id(),
            operation=envelope.operation,
            status="queued",
            body=envelope.body,
            at=self._clock.now(),
        )
        self.messages.append(message if self.paused else self._subscribed(message))
        return ib_response(transaction=message.transaction_id)

    def _transaction_id(self) -> str:
        digits = hashlib.sha256(f"transaction {len(self.messages)}".encode()).hexdigest()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"

    def _subscribed(self, message: Message) -> Message:
        name = next(name for name, alias in self.operations.items() if alias == message.operation)
        status: Literal["done", "error"] = "done"
        error = ""
        try:
            self.staged[name] += read_rowset(name, parse_xml(message.body), self._dates)
        except BadMessage as bad:
            status, error = "error", str(bad)
        return attrs.evolve(message, status=status, error=error)
