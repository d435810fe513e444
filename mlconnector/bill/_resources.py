"""What BILL has: paths, filters, sort keys, bulk sizes and envelopes; data, not code (BILL reference, 4, 6 to 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

import attrs

from mlconnector.errors import InvalidArgument

__all__ = [
    "ACCOUNTS",
    "BILLS",
    "CREDITS",
    "DEPARTMENTS",
    "LOCATIONS",
    "PAYMENTS",
    "RESOURCES",
    "VENDORS",
    "Resource",
    "resource",
]

_EQUAL = frozenset({"eq", "ne"})
_ENUM = frozenset({"eq", "ne", "in", "nin"})
_ID = frozenset({"eq", "ne", "in"})
_RANGE = frozenset({"gt", "gte", "lt", "lte"})
_STAMPS: Mapping[str, frozenset[str]] = {"createdTime": _RANGE, "updatedTime": _RANGE}
_COMMON: Mapping[str, frozenset[str]] = {"id": _ID, "archived": _EQUAL, **_STAMPS}


def _names(names: Iterable[str] | str) -> frozenset[str]:
    return frozenset(names.split(",") if isinstance(names, str) else names)


@attrs.frozen(kw_only=True)
class Resource:
    """One kind of record.

    Args:
        name: What ``rows`` calls it; the last part of its path.
        path: Below ``/v3``.
        filters: Field to the operators the vendor promises for it; anything else is refused there (section 4).
        sorts: Fields it can be sorted by.
        bulk: Most records of one bulk create; 0 where there is none, or this library uses none.
        envelope: Member that holds the answer to a bulk create; ``None``: a bare array (trap 9).
    """

    name: str
    path: str
    filters: Mapping[str, frozenset[str]] = attrs.field(repr=False)
    sorts: frozenset[str] = attrs.field(converter=_names, repr=False)
    bulk: int = 0
    envelope: str | None = None

    def path_of(self, key: str) -> str:
        """The path of one record, percent-encoded."""
        return f"{self.path}/{quote(key, safe='')}"


VENDORS = Resource(
    name="vendors",
    path="/v3/vendors",
    filters={
        **_COMMON,
        "name": frozenset({"eq", "sw"}),
        "accountType": _ENUM,
        "address.country": _EQUAL,
        "billCurrency": _ENUM,
        "paymentStatus": _ENUM,
    },
    sorts="archived,name,shortName,email,phone,billCurrency,createdTime,updatedTime",
    bulk=20,
    envelope="vendors",
)
BILLS = Resource(
    name="bills",
    path="/v3/bills",
    filters={
        **_COMMON,
        "vendorId": frozenset({"eq", "in"}),
        "dueDate": _RANGE,
        "paymentStatus": _ID,
        "payFromChartOfAccountId": _ID,
        **{
            f"classifications.{name}": _ID
            for name in ("chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId")
        },
    },
    sorts="archived,fundingAmount,exchangeRate,description,dueDate,createdTime,updatedTime",
    bulk=100,
)
CREDITS = Resource(
    name="vendor-credits",
    path="/v3/vendor-credits",
    filters=_COMMON,
    sorts="archived,creditDate,amount,appliedAmount,createdTime,updatedTime",
    bulk=50,
    envelope="vendorCredits",
)
PAYMENTS = Resource(
    name="payments",
    path="/v3/payments",
    # Operators of these are not documented one by one; those of the same kind of field elsewhere are taken.
    filters={
        **_STAMPS,
        "id": _ID,
        "vendorId": _ID,
        "processDate": _RANGE,
        "amount": _RANGE | _EQUAL,
        "transactionNumber": _EQUAL,
        "status": _ENUM,
        "onlinePayment": _EQUAL,
        "disbursementType": _ENUM,
    },
    sorts="description,processDate,amount,confirmationNumber,onlinePayment,createdTime,updatedTime,disbursementStatus",
)


def _classification(name: str) -> Resource:
    return Resource(
        name=name,
        path=f"/v3/classifications/{name}",
        filters={**_COMMON, "name": frozenset({"eq", "sw"})},
        sorts="archived,name,description,createdTime,updatedTime",
    )


ACCOUNTS = _classification("chart-of-accounts")
DEPARTMENTS = _classification("departments")
LOCATIONS = _classification("locations")
RESOURCES: Mapping[str, Resource] = {
    one.name: one
    for one in (
        VENDORS,
        BILLS,
        CREDITS,
        PAYMENTS,
        ACCOUNTS,
        DEPARTMENTS,
        LOCATIONS,
        *map(_classification, ("accounting-classes", "employees", "items", "jobs")),
    )
}


def resource(name: str) -> Resource:
    """The resource of this name.

    Raises:
        InvalidArgument: There is none.
    """
    if name not in RESOURCES:
        raise InvalidArgument(f"BILL has no {name!r} to list.", cure=f"Use one of {', '.join(RESOURCES)}.")
    return RESOURCES[name]
