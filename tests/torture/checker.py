"""The judge: reads the source, the target and the ledger's tables by its own means, and compares them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

import attrs

from tests.torture.sites import CleoSite, Site, segments
from tests.torture.tables import rows

__all__ = ["Verdict", "cursor_faults", "judge"]

OPEN = ("recorded", "sending", "in doubt", "unknown")


@attrs.define
class Verdict:
    """What became of every document, and everything else that is not as it must be."""

    documents: int = 0
    arrived: int = 0
    lost: list[str] = attrs.Factory(list)
    doubled: list[str] = attrs.Factory(list)
    wrong: list[str] = attrs.Factory(list)
    parked: Counter[str] = attrs.Factory(Counter)
    ledger: list[str] = attrs.Factory(list)
    audited: int = 0

    @property
    def ok(self) -> bool:
        return not (self.lost or self.doubled or self.wrong or self.ledger)

    def problems(self) -> list[str]:
        return [
            *(f"lost: {one}" for one in self.lost),
            *(f"doubled: {one}" for one in self.doubled),
            *(f"wrong: {one}" for one in self.wrong),
            *self.ledger,
        ]


def judge(site: Site, ledger: Path, answered: Collection[int] = ()) -> Verdict:
    """Everything, at the end; ``answered``: which of the site's notices were."""
    verdict = Verdict()
    _documents(site, ledger, verdict)
    _deliveries(site, ledger, verdict)
    _audit(ledger, verdict)
    _numbers(site, ledger, verdict)
    _events(site, ledger, answered, verdict)
    verdict.ledger += site.troubles(ledger)
    verdict.ledger += cursor_faults(site, ledger)
    return verdict


def _documents(site: Site, ledger: Path, verdict: Verdict) -> None:
    expected, arrived = site.expected(), site.arrived()
    verdict.documents = len(expected)
    parked = {
        (row["kind"], site.document_of(row["kind"], row["key"]))
        for row in rows(ledger, "SELECT kind, key FROM deliveries WHERE state = 'parked' AND detail = 'in doubt'")
    }
    excused = {key for key in parked if _unprovable(site, key[0])}
    excused |= site.excused_with(excused)
    for key, content in expected.items():
        name, found = "/".join(key), arrived.get(key)
        if found is None:
            if key not in excused:
                verdict.lost.append(name)
            continue
        verdict.arrived += 1
        verdict.doubled += [f"{name}: {text}" for text in found.doubles]
        if found.content != content and key not in excused:
            verdict.wrong.append(f"{name}: has {found.content}, should have {content}")
    for key, found in arrived.items():
        # What was taken back stands behind the one in doubt, as everything of its key does (delivery rule 4).
        if key not in expected and key not in excused:
            verdict.wrong.append(f"{'/'.join(key)}: nothing in the source is like it: {found.content}")


def _unprovable(site: Site, kind: str) -> bool:
    """Whether a kind's target cannot prove absence: at most once, the rest parked in doubt."""
    return kind in site.present_only or (site.look_up != "reliable" and site.name.endswith("cleo"))


def _events(site: Site, ledger: Path, answered: Collection[int], verdict: Verdict) -> None:
    """What was answered 200 is stored, and what is stored was worked on."""
    kept = {row["hash"] for row in rows(ledger, "SELECT hash FROM inbox_files")}
    for number in answered:
        if hashlib.sha256(site.notices[number][1]).hexdigest() not in kept:
            verdict.ledger.append(f"event {number} was answered 200 and is not stored")
    if len(answered) < len(site.notices):
        verdict.ledger.append(f"{len(site.notices) - len(answered)} events were never answered")
    left = rows(ledger, "SELECT box, code, identity FROM inbox WHERE state = 'stored'")
    verdict.ledger += [f"never worked on: {row['code']} {row['identity']} in {row['box']}" for row in left]


def _deliveries(site: Site, ledger: Path, verdict: Verdict) -> None:
    doubtful = {
        (row["kind"], row["key"])
        for row in rows(ledger, "SELECT kind, key FROM deliveries WHERE state = 'parked' AND detail = 'in doubt'")
        if _unprovable(site, row["kind"])
    }
    doubtful |= site.excused_with(doubtful)
    for row in rows(ledger, "SELECT kind, key, revision, state, detail, faults FROM deliveries ORDER BY id"):
        where = f"{row['kind']} {row['key']} r{row['revision']}"
        if row["state"] == "recorded" and (row["kind"], row["key"]) in doubtful:
            verdict.parked[f"{row['kind']}: behind one in doubt"] += 1
        elif row["state"] in OPEN:
            verdict.ledger.append(f"still {row['state']}: {where}")
        elif row["state"] == "parked":
            verdict.parked[f"{row['kind']}: {row['detail']}"] += 1
            if row["detail"] == "conflict" and (row["kind"], row["key"]) in site.touched:
                continue
            if (row["kind"], row["key"]) not in doubtful:
                verdict.ledger.append(f"parked ({row['detail']}): {where}: {row['faults']}")
    newest = rows(
        ledger,
        "SELECT h.sync, h.key, h.latest, h.base, d.state, d.partner_state FROM heads AS h"
        " JOIN deliveries AS d ON d.sync = h.sync AND d.usage = h.usage AND d.key = h.key AND d.revision = h.latest",
    )
    for row in newest:
        # What the partner rejected is no base (rule B12).
        if row["state"] == "delivered" and row["base"] != row["latest"] and row["partner_state"] != "rejected":
            verdict.ledger.append(
                f"{row['sync']} {row['key']}: r{row['latest']} is delivered, the base is {row['base']}"
            )


