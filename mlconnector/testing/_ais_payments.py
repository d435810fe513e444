"""Payments of the simulated Payables: recorded on vouchers, voided (AIS reference, sections 6.3 and 6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.testing._ais_books import Books
from mlconnector.testing._ais_contract import BusinessRefusal, OrchestrationFailed, Values
from mlconnector.testing._ais_store import NO_DATE, Row

__all__ = ["record_payment", "void_payment"]

_PROGRAM = "P0413M"
_SINGLE = ("VoucherCompany", "VoucherType", "VoucherNumber", "PayItem")


@attrs.frozen
class _Paid:
    """What one payment pays of one pay item: in its currency, and in the company's."""

    item: Row
    amount: Decimal
    base: Decimal

    @property
    def foreign(self) -> bool:
        return bool(self.item["CRRM"] == "F")

    @property
    def left(self) -> Row:
        """The pay item's columns after it."""
        opened = {"AAP": self.item["AAP"] - self.base}
        if self.foreign:
            opened["FAP"] = self.item["FAP"] - self.amount
        return {**opened, "PST": self.item["PST"] if any(opened.values()) else "P"}


def record_payment(books: Books, values: Values) -> Row:
    """ML_RecordAPPayment over P0413M: a matching document ``PN``, never a second voucher."""
    amount: Decimal = values["Amount"]
    asked = _asked(values)
    if amount < 0 or sum(each["Amount"] for each in asked) != amount:
        raise BusinessRefusal("AMOUNT", f"Payment amount {amount} is not the sum of what it pays, or is negative")
    if books.stores["F0901"].find(values["BankAccountId"]) is None:
        raise BusinessRefusal("BANK ACCOUNT", f"Bank account {values['BankAccountId']} is invalid")
    paid: dict[tuple[Any, ...], _Paid] = {}
    for each in asked:
        item = books.pay_item(each)
        key = (item["DOC"], item["DCT"], item["KCO"], item["SFX"], item["SFXE"])
        if key in paid:
            raise BusinessRefusal("PAY ITEM", f"Voucher {item['DOC']} pay item {item['SFX']} is selected twice")
        books.period(item["CO"] or item["KCO"], values["GLDate"], "AP")
        _check_payable(item, values)
        paid[key] = _part(item, each["Amount"])
    company = books.company(next(iter(paid.values())).item["KCO"])
    books.money(company, values["CurrencyCode"], values["ExchangeRate"], *(each["Amount"] for each in asked))
    return _write(books, values, list(paid.values()))


def _asked(values: Values) -> Sequence[Mapping[str, Any]]:
    named = [name for name in _SINGLE if values[name] not in {"", None}]
    if bool(named) == bool(values["Vouchers"]) or len(named) not in {0, len(_SINGLE)}:
        raise OrchestrationFailed(f"A payment takes either {', '.join(_SINGLE)} or Vouchers")
    if named:
        return [{**{name: values[name] for name in _SINGLE}, "Amount": values["Amount"]}]
    listed: Sequence[Mapping[str, Any]] = values["Vouchers"]
    return listed


def _check_payable(item: Row, values: Values) -> None:
    what = f"Voucher {item['DOC']}"
    if item["VOD"]:
        raise BusinessRefusal("VOID", f"{what} is void")
    if item["PST"] == "#":
        raise BusinessRefusal("PAY STATUS", f"{what} is in a payment group")
    if item["PYE"] != values["SupplierNumber"]:
        raise BusinessRefusal("PAYEE", f"{what} is payable to {item['PYE']}, not to {values['SupplierNumber']}")
    if (item["CRCD"] or item["BCRC"]) != values["CurrencyCode"]:
        raise BusinessRefusal("CURRENCY", f"{what} is in currency {item['CRCD']}")


def _part(item: Row, amount: Decimal) -> _Paid:
    opened = Decimal(item["FAP"] if item["CRRM"] == "F" else item["AAP"])
    if not amount or (amount < 0) != (opened < 0) or abs(amount) > abs(opened):
        raise BusinessRefusal("AMOUNT", f"Amount {amount} is not within the open amount {opened} of {item['DOC']}")
    if item["CRRM"] != "F":
        return _Paid(item, amount, amount)
    base = Decimal(item["AAP"])
    share = base if amount == opened else (base * amount / opened).quantize(Decimal("0.01"))
    return _Paid(item, amount, share)


