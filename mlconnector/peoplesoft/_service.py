"""The Query Access Service: one call runs one query (PeopleSoft reference, sections 3 to 3.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import attrs

from mlconnector.errors import InvalidArgument, MLConnectorError
from mlconnector.http import HTTPClient, Request, Response
from mlconnector.peoplesoft._faults import Operation, broker_words, is_xml, named
from mlconnector.peoplesoft._xml import Node, parse

__all__ = ["Answer", "QueryService", "Result", "decode"]

Result = Literal["JSON", "XMLP"]
_NO_PROXY = "The network administrator sees that no log-in page and no proxy answers in PeopleSoft's place."
_ACCEPT: Mapping[str, str] = {"JSON": "application/json", "XMLP": "application/xml"}


@attrs.frozen
class Answer:
    """Rows as the server sent them, and its clock."""

    rows: list[dict[str, Any]]
    clock: dt.datetime | None


@attrs.frozen
class QueryService:
    """Runs queries over one client.

    Args:
        client: The HTTP client. ``base``: path of the REST listener with the node.
        node: The default local node, for messages. ``alias``: external alias and version of the operation.
        owner: ``PUBLIC`` or ``PRIVATE``. ``result``: form of the answer that is asked for.
    """

    client: HTTPClient
    base: str
    node: str
    alias: str
    owner: str
    result: Result

    def operation(self, query: str) -> Operation:
        """The operation, for errors of this query."""
        return Operation(
            f"QAS_EXECUTEQRY_REST_GET ({self.alias})",
            f"query {query}",
            "The PeopleSoft administrator activates service operation QAS_EXECUTEQRY_REST_GET with its handler and"
            f" routing, checks the default local node (here {self.node}) and the alias (here {self.alias}), gives the"
            " user a permission list with the operation and the query access groups of every record, and sees that"
            f" {self.owner} query {query} exists with the prompts of docs/setup/peoplesoft.md.",
        )

    def run(
        self, query: str, prompts: Sequence[tuple[str, str]], *, maxrows: int, columns: Sequence[str] = ()
    ) -> Answer:
        """One answer of a query, of at most ``maxrows`` rows; nothing in it says whether there are more.

        Args:
            query: Its name. ``prompts``: unique prompt name and value, in order.
            columns: Only these unique field names.

        Raises:
            InvalidArgument: A comma in a prompt value, for which no escape is documented (section 3).
            VendorFault: An answer that is no result of a query.
        """
        operation = self.operation(query)
        request = Request(
            "GET",
            f"{self.base}/{self.alias}/{self.owner}/{quote(query, safe='')}/{self.result}/NONFILE"
            f"?{self._parameters(query, prompts, maxrows, columns)}",
            headers={"Accept": _ACCEPT[self.result]},
        )
        with named(operation):
            response = self.client.send(request)
        return Answer(decode(response, operation), response.date)

    def _parameters(self, query: str, prompts: Sequence[tuple[str, str]], maxrows: int, columns: Sequence[str]) -> str:
        for name, value in (*prompts, *(("filterfields", column) for column in columns)):
            if "," in value:
                raise InvalidArgument(
                    f"{query}: {name} {value!r} holds a comma, which separates the values of prompts.",
                    cure="No escape for it is documented; leave this record out, or rename it in PeopleSoft.",
                )
        # Built by hand: commas between items stay literal, an empty item is an empty value (section 3).
        parts = ["isconnectedquery=N", f"maxrows={maxrows}"]
        if prompts:
            parts.append("prompt_uniquepromptname=" + ",".join(quote(name, safe="") for name, _ in prompts))
            parts.append("prompt_fieldvalue=" + ",".join(quote(value, safe="") for _, value in prompts))
        if columns:
            parts.append("filterfields=" + ",".join(quote(column, safe="") for column in columns))
        if self.result == "JSON":
            parts.append("json_resp=true")
        return "&".join(parts)


def decode(response: Response, operation: Operation) -> list[dict[str, Any]]:
    """The rows of an answer in JSON or XMLP, whichever came.

    Raises:
        VendorFault: A status other than success, an HTML page, anything that is not the shape of a query's result.
    """
    rows, count = _of_xml(response, operation) if is_xml(response) else _of_json(response, operation)
    if count not in (None, "", str(len(rows))):
        raise operation.unusable(f"says numrows={count} and sent {len(rows)} rows", status=response.status)
    return rows


def _of_json(response: Response, operation: Operation) -> tuple[list[dict[str, Any]], str | None]:
    try:
        body = response.json()
    except MLConnectorError:
        what = f"{response.content_type or 'no content type'}: {response.excerpt()!r}"
        raise operation.unusable(f"answered {response.status} with no JSON ({what})", status=response.status) from None
    if not isinstance(body, Mapping) or body.get("status") != "success":
        said = body.get("status") if isinstance(body, Mapping) else type(body).__name__
        raise operation.unusable(
            f"answered {response.status} without success (status {said!r}): {response.excerpt()}",
            status=response.status,
        )
    data = body.get("data")
    query = data.get("query") if isinstance(data, Mapping) else None
    query = query if isinstance(query, Mapping) else {}
    count, rows = query.get("numrows"), query.get("rows")
    if rows is None and str(count) == "0":
        rows = []  # may be absent where there are none, and only there
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise operation.unusable("answered JSON that is no result of a query", status=response.status)
    return rows, None if count is None else str(count)


def _of_xml(response: Response, operation: Operation) -> tuple[list[dict[str, Any]], str | None]:
    try:
        root: Node | None = parse(response.content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        root = None
    found = None if root is None else root.find("query")
    if root is None or found is None or root.name == "html":
        words = "" if root is None else broker_words(root)
        raise operation.unusable(
            f"answered {response.status} with {words or 'an HTML page, or XML that is no result of a query'}:"
            f" {response.excerpt()!r}",
            status=response.status,
            cure=_NO_PROXY,
        )
    rows = [{field.name: field.text for field in row.children} for row in found.children if row.name == "row"]
    return rows, found.attributes.get("numrows")
