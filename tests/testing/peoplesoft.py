"""A bare requests client of the PeopleSoft simulator: what the tests send is what stands in them."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import requests

from mlconnector.testing import ManualClock
from mlconnector.testing._peoplesoft import PeopleSoftSimulator

NOON = dt.datetime(2026, 3, 2, 20, 0, tzinfo=dt.UTC)
"""12:00 at the simulator's database, UTC-8."""

WINDOW = {"FROM_DT": "2026-03-01", "TO_DT": "2026-03-03"}
ORDERS = {"BU": "US001", **WINDOW, "AFTER_ID": ""}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


def simulator(**options: Any) -> PeopleSoftSimulator:
    options.setdefault("clock", ManualClock(NOON))
    return PeopleSoftSimulator(**options)


def get(
    psft: PeopleSoftSimulator,
    query: str,
    prompts: dict[str, str] | None = None,
    *,
    tail: str = "JSON/NONFILE",
    owner: str = "PUBLIC",
    node: str = "PSFT_EP",
    operation: str = "ExecuteQuery.v1",
    headers: dict[str, str] | None = None,
    **parameters: Any,
) -> requests.Response:
    parts = {"isconnectedquery": "N", "maxrows": 100, "json_resp": "true"}
    if prompts:
        parts |= {"prompt_uniquepromptname": ",".join(prompts), "prompt_fieldvalue": ",".join(prompts.values())}
    parts |= parameters
    text = "&".join(f"{name}={value}" for name, value in parts.items() if value is not None)
    url = f"{psft.url}/PSIGW/RESTListeningConnector/{node}/{operation}/{owner}/{query}/{tail}?{text}"
    auth = None if headers else (psft.username, psft.password)
    return requests.get(url, auth=auth, headers=headers, timeout=5)


def rows(psft: PeopleSoftSimulator, query: str, prompts: dict[str, str] | None = None, **options: Any) -> Any:
    answer = get(psft, query, prompts, **options)
    assert answer.status_code == 200, (answer.status_code, answer.text)
    body = answer.json(parse_float=Decimal)
    assert body["status"] == "success"
    found = body["data"]["query"]
    assert found["numrows"] == len(found["rows"])
    return found["rows"]


def tree(answer: requests.Response) -> ET.Element:
    return ET.fromstring(answer.content)


def named(root: ET.Element, name: str) -> list[ET.Element]:
    return [node for node in root.iter() if node.tag.rpartition("}")[2] == name]


def text(root: ET.Element, name: str) -> str | None:
    return named(root, name)[0].text


def soap(
    psft: PeopleSoftSimulator,
    component: str,
    action: str,
    inside: str,
    *,
    login: tuple[str, str] | None = None,
    namespace: str | None = None,
    soap_action: str | None = None,
    version: str = "1.1",
    path: str = "/PSFT_EP",
    header: str | None = None,
    **options: Any,
) -> requests.Response:
    suffix = {"Create": "C", "Get": "G", "Update": "UP", "Updatedata": "UD"}[action]
    operation = f"CI_{component}_{suffix}.V1" if soap_action is None else soap_action
    user, password = login or (psft.username, psft.password)
    space = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
    if header is None:
        header = (
            f'<wsse:Security soapenv:mustUnderstand="1" xmlns:wsse="{WSSE}"><wsse:UsernameToken><wsse:Username>'
            f"{escape(user)}</wsse:Username><wsse:Password>{escape(password)}</wsse:Password></wsse:UsernameToken>"
            "</wsse:Security>"
        )
    namespace = namespace or psft.namespace(component, action)
    name = f"{action}__CompIntfc__{component}"
    body = (
        f'<soapenv:Envelope xmlns:soapenv="{space[version]}" xmlns="{namespace}"><soapenv:Header>{header}'
        f"</soapenv:Header><soapenv:Body><{name}>{inside}</{name}></soapenv:Body></soapenv:Envelope>"
    )
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": operation}
    if version == "1.2":
        headers = {"Content-Type": f'application/soap+xml; charset=UTF-8; action="{operation}"'}
    url = f"{psft.url}/PSIGW/PeopleSoftServiceListeningConnector{path}"
    return requests.post(url, data=body.encode(), headers=headers, timeout=5, **options)


