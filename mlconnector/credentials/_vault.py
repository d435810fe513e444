"""An encrypted file of credentials, for servers without a keyring (extra ``vault``).

The key comes from a passphrase by scrypt, the content is sealed by AES-GCM: a wrong passphrase or a changed byte is
noticed, never read as something else.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import attrs

from mlconnector.errors import CredentialsNotFound, MissingExtra

__all__ = ["PASSPHRASE", "Vault", "vault_path"]

PASSPHRASE = "MLCONNECTOR_VAULT_KEY"  # noqa: S105 - the variable's name
_MAGIC = b"MLVAULT1"
_SALT = 16
_NONCE = 12


def vault_path() -> Path:
    """``MLCONNECTOR_VAULT``, else ``credentials.vault`` in the user's configuration directory."""
    given = os.environ.get("MLCONNECTOR_VAULT")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config")))
    return base / "mlconnector" / "credentials.vault"


@attrs.frozen
class Vault:
    """Reads and writes the encrypted file; without a passphrase or a file it holds nothing."""

    @property
    def usable(self) -> bool:
        """A passphrase is set, so the file can be written."""
        return bool(os.environ.get(PASSPHRASE))

    def get(self, name: str, field: str) -> str | None:
        """The field, or ``None``."""
        if not self.usable or not vault_path().exists():
            return None
        value: str | None = self.load().get(name, {}).get(field)
        return value

    def load(self) -> dict[str, dict[str, str]]:
        """Everything in the file.

        Raises:
            CredentialsNotFound: The passphrase is wrong or the file is damaged.
            MissingExtra: ``cryptography`` is not installed.
        """
        path = vault_path()
        if not path.exists():
            return {}
        aead = _cryptography()
        raw = path.read_bytes()
        salt, nonce = raw[len(_MAGIC) :][:_SALT], raw[len(_MAGIC) + _SALT :][:_NONCE]
        sealed = raw[len(_MAGIC) + _SALT + _NONCE :]
        failed = True
        text = b""
        if raw.startswith(_MAGIC) and len(sealed) >= _SALT:
            with contextlib.suppress(aead.InvalidTag):
                text, failed = aead.AESGCM(_key(salt)).decrypt(nonce, sealed, _MAGIC), False
        if failed:
            raise CredentialsNotFound(
                "The encrypted credentials file cannot be opened.",
                cure=f"Whoever runs the program sets {PASSPHRASE} to the right passphrase, or saves them anew.",
            )
        content: dict[str, dict[str, str]] = json.loads(text)
        return content

    def store(self, content: dict[str, dict[str, str]]) -> None:
        """Replace the file as a whole; readable by this user only."""
        aead = _cryptography()
        path, salt, nonce = vault_path(), secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        sealed = aead.AESGCM(_key(salt)).encrypt(nonce, json.dumps(content).encode(), _MAGIC)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + salt + nonce + sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _key(salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(os.environ[PASSPHRASE].encode())


def _cryptography() -> Any:
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MissingExtra(
            "The encrypted credentials file needs the package cryptography.",
            cure='Install it: pip install "mlconnector[vault]".',
        ) from None
    return _Aead(AESGCM, InvalidTag)


@attrs.frozen
class _Aead:
    AESGCM: Any
    InvalidTag: Any
