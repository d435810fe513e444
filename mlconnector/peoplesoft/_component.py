"""Component interfaces over SOAP with WS-Security (PeopleSoft reference, sections 2.3, 5.1 and 5.2)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from mlconnector.errors import AuthenticationFailed, InvalidArgument, VendorFault
from mlconnector.http import HTTPClient, Request, RequestRefused, Response, TokenManager
from mlconnector.peoplesoft._faults import Operation, broker_words, named
from mlconnector.peoplesoft._message import value_text
from mlconnector.peoplesoft._xml import Node, element, parse

__all__ = ["ACTIONS", "ComponentInterface", "ComponentService"]

ACTIONS: Mapping[str, str] = {"Create": "C", "Find": "F", "Get": "G", "Update": "UP", "Updatedata": "UD"}
"""Suffix of the operation by action (section 5.1)."""
_READS = ("Find", "Get")
_LONGEST = 30
_SOAP = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"


def _read_only(value: Mapping[str, str]) -> dict[str, str]:
    return dict(value)


@attrs.frozen(kw_only=True)
class ComponentInterface:
    """A component interface of the customer's, as its SOAP service is generated on the site (section 5.1).

    Args:
        name: Of the component interface.
        namespaces: Namespace by action (``{"Create": "http://.../M123456.V1"}``). It differs from environment to
            environment; an action without one is looked up in the WSDL.
        operations: External alias by action; by default ``CI_<name>_<suffix>``, cut at 30 characters, with ``.V1``.
        wsdl: Name of the WSDL document; by default ``CI_<name>.1.wsdl``.
        date_format: ``strftime`` form of dates; sites differ.
        soap: ``"1.1"`` or ``"1.2"``.
        lines: For vouchers: name of the collection of lines. ``distributions``: of the collection below it.
        number: For vouchers: what is sent as ``VOUCHER_ID``; ``NEXT`` numbers automatically.
        reference: For vouchers: property that takes our mark (rule B1), or ``None``.

    Raises:
        InvalidArgument: An unknown action or SOAP version.
    """

    name: str
    namespaces: Mapping[str, str] = attrs.field(factory=dict, converter=_read_only)
    operations: Mapping[str, str] = attrs.field(factory=dict, converter=_read_only)
    wsdl: str | None = None
    date_format: str = "%Y-%m-%d"
    soap: Literal["1.1", "1.2"] = "1.1"
    lines: str = "VOUCHER_LINE"
    distributions: str = "DISTRIB_LINE"
    number: str = "NEXT"
    reference: str | None = "DESCR254_MIXED"

    def __attrs_post_init__(self) -> None:
        unknown = sorted({*self.namespaces, *self.operations} - set(ACTIONS))
        if unknown or self.soap not in _SOAP or not self.name:
            raise InvalidArgument(
                f"ComponentInterface(name={self.name!r}, soap={self.soap!r}) with actions {unknown!r}.",
                cure=f"Give a name, soap 1.1 or 1.2, and actions out of {', '.join(ACTIONS)}.",
            )

    def alias(self, action: str) -> str:
        """External alias of an action's operation."""
        return self.operations.get(action) or f"{f'CI_{self.name}_{ACTIONS[action]}'[:_LONGEST]}.V1"


