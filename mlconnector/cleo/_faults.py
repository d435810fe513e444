"""What Cleo's answers mean (Cleo reference, sections 2.2, 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import Mapping

from mlconnector.errors import MLConnectorError
from mlconnector.http import FaultRule, FaultTable, Response, Verdict

__all__ = ["FAULTS"]


def _message(response: Response) -> str:
    """The ``message`` of an error body, the one member Cleo's own clients rely on; it may be missing."""
    try:
        body = response.json()
    except MLConnectorError:
        return ""
    return str(body.get("message") or "") if isinstance(body, Mapping) else ""


def _is_page(response: Response) -> bool:
    """A file may come under any content type (section 7.3): what does not begin as a page is none."""
    page = response.content_type == "text/html" and not response.content.lstrip().startswith(b"ISA")
    return page and 200 <= response.status < 300


FAULTS = FaultTable(
    "cleo",
    rules=(
        FaultRule(
            when=_is_page,
            verdict=Verdict.FAULT,
            message="an HTML page came instead of an answer",
            cure="Check the address: it is the API's root, not that of a portal or a proxy's login page.",
            fault="caller",
        ),
        FaultRule(
            status=403,
            verdict=Verdict.DENIED,
            cure="The Cleo administrator gives the account REST access to this resource (Cleo reference, section 2.3).",
        ),
    ),
    describe=_message,
)
