"""Month-end: the source is counted again, and every difference has a name (rules B10, B81)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from mlconnector.testing import vouchers
from tests.desk.conftest import Office

FIRST, LAST = dt.date(2026, 2, 1), dt.date(2026, 2, 28)
COUNT = 412
CURRENCIES = ("USD", "EUR", "GBP")
LATE, VOID, PAID, CHANGED = 300005, 300010, 300015, 300019


def february(count: int = COUNT) -> dict[str, list[dict[str, Any]]]:
    """Vouchers of 48 suppliers in three currencies; one is not posted yet."""
    odd: dict[int, list[Any]] = {index: ["foreign"] for index in range(count) if index % 3}
    odd.setdefault(LATE - 300001, []).append("unposted")
    tables = vouchers(count, suppliers=48, odd=odd)
    for table in ("F0411", "F0911"):
        for row in tables[table]:
            if row["CRCD"] == "EUR" and (row["DOC"] - 300001) % 3 == 2:
                row["CRCD"] = "GBP"
    return tables


def vendors(office: Office) -> None:
    """Every supplier is paid in the currency of its vouchers."""
    for supplier in office.jde.suppliers():
        currency = CURRENCIES[(int(supplier.number) - 4343) % 3]
        row = {"name": supplier.name, "billCurrency": currency, "additionalInfo": {"taxId": supplier.tax_id}}
        office.payables.add(row, resource="vendors")


def pay_item(office: Office, number: int) -> dict[str, Any]:
    (row,) = (row for row in office.erp.contents["F0411"] if row["DOC"] == number)
    return dict(row)


def change(office: Office, number: int, table: str = "F0411", **columns: Any) -> None:
    key = ("DOC", "DCT", "KCO", "SFX") if table == "F0411" else ("DCT", "DOC", "KCO", "DGJ", "JELN", "LT")
    for row in [dict(row) for row in office.erp.contents[table] if row["DOC"] == number]:
        office.erp.update(table, {name: row[name] for name in key}, **columns)


def bill_of(office: Office, number: int) -> str:
    (delivery,) = (one for one in office.ledger.deliveries(key=f"00001/PV/{number}/001") if one.state == "delivered")
    assert delivery.target_id is not None
    return delivery.target_id


def test_a_february_of_412_vouchers_names_four_and_nothing_else(office: Office) -> None:
    office.furnish(february())
    vendors(office)
    office.clock.advance(dt.timedelta(hours=1))
    flow = office.flow()
    first = flow.run().kinds["invoices"]
    assert (first.delivered, first.waiting, first.parked) == (COUNT - 1, 1, 0)

    # March: one is posted late, one is voided, one is paid in part, and somebody corrects a bill by hand.
    office.clock.advance(dt.timedelta(days=7))
    change(office, LATE, POST="D")
    change(office, LATE, "F0911", POST="P")
    change(office, VOID, VOD="V", PST="P", AAP=Decimal(0), FAP=Decimal(0))
    row = pay_item(office, PAID)
    change(office, PAID, AAP=row["AAP"] - 40, FAP=row["FAP"] - 32 if row["FAP"] else row["FAP"])
    silent = bill_of(office, CHANGED)
    bill = next(one for one in office.payables.contents["bills"] if one["id"] == silent)
    lines = [dict(line) for line in bill["billLineItems"]]
    lines[0]["amount"] = Decimal(str(lines[0]["amount"])) + Decimal("0.01")
    office.payables.update("bills", silent, billLineItems=lines)
    office.clock.advance(dt.timedelta(hours=1))
    flow.run()

    writes, head = office.writes(), office.ledger.head()
    found = flow.reconcile(FIRST, LAST)
    assert (office.writes(), office.ledger.head()) == (writes, head)
    assert sorted((one.what, one.key.split("/")[2]) for one in found.findings) == [
        ("amount there", str(CHANGED)),
        ("late", str(LATE)),
        ("part paid", str(PAID)),
        ("void", str(VOID)),
    ]
    (silently,) = found.of("amount there")
    assert (silently.difference, silently.there) == (Decimal("0.01"), silent)
    assert all(one.age is not None for one in found.findings)

    # Counts and sums close by company and currency, and the cent is where the finding says.
    assert found.closes
    assert [one.currency for one in found.balances] == sorted(CURRENCIES)
    assert sum(one.read for one in found.balances) == COUNT
    for currency in CURRENCIES:
        balance = found.balance("invoices", "00001", currency)
        column = "AG" if currency == "USD" else "ACR"
        total = sum(
            (one[column] for one in office.erp.contents["F0411"] if one["CRCD"] == currency and not one["VOD"]),
            Decimal(0),
        )
        assert balance.amount == total
        assert balance.there is not None
        assert balance.there - balance.sent == sum(
            (one.difference for one in found.of("amount there") if one.currency == currency), Decimal(0)
        )
    assert "closes, 4 findings" in str(found)
    assert "amount there" in found._repr_html_()
