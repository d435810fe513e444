"""SOAP of the simulated PeopleSoft: envelopes, WS-Security, faults, WSDL (PeopleSoft reference, sections 2.3 and 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import attrs

from mlconnector.testing._peoplesoft_components import ACTIONS, Component, Outcome
from mlconnector.testing._peoplesoft_records import Record
from mlconnector.testing._peoplesoft_xml import BadXML, element, local_name, namespace_of, parse_xml
from mlconnector.testing._wire import Request

__all__ = [
    "AnswerShape",
    "BadEnvelope",
    "SoapCall",
    "answer_tree",
    "check_body",
    "envelope",
    "fault",
    "read_call",
    "version_of",
    "wrapped",
    "wsdl",
]

AnswerShape = Literal["notification", "documented"]

_SOAP = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"  # noqa: S105
_ANYTHING = '<xsd:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/>'
_ACTION = re.compile(r'action\s*=\s*"?([^";]+)"?')


class BadEnvelope(Exception):
    """The request is no SOAP call."""


@attrs.frozen(kw_only=True)
class SoapCall:
    """A SOAP call as received.

    Attributes:
        version: ``"1.1"`` or ``"1.2"``.
        action: External alias and version of the operation, without quotes.
        login: User and password of a clear-text UsernameToken; None without one that can be used.
        body: The one element of the body.
    """

    version: str
    action: str
    login: tuple[str, str] | None = attrs.field(repr=False)
    body: Element


def version_of(request: Request) -> str:
    """Which SOAP a content type stands for."""
    return "1.2" if request.media_type == "application/soap+xml" else "1.1"


def read_call(request: Request) -> SoapCall:
    """The call in a request.

    Raises:
        BadEnvelope: Another content type, no envelope of its version, or not one body element.
    """
    version = version_of(request)
    if version == "1.1" and request.media_type != "text/xml":
        raise BadEnvelope("The content type is text/xml or application/soap+xml.")
    try:
        root = parse_xml(request.raw)
    except BadXML as bad:
        raise BadEnvelope(f"The envelope cannot be read: {bad}.") from None
    space = _SOAP[version]
    bodies = root.findall(f"{{{space}}}Body")
    if root.tag != f"{{{space}}}Envelope" or len(bodies) != 1 or len(bodies[0]) != 1:
        raise BadEnvelope(f"No envelope of SOAP {version} with one body element.")
    if version == "1.1":
        action = request.headers.get("soapaction", "").strip().strip('"')
    else:
        found = _ACTION.search(request.headers.get("content-type", ""))
        action = found[1].strip() if found else ""
    tokens = root.findall(f"{{{space}}}Header/{{{_WSSE}}}Security/{{{_WSSE}}}UsernameToken")
    return SoapCall(version=version, action=action, login=_login(tokens[0]) if tokens else None, body=bodies[0][0])


def _login(token: Element) -> tuple[str, str] | None:
    password = token.find(f"{{{_WSSE}}}Password")
    if password is not None and password.get("Type", _PASSWORD_TEXT) != _PASSWORD_TEXT:
        return None
    user = token.findtext(f"{{{_WSSE}}}Username", "")
    return (user, (password.text or "") if password is not None else "") if user else None


def envelope(version: str, body: str) -> bytes:
    """An answer around a body."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV={quoteattr(_SOAP[version])}>'
        f"<SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


def fault(version: str, detail: str) -> bytes:
    """A fault around Integration Broker's error; its fault string is the word null (section 5.2)."""
    detail = detail.replace("<IBResponse ", '<IBResponse xmlns="" ', 1)
    if version == "1.1":
        inside = f"<faultcode>SOAP-ENV:Server</faultcode><faultstring>null</faultstring><detail>{detail}</detail>"
    else:
        inside = (
            "<SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Receiver</SOAP-ENV:Value></SOAP-ENV:Code>"
            '<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en">null</SOAP-ENV:Text></SOAP-ENV:Reason>'
            f"<SOAP-ENV:Detail>{detail}</SOAP-ENV:Detail>"
        )
    return envelope(version, f"<SOAP-ENV:Fault>{inside}</SOAP-ENV:Fault>")


def answer_tree(action: str, outcome: Outcome, shape: AnswerShape) -> Mapping[str, Any]:
    """What a component interface answers, for XML and JSON alike (section 5.1).

    ``"notification"`` is what practice shows: 1 or 0 beside a detail with keys and messages. ``"documented"`` is the
    manual's: Create answers the key, Update a notification, and what was refused only messages.
    """
    messages = [
        {
            "type": "ERROR",
            "messagesetnumber": 91,
            "messagenumber": 37 + position,
            "messagetext": text,
            "explaintext": text,
        }
        for position, text in enumerate(outcome.errors)
    ]
    if outcome.values is not None:
        return outcome.values
    if shape == "notification":
        detail: dict[str, Any] = {"keys": dict(outcome.keys)}
        if messages:
            detail["messages"] = messages
        return {"notification": 0 if messages else 1, "detail": detail}
    if messages:
        return {"messages": messages}
    return dict(outcome.keys) if action == "Create" else {"notification": 1}


