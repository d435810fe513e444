"""A small PeopleSoft site on a real socket: queries with prompts and a cap, messages, one component interface."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import mlconnector as mc
from mlconnector.peoplesoft import PeopleSoft
from mlconnector.peoplesoft._queries import OPTIONAL, QUERIES
from mlconnector.peoplesoft._xml import element, parse
from mlconnector.testing import ManualClock, Simulator
from mlconnector.testing._wire import Answer, Refused, Request, json_answer

Row = dict[str, Any]
DATES = {
    "ML_PO_HDR": ("A.LAST_DTTM_UPDATE",),
    "ML_VOUCHER": ("A.LAST_UPDATE_DT", "A.ENTERED_DT"),
    "ML_PAYMENT": ("A.PYMNT_DT",),
}
SAME = {
    "BU": "BUSINESS_UNIT",
    "SETID": "SETID",
    "PO": "PO_ID",
    "ORDER": "PO_ID",
    "UNIT": "BUSINESS_UNIT",
    "VOUCHER": "VOUCHER_ID",
    "VENDOR": "VENDOR_ID",
    "INVOICE": "INVOICE_ID",
}
OK = '<?xml version="1.0"?><IBResponse type="{kind}"><StatusCode>{code}</StatusCode>{rest}</IBResponse>'


class Site(Simulator):
    """The site. ``rows`` by query; ``cap`` of the user's profile; ``shape`` of answers."""

    def __init__(self, *, clock: ManualClock | None = None, cap: int | None = None, shape: str = "json") -> None:
        super().__init__(clock=clock or ManualClock(), lock_after=None)
        self.rows: dict[str, list[Row]] = {query.name: [] for query in QUERIES.values()}
        self.cap, self.shape, self.ignored = cap, shape, set[str]()
        self.names: dict[str, str] = {}
        self.messages: list[str] = []
        self.envelopes: list[str] = []
        self.created: dict[str, str] = {}
        self.refusal = ""
        self.order: dict[str, str] = {}
        self.builds = False
        self._index: dict[str, list[Row]] = {}
        self._indexed = 0

    def client(self, **options: Any) -> PeopleSoft:
        given = {
            "auth": mc.HTTPBasic(self.username, self.password),
            "business_units": ["US001"],
            "setids": ["SHARE"],
            "clock": self.clock,
            "retry": mc.Retry(attempts=3),
        }
        return PeopleSoft(self.url, **{**given, **options})

    def add(self, query: str, *rows: Mapping[str, Any]) -> None:
        self.rows.setdefault(query, []).extend(dict(row) for row in rows)

    def queries_run(self, name: str = "") -> list[Mapping[str, str]]:
        return [call.query for call in self.calls if "ExecuteQuery" in call.path and f"/{name}" in call.path]

    def _work(self, request: Request) -> Answer:
        if request.path == "/PSIGW/HttpListeningConnector":
            return self._message(request)
        if request.path.startswith("/PSIGW/PeopleSoftServiceListeningConnector/PSFT_EP"):
            return self._component(request)
        self._authorize(request)
        parts = request.path.split("/")
        if parts[:5] != ["", "PSIGW", "RESTListeningConnector", "PSFT_EP", "ExecuteQuery.v1"]:
            raise Refused(Answer(status=404, body=b"", content_type="text/html"))
        owner, name, result, form = parts[5:]
        assert (owner, form) == ("PUBLIC", "NONFILE")
        assert request.query["isconnectedquery"] == "N"
        if name not in self.rows:
            raise Refused(Answer(status=500, body=b"", content_type="text/html"))
        rows = self._selected(name, request)
        return self._xmlp(name, rows) if result == "XMLP" else self._json(name, rows)

    def _authorize(self, request: Request) -> None:
        expected = "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if request.headers.get("authorization") not in (expected, "Bearer good"):
            raise Refused(Answer(status=401, body=b"", content_type="text/html"))

    def _selected(self, name: str, request: Request) -> list[Row]:
        names = request.query.get("prompt_uniquepromptname", "").split(",")
        values = request.query.get("prompt_fieldvalue", "").split(",")
        assert len(names) == len(values)
        prompts = dict(zip(names, values, strict=True))
        known = {**QUERIES, **OPTIONAL}.values()
        query = next((one for one in known if self.names.get(name, name) in (one.name, one.entity)), None)
        order = tuple(self.order.get(field, field) for field in query.order) if query else ("ID",)
        held = self.rows[name]
        if "PO" in prompts and "PO" not in self.ignored:
            held = self._of_order(prompts["PO"])
        rows = [row for row in held if self._fits(name, row, prompts, order[0])]
        rows.sort(key=lambda row: tuple(f"{row.get(field, '')!s:0>12}" for field in order))
        rows = rows[: min(int(request.query["maxrows"]), self.cap or 10**9)]
        columns = request.query.get("filterfields")
        return [{key: row[key] for key in columns.split(",")} for row in rows] if columns else rows

    def _of_order(self, number: str) -> list[Row]:
        if self._indexed != len(self.rows["ML_PO_LINE"]):
            self._index.clear()
            for row in self.rows["ML_PO_LINE"]:
                self._index.setdefault(row.get("A.PO_ID", number), []).append(row)
            self._indexed = len(self.rows["ML_PO_LINE"])
        return self._index.get(number, [])

    def _fits(self, name: str, row: Row, prompts: Mapping[str, str], key: str) -> bool:
        for prompt, value in prompts.items():
            if prompt in self.ignored:
                continue
            if prompt in ("AFTER_ID", "AFTER") and str(row[key]).rstrip() <= value:
                return False
            field = SAME.get(prompt)
            held = [
                v for k, v in row.items() if field and k in (f"A.{field}", f"B.{field}", field, f"A.VENDOR_{field}")
            ]
            if held and str(held[0]).rstrip() != value:
                return False
        dates = [str(row[field])[:10] for field in DATES.get(name, ()) if row.get(field)]
        return not dates or prompts.get("FROM_DT", "") <= dates[0] <= prompts.get("TO_DT", "9999")

    def _json(self, name: str, rows: Iterable[Row]) -> Answer:
        found = [{"attr:rownumber": index, **row} for index, row in enumerate(rows, 1)]
        query: dict[str, Any] = {"numrows": len(found), "queryname=": name, "rows": found}
        if not found:
            del query["rows"]
        answer = json_answer({"status": "success", "data": {"query": query}})
        return Answer(body=b"\xef\xbb\xbf" + answer.body) if self.shape == "bom" else answer

    def _xmlp(self, name: str, rows: Iterable[Row]) -> Answer:
        found = list(rows)
        inner = "".join(
            element(
                "row",
                attributes=f'rownumber="{index}"',
                raw="".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in row.items()),
            )
            for index, row in enumerate(found, 1)
        )
        text = f'<query xmlns="http://xmlns.oracle.com/X" numrows="{len(found)}" queryname="{name}">{inner}</query>'
        return Answer(body=text.encode(), content_type="application/xml")

    def _message(self, request: Request) -> Answer:
        root = parse(request.raw)
        kind, password = root.text_of("OperationType"), root.text_of("Password")
        if root.text_of("RequestingNode") != "ML_CONNECTOR" or password != "node-secret":
            rest = "<MessageID>10</MessageID><DefaultMessage><![CDATA[No routing. (158,505)]]></DefaultMessage>"
            return Answer(body=OK.format(kind="error", code=20, rest=rest).encode(), content_type="text/xml")
        if kind == "async":
            self.messages.append(root.text_of("Data"))
            if self.builds:
                self.build(staged=True)
        rest = f"<TransactionID>T{len(self.messages)}</TransactionID>"
        return Answer(body=OK.format(kind="success", code=0, rest=rest).encode(), content_type="text/xml")

    def build(self, *, staged: bool = False, **changes: Any) -> None:
        """What the subscription or Voucher Build makes of the latest message."""
        header = parse(self.messages[-1].encode()).find("MsgData").find("VCHR_HDR_STG")
        head = {f"A.{one.name}": one.text for one in header.children if not one.children}
        head |= {"A.INVOICE_DT": head["A.INVOICE_DT"].replace("/", "-"), "A.GROSS_AMT": Decimal(head["A.GROSS_AMT"])}
        if staged:
            self.add("SITE_STAGED", {**head, **changes})
        else:
            self.add("ML_VOUCHER", voucher("00000777", **{**head, "A.VOUCHER_ID": "00000777", **changes}))

    def _component(self, request: Request) -> Answer:
        if request.path.endswith(".wsdl"):
            schema = (
                '<schema targetNamespace="http://x/M1.V1"><element name="Create__CompIntfc__ML_CI"/></schema>'
                '<schema targetNamespace="http://x/M2.V1"><element name="Get__CompIntfc__ML_CI"/></schema>'
            )
            return Answer(body=f"<definitions><types>{schema}</types></definitions>".encode(), content_type="text/xml")
        root = parse(request.raw)
        self.envelopes.append(request.raw.decode())
        if root.text_of("Username") != self.username or root.text_of("Password") != self.password:
            fault = (
                "<E><Fault><faultstring>null</faultstring><detail><IBResponse type='error'><DefaultMessage>"
                "User password failed. (158,45)</DefaultMessage><MessageParameters><Parameter>ANONYMOUS</Parameter>"
                "</MessageParameters></IBResponse></detail></Fault></E>"
            )
            return Answer(status=500, body=fault.encode(), content_type="text/xml")
        body = root.find("Body").children[0]
        inner = "".join(element(one.name, one.text) for one in body.children if not one.children)
        if self.refusal:
            said = element("type", "ERROR") + element("messagetext", self.refusal)
            inner = element("notification", "0") + element("messages", raw=said)
        reply = element(f"{body.name}Response", raw=inner)
        answer = f"<e:Envelope xmlns:e='x'><e:Body>{reply}</e:Body></e:Envelope>"
        return Answer(body=answer.replace(">NEXT<", ">00000888<").encode(), content_type="text/xml")


