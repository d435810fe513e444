"""What the simulated Coupa knows: resources, attributes, lengths, scopes (Coupa reference, sections 2 and 5 to 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlconnector.errors import InvalidArgument
from mlconnector.testing._coupa_schema import Field, Kind

__all__ = ["ALL_SCOPES", "KINDS", "RESOURCES", "resource_named"]


def _text(size: int | None = 255, **rest: Any) -> Field:
    return Field("text", size, **rest)


def _link(target: str, **rest: Any) -> Field:
    return Field("link", target=target, **rest)


def _parts(target: str, **rest: Any) -> Field:
    return Field("parts", target=target, **rest)


def _decimal(scale: int = 4, **rest: Any) -> Field:
    return Field("decimal", scale, **rest)


_FLAG, _WHOLE, _INSTANT, _OBJECT = Field("flag"), Field("whole"), Field("instant"), Field("object")
_SHOWN_WHOLE, _SHOWN_TEXT = Field("whole", read_only=True), _text(read_only=True)
_STAMPS: Mapping[str, Field] = {
    "id": _SHOWN_WHOLE,
    "created-at": Field("instant", read_only=True),
    "updated-at": Field("instant", read_only=True),
}
_CUSTOM: Mapping[str, Field] = {"custom-fields": _OBJECT}
_EXPORTED: Mapping[str, Field] = {
    "exported": Field("flag", default=False),
    "last-exported-at": Field("instant", read_only=True),
}
_CHANNELS = ("cxml", "xml", "email", "prompt", "mark_as_sent", "buy_online")
_STREET: Mapping[str, Field] = {
    **{f"street{number}": _text() for number in range(1, 5)},
    "city": _text(),
    "state": _text(),
    "postal-code": _text(),
    "country": _OBJECT,
}


def _kind(name: str, one: str, fields: Mapping[str, Field], **rest: Any) -> Kind:
    return Kind(name, one, {**_STAMPS, **fields}, **rest)


def _scopes(name: str) -> dict[str, tuple[str, ...]]:
    return {"read": (f"core.{name}.read",), "write": (f"core.{name}.write",)}


_COMMON = _scopes("common")
_READ_COMMON: Mapping[str, Any] = {"read": _COMMON["read"]}

_ACCOUNTED: Mapping[str, Field] = {
    "account": _link("accounts"),
    "account-allocations": _parts("account_allocations"),
}

_ORDER_STATUSES = (
    *("draft", "buyer_hold", "currency_hold", "supplier_hold", "supplier_window_hold", "issued", "closed"),
    *("cancelled", "error", "expensed", "exported"),
)
_INVOICE_STATUSES = (
    *("new", "draft", "on_hold", "ap_hold", "pending_receipt", "pending_approval", "pending_action", "booking_hold"),
    *("processing", "approved", "rejected", "abandoned", "disputed", "voided", "invalid", "payable_adjustment"),
)
_PAYMENT_STATUSES = (
    *("draft", "approved", "payment_initiated", "payment_in_progress", "completed_successfully"),
    "completed_with_errors",
)

_SUPPLIER = _kind(
    "suppliers",
    "supplier",
    {
        "name": _text(100, required=True, unique=True),
        "number": _text(unique=True),
        "display-name": _text(),
        "status": _text(choices=("active", "inactive", "draft"), default="draft"),
        "payment-method": _text(
            choices=("invoice", "pcard", "invoice_only", "pcard_only", "virtual_card"), default="invoice"
        ),
        "po-method": _text(choices=_CHANNELS),
        "po-change-method": _text(choices=_CHANNELS),
        "po-email": _text(),
        "invoice-matching-level": _text(choices=("2-way", "3-way", "3-way-direct", "none")),
        "primary-contact": Field("part", target="contacts"),
        "primary-address": Field("part", target="primary_addresses"),
        "payment-term": _link("payment_terms"),
        "shipping-term": _link("shipping_terms"),
        "account-number": _text(),
        "tax-id": _text(),
        "tax-code": _link("tax_codes"),
        "duns": _text(),
        "website": _text(),
        "corporate-url": _text(),
        "on-hold": _FLAG,
        "buyer-hold": _FLAG,
        "hold-invoices-for-ap-review": _FLAG,
        "enterprise": Field("object", read_only=True),
        "online-store": _OBJECT,
        "content-groups": _OBJECT,
        "business-groups": _OBJECT,
        "taggings": _OBJECT,
        "account-types": Field("links", target="account_types"),
        "restricted-account-types": Field("links", target="account_types"),
        "commodity": _link("commodities"),
        "parent": _link("suppliers"),
        "remit-to-addresses": _parts("remit_to_addresses", read_only=True),
        "supplier-sites": _parts("supplier_sites", read_only=True),
        **_CUSTOM,
    },
    keys=("number", "name"),
    **_scopes("supplier"),
)

_ORDER = _kind(
    "purchase_orders",
    "order_header",
    {
        "type": _text(required=True, choices=("ExternalOrderHeader",)),
        "po-number": _text(20, required=True, unique=True),
        "supplier": _link("suppliers", required=True),
        "supplier-site": _link("supplier_sites"),
        "ship-to-user": _link("users", required=True),
        "ship-to-address": _link("addresses", required=True),
        "ship-to-attention": _text(),
        "requester": _link("users"),
        "currency": _link("currencies"),
        "payment-term": _link("payment_terms"),
        "shipping-term": _link("shipping_terms"),
        "payment-method": _text(),
        "classification": _text(),
        "transmission-method-override": _text(
            30, choices=("supplier_default", "email", "do_not_transmit"), default="supplier_default"
        ),
        "transmission-emails": _text(None),
        "order-confirmation-level": _text(),
        "confirm-by-hrs": _WHOLE,
        "status": _text(50, read_only=True, choices=_ORDER_STATUSES),
        "transmission-status": _text(read_only=True, default="created"),
        "version": _WHOLE,
        "internal-revision": _SHOWN_WHOLE,
        "total": _decimal(read_only=True),
        "order-lines": _parts("purchase_order_lines", required=True),
        **_EXPORTED,
        **_CUSTOM,
    },
    keys=("po-number",),
    **_scopes("purchase_order"),
)

_ORDER_LINE = _kind(
    "purchase_order_lines",
    "order_line",
    {
        "line-num": _text(),
        "type": _text(100, choices=("OrderQuantityLine", "OrderAmountLine")),
        "description": _text(required=True),
        "price": _decimal(6, required=True),
        "quantity": _decimal(6),
        "uom": _link("uoms"),
        "currency": _link("currencies", required=True),
        **_ACCOUNTED,
        "need-by-date": _INSTANT,
        "commodity": _link("commodities"),
        "item": _link("items"),
        "department": _link("departments"),
        "contract": _link("contracts"),
        "source-part-num": _text(),
        "supp-aux-part-num": _text(None),
        "external-reference-number": _text(),
        "status": _text(read_only=True, default="created"),
        "received": _decimal(6, read_only=True),
        "invoiced": _decimal(6, read_only=True),
        "total": _decimal(read_only=True),
        "order-header-id": _SHOWN_WHOLE,
        **_CUSTOM,
    },
    read=_ORDER.read,
    within=("purchase_orders", "order-lines"),
)

_INVOICE = _kind(
    "invoices",
    "invoice_header",
    {
        "invoice-number": _text(40, required=True),
        "invoice-date": Field("day", required=True),
        "supplier": _link("suppliers", required=True),
        "account-type": _link("account_types", required=True),
        "line-level-taxation": Field("flag", required=True),
        "currency": _link("currencies"),
        "bill-to-address": _link("addresses"),
        "remit-to-address": _link("remit_to_addresses"),
        "supplier-remit-to": _link("remit_to_addresses"),
        "payment-term": _link("payment_terms"),
        "is-credit-note": Field("flag", in_only=True),
        "original-invoice-number": _text(40),
        "original-invoice-date": Field("day"),
        "document-type": _text(read_only=True),
        "requester-email": _text(),
        "internal-note": _text(None),
        "supplier-note": _text(None),
        "shipping-amount": _decimal(),
        "handling-amount": _decimal(),
        "misc-amount": _decimal(),
        "tax-amount": _decimal(),
        "tax-rate": _decimal(6),
        "tax-code": _link("tax_codes"),
        "tax-lines": _parts("tax_lines"),
        "supplier-total": _decimal(),
        "gross-total": _decimal(read_only=True),
        "total-with-taxes": _decimal(read_only=True),
        "status": _text(50, read_only=True, choices=_INVOICE_STATUSES),
        "paid": Field("flag", default=False),
        "payment-date": _INSTANT,
        "payment-notes": _text(),
        "payment-channel": _text(40, read_only=True),
        "invoice-lines": _parts("invoice_lines"),
        "invoice-charges": _parts("invoice_charges"),
        "payments": _parts("invoice_payments"),
        **_EXPORTED,
        **_CUSTOM,
    },
    keys=("invoice-number",),
    read=("core.invoice.read",),
    write=("core.invoice.write",),
)

_INVOICE_LINE = _kind(
    "invoice_lines",
    "invoice_line",
    {
        "line-num": _WHOLE,
        "type": _text(choices=("InvoiceQuantityLine", "InvoiceAmountLine")),
        "description": _text(1550, required=True),
        "price": _decimal(20, required=True),
        "quantity": _decimal(6),
        "uom": _link("uoms"),
        "currency": _link("currencies"),
        **_ACCOUNTED,
        "order-line-id": _WHOLE,
        "order-header-id": _SHOWN_WHOLE,
        "order-header-num": _text(),
        "order-line-num": _text(),
        "po-number": _text(),
        "commodity": _link("commodities"),
        "source-part-num": _text(),
        "tax-lines": _parts("tax_lines"),
        "total": _decimal(read_only=True),
        **_CUSTOM,
    },
)

_KINDS = (
    _SUPPLIER,
    _kind(
        "contacts",
        "contact",
        {
            **{name: _text() for name in ("email", "name-given", "name-family")},
            "phone-work": _OBJECT,
            "phone-mobile": _OBJECT,
        },
    ),
    _kind("primary_addresses", "address", _STREET),
    _kind(
        "remit_to_addresses",
        "remit_to_address",
        {
            **_STREET,
            "remit-to-code": _text(required=True, unique=True),
            "name": _text(),
            "street1": _text(required=True),
            "country": Field("object", required=True),
            "active": _FLAG,
            **{name: _text() for name in ("vat-number", "local-tax-number", "external-src-ref", "external-src-name")},
            "vat-country": _OBJECT,
            **_CUSTOM,
        },
        keys=("remit-to-code",),
        within=("suppliers", "remit-to-addresses"),
    ),
    _kind(
        "supplier_sites",
        "supplier_site",
        {
            "code": _text(20, required=True, unique=True),
            "name": _text(required=True),
            "po-method": _text(required=True, choices=_CHANNELS),
            "po-change-method": _text(required=True, choices=_CHANNELS),
            "po-email": _text(),
            "active": Field("flag", default=True),
            "payment-term": _link("payment_terms"),
            **_CUSTOM,
        },
        keys=("code",),
        read=("core.supplier_sites.read", "core.supplier.read"),
        write=("core.supplier_sites.write", "core.supplier.write"),
        within=("suppliers", "supplier-sites"),
    ),
    _kind(
        "account_types",
        "account_type",
        {
            "name": _text(50, required=True, unique=True),
            "currency": _link("currencies"),
            "active": Field("flag", default=True),
            "legal-entity-name": _text(),
            "dynamic-flag": Field("flag", default=False),
        },
        keys=("name",),
        read=("core.accounting.read",),
    ),
    _kind(
        "accounts",
        "account",
        {
            "name": _text(),
            "code": _text(1024, read_only=True),
            "active": Field("flag", default=True),
            "account-type": _link("account_types", required=True),
            **{f"segment-{number}": _text(100) for number in range(1, 21)},
            **_CUSTOM,
        },
        keys=("code",),
        **_scopes("accounting"),
    ),
    _kind(
        "account_allocations",
        "account_allocation",
        {"account": _link("accounts"), "amount": _decimal(), "pct": _decimal()},
    ),
    _kind(
        "lookup_values",
        "lookup_value",
        {
            "name": _text(required=True),
            "lookup": Field("object", required=True),
            "external-ref-num": _text(),
            "external-ref-code": _SHOWN_TEXT,
            "parent": _link("lookup_values"),
            "account-type": _link("account_types"),
            "active": Field("flag", default=True),
            "is-default": _FLAG,
            "description": _text(),
            **_CUSTOM,
        },
        keys=("external-ref-code", "external-ref-num", "name"),
        **_COMMON,
    ),
    _kind(
        "departments",
        "department",
        {"name": _text(required=True, unique=True), "active": Field("flag", default=True)},
        keys=("name",),
        **_COMMON,
    ),
    _kind(
        "currencies",
        "currency",
        {"code": _text(6, required=True, unique=True), "decimals": _WHOLE},
        keys=("code",),
        **_READ_COMMON,
    ),
    _kind(
        "payment_terms",
        "payment_term",
        {
            "code": _text(required=True, unique=True),
            "type": _text(
                choices=(
                    "DaysAfterNetPaymentTerm",
                    "SpecificDayPaymentTerm",
                    "DaysToBaseEomPaymentTerm",
                    "BaseEomToDaysPaymentTerm",
                )
            ),
            "days-for-net-payment": _WHOLE,
            "days-for-discount-payment": _WHOLE,
            "discount-rate": _decimal(),
            "description": _text(),
            "active": Field("flag", default=True),
        },
        keys=("code",),
        **_COMMON,
    ),
    _kind("shipping_terms", "shipping_term", {"code": _text(required=True, unique=True)}, keys=("code",), **_COMMON),
    _kind("tax_codes", "tax_code", {"code": _text(required=True, unique=True)}, keys=("code",), **_COMMON),
    _kind("uoms", "uom", {"code": _text(6, required=True, unique=True), "name": _text()}, keys=("code",), **_COMMON),
    _kind(
        "addresses",
        "address",
        {"name": _text(), "location-code": _text(unique=True), **_STREET, "external-src-ref": _text(), **_CUSTOM},
        keys=("location-code", "name"),
        **_COMMON,
    ),
    _kind(
        "users",
        "user",
        {"login": _text(required=True, unique=True), "email": _text(), "employee-number": _text()},
        keys=("login", "email", "employee-number"),
        read=("core.user.read",),
    ),
    _kind("commodities", "commodity", {"name": _text(required=True, unique=True)}, keys=("name",), held=True),
    _kind("items", "item", {"item-number": _text(), "name": _text()}, keys=("item-number", "name"), held=True),
    _kind("contracts", "contract", {"number": _text(), "name": _text()}, keys=("number", "name"), held=True),
    _ORDER,
    _ORDER_LINE,
    _INVOICE,
    _INVOICE_LINE,
    _kind(
        "tax_lines",
        "tax_line",
        {
            "type": _text(choices=("TaxLine",), default="TaxLine"),
            "amount": _decimal(),
            "rate": _decimal(6),
            "taxable-amount": _decimal(),
            "code": _SHOWN_TEXT,
            "tax-code": _link("tax_codes"),
        },
    ),
    _kind(
        "invoice_charges",
        "invoice_charge",
        {
            "type": _text(
                required=True, choices=("InvoiceShippingCharge", "InvoiceHandlingCharge", "InvoiceMiscCharge")
            ),
            "description": _text(),
            "amount": _decimal(),
            "total": _decimal(),
        },
    ),
    _kind(
        "invoice_payments",
        "invoice_payment",
        {"amount-paid": _decimal(required=True), "notes": _text(), "payment-date": _INSTANT},
    ),
    _kind(
        "coupa_pay/payments",
        "payment",
        {
            "status": _text(50, read_only=True, choices=_PAYMENT_STATUSES, default="draft"),
            "pay-to-account": Field("object", read_only=True),
            "payment-total": _decimal(read_only=True),
            "discount-total": _decimal(read_only=True),
            "currency": _link("currencies", read_only=True),
            "payment-details": _parts("payment_details", read_only=True),
            **_EXPORTED,
        },
        read=("core.pay.payments.read",),
        write=("core.pay.payments.write",),
    ),
    _kind(
        "payment_details",
        "payment_detail",
        {
            "source-transaction-type": _text(default="InvoiceHeader"),
            "source-transaction-id": _WHOLE,
            "source-transaction-reference": _text(),
            "payment-total": _decimal(),
            "discount-total": _decimal(),
            "currency": _link("currencies"),
        },
    ),
    _kind(
        "receiving_transactions",
        "receiving_transaction",
        {
            "type": _text(
                required=True,
                choices=(
                    "InventoryReceipt",
                    "ReceivingQuantityConsumption",
                    "ReceivingAmountConsumption",
                    "ReceivingQuantityReturnToSupplier",
                ),
            ),
            "order-line": _link("purchase_order_lines"),
            "quantity": _decimal(6),
            "total": _decimal(),
            "transaction-date": _INSTANT,
            "uom": _link("uoms"),
            "status": _text(read_only=True, default="created"),
            **_EXPORTED,
        },
        **_scopes("inventory.receiving"),
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
"""Every sort of rows by its name."""

RESOURCES: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS if kind.within is None and (kind.read or kind.held)}
"""What holds rows of its own."""

ALL_SCOPES = tuple(
    sorted(
        {scope for kind in _KINDS for scope in (*kind.read, *kind.write)}
        | {
            "core.common.write",
            "core.invoice.approval.bypass",
            "core.invoice.approval.write",
            "core.invoice.create",
            "core.invoice.delete",
        }
    )
)
"""Every scope the simulator distinguishes."""


def resource_named(name: str) -> Kind:
    """The resource of a name.

    Raises:
        InvalidArgument: No such resource.
    """
    kind = RESOURCES.get(name)
    if kind is None:
        raise InvalidArgument(f"There is no resource {name!r}; there are {', '.join(sorted(RESOURCES))}.")
    return kind
