"""Calling orchestrations: all writes (AIS reference, section 6)."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote

from mlconnector.errors import (
    InvalidArgument,
    InvalidDocument,
    NotFound,
    PermissionDenied,
    UnknownReference,
    VendorFault,
)
from mlconnector.http import HTTPClient, Request, Timeout
from mlconnector.jdedwards._contract import CONTRACT
from mlconnector.jdedwards._faults import words
from mlconnector.jdedwards._query import date_text

__all__ = ["Orchestrator", "amount_text"]

_TIMEOUT = Timeout(connect=10.0, read=180.0, total=300.0)
"""Orchestrations take minutes on some sites (section 8)."""
_KNOWN_FOR = 300.0
"""Seconds for which the site's list of orchestrations is believed."""
_DONE = ("SUCCESS", "WARNING")
_CENT = -2
_REFUSED = re.compile(r"\(500\): (.+)")
"""What AIS says in the body of a 500; an answer without words of its own may be anybody's."""


def amount_text(amount: Decimal) -> str:
    """An amount as the contract takes it: plain, with ``.``, at most two decimals.

    Raises:
        InvalidDocument: More decimals.
    """
    exact = amount.normalize()
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _CENT:
        raise InvalidDocument(f"{amount} has more than two decimals.", cause="amount", cure="Correct the amount.")
    return format(exact.quantize(Decimal("0.01")), "f")


class Orchestrator:
    """The site's orchestrations by the keys of the contract.

    Args:
        http: The client.
        names: The site's own names, by key.
        date_format: Of date inputs: the login user's.
        version: ``"v2"`` or ``"v3"`` of the path (section 6.1).

    Raises:
        InvalidArgument: A key that the contract does not have.
    """

    def __init__(
        self,
        http: HTTPClient,
        names: Mapping[str, str],
        date_format: Callable[[], str],
        *,
        version: Literal["v2", "v3"] = "v3",
    ) -> None:
        unknown = sorted(set(names) - set(CONTRACT))
        if unknown:
            raise InvalidArgument(f"orchestrations={unknown!r}.", cure=f"The keys are {', '.join(CONTRACT)}.")
        if version not in ("v2", "v3"):
            raise InvalidArgument(f"orchestrator_version={version!r}.", cure='Use "v3", or "v2" before Tools 9.2.4.')
        self._http, self._date_format = http, date_format
        self._names = {key: names.get(key, one.name) for key, one in CONTRACT.items()}
        self._path = f"/jderest/{version}/orchestrator"
        self._lock = threading.Lock()
        self._discovered: Mapping[str, frozenset[str]] = {}
        self._asked_again_at = float("-inf")

    def name(self, key: str) -> str:
        """The site's name of an orchestration."""
        return self._names[key]

    def date(self, day: dt.date) -> str:
        """A date input."""
        return date_text(day, self._date_format())

    def run(self, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call any orchestration once; it is never repeated by itself.

        Raises:
            InvalidDocument: It said that it failed.
            PermissionDenied: The user may not run it, or one of its components.
            MLConnectorError: No answer, or one that does not tell whether it acted.
        """
        if not name.strip() or "/" in name or not name.isprintable():
            raise InvalidArgument(f"name={name!r} is no orchestration.", cure="Give its name as in the designer.")
        path = f"{self._path}/{quote(name, safe='')}"
        try:
            response = self._http.send(Request("POST", path, json=dict(inputs), write=True, timeout=_TIMEOUT))
        except NotFound:
            older = name in self.discovered()
            raise UnknownReference(
                f"The site lists the orchestration {name!r}, and has nothing at {path}."
                if older
                else f"The site has no orchestration {name!r}.",
                cause="orchestration",
                cure='Before Tools 9.2.4 give JDEdwardsAIS(orchestrator_version="v2").'
                if older
                else "The JD Edwards administrator imports it, or orchestrations= names the site's own.",
            ) from None
        except VendorFault as error:
            refused = _REFUSED.search(error.message)
            if error.status != 500 or refused is None:
                raise
            # AIS itself answered: the whole call succeeds or changes nothing (section 6.4).
            raise InvalidDocument(
                f"{name} was refused: {refused[1]}",
                cause="orchestration",
                cure="Correct what it names in JD Edwards or in the document, then replay.",
            ) from None
        body = response.json()
        if not isinstance(body, Mapping):
            raise VendorFault(
                f"The orchestration {name!r} answered {type(body).__name__}, not an object.",
                cure="The JD Edwards administrator looks at its outputs.",
                status=response.status,
                system="jdedwards",
            )
        failure = _failure(body)
        if failure:
            raise InvalidDocument(
                f"{name}: {response.redact(failure)}",
                cause="orchestration",
                cure="Correct what it names in JD Edwards or in the document, then replay.",
            )
        return body

    def call(self, key: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call one of the contract; see :meth:`run`."""
        return self.run(self._names[key], inputs)

    def lacking(self, key: str, inputs: Mapping[str, Any]) -> list[str]:
        """Inputs that the site's orchestration does not have: an older contract, which must not be called with them.

        Nothing is known, and nothing is lacking, where the site does not let its orchestrations be listed; the same
        for what is inside a list, where it names the list only.

        Args:
            key: Of the contract. ``inputs``: what would be sent; of a list, the names inside its entries count too.
        """
        known = self.discovered()
        if not known:
            return []
        name = self._names[key]
        if name not in known:
            return [f"{name} is not at the site, or not open to this user"]
        has = known[name]
        if not has:
            return []
        inside = {one.partition(".")[0] for one in has if "." in one}
        wanted = [one for one in _input_names(inputs) if "." not in one or one.partition(".")[0] in inside]
        return [f"{name} has no input {one}" for one in wanted if one not in has]

    def discovered(self) -> Mapping[str, frozenset[str]]:
        """Inputs by orchestration, those inside lists as ``Lines.Amount``; empty where they cannot be listed.

        Asked again after five minutes, so that what the site adds is seen.
        """
        with self._lock:
            now = self._http.clock.monotonic()
            if now >= self._asked_again_at:
                self._discovered, self._asked_again_at = self._discover(), now + _KNOWN_FOR
            return self._discovered

    def _discover(self) -> Mapping[str, frozenset[str]]:
        try:
            body = self._http.send(Request("GET", "/jderest/discover")).json()
        except (NotFound, PermissionDenied, VendorFault):
            return {}
        listed = body.get("orchestrations") if isinstance(body, Mapping) else None
        return {
            str(one["name"]): frozenset(_listed_names(one.get("inputs")))
            for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, Mapping) and one.get("name")
        }


