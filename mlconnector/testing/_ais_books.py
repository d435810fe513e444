"""What the simulated financials share: companies, periods, accounts, suppliers, currencies, numbers, batches."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_contract import BusinessRefusal
from mlconnector.testing._ais_store import NO_DATE, Row, TableStore

__all__ = ["Books", "FinancialRules", "Money", "Period"]

_CENT = Decimal("0.01")
_WHOLE = Decimal(1)
_ZERO_DECIMALS = frozenset({"JPY", "KRW", "CLP", "ISK"})
_RATES: Mapping[str, Decimal] = {
    "EUR": Decimal("1.25"),
    "GBP": Decimal("1.5"),
    "CAD": Decimal("0.75"),
    "JPY": Decimal("0.0075"),
}


@attrs.frozen(kw_only=True)
class FinancialRules:
    """How the simulated site has set up its financials; what the AIS reference leaves to the site, or does not know.

    Args:
        duplicate_invoice: What an invoice number in use does to a voucher: refuse it, or warn.
        earlier_period: What a date in an earlier period of the open year does (``PBCO``).
        supplier_hold: What a supplier on hold (F0401, ``HDPY`` or ``HOLD``) does to a voucher.
        pay_status: Pay status of a new voucher.
        reopened_pay_status: Pay status after the payment was voided.
        pay_statuses: The codes of 00/PS.
        rates: Currencies beside the companies' own, with the rate where a call has none: base units for one.
        tax_areas: Tax areas that exist; None takes any.
        tolerance: Per cent by which a matched line may differ from what was received; None takes any difference.
        void_keeps_gross: Whether the first row of a void voucher keeps its gross amount.
        unposted_receipts: What reversing an unposted voucher leaves of its MATC 2 rows: MATC 3, or nothing.
        payment_sign: Sign of ``PAAP`` and ``PFAP`` of a payment.
        left_empty: Columns that the site's orchestrations do not fill, such as ``"F0414.RMK"``: a reference sent in is
            lost without a sign.

    Raises:
        InvalidArgument: A value outside these.
    """

    duplicate_invoice: Literal["error", "warning"] = "warning"
    earlier_period: Literal["error", "warning"] = "error"
    supplier_hold: Literal["error", "warning"] = "error"
    pay_status: str = "A"
    reopened_pay_status: str = "A"
    pay_statuses: str = "APHR%#B"
    rates: Mapping[str, Decimal] = attrs.field(factory=lambda: dict(_RATES))
    tax_areas: frozenset[str] | None = None
    tolerance: Decimal | None = Decimal(0)
    void_keeps_gross: bool = True
    unposted_receipts: Literal["reversed", "deleted"] = "reversed"
    payment_sign: Literal[1, -1] = 1
    left_empty: frozenset[str] = frozenset()

    def __attrs_post_init__(self) -> None:
        for name, allowed in (
            ("duplicate_invoice", ("error", "warning")),
            ("earlier_period", ("error", "warning")),
            ("supplier_hold", ("error", "warning")),
            ("unposted_receipts", ("reversed", "deleted")),
            ("payment_sign", (1, -1)),
        ):
            if getattr(self, name) not in allowed:
                raise InvalidArgument(f"{name} must be one of {allowed}, not {getattr(self, name)!r}.")
        for name in ("pay_status", "reopened_pay_status"):
            status = getattr(self, name)
            if len(status) != 1 or status not in self.pay_statuses:
                raise InvalidArgument(f"{name} must be one of pay_statuses {self.pay_statuses!r}, not {status!r}.")
        if self.tolerance is not None and self.tolerance < 0:
            raise InvalidArgument(f"tolerance must not be negative, it is {self.tolerance!r}.")
        fillable = {"F0411.RMK", "F0411.VINV", "F0414.RMK", "F0911.R1"}
        if not self.left_empty <= fillable:
            raise InvalidArgument(f"left_empty holds some of {sorted(fillable)}, not {sorted(self.left_empty)}.")
        for currency, rate in self.rates.items():
            if rate <= 0:
                raise InvalidArgument(f"The rate of {currency} must be positive, not {rate!r}.")


@attrs.frozen
class Period:
    """An open period: its number, fiscal year in two digits, century."""

    number: int
    year: int
    century: int

    @property
    def columns(self) -> Row:
        """As F0411 and F0911 hold it."""
        return {"PN": self.number, "FY": self.year, "CTRY": self.century}


@attrs.frozen
class Money:
    """A currency against a company's own: how foreign amounts become base amounts."""

    currency: str
    base: str
    rate: Decimal

    @property
    def foreign(self) -> bool:
        """Whether it is not the company's own."""
        return self.currency != self.base

    def in_base(self, amount: Decimal) -> Decimal:
        """An amount in the company's currency, rounded half up."""
        if not self.foreign:
            return amount
        unit = _WHOLE if self.base in _ZERO_DECIMALS else _CENT
        return (amount * self.rate).quantize(unit, ROUND_HALF_UP)

    @property
    def columns(self) -> Row:
        """As F0411 holds it."""
        mode = {"CRRM": "F", "CRR": self.rate} if self.foreign else {"CRRM": "D"}
        return {**mode, "CRCD": self.currency, "BCRC": self.base}


