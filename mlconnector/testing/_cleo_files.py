"""The file resource of the simulated Cleo: folders, files, uploads (Cleo reference, section 7.3)."""

from __future__ import annotations

import datetime as dt
import email.parser
import email.policy
from collections.abc import Iterable
from typing import Any

import attrs

__all__ = ["FileTree", "StoredFile", "Upload", "multipart_file", "normal_path"]


@attrs.frozen(kw_only=True)
class Upload:
    """One upload that was accepted.

    Attributes:
        path: Where to, without a leading slash.
        data: The bytes.
        at: The simulator's clock.
        replaced: Whether a file of that name was there and was overwritten.
    """

    path: str
    data: bytes = attrs.field(repr=False)
    at: dt.datetime
    replaced: bool


@attrs.frozen(kw_only=True)
class StoredFile:
    """A file that is there."""

    data: bytes = attrs.field(repr=False)
    modified: dt.datetime


def normal_path(path: str) -> str | None:
    """A path without leading, trailing and double slashes; None where it would leave the tree."""
    parts = [part for part in path.split("/") if part]
    return None if "\\" in path or ".." in parts or "." in parts else "/".join(parts)


class FileTree:
    """Files by path, and the folders that are known."""

    def __init__(self, folders: Iterable[str]) -> None:
        self.files: dict[str, StoredFile] = {}
        self._folders: set[str] = set()
        for folder in folders:
            self.add_folder(folder)

    def add_folder(self, path: str) -> None:
        """Make a folder and those above it known."""
        parts = path.split("/")
        self._folders.update("/".join(parts[: count + 1]) for count in range(len(parts)))

    def has_folder(self, path: str) -> bool:
        """Whether a folder is known; the root always is."""
        return path in self._folders or not path

    def put(self, path: str, data: bytes, at: dt.datetime) -> bool:
        """Store a file with its folder; True where it replaced one."""
        folder = path.rpartition("/")[0]
        if folder:
            self.add_folder(folder)
        replaced = path in self.files
        self.files[path] = StoredFile(data=data, modified=at)
        return replaced

    def listing(self, folder: str) -> list[dict[str, Any]]:
        """What stands directly in a folder, folders first."""
        prefix = f"{folder}/" if folder else ""
        inner = sorted(
            path
            for path in self._folders
            if path.startswith(prefix) and path != folder and "/" not in path[len(prefix) :]
        )
        items: list[dict[str, Any]] = [
            {"name": path.rpartition("/")[2], "path": path, "type": "folder"} for path in inner
        ]
        for path in sorted(self.files):
            if path.startswith(prefix) and "/" not in path[len(prefix) :]:
                stored = self.files[path]
                items.append(
                    {
                        "name": path[len(prefix) :],
                        "path": path,
                        "type": "file",
                        "size": len(stored.data),
                        "meta": {"lastModified": stored.modified.strftime("%Y-%m-%dT%H:%M:%SZ")},
                    }
                )
        return items


def multipart_file(content_type: str, raw: bytes) -> tuple[str, bytes] | None:
    """The name and bytes of the part ``file`` of ``multipart/form-data``; None where there is no such part."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + raw)
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_filename()
        if part.get_param("name", header="content-disposition") == "file" and name:
            data = part.get_payload(decode=True)
            return name, data if isinstance(data, bytes) else b""
    return None
