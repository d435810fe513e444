"""Credentials by name: looked up when a login needs them, never kept in a client, so that clients pickle."""

from __future__ import annotations

import base64
import importlib
import threading
from collections.abc import Mapping, Sequence
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from mlconnector.credentials._sources import INDEX, Environment, Explicit, Keyring, SecretSource, environment_name
from mlconnector.credentials._vault import PASSPHRASE, Vault
from mlconnector.errors import CredentialsNotFound, InvalidArgument

if TYPE_CHECKING:
    from mlconnector.clock import Clock

__all__ = ["StoredCredentials", "delete", "names", "new_key", "register_kind", "save", "stored"]

_KINDS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # Module of the class, secret fields, other fields; without a module it is no login.
    "AISSession": ("mlconnector.jdedwards", ("username", "password"), ("device", "environment", "role")),
    "LedgerKey": ("", ("key",), ()),
    "BillSession": ("mlconnector.bill", ("username", "password", "organization_id", "dev_key"), ()),
    "HTTPBasic": ("mlconnector.auth", ("username", "password"), ()),
    "OAuth2ClientCredentials": ("mlconnector.auth", ("client_id", "client_secret"), ("token_url", "path", "scope")),
    "OAuth2Password": ("mlconnector.auth", ("username", "password"), ("path",)),
}


