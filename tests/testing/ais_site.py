"""A site on which every orchestration may run, and calls that are right until a test changes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import requests

from mlconnector.testing import JDEdwardsSimulator, ManualClock, accounts, fiscal_calendar, merge, suppliers, vouchers
from mlconnector.testing._master_data import terms
from tests.testing.ais import Bare

BANK = {"AID": "00110001", "MCU": "1", "OBJ": "1110", "CO": "00001", "DL01": "Clearing bank", "PEC": "M"}
LINE = {"BusinessUnit": "M30", "ObjectAccount": "6110", "Amount": "100.00", "Remark": "Bolts"}
VOUCHER = {
    "Company": "00001",
    "SupplierNumber": "4343",
    "InvoiceNumber": "INV-1",
    "InvoiceDate": "02/27/2026",
    "GLDate": "03/02/2026",
    "GrossAmount": "100.00",
    "CurrencyCode": "USD",
    "PaymentTerms": "030",
    "Remark": "COUPA:9001",
    "Lines": [LINE],
}
JOURNAL = {
    "Company": "00001",
    "GLDate": "03/02/2026",
    "Explanation": "Fees",
    "CurrencyCode": "USD",
    "Reference": "ML000001",
    "Lines": [LINE, {**LINE, "ObjectAccount": "6310", "Amount": "-100.00"}],
}
PAYMENT = {
    "SupplierNumber": "4343",
    "PaymentDate": "03/02/2026",
    "GLDate": "03/02/2026",
    "Amount": "60.00",
    "CurrencyCode": "USD",
    "BankAccountId": "00110001",
    "PaymentReference": "BILL:stp1",
}
KEY = {"VoucherCompany": "00001", "VoucherType": "PV", "VoucherNumber": "300001"}
GROSS = Decimal("100.00")


def site(**options: Any) -> JDEdwardsSimulator:
    """March 2026 is open for Payables and General Accounting; suppliers 4343 to 4345, the last one on hold."""
    jde = JDEdwardsSimulator(**{"clock": ManualClock(), **options})
    jde.add(merge(suppliers(3, on_hold=[4345]), accounts(), terms(), fiscal_calendar(2026, period=3)))
    jde.add(BANK, table="F0901")
    return jde


def with_vouchers(jde: JDEdwardsSimulator, count: int = 1, **options: Any) -> None:
    """Vouchers 300001 and on of supplier 4343, each of 100.00."""
    tables = vouchers(count, suppliers=1, master=False, **options)
    for row in tables["F0411"]:
        whole = "ACR" if row["CRRM"] == "F" else "AG"
        opened = "FAP" if row["CRRM"] == "F" else "AAP"
        sign = -1 if row["DCT"] == "PD" else 1
        row[opened] = sign * GROSS if row[opened] == row[whole] else row[opened] and sign * GROSS / 4
        row[whole] = sign * GROSS
        if whole == "ACR":
            row |= {"AG": sign * GROSS * Decimal("1.25"), "AAP": row["FAP"] * Decimal("1.25")}
    jde.add(tables)


class Orchestrator(Bare):
    def run(self, name: str, inputs: Any, version: str = "/v3", **options: Any) -> requests.Response:
        return self.post(f"{version}/orchestrator/{name}", inputs, **options)

    def done(self, name: str, inputs: Any, /, **changes: Any) -> dict[str, Any]:
        answer = self.run(name, {**inputs, **changes})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert body.get("jde__status", "SUCCESS") in {"SUCCESS", "WARNING"}, answer.text
        return body

    def refused(self, name: str, inputs: Any, /, **changes: Any) -> str:
        """The code of the refusal; the tables must be as before."""
        before = {table: self.simulator.contents[table] for table in self.simulator.contents}
        answer = self.run(name, {key: value for key, value in {**inputs, **changes}.items() if value is not ...})
        assert answer.status_code == 500, answer.text
        assert {table: self.simulator.contents[table] for table in self.simulator.contents} == before
        details = answer.json().get("errorDetails")
        return details["errors"][0]["CODE"] if details else "input: " + answer.json()["message"]
