"""Which identity in one system is which in another (rule B80); changes are audited with actor and reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlconnector.delivery._store import Store, Transaction
from mlconnector.errors import InvalidArgument

__all__ = ["Crosswalk"]


class Crosswalk:
    """Links of ids by kind: ``crosswalk.link("supplier", jdedwards="4343", coupa="128")``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def link(self, kind: str, *, actor: str | None = None, reason: str | None = None, **ids: str) -> None:
        """Say that these ids are the same thing; ids of an existing link are added to it.

        Args:
            kind: ``"supplier"``, ``"account"``, ``"unit"`` ...
            actor: Who decided; the ledger's actor by default. ``reason``: why.
            ids: One id a system.

        Raises:
            InvalidArgument: Fewer than two ids, or ids that already belong to different links or other ids.
        """
        wanted = {system: str(value) for system, value in ids.items()}
        if len(wanted) < 2:
            raise InvalidArgument(f"ids={wanted!r} link nothing.", cure="Give ids of at least two systems.")
        with self._store.transaction() as transaction:
            links = set()
            for system, value in wanted.items():
                found = transaction.rows(
                    "SELECT link FROM crosswalk WHERE kind = ? AND system = ? AND id = ?", (kind, system, value)
                )
                links |= {row["link"] for row in found}
            if len(links) > 1:
                raise InvalidArgument(
                    f"{kind} {wanted!r} would join two links.",
                    cure="Unlink one of them first; joining is never guessed.",
                )
            number = links.pop() if links else transaction.take(f"crosswalk:{kind}")
            held = {row["system"]: row["id"] for row in self._of(transaction, kind, number)}
            clash = {system: held[system] for system in wanted if held.get(system, wanted[system]) != wanted[system]}
            if clash:
                raise InvalidArgument(f"{kind} is linked to {clash!r} already.", cure="Unlink it first.")
            for system, value in wanted.items():
                transaction.execute(
                    "INSERT OR IGNORE INTO crosswalk VALUES (?, ?, ?, ?)", (kind, system, value, number)
                )
            transaction.audit("crosswalk", facts_kind=kind, linked=wanted, by=actor, reason=reason)

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
            transaction.execute("INSERT OR IGNORE INTO crosswalk VALUES (?, ?, ?, ?)", (kind, system, value, number))
        return True

    def owner(self, kind: str, system: str, name: str) -> str | None:
        """The document that holds a claimed name."""
        found: str | None = self.find(kind, to=f"{system} document", **{system: name})
        return found

    def find(self, kind: str, *, to: str | None = None, **known: str) -> Any:
        """The id in system ``to``; without ``to`` the whole link as ``{system: id}``; ``None`` where unknown."""
        if len(known) != 1:
            raise InvalidArgument(
                f"known={known!r} is not one id.", cure='Ask like find("supplier", jdedwards="4343").'
            )
        ((system, value),) = known.items()
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
        """Forget the link that holds this id; False where there is none."""
        ((system, value),) = known.items()
        with self._store.transaction() as transaction:
            rows = transaction.rows(
                "SELECT link FROM crosswalk WHERE kind = ? AND system = ? AND id = ?", (kind, system, str(value))
            )
            if not rows:
                return False
            transaction.execute("DELETE FROM crosswalk WHERE kind = ? AND link = ?", (kind, rows[0]["link"]))
            transaction.audit("crosswalk", facts_kind=kind, unlinked={system: str(value)}, by=actor, reason=reason)
            return True

    def load(self, rows: Iterable[Mapping[str, str]], *, actor: str | None = None, reason: str | None = None) -> int:
        """Link rows like those of :meth:`export`; returns how many."""
        count = 0
        for row in rows:
            ids = {system: value for system, value in row.items() if system != "kind" and value}
            self.link(row["kind"], actor=actor, reason=reason, **ids)
            count += 1
        return count

    def export(self) -> list[dict[str, str]]:
        """Every link, for :meth:`load`."""
        return self.links()

    @staticmethod
    def _of(transaction: Any, kind: str, number: int) -> Any:
        return transaction.rows("SELECT system, id FROM crosswalk WHERE kind = ? AND link = ?", (kind, number))