def register_kind(kind: str, module: str, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Make a further token manager storable.

    Args:
        kind: Its class name, the value of the field ``kind``.
        module: Where the class is imported from, on use.
        required: Its secret parameters, read at each login.
        optional: Its other text parameters.
    """
    _KINDS[kind] = (module, tuple(required), tuple(optional))


def stored(name: str, *, sources: Sequence[SecretSource] | Mapping[str, str] | None = None) -> StoredCredentials:
    """Credentials kept under a name; nothing is looked up before the first login.

    Args:
        name: As given to :func:`save`, e.g. ``"acme-jde"``.
        sources: Looked up before the environment, the keyring and the encrypted file: other sources, or fields.

    Raises:
        InvalidArgument: An empty name.
    """
    return StoredCredentials(name, sources=sources)


class StoredCredentials:
    """A token manager that finds out at the first login which manager it is. See :func:`stored`.

    Raises:
        InvalidArgument: A name that cannot be looked up.
    """

    def __init__(self, name: str, *, sources: Sequence[SecretSource] | Mapping[str, str] | None = None) -> None:
        if not name.strip():
            raise InvalidArgument(f"name={name!r} names no credentials.", cure='Give a name like "acme-jde".')
        self._name = name
        self._own = (Explicit(sources),) if isinstance(sources, Mapping) else tuple(sources or ())
        self._manager: Any = None
        self._bound: tuple[str, Clock] | None = None
        self._wanted_path: str | None = None
        self._lock = threading.Lock()

    @property
    def details(self) -> Mapping[str, Any]:
        """What the latest login told beside the token."""
        found: Mapping[str, Any] = {} if self._manager is None else self._manager.details
        return found

    @property
    def token_url(self) -> str | None:
        """The one address outside the origin that the manager calls."""
        return getattr(self._manager, "token_url", None)

    def bind(self, origin: str, clock: Clock) -> None:
        """Called by the client that takes it; a second origin is refused.

        Args:
            clock: The client's, for lifetimes.

        Raises:
            InvalidArgument: Bound to another origin already.
        """
        if self._bound is not None and self._bound[0] != origin:
            raise InvalidArgument(
                f"Credentials {self._name!r} belong to {self._bound[0]} and cannot be used for {origin}.",
                cure="Call stored() once for each client; credentials never leave their origin.",
            )
        self._bound = (origin, clock)

    def use_path(self, path: str) -> None:
        """Where tokens are given out, for a vendor that knows its own path."""
        self._wanted_path = path

    def headers(self, send: Any) -> Mapping[str, str]:
        """As the manager's own; raises ``CredentialsNotFound`` where a field is missing."""
        headers: Mapping[str, str] = self._ready().headers(send)
        return headers

    def rejected(self, headers: Mapping[str, str], send: Any) -> bool:
        """As the manager's own."""
        return bool(self._ready().rejected(headers, send))

    def logout(self, send: Any) -> None:
        """As the manager's own; nothing where there was no login."""
        if self._manager is not None:
            self._manager.logout(send)

    def field(self, name: str) -> str:
        """One field as the first source has it, for what is no login: the key of a ledger.

        Raises:
            CredentialsNotFound: No source holds it.
        """
        return self._field(name)

    def __repr__(self) -> str:
        return f"stored({self._name!r})"

    def __getstate__(self) -> dict[str, Any]:
        if any(isinstance(source, Explicit) for source in self._own):
            raise InvalidArgument(
                "Credentials given as fields do not pickle.",
                cure="Save them with mlconnector.credentials.save and name them, or use the environment.",
            )
        kept = {name: value for name, value in self.__dict__.items() if name != "_lock"}
        return {**kept, "_manager": None, "_bound": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def _ready(self) -> Any:
        # One manager for all threads: two would log in twice, and one of the sessions be left open.
        with self._lock:
            return self._made()

    def _made(self) -> Any:
        if self._manager is None:
            kind = self._field("kind")
            if kind not in _KINDS or not _KINDS[kind][0]:
                raise InvalidArgument(
                    f"{self._name!r} is of kind {kind!r}, which is no token manager.",
                    cure=f"Save it with one of {', '.join(sorted(name for name in _KINDS if _KINDS[name][0]))}.",
                )
            module, required, optional = _KINDS[kind]
            cls = getattr(importlib.import_module(module), kind)
            given = {field: self._look(field) for field in optional}
            secrets = {field: self._field(field) for field in required}
            manager = cls(**secrets, **{field: value for field, value in given.items() if value is not None})
            manager.read_secrets_with(lambda: {field: self._field(field) for field in required})
            if self._wanted_path is not None and hasattr(manager, "use_path"):
                manager.use_path(self._wanted_path)
            if self._bound is not None:
                manager.bind(*self._bound)
            self._manager = manager
        return self._manager

    def _look(self, field: str) -> str | None:
        for source in (*self._own, Environment(), Keyring(), Vault()):
            value = source.get(self._name, field)
            if value is not None:
                return value
        return None

    def _field(self, field: str) -> str:
        value = self._look(field)
        if value is None:
            raise CredentialsNotFound(
                f"No source holds {field!r} of the credentials {self._name!r}.",
                cure=f"Whoever runs the program either sets {environment_name(self._name, field)}, or calls"
                f" mlconnector.credentials.save({self._name!r}, kind, ...) where there is a keyring, or, on a server"
                f' without one, installs "mlconnector[vault]", sets {PASSPHRASE} and calls save there.',
            )
        return value


def save(name: str, kind: str, **fields: str) -> None:
    """Keep credentials in the keyring, or where there is none in the encrypted file.

    Args:
        name: What to call them.
        kind: Class name of the token manager, e.g. ``"AISSession"``; ``"LedgerKey"`` for the key of a ledger.
        fields: That manager's own parameters; ``key=`` of a ledger's key, see :func:`new_key`.

    Raises:
        InvalidArgument: A name that names nothing, an unknown kind, or a field that the kind does not have or misses.
        CredentialsNotFound: Neither a keyring nor a passphrase for the encrypted file.
    """
    if not name.strip() or not name.isprintable():
        raise InvalidArgument(f"name={name!r} names no credentials.", cure='Give a name like "acme-jde".')
    if kind not in _KINDS:
        raise InvalidArgument(
            f"kind={kind!r} is no kind of credentials.", cure=f"Use one of {', '.join(sorted(_KINDS))}."
        )
    _module, required, optional = _KINDS[kind]
    wrong = sorted(set(fields) - {*required, *optional}) + sorted(set(required) - set(fields))
    if wrong:
        raise InvalidArgument(
            f"{kind} takes {', '.join((*required, *optional))}; wrong or missing: {', '.join(wrong)}.",
            cure="Give exactly these fields.",
        )
    entry = {"kind": kind, **fields}
    keyring = Keyring()
    if keyring.usable:
        for field in sorted(_every_field() - set(entry)):
            # Of what was saved under the name before.
            keyring.remove(name, field)
        for field, value in entry.items():
            keyring.set(name, field, value)
        keyring.set(INDEX, INDEX, "\n".join(sorted({*names(), name})))
        return
    vault = Vault()
    if not vault.usable:
        raise CredentialsNotFound(
            "This machine has no keyring to save credentials in.",
            cure=f'Install "mlconnector[vault]" and set {PASSPHRASE} to a passphrase, or use environment variables.',
        )
    vault.store({**vault.load(), name: entry})


def _every_field() -> set[str]:
    fields = {field for _module, required, optional in _KINDS.values() for field in (*required, *optional)}
    return {"kind", *fields}


def new_key() -> str:
    """A fresh random key for a ledger, 32 bytes in Base64, to be saved as kind ``"LedgerKey"``."""
    return base64.b64encode(token_bytes(32)).decode()


def names() -> list[str]:
    """The names saved in the keyring and in the encrypted file; environment variables are not listed."""
    keyring, vault = Keyring(), Vault()
    listed = (keyring.get(INDEX, INDEX) or "").splitlines()
    return sorted({*listed, *(vault.load() if vault.usable else ())})


def delete(name: str) -> None:
    """Forget saved credentials; an unknown name is none to forget."""
    keyring, vault = Keyring(), Vault()
    kept = [other for other in names() if other != name]
    if keyring.usable:
        for field in sorted(_every_field()):
            keyring.remove(name, field)
        keyring.set(INDEX, INDEX, "\n".join(kept))
    if vault.usable and name in vault.load():
        vault.store({other: entry for other, entry in vault.load().items() if other != name})
