"""A ledger that was restored or lost before Cleo: what its files show is adopted, and nothing goes twice (rule 13)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, ManualClock, orders, vouchers
from tests.delivery.homes import DATABASES, Home, home
from tests.flows.conftest import PARTNER, SUPPLIERS

LINE = {"DCTO": "OP", "KCOO": "00001", "SFXO": "000"}
LATER = dt.timedelta(hours=2)
ROUTE = flows.Route(SUPPLIERS, PARTNER, folder="outbox/ACME", sentbox="sent/ACME", connection="ACME")


@attrs.define
class Site:
    """The systems, and a place for ledgers that come and go."""

    clock: ManualClock
    erp: JDEdwardsSimulator
    network: CleoSimulator
    place: Home
    route: flows.Route = ROUTE
    look_up: str = "reliable"
    kinds: tuple[str, ...] = ("purchase_orders",)

    @property
    def copy(self) -> Path:
        return self.place.folder / "copy.db"

    def run(self, *, recover: bool = False, backup: bool = False) -> mc.Report:
        auth = mc.AISSession(self.erp.username, self.erp.password)
        login = mc.OAuth2Password(self.network.username, self.network.password)
        self.clock.advance(LATER)
        with (
            mc.JDEdwardsAIS(self.erp.url, auth=auth, clock=self.clock, timeout=20) as jde,
            mc.Cleo(self.network.url, auth=login, clock=self.clock, timeout=20) as cleo,
            self.place.open() as ledger,
        ):
            if recover:
                ledger.recover(actor="jane", reason="the disk died")
            options: dict[str, Any] = {"kinds": self.kinds, "look_up": self.look_up}
            report = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=[self.route], **options).run()
            ledger.verify()
            if backup:
                ledger.backup(self.copy)
            return report

    def settled(self) -> mc.Report:
        """After a recovery: the complete read, then what the target says."""
        self.run(recover=True)
        return self.run()

    def deliveries(self) -> list[tuple[str, int, str, str]]:
        with self.place.open() as ledger:
            return [(one.key, one.revision, one.state, one.detail) for one in ledger.deliveries()]

    def quantity(self, number: int, quantity: int) -> None:
        where = {"DOCO": number, "LNID": 1, **LINE}
        line = next(row for row in self.erp.contents["F4311"] if row["DOCO"] == number and int(row["LNID"]) == 1)
        amount = quantity * line["PRRC"]
        self.erp.update("F4311", where, UORG=quantity, UOPN=quantity, AEXP=amount, AOPN=amount)

    def sent(self) -> list[x12.TransactionSet]:
        return [ts for upload in self.network.uploads for ts in x12.read(upload.data)]

    def codes(self) -> Counter[str]:
        return Counter(ts.code for ts in self.sent())

    def numbers(self) -> list[tuple[int, int]]:
        """ISA13 and GS06 of everything that was ever sent; none is there twice."""
        pairs = [(ts.interchange, ts.group) for ts in self.sent()]
        found = [(int(isa.control_number), int(gs.control_number)) for isa, gs in pairs if isa and gs]
        assert len({isa for isa, _gs in found}) == len(found)
        groups = [(gs.functional_id, gs.control_number) for _isa, gs in pairs if gs]
        assert len(set(groups)) == len(groups)
        return found


@pytest.fixture(params=DATABASES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    clock = ManualClock(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    with (
        JDEdwardsSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        home(request.param, tmp_path, clock) as place,
    ):
        network.add({"alias": "ACME", "outbox": "outbox/ACME", "sentbox": "sent/ACME"})
        yield Site(clock, erp, network, place)


def test_a_ledger_from_an_old_backup_adopts_what_was_sent_since(site: Site) -> None:
    site.erp.add(orders(3))
    site.run(backup=True)
    site.quantity(50001, 700)
    site.erp.add(orders(2, first_number=50101, seed=2, master=False))
    site.run()
    site.network.transmit()
    site.erp.add(orders(1, first_number=50201, seed=3, master=False))
    site.run()
    assert site.codes() == {"850": 6, "860": 1}
    site.place.put_back(site.copy)
    with pytest.raises(mc.LedgerRestored):
        site.run()
    report = site.settled()
    assert report.ok
    assert site.codes() == {"850": 6, "860": 1}
    assert {state for _key, _revision, state, _detail in site.deliveries()} == {"delivered"}
    site.quantity(50001, 800)
    site.erp.add(orders(1, first_number=50301, seed=4, master=False))
    site.run()
    assert site.codes() == {"850": 7, "860": 2}
    (last,) = [ts for ts in site.sent() if ts.code == "860" and next(iter(ts.all("POC")))[3] == "800"]
    assert next(iter(last.all("BCH")))[5] == "2"
    site.numbers()


def test_a_lost_ledger_adopts_everything(site: Site) -> None:
    site.kinds = ("purchase_orders", "invoices")
    site.erp.add(orders(4))
    site.erp.add(vouchers(3))
    site.run()
    before = site.numbers()
    site.network.transmit()
    site.place.lose()
    report = site.settled()
    assert report.ok
    assert {kind: one.delivered for kind, one in report.kinds.items()} == {"purchase_orders": 4, "invoices": 3}
    assert len(site.sent()) == len(before)
    site.quantity(50002, 900)
    site.run()
    assert site.codes() == {"850": 4, "810": 3, "860": 1}
    site.numbers()


def test_a_ledger_lost_with_its_high_water_file_takes_numbers_above_those_in_the_names(site: Site) -> None:
    site.erp.add(orders(4))
    site.run()
    site.place.lose()
    site.place.high_water.unlink()
    assert site.settled().ok
    site.erp.add(orders(1, first_number=50101, seed=2, master=False))
    site.run()
    assert site.numbers()[4:] == [(5, 5)]


def test_what_changed_meanwhile_goes_out_upon_what_the_partner_has(site: Site) -> None:
    site.erp.add(orders(2))
    site.run(backup=True)
    site.quantity(50001, 700)
    site.run()
    site.place.put_back(site.copy)
    site.quantity(50002, 300)
    site.settled()
    assert site.run().ok
    assert site.codes() == {"850": 2, "860": 2}
    site.numbers()


def test_a_change_whose_base_is_lost_is_a_persons_matter(site: Site) -> None:
    """The newest file is an 860: it says what changed, not what the order is now. It is parked, never sent again."""
    site.erp.add(orders(2))
    site.run()
    site.quantity(50001, 700)
    site.run()
    site.place.lose()
    site.settled()
    assert site.codes() == {"850": 2, "860": 1}
    assert sorted(row[1:] for row in site.deliveries()) == [(1, "delivered", ""), (1, "parked", "conflict")]


def test_where_only_a_transfer_tells_of_it_a_person_is_asked(site: Site) -> None:
    """Its name proves that something went, and with which number; not what it said."""
    site.route = attrs.evolve(ROUTE, sentbox=None)
    site.erp.add(orders(2))
    site.run(backup=True)
    site.erp.add(orders(1, first_number=50101, seed=2, master=False))
    site.run()
    site.network.transmit()
    site.place.put_back(site.copy)
    site.settled()
    assert site.codes() == {"850": 3}
    states = {key: (state, detail) for key, _revision, state, detail in site.deliveries()}
    assert states["00001/OP/50101"] == ("parked", "in doubt")
    site.erp.add(orders(1, first_number=50201, seed=3, master=False))
    site.run()
    site.numbers()


def test_a_file_is_known_by_its_name_where_its_bytes_were_kept(site: Site) -> None:
    """The ledger of the backup was about to send it; its name is proof enough, wherever it is now."""
    site.route = attrs.evolve(ROUTE, sentbox=None)
    site.erp.add(orders(1))
    site.network.fail(drop="after", match="files")
    site.run(backup=True)
    site.network.transmit()
    site.place.put_back(site.copy)
    assert site.settled().ok
    assert [state for _key, _revision, state, _detail in site.deliveries()] == ["delivered"]
    assert site.codes() == {"850": 1}


def test_where_absence_proves_nothing_nothing_is_sent_again(site: Site) -> None:
    site.look_up = "present_only"
    site.erp.add(orders(2))
    site.run()
    site.network.consume("outbox/ACME")
    site.place.lose()
    site.settled()
    site.clock.advance(dt.timedelta(days=2))
    site.run()
    assert site.codes() == {"850": 2}
    assert {row[2:] for row in site.deliveries()} == {("parked", "in doubt")}


def test_files_without_numbers_are_not_guessed_about(site: Site) -> None:
    site.route = attrs.evolve(ROUTE, format="json")
    site.erp.add(orders(1))
    site.run()
    site.place.lose()
    site.settled()
    assert {row[2:] for row in site.deliveries()} == {("parked", "in doubt")}
    assert len(site.network.uploads) == 1


def test_a_listing_is_read_once_for_all(site: Site) -> None:
    site.erp.add(orders(30))
    site.run()
    site.network.transmit()
    site.place.lose()
    site.run(recover=True)
    before = len(site.network.calls)
    assert site.run().kinds["purchase_orders"].delivered == 30
    listings = [call for call in site.network.calls[before:] if call.path.endswith(("outbox/ACME", "sent/ACME"))]
    assert len(listings) == 2
