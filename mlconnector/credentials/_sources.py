"""Where credential fields are looked up: environment, keyring, encrypted file (design 4.1)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

__all__ = ["Environment", "Explicit", "Keyring", "SecretSource", "environment_name"]

SERVICE = "mlconnector"
"""Service name of every keyring entry."""
INDEX = "names"
"""Keyring account that lists the saved names, since a keyring cannot be listed."""


@runtime_checkable
class SecretSource(Protocol):
    """Anything that can look a credential field up, a company's vault for instance."""

    def get(self, name: str, field: str) -> str | None:
        """The field of the named credentials, or ``None`` where this source does not have it.

        Args:
            name: Of the credentials (``"acme-jde"``). ``field``: one of theirs.
        """
        ...


def environment_name(name: str, field: str) -> str:
    """``MLCONNECTOR_<NAME>_<FIELD>``, upper case, other characters as ``_``."""
    return "MLCONNECTOR_" + re.sub(r"[^A-Z0-9]", "_", f"{name}_{field}".upper())


@attrs.frozen
class Explicit:
    """Fields given by the program."""

    fields: Mapping[str, str] = attrs.field(repr=False)

    def get(self, name: str, field: str) -> str | None:  # noqa: ARG002 - the protocol's names
        """The field, whatever the name."""
        return self.fields.get(field)


@attrs.frozen
class Environment:
    """Environment variables of this process."""

    def get(self, name: str, field: str) -> str | None:
        """The variable's value."""
        return os.environ.get(environment_name(name, field))


@attrs.frozen
class Keyring:
    """The operating system's keyring; on a server without one it holds nothing."""

    def get(self, name: str, field: str) -> str | None:
        """The entry ``<name>/<field>``."""
        module = _usable_keyring()
        if module is None:
            return None
        value: str | None = module.get_password(SERVICE, f"{name}/{field}")
        return value

    def set(self, name: str, field: str, value: str) -> None:
        """Keep a field."""
        _usable_keyring().set_password(SERVICE, f"{name}/{field}", value)

    def remove(self, name: str, field: str) -> None:
        """Forget a field, if it is there."""
        module = _usable_keyring()
        if module.get_password(SERVICE, f"{name}/{field}") is not None:
            module.delete_password(SERVICE, f"{name}/{field}")

    @property
    def usable(self) -> bool:
        """This machine has a keyring that keeps secrets."""
        return _usable_keyring() is not None


def _usable_keyring() -> Any:
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    return None if isinstance(backend, (fail.Keyring, null.Keyring)) else keyring
