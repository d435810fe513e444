"""The resources of the simulated BILL as tables: fields, filters, sort keys, sizes (sections 4, 6, 7, 8)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._bill_fields import Field, Fields

__all__ = ["ACCOUNTS", "RESOURCES", "Resource", "resource_named"]

_MATCH = frozenset({"eq", "ne", "in"})
_SETS = frozenset({"eq", "ne", "in", "nin"})
_RANGE = frozenset({"gt", "gte", "lt", "lte"})
_ANY = _SETS | _RANGE
_STAMPS: Mapping[str, frozenset[str]] = {"createdTime": _RANGE, "updatedTime": _RANGE}
_BASIC: Mapping[str, frozenset[str]] = {"id": _MATCH, "archived": frozenset({"eq", "ne"}), **_STAMPS}

_COUNTRIES = (
    "AD|AE|AF|AG|AI|AL|AM|AO|AQ|AR|AS|AT|AU|AW|AX|AZ|BA|BB|BD|BE|BF|BG|BH|BI|BJ|BL|BM|BN|BO|BQ|BR|BS|BT|BV|BW|BY|"
    "BZ|CA|CC|CD|CF|CG|CH|CI|CK|CL|CM|CN|CO|CR|CU|CV|CW|CX|CY|CZ|DE|DJ|DK|DM|DO|DZ|EC|EE|EG|EH|ER|ES|ET|FI|FJ|FK|"
    "FM|FO|FR|GA|GB|GD|GE|GF|GG|GH|GI|GL|GM|GN|GP|GQ|GR|GS|GT|GU|GW|GY|HK|HM|HN|HR|HT|HU|ID|IE|IL|IM|IN|IO|IQ|IR|"
    "IS|IT|JE|JM|JO|JP|KE|KG|KH|KI|KM|KN|KP|KR|KW|KY|KZ|LA|LB|LC|LI|LK|LR|LS|LT|LU|LV|LY|MA|MC|MD|ME|MF|MG|MH|MK|"
    "ML|MM|MN|MO|MP|MQ|MR|MS|MT|MU|MV|MW|MX|MY|MZ|NA|NC|NE|NF|NG|NI|NL|NO|NP|NR|NU|NZ|OM|PA|PE|PF|PG|PH|PK|PL|PM|"
    "PN|PR|PS|PT|PW|PY|QA|RE|RO|RS|RU|RW|SA|SB|SC|SD|SE|SG|SH|SI|SJ|SK|SL|SM|SN|SO|SR|SS|ST|SV|SX|SY|SZ|TC|TD|TF|"
    "TG|TH|TJ|TK|TL|TM|TN|TO|TR|TT|TV|TW|TZ|UA|UG|UM|US|UY|UZ|VA|VC|VE|VG|VI|VN|VU|WF|WS|YE|YT|ZA|ZM|ZW"
)
"""ISO 3166-1 alpha-2, as a pattern."""


@attrs.frozen(kw_only=True)
class Resource:
    """One kind of record.

    Attributes:
        name: The last segment of its path; ``row`` helpers use it too.
        path: Below ``/v3``.
        prefix: Of its ids (section 1).
        fields: What a body may hold; empty where nothing is created by a plain POST.
        filters: Field to operators; each pair is a promise, anything else is refused.
        sorts: The sort keys.
        bulk: Members of a bulk call at most; 0 without one.
        wrapper: Under which name a bulk call answers; None is a bare array.
        verbs: How a record is changed.
        bulk_verbs: How several are changed or made in one call.
        restorable: Whether what is archived comes back.
    """

    name: str
    path: str
    prefix: str
    fields: Fields = attrs.field(factory=dict)
    filters: Mapping[str, frozenset[str]]
    sorts: frozenset[str]
    bulk: int = 0
    wrapper: str | None = None
    verbs: frozenset[str] = frozenset({"PATCH"})
    bulk_verbs: frozenset[str] = frozenset({"POST"})
    restorable: bool = True


def _words(*words: str) -> Field:
    return Field(choices=frozenset(words))


_FLAG, _TEXT, _NUMBER = Field(type="flag"), Field(), Field(type="number")

_BANK_ACCOUNT: Fields = {
    "nameOnAccount": Field(required=True),
    "accountNumber": Field(required=True),
    "routingNumber": _TEXT,
    "type": _words("CHECKING", "SAVINGS"),
    "ownerType": _words("BUSINESS", "PERSON"),
    "paymentCurrency": _TEXT,
    "bankCountry": _TEXT,
}

_VENDOR: Fields = {
    "name": Field(required=True, most=100),
    "shortName": Field(most=40),
    "address": Field(
        type="object",
        required=True,
        inside={
            "line1": Field(required=True),
            "line2": Field(most=100),
            "city": Field(required=True, most=100),
            "stateOrProvince": Field(most=100),
            "zipOrPostalCode": Field(required=True, most=30),
            "country": Field(required=True, pattern=_COUNTRIES),
        },
    ),
    "accountNumber": _TEXT,
    "accountType": _words("BUSINESS", "PERSON", "NONE"),
    "email": Field(pattern=r"[^@\s]+@[^@\s]+"),
    "phone": _TEXT,
    "billCurrency": Field(pattern="[A-Z]{3}"),
    "paymentInformation": Field(
        type="object",
        inside={
            "payeeName": Field(most=100),
            "email": _TEXT,
            "bankAccount": Field(type="object", inside=_BANK_ACCOUNT),
            "paymentPurpose": Field(type="object"),
        },
    ),
    "additionalInfo": Field(
        type="object",
        inside={
            "taxId": _TEXT,
            "taxIdType": _words("SSN", "EIN"),
            "track1099": _FLAG,
            "leadTimeInDays": _NUMBER,
            "combinePayments": _FLAG,
            "paymentTermId": _TEXT,
            "companyName": _TEXT,
        },
    ),
    "autoPay": Field(type="object"),
}

_CLASSIFIED = ("chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId")
_ON_BILL = Field(type="object", inside=dict.fromkeys(_CLASSIFIED, _TEXT))
_ON_LINE = Field(type="object", inside=dict.fromkeys((*_CLASSIFIED, "employeeId", "jobId", "customerId"), _TEXT))

_BILL: Fields = {
    "vendorId": Field(required=True),
    "dueDate": Field(type="date", required=True),
    "invoice": Field(
        type="object",
        required=True,
        inside={
            "invoiceNumber": Field(required=True, most=21),
            "invoiceDate": Field(type="date", required=True),
        },
    ),
    "billLineItems": Field(
        type="objects",
        required=True,
        least=1,
        inside={
            "id": _TEXT,
            "amount": Field(type="money"),
            "quantity": _NUMBER,
            "price": _NUMBER,
            "description": Field(most=4000),
            "classifications": _ON_LINE,
        },
    ),
    "description": Field(most=4000),
    "classifications": _ON_BILL,
    "payFromChartOfAccountId": _TEXT,
    "purchaseOrderNumber": _TEXT,
    "vendorCredits": Field(
        type="objects", inside={"id": Field(required=True), "amount": Field(type="money", required=True)}
    ),
    "billApprovals": _FLAG,
}

_CREDIT: Fields = {
    "vendorId": Field(required=True),
    "referenceNumber": Field(required=True),
    "creditDate": Field(type="date", required=True),
    "vendorCreditLineItems": Field(
        type="objects",
        required=True,
        least=1,
        inside={
            "id": _TEXT,
            "amount": Field(type="money"),
            "description": Field(most=4000),
            "classifications": _ON_LINE,
        },
    ),
    "description": Field(most=4000),
    "applyToChartOfAccountId": _TEXT,
    "applyToBankAccountId": _TEXT,
}

_NAMED: Fields = {
    "name": Field(required=True),
    "shortName": _TEXT,
    "description": _TEXT,
    "parentId": _TEXT,
}

_ACCOUNT: Fields = {
    "name": Field(required=True),
    "description": _TEXT,
    "parentId": _TEXT,
    "account": Field(
        type="object",
        inside={
            "type": _words(
                *("EXPENSE", "ACCOUNTS_RECEIVABLE", "CREDIT_CARD", "FIXED_ASSET", "OTHER_CURRENT_ASSET"),
                *("OTHER_CURRENT_LIABILITY", "UNSPECIFIED", "ACCOUNTS_PAYABLE", "BANK", "COST_OF_GOODS_SOLD"),
                *("EQUITY", "INCOME", "LONG_TERM_LIABILITY", "OTHER_ASSET", "OTHER_EXPENSE", "OTHER_INCOME"),
                "NON_POSTING",
            ),
            "number": _TEXT,
        },
    ),
}

_EMPLOYEE: Fields = {"firstName": Field(required=True), "lastName": Field(required=True), "description": _TEXT}


def _classification(name: str, prefix: str, wrapper: str, fields: Fields = _NAMED) -> Resource:
    return Resource(
        name=name,
        path=f"classifications/{name}",
        prefix=prefix,
        fields=fields,
        filters={**_BASIC, "name": frozenset({"eq", "sw"})},
        sorts=frozenset({"archived", "name", "description", "firstName", "lastName", "createdTime", "updatedTime"}),
        bulk=50,
        wrapper=wrapper,
        bulk_verbs=frozenset({"POST", "PATCH", "archive", "restore"}),
    )


ACCOUNTS = _classification("chart-of-accounts", "0ca", "chartOfAccounts", _ACCOUNT)

RESOURCES: Mapping[str, Resource] = {
    resource.name: resource
    for resource in (
        Resource(
            name="vendors",
            path="vendors",
            prefix="009",
            fields=_VENDOR,
            filters={
                **_BASIC,
                "name": frozenset({"eq", "sw"}),
                "accountType": _SETS,
                "address.country": frozenset({"eq", "ne"}),
                "billCurrency": _SETS,
                "paymentStatus": _SETS,
            },
            sorts=frozenset(
                {"archived", "name", "shortName", "email", "phone", "billCurrency", "createdTime", "updatedTime"}
            ),
            bulk=20,
            wrapper="vendors",
        ),
        Resource(
            name="bills",
            path="bills",
            prefix="00n",
            fields=_BILL,
            filters={
                **_BASIC,
                "vendorId": frozenset({"eq", "in"}),
                "dueDate": _RANGE,
                "paymentStatus": _MATCH,
                "payFromChartOfAccountId": _MATCH,
                **{f"classifications.{name}": _MATCH for name in _CLASSIFIED},
            },
            sorts=frozenset(
                {"archived", "fundingAmount", "exchangeRate", "description", "dueDate", "createdTime", "updatedTime"}
            ),
            bulk=100,
            verbs=frozenset({"PATCH", "PUT"}),
        ),
        Resource(
            name="vendor-credits",
            path="vendor-credits",
            prefix="vcr",
            fields=_CREDIT,
            filters=_BASIC,
            sorts=frozenset({"archived", "creditDate", "amount", "appliedAmount", "createdTime", "updatedTime"}),
            bulk=50,
            wrapper="vendorCredits",
            verbs=frozenset({"PATCH", "PUT"}),
            bulk_verbs=frozenset({"POST", "PUT", "PATCH", "archive"}),
            restorable=False,
        ),
        Resource(
            name="payments",
            path="payments",
            prefix="stp",
            filters={
                "id": _MATCH,
                "vendorId": _MATCH,
                **dict.fromkeys(("processDate", "amount", "createdTime", "updatedTime"), _ANY),
                **dict.fromkeys(("transactionNumber", "status", "disbursementType"), _SETS),
                "onlinePayment": frozenset({"eq", "ne"}),
            },
            sorts=frozenset(
                {"description", "processDate", "amount", "confirmationNumber", "onlinePayment", "createdTime"}
                | {"updatedTime", "disbursementStatus"}
            ),
            verbs=frozenset(),
        ),
        ACCOUNTS,
        _classification("departments", "0de", "departments"),
        _classification("locations", "loc", "locations"),
        _classification("accounting-classes", "cls", "accountingClasses"),
        _classification("employees", "emp", "employees", _EMPLOYEE),
        _classification("items", "0ii", "items"),
        _classification("jobs", "job", "jobs"),
    )
}
"""Resource name to its table."""


def resource_named(name: str) -> Resource:
    """The resource of a name, as in its path.

    Raises:
        InvalidArgument: There is none.
    """
    found = RESOURCES.get(name.removeprefix("classifications/"))
    if found is None:
        raise InvalidArgument(f"BILL has no resource {name!r}; the simulator has {', '.join(RESOURCES)}.")
    return found
