"""The profile of a trading partner: who, which version, which delimiters, and every habit its guide asks for."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import attrs

from mlconnector.documents import ReadOnly
from mlconnector.errors import InvalidArgument
from mlconnector.x12._sets import Delimiters, Id, TransactionSet

__all__ = ["UNITS", "Partner", "Terms"]

_SAME = ("EA", "CA", "CT", "BX", "PC", "PK", "PL", "DZ", "PR", "ST", "RL", "BG", "DR", "LB", "KG", "OZ", "GA", "LT")
UNITS: Mapping[str, str] = ReadOnly({unit: unit for unit in (*_SAME, "FT", "IN", "YD", "SF", "HR", "MO", "LO")})
"""ERP units whose X12 code is the same and surely means the same (section 6). ``CS`` is not among them: a cassette."""

_VERSION = re.compile(r"00(401|501)0[A-Z0-9]{0,6}")
_VISIBLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def _exact(value: Any) -> Any:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value


@attrs.frozen(kw_only=True)
class Terms:
    """What one ERP payment terms code means: 2/10 net 30 is ``Terms(type="08", percent="2", days=10, net_days=30)``.

    Args:
        type: ITD01. ``basis``: ITD02.
        percent, days: Discount and the days it holds. ``net_days``: days until all is due. ``text``: ITD12.
    """

    type: str = "01"
    basis: str = "3"
    percent: Decimal | None = attrs.field(default=None, converter=_exact)
    days: int | None = None
    net_days: int | None = None
    text: str = ""


def _id(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"qualifier", "id"}:
        return Id(value["qualifier"], value["id"])
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return Id(*value)
    return value


def _nested(cls: type, value: Any) -> Any:
    names = {field.name for field in attrs.fields(cls)}
    if not isinstance(value, Mapping) or not set(value) <= names:
        return value
    try:
        return cls(**value)
    except InvalidArgument:
        return value


def _delimiters(value: Any) -> Any:
    return _nested(Delimiters, value)


def _table(value: Any) -> Any:
    return ReadOnly(value) if isinstance(value, Mapping) else value


def _terms(value: Any) -> Any:
    return _table({key: _nested(Terms, one) for key, one in value.items()} if isinstance(value, Mapping) else value)


def _parties(value: Any) -> Any:
    return _table({key: _id(one) for key, one in value.items()} if isinstance(value, Mapping) else value)


def _strings(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _zone(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return value
    return value


@attrs.frozen(kw_only=True)
class Partner:
    """An EDI partner profile: immutable, hashable, picklable (with a ``finish`` that is), checked when it is made.

    Addresses and frame (section 1):
        sender, receiver: ISA05-08. ``sender_code``, ``receiver_code``: GS02, GS03 where they differ from the ids.
        version: GS08. ``usage``: ISA15, ``"T"`` (default) or ``"P"``. ``request_ta1``: ISA14.
        delimiters: see :class:`Delimiters`. ``line_end``: ``""``, ``"\\n"`` or ``"\\r\\n"`` after each terminator.
        time_zone: Zone of the dates and times written (IANA name or tzinfo); ``None`` is UTC.

    Text (sections 2 to 4):
        upper_case: Write everything in capitals. ``long_text``: ``"cut"`` (told in the findings) or ``"refuse"``.
        delimiter_in_data: ``"replace"`` by a blank in free text, or ``"refuse"``; in identifiers always refused.
        non_ascii: ``"fold"`` to ASCII, ``"refuse"``, or ``"keep"`` by agreement.

    Content:
        references: Header REF by qualifier, ``{"DP": "0042"}``.
        currency: The agreed currency; CUR is written for every other one. ``None`` writes CUR always.
        parties: Our party numbers to the ids the partner knows, ``{"1001": Id("UL", "0614141000012")}`` as N103/N104;
            all others go with qualifier 92. ``buyer_name``: N102 of the BY party.
        product_ids: Keys of ``item_ids`` to qualifiers, in the order written; ``"GTIN"`` is UP, EN or UK by length.
        line_as_id: Qualifier of the pair that names the line's own number where a line has no product id at all, a
            service for instance, because receivers ask for one pair (section 7); ``None`` leaves it out.
        units: ERP units to X12 codes, added to :data:`UNITS`; a unit in neither is refused (rule B14).
        terms: ERP terms codes to :class:`Terms`. ``freight``: ERP freight codes to FOB01. Empty: not told; a code that
            is missing from a filled table is refused.
        bases: Price units that stand for a thousand, to the PO105 code, ``{"TH": "TP"}``.
        price_basis: ``"convert"`` to a price per unit, or ``"state"`` the basis in PO105.
        charges: Descriptions or item ids of charge lines to SAC02; others are ``"F050"`` with their text.
        ctt02: ``None`` (not sent), ``"sum"`` or ``"hash"`` (section 7, 850).
        required: What must stand in every set, or after a code and a colon in those sets alone,
            ``("REF*DP", "850:N1*ST")``; missing parks.
        order_type: BEG02 of a plain order. ``release_reference``: ``None`` puts a blanket's number into BEG04, a
            qualifier into that REF (rule B15).
        account_reference, cost_center_reference: REF qualifiers of order lines (rule B16); ``account_required``.
        changes: ``"860"``, or ``"850"`` with purpose 05 (rule B13); read by whoever chooses the mapper.
        poc_quantities: POC03 and POC04: ``"total_left"`` new total and what is left of it, ``"old_new"``,
            ``"new_new"`` (section 7, 860).
        credit_sign: Amounts of a credit: ``"positive"`` with BIG07 CR, or ``"negative"``.
        three_decimals: ``"park"``, or ``"round"`` half-up to the two decimals of N2 (rule B23).
        voucher_reference: REF qualifier of our own voucher key (rule B20), and of our payment number where TRN02 is
            the bank's. ``tax_code``: TXI01.
        payment_methods: ERP payment methods to BPR04, beside ``check``, ``ach``, ``wire`` and ``card``. Empty: an
            advice says ``NON`` for a method it does not know; one that is missing from a filled table is refused.
        remittance_gross: RMR05: ``"settled"``, what the payment settles, or ``"invoice"``, the invoice's amount
            (rule B30). ``withholding_reason``: ADX02 of tax withheld; without one such a payment is refused.
        originator: TRN03, and BPR10 on a route to a bank: ten characters, often ``1`` and the tax id.
        hierarchy: BSN05: ``"0001"`` order, pack, item; ``"0003"`` pack, order, item; ``"0004"`` order, item. ``None``
            is 0001 where there are packs, else 0004. ``sscc_digits``: 18, or 20 with ``00`` before it; ``None`` as it
            is.
        packaging: Kinds of packs to TD101, ``{"CTN": "CTN25"}``. ``carriers``: ERP carriers to SCAC (TD503); others go
            as text in TD505.
        promised_date: ACK04: ``"067"`` current schedule delivery, or ``"068"`` ship.
        finish: ``finish(ts, document) -> TransactionSet``, before counting and validation.

    Raises:
        InvalidArgument: With every fault of the profile.
    """

    sender: Id = attrs.field(converter=_id)
    receiver: Id = attrs.field(converter=_id)
    version: str = "004010"
    usage: Literal["T", "P"] = "T"
    upper_case: bool = False
    references: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    currency: str | None = None
    time_zone: dt.tzinfo | None = attrs.field(default=None, converter=_zone)
    finish: Callable[[TransactionSet, Any], TransactionSet] | None = None
    sender_code: str = ""
    receiver_code: str = ""
    request_ta1: bool = False
    delimiters: Delimiters = attrs.field(factory=Delimiters, converter=_delimiters)
    line_end: Literal["", "\n", "\r\n"] = ""
    long_text: Literal["cut", "refuse"] = "cut"
    delimiter_in_data: Literal["replace", "refuse"] = "replace"
    non_ascii: Literal["fold", "refuse", "keep"] = "fold"
    parties: Mapping[str, Id] = attrs.field(factory=ReadOnly, converter=_parties)
    buyer_name: str = ""
    product_ids: Mapping[str, str] = attrs.field(
        factory=lambda: ReadOnly({"buyer": "BP", "vendor": "VP", "gtin": "GTIN"}), converter=_table
    )
    line_as_id: str | None = "ZZ"
    units: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    terms: Mapping[str, Terms] = attrs.field(factory=ReadOnly, converter=_terms)
    freight: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    bases: Mapping[str, str] = attrs.field(factory=lambda: ReadOnly({"TH": "TP"}), converter=_table)
    price_basis: Literal["convert", "state"] = "convert"
    charges: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    ctt02: Literal["sum", "hash"] | None = None
    required: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    order_type: str = "SA"
    release_reference: str | None = None
    account_reference: str | None = None
    cost_center_reference: str | None = None
    account_required: bool = False
    changes: Literal["860", "850"] = "860"
    poc_quantities: Literal["total_left", "old_new", "new_new"] = "total_left"
    credit_sign: Literal["positive", "negative"] = "positive"
    three_decimals: Literal["park", "round"] = "park"
    voucher_reference: str = "CR"
    tax_code: str = "TX"
    payment_methods: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    remittance_gross: Literal["settled", "invoice"] = "settled"
    withholding_reason: str | None = None
    originator: str = ""
    hierarchy: Literal["0001", "0003", "0004"] | None = None
    sscc_digits: Literal[18, 20] | None = None
    packaging: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    carriers: Mapping[str, str] = attrs.field(factory=ReadOnly, converter=_table)
    promised_date: Literal["067", "068"] = "067"

    def __attrs_post_init__(self) -> None:
        faults = _faults(self)
        if faults:
            raise InvalidArgument(f"The partner profile has {len(faults)} fault(s): {'; '.join(faults)}.", cure=_CURE)

    @classmethod
    def load(cls, source: str | Path | Mapping[str, Any]) -> Partner:
        """A profile from a TOML or JSON file, or from a mapping; the keys are the parameters of this class.

        Raises:
            InvalidArgument: A file that cannot be read, unknown keys, and every fault of every value, at once.
        """
        body = source if isinstance(source, Mapping) else _file(Path(source))
        names = {field.name for field in attrs.fields(cls)}
        unknown = [f"{key!r} is no setting" for key in body if key not in names]
        missing = [f"{name} is missing" for name in ("sender", "receiver") if name not in body]
        given = {key: value for key, value in body.items() if key in names}
        if not unknown + missing:
            return cls(**given)
        faults = [*unknown, *missing, *_faults_of(cls, given)]
        raise InvalidArgument(f"The partner profile has {len(faults)} fault(s): {'; '.join(faults)}.", cure=_CURE)

    @property
    def unit_codes(self) -> Mapping[str, str]:
        """ERP units to X12 codes: :data:`UNITS` and this partner's own."""
        return {**UNITS, **self.units}

    @property
    def profile_hash(self) -> str:
        """SHA-256 over every setting, for the record of a run (rule B7)."""
        plain = {field.name: _plain(getattr(self, field.name)) for field in attrs.fields(type(self))}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


