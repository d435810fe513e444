"""The resources of the simulated Fusion: keys, attributes, children (Fusion reference, sections 1 and 8 to 11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["RESOURCES", "TYPES", "Attribute", "Kind", "resource_named", "with_attributes"]

TYPES = {"I": "integer", "N": "number", "S": "string", "D": "date", "T": "datetime", "B": "boolean"}
"""The letters of the tables below, and what ``/describe`` calls them."""


@attrs.frozen
class Attribute:
    """One attribute of a resource.

    Attributes:
        name: As in JSON; upper or lower case counts.
        type: I integer, N number, S string, D date, T date-time, B boolean.
        queryable: Whether ``q`` may name it.
    """

    name: str
    type: str
    queryable: bool = True


@attrs.frozen(kw_only=True)
class Kind:
    """A resource, or a child accessor.

    Attributes:
        name: Of the collection or accessor.
        key: The attribute that is unique; of a child, among its brothers.
        hashed: Whether addresses carry an opaque text instead of the key (section 1).
        attributes: By name, in the order in which JSON shows them.
        children: By accessor.
        open: Whether a row may have attributes that are not listed: a chart of accounts has segments of its own.

    A kind without a key is an accessor of which the reference knows the name alone: it is there, and empty.
    """

    name: str
    key: str
    hashed: bool = False
    attributes: Mapping[str, Attribute]
    children: Mapping[str, Kind] = attrs.field(factory=dict)
    open: bool = False

    def paths(self, before: str = "") -> Iterator[str]:
        """Every accessor path below it: ``"invoiceLines"``, ``"invoiceLines.invoiceDistributions"`` ..."""
        for accessor, child in self.children.items():
            yield before + accessor
            yield from child.paths(f"{before}{accessor}.")


def _attributes(text: str) -> dict[str, Attribute]:
    """``"I InvoiceId; S InvoiceNumber Supplier"`` as attributes."""
    found: dict[str, Attribute] = {}
    for group in text.split(";"):
        letter, *names = group.split()
        found |= {name: Attribute(name, letter) for name in names}
    return found


def _kind(name: str, key: str, text: str, *children: Kind, hashed: bool = False, open_ended: bool = False) -> Kind:
    return Kind(
        name=name,
        key=key,
        hashed=hashed,
        attributes=_attributes(text),
        children={child.name: child for child in children},
        open=open_ended,
    )


def _nameless(*accessors: str) -> tuple[Kind, ...]:
    return tuple(Kind(name=accessor, key="", attributes={}, hashed=True) for accessor in accessors)


_WHO = "; S CreatedBy LastUpdatedBy; T CreationDate LastUpdateDate"

_INVOICES = _kind(
    "invoices",
    "InvoiceId",
    "I InvoiceId; S InvoiceNumber; D InvoiceDate AccountingDate TermsDate GoodsReceivedDate InvoiceReceivedDate"
    " BudgetDate CanceledDate; N InvoiceAmount; S InvoiceCurrency PaymentCurrency; N AmountPaid BaseAmount"
    " ControlAmount; S BusinessUnit ProcurementBU LegalEntity Supplier SupplierNumber SupplierSite Party PartySite"
    " InvoiceType InvoiceSource InvoiceGroup PayGroup PaymentTerms PaymentMethod PaymentMethodCode"
    " PurchaseOrderNumber Description ValidationStatus ApprovalStatus PaidStatus AccountingStatus; B CanceledFlag"
    " PayAloneFlag; S ConversionRateType; D ConversionDate; N ConversionRate; S LiabilityDistribution"
    " DocumentCategory DocumentSequence; I VoucherNumber; S LastUpdateLogin" + _WHO,
    _kind(
        "invoiceLines",
        "LineNumber",
        "I LineNumber; S LineType; N LineAmount Quantity UnitPrice; S UOM Description Item ItemDescription"
        " PurchaseOrderNumber; I PurchaseOrderLineNumber PurchaseOrderScheduleLineNumber; S ReceiptNumber;"
        " I ReceiptLineNumber; S DistributionCombination TaxRateName TaxRateCode; N TaxRate; S TaxClassification"
        " ShipToLocation; N BaseAmount; B DiscardedFlag CanceledFlag; D AccountingDate; S ApprovalStatus MatchType"
        + _WHO,
        _kind(
            "invoiceDistributions",
            "InvoiceDistributionId",
            "I InvoiceDistributionId DistributionLineNumber; S DistributionLineType; N DistributionAmount;"
            " S DistributionCombination; D AccountingDate; S AccountingStatus; N BaseAmount; S PurchaseOrderNumber"
            " ReceiptNumber; B CanceledFlag ReversedFlag" + _WHO,
            hashed=True,
        ),
        hashed=True,
    ),
    _kind(
        "invoiceInstallments",
        "InstallmentNumber",
        "I InstallmentNumber; D DueDate; N GrossAmount UnpaidAmount; S PaymentMethod PaymentMethodCode;"
        " I PaymentPriority; B HoldFlag; S HoldReason; D FirstDiscountDate; N FirstDiscountAmount;"
        " D SecondDiscountDate; N SecondDiscountAmount; D ThirdDiscountDate; N ThirdDiscountAmount;"
        " S RemitToSupplier RemitToAddressName BankAccount" + _WHO,
        hashed=True,
    ),
    _kind("invoiceDff", "InvoiceId", "I InvoiceId; S ProcessingQueue __FLEX_Context", open_ended=True, hashed=True),
    *_nameless("invoiceGdf", "attachments", "appliedPrepayments", "availablePrepayments"),
    hashed=True,
)

_PAYMENTS = _kind(
    "payablesPayments",
    "CheckId",
    "I CheckId PaymentId PaymentReference PaperDocumentNumber PaymentNumber PaymentFileReference;"
    " S PaymentProcessRequest; N PaymentAmount; S PaymentCurrency; D PaymentDate AccountingDate; S PaymentDescription;"
    " N ConversionRate; D ConversionDate; S ConversionRateType; D ClearingDate; N ClearingAmount; D MaturityDate"
    " StopDate VoidDate VoidAccountingDate; S PaymentStatus AccountingStatus; B ReconciledFlag; S PaymentType;"
    " N WithheldAmount BankChargeAmount; S LegalEntity BusinessUnit Payee PayeeSite SupplierNumber ProcurementBU"
    " ThirdPartySupplier ThirdPartyAddressName; I ExternalBankAccountId; S RemitToAccountNumber"
    " DisbursementBankAccountName DisbursementBankAccountNumber PaymentMethod PaymentMethodCode PaymentDocument"
    " PaymentProcessProfile DocumentCategory; I VoucherNumber; N PaymentBaseAmount; S PaymentBaseCurrency AddressLine1"
    " AddressLine2 AddressLine3 AddressLine4 City County Province State Country Zip LastUpdateLogin" + _WHO,
    _kind(
        "relatedInvoices",
        "InvoicePaymentId",
        "I InvoicePaymentId CheckId InvoiceId; S InvoiceBusinessUnit InvoiceNumber; I InstallmentNumber;"
        " N AmountPaidPaymentCurrency AmountPaidInvoiceCurrency InvoiceAmount InvoicePaymentAmount;"
        " S InvoicePaymentStatus; N DiscountTaken DiscountLost InvoiceBaseAmount PaymentBaseAmount; S InvoiceCurrency;"
        " N CrossCurrencyRate; T CreationDate LastUpdateDate",
    ),
)

_SUPPLIERS = _kind(
    "suppliers",
    "SupplierId",
    "I SupplierId SupplierPartyId; S Supplier SupplierNumber AlternateName TaxOrganizationTypeCode SupplierTypeCode"
    " SupplierType; D InactiveDate; S Status BusinessRelationshipCode; I ParentSupplierId; S DUNSNumber RegistryId"
    " CustomerNumber TaxpayerId TaxpayerCountry TaxRegistrationNumber; B OneTimeSupplierFlag; S Alias" + _WHO,
    _kind(
        "addresses",
        "SupplierAddressId",
        "I SupplierAddressId; S AddressName CountryCode Country AddressLine1 AddressLine2 AddressLine3 AddressLine4"
        " City State PostalCode Province County Email PhoneNumber; B AddressPurposeOrderingFlag"
        " AddressPurposeRemitToFlag AddressPurposeRFQOrBiddingFlag; D InactiveDate; S Status" + _WHO,
    ),
    _kind(
        "sites",
        "SupplierSiteId",
        "I SupplierSiteId; S SupplierSite ProcurementBU SupplierAddressName PayGroup; D InactiveDate" + _WHO,
    ),
    *_nameless("contacts", "attachments", "businessClassifications", "productsAndServices", "DFF", "globalDFF"),
)

_JOURNALS = _kind(
    "journalBatches",
    "JeBatchId",
    "I JeBatchId; S BatchName BatchDescription DefaultPeriodName Status StatusMeaning CompletionStatusMeaning"
    " ApprovalStatusMeaning FundsStatusMeaning UserJeSourceName ChartOfAccountsName UserPeriodSetName"
    " AccountedPeriodType ActualFlagMeaning; N RunningTotalDr RunningTotalCr RunningTotalAccountedDr"
    " RunningTotalAccountedCr ControlTotal; D PostedDate; S ReversalFlag ErrorMessage" + _WHO,
    _kind(
        "journalHeaders",
        "JournalName",
        "S JournalName JournalDescription LedgerName LedgerCurrencyCode CurrencyCode PeriodName;"
        " D DefaultEffectiveDate; S UserJeCategoryName; D CurrencyConversionDate; N CurrencyConversionRate;"
        " S UserCurrencyConversionType; N RunningTotalDr RunningTotalCr ControlTotal; S LegalEntityName"
        " ExternalReference" + _WHO,
        _kind(
            "journalLines",
            "JeLineNumber",
            "I JeLineNumber; S AccountCombination; N AccountedDr AccountedCr EnteredDr EnteredCr; S CurrencyCode;"
            " D CurrencyConversionDate; N CurrencyConversionRate; S Description ChartOfAccountsName; N StatAmount;"
            " S ReconciliationReference jgzzReconStatusMeaning" + _WHO,
            hashed=True,
        ),
        hashed=True,
    ),
)

_ORDERS = _kind(
    "purchaseOrders",
    "POHeaderId",
    "I POHeaderId; S OrderNumber Description Status StatusCode; I Revision; S Buyer; I BuyerId; S ProcurementBU;"
    " I ProcurementBUId RequisitioningBUId; S Supplier; I SupplierId; S SupplierSite; I SupplierSiteId;"
    " S CurrencyCode; N Ordered Total; D OrderDate; B FrozenFlag; S FundsStatus; T CreationDate LastUpdateDate",
    _kind(
        "lines",
        "POLineId",
        "I POLineId POHeaderId; N LineNumber; S LineType; I ItemId; S Item Description; N Quantity Price Ordered"
        " Total; S CurrencyCode UOMCode SupplierItem Status StatusCode; T CreationDate LastUpdateDate",
        _kind(
            "schedules",
            "LineLocationId",
            "I LineLocationId; N ScheduleNumber; S ShipToLocation; D RequestedDeliveryDate PromisedDeliveryDate;"
            " N Quantity; S Status StatusCode; T CreationDate LastUpdateDate",
            _kind(
                "distributions",
                "PODistributionId",
                "I PODistributionId; N DistributionNumber Quantity; S ChargeAccount; T CreationDate LastUpdateDate",
            ),
            hashed=True,
        ),
    ),
    hashed=True,
)

_SHIPMENT_LINES = (
    "I ShipmentLine; S Item ItemDescription; N ShippedQuantity; S ShippedQuantityUOM Order OrderLine;"
    " T CreationDate LastUpdateDate"
)

_SHIPMENTS = _kind(
    "shipments",
    "Shipment",
    "S Shipment ShipmentStatus; T InitialPickupDate; S BillOfLading Carrier; N GrossWeight; S WeightUOM;"
    " T CreationDate LastUpdateDate",
    _kind("unpackedShipmentLines", "ShipmentLine", _SHIPMENT_LINES),
)

_INBOUND = _kind(
    "inboundShipments",
    "ShipmentHeaderId",
    "I ShipmentHeaderId; S Shipment; T CreationDate LastUpdateDate",
    _kind("shipmentLines", "ShipmentLine", _SHIPMENT_LINES),
    hashed=True,
)

_ACCOUNTS = _kind(
    "accountCombinationsLOV",
    "_CODE_COMBINATION_ID",
    "I _CODE_COMBINATION_ID _CHART_OF_ACCOUNTS_ID; S AccountCombination Description AccountType EnabledFlag"
    " DetailPostingAllowedFlag",
    open_ended=True,
)

_TERMS = _kind(
    "payablesPaymentTerms",
    "termsId",
    "I termsId; S name description enabledFlag; T creationDate lastUpdateDate",
)

RESOURCES: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (_INVOICES, _PAYMENTS, _SUPPLIERS, _JOURNALS, _ORDERS, _SHIPMENTS, _INBOUND, _ACCOUNTS, _TERMS)
}
"""By name."""


def resource_named(name: str) -> Kind:
    """The definition of a resource.

    Raises:
        InvalidArgument: The simulator does not know it.
    """
    kind = RESOURCES.get(name)
    if kind is None:
        raise InvalidArgument(f"The simulator has no resource {name!r}; it has {', '.join(RESOURCES)}.")
    return kind


def with_attributes(kind: Kind, accessors: Sequence[str], types: Mapping[str, str]) -> Kind:
    """The kind with further attributes, on itself or on the child that ``accessors`` lead to.

    Args:
        kind: Where the way begins.
        accessors: Down to the child; none is the kind itself.
        types: Attribute to the letter of its type.

    Raises:
        InvalidArgument: An unknown accessor or type.
    """
    if accessors:
        first, *below = accessors
        if first not in kind.children:
            raise InvalidArgument(f"{kind.name} has no children {first!r}; it has {', '.join(kind.children)}.")
        return attrs.evolve(
            kind, children={**kind.children, first: with_attributes(kind.children[first], below, types)}
        )
    for name, letter in types.items():
        if letter not in TYPES:
            raise InvalidArgument(f"The type of {name} must be one of {', '.join(TYPES)}, not {letter!r}.")
    further = {name: Attribute(name, letter) for name, letter in types.items()}
    return attrs.evolve(kind, attributes={**kind.attributes, **further})
