"""Receipts of built orders in JD Edwards rows (F43121, match type 1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.testing._master_data import BRANCH, Tables

__all__ = ["receipts"]

_CENT = Decimal("0.01")
_COPIED = ("DOCO", "DCTO", "KCOO", "AN8", "LNID", "LNTY", "CO", "ITM", "LITM", "AITM", "UOM", "UOM3", "UORG", "PTC")
_COPIED_TOO = ("MCU", "TRDJ", "DRQJ", "PDDJ", "CRCD", "CRR", "PRRC", "FRRC")


def receipts(
    orders: Tables,
    *,
    share: Decimal = Decimal(1),
    date: dt.date = dt.date(2026, 2, 25),
    number: int = 1,
    first_document: int = 700001,
) -> Tables:
    """A receipt of every order line that is neither text nor cancelled, wholly open: not vouchered yet.

    Args:
        orders: Rows as ``orders()`` returns them; their F4311 is read.
        share: How much of each line was received, above 0 to 1.
        date: Receipt date.
        number: ``NLIN``, the receipt's number within its line; a second receipt needs another one.
        first_document: ``DOC`` of the first receipt document (type OV), one for each line.

    Returns:
        Rows of F43121 with MATC 1, without stamps. Lines by amount have no quantity.

    Raises:
        InvalidArgument: ``share`` outside 0 to 1.
    """
    if not 0 < share <= 1:
        raise InvalidArgument(f"share must lie above 0 and up to 1, it is {share!r}.")
    received = [line for line in orders["F4311"] if line["LNTY"] != "T" and line["LTTR"] != "980"]
    return {
        "F43121": [
            _receipt(line, share, date) | {"NLIN": number, "DOC": document}
            for document, line in enumerate(received, start=first_document)
        ]
    }


def _receipt(line: Mapping[str, Any], share: Decimal, date: dt.date) -> dict[str, Any]:
    quantity = line["UORG"] * share
    amount, foreign = ((line.get(alias, 0) * share).quantize(_CENT, ROUND_HALF_UP) for alias in ("AEXP", "FEA"))
    return {
        **{alias: line[alias] for alias in (*_COPIED, *_COPIED_TOO) if alias in line},
        "MATC": "1",
        "KCO": line["KCOO"],
        "DCT": "OV",
        "RCDJ": date,
        "DGL": date,
        "NXTR": "999",
        "LTTR": "400",
        "UREC": quantity,
        "UOPN": quantity,
        "AREC": amount,
        "AOPN": amount,
        "FREC": foreign,
        "FAP": foreign,
        "BCRC": "USD",
        "AID": "00000001",
        "ANI": f"{BRANCH}.6110",
        "OMCU": BRANCH,
        "OBJ": "6110",
    }