_CURE = "Correct the profile; the documentation of Partner explains each setting."
_PLACEHOLDER = Id("ZZ", "ZZ")
_CHOICES: Mapping[str, tuple[Any, ...]] = {
    "usage": ("T", "P"),
    "line_end": ("", "\n", "\r\n"),
    "long_text": ("cut", "refuse"),
    "delimiter_in_data": ("replace", "refuse"),
    "non_ascii": ("fold", "refuse", "keep"),
    "price_basis": ("convert", "state"),
    "ctt02": (None, "sum", "hash"),
    "changes": ("860", "850"),
    "poc_quantities": ("total_left", "old_new", "new_new"),
    "credit_sign": ("positive", "negative"),
    "three_decimals": ("park", "round"),
    "remittance_gross": ("settled", "invoice"),
    "hierarchy": (None, "0001", "0003", "0004"),
    "sscc_digits": (None, 18, 20),
    "promised_date": ("067", "068"),
}
_TYPES: Mapping[type, tuple[str, ...]] = {
    bool: ("upper_case", "request_ta1", "account_required"),
    str: ("sender_code", "receiver_code", "buyer_name", "originator"),
}
_CODES = {"order_type": 2, "voucher_reference": 3, "tax_code": 2}
_OPTIONAL_CODES = {
    "release_reference": 3,
    "account_reference": 3,
    "cost_center_reference": 3,
    "withholding_reason": 2,
    "line_as_id": 2,
}
_TABLES: Mapping[str, tuple[int, int]] = {
    "references": (1, 30),
    "product_ids": (2, 4),
    "units": (2, 2),
    "freight": (2, 2),
    "bases": (2, 2),
    "charges": (4, 4),
    "payment_methods": (3, 3),
    "packaging": (3, 5),
    "carriers": (2, 4),
}