_FIELD_TYPES = """
<VCHR_HDR_STG class="R"><BUSINESS_UNIT type="CHAR"/><VOUCHER_ID type="CHAR"/><INVOICE_ID type="CHAR"/>
<INVOICE_DT type="DATE"/><VENDOR_SETID type="CHAR"/><VENDOR_ID type="CHAR"/><GROSS_AMT type="NUMBER"/>
<FREIGHT_AMT type="NUMBER"/><TXN_CURRENCY_CD type="CHAR"/></VCHR_HDR_STG>
<VCHR_LINE_STG class="R"><BUSINESS_UNIT type="CHAR"/><VOUCHER_LINE_NUM type="NUMBER"/><BUSINESS_UNIT_PO type="CHAR"/>
<PO_ID type="CHAR"/><LINE_NBR type="NUMBER"/><SCHED_NBR type="NUMBER"/><MERCHANDISE_AMT type="NUMBER"/>
<QTY_VCHR type="NUMBER"/><UNIT_PRICE type="NUMBER"/></VCHR_LINE_STG>
<VCHR_DIST_STG class="R"><ACCOUNT type="CHAR"/><MERCHANDISE_AMT type="NUMBER"/></VCHR_DIST_STG>
<PSCAMA class="R"><LANGUAGE_CD type="CHAR"/><AUDIT_ACTN type="CHAR"/></PSCAMA>
"""
PSCAMA = '<PSCAMA class="R"><LANGUAGE_CD>ENG</LANGUAGE_CD><AUDIT_ACTN>A</AUDIT_ACTN></PSCAMA>'


def voucher(
    *, invoice: str = "FICT-1001", date: str = "2026/02/03", gross: str = "125.50", order: str = "", **replaced: str
) -> str:
    purchase = f"<PO_ID>{order}</PO_ID><LINE_NBR>1</LINE_NBR><SCHED_NBR>1</SCHED_NBR>" if order else ""
    message = (
        f'<?xml version="1.0"?><VOUCHER_BUILD><FieldTypes>{_FIELD_TYPES}</FieldTypes><MsgData><Transaction>'
        f'<VCHR_HDR_STG class="R"><BUSINESS_UNIT>US001</BUSINESS_UNIT><VOUCHER_ID>NEXT</VOUCHER_ID>'
        f"<INVOICE_ID>{invoice}</INVOICE_ID><INVOICE_DT>{date}</INVOICE_DT><VENDOR_SETID>SHARE</VENDOR_SETID>"
        f"<VENDOR_ID>0000000042</VENDOR_ID><GROSS_AMT>{gross}</GROSS_AMT><FREIGHT_AMT>5.00</FREIGHT_AMT>"
        f'<TXN_CURRENCY_CD>USD</TXN_CURRENCY_CD><VCHR_LINE_STG class="R"><BUSINESS_UNIT>US001</BUSINESS_UNIT>'
        f"<VOUCHER_LINE_NUM>1</VOUCHER_LINE_NUM>{purchase}<MERCHANDISE_AMT>120.50</MERCHANDISE_AMT>"
        f"<QTY_VCHR>10</QTY_VCHR><UNIT_PRICE>12.05</UNIT_PRICE></VCHR_LINE_STG>{PSCAMA}</VCHR_HDR_STG>{PSCAMA}"
        "</Transaction></MsgData></VOUCHER_BUILD>"
    )
    for old, new in replaced.items():
        assert f"<{old}" in message
        message = message.replace(f"<{old}", new)
    return message


def request(content: str, *, operation: str = "VOUCHER_BUILD.VERSION_1", **parts: str) -> str:
    known = {"kind": "async", "from": "ML_CONNECTOR", "password": "", "to": "PSFT_EP"} | parts
    return (
        f"<IBRequest><ExternalOperationName>{operation}</ExternalOperationName><OperationType>{known['kind']}"
        f"</OperationType><From><RequestingNode>{known['from']}</RequestingNode><Password>{known['password']}</Password>"
        f"</From><To><DestinationNode>{known['to']}</DestinationNode></To><ContentSections><ContentSection>"
        f"<Data><![CDATA[{content}]]></Data></ContentSection></ContentSections></IBRequest>"
    )


def send(psft: PeopleSoftSimulator, body: str, **headers: str) -> ET.Element:
    url = f"{psft.url}/PSIGW/HttpListeningConnector"
    answer = requests.post(url, data=body.encode(), headers={"Content-Type": "text/xml", **headers}, timeout=5)
    assert answer.status_code == 200
    return tree(answer)
