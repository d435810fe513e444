"""The file of trading partners: every line can be imported, since one that cannot aborts all of them."""

from __future__ import annotations

import csv
from pathlib import Path

import mlconnector as mc
from mlconnector import flows, x12

ACME = x12.Partner(sender=x12.Id("ZZ", "US"), receiver=x12.Id("01", "123456789"), usage="T")
BOLT = x12.Partner(sender=x12.Id("ZZ", "US"), receiver=x12.Id("ZZ", "BOLT"), usage="T")


def test_every_line_has_an_interchange_identifier_or_a_business_address(tmp_path: Path) -> None:
    address = mc.Address(
        lines=["1 Main St", "Unit 4", "Rear"], city="Macon", state="GA", postal_code="31201", country="US"
    )
    people = [mc.Contact(name="Mary Ann Poe", email=" mary@acme.example ", phone="1 555")]
    suppliers = [
        mc.Supplier(number="1", name="Acme ", addresses=[address], contacts=people),
        mc.Supplier(number="2", name="Bolt", addresses=[mc.Address(city="Rome")]),
        mc.Supplier(number="3", name="Cord", contacts=people),
        mc.Supplier(number="4", name="Dent"),
    ]
    routes = [
        flows.Route("1", ACME, sends=("850", "860")),
        flows.Route("1", ACME, sends=("810",), folder="other"),
        flows.Route(["2"], BOLT, connection="BOLT-VAN"),
        flows.Route(ledger="AA", format="csv"),
    ]
    assert flows.trading_partners(tmp_path / "partners.csv", suppliers, routes) == 3
    assert flows.trading_partners(tmp_path / "partners.csv", suppliers, flows.Routes(routes)) == 3
    with (tmp_path / "partners.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Trading Partner Alias"], row["Interchange Identifier"], row["Qualifier"]) for row in rows] == [
        ("Acme", "123456789", "01"),
        ("BOLT-VAN", "BOLT", "ZZ"),
        ("Cord", "", ""),
    ]
    assert (rows[0]["First Name"], rows[0]["Last Name"], rows[0]["Address 2"]) == ("Mary Ann", "Poe", "Unit 4, Rear")
    assert all(row["Interchange Identifier"] or (row["Email"] and row["Business"] == "True") for row in rows)
    assert len(rows[0]) == 20
