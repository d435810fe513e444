"""Whether a file lies where the locks of SQLite can be trusted: network file systems are refused."""

from __future__ import annotations

import re
from pathlib import Path

from mlconnector.errors import LedgerError

__all__ = ["refuse_network"]

MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
        *("smb3", "smbfs", "network share"),
        *(f"fuse.{name}" for name in ("davfs2", "gcsfuse", "glusterfs", "rclone", "s3fs", "sshfs")),
    }
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def refuse_network(path: Path) -> None:
    """Check the file system that a ledger is to lie on, where the platform tells.

    Raises:
        LedgerError: It is a network file system.
    """
    kind = "network share" if path.drive.startswith("\\\\") else _kind(path.resolve())
    if kind in _NETWORK:
        raise LedgerError(
            f"{path} lies on a network file system ({kind}), where two machines do not see each other's locks.",
            cure="Put the ledger on a local disk; for workers on several hosts use PostgreSQL"
            ' (mc.Ledger("postgresql://...")).',
        )


def _kind(path: Path) -> str:
    """Type of the file system a path is on: of the deepest mount point above it, the one mounted last."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    depth, found = -1, ""
    for line in lines:
        left, _dash, right = line.partition(" - ")
        place = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), left.split()[4]))
        if path.is_relative_to(place) and len(place.parts) >= depth:
            depth, found = len(place.parts), right.split()[0]
    return found
