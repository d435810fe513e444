"""The door for authors of further vendors: everything a vendor's package is made of, in one place.

A seventh vendor is a package of its own that imports from here and from :mod:`mlconnector.documents` alone. What it has
to be is said by two protocols, :class:`Source` and :class:`Sink`; what that means in practice is proved by
:mod:`mlconnector.testing.conformance`. ``docs/extending.md`` works one through.

* calling: ``Connector`` ``Client`` ``Request`` ``Response`` ``NOTHING`` ``Transport`` ``Timeout`` ``Retry``
* reading answers: ``FaultTable`` ``FaultRule`` ``Verdict`` ``RequestRefused`` ``loads`` ``dumps``
* logging in: ``TokenManager`` ``TokenSession`` ``Token`` ``Secret`` ``register_kind``, and the ready ones ``HTTPBasic``
  ``OAuth2ClientCredentials`` ``OAuth2Password``
* being read from: ``Source`` ``Records`` ``Since`` ``Reader`` ``RawRows`` ``Window`` ``Batch`` ``Rejected`` ``Page``
  ``Provenance``
* being delivered to: ``Sink`` ``Target`` ``Change`` ``Prepared`` ``Receipt`` ``LookUp`` ``ControlNumbers`` ``Counters``
  ``CrosswalkLookup``
* proving a connection: ``Check`` ``CheckStep``
* time, links, deadlines: ``Clock`` ``SYSTEM_CLOCK`` ``same_origin_path`` ``parse_origin`` ``send_window``
"""

from __future__ import annotations

from mlconnector.auth import HTTPBasic, OAuth2ClientCredentials, OAuth2Password, Token, TokenSession
from mlconnector.check import Check, CheckStep
from mlconnector.clock import SYSTEM_CLOCK, Clock
from mlconnector.credentials import Secret, register_kind
from mlconnector.documents import Document, Provenance
from mlconnector.http import (
    NOTHING,
    ClientAuth,
    Connector,
    FaultRule,
    FaultTable,
    RawAnswer,
    Request,
    RequestRefused,
    RequestsTransport,
    Response,
    Retry,
    Send,
    Timeout,
    TokenManager,
    Transport,
    Verdict,
    dumps,
    loads,
    parse_origin,
    same_origin_path,
    send_window,
)
from mlconnector.http import HTTPClient as Client
from mlconnector.records import Batch, Page, RawRows, Reader, Records, Rejected, Since, Window
from mlconnector.target import (
    Change,
    ControlNumbers,
    Counters,
    CrosswalkLookup,
    LookUp,
    NoCrosswalk,
    Prepared,
    Receipt,
    Sink,
    Source,
    Target,
)

__all__ = [
    "NOTHING",
    "SYSTEM_CLOCK",
    "Batch",
    "Change",
    "Check",
    "CheckStep",
    "Client",
    "ClientAuth",
    "Clock",
    "Connector",
    "ControlNumbers",
    "Counters",
    "CrosswalkLookup",
    "Document",
    "FaultRule",
    "FaultTable",
    "HTTPBasic",
    "LookUp",
    "NoCrosswalk",
    "OAuth2ClientCredentials",
    "OAuth2Password",
    "Page",
    "Prepared",
    "Provenance",
    "RawAnswer",
    "RawRows",
    "Reader",
    "Receipt",
    "Records",
    "Rejected",
    "Request",
    "RequestRefused",
    "RequestsTransport",
    "Response",
    "Retry",
    "Secret",
    "Send",
    "Since",
    "Sink",
    "Source",
    "Target",
    "Timeout",
    "Token",
    "TokenManager",
    "TokenSession",
    "Transport",
    "Verdict",
    "Window",
    "dumps",
    "loads",
    "parse_origin",
    "register_kind",
    "same_origin_path",
    "send_window",
]
