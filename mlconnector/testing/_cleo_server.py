"""The HTTP server of the simulated Harmony: files for local users, by ``request=`` (Cleo reference, section 7.1)."""

from __future__ import annotations

import email.parser
import email.policy
from collections.abc import Callable, Mapping

import attrs

from mlconnector.testing._cleo_files import FileTree, multipart_file, normal_path
from mlconnector.testing._wire import Answer, Refused, Request

__all__ = ["FileServer"]

_DIRECTORIES: Mapping[str, str] = {
    "send": "inbox/",
    "list": "outbox/payload/",
    "receive": "outbox/payload/",
    "delete": "outbox/payload/",
}
"""Where each request works unless told otherwise; of delete nothing is said, it follows what is fetched."""


@attrs.frozen
class FileServer:
    """Answers the POST forms, the ones the vendor recommends.

    Args:
        tree: The files.
        accepts: Whether a login is a local user's.
        store: Takes an upload: path and bytes; what it refuses is the answer.
    """

    tree: FileTree
    accepts: Callable[[str, str], bool]
    store: Callable[[str, bytes], Answer]

    def answer(self, request: Request) -> Answer:
        """Do what was asked.

        Raises:
            Refused: No login, or nothing that can be done.
        """
        login = request.basic_login()
        if login is None or not self.accepts(*login):
            raise Refused(Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="Harmony"'}))
        if request.method != "POST":
            raise Refused(Answer(status=405))
        given = _parameters(request)
        name = given.get("request", "")
        if name == "connect0":
            return Answer()
        if name not in _DIRECTORIES:
            raise Refused(Answer(status=400))
        folder = normal_path(given.get("directory") or _DIRECTORIES[name])
        file = given.get("filename", "")
        if folder is None or (name != "list" and (not file or normal_path(file) != file or "/" in file)):
            raise Refused(Answer(status=400))
        if name == "list":
            names = "".join(f"{path.rpartition('/')[2]}\n" for path in self.tree.within(folder))
            return Answer(body=names.encode(), content_type="text/plain")
        path = f"{folder}/{file}" if folder else file
        if name == "send":
            part = multipart_file(request.headers.get("content-type", ""), request.raw)
            self.store(path, request.raw if part is None else part[1])
            return Answer()
        stored = self.tree.files.get(path)
        if stored is None:
            raise Refused(Answer(status=404))
        if name == "receive":
            return Answer(body=stored.data, content_type="application/octet-stream")
        self.tree.remove(path)
        return Answer()


def _parameters(request: Request) -> Mapping[str, str]:
    """Of the query, of a form and of multipart parts that are no file."""
    given = dict(request.query)
    if request.media_type == "application/x-www-form-urlencoded":
        given |= request.form()
    elif request.media_type == "multipart/form-data":
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode("latin-1")
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.raw)
        for part in message.iter_parts() if message.is_multipart() else ():
            name = part.get_param("name", header="content-disposition")
            if part.get_filename() is None and isinstance(name, str):
                given[name] = part.get_content().strip()
    return given
