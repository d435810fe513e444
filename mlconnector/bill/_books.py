"""What BILL knows: vendors, chart of accounts, departments; every reference is checked here before a write.

Nothing is guessed: a vendor is known by the crosswalk, or by name and tax id together (BILL reference, section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from mlconnector.bill._api import Api
from mlconnector.bill._body import same_name, same_tax_id, tax_is_hidden
from mlconnector.bill._directory import Directory
from mlconnector.bill._resources import ACCOUNTS, DEPARTMENTS, LOCATIONS, VENDORS
from mlconnector.bill._values import Fields
from mlconnector.documents import InvoiceLine, Party
from mlconnector.target import CrosswalkLookup

__all__ = ["Books", "CostCenters", "Match", "Vendor", "match_vendor"]

Row = Mapping[str, Any]
CostCenters = Literal["departments", "locations"]
_TAG: Mapping[CostCenters, str] = {"departments": "departmentId", "locations": "locationId"}
_LINK = "link it in the crosswalk"


def _name(row: Row) -> Iterable[str]:
    return (same_name(Fields(row, []).text("name")),)


def _number(row: Row) -> Iterable[str]:
    return filter(None, (Fields(row, []).text("account.number"),))


def _codes(row: Row) -> Iterable[str]:
    fields = Fields(row, [])
    return {text for text in (fields.text("name"), fields.text("shortName")) if text}


def _archived(row: Row) -> bool:
    return Fields(row, []).flag("archived")


@attrs.frozen
class Match:
    """A vendor, or why there is none; ``unclear``: one may be there, but nothing proves it is the one."""

    row: Row | None = None
    fault: str = ""
    unclear: bool = False


@attrs.frozen(kw_only=True)
class Vendor:
    """Who is looked for: name, tax id and, where known, the currency of the bills."""

    name: str
    tax_id: str
    currency: str | None = None


def _tax_id(row: Row) -> str:
    return Fields(row, []).text("additionalInfo.taxId")


def match_vendor(wanted: Vendor, found: Sequence[Row], whole: Callable[[Row], Row], home_currency: str) -> Match:
    """The one vendor with this name and tax id.

    Args:
        wanted: Who is looked for. ``found``: every vendor of that name, archived ones too.
        whole: Fetches a vendor with all its fields, for one whose tax id a list has left out.
        home_currency: Of vendors that name none.
    """
    shown = repr(wanted.name.strip())
    active = [row for row in found if not _archived(row)]
    if not active:
        return Match(fault=f"vendor {shown} is archived", unclear=True) if found else Match(fault=f"no vendor {shown}")
    full = [whole(row) if not _tax_id(row) else row for row in active]
    ours = same_tax_id(wanted.tax_id)
    equal = [row for row in full if ours and same_tax_id(_tax_id(row)) == ours]
    if len(equal) > 1 and wanted.currency is not None:
        # One payee has a vendor for each currency it is paid in (rule B61).
        equal = [row for row in equal if (Fields(row, []).text("billCurrency") or home_currency) == wanted.currency]
    if len(equal) == 1:
        return Match(equal[0])
    if len(equal) > 1:
        return Match(fault=f"{len(equal)} vendors are called {shown} and have its tax id: {_LINK}", unclear=True)
    if not ours or any(tax_is_hidden(_tax_id(row)) for row in full):
        why = "this one has no tax id" if not ours else "BILL shows no tax id to compare"
        return Match(fault=f"{len(full)} vendor(s) called {shown}, but {why}: {_LINK}", unclear=True)
    return Match(fault=f"vendor {shown} has another tax id: {_LINK}, or correct one of the two", unclear=True)


class Books:
    """The reference data of one organization, kept by one client for all its targets.

    Args:
        api: Who asks.
    """

    def __init__(self, api: Api) -> None:
        self.vendors: Directory = Directory(api, VENDORS, _name)
        self.accounts: Directory = Directory(api, ACCOUNTS, _number)
        self.centers: Mapping[CostCenters, Directory] = {
            "departments": Directory(api, DEPARTMENTS, _codes),
            "locations": Directory(api, LOCATIONS, _codes),
        }

    def match(self, wanted: Vendor, home_currency: str) -> Match:
        """The vendor of this name and tax id, among all."""
        found = self.vendors.having(same_name(wanted.name))
        return match_vendor(wanted, found, self.vendors.whole, home_currency)

    def vendor(
        self, party: Party, currency: str | None, system: str, crosswalk: CrosswalkLookup, home_currency: str
    ) -> Match:
        """The vendor of a payee and currency (rule B61): by the crosswalk, else by name and tax id.

        The crosswalk is asked for ``number/currency`` first, then for ``number``.
        """
        numbers = (f"{party.number}/{currency}", party.number) if party.number else ()
        links = (crosswalk.find("supplier", to="bill", **{system: number}) for number in numbers)
        linked = next(filter(None, links), None)
        if linked is None:
            match = self.match(Vendor(name=party.name, tax_id=party.tax_id, currency=currency), home_currency)
        else:
            row = self.vendors.get(str(linked))
            match = Match(row) if row is not None else Match(fault=f"vendor {linked} of the crosswalk is not in BILL")
        if match.row is None:
            return match
        fields = Fields(match.row, [])
        theirs = fields.text("billCurrency") or home_currency
        if fields.flag("archived"):
            return Match(fault=f"vendor {fields.text('id')} is archived")
        if currency is not None and theirs != currency:
            return Match(fault=f"vendor {fields.text('id')} is paid in {theirs}, the document is in {currency}")
        return match

    def tags(
        self, lines: Iterable[tuple[int, InvoiceLine]], centers: CostCenters, system: str, crosswalk: CrosswalkLookup
    ) -> tuple[list[dict[str, str]], list[str]]:
        """The classifications of each line, and every one that BILL does not have.

        An account or cost centre is found by the crosswalk (to BILL's id), else by its number.
        """
        tags, faults = [], []
        for place, line in lines:
            tag = {}
            wanted = (
                ("account", line.account, self.accounts, "chartOfAccountId", "chart of accounts"),
                ("cost_center", line.cost_center, self.centers[centers], _TAG[centers], centers),
            )
            for kind, number, directory, name, where in wanted:
                if not number.strip():
                    if kind == "account":
                        faults.append(f"line {place} names no account")
                    continue
                found = _active(directory, crosswalk.find(kind, to="bill", **{system: number}), number.strip())
                if len(found) == 1:
                    tag[name] = str(found[0]["id"])
                else:
                    many = f"{len(found)} times" if found else "not"
                    faults.append(f"line {place}: {kind.replace('_', ' ')} {number.strip()!r} is {many} in the {where}")
            tags.append(tag)
        return tags, faults


def _active(directory: Directory, linked: Any, number: str) -> list[Row]:
    if linked is not None:
        row = directory.get(str(linked))
        return [] if row is None or _archived(row) else [row]
    return [row for row in directory.having(number) if not _archived(row)]
