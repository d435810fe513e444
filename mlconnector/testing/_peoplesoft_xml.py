"""XML of the simulated PeopleSoft: read without DTD and entities, and the words its answers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape

__all__ = ["BadXML", "element", "ib_response", "local_name", "namespace_of", "parse_xml"]


class BadXML(ValueError):
    """The text is no XML, or has a document type definition."""


def parse_xml(raw: bytes) -> Element:
    """The root element, names as ``{namespace}local``.

    Raises:
        BadXML: Not well-formed, or with a DTD: its entities could read files or fill the memory.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def start(name: str, attributes: Mapping[str, str]) -> None:
        builder.start(_clark(name), {_clark(key): value for key, value in attributes.items()})

    def refuse(*_: object) -> NoReturn:
        raise BadXML("a document type definition is not allowed")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: builder.end(_clark(name))
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as bad:
        raise BadXML(f"not well-formed: {expat.ErrorString(bad.code)}") from None
    return builder.close()


def _clark(name: str) -> str:
    return "{" + name if "}" in name else name


def local_name(node: Element) -> str:
    """The name without its namespace."""
    return node.tag.rpartition("}")[2]


def namespace_of(node: Element) -> str:
    """The namespace, or nothing."""
    return node.tag.rpartition("}")[0].removeprefix("{")


def element(name: str, text: object) -> str:
    """``<name>text</name>``, escaped; an empty one is self-closed."""
    return f"<{name}>{escape(str(text))}</{name}>" if str(text) else f"<{name}/>"


def ib_response(
    *, transaction: str | None = None, number: tuple[int, int] = (158, 0), message: str = "", parameter: str = ""
) -> str:
    """Integration Broker's own answer: a success with its TransactionID, or an error (sections 5.2 and 8)."""
    title = "<DefaultTitle>Integration Broker Response</DefaultTitle>"
    if not message:
        identity = element("TransactionID", transaction) if transaction else ""
        return f'<IBResponse type="success">{title}<StatusCode>0</StatusCode>{identity}</IBResponse>'
    parameters = f"<MessageParameters><Parameter><![CDATA[{parameter}]]></Parameter></MessageParameters>"
    text = f"{message} ({number[0]},{number[1]})".replace("]]>", "")
    return (
        f'<IBResponse type="error">{title}<StatusCode>20</StatusCode><MessageSet>{number[0]}</MessageSet>'
        f"<MessageID>{number[1]}</MessageID><DefaultMessage><![CDATA[{text}]]></DefaultMessage>"
        f"{parameters if parameter else ''}</IBResponse>"
    )
