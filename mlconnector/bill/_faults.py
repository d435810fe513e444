"""What BILL's answers mean; decided by the code in the body, since many statuses are not known (BILL reference, 5)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from mlconnector.errors import MLConnectorError, RateLimited
from mlconnector.http import FaultRule, FaultTable, Response, Verdict, retry_after

__all__ = ["CONCURRENT", "CREDENTIALS", "FAULTS", "HOURLY", "HourlyLimit", "codes", "hourly_limit"]

SESSION_INVALID = "BDC_1109"
HOURLY = "BDC_1144"
CONCURRENT = "BDC_1322"
CREDENTIALS: Mapping[str, str] = {
    "BDC_1101": "user name and password do not match, or belong to the other environment",
    "BDC_1102": "the developer key is invalid, or belongs to the other environment",
    "BDC_1103": "the developer key is inactive",
    "BDC_1104": "the terms of service were not accepted",
    "BDC_1107": "the organization is locked out",
    "BDC_1110": "the login is locked",
    "BDC_1123": "the organization id is wrong",
}
"""Codes by which a login is refused, and their cause (sections 2.1 and 5)."""
_REFUSALS = frozenset(
    {"BDC_1108", "BDC_1117", "BDC_1119", "BDC_1121", "BDC_1122", "BDC_1124", "BDC_1129", "BDC_1130", "BDC_1131",
     "BDC_1143", "BDC_1150", "BDC_1151", "BDC_1158"}
)  # fmt: skip
"""Codes that say that the request itself is wrong, whatever the status: nothing was done (section 5)."""
_HOUR = 3600.0


class HourlyLimit(RateLimited):
    """``BDC_1144``: nothing succeeds before the start of the next hour; ``retry_after`` says how far that is."""


def _entries(response: Response) -> Iterator[Mapping[str, Any]]:
    """The errors of an answer in each form that was seen: an array, one object, ``{"errors": [...]}`` (section 5)."""
    if response.content_type == "text/html" or not response.content:
        return
    try:
        body = response.json()
    except MLConnectorError:
        return
    if isinstance(body, Mapping) and isinstance(body.get("errors"), list):
        body = body["errors"]
    for entry in body if isinstance(body, list) else [body]:
        if isinstance(entry, Mapping):
            yield entry


def codes(response: Response) -> frozenset[str]:
    """The vendor's codes in an answer that is no success; empty where it has none."""
    if 200 <= response.status < 300:
        return frozenset()
    return frozenset(str(entry["code"]) for entry in _entries(response) if entry.get("code"))


def _described(response: Response) -> str:
    """Every fault of an answer, once each; of a payment the same sentence comes twice, once behind an id."""
    said: dict[str, str] = {}
    for entry in _entries(response):
        words = " ".join(str(entry.get("message") or entry.get("error_message") or "").split())
        sentence = words.partition(" : ")[2] or words
        code = str(entry.get("code") or "")
        if sentence and sentence not in said:
            said[sentence] = f"{code} {sentence}".strip()
    return "; ".join(said.values())


def hourly_limit(response: Response, now: dt.datetime) -> HourlyLimit:
    """The error for ``BDC_1144``, with the time to the next hour on the vendor's clock (section 3)."""
    clock = response.date or now
    error = HourlyLimit(
        f"bill: {response.method} {response.path} was refused: the calls of this hour are used up (BDC_1144).",
        cure='Wait for the next hour (on_hourly_limit="wait" does), or call less often.',
        status=response.status,
        system="bill",
    )
    into = clock.minute * 60 + clock.second + clock.microsecond / 1e6
    error.retry_after = retry_after(response, now) or _HOUR - into + 1
    return error


def _has(*wanted: str) -> Callable[[Response], bool]:
    return functools.partial(_names_one, frozenset(wanted))


def _names_one(wanted: frozenset[str], response: Response) -> bool:
    return not wanted.isdisjoint(codes(response))


def _is_page(response: Response) -> bool:
    return response.content_type == "text/html" and 200 <= response.status < 300


def _is_old_failure(response: Response) -> bool:
    """A failure inside a 200, as the old API answers; never to be taken for success (section 5)."""
    if not 200 <= response.status < 300 or b'"response_status"' not in response.content:
        return False
    return any(str(entry.get("response_status")) == "1" for entry in _entries(response))


@attrs.frozen
class _Faults(FaultTable):
    def error(
        self, response: Response, rule: FaultRule | None = None, *, now: dt.datetime | None = None
    ) -> MLConnectorError:
        """As the base; the hourly limit is an error of its own, because no retry within the hour can help."""
        if HOURLY in codes(response):
            return hourly_limit(response, now or dt.datetime.now(dt.UTC))
        return super().error(response, rule, now=now)


FAULTS = _Faults(
    "bill",
    rules=(
        FaultRule(when=_has(SESSION_INVALID), verdict=Verdict.TOKEN_REJECTED),
        FaultRule(when=_has(CONCURRENT), verdict=Verdict.RATE_LIMITED),
        # Refused before any work and hopeless within the hour: an error at once, not a retry.
        FaultRule(when=_has(HOURLY), verdict=Verdict.REFUSED),
        FaultRule(
            when=_has(*CREDENTIALS),
            verdict=Verdict.DENIED,
            cure="The BILL administrator checks user, developer key and organization; see bill.check().",
        ),
        FaultRule(
            when=_has("BDC_1361"),
            verdict=Verdict.DENIED,
            cure="This call needs a login with a second factor, which an unattended job does not have (section 2.6).",
        ),
        FaultRule(
            when=_has("BDC_1145"),
            verdict=Verdict.DENIED,
            cure="The BILL administrator gives the user's role this right; creating and reading are separate ones.",
        ),
        FaultRule(when=_has("BDC_1205"), verdict=Verdict.NOT_FOUND),
        FaultRule(status=404, verdict=Verdict.NOT_FOUND),
        FaultRule(when=_has(*_REFUSALS), verdict=Verdict.REFUSED),
        FaultRule(status=500, verdict=Verdict.BUSY),
        FaultRule(
            when=_is_page,
            verdict=Verdict.FAULT,
            message="an HTML page came instead of an answer",
            cure="Check the address: it ends with /connect and is not that of the web application.",
            fault="caller",
        ),
        FaultRule(
            when=_is_old_failure,
            verdict=Verdict.FAULT,
            message="a failure came inside a success",
            cure="Check the address: it is that of the v3 API.",
        ),
    ),
    describe=_described,
)
