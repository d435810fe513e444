"""How the simulated Fusion writes rows: JSON values, links in both places, expanded children in both shapes."""

from __future__ import annotations

import datetime as dt
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from mlconnector.testing._fusion_catalog import TYPES, Kind
from mlconnector.testing._fusion_query import Shape
from mlconnector.testing._fusion_store import Node

__all__ = ["DEFAULT_PAGE", "View", "describe", "quoted"]

DEFAULT_PAGE = 25
"""Rows of a page where none are asked for, and of every expanded child (section 5)."""


@attrs.frozen(kw_only=True)
class View:
    """What one request wants to see, and how.

    Attributes:
        root: Address of the version, up to and without the slash before the resource.
        framework: REST-Framework-Version.
        shape: Accessor paths and attributes.
        only_data: Leave every link out.
        rels: The kinds of links to keep; None is all.
        in_context: Whether an item's links stand under ``@context``.
    """

    root: str
    framework: int
    shape: Shape
    only_data: bool
    rels: frozenset[str] | None
    in_context: bool

    def item(self, kind: Kind, node: Node, href: str, path: str = "") -> dict[str, Any]:
        """One row with the children that are shown.

        Args:
            kind: What it is, as the server shows it now.
            node: The row.
            href: Its address below the root.
            path: Its accessor path below the item that was asked for.
        """
        fields = self.shape[path]
        extra = [name for name in node.values if name not in kind.attributes] if kind.open else []
        names = [name for name in (*kind.attributes, *extra) if fields is None or name in fields]
        found = {name: _json_value(node.values.get(name)) for name in names}
        for accessor, child in kind.children.items():
            below = f"{path}.{accessor}" if path else accessor
            if below in self.shape:
                found[accessor] = self._expanded(child, node.children[accessor], f"{href}/child/{accessor}", below)
        if self.only_data:
            return found
        links = self._item_links(kind, node, href)
        return found | ({"@context": {"links": links}} if self.in_context else {"links": links})

    def collection(
        self, kind: Kind, nodes: Sequence[Node], href: str, *, limit: int, offset: int, more: bool, path: str = ""
    ) -> dict[str, Any]:
        """A page of rows in the shape of section 5."""
        body: dict[str, Any] = {
            "items": [self.item(kind, node, f"{href}/{quoted(node.address)}", path) for node in nodes],
            "count": len(nodes),
            "hasMore": more,
            "limit": limit,
            "offset": offset,
        }
        if not self.only_data:
            body["links"] = self._kept([self._link("self", href, kind.name, "collection")])
        return body

    def _expanded(self, kind: Kind, nodes: Sequence[Node], href: str, path: str) -> Any:
        shown = nodes[:DEFAULT_PAGE]
        more = len(nodes) > DEFAULT_PAGE
        body = self.collection(kind, shown, href, limit=DEFAULT_PAGE, offset=0, more=more, path=path)
        # Versions 1 and 2 cut the array without a sign.
        return body["items"] if self.framework < 3 else body

    def _item_links(self, kind: Kind, node: Node, href: str) -> list[dict[str, Any]]:
        own = self._link("self", href, kind.name, "item") | {"properties": {"changeIndicator": node.version}}
        links = [own, self._link("canonical", href, kind.name, "item")]
        above, mark, _ = href.rpartition("/child/")
        if mark:
            links.append(self._link("parent", above, above.split("/")[-2], "item"))
        links += [self._link("child", f"{href}/child/{name}", name, "collection") for name in kind.children]
        return self._kept(links)

    def _link(self, rel: str, href: str, name: str, kind: str) -> dict[str, Any]:
        return {"rel": rel, "href": f"{self.root}/{href}", "name": name, "kind": kind}

    def _kept(self, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [link for link in links if self.rels is None or link["rel"] in self.rels]


def describe(kind: Kind) -> Mapping[str, Any]:
    """What ``/describe`` says of a resource (section 1)."""
    return {
        "attributes": [
            {"name": each.name, "type": TYPES[each.type], "queryable": each.queryable, "updatable": False}
            for each in kind.attributes.values()
        ],
        "children": {accessor: describe(child) for accessor, child in kind.children.items()},
    }


def quoted(text: str) -> str:
    """A key as a segment of a path."""
    return urllib.parse.quote(text, safe="")


def _json_value(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return f"{value.strftime('%Y-%m-%dT%H:%M:%S')}.{value.microsecond // 1000:03}+00:00"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
