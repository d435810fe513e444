"""How files go in and out: every path, verb and body form is a setting.

The REST file resource is not documented (Cleo reference, section 7.3), so its defaults are this project's profile, and
a site whose server differs says so in one place. The HTTP server of Harmony and VLTrader is (section 7.1).
"""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import quote

import attrs

from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.http import TokenManager

__all__ = ["CleoFile", "CleoFiles", "clean", "encoded", "listed"]


@attrs.frozen(kw_only=True)
class CleoFile:
    """A file in a listing: ``path`` from the root of the tree, ``size`` in bytes, ``modified`` in UTC."""

    name: str
    path: str
    size: int | None = None
    modified: dt.datetime | None = None


def listed(items: Iterable[Any], folder: str) -> list[CleoFile]:
    """The default list parser: objects with ``name``, ``path``, ``type``, ``size``, ``meta.lastModified``, or names."""
    found = []
    for item in items:
        if isinstance(item, str):
            name = item.strip().removeprefix(f"{folder}/")
            if name and not name.endswith("/"):
                found.append(CleoFile(name=name, path=f"{folder}/{name}"))
            continue
        if not isinstance(item, Mapping) or not item.get("name"):
            raise VendorFault(
                f"The listing of {folder!r} holds an entry without a name.",
                cure="Give CleoFiles(list_parser=...) a function that reads this server's listing.",
                system="cleo",
            )
        if str(item.get("type", "file")).lower() in ("folder", "directory"):
            continue
        name, meta = str(item["name"]), item.get("meta")
        stamp = meta.get("lastModified") if isinstance(meta, Mapping) else None
        found.append(
            CleoFile(
                name=name,
                path=str(item.get("path") or f"{folder}/{name}"),
                size=_size(item.get("size")),
                modified=_instant(stamp),
            )
        )
    return found


def _size(value: Any) -> int | None:
    """Bytes; the form is not documented (section 7.3): what is no number says nothing, and stops nothing."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() else None


def _instant(value: Any) -> dt.datetime | None:
    """An instant; stamps are in UTC, whether they say so or not (section 3.1)."""
    try:
        stamp = dt.datetime.fromisoformat(str(value))
        return stamp.replace(tzinfo=dt.UTC) if stamp.tzinfo is None else stamp.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


@attrs.frozen(kw_only=True)
class CleoFiles:
    """The file transport.

    Args:
        transport: ``"rest"`` (section 7.3), or ``"http-server"``: the listener of Harmony and VLTrader for local users
            (section 7.1).
        url: Of the HTTP server with the resource path its administrator has set; needed for ``"http-server"``.
        auth: The local user's login there, ``HTTPBasic``; needed for ``"http-server"``.
        upload_path, list_path, download_path, delete_path: REST templates; ``{path}`` and ``{folder}`` are
            percent-encoded segment by segment.
        upload_verb: ``"PUT"`` or ``"POST"``. ``body``: ``"raw"`` bytes, or ``"multipart"`` with part name ``file``.
        content_type: Of a raw upload.
        success: Statuses that mean the file was taken.
        list_parser: Makes :class:`CleoFile` of the entries of a listing; called with entries and folder. An entry is
            an object, or a line of text as the HTTP server sends them.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    transport: Literal["rest", "http-server"] = "rest"
    url: str | None = None
    auth: TokenManager | None = attrs.field(default=None, repr=False)
    upload_path: str = "/api/files/{path}"
    upload_verb: Literal["PUT", "POST"] = "PUT"
    body: Literal["raw", "multipart"] = "raw"
    content_type: str = "application/octet-stream"
    success: tuple[int, ...] = attrs.field(default=(200, 201, 204), converter=tuple)
    list_path: str = "/api/files/{folder}"
    download_path: str = "/api/files/{path}"
    delete_path: str = "/api/files/{path}"
    list_parser: Callable[[Iterable[Any], str], list[CleoFile]] = listed

    def __attrs_post_init__(self) -> None:
        allowed = {"transport": ("rest", "http-server"), "upload_verb": ("PUT", "POST"), "body": ("raw", "multipart")}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InvalidArgument(f"{name}={getattr(self, name)!r}.", cure=f"Use {' or '.join(map(repr, values))}.")
        if (self.transport == "http-server") != (self.url is not None and self.auth is not None):
            raise InvalidArgument(
                f"transport={self.transport!r} with url={self.url!r} and {'an' if self.auth else 'no'} auth.",
                cure='Give url= and auth= with transport="http-server", and only there (Cleo reference, section 7.1).',
            )
        for name in ("upload_path", "list_path", "download_path", "delete_path"):
            template, field = getattr(self, name), "folder" if name == "list_path" else "path"
            if not template.startswith("/") or _fields_of(template) != {field}:
                raise InvalidArgument(
                    f"{name}={template!r}.", cure=f"Give a path from the root with {{{field}}} in it, and no other."
                )


def _fields_of(template: str) -> set[str | None]:
    try:
        return {field for _text, field, _form, _conversion in string.Formatter().parse(template) if field is not None}
    except ValueError:
        return set()


def clean(path: str) -> str:
    """A path without slashes at its ends; refuses what would leave its folder.

    Raises:
        InvalidArgument: Empty, with ``..``, or with a control character.
    """
    trimmed = path.strip("/")
    parts = trimmed.split("/")
    if not trimmed or any(part in ("", ".", "..") for part in parts) or not trimmed.isprintable():
        raise InvalidArgument(f"path={path!r} names no file or folder.", cure='Give it like "outbox/ACME/850.edi".')
    return trimmed


def encoded(path: str) -> str:
    """Each segment percent-encoded, slashes kept (Cleo reference, section 7.3)."""
    return "/".join(quote(part, safe="") for part in clean(path).split("/"))