def _audit(ledger: Path, verdict: Verdict) -> None:
    """The chain, and what the events tell of the order of things."""
    previous = ""
    open_now: dict[tuple[str, str], int] = {}
    newest: dict[tuple[str, str], int] = {}
    sent: dict[tuple[str, str, int, Any], tuple[str, Any]] = {}
    for number, row in enumerate(rows(ledger, "SELECT * FROM audit ORDER BY number"), start=1):
        *content, kept = row.values()
        text = json.dumps([previous, *content], ensure_ascii=True, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        if row["number"] != number or previous != kept:
            verdict.ledger.append(f"the audit chain breaks at {number}")
            return
        key, facts = (row["sync"], row["key"]), json.loads(row["facts"])
        revision = facts.get("revision")
        match row["event"]:
            case "recorded":
                newest[key] = max(newest.get(key, 0), revision or 0)
            case "intent":
                if open_now.get(key, revision) != revision:
                    verdict.ledger.append(f"{key}: r{revision} is sent while r{open_now[key]} is open")
                first = facts["attempt"] == 1 and not facts.get("step")
                if first and revision < newest.get(key, 0):
                    verdict.ledger.append(f"{key}: r{revision} is sent although r{newest[key]} is known")
                bytes_and_numbers = (facts["payload_sha256"], facts["numbers"])
                before = sent.setdefault((*key, revision, facts.get("step")), bytes_and_numbers)
                if before != bytes_and_numbers:
                    verdict.ledger.append(f"{key}: r{revision} is repeated with other bytes or numbers")
                open_now[key] = revision
            case "delivered" | "not acted" | "step done":
                open_now.pop(key, None)
            case "parked" if facts["detail"] == "refused":
                open_now.pop(key, None)
                # It was surely not done: what a person sends again is a new transmission (delivery rule 10).
                for known in [one for one in sent if one[:3] == (*key, revision)]:
                    del sent[known]
            case _:
                pass
        verdict.audited = number


def _numbers(site: Site, ledger: Path, verdict: Verdict) -> None:
    """No control number twice, at the target and in the ledger; and nothing at the target that was not intended."""
    told = rows(
        ledger,
        "SELECT interchange_counter, interchange, count(*) AS times FROM transmissions GROUP BY 1, 2 HAVING times > 1",
    )
    verdict.ledger += [f"ISA13 {row['interchange']} of {row['interchange_counter']} was taken twice" for row in told]
    if not isinstance(site, CleoSite):
        return
    intents = rows(ledger, "SELECT facts FROM audit WHERE event = 'intent'")
    intended = {json.loads(row["facts"])["payload_sha256"] for row in intents}
    used: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for upload in site.network.uploads:
        body = list(segments(upload.data))
        isa, gs = body[0], next(one for one in body if one[0] == "GS")
        used["ISA13", isa[6].strip(), isa[8].strip(), isa[13]].add(upload.path)
        used["GS06", isa[6].strip(), isa[8].strip(), gs[1], gs[6]].add(upload.path)
        if hashlib.sha256(upload.data).hexdigest() not in intended:
            verdict.ledger.append(f"{upload.path} holds bytes that no intent names")
    verdict.ledger += [f"{'/'.join(name)} is in {sorted(paths)}" for name, paths in used.items() if len(paths) > 1]


def cursor_faults(site: Site, ledger: Path) -> list[str]:
    """Documents that were there before the instant a cursor stands at, and are not recorded."""
    found = []
    known = {(row["sync"].rpartition("/")[2], row["key"]) for row in rows(ledger, "SELECT sync, key FROM heads")}
    known |= {(row["sync"].rpartition("/")[2], row["key"]) for row in rows(ledger, "SELECT sync, key FROM waiting")}
    recorded = {(kind, site.document_of(kind, key)) for kind, key in known}
    for row in rows(ledger, "SELECT sync, cursor FROM cursors"):
        kind, text = row["sync"].rpartition("/")[2], json.loads(row["cursor"])["watermark"]
        if text is None:
            continue
        mark = dt.datetime.fromisoformat(text)
        found += [
            f"the cursor of {kind} is at {text}, {key} of {born:%H:%M:%S} is not recorded"
            for (one, key), born in site.births.items()
            if one == kind and born < mark and (kind, key) not in recorded
        ]
    return found
