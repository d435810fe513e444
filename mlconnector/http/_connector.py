"""What the clients of all systems have in common: one origin, one login, open until closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from mlconnector.clock import Clock
from mlconnector.errors import InvalidArgument
from mlconnector.http._client import HTTPClient
from mlconnector.http._policy import Timeout
from mlconnector.records import Records, Since

if TYPE_CHECKING:
    from requests.auth import AuthBase

__all__ = ["Connector"]


class Connector:
    """The client of one system. A subclass names its ``system`` and its ``kinds``, makes ``_http``, and has a reader
    for each kind, named after it.
    """

    system: str
    kinds: tuple[str, ...] = ()
    _http: HTTPClient

    @property
    def origin(self) -> str:
        """``scheme://host:port``, with what else tells one site from another; a ledger is bound to it (rule B3)."""
        return self._http.origin

    @property
    def auth(self) -> AuthBase:
        """For calls with plain ``requests`` to this system."""
        return self._http.auth

    @property
    def clock(self) -> Clock:
        """What time is measured on."""
        return self._http.clock

    @property
    def timeout(self) -> Timeout:
        """Of one call."""
        return self._http.timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._http.origin!r})"

    def close(self) -> None:
        """Log out where the system can, and close the connections; a second call does nothing."""
        self._http.close()

    def read(self, kind: str, since: Since = None, **options: Any) -> Records[Any]:
        """``read("invoices")`` is ``invoices()``.

        Raises:
            InvalidArgument: Not one of ``kinds``.
        """
        if kind not in self.kinds:
            known = f"Use one of {', '.join(self.kinds)}." if self.kinds else "It has no documents: use rows()."
            raise InvalidArgument(f"kind={kind!r} is nothing {self!r} has.", cure=known)
        records: Records[Any] = getattr(self, kind)(since, **options)
        return records
