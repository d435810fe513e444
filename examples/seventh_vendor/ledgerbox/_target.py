"""Invoices to Ledgerbox, each once: looked up by our own reference, which Ledgerbox keeps and lets us search."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ledgerbox._mapping import body_of, faults_of
from mlconnector.documents import Invoice
from mlconnector.errors import InvalidDocument, MLConnectorError, TargetChanged
from mlconnector.kit import Change, Client, LookUp, Prepared, Receipt, Request, dumps


class InvoicesTarget:
    """See :class:`mlconnector.kit.Target`."""

    name = "ledgerbox invoices"
    batch_size = 1
    # The search sees a record at once, and records are never moved away.
    look_up: LookUp = "reliable"
    settle_after = dt.timedelta(minutes=2)

    def __init__(self, http: Client) -> None:
        self._http = http

    def content(self, document: Invoice) -> str:
        return hashlib.sha256(dumps(body_of(document)).encode()).hexdigest()

    def prepare(self, change: Change[Any]) -> Prepared:
        faults = faults_of(change.document)
        if faults:
            raise InvalidDocument(
                f"Invoice {change.key} cannot go to Ledgerbox.",
                faults=faults,
                cause="ledgerbox",
                cure="Correct it in the source; it goes with the next run.",
            )
        marker = f"ml-{change.key}"
        body = {**body_of(change.document), "reference": marker}
        return Prepared(change.document, body, marker, target_id=change.target_id, describe={"reference": marker})

    def find(self, prepared: Prepared) -> Receipt | None:
        payload = _body(prepared)
        found = self._http.get_json("/api/invoices", {"reference": payload["reference"]})["items"]
        if not found:
            return None
        told = {name: found[0].get(name) for name in payload}
        wanted = {**payload, "total": str(payload["total"])}
        if len(found) == 1 and told == wanted:
            return Receipt(system="ledgerbox", id=found[0]["id"], raw={"status": found[0]["status"]})
        if len(found) == 1 and prepared.target_id and found[0]["revision"] < prepared.revision:
            return None  # still what we left there: our change has not acted
        raise TargetChanged(
            f"{len(found)} invoices carry {prepared.marker}, or other content than ours.",
            cure="Compare them in Ledgerbox, then settle the delivery.",
        )

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        return [self._deliver(prepared) for prepared in batch]

    def _deliver(self, prepared: Prepared) -> Receipt:
        body = {**_body(prepared), "revision": prepared.revision}
        if prepared.target_id is None:
            request = Request("POST", "/api/invoices", json=body, write=True)
        else:
            request = Request("PUT", f"/api/invoices/{quote(prepared.target_id)}", json=body, write=True)
        answer = self._http.send(request).json()
        return Receipt(system="ledgerbox", id=answer["id"], raw={"status": answer["status"]})


def _body(prepared: Prepared) -> Mapping[str, Any]:
    assert isinstance(prepared.payload, Mapping)
    return prepared.payload
