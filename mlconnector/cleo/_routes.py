"""Routes: which party's documents go to which partner, where, and in which form (rule B5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.x12 import Partner

__all__ = ["Route", "Routes", "pair_of"]

_CODES = ("850", "860", "810", "820", "856")
_SENDS = ("850", "860", "810")
_FORMATS = ("x12", "json", "csv")
_NUMBER_FIELDS = re.compile(r"\{(number|company|type)\}")


def pair_of(partner: Partner) -> tuple[str, str]:
    """The interchange ids of both sides, ours first, as ``"ZZ:ACME"``."""
    sender, receiver = (f"{one.qualifier}:{one.id}" for one in (partner.sender, partner.receiver))
    return sender, receiver


def _parties(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@attrs.frozen
class Route:
    """Where a party's documents go.

    Args:
        parties: Party number, or several of them (JDE ``AN8``); none for a route of journal lines.
        partner: The EDI profile; only files that are no X12 do without.
        folder: Upload folder.
        role: What the partner is to us: ``"supplier"``, ``"customer"``, ``"warehouse"`` or ``"bank"``.
        company, branch: Only documents of this company or branch; more specific routes win.
        ledger, account: Takes journal lines of this ledger, or of this account, as ``"json"`` or ``"csv"``.
        sends: X12 sets that go there. ``receives``: those that come from there.
        format: ``"x12"``, ``"json"``: the document as JSON, to ``path`` or as a file, or ``"csv"`` for journal lines.
        path: API path that takes JSON payloads (Cleo reference, section 7.4).
        action: Send action to run after the upload; ``None`` where the server sends by itself (section 5).
        connection: Alias of the connection; its transfers prove the sending (section 8.3).
        sentbox: Folder where the server keeps what it has sent.
        order_number: The order number the partner sees; ``{number}``, ``{company}`` and ``{type}`` are filled in
            (rule B13).
        invoice_role: ``"copy"``, ``"self_billed"`` or ``"none"`` (rule B20).

    Raises:
        InvalidArgument: An option that cannot be meant, with its value.
    """

    parties: tuple[str, ...] = attrs.field(default=(), converter=_parties)
    partner: Partner | None = None
    folder: str = attrs.field(default="outbox", kw_only=True)
    role: Literal["supplier", "customer", "warehouse", "bank"] = attrs.field(default="supplier", kw_only=True)
    company: str | None = attrs.field(default=None, kw_only=True)
    branch: str | None = attrs.field(default=None, kw_only=True)
    ledger: str | None = attrs.field(default=None, kw_only=True)
    account: str | None = attrs.field(default=None, kw_only=True)
    sends: tuple[str, ...] = attrs.field(default=_SENDS, converter=tuple, kw_only=True)
    receives: tuple[str, ...] = attrs.field(default=("855", "865", "824", "997"), converter=tuple, kw_only=True)
    format: Literal["x12", "json", "csv"] = attrs.field(default="x12", kw_only=True)
    path: str | None = attrs.field(default=None, kw_only=True)
    action: str | None = attrs.field(default=None, kw_only=True)
    connection: str | None = attrs.field(default=None, kw_only=True)
    sentbox: str | None = attrs.field(default=None, kw_only=True)
    order_number: str = attrs.field(default="{number}", kw_only=True)
    invoice_role: Literal["copy", "self_billed", "none"] = attrs.field(default="copy", kw_only=True)

    def __attrs_post_init__(self) -> None:
        faults = []
        if not all(party.strip() for party in self.parties) or not (self.parties or self.for_journals):
            faults.append(f"parties={self.parties!r} names nobody")
        partner: Any = self.partner
        if not isinstance(partner, Partner) and (partner is not None or self.format == "x12"):
            faults.append(f"partner={partner!r} is no x12.Partner")
        if self.for_journals != (self.format == "csv") and self.format != "json":
            faults.append(f"format={self.format!r}: journal lines go as json or csv, and nothing else as csv")
        for name, values in (
            ("role", ("supplier", "customer", "warehouse", "bank")),
            ("format", _FORMATS),
            ("invoice_role", ("copy", "self_billed", "none")),
        ):
            if getattr(self, name) not in values:
                faults.append(f"{name}={getattr(self, name)!r} is not one of {', '.join(values)}")
        unknown = [code for code in self.sends if code not in _CODES]
        if unknown:
            faults.append(f"sends={unknown!r} are not among {', '.join(_CODES)}")
        if "856" in self.sends and self.role not in ("customer", "warehouse"):
            faults.append(f"role={self.role!r}: an 856 goes to a customer or a warehouse, never to others (rule B31)")
        if not self.folder.strip("/"):
            faults.append(f"folder={self.folder!r} names no folder")
        if self.path is not None and (self.format != "json" or not self.path.startswith("/")):
            faults.append(f"path={self.path!r} needs format='json' and begins with a slash")
        if self.action is not None and self.connection is None:
            faults.append(f"action={self.action!r} needs connection=: names of actions are not unique")
        if "{" in _NUMBER_FIELDS.sub("", self.order_number) or "{number}" not in self.order_number:
            faults.append(f"order_number={self.order_number!r} needs {{number}}, and knows {{company}} and {{type}}")
        if faults:
            raise InvalidArgument("; ".join(faults) + ".", cure="Correct the route.")

    @property
    def for_journals(self) -> bool:
        """It takes journal lines."""
        return self.ledger is not None or self.account is not None

    @property
    def title(self) -> str:
        """What it is called in a check: its first party, else its ledger and account."""
        return self.parties[0] if self.parties else " ".join(filter(None, [self.ledger, self.account]))

    @property
    def specificity(self) -> int:
        """How much narrower than the party alone it is."""
        return (self.company is not None) + (self.branch is not None)

    def takes(self, party: str, company: str, branch: str, code: str) -> bool:
        """The route is for this document.

        Args:
            code: The set it would go as, e.g. ``"850"``.
        """
        return (
            party in self.parties
            and code in self.sends
            and self.company in (None, company)
            and self.branch in (None, branch)
        )


class Routes:
    """All routes of a flow; the most specific one wins.

    Args:
        routes: The routes.
        no_route: ``"park"`` what has none, or ``"skip"`` it.

    Raises:
        InvalidArgument: No routes, or two that would take the same document.
    """

    def __init__(self, routes: Iterable[Route], *, no_route: Literal["park", "skip"] = "park") -> None:
        self.all: tuple[Route, ...] = tuple(routes)
        self.no_route = no_route
        if not self.all or not all(isinstance(route, Route) for route in self.all):
            raise InvalidArgument(f"routes={self.all!r} is no list of routes.", cure="Give at least one Route.")
        if no_route not in ("park", "skip"):
            raise InvalidArgument(f"no_route={no_route!r}.", cure='Use "park" or "skip".')
        self._by_party: dict[str, list[Route]] = {}
        for route in self.all:
            for party in route.parties:
                self._by_party.setdefault(party, []).append(route)
        for party, of_party in self._by_party.items():
            self._check_ties(party, of_party)
        self._journals: dict[tuple[str | None, str | None], Route] = {}
        for route in self.all:
            if route.for_journals and self._journals.setdefault((route.ledger, route.account), route) is not route:
                raise InvalidArgument(
                    f"Two routes take journal lines of ledger {route.ledger} and account {route.account}.",
                    cure="Leave one of them out (rule B5).",
                )

    @staticmethod
    def _check_ties(party: str, routes: list[Route]) -> None:
        for index, one in enumerate(routes):
            for other in routes[index + 1 :]:
                both = set(one.sends) & set(other.sends)
                apart = any(
                    None not in (mine, theirs) and mine != theirs
                    for mine, theirs in ((one.company, other.company), (one.branch, other.branch))
                )
                if both and not apart and one.specificity == other.specificity:
                    raise InvalidArgument(
                        f"Party {party} has two routes for {', '.join(sorted(both))} that fit equally.",
                        cure="Give one of them company=, branch= or other sends= (rule B5).",
                    )

    def find(self, party: str, *, company: str = "", branch: str = "", code: str) -> Route | None:
        """The route for a document, or ``None``.

        Args:
            party: Number of the party.
            company: Of the document.
            branch: Of the document.
            code: The set it would go as, e.g. ``"850"``.
        """
        fitting = [route for route in self._by_party.get(party, ()) if route.takes(party, company, branch, code)]
        return max(fitting, key=lambda route: route.specificity, default=None)

    def find_journal(self, ledger: str, account: str) -> Route | None:
        """The route for a journal line: by ledger and account, else account, else ledger."""
        for key in ((ledger, account), (None, account), (ledger, None)):
            if key in self._journals:
                return self._journals[key]
        return None

    def of_pair(self, ours: str, theirs: str, usage: str | None = None) -> tuple[Route, ...]:
        """Every route whose partner has these interchange ids, as of :func:`pair_of`, and this usage indicator; those
        that take X12 first."""
        found = [
            route
            for route in self.all
            if route.partner is not None
            and pair_of(route.partner) == (ours, theirs)
            and usage in (None, route.partner.usage)
        ]
        return tuple(sorted(found, key=lambda route: route.format != "x12"))
