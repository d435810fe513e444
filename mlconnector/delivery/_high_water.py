"""What the ledger promised, kept outside of it, so that a restored or lost ledger is noticed (delivery rule 13)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import attrs

from mlconnector.errors import LedgerError

__all__ = ["HighWater", "default_path"]


def default_path(database: Path) -> Path:
    """A file in the user's state directory, named by the database's place; not beside the database, on purpose."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_STATE_HOME", str(Path.home() / ".local" / "state")))
    name = hashlib.sha256(str(database.resolve()).encode()).hexdigest()[:24]
    return base / "mlconnector" / f"{name}.high-water.json"


@attrs.define
class HighWater:
    """Ledger id, epoch, last audit number and hash, and a reserved ceiling of every counter.

    A ceiling is raised and synced before any number up to it is used, so that no number is used twice even when the
    ledger comes back older than it was.
    """

    path: Path
    ledger: str = ""
    epoch: int = 0
    number: int = 0
    hash: str = ""
    ceilings: dict[str, int] = attrs.Factory(dict)
    _seen: tuple[int, int] = attrs.field(default=(0, 0), init=False, eq=False)

    @classmethod
    def load(cls, path: Path) -> HighWater | None:
        """The kept state, or ``None`` where there is none.

        Raises:
            LedgerError: The file cannot be read as one.
        """
        kept = cls(path)
        return kept if kept.refresh() else None

    def refresh(self) -> bool:
        """Take over what another worker has written since; False where there is no file."""
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._seen:
                content: dict[str, Any] = json.loads(self.path.read_text())
                self.ledger, self.epoch = str(content["ledger"]), int(content["epoch"])
                self.number, self.hash = int(content["number"]), str(content["hash"])
                self.ceilings = {name: int(number) for name, number in content["ceilings"].items()}
                self._seen = seen
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerError(
                f"The high-water file {self.path} cannot be read ({type(error).__name__}).",
                cure="An administrator puts it back from a backup; only if there is none, he removes it, and"
                " whoever runs the flow calls ledger.recover(actor=, reason=).",
                fault="administrator",
            ) from None
        return True

    def save(self) -> None:
        """Write and sync; the file is replaced as a whole.

        Raises:
            LedgerError: The disk does not take it; the file is as it was.
        """
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        content = {name: getattr(self, name) for name in ("ledger", "epoch", "number", "hash", "ceilings")}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(handle, "w") as file:
                    json.dump(content, file)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(self.path)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
            _sync_folder(self.path.parent)
        except OSError as error:
            raise LedgerError(
                f"The high-water file {self.path} cannot be written ({error.strerror}).",
                cure="An administrator makes room for it and the folder writable; no number was used without it.",
                fault="administrator",
            ) from None
        status = self.path.stat()
        self._seen = (status.st_ino, status.st_mtime_ns)


def _sync_folder(folder: Path) -> None:
    """Make the replacement itself durable, where the platform lets a folder be opened."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