def to_xml(name: str, value: Any) -> str:
    """A tree as elements; a list repeats its name."""
    if isinstance(value, list):
        return "".join(to_xml(name, each) for each in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(to_xml(key, each) for key, each in value.items())}</{name}>"
    assert isinstance(value, str | int | Decimal)
    return element(name, value)


def wrapped(component: Component, suffix: str, tree: Mapping[str, Any]) -> str:
    """The answer's body element, in the namespace of the operation's response."""
    name = f"{component.body_name(suffix)}Response"
    inside = "".join(to_xml(key, value) for key, value in tree.items())
    return f"<{name} xmlns={quoteattr(component.namespace(suffix + ' response'))}>{inside}</{name}>"


def check_body(call: SoapCall, component: Component, suffix: str, key: Sequence[str]) -> None:
    """Compare the body with the operation's request message.

    Raises:
        BadEnvelope: Another element, another namespace (it is generated for each environment and operation), or a
            property before the keys.
    """
    name = component.body_name(suffix)
    if local_name(call.body) != name:
        raise BadEnvelope(f"The body is {local_name(call.body)}, the operation takes {name}.")
    if namespace_of(call.body) != component.namespace(suffix):
        raise BadEnvelope(f"The namespace of {name} is not this environment's.")
    names = [local_name(child) for child in call.body]
    first = names[: sum(each in key for each in names)]
    if not set(first) <= set(key):
        raise BadEnvelope("The keys come first.")


def wsdl(component: Component, address: str, records: Mapping[str, Record]) -> bytes:
    """The WSDL of a component interface: where clients learn names and namespaces."""
    service = f"CI_{component.name}"
    home = f"http://xmlns.oracle.com/Enterprise/Tools/services/{service}.1"
    schemas, messages, ports, bindings = [], [], [], []
    for suffix in ACTIONS:
        operation = component.operation(suffix)
        for role, extra in (("input", ""), ("output", " response")):
            space = component.namespace(suffix + extra)
            body = component.body_name(suffix) + ("Response" if extra else "")
            number = space.rpartition("/")[2]
            known = not extra or suffix == "G"
            content = "".join(_properties(component.record, component.collections, records)) if known else _ANYTHING
            schemas.append(
                f'<xsd:schema elementFormDefault="qualified" targetNamespace={quoteattr(space)}><xsd:element '
                f'name="{body}"><xsd:complexType><xsd:sequence>{content}</xsd:sequence></xsd:complexType>'
                "</xsd:element></xsd:schema>"
            )
            messages.append(
                f'<wsdl:message name="{number}"><wsdl:part xmlns:m={quoteattr(space)} name="parameter" '
                f'element="m:{body}"/></wsdl:message>'
            )
            ports.append((operation, role, number))
        bindings.append(
            f'<wsdl:operation name="{operation}"><soap:operation soapAction="{operation}.V1" style="document"/>'
            '<wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>'
            "</wsdl:operation>"
        )
    operations = "".join(
        (f'<wsdl:operation name="{operation}">' if role == "input" else "")
        + f'<wsdl:{role} message="tns:{number}"/>'
        + ("</wsdl:operation>" if role == "output" else "")
        for operation, role, number in ports
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<wsdl:definitions name="{service}.1" targetNamespace={quoteattr(home)} xmlns:tns={quoteattr(home)} '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><wsdl:types>{"".join(schemas)}</wsdl:types>{"".join(messages)}'
        f'<wsdl:portType name="{service}_PortType">{operations}</wsdl:portType>'
        f'<wsdl:binding name="{service}_Binding" type="tns:{service}_PortType"><soap:binding style="document" '
        f'transport="http://schemas.xmlsoap.org/soap/http"/>{"".join(bindings)}</wsdl:binding>'
        f'<wsdl:service name="{service}"><wsdl:port name="{service}_Port" binding="tns:{service}_Binding">'
        f"<soap:address location={quoteattr(address)}/></wsdl:port></wsdl:service></wsdl:definitions>"
    ).encode()


def _properties(record: str, collections: Mapping[str, Any], records: Mapping[str, Record]) -> Iterator[str]:
    for name in records[record].fields:
        yield f'<xsd:element name="{name}" type="xsd:string" minOccurs="0"/>'
    for name, below in collections.items():
        inside = "".join(_properties(name, below, records))
        yield (
            f'<xsd:element name="{name}" minOccurs="0" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>{inside}'
            "</xsd:sequence></xsd:complexType></xsd:element>"
        )
