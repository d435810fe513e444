"""What PeopleSoft's answers mean, and errors that name the operation (PeopleSoft reference, sections 2, 5.2, 8, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from mlconnector.errors import AuthenticationFailed, MLConnectorError, NotFound, PermissionDenied, VendorFault
from mlconnector.http import FaultRule, FaultTable, RequestRefused, Response, Verdict
from mlconnector.peoplesoft._xml import Node, parse

__all__ = ["FAULTS", "Operation", "broker_words", "is_xml", "named"]

_HEAD = 4096
_LOGIN = ("(158,45)",)
_UNCLEAR = frozenset({401, 403, 404, 500})


def is_xml(response: Response) -> bool:
    """The body begins like XML or HTML."""
    return response.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"


def broker_words(node: Node) -> str:
    """What the Integration Broker says: its message with parameters, else a fault text that is not ``null``."""
    parameters = [one.text.strip() for one in node.walk() if one.name == "Parameter"]
    words = node.text_of("DefaultMessage") or node.text_of("faultstring") or node.text_of("Reason")
    if words == "null":
        words = ""
    number = [text for text in (node.text_of("MessageSet"), node.text_of("MessageID")) if text]
    words = words or (f"message {','.join(number)}" if number else "")
    return f"{words} [{', '.join(parameters)}]" if parameters and words else words


def _root(response: Response) -> Node | None:
    head = response.content[:_HEAD]
    if not is_xml(response) or not (b"IBResponse" in head or b"Fault" in head):
        return None
    try:
        return parse(response.content)
    except ValueError:
        return None


def _described(response: Response) -> str:
    root = _root(response)
    return "" if root is None else broker_words(root)


def _login_refused(response: Response) -> bool:
    return _fault(response) and _no_password(response)


def _no_password(response: Response) -> bool:
    return any(mark in _described(response) for mark in _LOGIN)


def _node_refused(response: Response) -> bool:
    return _refused(response) and _no_password(response)


def _fault(response: Response) -> bool:
    root = _root(response)
    return root is not None and root.find("Fault") is not None


def _refused(response: Response) -> bool:
    root = _root(response)
    return root is not None and root.name == "IBResponse" and root.attributes.get("type") != "success"


FAULTS = FaultTable(
    "peoplesoft",
    rules=(
        FaultRule(
            verdict=Verdict.TOKEN_REJECTED,
            when=_login_refused,
            cure="The PeopleSoft administrator checks user and password, and that the account is not locked.",
            fault="administrator",
        ),
        # Messages carry the node's password; the login of the queries is another, and goes on (section 2.4).
        FaultRule(
            status=200,
            verdict=Verdict.DENIED,
            when=_node_refused,
            cure="The PeopleSoft administrator checks the requesting node and its password; whoever runs the program"
            " gives them as requesting_node= and node_password=.",
            fault="administrator",
        ),
        FaultRule(
            status=200,
            verdict=Verdict.REFUSED,
            when=_refused,
            cure="The PeopleSoft administrator looks at node, inbound routing and the version of the operation.",
            fault="administrator",
        ),
        FaultRule(status=200, verdict=Verdict.FAULT, when=_fault),
        # A 500 may be passing or be for ever: reads are repeated a few times (section 10).
        FaultRule(status=500, verdict=Verdict.BUSY),
    ),
    describe=_described,
)


@attrs.frozen
class Operation:
    """A service operation in an error.

    Args:
        name: With its alias. ``what``: the query, message or component it is called for.
        switch_on: What the administrator must switch on for it.
    """

    name: str
    what: str
    switch_on: str

    def __str__(self) -> str:
        return f"operation {self.name} for {self.what}"

    def unusable(self, why: str, *, status: int | None = None, cure: str = "") -> VendorFault:
        """An answer that is not one; ``cure`` comes before what must be switched on."""
        return VendorFault(
            f"peoplesoft: {self} {why}.",
            cure=f"{cure} {self.switch_on}".lstrip(),
            fault="administrator",
            status=status,
            system="peoplesoft",
        )


@contextmanager
def named(operation: Operation) -> Iterator[None]:
    """Name the operation in an error that PeopleSoft gives without saying why (section 10).

    An inactive operation, a missing permission, a wrong node and a wrong alias are not told apart by their status, so
    the message claims none of them.
    """
    try:
        yield
    except (AuthenticationFailed, PermissionDenied, NotFound, VendorFault) as error:
        if error.system != "oauth2" and (error.status in _UNCLEAR or isinstance(error, RequestRefused)):
            _explain(error, operation)
        raise


def _explain(error: MLConnectorError, operation: Operation) -> None:
    # The common words of the status would claim more than is known; the vendor's own follow them.
    words = error.message
    if words.startswith("peoplesoft: "):
        words = words.partition(f"({error.status}): ")[2]
    cure = operation.switch_on
    meaning = "operation not active, not permitted, or wrong node or alias"
    if error.status == 401:
        meaning = f"login refused, or {meaning}"
    if error.status == 500:
        meaning = f"{meaning}, or what it reads is not open to this user"
    if isinstance(error, RequestRefused):
        meaning = "refused"
    if isinstance(error, AuthenticationFailed) and error.status != 401:
        meaning, cure = "login refused", f"{error.cure} {cure}"
    error.args = (" ".join(filter(None, [f"peoplesoft: {operation} answered {error.status}: {meaning}.", words])),)
    error.cure = cure
    error.fault = "administrator"
