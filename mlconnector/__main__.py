"""``python -m mlconnector``."""

from __future__ import annotations

import sys

from mlconnector.cli import main

if __name__ == "__main__":
    sys.exit(main())
