"""Voucher match of the simulated Procurement: invoices against receipts, and back (AIS reference, 6.3, 6.4 and 7)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_books import Books
from mlconnector.testing._ais_contract import BusinessRefusal, Values
from mlconnector.testing._ais_store import Row
from mlconnector.testing._ais_vouchers import Distribution, VoucherEntry, checked_entry, void_voucher

__all__ = ["match_voucher", "reverse_voucher"]

_PROGRAM = "P4314"
_CENT = Decimal("0.01")
_KEY = ("DOCO", "DCTO", "KCOO", "SFXO", "LNID", "NLIN", "DOC")


@attrs.define
class _Allocation:
    """What a voucher takes of one receipt; ``share`` and ``foreign_share`` are the receipt's own amounts."""

    receipt: Row
    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    share: Decimal = Decimal(0)
    foreign_share: Decimal = Decimal(0)

    @property
    def open_quantity(self) -> Decimal:
        return Decimal(self.receipt["UOPN"]) - self.quantity

    @property
    def open_amount(self) -> Decimal:
        """In the order's currency."""
        if self.receipt["FREC"]:
            return Decimal(self.receipt["FAP"]) - self.foreign_share
        return Decimal(self.receipt["AOPN"]) - self.share

    def share_of(self, quantity: Decimal) -> Decimal:
        """What was received for a quantity, in the order's currency; the last of it takes the cent."""
        if quantity == self.open_quantity:
            return self.open_amount
        received = Decimal(self.receipt["FREC"] or self.receipt["AREC"])
        return (received * quantity / Decimal(self.receipt["UREC"])).quantize(_CENT, ROUND_HALF_UP)

    def take(self, quantity: Decimal, share: Decimal, amount: Decimal) -> None:
        """Add to the allocation; ``share`` and ``amount`` are in the order's currency."""
        receipt = self.receipt
        if receipt["FREC"]:
            whole = share == self.open_amount
            base = Decimal(receipt["AOPN"]) - self.share
            self.foreign_share += share
            self.share += base if whole else (share * receipt["AREC"] / receipt["FREC"]).quantize(_CENT, ROUND_HALF_UP)
        else:
            self.share += share
        self.quantity += quantity
        self.amount += amount


def match_voucher(books: Books, values: Values) -> Row:
    """ML_MatchVoucher over P4314: two- and three-way alike need a receipt that is not vouchered."""
    entry = checked_entry(books, values, "PV")
    plan: dict[tuple[Any, ...], _Allocation] = {}
    for line in values["Lines"]:
        if line["Amount"] <= 0:
            raise BusinessRefusal("AMOUNT", f"Amount {line['Amount']} of order {line['OrderNumber']} is invalid")
        _allocate(books, entry, line, plan)
    charges = [Distribution(books.account(line), line["Amount"], line["Remark"]) for line in values["Charges"]]
    lines = [Distribution(_stock_account(each.receipt), each.amount) for each in plan.values()] + charges
    if sum(line.amount for line in lines) != entry.net:
        raise BusinessRefusal("DISTRIBUTION", f"Lines and charges must add up to {entry.net}")
    first = next(iter(plan.values())).receipt
    order = {
        "PKCO": first["KCOO"],
        "PO": f"{first['DOCO']:08}",
        "PDCT": first["DCTO"],
        "LNID": first["LNID"],
        "SFXO": first["SFXO"],
    }
    written = entry.write(books, lines, _PROGRAM, **order)
    for position, each in enumerate(plan.values(), start=1):
        _voucher_receipt(books, entry, each, written, position)
    return {
        "DocumentCompany": written["KCO"],
        "DocumentType": written["DCT"],
        "DocumentNumber": written["DOC"],
        "BatchNumber": written["ICU"],
        "MatchedLines": len(values["Lines"]),
    }


def _stock_account(receipt: Row) -> Row:
    return {**receipt, "MCU": receipt["OMCU"]}


def _allocate(
    books: Books, entry: VoucherEntry, line: Mapping[str, Any], plan: dict[tuple[Any, ...], _Allocation]
) -> None:
    """Take a line's quantity or amount from its receipts, the oldest first, or from the one it names."""
    what = f"order {line['OrderNumber']} {line['OrderType']} line {line['OrderLine']}"
    open_here = [
        plan.setdefault(tuple(row[alias] for alias in _KEY), _Allocation(row)) for row in _receipts(books, line, what)
    ]
    for each in open_here:
        if each.receipt["AN8"] != entry.values["SupplierNumber"]:
            raise BusinessRefusal("SUPPLIER", f"The supplier of {what} is {each.receipt['AN8']}")
        if (each.receipt["CRCD"] or entry.money.base) != entry.money.currency:
            raise BusinessRefusal("CURRENCY", f"The currency of {what} is {each.receipt['CRCD']}")
    by_quantity = bool(open_here[0].receipt["UREC"])
    quantity: Decimal | None = line["Quantity"]
    if by_quantity != (quantity is not None) or (quantity is not None and quantity <= 0):
        raise BusinessRefusal("QUANTITY", f"Quantity {quantity} is invalid for {what}")
    if quantity is None:
        _take_amount(open_here, line["Amount"], what)
    else:
        _take_quantity(books, open_here, quantity, line["Amount"], what)
    for key in [key for key, each in plan.items() if not (each.quantity or each.amount)]:
        del plan[key]


