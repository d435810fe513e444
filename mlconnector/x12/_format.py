"""Values as X12 writes them, and back: numbers, dates, times, text in the portable character set (sections 3, 4)."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import ROUND_HALF_UP, Context, Decimal

from mlconnector.errors import X12Error

__all__ = [
    "CENT",
    "cents",
    "date",
    "decimal_of",
    "exact_ratio",
    "fold",
    "implied",
    "is_date",
    "is_time",
    "number",
    "time",
]

CENT = Decimal("0.01")
_EXACT = Context(prec=60)
_LONGEST = 40
_R = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:E-?\d{1,2})?", re.ASCII)
_N = re.compile(r"-?\d+", re.ASCII)
_PLAIN = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"',
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
        "\u2026": "...", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
        "\u00df": "ss", "\u00e6": "ae", "\u00c6": "AE", "\u0153": "oe", "\u0152": "OE", "\u00f8": "o", "\u00d8": "O",
        "\u0142": "l", "\u0141": "L", "\u0111": "d", "\u0110": "D", "\u00d7": "x",
    }
)  # fmt: skip


def number(value: Decimal) -> str:
    """Type R: a point only where there is a fraction, no exponent, no ``+``; zero is ``0``. ``.8`` goes as ``0.8``."""
    text = str(value)
    if text.isdecimal():
        return text
    if not value:
        return "0"
    if "E" in text:
        return format(value.normalize(_EXACT), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def implied(value: Decimal, places: int) -> str:
    """Type Nn: ``places`` implied decimals, so 125.00 is ``12500`` for N2.

    Raises:
        X12Error: More decimals than ``places``; nothing is rounded here.
    """
    scaled = value.scaleb(places, _EXACT).normalize(_EXACT)
    if scaled != scaled.to_integral_value():
        raise X12Error(f"{value} has more than {places} decimals.", cure="Round it upstream, or park the document.")
    return format(scaled, "f") if scaled else "0"


def cents(value: Decimal) -> Decimal:
    """Rounded half-up to two decimals, as invoices are added up (section 7, TDS01)."""
    return value.quantize(CENT, ROUND_HALF_UP, context=_EXACT)


def exact_ratio(value: Decimal, by: Decimal, places: int) -> Decimal | None:
    """``value / by`` where that is exact within ``places`` decimals, else ``None``."""
    if not by:
        return None
    ratio = _EXACT.divide(value, by)
    short = ratio.quantize(Decimal(1).scaleb(-places), context=_EXACT)
    return short if _EXACT.multiply(short, by) == value else None


def date(value: dt.date) -> str:
    """CCYYMMDD."""
    return f"{value.year:04}{value.month:02}{value.day:02}"


def time(value: dt.datetime) -> str:
    """HHMM."""
    return f"{value.hour:02}{value.minute:02}"


def decimal_of(kind: str, text: str) -> Decimal | None:
    """The exact value of an R or Nn element, or ``None`` for text that is none.

    An Nn value with a point in it is read as it stands, never as if it had none (section 10).
    """
    if len(text) > _LONGEST or not _R.fullmatch(text):
        return None
    plain = kind == "R" or not _N.fullmatch(text)
    return Decimal(text) if plain else Decimal(text).scaleb(-int(kind[1:]), _EXACT)


def is_date(text: str) -> bool:
    """Six or eight digits that name a day."""
    if not (text.isascii() and text.isdigit() and len(text) in (6, 8)):
        return False
    year = text[:-4] if len(text) == 8 else "20" + text[:-4]
    try:
        dt.date(int(year), int(text[-4:-2]), int(text[-2:]))
    except ValueError:
        return False
    return True


def is_time(text: str) -> bool:
    """HHMM, HHMMSS, HHMMSSD or HHMMSSDD on a 24-hour clock."""
    if not (text.isascii() and text.isdigit() and len(text) in (4, 6, 7, 8)):
        return False
    return text[:2] < "24" and text[2:4] < "60" and text[4:6] < "60"


def fold(text: str) -> str:
    """Printable ASCII: curly quotes, dashes and national letters by their nearest form, others ``?`` (section 4)."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(one for one in apart if not unicodedata.combining(one)).encode("ascii", "replace").decode("ascii")
