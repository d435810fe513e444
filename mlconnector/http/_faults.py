"""What a vendor's answer means, as a small table the vendor's room provides (design section 5)."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable

import attrs

from mlconnector.errors import (
    AuthenticationFailed,
    Fault,
    MLConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
    VendorFault,
)
from mlconnector.http._message import Response, parse_http_date, redirect_host

__all__ = ["FaultRule", "FaultTable", "RequestRefused", "Verdict", "retry_after"]

_WORDS = 300


class Verdict(enum.Enum):
    """What an answer means for the call."""

    OK = "ok"
    TOKEN_REJECTED = "token rejected"  # noqa: S105 - a verdict
    """The token is no longer good and the vendor did not act: replaced once, the call repeated once, writes too."""
    TOKEN_OR_DENIED = "token rejected or denied"  # noqa: S105 - a verdict
    """A 403 that may mean either: a read that used a kept token is repeated once with a new one; then denied."""
    DENIED = "denied"
    RATE_LIMITED = "rate limited"
    """Refused for load, surely not acted: writes are repeated too."""
    BUSY = "busy"
    """A passing fault: reads are repeated, a write may have acted."""
    NOT_FOUND = "not found"
    REFUSED = "refused"
    """The vendor understood and refused; nothing was done."""
    FAULT = "fault"
    """The vendor failed; a write may have acted."""
    REDIRECT = "redirect"
    """Led elsewhere; not followed."""


@attrs.frozen(kw_only=True)
class FaultRule:
    """One row of the table: the first that fits decides.

    Args:
        verdict: What it means.
        status: HTTP status it is for; ``None`` for any.
        when: A further test of the answer, e.g. for an error inside a 200.
        message: What happened, instead of the vendor's words.
        cure: What to do and who does it. ``fault``: who can mend it.
    """

    verdict: Verdict
    status: int | None = None
    when: Callable[[Response], bool] | None = None
    message: str | None = None
    cure: str | None = None
    fault: Fault | None = None

    def fits(self, response: Response) -> bool:
        """This rule is for this answer."""
        if self.status is not None and self.status != response.status:
            return False
        return self.when is None or self.when(response)


class RequestRefused(VendorFault):
    """The vendor understood the request and refused it; nothing was done."""

    fault: Fault = "caller"
    refused: bool = True


def retry_after(response: Response, now: dt.datetime | None = None) -> float | None:
    """Seconds the vendor asks to wait (``Retry-After``: seconds or a date), or ``None``.

    Args:
        response: The answer that asks.
        now: For a date instead of seconds.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    until = parse_http_date(text)
    base = response.date or now
    return None if until is None or base is None else max(0.0, (until - base).total_seconds())


def _common(response: Response) -> Verdict:
    named = {
        401: Verdict.TOKEN_REJECTED,
        403: Verdict.DENIED,
        404: Verdict.NOT_FOUND,
        407: Verdict.DENIED,
        408: Verdict.BUSY,
        429: Verdict.RATE_LIMITED,
        502: Verdict.BUSY,
        503: Verdict.BUSY,
        504: Verdict.BUSY,
    }
    if response.status in named:
        return named[response.status]
    if 200 <= response.status < 300:
        return Verdict.OK
    if 300 <= response.status < 400:
        return Verdict.REDIRECT
    return Verdict.REFUSED if response.status < 500 else Verdict.FAULT


def _no_words(_response: Response) -> str:
    return ""


_ERRORS: dict[Verdict, tuple[type[MLConnectorError], str, str]] = {
    Verdict.TOKEN_REJECTED: (
        AuthenticationFailed,
        "did not accept the login",
        "The administrator checks the account; whoever runs the program corrects the credentials.",
    ),
    Verdict.TOKEN_OR_DENIED: (PermissionDenied, "is not allowed", "The administrator grants the account this right."),
    Verdict.DENIED: (PermissionDenied, "is not allowed", "The administrator grants the account this right."),
    Verdict.RATE_LIMITED: (RateLimited, "was refused for load", "Call less often, or later."),
    Verdict.BUSY: (VendorFault, "met a busy server", "Try later; the vendor's administrator looks at its load."),
    Verdict.NOT_FOUND: (NotFound, "addresses nothing", "Check address, path and names in the options."),
    Verdict.REFUSED: (RequestRefused, "was refused", "Correct what the message names; nothing was done."),
    Verdict.FAULT: (VendorFault, "met a fault", "The vendor's administrator finds the cause in the server's log."),
    Verdict.REDIRECT: (
        VendorFault,
        "was redirected",
        "Configure the final address; credentials are never sent on to another one.",
    ),
    Verdict.OK: (VendorFault, "answered unusably", "The vendor's administrator looks at the message."),
}


@attrs.frozen
class FaultTable:
    """A vendor's table.

    Args:
        system: Name for messages.
        rules: Tried in order before the common meaning of the status.
        describe: The vendor's own words in an answer (at most 300 characters are shown); empty where there are none.
    """

    system: str
    rules: tuple[FaultRule, ...] = attrs.field(default=(), kw_only=True)
    describe: Callable[[Response], str] = attrs.field(default=_no_words, kw_only=True)

    def judge(self, response: Response) -> FaultRule:
        """The rule for an answer."""
        for rule in self.rules:
            if rule.fits(response):
                return rule
        return FaultRule(verdict=_common(response))

    def error(
        self, response: Response, rule: FaultRule | None = None, *, now: dt.datetime | None = None
    ) -> MLConnectorError:
        """The error for an answer, with the vendor's own words and without secrets.

        Args:
            response: The answer.
            rule: That :meth:`judge` found for it.
            now: For a ``Retry-After`` that is a date.
        """
        rule = rule or self.judge(response)
        cls, what, cure = _ERRORS[rule.verdict]
        if rule.verdict is Verdict.REDIRECT:
            what += f" to {redirect_host(response)}"
        words = rule.message or " ".join(response.redact(self.describe(response)).split())[:_WORDS].rstrip(".")
        said = f": {words}" if words else ""
        error = cls(
            f"{self.system}: {response.method} {response.path} {what} ({response.status}){said}.",
            cure=rule.cure or cure,
            fault=rule.fault,
            status=response.status,
            system=self.system,
        )
        if isinstance(error, RateLimited):
            error.retry_after = retry_after(response, now)
        return error
