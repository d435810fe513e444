"""Holding two systems' suppliers, accounts and cost centres against each other; nothing is guessed (rule B80)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.delivery._alignment import Aligned, Alignment, Status
from mlconnector.delivery._amounts import amount_of, currency_of, references_of
from mlconnector.delivery._ledger import Ledger
from mlconnector.documents import Document, from_json
from mlconnector.errors import MLConnectorError
from mlconnector.records import Records

__all__ = ["Aligning", "Entry", "Side", "align", "entries_of", "folded"]

_PAGE = 500


@attrs.frozen(kw_only=True)
class Entry:
    """One supplier, account or cost centre, as one side knows it.

    Args:
        id: What links name it by. ``also``: other numbers it has there; the number of the other side, where it
            states one.
        name: As the side writes it. ``tax_id``: where it tells.
        active: It may be used. ``ready``: it can be used now; ``why`` not.
        needs_none: The other side need not have it.
    """

    id: str
    name: str = ""
    also: tuple[str, ...] = ()
    tax_id: str = attrs.field(default="", repr=False)
    active: bool = True
    ready: bool = True
    why: str = ""
    needs_none: bool = False


@attrs.frozen(kw_only=True)
class Side:
    """One of two sides: the system's name in the crosswalk, and how its entries are read."""

    system: str
    read: Callable[[], Iterable[Entry]]


@attrs.frozen(kw_only=True)
class Aligning:
    """How a flow aligns one kind.

    Args:
        kind: Its name in the alignment. ``link``: kind of its links in the crosswalk.
        here, there: Source and target.
        owners: Which system owns which attribute.
        sync: Name of the sync that delivers these, where there is one: what it delivered tells who is who.
        routed: Id here to id there, by the flow's routes.
        compare_names: Another name is worth telling, and an equal one that only one has on each side tells who is who.
        needed_only: Leave out what only one side has, or what must not be used, unless a link or an undelivered
            document names it: charts of accounts are never wholly alike, and have headings.
        held_as: How documents name it, ``link`` by default; ``"charged"``: cost centre and account, with a dot.
        write: Changes there what the source owns; returns what it changed, empty where there was nothing to do.
    """

    kind: str
    link: str
    here: Side
    there: Side
    owners: Mapping[str, str]
    sync: str = ""
    routed: Mapping[str, str] = attrs.field(factory=dict)
    compare_names: bool = True
    needed_only: bool = False
    held_as: str = ""
    write: Callable[[Aligned], str] | None = None


def entries_of(records: Records[Any], entry: Callable[[Any], Entry]) -> Iterator[Entry]:
    """Entries of a read; what cannot be read is not ready, with every fault.

    Args:
        records: What is read.
        entry: Makes an entry of a document.
    """
    for page in records.pages():
        yield from map(entry, page.documents)
        for rejected in page.rejected:
            yield Entry(id=rejected.key, ready=False, why="it cannot be read: " + "; ".join(rejected.faults))