def _faults_of(cls: type[Partner], given: Mapping[str, Any]) -> list[str]:
    """Faults of the settings that could be read, beside others that could not."""
    try:
        cls(**{"sender": _PLACEHOLDER, "receiver": _PLACEHOLDER, **given})
    except InvalidArgument as error:
        return [error.message.partition(": ")[2].rstrip(".")]
    return []


def _faults(partner: Partner) -> list[str]:
    faults = [
        f"{name}={getattr(partner, name)!r} is none of {', '.join(map(repr, choices))}"
        for name, choices in _CHOICES.items()
        if getattr(partner, name) not in choices
    ]
    faults += [
        f"{name}={getattr(partner, name)!r} is no {kind.__name__}"
        for kind, names in _TYPES.items()
        for name in names
        if not isinstance(getattr(partner, name), kind)
    ]
    faults += [fault for name in ("sender", "receiver") for fault in _id_faults(name, getattr(partner, name))]
    faults += _frame_faults(partner)
    for name, widths in _TABLES.items():
        faults += _table_faults(name, getattr(partner, name), *widths)
    for name, most in _CODES.items():
        faults += _code_faults(name, getattr(partner, name), most)
    for name, most in _OPTIONAL_CODES.items():
        if getattr(partner, name) is not None:
            faults += _code_faults(name, getattr(partner, name), most)
    product_ids: Any = partner.product_ids
    if isinstance(product_ids, Mapping) and partner.line_as_id in product_ids.values():
        faults.append(f"line_as_id={partner.line_as_id!r} is a qualifier of product_ids, too")
    faults += _typed_table_faults("terms", partner.terms, Terms)
    faults += _typed_table_faults("parties", partner.parties, Id)
    required: Any = partner.required
    if not isinstance(required, tuple) or not all(isinstance(one, str) for one in required):
        faults.append(f"required={required!r} is no list of texts like 'REF*DP'")
    return faults


