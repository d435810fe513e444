"""The story of docs/operations.md: 300 vouchers, 20 of them parked, mended, replayed, reconciled, proven."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import mlconnector as mc
from mlconnector.testing import vouchers
from tests.desk.conftest import Office

FIRST, LAST = dt.date(2026, 2, 1), dt.date(2026, 2, 28)
RENAMED = "4362"


def month(office: Office) -> dict[str, list[dict[str, Any]]]:
    """300 vouchers of 50 suppliers: 6 of one that BILL knows by another name, 8 on an account and 8 on a cost centre
    that BILL does not have; two of them have both, so that 20 have a fault.
    """
    tables = vouchers(300, suppliers=50)
    account = {300001 + index for index in range(100, 108)}
    center = {300001 + index for index in range(106, 114)}
    for row in tables["F0911"]:
        if row["DOC"] in account:
            row |= {"OBJ": "6990", "AID": "00000020"}
        if row["DOC"] in center:
            row["MCU"] = "M40"
    tables["F0901"].append(
        {"AID": "00000020", "MCU": "M30", "OBJ": "6990", "CO": "00001", "DL01": "Sundry", "LDA": "6", "CRCD": ""}
    )
    tables["F0006"].append({"MCU": "M40", "STYL": "BP", "CO": "00001", "DL01": "Macon plant"})
    return tables


def master_data(office: Office) -> None:
    """BILL has every supplier, account and cost centre, three of them under other names and numbers."""
    office.payables.add(mc.Account(number="69900", object="69900", description="Sundry"))
    office.payables.add(mc.CostCenter(number="MACON", name="Macon"))
    for supplier in office.jde.suppliers():
        name = "Harbour Castings Ltd" if supplier.number == RENAMED else supplier.name
        row = {"name": name, "billCurrency": "USD", "additionalInfo": {"taxId": supplier.tax_id}}
        office.payables.add(row, resource="vendors")


def gross_of(tables: dict[str, list[dict[str, Any]]]) -> Decimal:
    return sum((row["AG"] for row in tables["F0411"]), Decimal(0))


def bills(office: Office) -> list[Decimal]:
    return [Decimal(str(bill["amount"])) for bill in office.payables.contents["bills"]]


def mapping(office: Office, path: Path) -> Path:
    """What the operator types into a sheet: who is who."""
    has = office.payables.contents
    vendor = next(row["id"] for row in has["vendors"] if row["name"] == "Harbour Castings Ltd")
    account = next(row["id"] for row in has["chart-of-accounts"] if row["name"] == "Sundry")
    center = next(row["id"] for row in has["departments"] if row["name"] == "Macon")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "jdedwards", "bill"])
        writer.writerow(["supplier", RENAMED, vendor])
        writer.writerow(["account", "6990", account])
        writer.writerow(["cost_center", "M40", center])
    return path


def test_the_operators_day(office: Office, tmp_path: Path) -> None:
    tables = month(office)
    total = gross_of(tables)
    office.furnish(tables)
    master_data(office)
    office.clock.advance(dt.timedelta(hours=1))
    flow, ledger = office.flow(), office.ledger

    # The night: 280 go, 20 are parked, each with every fault.
    kind = flow.run().kinds["invoices"]
    assert (kind.read, kind.delivered, kind.parked) == (300, 280, 20)
    parked = ledger.deliveries(state="parked")
    faults = [fault for one in parked for fault in one.faults]
    assert sum("cost center" in fault for fault in faults) >= 8
    both = [one for one in parked if {"account", "cost center"} <= set(named(one))]
    assert len(both) == 2
    assert len(ledger.worklist.items("jde_to_bill")) == 20

    # The morning: who is missing, and what it holds up. Nothing is written by asking.
    writes, events = office.writes(), ledger.head()
    before = flow.align()
    held = {item.here_id.strip(): item for item in before.problems if item.documents}
    assert set(held) == {RENAMED, "6990", "M40"}
    assert [len(held[one].documents) for one in (RENAMED, "6990", "M40")] == [6, 8, 8]
    assert held[RENAMED].amount == {"USD": sum(gross_by_key(office)[key] for key in held[RENAMED].documents)}
    assert not before.ok
    assert {item.there_name for item in before.missing_here} == {"Harbour Castings Ltd"}
    open_items = flow.reconcile(FIRST, LAST)
    assert len(open_items.of("parked")) == len(open_items.findings) == 20
    assert open_items.closes

    # The mapping comes from a sheet: looked at first, then loaded with actor and reason.
    sheet = mapping(office, tmp_path / "mapping.csv")
    preview = ledger.crosswalk.preview(sheet)
    assert (len(preview.linked), preview.ok, ledger.crosswalk.links("account")) == (3, True, [])
    assert (office.writes(), ledger.head()) == (writes, events)
    assert ledger.crosswalk.load(sheet, actor="jane", reason="month-end mapping, ticket 4711") == 3

    # Replay: looked at first, then sent, each once.
    shown = flow.replay(dry_run=True)
    assert (len(shown.previews), [one for one in shown.previews if one.faults], office.writes()) == (20, [], writes)
    assert flow.replay(actor="jane", reason="mapping loaded").kinds["invoices"].delivered == 20
    assert flow.run().kinds["invoices"].delivered == 0
    assert len(bills(office)) == 300
    assert sum(bills(office)) == total
    assert len({one.target_id for one in ledger.deliveries(state="delivered")}) == 300

    # One vendor has another name there: written only when told to, and only that.
    writes = office.writes()
    assert [item.here_id for item in flow.align().problems] == [RENAMED]
    assert office.writes() == writes
    written = flow.align(write=True, actor="jane", reason="JD Edwards owns the name")
    assert [item.here_id for item in written.items if item.written] == [RENAMED]
    assert office.writes() == writes + 1
    assert flow.align().empty

    # Month-end, to the cent.
    closed = flow.reconcile(FIRST, LAST)
    balance = closed.balance("invoices", "00001", "USD")
    assert closed.closes
    assert (balance.read, balance.count) == (300, {"delivered": 300})
    assert balance.amount == balance.sent == balance.there == total
    assert closed.ok

    # The auditor has the file and, from another place, the head; he needs no ledger.
    ledger.export_audit(tmp_path / "audit.jsonl")
    assert mc.Ledger.verify_export(tmp_path / "audit.jsonl", head=ledger.head()) == ledger.verify()
    told = (tmp_path / "audit.jsonl").read_text(encoding="utf-8")
    assert "ticket 4711" in told
    assert '"jane"' in told


def named(delivery: mc.delivery.Delivery) -> list[str]:
    """What its faults are about."""
    words = ("account", "cost center", "vendor")
    return [word for word in words for fault in delivery.faults if word in fault]


def gross_by_key(office: Office) -> dict[str, Decimal]:
    return {f"00001/PV/{row['DOC']}/001": row["AG"] for row in office.erp.contents["F0411"]}