def _input_names(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Names of what would be sent; those inside the entries of a list as ``Lines.Amount``, each once."""
    for name, value in inputs.items():
        yield name
        entries = value if isinstance(value, list) else ()
        yield from dict.fromkeys(f"{name}.{inner}" for entry in entries for inner in entry)


def _listed_names(inputs: Any, parent: str = "") -> Iterator[str]:
    """Names of listed inputs, however those inside a list are told: below it, or with the list's name before them."""
    for part in inputs if isinstance(inputs, list) else ():
        if isinstance(part, Mapping) and part.get("name"):
            name = parent + str(part["name"]).replace("[]", "")
            yield name
            yield from ([name.partition(".")[0]] if "." in name else ())
            for value in part.values():
                yield from _listed_names(value, f"{name}.")


def _failure(body: Any) -> str:
    """What a failed orchestration says inside a 200: its status, or errors at any depth (section 6.2)."""
    if isinstance(body, Mapping):
        status = str(body.get("jde__status") or "").upper()
        if status and status not in _DONE:
            return str(body.get("jde__simpleMessage") or words(body) or f"status {status}")
        for name in ("sysErrors", "errors"):
            if isinstance(body.get(name), list) and body[name]:
                return words({name: body[name]})
        for value in body.values():
            found = _failure(value)
            if found:
                return found
    elif isinstance(body, list):
        for value in body:
            found = _failure(value)
            if found:
                return found
    return ""