def _id_faults(name: str, value: Any) -> list[str]:
    if not isinstance(value, Id) or not all(isinstance(one, str) for one in attrs.astuple(value)):
        return [f'{name}={value!r} is no Id("ZZ", "ACME")']
    good = len(value.qualifier) == 2 and value.qualifier.isalnum() and 2 <= len(value.id) <= 15
    good = good and value.id.isascii() and _VISIBLE.fullmatch(value.id) is not None
    return [] if good else [f"{name}={value!r} needs a qualifier of 2 and an id of 2 to 15 visible characters"]


def _frame_faults(partner: Partner) -> list[str]:
    faults = []
    if not _VERSION.fullmatch(str(partner.version)):
        faults.append(f"version={partner.version!r} is neither 004010 nor 005010 with an optional suffix")
    if partner.currency is not None and not re.fullmatch("[A-Z]{3}", str(partner.currency)):
        faults.append(f"currency={partner.currency!r} is no ISO 4217 code")
    if partner.time_zone is not None and not isinstance(partner.time_zone, dt.tzinfo):
        faults.append(f"time_zone={partner.time_zone!r} is no known time zone")
    if partner.finish is not None and not callable(partner.finish):
        faults.append(f"finish={partner.finish!r} cannot be called")
    if not isinstance(partner.delimiters, Delimiters):
        return [*faults, f"delimiters={partner.delimiters!r} are no Delimiters"]
    marks = set(attrs.astuple(partner.delimiters))
    if isinstance(partner.references, Mapping):
        values = [str(value) for value in partner.references.values()]
        faults += [f"references: {value!r} holds a delimiter" for value in values if set(value) & marks]
    for name in ("sender", "receiver", "sender_code", "receiver_code", "originator"):
        value: Any = getattr(partner, name)
        text = str(value.id if isinstance(value, Id) else value)
        if set(text) & marks:
            faults.append(f"{name}={text!r} holds a delimiter")
        if name == "originator" and text and not (len(text) == 10 and text.isascii() and text.isalnum()):
            faults.append(f"{name}={text!r} is not ten letters and digits")
        if name.endswith("code") and text and not (2 <= len(text) <= 15 and _VISIBLE.fullmatch(text)):
            faults.append(f"{name}={text!r} is not 2 to 15 visible characters")
    return faults


def _table_faults(name: str, table: Any, least: int, most: int) -> list[str]:
    if not isinstance(table, Mapping):
        return [f"{name}={table!r} is no table"]
    return [
        f"{name}: {key!r} = {value!r} is not {least} to {most} characters"
        for key, value in table.items()
        if not (isinstance(key, str) and key and isinstance(value, str) and least <= len(value) <= most)
    ]


def _typed_table_faults(name: str, table: Any, kind: type) -> list[str]:
    if not isinstance(table, Mapping):
        return [f"{name}={table!r} is no table"]
    faults = []
    for key, value in table.items():
        if not isinstance(value, kind):
            faults.append(f"{name}: {key!r} = {value!r} is no {kind.__name__}")
        elif isinstance(value, Terms) and not _good_terms(value):
            faults.append(f"{name}: {key!r} = {value!r} holds a value of the wrong type")
    return faults


def _good_terms(value: Terms) -> bool:
    days = all(one is None or type(one) is int for one in (value.days, value.net_days))
    texts = all(isinstance(one, str) for one in (value.type, value.basis, value.text))
    return days and texts and (value.percent is None or isinstance(value.percent, Decimal))


def _code_faults(name: str, value: Any, most: int) -> list[str]:
    good = isinstance(value, str) and 2 <= len(value) <= most and value.isalnum()
    return [] if good else [f"{name}={value!r} is no code of 2 to {most} characters"]


def _file(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text("utf-8")
        body = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"The profile {path} cannot be read: {error}", cure="Give a TOML or JSON file.") from None
    if not isinstance(body, dict):
        raise InvalidArgument(f"The profile {path} is no table of settings.", cure=_CURE)
    return body


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if attrs.has(type(value)):
        return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    return value if value is None or isinstance(value, (bool, int)) else str(value)
