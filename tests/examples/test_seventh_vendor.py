"""The worked seventh vendor, a package outside the library, passes its own tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
VENDOR = ROOT / "examples" / "seventh_vendor"


def test_the_seventh_vendor_passes_the_conformance_suite() -> None:
    path = f"import sys; sys.path[:0] = [{str(VENDOR)!r}, {str(ROOT)!r}]"
    code = f"{path}; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", str(VENDOR / "pyproject.toml")]
    done = subprocess.run(
        [sys.executable, "-c", code, *options, str(VENDOR / "tests")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_uses_the_doors_for_authors_only() -> None:
    allowed = ("mlconnector.kit", "mlconnector.documents", "mlconnector.errors", "mlconnector.testing")
    for path in (VENDOR / "ledgerbox").glob("*.py"):
        for line in path.read_text().splitlines():
            if line.startswith(("from mlconnector", "import mlconnector")):
                assert line.split()[1] in allowed, f"{path.name}: {line}"
