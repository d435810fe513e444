"""Coupa's resources as data: paths, the elements that are asked for, lengths (Coupa reference, sections 5 to 7).

Elements are named as in answers, with dashes; the ``fields`` parameter wants underscores and is made from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["ACCOUNTS", "ADDRESSES", "INVOICES", "KINDS", "MOST_ROWS", "PAYMENTS", "PURCHASE_ORDERS", "RESOURCES",
           "SUPPLIERS", "Resource", "fields_text", "resource"]  # fmt: skip

MOST_ROWS = 50
"""Records a call returns at most (section 3)."""

Elements = tuple[Any, ...]
"""Names, and ``{name: elements}`` for objects and lists."""


@attrs.frozen(kw_only=True)
class Resource:
    """One resource.

    Args:
        kind: The reader's name; the last part of the path where there is no reader.
        path: From the root of the server.
        elements: What is asked for; empty asks for Coupa's own choice.
        lengths: Longest text, by element; ``order-lines.description`` for one of a line.
        scope: The scope that reads it; with ``.write`` instead of ``.read`` the one that writes.
    """

    kind: str
    path: str
    elements: Elements = ()
    lengths: Mapping[str, int] = attrs.field(factory=dict)
    scope: str = ""


_CODE: Elements = ("id", "code")
_ACCOUNT: Elements = (
    "id",
    "code",
    "name",
    "active",
    *(f"segment-{number}" for number in range(1, 21)),
    {"account-type": ("id", "name")},
)
_SPLIT: Elements = ("id", "amount", "pct", {"account": _ACCOUNT})
_STAMPS: Elements = ("id", "created-at", "updated-at")
_SUPPLIER: Elements = ("id", "number", "name")

SUPPLIERS = Resource(
    kind="suppliers",
    path="/api/suppliers",
    elements=(
        *_STAMPS,
        "number",
        "name",
        "display-name",
        "status",
        "tax-id",
        "account-number",
        "on-hold",
        "payment-method",
        "po-method",
        "po-change-method",
        "po-email",
        "invoice-matching-level",
        {"primary-contact": ("id", "email", "name-given", "name-family",
                             {"phone-work": ("country-code", "area-code", "number", "extension")})},
        {"primary-address": ("id", "street1", "street2", "street3", "street4", "city", "state", "postal-code",
                             {"country": ("code", "name")})},
        {"payment-term": _CODE},
        {"custom-fields": ()},
    ),
    lengths={
        "name": 100,
        "number": 255,
        "display-name": 255,
        "tax-id": 255,
        "account-number": 255,
        "po-email": 255,
    },
    scope="core.supplier.read",
)  # fmt: skip

PURCHASE_ORDERS = Resource(
    kind="purchase_orders",
    path="/api/purchase_orders",
    elements=(
        *_STAMPS,
        "type",
        "po-number",
        "version",
        "status",
        "transmission-status",
        "exported",
        {"supplier": _SUPPLIER},
        {"ship-to-user": ("id", "login")},
        {"ship-to-address": ("id", "name", "location-code", "street1", "street2", "city", "state", "postal-code",
                             {"country": ("code", "name")})},
        "ship-to-attention",
        {"currency": _CODE},
        {"payment-term": _CODE},
        {"shipping-term": _CODE},
        {"order-lines": (
            "id",
            "line-num",
            "type",
            "status",
            "description",
            "price",
            "quantity",
            "total",
            "received",
            "invoiced",
            "need-by-date",
            "source-part-num",
            "supp-aux-part-num",
            "external-reference-number",
            {"uom": _CODE},
            {"currency": _CODE},
            {"account": _ACCOUNT},
            {"account-allocations": _SPLIT},
        )},
        "total",
        {"custom-fields": ()},
    ),
    lengths={
        "po-number": 20,
        "ship-to-attention": 255,
        "order-lines.line-num": 255,
        "order-lines.description": 255,
        "order-lines.source-part-num": 255,
        "order-lines.external-reference-number": 255,
    },
    scope="core.purchase_order.read",
)  # fmt: skip

INVOICES = Resource(
    kind="invoices",
    path="/api/invoices",
    elements=(
        *_STAMPS,
        "invoice-number",
        "invoice-date",
        "status",
        "document-type",
        "is-credit-note",
        "original-invoice-number",
        "line-level-taxation",
        "tax-amount",
        "tax-rate",
        "shipping-amount",
        "handling-amount",
        "misc-amount",
        {"invoice-charges": ("id", "type", "total", "amount", {"account": _ACCOUNT})},
        "gross-total",
        "total-with-taxes",
        "paid",
        "payment-date",
        "payment-notes",
        "payment-channel",
        "exported",
        "internal-note",
        {"supplier": _SUPPLIER},
        {"account-type": ("id", "name")},
        {"currency": _CODE},
        {"payment-term": _CODE},
        {"tax-code": _CODE},
        {"remit-to-address": ("id", "remit-to-code", "name")},
        {"invoice-lines": (
            "id",
            "line-num",
            "type",
            "description",
            "price",
            "quantity",
            "total",
            "order-line-id",
            "order-line-num",
            "order-header-num",
            "po-number",
            "source-part-num",
            {"uom": _CODE},
            {"account": _ACCOUNT},
            {"account-allocations": _SPLIT},
            {"tax-lines": ("id", "type", "amount", "rate", "code", {"tax-code": _CODE})},
        )},
        {"payments": ("id", "amount-paid", "payment-date", "notes", "check-number")},
        {"custom-fields": ()},
    ),
    lengths={
        "invoice-number": 40,
        "original-invoice-number": 40,
        "invoice-lines.description": 1550,
    },
    scope="core.invoice.read",
)  # fmt: skip

PAYMENTS = Resource(
    kind="payments",
    path="/api/coupa_pay/payments",
    scope="core.pay.payments.read",
)

ACCOUNTS = Resource(
    kind="accounts",
    path="/api/accounts",
    elements=("created-at", "updated-at", *_ACCOUNT),
    scope="core.accounting.read",
)

ADDRESSES = Resource(kind="addresses", path="/api/addresses", scope="core.common.read")

RESOURCES: Mapping[str, Resource] = {
    one.kind: one for one in (SUPPLIERS, PURCHASE_ORDERS, INVOICES, PAYMENTS, ACCOUNTS, ADDRESSES)
}
KINDS: tuple[str, ...] = ("suppliers", "purchase_orders", "invoices", "payments", "accounts")
"""What there is a reader for."""


def resource(kind: str) -> Resource:
    """The resource of a kind.

    Raises:
        InvalidArgument: Another kind.
    """
    found = RESOURCES.get(kind)
    if found is None:
        raise InvalidArgument(f"kind={kind!r}.", cure=f"Use one of {', '.join(RESOURCES)}.")
    return found


def fields_text(elements: Sequence[Any]) -> str:
    """The ``fields`` parameter: JSON with underscores in the names (section 3).

    Written by hand, since it goes into a URL with every read: no blanks.
    """
    parts = []
    for element in elements:
        if isinstance(element, Mapping):
            ((name, inner),) = element.items()
            empty = "{}" if name == "custom-fields" else "[]"
            parts.append(f'{{"{_under(name)}":{fields_text(inner) if inner else empty}}}')
        else:
            parts.append(f'"{_under(element)}"')
    return f"[{','.join(parts)}]"


def _under(name: str) -> str:
    return name.replace("-", "_")
