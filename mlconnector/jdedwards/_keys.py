"""Natural keys as text, and what they are asked for by."""

from __future__ import annotations

from typing import Any, NoReturn

from mlconnector.errors import InvalidArgument

__all__ = [
    "WHOLE",
    "number_key",
    "order_key",
    "order_number",
    "text_key",
    "voucher_key",
    "voucher_number",
    "whole_order",
]

WHOLE = "000"
"""Order suffix (``SFXO``) of an order that is not split; left out of its key."""


def order_key(number: Any, kind: Any, company: Any, suffix: Any) -> str:
    """``company/type/number``, with the suffix where it is not ``000``."""
    key, tail = f"{str(company).strip()}/{str(kind).strip()}/{number}", str(suffix or "").strip()
    return key if tail in ("", WHOLE) else f"{key}/{tail}"


def whole_order(key: str) -> str:
    """The key without a suffix: an address in F4006 belongs to every suffix of its order (AIS reference, section 7)."""
    return "/".join(key.split("/")[:3])


def voucher_key(number: Any, kind: Any, company: Any) -> str:
    """``company/type/number``."""
    return f"{str(company).strip()}/{str(kind).strip()}/{number}"


def order_number(key: Any) -> int:
    """The number in an order's key.

    Raises:
        InvalidArgument: Not such a key.
    """
    parts = _parts(key)
    if len(parts) not in (3, 4) or not all(parts) or not _is_number(parts[2]):
        _refuse(key, '"00001/OP/50001", with a fourth part for a suffix')
    return int(parts[2])


def voucher_number(key: Any) -> int:
    """The number in a voucher's key.

    Raises:
        InvalidArgument: Not such a key.
    """
    parts = _parts(key)
    if len(parts) != 3 or not all(parts) or not _is_number(parts[2]):
        _refuse(key, '"00001/PV/300001"')
    return int(parts[2])


def number_key(key: Any) -> int:
    """A key that is one number: address and payment numbers.

    Raises:
        InvalidArgument: Not a number.
    """
    if not isinstance(key, str) or not _is_number(key):
        _refuse(key, '"4343"')
    return int(key)


def text_key(key: Any) -> str:
    """A key that is one text: account ids and business units.

    Raises:
        InvalidArgument: Not a text, or blank.
    """
    if not isinstance(key, str) or not key.strip():
        _refuse(key, '"00012345"')
    return key


def _parts(key: Any) -> list[str]:
    return key.split("/") if isinstance(key, str) else []


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _refuse(key: Any, form: str) -> NoReturn:
    raise InvalidArgument(f"keys= holds {key!r}, which is no such key.", cure=f"Give keys like {form}.")
