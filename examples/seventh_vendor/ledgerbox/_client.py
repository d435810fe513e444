"""The client: a source and a sink."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from ledgerbox._mapping import invoice_of
from ledgerbox._target import InvoicesTarget
from mlconnector.documents import Invoice
from mlconnector.errors import InvalidArgument, MLConnectorError
from mlconnector.kit import (
    SYSTEM_CLOCK,
    Batch,
    Check,
    CheckStep,
    Client,
    Clock,
    Connector,
    FaultRule,
    FaultTable,
    Records,
    Rejected,
    Request,
    Response,
    Since,
    Target,
    TokenManager,
    Verdict,
    Window,
)


def _words(response: Response) -> str:
    return str(response.json().get("error", "")) if response.content_type == "application/json" else ""


FAULTS = FaultTable(
    "ledgerbox",
    rules=(
        FaultRule(status=409, verdict=Verdict.BUSY, cure="Ledgerbox closes its books; try again in a minute."),
        FaultRule(status=419, verdict=Verdict.TOKEN_REJECTED),
    ),
    describe=_words,
)


class Ledgerbox(Connector):
    """Invoices of one Ledgerbox account.

    Args:
        url: Its address.
        auth: A ``LedgerboxSession`` or stored credentials.
        page_size: Rows a page, 1 to 200.
        options: As on every client: ``timeout``, ``retry``, ``verify``, ``transport`` ...
    """

    system = "ledgerbox"
    kinds: tuple[str, ...] = ("invoices",)

    def __init__(
        self, url: str, *, auth: TokenManager, page_size: int = 200, clock: Clock = SYSTEM_CLOCK, **options: Any
    ) -> None:
        if type(page_size) is not int or not 1 <= page_size <= 200:
            raise InvalidArgument(f"page_size={page_size!r} is not 1 to 200.", cure="Use 200.")
        self._page_size = page_size
        self._http = Client(url, auth=auth, faults=FAULTS, clock=clock, **options)

    def invoices(
        self,
        since: Since = None,
        until: dt.datetime | None = None,
        *,
        keys: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Records[Invoice]:
        """Invoices, fit to go or not."""
        return Records.from_pages(
            self._pages,
            system=self.system,
            kind="invoices",
            since=since,
            until=until,
            keys=keys,
            limit=limit,
            clock=self._http.clock,
        )

    def target(self, kind: str) -> Target[Any]:
        """A way of delivering: ``"invoices"``."""
        if kind != "invoices":
            raise InvalidArgument(f"kind={kind!r} is nothing Ledgerbox takes.", cure='Use "invoices".')
        return InvoicesTarget(self._http)

    def check(self) -> Check:
        """Prove name, TLS, login and permission with one read."""
        try:
            self._http.get_json("/api/invoices", {"size": "1"})
        except MLConnectorError as error:
            step = CheckStep(name="read", ok=False, cause=error.message, cure=error.cure, who=error.fault)
        else:
            step = CheckStep(name="read", ok=True, detail="logged in, invoices can be read")
        return Check(system=self.system, steps=[step])

    def _pages(self, window: Window) -> Iterator[Batch[Invoice]]:
        """By id, ascending: what is changed while we read comes later or with the next pass, never not at all."""
        after = window.position or ""
        while True:
            params = {"after": after, "size": str(self._page_size)}
            if window.lower is not None:
                params["changed_from"] = window.lower.isoformat()
            if window.keys is not None:
                params["ids"] = ",".join(window.keys)
            response = self._http.send(Request("GET", "/api/invoices", params=params))
            answer = response.json()
            rows = answer["items"]
            made = [invoice_of(row) for row in rows]
            after = rows[-1]["id"] if rows else after
            yield Batch(
                documents=[one for one in made if not isinstance(one, Rejected)],
                rejected=[one for one in made if isinstance(one, Rejected)],
                position=after,
                clock=response.date,
                last=not answer["more"],
            )
            if not answer["more"]:
                return
