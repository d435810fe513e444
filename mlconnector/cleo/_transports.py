"""The two ways of moving a file: REST paths, and the HTTP server's requests (Cleo reference, sections 7.1 and 7.3)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from mlconnector.cleo._files import CleoFile, CleoFiles, clean, encoded
from mlconnector.errors import VendorFault
from mlconnector.http import HTTPClient, Request, Response

__all__ = ["FileTransport", "RestTransport", "ServerTransport"]

_BYTES = {"Accept": "*/*"}


class FileTransport(Protocol):
    """What a client needs of a way of moving files; paths are ``folder/name``."""

    def upload(self, path: str, data: bytes) -> Response:
        """Put a file, in one request with a length (section 8.2)."""
        ...

    def files(self, folder: str) -> list[CleoFile]:
        """Files of a folder."""
        ...

    def download(self, path: str) -> bytes:
        """The bytes of a file."""
        ...

    def delete(self, path: str) -> None:
        """Delete a file."""
        ...

    def close(self) -> None:
        """Close what the transport itself has opened."""
        ...


class RestTransport:
    """Files under paths of the REST interface, with the client's own login."""

    def __init__(
        self, settings: CleoFiles, http: HTTPClient, entries: Callable[[str], Iterable[Mapping[str, Any]]]
    ) -> None:
        self._settings, self._http, self._entries = settings, http, entries

    def upload(self, path: str, data: bytes) -> Response:
        """See :class:`FileTransport`."""
        settings = self._settings
        if settings.body == "raw":
            target, body, content_type = settings.upload_path.format(path=encoded(path)), data, settings.content_type
        else:
            folder, _, name = clean(path).rpartition("/")
            boundary = f"mlconnector-{secrets.token_hex(16)}"
            quoted = name.replace('"', "%22")
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
            head += f"Content-Type: {settings.content_type}\r\n\r\n"
            target = settings.upload_path.format(path=encoded(folder))
            body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
            content_type = f"multipart/form-data; boundary={boundary}"
        headers = {"Content-Type": content_type}
        return self._http.send(Request(settings.upload_verb, target, data=body, headers=headers, write=True))

    def files(self, folder: str) -> list[CleoFile]:
        """See :class:`FileTransport`."""
        entries = self._entries(self._settings.list_path.format(folder=encoded(folder)))
        return self._settings.list_parser(entries, clean(folder))

    def download(self, path: str) -> bytes:
        """See :class:`FileTransport`."""
        target = self._settings.download_path.format(path=encoded(path))
        return self._http.send(Request("GET", target, headers=_BYTES)).content

    def delete(self, path: str) -> None:
        """See :class:`FileTransport`."""
        self._http.send(Request("DELETE", self._settings.delete_path.format(path=encoded(path)), write=True))

    def close(self) -> None:
        """See :class:`FileTransport`."""


class ServerTransport:
    """The HTTP server of Harmony and VLTrader: everything is a POST with ``request=`` (section 7.1)."""

    def __init__(self, settings: CleoFiles, http: HTTPClient, path: str) -> None:
        self._settings, self._http, self._path = settings, http, path or "/"

    def upload(self, path: str, data: bytes) -> Response:
        """See :class:`FileTransport`."""
        headers = {"Content-Type": self._settings.content_type}
        return self._http.send(self._request("send", path, data=data, headers=headers, write=True))

    def files(self, folder: str) -> list[CleoFile]:
        """See :class:`FileTransport`; the default reads one name a line, since the form is not documented."""
        params = {"request": "list", "directory": f"{clean(folder)}/"}
        answer = self._http.send(Request("POST", self._path, params=params, headers=_BYTES))
        text = answer.content.decode("utf-8", "replace")
        if text.lstrip()[:1] == "<":
            raise VendorFault(
                f"The listing of {clean(folder)!r} is a page, not a list of names.",
                cure="Check url=; if this server lists so, give CleoFiles(list_parser=...) a function that reads it.",
                system="cleo",
            )
        return self._settings.list_parser(text.splitlines(), clean(folder))

    def download(self, path: str) -> bytes:
        """See :class:`FileTransport`."""
        return self._http.send(self._request("receive", path, headers=_BYTES)).content

    def delete(self, path: str) -> None:
        """See :class:`FileTransport`."""
        self._http.send(self._request("delete", path, write=True))

    def close(self) -> None:
        """See :class:`FileTransport`."""
        self._http.close()

    def _request(self, name: str, path: str, **options: Any) -> Request:
        folder, _, file = clean(path).rpartition("/")
        params = {"request": name, "directory": f"{folder}/", "filename": file}
        return Request("POST", self._path, params=params, **options)