def order(number: int, unit: str = "US001", stamp: str = "2026-03-01T08:00:00-0800", **changes: Any) -> Row:
    row = {
        "A.BUSINESS_UNIT": unit,
        "A.PO_ID": f"{number:010}",
        "A.PO_STATUS": "D",
        "A.HOLD_STATUS": "N",
        "A.DISP_METHOD": "PRN",
        "A.VENDOR_SETID": "SHARE",
        "A.VENDOR_ID": "0000000042",
        "A.CURRENCY_CD": "USD",
        "A.PO_DT": "2026-01-14",
        "A.PO_TYPE": "GEN ",
        "A.BUYER_ID": " ",
        "A.LAST_DTTM_UPDATE": stamp,
    }
    return {**row, **{name if "." in name else f"A.{name}": value for name, value in changes.items()}}


def line(
    number: int, at: int = 1, schedule: int = 1, distribution: int = 1, unit: str = "US001", **changes: Any
) -> Row:
    row = {
        "A.BUSINESS_UNIT": unit,
        "A.PO_ID": f"{number:010}",
        "A.LINE_NBR": at,
        "A.CANCEL_STATUS": "A",
        "A.INV_ITEM_ID": "WIDGET  ",
        "A.ITM_ID_VNDR": " ",
        "A.DESCR254_MIXED": "A widget",
        "A.UNIT_OF_MEASURE": "EA",
        "B.SCHED_NBR": schedule,
        "B.CANCEL_STATUS": "A",
        "B.QTY_PO": 10,
        "B.PRICE_PO": Decimal("12.05"),
        "B.MERCHANDISE_AMT": Decimal("120.5"),
        "B.DUE_DT": "2026-04-01",
        "B.SHIPTO_ID": "DOCK1",
        "C.DISTRIB_LINE_NUM": distribution,
        "C.ACCOUNT": "640000",
        "C.DEPTID": "13000",
        "C.QTY_PO": 10,
        "C.MERCHANDISE_AMT": Decimal("120.5"),
    }
    return {**row, **changes}


