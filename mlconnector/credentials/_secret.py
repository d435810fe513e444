"""A text that does not show itself."""

from __future__ import annotations

import hmac
from typing import ClassVar, NoReturn

from mlconnector.errors import InvalidArgument

__all__ = ["Secret"]


class Secret:
    """Holds a secret text; only :meth:`reveal` gives it out. It does not print, format, pickle or copy its content.

    Args:
        value: The text.

    Raises:
        InvalidArgument: Not text.
    """

    __slots__ = ("_value",)
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # a hash would let a secret be looked up

    def __init__(self, value: str | Secret) -> None:
        if isinstance(value, Secret):
            value = value.reveal()
        if not isinstance(value, str):
            raise InvalidArgument(f"A secret of type {type(value).__name__} is not text", cure="Give text.")
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __repr__(self) -> str:
        return "Secret('***')"

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise InvalidArgument("A secret does not pickle", cure='Use mc.stored("name") credentials.')