def _write(books: Books, values: Values, paid: Sequence[_Paid]) -> Row:
    sign = books.rules.payment_sign
    pyid, number = books.next_payment()
    batch = books.next_batch()
    supplier = books.stores["F0401"].find(values["SupplierNumber"])
    header = {
        "PYID": pyid,
        "DCTM": "PN",
        "DOCM": number,
        "PYE": values["SupplierNumber"],
        "GLBA": values["BankAccountId"],
        "DMTJ": values["PaymentDate"],
        "PAAP": sign * sum(each.base for each in paid),
        "CRCD": values["CurrencyCode"],
        "PYIN": supplier["PYIN"] if supplier else "",
        "ICU": batch,
        "ICUT": "M",
    }
    books.put("F0413", header, _PROGRAM)
    for position, each in enumerate(paid, start=1):
        item = each.item
        detail = {
            **{alias: item[alias] for alias in ("KCO", "DCT", "DOC", "SFX", "SFXE")},
            "PYID": pyid,
            "RC5": position,
            "DCTM": "PN",
            "PAAP": sign * each.base,
            "PFAP": sign * each.amount if each.foreign else 0,
            "RMK": values["PaymentReference"],
            "AN8": values["SupplierNumber"],
        }
        books.put("F0414", detail, _PROGRAM)
        books.revise("F0411", item, _PROGRAM, **each.left)
    return {"PaymentId": pyid, "PaymentType": "PN", "PaymentNumber": number, "BatchNumber": batch}


def void_payment(books: Books, values: Values) -> Row:
    """ML_VoidAPPayment: ``PO`` rows take the payment back, its vouchers are open again."""
    pyid, reference = values["PaymentId"], values["PaymentReference"]
    header = books.stores["F0413"].find(pyid)
    details = books.stores["F0414"].where(PYID=pyid)
    if header is None or not details:
        raise BusinessRefusal("PAYMENT", f"Payment {pyid} does not exist")
    if header["VDGJ"] is not NO_DATE:
        raise BusinessRefusal("VOID", f"Payment {pyid} is already void")
    if header["RCND"]:
        raise BusinessRefusal("RECONCILED", f"Payment {pyid} is reconciled")
    if reference and any(row["RMK"] != reference for row in details):
        raise BusinessRefusal("REFERENCE", f"Payment {pyid} has another reference than {reference}")
    for row in details:
        books.period(row["KCO"], values["GLDate"], "AP")
        _paid_item(books, row)
    batch = books.next_batch()
    books.revise("F0413", header, _PROGRAM, PAAP=0, VDGJ=values["GLDate"])
    last = max(int(row["RC5"]) for row in details)
    for row in details:
        taken_back = {"RC5": last + row["RC5"], "DCTM": "PO", "PAAP": -row["PAAP"], "PFAP": -row["PFAP"], "UPMJ": None}
        books.put("F0414", {**row, **taken_back, "RMK": values["Remark"] or row["RMK"]}, _PROGRAM)
        _open_again(books, row)
    return {"PaymentId": pyid, "PaymentType": "PO", "PaymentNumber": header["DOCM"], "BatchNumber": batch}


def _paid_item(books: Books, detail: Row) -> Row:
    item = books.stores["F0411"].find([detail[alias] for alias in ("DOC", "DCT", "KCO", "SFX", "SFXE")])
    if item is None:
        raise BusinessRefusal("VOUCHER", f"Voucher {detail['DCT']} {detail['DOC']} {detail['KCO']} does not exist")
    return item


def _open_again(books: Books, detail: Row) -> None:
    item, sign = _paid_item(books, detail), books.rules.payment_sign
    again = {"AAP": item["AAP"] + sign * detail["PAAP"], "PST": books.rules.reopened_pay_status}
    if item["CRRM"] == "F":
        again["FAP"] = item["FAP"] + sign * detail["PFAP"]
    books.revise("F0411", item, _PROGRAM, **again)
