"""The smallest unit of a currency, for shares of an amount (rule B23)."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["smallest_unit"]

_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
     "XPF")
)  # fmt: skip
"""Currencies that have no smaller unit (ISO 4217)."""


def smallest_unit(currency: str | None) -> Decimal:
    """What a share of an amount is rounded to: 1 where the currency has no smaller unit, else the hundredth.

    Args:
        currency: ISO 4217 code; ``None`` where it is not known.
    """
    return Decimal(1) if currency in _WHOLE else Decimal("0.01")
