"""Where secrets come from, and how they are kept from showing (design 4.1).

The chain: explicit, environment (``MLCONNECTOR_<NAME>_<FIELD>``), keyring, encrypted file (extra ``vault``).
"""

from __future__ import annotations

from mlconnector.credentials._secret import Secret
from mlconnector.credentials._sources import SecretSource
from mlconnector.credentials._stored import StoredCredentials, delete, names, new_key, register_kind, save, stored

__all__ = [
    "Secret",
    "SecretSource",
    "StoredCredentials",
    "delete",
    "names",
    "new_key",
    "register_kind",
    "save",
    "stored",
]
