"""Which identity in one system is which in another (rule B80); changes are audited with actor and reason."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping
from typing import Any

import attrs

from mlconnector.delivery._crosswalk_plan import LinkChange, LoadPreview, Plan, Rows, read_rows, write_rows
from mlconnector.delivery._store import Store, Transaction
from mlconnector.errors import InvalidArgument

__all__ = ["Crosswalk", "WaitingChange"]

_PAYEES = frozenset({"payee", "supplier"})
"""Links that decide who is paid: a payables system finds the vendor of a payee by them (rules B7, B61)."""


@attrs.frozen(kw_only=True)
class WaitingChange:
    """A change of a payee that waits for a second actor (rule B7).

    Args:
        number: To confirm or withdraw it by. ``action``: ``"link"``, ``"change"`` or ``"unlink"``.
        actor, reason: Who asked for it, and why. ``age``: since then.
    """

    number: int
    kind: str
    action: str
    ids: Mapping[str, str]
    actor: str
    reason: str
    since: dt.datetime
    age: dt.timedelta


class Crosswalk:
    """Links of ids by kind: ``crosswalk.link("supplier", jdedwards="4343", coupa="128")``.

    Args:
        store: The ledger's database.
        four_eyes: Changes of kind ``"payee"`` and ``"supplier"`` that a person makes wait for a second actor.
    """

    def __init__(self, store: Store, *, four_eyes: bool = False) -> None:
        self._store = store
        self._held_kinds = _PAYEES if four_eyes else frozenset()

    def link(self, kind: str, *, actor: str | None = None, reason: str | None = None, **ids: str) -> None:
        """Say that these ids are the same thing; ids of an existing link are added to it.

        Args:
            kind: ``"supplier"``, ``"payee"``, ``"account"``, ``"cost_center"``, ``"unit"``, ``"terms"``, ``"tax"`` ...
            actor: Who decided; the ledger's actor by default. ``reason``: why.
            ids: One id a system.

        Raises:
            InvalidArgument: No kind, fewer than two ids or an empty one, or ids that already belong to different links
                or other ids.
        """
        given: Mapping[str, Any] = ids
        wanted = {system: str(value) for system, value in given.items() if value is not None and str(value).strip()}
        if not kind.strip() or len(wanted) < max(2, len(ids)):
            raise InvalidArgument(
                f"kind={kind!r}, ids={ids!r} link nothing.", cure="Name the kind, and give ids of at least two systems."
            )
        with self._store.transaction() as transaction:
            change = self._plan(transaction, {kind}).change(1, kind, wanted)
            if change.outcome == "refused":
                raise InvalidArgument(
                    f"{kind} {wanted!r} would join two links.",
                    cure="Unlink one of them first; joining is never guessed.",
                )
            if change.was:
                raise InvalidArgument(f"{kind} is linked to {dict(change.was)!r} already.", cure="Unlink it first.")
            self._carry_out(transaction, [change], actor, reason)

    def claim(self, transaction: Transaction, kind: str, system: str, name: str, key: str) -> None:
        """Keep, in the intent's transaction, that this name at ``system`` is the document ``key``."""
        if transaction.rows("SELECT 1 FROM crosswalk WHERE kind = ? AND system = ? AND id = ?", (kind, system, name)):
            return
        number = transaction.take(f"crosswalk:{kind}")
        for one, value in ((system, name), (f"{system} document", key)):
            transaction.execute("INSERT INTO crosswalk VALUES (?, ?, ?, ?)", (kind, one, value, number))

    def keep(self, transaction: Transaction, kind: str, ids: Mapping[str, str]) -> bool:
        """Link two ids inside an outcome's transaction; False where either belongs to another one already."""
        rows = [
            row
            for system, value in ids.items()
            for row in transaction.rows(
                "SELECT link FROM crosswalk WHERE kind = ? AND system = ? AND id = ?", (kind, system, value)
            )
        ]
        links = {row["link"] for row in rows}
        number = links.pop() if links else transaction.take(f"crosswalk:{kind}")
        held = {row["system"]: row["id"] for row in self._of(transaction, kind, number)}
        if links or any(held.get(system, value) != value for system, value in ids.items()):
            return False
        for system, value in ids.items():
            if system not in held:
                transaction.execute("INSERT INTO crosswalk VALUES (?, ?, ?, ?)", (kind, system, value, number))
        return True

    def owner(self, kind: str, system: str, name: str) -> str | None:
        """The document that holds a claimed name.

        Args:
            system: Where the name is used. ``kind``: of the link.
        """
        found: str | None = self.find(kind, to=f"{system} document", **{system: name})
        return found

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        """The id in system ``to``; without ``to`` the whole link as ``{system: id}``; ``None`` where unknown.

        Args:
            known: One system and its id: ``jdedwards="4343"``.

        Raises:
            InvalidArgument: Not exactly one system and id.
        """
        system, value = _one_id(known)
        rows = self._store.read(
            "SELECT other.system, other.id FROM crosswalk AS one JOIN crosswalk AS other"
            " ON other.kind = one.kind AND other.link = one.link WHERE one.kind = ? AND one.system = ? AND one.id = ?",
            (kind, system, str(value)),
        )
        link = {row["system"]: row["id"] for row in rows}
        if to is not None:
            return link.get(to)
        return link or None

    def links(self, kind: str | None = None) -> list[dict[str, str]]:
        """Every link as ``{"kind": ..., system: id, ...}``, by kind and age."""
        found: dict[tuple[str, int], dict[str, str]] = {}
        for row in self._store.read("SELECT * FROM crosswalk ORDER BY kind, link, system"):
            if kind in (None, row["kind"]):
                found.setdefault((row["kind"], row["link"]), {"kind": row["kind"]})[row["system"]] = row["id"]
        return list(found.values())

    def unlink(self, kind: str, *, actor: str | None = None, reason: str | None = None, **known: str) -> bool:
        """Forget the link that holds this id; False where there is none.

        Args:
            reason: For the audit; ``actor``: who.
            known: One system and its id: ``coupa="128"``.

        Raises:
            InvalidArgument: Not exactly one system and id.
        """
        system, value = _one_id(known)
        with self._store.transaction() as transaction:
            ids = {system: str(value)}
            if not self._link_of(transaction, kind, ids):
                return False
            if kind in self._held_kinds:
                self._hold(transaction, kind, "unlink", ids, actor, reason)
            else:
                self._forget(transaction, kind, ids, {"by": actor, "reason": reason})
            return True

    def preview(self, source: Rows) -> LoadPreview:
        """What :meth:`load` would link, change and refuse; nothing is written.

        Args:
            source: Rows like those of :meth:`export`, or the path of a CSV file.
        """
        rows = list(read_rows(source))
        known = self._store.read("SELECT kind, system, id, link FROM crosswalk")
        return LoadPreview(changes=Plan(map(tuple, known), self._held_kinds).changes(rows))

    def load(self, source: Rows, *, actor: str | None = None, reason: str | None = None) -> int:
        """Link rows like those of :meth:`export`, all of them or none; returns how many.

        Where a row has another id than the link it belongs to, the link is changed: that needs a reason.

        Args:
            source: Rows, or the path of a CSV file with ``kind`` and a column for each system.
            actor: Who decided; the ledger's actor by default. ``reason``: why.

        Raises:
            InvalidArgument: A row is refused, or changes a link without ``reason``; nothing was written.
        """
        rows = list(read_rows(source))
        with self._store.transaction() as transaction:
            kinds = {(row.get("kind") or "").strip() for row in rows}
            planned = LoadPreview(changes=self._plan(transaction, kinds).changes(rows))
            planned.raise_for_refused()
            if planned.changed and not (reason or "").strip():
                raise InvalidArgument(
                    f"{len(planned.changed)} rows change what is linked, and reason={reason!r}.",
                    cure="Say why (rule B7); crosswalk.preview(...) shows them.",
                )
            self._carry_out(transaction, planned.changes, actor, reason)
        return len(planned.changes)

    def export(self, path: str | os.PathLike[str] | None = None, kind: str | None = None) -> list[dict[str, str]]:
        """Every link, for :meth:`load`; with ``path`` also written as CSV."""
        rows = self.links(kind)
        if path is not None:
            write_rows(path, rows)
        return rows

    def waiting(self) -> list[WaitingChange]:
        """Changes of payees that wait for a second actor, oldest first."""
        now = self._store.clock.now()
        return [_waiting_of(row, now) for row in self._store.read("SELECT * FROM crosswalk_waiting ORDER BY number")]

    def confirm(self, number: int, *, actor: str, reason: str) -> None:
        """A second actor agrees; the change is made now.

        Args:
            number: Of the change that waits, see :meth:`waiting`.
            reason: For the audit.

        Raises:
            InvalidArgument: No such change, the same actor, or it no longer fits what is linked.
        """
        with self._store.transaction() as transaction:
            change = self._taken(transaction, number, actor, reason)
            if change.actor.strip().casefold() == actor.strip().casefold():
                raise InvalidArgument(
                    f"actor={actor!r} asked for change {number}.", cure="Let somebody else confirm it (rule B7)."
                )
            facts = {"asked_by": change.actor, "by": actor, "reason": reason}
            if change.action == "unlink":
                self._forget(transaction, change.kind, change.ids, facts)
                return
            plan = self._plan(transaction, {change.kind}).change(1, change.kind, change.ids)
            if plan.outcome == "refused" or (plan.was and change.action == "link"):
                raise InvalidArgument(
                    f"Change {number} no longer fits what is linked: {plan.why or dict(plan.was)}.",
                    cure="Withdraw it and ask for a new one.",
                )
            self._apply(transaction, plan, facts)

    def withdraw(self, number: int, *, actor: str, reason: str) -> None:
        """Give up a change that waits; whoever asked for it may do so too.

        Args:
            number: Of the change that waits, see :meth:`waiting`.

        Raises:
            InvalidArgument: No such change, or no actor and reason.
        """
        with self._store.transaction() as transaction:
            change = self._taken(transaction, number, actor, reason)
            facts = {"asked_by": change.actor, "by": actor, "reason": reason}
            transaction.audit("crosswalk", facts_kind=change.kind, withdrawn=dict(change.ids), **facts)

    def _carry_out(self, transaction: Transaction, changes: Any, actor: str | None, reason: str | None) -> None:
        for change in changes:
            if change.outcome == "unchanged":
                continue
            if change.held:
                action = "change" if change.was else "link"
                self._hold(transaction, change.kind, action, change.ids, actor, reason)
            else:
                self._apply(transaction, change, {"by": actor, "reason": reason})

    def _apply(self, transaction: Transaction, change: LinkChange, facts: Mapping[str, Any]) -> None:
        # Looked up again: a row before this one may have made the link.
        number = self._link_of(transaction, change.kind, change.ids)
        link = number or transaction.take(f"crosswalk:{change.kind}")
        held = {row["system"]: row["id"] for row in self._of(transaction, change.kind, link)}
        for system, value in change.ids.items():
            if held.get(system) == value:
                continue
            if system in held:
                transaction.execute(
                    "DELETE FROM crosswalk WHERE kind = ? AND system = ? AND id = ?",
                    (change.kind, system, held[system]),
                )
            transaction.execute("INSERT INTO crosswalk VALUES (?, ?, ?, ?)", (change.kind, system, value, link))
        told = {**facts, "was": dict(change.was)} if change.was else facts
        transaction.audit("crosswalk", facts_kind=change.kind, linked=dict(change.ids), **told)

    def _forget(self, transaction: Transaction, kind: str, ids: Mapping[str, str], facts: Mapping[str, Any]) -> None:
        link = self._link_of(transaction, kind, ids)
        transaction.execute("DELETE FROM crosswalk WHERE kind = ? AND link = ?", (kind, link))
        transaction.audit("crosswalk", facts_kind=kind, unlinked=dict(ids), **facts)

    def _hold(  # noqa: PLR0917 - private
        self,
        transaction: Transaction,
        kind: str,
        action: str,
        ids: Mapping[str, str],
        actor: str | None,
        reason: str | None,
    ) -> None:
        number = transaction.take("crosswalk waiting")
        asked_by = actor or self._store.actor
        transaction.execute(
            "INSERT INTO crosswalk_waiting VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, kind, action, json.dumps(dict(ids)), asked_by, reason or "", transaction.at),
        )
        transaction.audit("crosswalk", facts_kind=kind, held=dict(ids), number=number, by=actor, reason=reason)

    def _taken(self, transaction: Transaction, number: int, actor: str, reason: str) -> WaitingChange:
        if not actor.strip() or not reason.strip():
            raise InvalidArgument(f"actor={actor!r}, reason={reason!r}.", cure="Say who decides, and why (rule B7).")
        rows = transaction.rows("SELECT * FROM crosswalk_waiting WHERE number = ?", (number,))
        if not rows:
            raise InvalidArgument(f"No change {number!r} waits.", cure="See crosswalk.waiting().")
        transaction.execute("DELETE FROM crosswalk_waiting WHERE number = ?", (number,))
        return _waiting_of(rows[0], transaction.now)

    def _plan(self, transaction: Transaction, kinds: set[str]) -> Plan:
        marks = ", ".join("?" * len(kinds))
        rows = transaction.rows(
            f"SELECT kind, system, id, link FROM crosswalk WHERE kind IN ({marks})",  # noqa: S608 - question marks
            sorted(kinds),
        )
        return Plan(map(tuple, rows), self._held_kinds)

    @staticmethod
    def _link_of(transaction: Transaction, kind: str, ids: Mapping[str, str]) -> int:
        for system, value in ids.items():
            for row in transaction.rows(
                "SELECT link FROM crosswalk WHERE kind = ? AND system = ? AND id = ?", (kind, system, value)
            ):
                return int(row["link"])
        return 0

    @staticmethod
    def _of(transaction: Any, kind: str, number: int) -> Any:
        return transaction.rows("SELECT system, id FROM crosswalk WHERE kind = ? AND link = ?", (kind, number))


def _one_id(known: Mapping[str, str]) -> tuple[str, str]:
    if len(known) != 1:
        raise InvalidArgument(f"known={known!r} is not one id.", cure='Name one system and its id: jdedwards="4343".')
    return next(iter(known.items()))


def _waiting_of(row: Any, now: dt.datetime) -> WaitingChange:
    since = dt.datetime.fromisoformat(row["since"])
    return WaitingChange(
        number=row["number"],
        kind=row["kind"],
        action=row["action"],
        ids=json.loads(row["ids"]),
        actor=row["actor"],
        reason=row["reason"],
        since=since,
        age=now - since,
    )
