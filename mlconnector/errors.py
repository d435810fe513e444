"""Every error this library raises, in one tree.

::

    MLConnectorError
     +-- InvalidArgument (also ValueError)   an option or argument is wrong; nothing was done
     +-- CredentialsNotFound                 no source of credentials holds the field
     +-- MissingExtra                        an optional dependency is not installed
     +-- CursorMismatch                      the cursor belongs to another system, kind or filter
     +-- X12Error                            text that is no X12, or a set that cannot be written
     +-- WebhookRejected                     a webhook whose signature, age or size is not acceptable
     +-- ConnectionFailed                    no answer came: DNS, TLS, refused, time-out, cut body
     +-- AuthenticationFailed                the login was refused
     +-- PermissionDenied                    logged in, but not allowed
     +-- RateLimited                         the vendor asks to slow down, and retries were used up
     +-- NotFound                            the addressed thing does not exist at the vendor
     +-- VendorFault                         the vendor answered with a fault, or with something unreadable
     +-- DocumentError
     |    +-- InvalidDocument                a document cannot go as it is; lists every fault
     |    +-- UnknownReference               it names things the other side does not know; lists every one
     |    +-- TargetChanged                  the record at the target is not what we left there, or not ours
     |    +-- DeliveryInDoubt                sent, and no proof whether it acted
     +-- LedgerError
          +-- LedgerMismatch                 the ledger belongs to other systems
          +-- LedgerRestored                 the ledger is older than what it once promised
          +-- LeaseLost                      another worker holds the work now
          +-- TooManyParked                  one cause parked document after document; the run stopped

Every error says who can mend it (``fault``), whether the same call may be repeated without looking
(``repeat_safe``), and what to do (``cure``). Errors pickle, and hold neither secrets nor whole bodies.
"""

from __future__ import annotations

from typing import Any, Literal

__all__ = [
    "AuthenticationFailed",
    "ConnectionFailed",
    "CredentialsNotFound",
    "CursorMismatch",
    "DeliveryInDoubt",
    "DocumentError",
    "Fault",
    "InvalidArgument",
    "InvalidDocument",
    "LeaseLost",
    "LedgerError",
    "LedgerMismatch",
    "LedgerRestored",
    "MLConnectorError",
    "MissingExtra",
    "NotFound",
    "PermissionDenied",
    "RateLimited",
    "TargetChanged",
    "TooManyParked",
    "UnknownReference",
    "VendorFault",
    "WebhookRejected",
    "X12Error",
]

Fault = Literal["caller", "administrator", "vendor", "network"]
"""Who can mend it: the calling program, an administrator of a system, the vendor, or the network between."""


class MLConnectorError(Exception):
    """Root of the tree.

    Args:
        message: What happened, in one sentence, with the bad value; never a secret, never a whole body.
        cure: What to do, and who does it. Shown after the message.
        fault: Overrides the class's ``fault``.
        repeat_safe: Overrides the class's ``repeat_safe``.
        status: The HTTP status of the answer, where one came.
        system: The system that answered (``"jdedwards"``), where one did.

    Attributes:
        report: The :class:`~mlconnector.delivery.Report` of a run that this error stopped, else ``None``.
    """

    fault: Fault = "caller"
    repeat_safe: bool = False
    cure: str = ""

    def __init__(
        self,
        message: str,
        *,
        cure: str | None = None,
        fault: Fault | None = None,
        repeat_safe: bool | None = None,
        status: int | None = None,
        system: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.system = system
        self.report: Any = None
        if cure is not None:
            self.cure = cure
        if fault is not None:
            self.fault = fault
        if repeat_safe is not None:
            self.repeat_safe = repeat_safe

    @property
    def message(self) -> str:
        """What happened, without the cure."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        return f"{self.message} Cure: {self.cure}" if self.cure else self.message


class InvalidArgument(MLConnectorError, ValueError):
    """An option or argument has a value that cannot be meant. Raised before anything is done."""


class CredentialsNotFound(MLConnectorError):
    """No source in the chain (explicit, environment, keyring, encrypted file) holds a credential field."""

    fault: Fault = "administrator"


class MissingExtra(MLConnectorError, ImportError):
    """A feature needs an optional dependency; the cure names the extra to install."""


class CursorMismatch(MLConnectorError):
    """A cursor made by another system, kind or set of filters. Using it could skip records, so it is refused."""


class X12Error(MLConnectorError):
    """Text that is not X12, a broken envelope, or a set that cannot be written without losing meaning."""


class WebhookRejected(MLConnectorError):
    """A webhook call that failed its check: signature, time stamp, size or form. Answer it with ``status``."""

    fault: Fault = "vendor"


class ConnectionFailed(MLConnectorError):
    """No complete answer came. ``repeat_safe`` is true only where the request surely never reached the vendor."""

    fault: Fault = "network"


class AuthenticationFailed(MLConnectorError):
    """The vendor refused the login, or refused a token twice. Never retried in a loop: accounts lock."""

    fault: Fault = "administrator"


class PermissionDenied(MLConnectorError):
    """The login works, the action is not allowed to it."""

    fault: Fault = "administrator"


class RateLimited(MLConnectorError):
    """The vendor refused for load; the request did not act. ``retry_after`` is in seconds, where given."""

    fault: Fault = "vendor"
    repeat_safe: bool = True
    retry_after: float | None = None


class NotFound(MLConnectorError):
    """The addressed record, file or path does not exist at the vendor."""


class VendorFault(MLConnectorError):
    """The vendor answered with a fault, or with something that is not an answer (HTML, cut or wrong JSON).

    Attributes:
        refused: The vendor understood and refused; nothing was done.
    """

    fault: Fault = "vendor"
    refused: bool = False


class DocumentError(MLConnectorError):
    """What stands against one document. ``message`` and ``options`` as of the root of the tree.

    Attributes:
        faults: Every fault, not only the first.
        cause: A short stable word for what parks many documents alike (``"no_route"``, ``"unit"``), by which they
            are counted and replayed together.
    """

    def __init__(self, message: str, *, faults: tuple[str, ...] = (), cause: str = "", **options: Any) -> None:
        super().__init__(message, **options)
        self.faults: tuple[str, ...] = tuple(faults) or (message,)
        self.cause = cause

    def __str__(self) -> str:
        listed = "" if self.faults == (self.message,) else " " + "; ".join(self.faults)
        return f"{self.message}{listed}" + (f" Cure: {self.cure}" if self.cure else "")


class InvalidDocument(DocumentError):
    """The document cannot go as it is (units, currency, arithmetic, lengths ...)."""


class UnknownReference(DocumentError):
    """The document names suppliers, accounts, units or routes that the target or the crosswalk does not know."""

    fault: Fault = "administrator"


class TargetChanged(DocumentError):
    """The record at the target has other content, is archived or void, is not ours, or there are several."""


class DeliveryInDoubt(DocumentError):
    """Sent, and no proof whether it acted. Settle it by looking; the message says what to look for."""

    fault: Fault = "network"


class LedgerError(MLConnectorError):
    """Something about the ledger itself; no document was touched."""


class LedgerMismatch(LedgerError):
    """The ledger is bound to other systems under this flow's name (rule B3)."""


class LedgerRestored(LedgerError):
    """The ledger is older than its high-water file, or missing beside it (delivery rule 13). Call ``recover``."""

    fault: Fault = "administrator"


class LeaseLost(LedgerError):
    """Another worker took over, or holds, this flow and target. Nothing was written after that."""

    repeat_safe: bool = True


class TooManyParked(LedgerError):
    """One cause parked ``stop_after`` documents in a row; the run stopped so that a person can mend the cause."""