def folded(name: str) -> str:
    """A name without what typing makes of it: case, accents, blanks around and between."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(one for one in letters if not unicodedata.combining(one)).split())


@attrs.frozen
class _Held:
    """What undelivered documents name: keys and sums by kind of link and code."""

    documents: dict[tuple[str, str], list[str]] = attrs.field(factory=dict)
    amounts: dict[tuple[str, str], dict[str, Decimal]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, flow: str, amounts: Mapping[str, Callable[[Any], Decimal | None]]) -> _Held:
        held, last = cls(), 0
        while rows := ledger.store.read(
            "SELECT id, kind, key, document FROM deliveries WHERE substr(sync, 1, ?) = ? AND id > ?"
            " AND state IN ('parked', 'recorded', 'sending', 'in doubt', 'unknown') ORDER BY id LIMIT ?",
            (len(flow) + 1, f"{flow}/", last, _PAGE),
        ):
            for row in rows:
                held.add(row["key"], from_json(row["document"]), amounts.get(row["kind"], amount_of))
            last = rows[-1]["id"]
        return held

    def add(self, key: str, document: Document, amount: Callable[[Any], Decimal | None]) -> None:
        for reference in references_of(document):
            keys = self.documents.setdefault(reference, [])
            if key not in keys[-1:]:
                keys.append(key)
                sums = self.amounts.setdefault(reference, {})
                currency = currency_of(document)
                sums[currency] = sums.get(currency, Decimal(0)) + (amount(document) or Decimal(0))

    def by(self, kind: str, entry: Entry) -> tuple[tuple[str, ...], dict[str, Decimal]]:
        """Documents that name an entry, by its id or by another number of it."""
        for code in (entry.id, *entry.also):
            found = self.documents.get((kind, code.strip()))
            if found:
                return tuple(found), self.amounts[kind, code.strip()]
        return (), {}

    def strangers(self, kind: str, known: Iterable[Entry]) -> Iterator[Entry]:
        """What documents name and the source does not list."""
        listed = {code.strip() for entry in known for code in (entry.id, *entry.also)}
        for held, code in self.documents:
            if held == kind and code not in listed:
                yield Entry(id=code)


class _Sides:
    """Entries of both sides, who is whose, and by what."""

    def __init__(self, aligning: Aligning, held: _Held, links: Mapping[str, str], delivered: Mapping[str, str]) -> None:
        self.here = {entry.id: entry for entry in aligning.here.read()}
        strangers = list(held.strangers(aligning.held_as or aligning.link, self.here.values()))
        self.unlisted = {entry.id for entry in strangers}
        self.here.update((entry.id, entry) for entry in strangers)
        self.there = {entry.id: entry for entry in aligning.there.read()}
        self.whose: dict[str, str] = {}
        self.pairs: dict[str, tuple[str, str]] = {}
        self.astray: dict[str, str] = {}
        self.doubts: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._by_number: dict[str, list[str]] | None = None
        self._known("link", links)
        self._known("route", aligning.routed)
        self._known("delivery", delivered)
        self._numbered()
        if aligning.compare_names:
            self._named()

    def _pair(self, here: str, there: str, by: str) -> None:
        self.pairs[here] = (there, by)
        self.whose[there] = here

    def _known(self, by: str, pairs: Mapping[str, str]) -> None:
        """What somebody said, or what was delivered: taken by the ids, blanks around them aside."""
        stripped = {key.strip(): key for key in self.here}
        for said, wanted in pairs.items():
            # A payee has one vendor a currency: 4343/EUR is linked beside 4343 (rule B61).
            here = stripped.get(said.strip(), stripped.get(said.rpartition("/")[0].strip()))
            if here is None:
                continue
            there = self._there_of(wanted)
            if here in self.pairs:
                if there is not None and by == "link":
                    self.whose.setdefault(there, here)
            elif there is None:
                self.astray.setdefault(here, f"{by} says {wanted}, which is not there")
            elif there not in self.whose or by == "route":
                self._pair(here, there, by)
                self.astray.pop(here, None)

    def _there_of(self, wanted: str) -> str | None:
        """The entry that a link names by its id, or by a number that no other has."""
        if wanted in self.there:
            return wanted
        if self._by_number is None:
            self._by_number = {}
            for there in self.there.values():
                for number in there.also:
                    self._by_number.setdefault(number.strip(), []).append(there.id)
        found = self._by_number.get(wanted.strip(), [])
        return found[0] if len(found) == 1 else None

    def _free(self, entries: Iterable[Entry]) -> list[Entry]:
        return [entry for entry in entries if entry.id not in self.whose]

    def _numbered(self) -> None:
        """One that states the other's number, if it is the only one on both sides."""
        stating: dict[str, list[Entry]] = {}
        for there in self._free(self.there.values()):
            for number in dict.fromkeys(one.strip() for one in there.also):
                stating.setdefault(number, []).append(there)
        wanting: dict[str, list[Entry]] = {}
        for here in self._open():
            for number in dict.fromkeys(one.strip() for one in (here.id, *here.also)):
                if number in stating:
                    wanting.setdefault(number, []).append(here)
        for number, heres in wanting.items():
            self._settle(heres, stating[number], "number", f"number {number}")

    def _named(self) -> None:
        """One of the same name, if both sides have that name once, matched ones included, and no tax id speaks
        against it: what is left over after others were matched would be a guess.
        """
        names: dict[str, list[Entry]] = {}
        for there in self.there.values():
            names.setdefault(folded(there.name), []).append(there)
        wanting: dict[str, list[Entry]] = {}
        for here in self.here.values():
            name = folded(here.name)
            if name and name in names:
                wanting.setdefault(name, []).append(here)
        for name, heres in wanting.items():
            self._settle(heres, names[name], "name", "name")

    def _open(self) -> list[Entry]:
        return [
            entry
            for entry in self.here.values()
            if entry.id not in self.pairs and entry.id not in self.astray and entry.id not in self.doubts
        ]

    def _settle(self, heres: Sequence[Entry], theres: Sequence[Entry], by: str, shared: str) -> None:
        free = self._free(theres)
        unsettled = [
            one for one in heres if one.id not in self.pairs and one.id not in self.astray and one.id not in self.doubts
        ]
        if not free or not unsettled:
            return
        if len(heres) == len(theres) == 1:
            (here,), (there,) = heres, theres
            if not (here.tax_id and there.tax_id) or _bare(here.tax_id) == _bare(there.tax_id) or by == "number":
                self._pair(here.id, there.id, by)
                return
            why = f"the same {shared}, another tax id"
        else:
            why = f"{len(heres)} here and {len(theres)} there have the same {shared}"
        for here in unsettled:
            self.doubts[here.id] = why, tuple(one.id for one in free)
        for there in free:
            self.doubts.setdefault(f"\0{there.id}", (why, tuple(one.id for one in unsettled)))

    def doubt_there(self, there: str) -> tuple[str, tuple[str, ...]] | None:
        """Why an entry of the other side is ambiguous, and whose it could be."""
        return self.doubts.get(f"\0{there}")


