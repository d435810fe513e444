from __future__ import annotations

import datetime as dt

from mlconnector.testing import ManualClock
from mlconnector.testing._bill import BILLSimulator
from tests.testing.bill import Bare, bill

PDF = b"%PDF-1.7 \x00\xff"


def test_a_document_is_an_upload_for_some_minutes() -> None:
    clock = ManualClock()
    with BILLSimulator(clock=clock) as sim, Bare(sim) as bare:
        owner = bare.post("bills", bill(bare.vendor()))["id"]
        path = f"documents/bills/{owner}"
        upload = bare.post(path, status=200, data=PDF, params={"name": "invoice.pdf"})
        assert list(upload) == ["id"]
        assert upload["id"].startswith("0du")
        status = bare.get("documents/upload-status", ids=upload["id"])
        assert status == [{"uploadId": upload["id"], "status": "IN_PROGRESS"}]
        assert bare.get(path) == {"results": []}
        clock.advance(dt.timedelta(minutes=1))
        hidden = sim._files._uploads[upload["id"]].id
        assert bare.refused("GET", f"documents/{hidden}", status=404) == ["BDC_1205"]
        clock.advance(dt.timedelta(minutes=1))
        (status,) = bare.get("documents/upload-status", ids=upload["id"])
        assert status["status"] == "UPLOADED"
        document = bare.get(f"documents/{status['documentId']}")
        assert (document["id"][:3], document["name"]) == ("00h", "invoice.pdf")
        assert bare.get(path, max=1) == {"results": [document]}
        assert bare.http.get(document["downloadLink"], timeout=5).content == PDF


def test_what_is_no_file_is_refused() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        owner = bare.post("bills", bill(bare.vendor()))["id"]
        path = f"documents/bills/{owner}"
        assert bare.refused("POST", path, data=PDF) == ["BDC_1108"]
        assert bare.refused("POST", path, data=PDF, params={"name": "invoice"}) == ["BDC_1108"]
        named = {"name": "a.pdf"}
        assert bare.refused("POST", path, params=named) == ["BDC_1143"]
        assert bare.refused("POST", path, data=bytes(6 * 1024 * 1024 + 1), params=named) == ["BDC_1143"]
        assert bare.refused("POST", "documents/bills/00nX", status=404, data=PDF, params=named) == ["BDC_1205"]
        assert bare.refused("GET", "documents/upload-status", status=404, params={"ids": "0duX"}) == ["BDC_1205"]
        assert bare.refused("GET", path, params={"filters": "name:eq:a"}) == ["BDC_1130"]
        assert bare.refused("DELETE", path, status=404) == ["BDC_1121"]


def test_an_attachment_of_a_vendor_comes_and_goes() -> None:
    with BILLSimulator() as sim, Bare(sim) as bare:
        path = f"attachments/vendors/{bare.vendor()}"
        made = bare.post(path, status=200, data=PDF, params={"name": "w9.pdf"})
        assert bare.get(path) == {"results": [made]}
        assert bare.get(f"attachments/{made['id']}") == made
        assert bare.http.get(made["downloadLink"], timeout=5).content == PDF
        assert bare.send("DELETE", f"attachments/{made['id']}").json() == {"status": "SUCCESS"}
        assert bare.get(path) == {"results": []}