def _receipts(books: Books, line: Mapping[str, Any], what: str) -> list[Row]:
    wanted = {
        "DOCO": line["OrderNumber"],
        "DCTO": line["OrderType"],
        "KCOO": line["OrderCompany"],
        "SFXO": line["OrderSuffix"] or "000",
        "LNID": line["OrderLine"],
        "MATC": "1",
        "FUF3": "",
    }
    if line["ReceiptLine"] is not None:
        wanted["NLIN"] = line["ReceiptLine"]
    found = books.stores["F43121"].where(**wanted)
    if not found:
        raise BusinessRefusal("RECEIPT", f"Nothing was received for {what}")
    if len({row["NLIN"] for row in found}) < len(found):
        # The rows of the voucher would share one key: such receipts cannot be in JD Edwards.
        raise InvalidArgument(f"Two receipts of {what} have the same NLIN.")
    return found


def _take_amount(receipts: list[_Allocation], amount: Decimal, what: str) -> None:
    if amount > sum(each.open_amount for each in receipts):
        raise BusinessRefusal("OPEN AMOUNT", f"Amount {amount} is more than was received and not vouchered for {what}")
    rest = amount
    for each in receipts:
        part = min(rest, each.open_amount)
        each.take(Decimal(0), part, part)
        rest -= part


def _take_quantity(books: Books, receipts: list[_Allocation], quantity: Decimal, amount: Decimal, what: str) -> None:
    if quantity > sum(each.open_quantity for each in receipts):
        raise BusinessRefusal(
            "OPEN QUANTITY", f"Quantity {quantity} is more than was received and not vouchered for {what}"
        )
    parts = []
    rest = quantity
    for each in receipts:
        part = min(rest, each.open_quantity)
        rest -= part
        if part:
            parts.append((each, part, each.share_of(part)))
    expected = sum((share for _, _, share in parts), Decimal(0))
    tolerance = books.rules.tolerance
    if tolerance is not None and abs(amount - expected) > max(_CENT, expected * tolerance / 100):
        raise BusinessRefusal("TOLERANCE", f"Amount {amount} of {what} is out of tolerance: {expected} was received")
    left = amount
    for position, (each, part, share) in enumerate(parts, start=1):
        charged = left if position == len(parts) else (amount * part / quantity).quantize(_CENT, ROUND_HALF_UP)
        left -= charged
        each.take(part, share, charged)


def _voucher_receipt(books: Books, entry: VoucherEntry, taken: _Allocation, voucher: Row, position: int) -> None:
    receipt, money = taken.receipt, entry.money
    matched = {
        **receipt,
        **{alias: voucher[alias] for alias in ("KCO", "DOC", "DCT")},
        **dict.fromkeys(("UPTD", "UOPN", "UCLO", "APTD", "AOPN", "ACLO", "FAPT", "FAP", "FCLO"), 0),
        "MATC": "2",
        "SFX": "001",
        "VINV": entry.values["InvoiceNumber"],
        "VRMK": entry.values["Remark"],
        "DGL": entry.values["GLDate"],
        "PST": books.rules.pay_status,
        "JELN": position,
        "UREC": taken.quantity,
        "AREC": money.in_base(taken.amount),
        "FREC": taken.amount if money.foreign else 0,
        "UPMJ": None,
    }
    books.put("F43121", matched, _PROGRAM)
    books.revise(
        "F43121",
        receipt,
        _PROGRAM,
        UPTD=receipt["UPTD"] + taken.quantity,
        UOPN=receipt["UOPN"] - taken.quantity,
        APTD=receipt["APTD"] + taken.share,
        AOPN=receipt["AOPN"] - taken.share,
        FAPT=receipt["FAPT"] + taken.foreign_share,
        FAP=receipt["FAP"] - taken.foreign_share,
    )


def reverse_voucher(books: Books, values: Values) -> Row:
    """ML_ReverseVoucher: a matched voucher in Procurement, another one as a void in Payables."""
    company, kind, number = values["VoucherCompany"], values["VoucherType"], values["VoucherNumber"]
    matched = books.stores["F43121"].where(DOC=number, DCT=kind, KCO=company, MATC="2")
    if not matched:
        return void_voucher(books, values)
    outputs = void_voucher(books, values, _PROGRAM)
    for row in matched:
        _receive_again(books, row)
        if outputs["Deleted"] == "Y" and books.rules.unposted_receipts == "deleted":
            books.drop("F43121", row)
        else:
            books.revise("F43121", row, _PROGRAM, MATC="3")
    return {**outputs, "ReversalType": "match"}


def _receive_again(books: Books, matched: Row) -> None:
    """Open on its receipt what a voucher's row had taken."""
    line = {alias: matched[alias] for alias in ("DOCO", "DCTO", "KCOO", "SFXO", "LNID", "NLIN")}
    receipts = books.stores["F43121"].where(**line, MATC="1")
    if not receipts:
        return
    receipt = receipts[0]
    if receipt["UREC"]:
        quantity = min(Decimal(matched["UREC"]), Decimal(receipt["UPTD"]))
        whole = quantity == receipt["UPTD"]
        share, foreign = (
            receipt[vouchered]
            if whole
            else (Decimal(receipt[received]) * quantity / receipt["UREC"]).quantize(_CENT, ROUND_HALF_UP)
            for vouchered, received in (("APTD", "AREC"), ("FAPT", "FREC"))
        )
    else:
        quantity, share, foreign = Decimal(0), matched["AREC"], matched["FREC"]
    books.revise(
        "F43121",
        receipt,
        _PROGRAM,
        UPTD=receipt["UPTD"] - quantity,
        UOPN=receipt["UOPN"] + quantity,
        APTD=receipt["APTD"] - share,
        AOPN=receipt["AOPN"] + share,
        FAPT=receipt["FAPT"] - foreign,
        FAP=receipt["FAP"] + foreign,
    )
