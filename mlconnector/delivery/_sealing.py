"""A ledger at rest: what it keeps of documents is sealed by AES-256-GCM under keys from the credential chain.

Documents, payloads and messages are sealed by the newest key. Every key in use also wraps one random secret of the
ledger, which never changes: it seals what the audit tells of contents, since an audit cannot be written again under
another key, and it blinds what is only ever compared (contents of revisions, hashes), so that nobody without a key
finds out a small content by trying.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import attrs

from mlconnector.delivery._database import Row
from mlconnector.errors import InvalidArgument, LedgerError, MissingExtra

__all__ = ["BLINDED", "PLAIN", "SEALED", "TOLD", "KeySource", "Plain", "Seals", "keys_of"]

Value = TypeVar("Value", str, bytes)

SEALED: Mapping[str, tuple[str, ...]] = {
    "deliveries": ("document", "payload", "fingerprint"),
    "inbox_files": ("content",),
    "cursors": ("cursor",),
}
"""Columns by table that a key seals."""
TOLD: Mapping[str, tuple[str, ...]] = {
    "deliveries": ("faults",),
    "answers": ("differences",),
    "attention": ("text",),
}
"""Columns by table that say something about contents: sealed by the ledger's own secret, as in the audit."""
BLINDED: Mapping[str, tuple[str, ...]] = {
    "deliveries": ("content",),
    "heads": ("latest_content", "base_content"),
}
"""Columns by table that are only ever compared."""
_FACTS = frozenset({"faults", "why", "failed", "said", "differences", "text"})
"""Facts of an audit event that say something about contents."""
_OPENED = frozenset(column for table in (SEALED, TOLD) for columns in table.values() for column in columns)
_KEY = 32
_NONCE = 12
_SECRET = "secret"  # noqa: S105 - what the ledger's own secret is sealed as


class KeySource(Protocol):
    """Where a key comes from: :func:`mlconnector.stored`, or anything else with its ``field``."""

    def field(self, name: str) -> str:
        """The key, for ``"key"``.

        Raises:
            CredentialsNotFound: No source holds it.
        """
        ...


