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

    @classmethod
    def load(cls, path: Path) -> HighWater | None:
        """The kept state, or ``None`` where there is none."""
        if not path.exists():
            return None
        content: dict[str, Any] = json.loads(path.read_text())
        return cls(path, **content)

    def save(self) -> None:
        """Write and sync; the file is replaced as a whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        content = attrs.asdict(self, filter=lambda field, _value: field.name != "path")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        _sync_folder(self.path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the replacement itself durable, where the platform lets a folder be opened."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