def _bare(tax_id: str) -> str:
    return "".join(one for one in tax_id if one.isalnum()).casefold()


def align(
    ledger: Ledger,
    flow: str,
    alignings: Sequence[Aligning],
    *,
    write: bool = False,
    facts: Mapping[str, Any] | None = None,
    amounts: Mapping[str, Callable[[Any], Decimal | None]] | None = None,
) -> Alignment:
    """Hold both sides of every kind against each other; reads only, unless ``write``."""
    held = _Held.of(ledger, flow, amounts or {})
    items = [item for aligning in alignings for item in _aligned(ledger, aligning, held)]
    if write:
        writers = {aligning.kind: aligning.write for aligning in alignings}
        items = [_written(ledger, flow, item, writers[item.kind], facts or {}) for item in items]
    return Alignment(
        flow=flow,
        systems={one.kind: (one.here.system, one.there.system) for one in alignings},
        owners={one.kind: dict(one.owners) for one in alignings},
        links={one.kind: one.link for one in alignings},
        items=tuple(items),
    )


def _aligned(ledger: Ledger, aligning: Aligning, held: _Held) -> Iterator[Aligned]:
    ours, theirs = aligning.here.system, aligning.there.system
    links = {
        link[ours]: link[theirs] for link in ledger.crosswalk.links(aligning.link) if ours in link and theirs in link
    }
    delivered = {
        row["key"]: row["target_id"]
        for row in ledger.store.read(
            "SELECT key, target_id FROM heads WHERE sync = ? AND base > 0 AND target_id IS NOT NULL", (aligning.sync,)
        )
    }
    sides = _Sides(aligning, held, links, delivered)
    linked = set(links.values())
    for here in sides.here.values():
        documents, amount = held.by(aligning.held_as or aligning.link, here)
        there_id, by = sides.pairs.get(here.id, ("", ""))
        there = sides.there.get(there_id)
        candidates: tuple[str, ...] = ()
        if there is not None:
            status, why = _compared(here, there, by, compare_names=aligning.compare_names)
        elif here.id in sides.doubts:
            status, (why, candidates) = "ambiguous", sides.doubts[here.id]
        elif here.needs_none:
            status, why, by = "matched", "", "route"
        else:
            status, why = _alone(here, sides.astray.get(here.id, ""))
        said = status in ("matched", "ambiguous") or by == "link" or here.id in sides.astray
        if aligning.needed_only and not documents and not said:
            continue
        if here.id in sides.unlisted:
            why = "; ".join(filter(None, ("documents name it, the source does not list it", why)))
        yield Aligned(
            kind=aligning.kind,
            status=status,
            here_id=here.id,
            here_name=here.name,
            there_id=there_id,
            there_name="" if there is None else there.name,
            by=by,
            why=why,
            candidates=candidates,
            documents=documents,
            amount=amount,
        )
    for there in sides.there.values():
        if there.id not in sides.whose and not (aligning.needed_only and there.id not in linked):
            doubt = sides.doubt_there(there.id)
            status = "ambiguous" if doubt else "missing_here" if there.active else "inactive"
            yield Aligned(
                kind=aligning.kind,
                status=status,
                there_id=there.id,
                there_name=there.name,
                why=doubt[0] if doubt else there.why,
                candidates=doubt[1] if doubt else (),
            )


def _alone(here: Entry, astray: str) -> tuple[Status, str]:
    if not here.ready:
        return "not_ready", here.why
    return ("missing_there", astray) if here.active or astray else ("inactive", "inactive here, unknown there")


def _compared(here: Entry, there: Entry, by: str, *, compare_names: bool) -> tuple[Status, str]:
    if not (here.active and there.active):
        where = " and ".join(name for name, one in (("here", here), ("there", there)) if not one.active)
        return "inactive", here.why or there.why or f"inactive {where}"
    if not (here.ready and there.ready):
        return "not_ready", "; ".join(filter(None, (here.why, there.why)))
    if compare_names and by != "route" and folded(here.name) != folded(there.name):
        return "renamed", f"{there.name.strip()!r} there"
    return "matched", ""


def _written(
    ledger: Ledger, flow: str, item: Aligned, write: Callable[[Aligned], str] | None, facts: Mapping[str, Any]
) -> Aligned:
    """Only what is certain is written: matched ones, and those that were renamed."""
    if write is None or item.status not in ("matched", "renamed") or not item.there_id:
        return item
    try:
        written = write(item)
    except MLConnectorError as error:
        return attrs.evolve(item, why="; ".join(filter(None, (item.why, f"not written: {error.message}"))))
    if written:
        with ledger.store.transaction() as transaction:
            transaction.audit("aligned", flow, item.here_id, kind=item.kind, there=item.there_id, what=written, **facts)
    return attrs.evolve(item, written=written)
