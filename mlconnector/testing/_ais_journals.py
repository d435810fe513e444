"""Journal entries of the simulated General Accounting, and the Z-tables of a site that enters by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.testing._ais_books import Books
from mlconnector.testing._ais_contract import BusinessRefusal, Values
from mlconnector.testing._ais_store import Row
from mlconnector.testing._ais_vouchers import Distribution, create_voucher, ledger_rows

__all__ = ["BatchRun", "Staging", "create_journal_entry"]

_ENTRY, _VOUCHER_BATCH, _JOURNAL_BATCH = "P0911", "R04110Z", "R09110Z"
_TO_DO, _PROCESSED = "0", "1"


def create_journal_entry(books: Books, values: Values) -> Row:
    """ML_CreateJournalEntry over P0911."""
    company = books.company(values["Company"])
    period = books.period(values["Company"], values["GLDate"], "GL")
    amounts = [line["Amount"] for line in values["Lines"]]
    money = books.money(company, values["CurrencyCode"], None, *amounts)
    lines = [Distribution(books.account(line), line["Amount"], line["Remark"]) for line in values["Lines"]]
    if sum(amounts) != 0 or not any(amounts):
        raise BusinessRefusal("OUT OF BALANCE", f"The entry is out of balance by {sum(amounts)}, or empty")
    key = {"DOC": books.next_document(), "DCT": "JE", "KCO": values["Company"]}
    common = {
        **key,
        **period.columns,
        "ICU": books.next_batch(),
        "ICUT": "G",
        "DGJ": values["GLDate"],
        "CO": values["Company"],
        "CRCD": money.currency,
        "CRR": money.rate,
        "EXA": values["Explanation"],
        "R1": values["Reference"],
    }
    for row in ledger_rows(lines, money, total=Decimal(0)):
        books.put("F0911", {**common, **row}, _ENTRY)
    return {
        "DocumentCompany": key["KCO"],
        "DocumentType": "JE",
        "DocumentNumber": key["DOC"],
        "BatchNumber": common["ICU"],
    }


@attrs.frozen(kw_only=True)
class BatchRun:
    """What a run of the batch processors did.

    Args:
        documents: Numbers of the vouchers and journal entries made, in the order they were staged.
        refused: Why the others were not; they stay staged.
    """

    documents: tuple[int, ...]
    refused: tuple[str, ...]


@attrs.define
class _Staged:
    key: Row
    tables: tuple[str, ...]
    values: Values
    make: Callable[[Books, Values], Row]


@attrs.define
class Staging:
    """What waits in F0411Z1 and F0911Z1 for R04110Z and the journal batch processor (section 6.3)."""

    books: Books
    _waiting: list[_Staged] = attrs.field(factory=list, init=False)

    def stage_voucher(self, books: Books, values: Values) -> Row:
        """ML_CreateAPVoucher of a Z-table site: it has no document number yet, and is not checked yet."""
        batch = books.next_batch()
        key = {"EDUS": books.user, "EDBT": str(batch), "EDTN": values["InvoiceNumber"][:22]}
        kind = values["DocumentType"] or "PV"
        header = {
            **key,
            "EDLN": 1,
            "EDSP": _TO_DO,
            "CO": values["Company"],
            "DCT": kind,
            "AN8": values["SupplierNumber"],
            "VINV": values["InvoiceNumber"],
            "DIVJ": values["InvoiceDate"],
            "DGJ": values["GLDate"],
            "AG": values["GrossAmount"],
            "STAM": values["TaxAmount"] or 0,
            "CRCD": values["CurrencyCode"],
            "CRR": values["ExchangeRate"] or 0,
            "PTC": values["PaymentTerms"],
            "RMK": values["Remark"],
            "PO": values["PurchaseOrder"],
            "TXA1": values["TaxArea"],
            "EXR1": values["TaxExplanation"],
        }
        books.put("F0411Z1", header, _VOUCHER_BATCH)
        self._stage_lines(key, values, {"DCT": kind}, _VOUCHER_BATCH)
        self._waiting.append(_Staged(key, ("F0411Z1", "F0911Z1"), values, create_voucher))
        return self._staged(values, kind, batch)

    def stage_journal_entry(self, books: Books, values: Values) -> Row:
        """ML_CreateJournalEntry of a Z-table site."""
        batch = books.next_batch()
        key = {"EDUS": books.user, "EDBT": str(batch), "EDTN": values["Reference"]}
        entry = {"DCT": "JE", "EDTC": "A", "EDTR": "J", "EXA": values["Explanation"], "R1": values["Reference"]}
        self._stage_lines(key, values, entry, _JOURNAL_BATCH)
        self._waiting.append(_Staged(key, ("F0911Z1",), values, create_journal_entry))
        return self._staged(values, "JE", batch)

    def run(self) -> BatchRun:
        """Run both batch processors over what is staged; what they refuse stays there.

        A row that somebody deleted is not run.
        """
        documents, refused, left = [], [], []
        for staged in self._waiting:
            if not self.books.stores[staged.tables[0]].where(**staged.key):
                continue
            try:
                made = staged.make(self.books, staged.values)
            except BusinessRefusal as no:
                refused.append(no.text)
                left.append(staged)
                continue
            documents.append(int(made["DocumentNumber"]))
            for table in staged.tables:
                for row in self.books.stores[table].where(**staged.key):
                    self.books.revise(table, row, _VOUCHER_BATCH, EDSP=_PROCESSED)
        self._waiting = left
        return BatchRun(documents=tuple(documents), refused=tuple(refused))

    def _stage_lines(self, key: Row, values: Values, common: Mapping[str, Any], program: str) -> None:
        for position, line in enumerate(values["Lines"], start=1):
            row = {
                **key,
                **common,
                "EDLN": position,
                "EDSP": _TO_DO,
                "CO": values["Company"],
                "DGJ": values["GLDate"],
                "MCU": line["BusinessUnit"].strip(),
                "OBJ": line["ObjectAccount"],
                "SUB": line["Subsidiary"],
                "LT": "AA",
                "AA": line["Amount"],
                "CRCD": values["CurrencyCode"],
                "EXR": line["Remark"],
            }
            self.books.put("F0911Z1", row, program)

    def _staged(self, values: Values, kind: str, batch: int) -> Row:
        company = values["Company"]
        return {"DocumentCompany": company, "DocumentType": kind, "DocumentNumber": "", "BatchNumber": batch}
