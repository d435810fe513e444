"""What every site with Cleo as its target shares: its files, and what they say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from typing import Any, ClassVar

import attrs

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.testing import Call, CleoSimulator
from tests.torture.clock import SharedClock
from tests.torture.faults import TIMEOUT
from tests.torture.sites._common import Arrived, Site, one_record

EVEN = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
ODD = attrs.evolve(EVEN, receiver=x12.Id("01", "987654321"))


def partner_of(receiver: str) -> x12.Partner:
    """Its profile as the partner itself has it: what it sends to us."""
    partner = next(one for one in (EVEN, ODD) if one.receiver.id == receiver)
    return attrs.evolve(partner, sender=partner.receiver, receiver=partner.sender)


def segments(data: bytes) -> Iterator[list[str]]:
    text = data.decode()
    for one in text.split(text[105]):
        if one.strip():
            yield one.strip().split(text[3])


def group_of(owed: str) -> str:
    """Partner and group of an acknowledgment that is owed, by its key in the ledger."""
    pair, _number, _functional, group = owed.rsplit("/", 3)
    return f"{pair.partition('>')[0].partition(':')[2]}/{int(group)}"


NAME = re.compile(r"(?P<code>\d{3})_\w+?_(?P<key>.+)_r(?P<revision>\d+)_(?P<number>\d+)\.edi")


@attrs.define
class File:
    """One uploaded interchange."""

    code: str
    key: str
    revision: int
    number: int
    body: list[list[str]]

    def first(self, tag: str) -> list[str]:
        return next(one for one in self.body if one[0] == tag)

    def all(self, tag: str) -> list[list[str]]:
        return [one for one in self.body if one[0] == tag]


class CleoSite(Site):
    """A source and Cleo."""

    network: CleoSimulator
    settle: ClassVar[dict[str, float]] = {"network": 120.0}

    def files(self) -> list[File]:
        found = []
        for upload in self.network.uploads:
            name = NAME.fullmatch(upload.path.rpartition("/")[2])
            assert name is not None, upload.path
            found.append(
                File(name["code"], name["key"], int(name["revision"]), int(name["number"]), list(segments(upload.data)))
            )
        return found

    def connect(self) -> None:
        for name in ("EVEN", "ODD"):
            self.network.add({"alias": name, "outbox": f"outbox/{name}", "sentbox": f"sent/{name}"})

    def meanwhile(self, call: Call) -> None:
        if self.rng.random() < 0.03:
            self.network.transmit(self.rng.choice(("EVEN", "ODD")))

    def between(self) -> None:
        if self.rng.random() < 0.7:
            self.network.transmit()

    def acknowledged(self) -> dict[tuple[str, str], Arrived]:
        """What partners were told of their own files: each 997, by partner and group."""
        found: dict[tuple[str, str], Arrived] = {}
        for file in self.files():
            if file.code == "997":
                isa, ak1 = file.first("ISA"), file.first("AK1")
                one_record(found, ("acknowledgments", f"{isa[8].strip()}/{int(ak1[2])}"), file.first("AK9")[1])
        return found

    def orders_arrived(self, kind: str) -> dict[tuple[str, str], Arrived]:
        """Each order as its partner knows it: the 850, then each 860 upon it."""
        found: dict[tuple[str, str], Arrived] = {}
        seen: Counter[tuple[str, str, int]] = Counter()
        highest: dict[str, int] = {}
        for file in self.files():
            if file.code not in ("850", "860"):
                continue
            number = file.first("BEG" if file.code == "850" else "BCH")[3]
            one = found.setdefault((kind, number), Arrived({}))
            seen[file.code, number, file.revision] += 1
            if seen[file.code, number, file.revision] > 1:
                one.doubles.append(f"{file.code} of revision {file.revision} twice")
            if file.code == "850":
                if one.content:
                    one.doubles.append("a second 850, or one after its change")
                lines = {seg[1]: (Decimal(seg[2]), Decimal(seg[4])) for seg in file.all("PO1")}
            else:
                lines = {seg[1]: (Decimal(seg[3]), Decimal(seg[6])) for seg in file.all("POC")}
            if file.revision < highest.get(number, 0):
                one.doubles.append(f"revision {file.revision} after {highest[number]}")
            highest[number] = max(file.revision, highest.get(number, 0))
            one.content = {**one.content, **lines}
        return found

    @staticmethod
    def routes(parties: Callable[[int], list[str]], **options: Any) -> list[flows.Route]:
        return [
            flows.Route(
                parties(odd), partner, folder=f"outbox/{name}", sentbox=f"sent/{name}", connection=name, **options
            )
            for odd, partner, name in ((0, EVEN, "EVEN"), (1, ODD, "ODD"))
        ]

    @staticmethod
    def cleo(wire: Mapping[str, Any], clock: SharedClock, stack: ExitStack) -> mc.Cleo:
        auth = mc.OAuth2Password(CleoSimulator.username, CleoSimulator.password)
        return stack.enter_context(mc.Cleo(wire["network"], auth=auth, clock=clock, timeout=TIMEOUT))