def voucher(number: str, unit: str = "US001", day: str = "2026-03-01", **changes: Any) -> Row:
    row = {
        "A.BUSINESS_UNIT": unit,
        "A.VOUCHER_ID": number,
        "A.INVOICE_ID": f"INV-{number}",
        "A.INVOICE_DT": "2026-02-03",
        "A.VENDOR_SETID": "SHARE",
        "A.VENDOR_ID": "0000000042",
        "A.GROSS_AMT": Decimal("130.5"),
        "A.TXN_CURRENCY_CD": "USD",
        "A.ENTRY_STATUS": "P",
        "A.APPR_STATUS": "A",
        "A.MATCH_STATUS_VCHR": "M",
        "A.POST_STATUS_AP": "P",
        "A.VOUCHER_STYLE": "REG",
        "A.FREIGHT_AMT": 6,
        "A.SALETX_AMT": 4,
        "A.DESCR254_MIXED": " ",
        "A.LAST_UPDATE_DT": day,
    }
    return {**row, **changes}


def voucher_line(number: str, at: int = 1, distribution: int = 1, unit: str = "US001", **changes: Any) -> Row:
    row = {
        "A.BUSINESS_UNIT": unit,
        "A.VOUCHER_ID": number,
        "A.VOUCHER_LINE_NUM": at,
        "A.DESCR": "A widget",
        "A.PO_ID": "0000000101",
        "A.LINE_NBR": 1,
        "A.QTY_VCHR": 10,
        "A.UNIT_OF_MEASURE": "EA",
        "A.UNIT_PRICE": Decimal("12.05"),
        "A.MERCHANDISE_AMT": Decimal("120.5"),
        "B.DISTRIB_LINE_NUM": distribution,
        "B.ACCOUNT": "640000",
        "B.DEPTID": "13000",
        "B.MERCHANDISE_AMT": Decimal("120.5"),
    }
    return {**row, **changes}


def paid_voucher(payment: str, number: str, amount: str, total: str, unit: str = "US001", **changes: Any) -> Row:
    row = {
        "A.BANK_SETID": "SHARE",
        "A.BANK_CD": "USBNK",
        "A.BANK_ACCT_KEY": "CHCK",
        "A.PYMNT_ID": payment,
        "A.PYMNT_AMT": Decimal(total),
        "A.PYMNT_DT": "2026-03-01",
        "A.PYMNT_STATUS": "P",
        "A.PYMNT_METHOD": "ACH",
        "A.REMIT_VENDOR": "0000000042",
        "A.NAME1": "Acme",
        "A.PYMNT_ID_REF": "000123",
        "B.BUSINESS_UNIT": unit,
        "B.VOUCHER_ID": number,
        "B.PAID_AMT": Decimal(amount),
        "B.PYMNT_SELCT_STATUS": "P",
    }
    return {**row, **changes}


def numbered(count: int, lines: int = 3) -> tuple[list[Row], list[Row]]:
    orders = [order(number) for number in range(101, 101 + count)]
    details = [line(number, at) for number, at in itertools.product(range(101, 101 + count), range(1, lines + 1))]
    return orders, details
