"""The one HTTP client: time-outs, retries, tokens, limits, redaction, exact JSON.

The five rules it keeps: a call always ends (``Timeout``); it is repeated only where that is safe (``Retry``,
``Request.write``); what an answer means stands in one table a vendor (``FaultTable``); credentials never leave their
origin; no secret is shown in an error, a log line or a ``repr``.
"""

from __future__ import annotations

from mlconnector.http._client import HTTPClient
from mlconnector.http._connector import Connector
from mlconnector.http._faults import FaultRule, FaultTable, RequestRefused, Verdict, retry_after
from mlconnector.http._json import dumps, loads
from mlconnector.http._links import is_loopback, parse_origin, same_origin_path
from mlconnector.http._manager import Send, TokenManager
from mlconnector.http._message import NOTHING, Nothing, Request, Response
from mlconnector.http._policy import Retry, Timeout
from mlconnector.http._redact import Redactor
from mlconnector.http._requests_auth import ClientAuth
from mlconnector.http._transport import RawAnswer, RequestsTransport, Transport
from mlconnector.http._window import send_window

__all__ = [
    "NOTHING",
    "ClientAuth",
    "Connector",
    "FaultRule",
    "FaultTable",
    "HTTPClient",
    "Nothing",
    "RawAnswer",
    "Redactor",
    "Request",
    "RequestRefused",
    "RequestsTransport",
    "Response",
    "Retry",
    "Send",
    "Timeout",
    "TokenManager",
    "Transport",
    "Verdict",
    "dumps",
    "is_loopback",
    "loads",
    "parse_origin",
    "retry_after",
    "same_origin_path",
    "send_window",
]
