"""Rowset-based messages and the HTTP listening connector (PeopleSoft reference, sections 7 and 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import attrs

from mlconnector.credentials import Secret
from mlconnector.errors import VendorFault
from mlconnector.http import HTTPClient, Request
from mlconnector.peoplesoft._faults import Operation, named
from mlconnector.peoplesoft._xml import element, parse

__all__ = ["MessageService", "Record", "Value", "rowset", "value_text"]

Value = str | dt.date | Decimal

_ACTION = {"AUDIT_ACTN": "A"}
_COMMON: Mapping[str, str] = {
    "LANGUAGE_CD": "ENG",
    "AUDIT_ACTN": "A",
    "BASE_LANGUAGE_CD": "ENG",
    "MSG_SEQ_FLG": "",
    "PROCESS_INSTANCE": "0",
}
_CLASS = 'class="R"'


@attrs.frozen
class Record:
    """One row of a record with the rows below it; fields without a value are not sent (section 7)."""

    name: str
    fields: Mapping[str, Value]
    children: Sequence[Record] = ()

    def walk(self) -> Iterator[Record]:
        """It and all below."""
        yield self
        for child in self.children:
            yield from child.walk()


def value_text(value: Value, date_format: str) -> str:
    """A value as a message carries it: exact plain numbers, dates in the site's form."""
    if isinstance(value, dt.date):
        return value.strftime(date_format)
    return format(value, "f") if isinstance(value, Decimal) else value


def rowset(root: str, records: Sequence[Record], date_format: str) -> str:
    """A message: field types, which third parties must send, then one transaction a record (section 7)."""
    types: dict[str, dict[str, str]] = {}
    for record in records:
        for one in record.walk():
            known = types.setdefault(one.name, {})
            for field, value in one.fields.items():
                known.setdefault(field, _type(value))
    types["PSCAMA"] = dict.fromkeys(_COMMON, "CHAR") | {"PROCESS_INSTANCE": "NUMBER"}
    declared = "".join(
        element(
            name, attributes=_CLASS, raw="".join(element(f, attributes=f'type="{kind}"') for f, kind in own.items())
        )
        for name, own in types.items()
    )
    common = _fields("PSCAMA", _COMMON, date_format)
    sent = "".join(element("Transaction", raw=_row(record, date_format) + common) for record in records)
    body = element("FieldTypes", raw=declared) + element("MsgData", raw=sent)
    return '<?xml version="1.0"?>' + element(root, raw=body)


def _type(value: Value) -> str:
    if isinstance(value, dt.date):
        return "DATE"
    return "NUMBER" if isinstance(value, Decimal) else "CHAR"


def _fields(name: str, fields: Mapping[str, Value], date_format: str, below: str = "") -> str:
    own = "".join(element(field, value_text(value, date_format)) for field, value in fields.items())
    return element(name, attributes=_CLASS, raw=own + below)


def _row(record: Record, date_format: str) -> str:
    """A row; each row below the top is followed by what is done with it (section 6)."""
    action = _fields("PSCAMA", _ACTION, date_format)
    below = "".join(_row(child, date_format) + action for child in record.children)
    return _fields(record.name, record.fields, date_format, below)


@attrs.frozen
class MessageService:
    """Sends asynchronous messages through the HTTP listening connector.

    Args:
        client: The HTTP client. ``path``: of the connector.
        node: Where the message goes. ``requesting_node``: who sends it. ``password``: of the requesting node.
    """

    client: HTTPClient
    path: str
    node: str
    requesting_node: str
    password: Secret = attrs.field(repr=False)

    def operation(self, alias: str) -> Operation:
        """The operation, for errors."""
        return Operation(
            alias,
            f"a message from node {self.requesting_node}",
            f"The PeopleSoft administrator activates service operation {alias} (handler, and an inbound routing from"
            f" node {self.requesting_node}), checks that this node is active and its password, that the default local"
            f" node is {self.node}, and that the alias with its version is right.",
        )

    def send(self, alias: str, message: str) -> str:
        """Queue one message; its transaction id. Queued means no more than that (section 6).

        Raises:
            RequestRefused: The Integration Broker refused it; nothing was queued.
            VendorFault: An answer that is no acknowledgment; it may have been queued.
        """
        return self._exchange(alias, "async", message, write=True)

    def ping(self, alias: str) -> None:
        """Ask whether the connector answers for the node; nothing is written."""
        self._exchange(alias, "ping", "", write=False)

    def _exchange(self, alias: str, kind: str, message: str, *, write: bool) -> str:
        operation = self.operation(alias)
        request = Request(
            "POST",
            self.path,
            data=self._body(alias, kind, message).encode(),
            headers={"Content-Type": "text/xml; charset=UTF-8", "Accept": "text/xml"},
            write=write,
        )
        with named(operation):
            response = self.client.send(request)
        try:
            root = parse(response.content.removeprefix(b"\xef\xbb\xbf"))
        except ValueError:
            root = None
        if root is None or root.name != "IBResponse" or root.text_of("StatusCode") not in ("0", ""):
            raise VendorFault(
                f"peoplesoft: {operation} answered {response.status} with no acknowledgment: {response.excerpt()!r}.",
                cure=operation.switch_on,
                fault="administrator",
                status=response.status,
                system="peoplesoft",
            )
        return root.text_of("TransactionID")

    def _body(self, alias: str, kind: str, message: str) -> str:
        # The end of a section inside the message would end this one: it is divided among two.
        inner = message.replace("]]>", "]]]]><![CDATA[>")
        data = element("Data", raw=f"<![CDATA[{inner}]]>") if message else ""
        parts = [
            element("ExternalOperationName", alias),
            element("OperationType", kind),
            element(
                "From",
                raw=element("RequestingNode", self.requesting_node) + element("Password", self.password.reveal()),
            ),
            element("To", raw=element("DestinationNode", self.node)),
            element("ContentSections", raw=element("ContentSection", raw=data)) if data else "",
        ]
        return element("IBRequest", raw="".join(parts))
