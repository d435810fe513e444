"""The file resource of the simulated Cleo: folders, files, uploads (Cleo reference, section 7.3)."""

from __future__ import annotations

import bisect
import datetime as dt
import email.parser
import email.policy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

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
    """Files by path, and the folders that are known; a folder's listing costs what stands in it, not the whole tree."""

    def __init__(self, folders: Iterable[str]) -> None:
        self.files: dict[str, StoredFile] = {}
        self._folders: dict[str, _Folder] = {"": _Folder()}
        for folder in folders:
            self.add_folder(folder)

    def add_folder(self, path: str) -> None:
        """Make a folder and those above it known."""
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            self.add_folder(above)
            self._folders[path] = _Folder()
            bisect.insort(self._folders[above].folders, name)

    def has_folder(self, path: str) -> bool:
        """Whether a folder is known; the root always is."""
        return path in self._folders

    def put(self, path: str, data: bytes, at: dt.datetime) -> bool:
        """Store a file with its folder; True where it replaced one."""
        above, _, name = path.rpartition("/")
        self.add_folder(above)
        replaced = path in self.files
        if not replaced:
            bisect.insort(self._folders[above].names, name)
        self.files[path] = StoredFile(data=data, modified=at)
        return replaced

    def remove(self, path: str) -> None:
        """Take a file away."""
        above, _, name = path.rpartition("/")
        del self.files[path]
        self._folders[above].names.remove(name)

    def within(self, folder: str) -> list[str]:
        """Paths of the files directly in a folder, in order."""
        return [f"{folder}/{name}" if folder else name for name in self._folders.get(folder, _Folder()).names]

    def listing(self, folder: str) -> Listing:
        """What stands directly in a folder, folders first."""
        known = self._folders.get(folder, _Folder())
        return Listing(f"{folder}/" if folder else "", known.folders, known.names, self.files)


@attrs.frozen
class _Folder:
    """Names of what stands directly in a folder, in order."""

    folders: list[str] = attrs.Factory(list)
    names: list[str] = attrs.Factory(list)


@attrs.frozen
class Listing(Sequence[dict[str, Any]]):
    """A folder's items, made when they are asked for."""

    prefix: str
    folders: Sequence[str]
    names: Sequence[str]
    files: Mapping[str, StoredFile] = attrs.field(repr=False)

    def __len__(self) -> int:
        return len(self.folders) + len(self.names)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        places = range(len(self))[index]
        return self._item(places) if isinstance(places, int) else [self._item(place) for place in places]

    def _item(self, place: int) -> dict[str, Any]:
        if place < len(self.folders):
            name = self.folders[place]
            return {"name": name, "path": self.prefix + name, "type": "folder"}
        name = self.names[place - len(self.folders)]
        stored = self.files[self.prefix + name]
        return {
            "name": name,
            "path": self.prefix + name,
            "type": "file",
            "size": len(stored.data),
            "meta": {"lastModified": stored.modified.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }


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
