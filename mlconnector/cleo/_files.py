"""How files go in and out over REST: every path, verb and body form is a setting.

The file resource is not documented (Cleo reference, section 7.3), so nothing here is a vendor fact: the defaults are
this project's profile, and a site whose server differs says so in one place.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import quote

import attrs

from mlconnector.errors import InvalidArgument, VendorFault

__all__ = ["CleoFile", "CleoFiles", "listed"]


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
            found.append(CleoFile(name=item, path=f"{folder}/{item}"))
            continue
        if not isinstance(item, Mapping) or not item.get("name"):
            raise VendorFault(
                f"The listing of {folder!r} holds an entry without a name.",
                cure="Give CleoFiles(list_parser=...) a function that reads this server's listing.",
                system="cleo",
            )
        if str(item.get("type", "file")).lower() in ("folder", "directory"):
            continue
        name, stamp, size = str(item["name"]), (item.get("meta") or {}).get("lastModified"), item.get("size")
        found.append(
            CleoFile(
                name=name,
                path=str(item.get("path") or f"{folder}/{name}"),
                size=None if size is None else int(size),
                modified=None if not stamp else dt.datetime.fromisoformat(str(stamp)).astimezone(dt.UTC),
            )
        )
    return found


@attrs.frozen(kw_only=True)
class CleoFiles:
    """The file transport.

    Args:
        transport: ``"rest"``.
        upload_path, list_path, download_path, delete_path: Templates; ``{path}`` and ``{folder}`` are percent-encoded
            segment by segment.
        upload_verb: ``"PUT"`` or ``"POST"``. ``body``: ``"raw"`` bytes, or ``"multipart"`` with part name ``file``.
        content_type: Of a raw upload.
        success: Statuses that mean the file was taken.
        list_parser: Makes :class:`CleoFile` of the entries of a listing; called with entries and folder.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    transport: Literal["rest"] = "rest"
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
        allowed = {"transport": ("rest",), "upload_verb": ("PUT", "POST"), "body": ("raw", "multipart")}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InvalidArgument(f"{name}={getattr(self, name)!r}.", cure=f"Use {' or '.join(map(repr, values))}.")
        for name, field in (("upload_path", "path"), ("list_path", "folder"), ("download_path", "path")):
            template = getattr(self, name)
            if f"{{{field}}}" not in template or not template.startswith("/"):
                raise InvalidArgument(
                    f"{name}={template!r}.", cure=f"Give a path from the root with {{{field}}} in it."
                )

    def upload(self, path: str, data: bytes) -> tuple[str, bytes, str]:
        """Path, body and content type of an upload: one request with a length (Cleo reference, section 8.2)."""
        if self.body == "raw":
            return self.upload_path.format(path=encoded(path)), data, self.content_type
        folder, _, name = clean(path).rpartition("/")
        boundary = f"mlconnector-{secrets.token_hex(16)}"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        head += f"Content-Type: {self.content_type}\r\n\r\n"
        body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        return self.upload_path.format(path=encoded(folder)), body, f"multipart/form-data; boundary={boundary}"


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