class ComponentService:
    """Calls component interfaces.

    Args:
        client: The HTTP client. ``path``: of the SOAP listener, with the node.
        auth: Whose user and password the security header carries; HTTP Basic sends them too.
    """

    def __init__(self, client: HTTPClient, path: str, auth: TokenManager) -> None:
        self._client, self._path, self._auth = client, path, auth
        self._namespaces: dict[tuple[str, str], str] = {}

    def operation(self, component: ComponentInterface, action: str) -> Operation:
        """The operation, for errors."""
        alias = component.alias(action)
        return Operation(
            alias,
            f"component interface {component.name}",
            f"The PeopleSoft administrator provides component interface {component.name} as a web service, activates"
            f" operation {alias}, gives the user a permission list with the operation and the component interface, and"
            " checks the node in the address.",
        )

    def call(self, component: ComponentInterface, action: str, properties: Mapping[str, Any]) -> Node:
        """One call; the element that answers it.

        Args:
            component: Whose action it is. ``action``: one of ``ACTIONS``.
            properties: Keys first; values are text, dates, Decimals, mappings, or lists of mappings (collections).

        Raises:
            RequestRefused: The component refused; nothing was saved. That comes as a normal answer (section 5.1).
            AuthenticationFailed: The user or the password is refused.
            VendorFault: A fault, or an answer that is none.
        """
        return self.send(component, action, self.body(component, action, properties))

    def send(self, component: ComponentInterface, action: str, body: str) -> Node:
        """The same with what :meth:`body` made; raises what :meth:`call` raises."""
        operation, namespace = self.operation(component, action), self.namespace(component, action)
        try:
            return self._exchange(component, action, body, operation, namespace)
        except AuthenticationFailed:
            if not self._replaced():
                raise
            return self._exchange(component, action, body, operation, namespace)

    def _replaced(self) -> bool:
        """Told that the password was refused: stored ones are read anew, and the same is not tried again."""
        try:
            return self._auth.rejected(self._auth.headers(_no_login), _no_login)
        except AuthenticationFailed:
            return False

    def _exchange(
        self, component: ComponentInterface, action: str, body: str, operation: Operation, namespace: str
    ) -> Node:
        user, password, headers = self._credentials()
        envelope = _envelope(component.soap, namespace, user, password, body)
        request = Request(
            "POST",
            self._path,
            data=envelope.encode(),
            headers={**headers, **_content_type(component, action)},
            write=action not in _READS,
            authenticated=False,
        )
        try:
            with named(operation):
                response = self._client.send(request)
            return _answer(response, operation, f"{action}__CompIntfc__{component.name}Response")
        except (AuthenticationFailed, VendorFault) as error:
            error.args = tuple(str(part).replace(password, "***") if password else part for part in error.args)
            raise

    def body(self, component: ComponentInterface, action: str, properties: Mapping[str, Any]) -> str:
        """What is sent inside the envelope; prefix ``m`` is the namespace."""
        inner = _properties(properties, component.date_format)
        return element(f"m:{action}__CompIntfc__{component.name}", raw=inner)

    def namespace(self, component: ComponentInterface, action: str) -> str:
        """The namespace of an action: by setting, else from the WSDL, which is read once.

        Raises:
            VendorFault: The WSDL does not name it.
        """
        known = component.namespaces.get(action) or self._namespaces.get((component.name, action))
        if known:
            return known
        operation = self.operation(component, action)
        path = f"{self._path}/{component.wsdl or f'CI_{component.name}.1.wsdl'}"
        _, _, headers = self._credentials()
        request = Request("GET", path, headers={"Accept": "text/xml", **headers}, authenticated=False)
        with named(operation):
            response = self._client.send(request)
        found = _target_namespace(response, f"{action}__CompIntfc__{component.name}")
        if not found:
            raise VendorFault(
                f"peoplesoft: {path} names no namespace for {operation}.",
                cure=f'Give it as ComponentInterface(namespaces={{"{action}": "http://..."}}); the PeopleSoft'
                " administrator reads it from the service's WSDL.",
                fault="administrator",
                system="peoplesoft",
            )
        self._namespaces[component.name, action] = found
        return found

    def _credentials(self) -> tuple[str, str, Mapping[str, str]]:
        headers = self._auth.headers(_no_login)
        scheme, _, encoded = headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            raise InvalidArgument(
                "Component interfaces need a user and a password for WS-Security; auth= has none.",
                cure='Give soap_auth=mc.HTTPBasic("OPRID", "password").',
            )
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        return user, password, headers


def _no_login(_request: Request) -> Response:
    raise InvalidArgument(
        "Component interfaces need a user and a password for WS-Security; auth= logs in for a token.",
        cure='Give soap_auth=mc.HTTPBasic("OPRID", "password").',
    )


def _content_type(component: ComponentInterface, action: str) -> Mapping[str, str]:
    alias = component.alias(action)
    if component.soap == "1.2":
        return {"Content-Type": f"application/soap+xml; charset=UTF-8; action={alias}"}
    return {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": alias}


def _envelope(soap: str, namespace: str, user: str, password: str, body: str) -> str:
    token = element("wsse:Username", user) + element("wsse:Password", password, attributes=f'Type="{_TEXT}"')
    security = element(
        "wsse:Security",
        attributes=f'soapenv:mustUnderstand="1" xmlns:wsse="{_WSSE}"',
        raw=element("wsse:UsernameToken", raw=token),
    )
    return element(
        "soapenv:Envelope",
        attributes=f'xmlns:soapenv="{_SOAP[soap]}" xmlns:m="{namespace}"',
        raw=element("soapenv:Header", raw=security) + element("soapenv:Body", raw=body),
    )


def _properties(properties: Mapping[str, Any], date_format: str) -> str:
    parts = []
    for name, value in properties.items():
        if isinstance(value, Mapping):
            parts.append(element(f"m:{name}", raw=_properties(value, date_format)))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            parts += [element(f"m:{name}", raw=_properties(row, date_format)) for row in value]
        else:
            parts.append(element(f"m:{name}", value_text(value, date_format)))
    return "".join(parts)


def _answer(response: Response, operation: Operation, name: str) -> Node:
    try:
        root: Node | None = parse(response.content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        root = None
    found = None if root is None else root.find(name)
    if root is None or found is None:
        words = "" if root is None else broker_words(root)
        raise operation.unusable(
            f"answered {response.status} without {name} ({words or repr(response.excerpt())})", status=response.status
        )
    kinds = [one.text.strip().upper() for one in found.walk() if one.name == "type"]
    notification = found.text_of("notification")
    if notification not in ("", "1") or "ERROR" in kinds:
        texts = [one.text.strip() for one in found.walk() if one.name in ("messagetext", "explaintext")]
        said = "; ".join(text for text in texts if text) or "no reason given"
        raise RequestRefused(
            f"peoplesoft: {operation} refused to save: {response.redact(said)}.",
            cure="Correct what the message names; nothing was saved.",
            status=response.status,
            system="peoplesoft",
        )
    return found


def _target_namespace(response: Response, name: str) -> str:
    """The target namespace of the schema in a WSDL that declares the element."""
    try:
        root = parse(response.content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return ""
    for schema in root.walk():
        if schema.name == "schema" and any(
            one.name == "element" and one.attributes.get("name") == name for one in schema.children
        ):
            return schema.attributes.get("targetNamespace", "")
    return ""
