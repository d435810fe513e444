"""Documents of bills and attachments of vendors in the simulated BILL (section 8.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from mlconnector.testing._bill_catalog import Resource
from mlconnector.testing._bill_errors import instant_text, refusal, wrong_path
from mlconnector.testing._bill_query import Pager
from mlconnector.testing._bill_store import Database, Record, Store
from mlconnector.testing._wire import Answer, Request, json_answer

__all__ = ["FileShelf"]

_LARGEST = 6 * 1024 * 1024
_UPLOAD_TIME = dt.timedelta(minutes=2)
_DOCUMENTS = Resource(name="documents", path="documents", prefix="00h", filters={}, sorts=frozenset())
_ATTACHMENTS = Resource(name="attachments", path="attachments", prefix="att", filters={}, sorts=frozenset())


class FileShelf:
    """Keeps files. A document is an upload for two minutes of the clock before it is a document.

    Args:
        database: What the files belong to.
        pager: For their lists.
        base: The address that download links begin with.
    """

    def __init__(self, database: Database, pager: Pager, base: Callable[[], str]) -> None:
        self._database = database
        self._pager = pager
        self._base = base
        self._documents = Store(_DOCUMENTS, database)
        self._attachments = Store(_ATTACHMENTS, database)
        self._uploads: dict[str, Record] = {}

    def handle(self, request: Request, path: Sequence[str]) -> Answer:
        """Answer a call below ``documents`` or ``attachments``.

        Raises:
            BillRefused: What BILL refuses.
        """
        match (request.method, *path):
            case ("POST", "documents", "bills", owner):
                document = self._keep(request, self._documents, self._database["bills"].asked(owner))
                upload = self._database.new_id("0du")
                self._uploads[upload] = document
                return json_answer({"id": upload})
            case ("GET", "documents", "upload-status"):
                return json_answer([self._status(key.strip()) for key in request.query.get("ids", "").split(",")])
            case ("GET", "documents", "bills", owner):
                self._database["bills"].asked(owner)
                return self._list(request, self._documents, owner)
            case ("GET", "documents" | "attachments" as kind, key):
                return json_answer(self._shown(self._asked(kind, key)))
            case ("GET", "documents" | "attachments" as kind, key, "content"):
                record = self._asked(kind, key)
                return Answer(body=record.row["data"], content_type="application/octet-stream")
            case ("POST", "attachments", "vendors", owner):
                return json_answer(
                    self._shown(self._keep(request, self._attachments, self._database["vendors"].asked(owner)))
                )
            case ("GET", "attachments", "vendors", owner):
                self._database["vendors"].asked(owner)
                return self._list(request, self._attachments, owner)
            case ("DELETE", "attachments", key):
                self._attachments.drop(self._attachments.asked(key).id)
                return json_answer({"status": "SUCCESS"})
        raise wrong_path(request.method, request.path)

    def _keep(self, request: Request, store: Store, owner: Record) -> Record:
        name = request.query.get("name", "")
        if "." not in name.strip("."):
            raise refusal("BDC_1108", "name is required, with its extension.")
        if not 0 < len(request.raw) <= _LARGEST:
            raise refusal("BDC_1143", f"A file has 1 to {_LARGEST} bytes.")
        return store.put({"owner": owner.id, "name": name, "data": request.raw})

    def _done(self, record: Record) -> bool:
        return self._database.now() - record.created >= _UPLOAD_TIME

    def _status(self, upload: str) -> dict[str, Any]:
        record = self._uploads.get(upload)
        if record is None:
            raise refusal("BDC_1205", f"Upload is not found for id {upload}.")
        if not self._done(record):
            return {"uploadId": upload, "status": "IN_PROGRESS"}
        return {"uploadId": upload, "documentId": record.id, "status": "UPLOADED"}

    def _asked(self, kind: str, key: str) -> Record:
        record = (self._documents if kind == "documents" else self._attachments).asked(key)
        if kind == "documents" and not self._done(record):
            raise refusal("BDC_1205", f"Record is not found for id {key}.")
        return record

    def _list(self, request: Request, store: Store, owner: str) -> Answer:
        ready = store is self._attachments
        found = [record for record in store if record.row["owner"] == owner and (ready or self._done(record))]
        records, tokens = self._pager.page(store.resource, request.query, found)
        return json_answer({**tokens, "results": [self._shown(record) for record in records]})

    def _shown(self, record: Record) -> dict[str, Any]:
        kind = "documents" if record.id.startswith(_DOCUMENTS.prefix) else "attachments"
        return {
            "id": record.id,
            "name": record.row["name"],
            "createdTime": instant_text(record.created),
            "downloadLink": f"{self._base()}/v3/{kind}/{record.id}/content",
        }
