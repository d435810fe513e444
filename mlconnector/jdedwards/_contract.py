"""The orchestrations this library calls: names, inputs, outputs (AIS reference, section 6.4). Facts, no code."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

__all__ = ["CONTRACT", "Orchestration"]


@attrs.frozen
class Orchestration:
    """One orchestration of the contract.

    Args:
        name: Default name at the site.
        inputs: Always sent. ``optional``: sent where there is something to send.
        rows: Names of inputs that are lists, with the names inside.
    """

    name: str
    inputs: tuple[str, ...]
    optional: tuple[str, ...] = ()
    rows: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


def _orchestration(name: str, inputs: str, optional: str = "", **rows: str) -> Orchestration:
    return Orchestration(
        name, tuple(inputs.split()), tuple(optional.split()), {key: tuple(value.split()) for key, value in rows.items()}
    )


CONTRACT: Mapping[str, Orchestration] = {
    "create_voucher": _orchestration(
        "ML_CreateAPVoucher",
        "Company SupplierNumber InvoiceNumber InvoiceDate GLDate GrossAmount CurrencyCode Lines",
        "PaymentTerms Remark PurchaseOrder DocumentType TaxArea TaxExplanation TaxAmount ExchangeRate",
        Lines="BusinessUnit ObjectAccount Subsidiary Amount Remark",
    ),
    "match_voucher": _orchestration(
        "ML_MatchVoucher",
        "Company SupplierNumber InvoiceNumber InvoiceDate GLDate GrossAmount CurrencyCode Lines",
        "ExchangeRate PaymentTerms Remark TaxArea TaxExplanation TaxAmount Charges",
        Lines="OrderCompany OrderType OrderNumber OrderSuffix OrderLine ReceiptLine Quantity Amount",
        Charges="BusinessUnit ObjectAccount Subsidiary Amount Remark",
    ),
    "reverse_voucher": _orchestration("ML_ReverseVoucher", "VoucherCompany VoucherType VoucherNumber GLDate", "Remark"),
    "record_payment": _orchestration(
        "ML_RecordAPPayment",
        "SupplierNumber PaymentDate GLDate Amount CurrencyCode BankAccountId PaymentReference",
        "ExchangeRate VoucherCompany VoucherType VoucherNumber PayItem Vouchers",
        Vouchers="VoucherCompany VoucherType VoucherNumber PayItem PayItemExtension Amount",
    ),
    "void_payment": _orchestration("ML_VoidAPPayment", "PaymentId GLDate", "PaymentReference Remark"),
    "set_pay_status": _orchestration(
        "ML_SetPayStatus", "VoucherCompany VoucherType VoucherNumber PayItem PayStatus", "PayItemExtension"
    ),
    "create_journal_entry": _orchestration(
        "ML_CreateJournalEntry",
        "Company GLDate Explanation CurrencyCode Reference Lines",
        Lines="BusinessUnit ObjectAccount Subsidiary Amount Remark",
    ),
}
"""By the key that ``JDEdwardsAIS(orchestrations={key: name})`` takes."""