@attrs.frozen
class Plain:
    """A ledger without keys: everything is kept as it is. Its members are those of :class:`Seals`."""

    key: str = ""

    def sealed(self, column: str, value: Value) -> Value:  # noqa: ARG002 - as Seals
        """The value."""
        return value

    def told(self, column: str, text: str) -> str:  # noqa: ARG002 - as Seals
        """The text."""
        return text

    def told_facts(self, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """The facts."""
        return facts

    def known_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The facts."""
        return facts

    def blinded(self, text: str) -> str:
        """The text."""
        return text

    def same(self, one: str | None, other: str | None) -> bool:
        """Two contents are the same."""
        return one == other

    def rows(self, found: list[Any]) -> list[Any]:
        """The rows."""
        return found


PLAIN = Plain()


class _Opened:
    """A row whose values are opened when they are asked for by name; iterating gives them as they are kept."""

    __slots__ = ("_row", "_seals")

    def __init__(self, row: Row, seals: Seals) -> None:
        self._row, self._seals = row, seals

    def __getitem__(self, column: str) -> Any:
        value = self._row[column]
        return self._seals.opened(column, value) if column in _OPENED else value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._row)

    def keys(self) -> Iterable[str]:
        return self._row.keys()


@attrs.define(eq=False)
class Seals:
    """What the keys of one ledger can do.

    Args:
        name: How messages name the ledger. ``ledger``: its id; what was sealed in one opens in no other.
        keys: Ciphers of every key given, by the key's id. ``key``: id of the one that seals.
        secret: The ledger's own.
    """

    name: str
    ledger: str
    keys: Mapping[str, Any] = attrs.field(repr=False)
    key: str
    secret: bytes = attrs.field(repr=False, factory=lambda: secrets.token_bytes(_KEY))
    _teller: Any = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._teller = _cipher(hmac.new(self.secret, b"told", hashlib.sha256).digest())

    @classmethod
    def unlocked(cls, name: str, ledger: str, keys: Mapping[str, Any], wrapped: Mapping[str, str]) -> Seals:
        """The seals of a ledger that has a secret already.

        Args:
            wrapped: Its secret as sealed by each key that is in use, by the key's id; the first one seals.

        Raises:
            LedgerError: One of these keys is not among those given.
        """
        missing = [key for key in wrapped if key not in keys]
        if missing:
            raise _missing(name, missing)
        key, text = next(iter(wrapped.items()))
        secret = cls(name, ledger, keys, key)._open(_SECRET, keys[key], base64.b64decode(text))
        return cls(name, ledger, keys, key, secret)

    def is_by_this_key(self, value: str | bytes) -> bool:
        """The key that seals now has sealed it."""
        return value.startswith(self._by_this_key.encode() if isinstance(value, bytes) else self._by_this_key)  # type: ignore[arg-type]

    def is_told(self, text: str) -> bool:
        """The ledger's own secret has sealed it."""
        return text.startswith(f"{self._prefix}:")

    @property
    def _by_this_key(self) -> str:
        return f"{self._prefix}{self.key}:"

    @property
    def _prefix(self) -> str:
        """How begins what was sealed here; nobody outside can make a text like it, not knowing the ledger's id."""
        return f"sealed:{self.ledger}:"

    @property
    def _blind(self) -> str:
        return f"hmac:{self.ledger[:8]}:"

    def wrapped(self) -> str:
        """The ledger's secret, sealed by the newest key."""
        return base64.b64encode(self._seal(_SECRET, self.keys[self.key], self.secret)).decode()

    def sealed(self, column: str, value: Value) -> Value:
        """Text as text, bytes as bytes, by the newest key."""
        if isinstance(value, bytes):
            return self._by_this_key.encode() + self._seal(column, self.keys[self.key], value)
        return (
            f"{self._by_this_key}{base64.b64encode(self._seal(column, self.keys[self.key], value.encode())).decode()}"
        )

    def told(self, column: str, text: str) -> str:
        """A text about contents, by the ledger's own secret."""
        return f"{self._prefix}:{base64.b64encode(self._seal(column, self._teller, text.encode())).decode()}"

    def told_facts(self, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Facts of an audit event, those about contents sealed."""
        return {
            name: self.told(name, json.dumps(value, default=str)) if value and name in _FACTS else value
            for name, value in facts.items()
        }

    def known_facts(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Facts of an audit event, opened again."""
        return {name: self._known(name, value) for name, value in facts.items()}

    def _known(self, name: str, value: Any) -> Any:
        is_sealed = isinstance(value, str) and value.startswith(self._prefix)
        return json.loads(self.opened(name, value)) if is_sealed else value

    def opened(self, column: str, value: Any) -> Any:
        """What was sealed; anything else as it is: it was written before there was a key, or blanked since.

        Raises:
            LedgerError: It was sealed by a key that was not given, or was changed since.
        """
        if isinstance(value, str) and value.startswith(self._prefix):
            key, _, text = value[len(self._prefix) :].partition(":")
            return self._open(column, self._by(key), base64.b64decode(text)).decode()
        if isinstance(value, bytes) and value.startswith(self._prefix.encode()):
            name, _, box = value[len(self._prefix) :].partition(b":")
            return self._open(column, self._by(name.decode()), box)
        return value

    def blinded(self, text: str) -> str:
        """The same for the same text, and of no use to whoever tries texts without a key; twice is as once."""
        if text.startswith(self._blind):
            return text
        return f"{self._blind}{hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()}"

    def same(self, one: str | None, other: str | None) -> bool:
        """Two contents are the same, however each of them is kept."""
        if one is None or other is None:
            return one is other
        return self.blinded(one) == self.blinded(other)

    def rows(self, found: list[Any]) -> list[Any]:
        """Rows that can be read."""
        return [_Opened(row, self) for row in found]

    def _by(self, key: str) -> Any:
        if key and key not in self.keys:
            raise _missing(self.name, [key])
        return self.keys[key] if key else self._teller

    def _seal(self, column: str, cipher: Any, data: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        box: bytes = cipher.encrypt(nonce, data, f"{self.ledger}:{column}".encode())
        return nonce + box

    def _open(self, column: str, cipher: Any, box: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            data: bytes = cipher.decrypt(box[:_NONCE], box[_NONCE:], f"{self.ledger}:{column}".encode())
        except InvalidTag:
            raise LedgerError(
                f"A sealed {column} of {self.name} was changed since it was written.",
                cure="Stop every worker, put the newest backup in its place, call ledger.recover(actor=, reason=).",
                fault="administrator",
            ) from None
        return data


def keys_of(sources: Sequence[KeySource]) -> dict[str, Any]:
    """Ciphers by the id of their key, in the order given.

    Raises:
        CredentialsNotFound: No source holds a key.
        InvalidArgument: What it holds is no key.
        MissingExtra: ``cryptography`` is not installed.
    """
    found = {}
    for source in sources:
        try:
            key = base64.b64decode(source.field("key"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY:
            raise InvalidArgument(
                f"keys={source!r} holds no key of a ledger.",
                cure="Make one with mlconnector.credentials.new_key() and save it as kind LedgerKey.",
            )
        found[hashlib.sha256(b"key of a ledger" + key).hexdigest()[:12]] = _cipher(key)
    return found


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra(
            "A ledger with keys needs the package cryptography.", cure='Install it: pip install "mlconnector[vault]".'
        ) from None
    return AESGCM(key)


def _missing(name: str, keys: Sequence[str]) -> LedgerError:
    return LedgerError(
        f"{name} is encrypted, and the key {', '.join(keys)} is not among those given.",
        cure="Whoever runs the program gives it too: Ledger(keys=[mc.stored(newest), mc.stored(older)]). Nothing is"
        " lost; ledger.reencrypt(actor=, reason=) ends the need of the older ones.",
        fault="administrator",
    )
