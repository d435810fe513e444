"""Bank accounts and tax ids are kept in documents and payloads alone; texts about them show the last digits."""

from __future__ import annotations

import re

__all__ = ["masked"]

_NAMES = r"[a-z0-9_]*(?:tax_?id|iban|bank_?account|routing)[a-z0-9_]*|BPR(?:09|15|21)"
"""Of fields and extras; the elements of an 820 that hold accounts (X12 reference, section 7)."""
_PRIVATE = re.compile(rf'"(?:{_NAMES})":"([^"\\]{{4,}})"', re.IGNORECASE)
_SHOWN = 4


def masked(text: str, document: str) -> str:
    """The text, with what the document (JSON) holds as a tax id or a bank account cut down to its last digits.

    Args:
        text: A fault, an answer of a target. ``document``: the revision it is about, as kept in the ledger.
    """
    for value in sorted(set(_PRIVATE.findall(document)), key=len, reverse=True):
        shown = value[-_SHOWN:] if len(value) > 2 * _SHOWN - 1 else ""
        text = text.replace(value, f"***{shown}")
    return text