@attrs.define
class Books:
    """The tables seen as books of account. One call's work is checked whole before it writes.

    Args:
        stores: The simulator's tables.
        rules: How the site is set up.
        user: Who stamps the rows.
    """

    stores: Mapping[str, TableStore]
    rules: FinancialRules
    user: str
    warnings: list[str] = attrs.field(factory=list, init=False)
    _now: dt.datetime = attrs.field(default=dt.datetime.min.replace(tzinfo=dt.UTC), init=False)
    _documents: Iterator[int] = attrs.field(factory=lambda: itertools.count(600001), init=False)
    _batches: Iterator[int] = attrs.field(factory=lambda: itertools.count(90001), init=False)
    _payments: Iterator[int] = attrs.field(factory=lambda: itertools.count(800001), init=False)
    _checks: Iterator[int] = attrs.field(factory=lambda: itertools.count(70001), init=False)

    def begin(self, now: dt.datetime) -> None:
        """Start a call at this local time."""
        self._now = now
        self.warnings.clear()

    # Writing

    def put(self, table: str, row: Row, program: str) -> None:
        """Add a row, stamped."""
        empty = {alias: "" for alias in row if f"{table}.{alias}" in self.rules.left_empty}
        self.stores[table].put({**row, **empty, "USER": self.user, "PID": program}, self._now)

    def revise(self, table: str, row: Row, program: str, **columns: Any) -> None:
        """Change columns of a row, stamped."""
        store = self.stores[table]
        key = {alias: row[alias] for alias in store.table.key}
        store.revise(key, {**columns, "USER": self.user, "PID": program}, self._now)

    def drop(self, table: str, row: Row) -> None:
        """Delete a row."""
        store = self.stores[table]
        store.drop({alias: row[alias] for alias in store.table.key})

    def next_document(self) -> int:
        """A document number that no voucher and no ledger entry has."""
        ledgers = (self.stores["F0411"], self.stores["F0911"])
        return next(number for number in self._documents if not any(ledger.where(DOC=number) for ledger in ledgers))

    def next_batch(self) -> int:
        """A batch number; every call makes its own batch."""
        return next(self._batches)

    def next_payment(self) -> tuple[int, int]:
        """A payment id and a payment number that no payment has."""
        payments = self.stores["F0413"]
        pyid = next(number for number in self._payments if payments.find(number) is None)
        return pyid, next(number for number in self._checks if not payments.where(DOCM=number))

    # Checking

    def warn_or_refuse(self, severity: Literal["error", "warning"], code: str, text: str) -> None:
        """What a setting makes of a doubt."""
        if severity == "error":
            raise BusinessRefusal(code, text)
        self.warnings.append(text)

    def company(self, number: str) -> Row:
        """Constants of a company that takes entries."""
        found = self.stores["F0010"].find(number)
        if found is None or number == "00000":
            raise BusinessRefusal("COMPANY", f"Company {number} is invalid or takes no entries")
        return found

    def period(self, company: str, date: dt.date, system: Literal["AP", "GL"]) -> Period:
        """The open period that holds a date (section 7: the current and the next, also across the year's end)."""
        constants = self.company(company)
        begin, current = ("APFJ", "APPN") if system == "AP" else ("DFYJ", "PNC")
        count = constants["NNP"] or 12
        years = [row for row in self.stores["F0008"].where(DTPN=constants["DTPN"]) if not row["FQ"]]
        open_year = next((index for index, row in enumerate(years) if row["DFYJ"] == constants[begin]), None)
        if constants[begin] is NO_DATE or open_year is None:
            raise BusinessRefusal("DATE PATTERN", f"No fiscal date pattern for company {company} and {system}")
        for index, row in enumerate(years):
            ends = [row[f"D{number:02}J"] for number in range(1, count + 1)]
            if row["DFYJ"] <= date <= ends[-1]:
                number = next(position for position, end in enumerate(ends, start=1) if date <= end)
                self._check_open(index - open_year, number - constants[current], count, f"{date} in {company}")
                return Period(number, row["FY"], row["CTRY"])
        before = date < years[open_year]["DFYJ"]
        code, text = ("PYEB", "lies before the open fiscal year") if before else ("PACO", "lies after the open period")
        raise BusinessRefusal(code, f"{code} - G/L date {date} in {company} {text}")

    def _check_open(self, years: int, periods: int, count: int, what: str) -> None:
        if years < 0:
            raise BusinessRefusal("PYEB", f"PYEB - G/L date {what} lies before the open fiscal year")
        distance = years * count + periods
        if distance > 1:
            raise BusinessRefusal("PACO", f"PACO - G/L date {what} lies after the open period")
        if distance < 0:
            self.warn_or_refuse(
                self.rules.earlier_period, "PBCO", f"PBCO - G/L date {what} lies before the open period"
            )

    def account(self, line: Mapping[str, Any]) -> Row:
        """The account of a line with BusinessUnit, ObjectAccount and Subsidiary, if it may be posted to."""
        unit, number, subsidiary = line["BusinessUnit"].strip(), line["ObjectAccount"].strip(), line["Subsidiary"]
        name = ".".join(part for part in (unit, number, subsidiary.strip()) if part)
        for row in self.stores["F0901"].where(OBJ=number):
            if row["MCU"].strip() == unit and row["SUB"].strip() == subsidiary.strip():
                if row["PEC"]:
                    raise BusinessRefusal("POSTING EDIT", f"Account {name} may not be posted to")
                return {**row, "ANI": name}
        raise BusinessRefusal("ACCOUNT", f"Account {name} is invalid")

    def supplier(self, number: int) -> Row:
        """A supplier that may be entered on."""
        found = self.stores["F0401"].find(number)
        if found is None:
            raise BusinessRefusal("SUPPLIER", f"Supplier {number} is not in the supplier master")
        if found["HOLD"] or found["HDPY"] not in {"", "N"}:
            self.warn_or_refuse(self.rules.supplier_hold, "HOLD", f"Supplier {number} is on hold")
        return found

    def money(self, company: Row, currency: str, rate: Decimal | None, *amounts: Decimal) -> Money:
        """A currency that the site knows, its rate against the company's, and amounts that fit its decimals."""
        base = company["CRCD"]
        if rate is not None and (currency == base or rate <= 0):
            raise BusinessRefusal("EXCHANGE RATE", f"Exchange rate {rate} is invalid for currency {currency}")
        known = {row["CRCD"] for row in self.stores["F0010"].copies()}
        if currency not in known | set(self.rules.rates):
            raise BusinessRefusal("CURRENCY", f"Currency {currency} is invalid")
        if currency in _ZERO_DECIMALS and any(amount % 1 for amount in amounts):
            raise BusinessRefusal("DECIMALS", f"Currency {currency} has no decimals")
        if currency == base:
            return Money(currency, base, Decimal(0))
        used = rate if rate is not None else self.rules.rates.get(currency)
        if used is None:
            raise BusinessRefusal("EXCHANGE RATE", f"No exchange rate from {currency} to {base}")
        return Money(currency, base, used)

    def due_date(self, invoice_date: dt.date, *, asked: str, usual: str) -> dt.date:
        """When terms make an invoice due: those asked for, which must exist, else the supplier's usual ones."""
        found = self.stores["F0014"].find(asked or usual)
        if found is None and asked:
            raise BusinessRefusal("TERMS", f"Payment terms {asked} are invalid")
        return invoice_date + dt.timedelta(days=int(found["NDTP"])) if found else invoice_date

    # Vouchers

    def pay_items(self, company: str, kind: str, number: int) -> list[Row]:
        """The pay items of a voucher, without the rows that adjust them."""
        rows = [row for row in self.stores["F0411"].where(DOC=number, DCT=kind, KCO=company) if not row["DCTA"]]
        if not rows:
            raise BusinessRefusal("VOUCHER", f"Voucher {kind} {number} {company} does not exist")
        return rows

    def pay_item(self, values: Mapping[str, Any]) -> Row:
        """The pay item that VoucherCompany, VoucherType, VoucherNumber, PayItem and PayItemExtension name."""
        items = self.pay_items(values["VoucherCompany"], values["VoucherType"], values["VoucherNumber"])
        extension = values.get("PayItemExtension") or 0
        for row in items:
            if row["SFX"] == values["PayItem"] and row["SFXE"] == extension:
                return row
        raise BusinessRefusal("PAY ITEM", f"Voucher {values['VoucherNumber']} has no pay item {values['PayItem']}")

    def post(self, batch: int | None, now: dt.datetime) -> frozenset[int]:
        """Post what is not posted, of one batch or of all; the numbers of the batches that were."""
        self.begin(now)
        posted: set[int] = set()
        for table, mark, program in (("F0411", "D", "R09801"), ("F0911", "P", "R09801")):
            for row in self.stores[table].copies():
                if not row["POST"] and (batch is None or row["ICU"] == batch):
                    self.revise(table, row, program, POST=mark)
                    posted.add(int(row["ICU"]))
        return frozenset(posted)
