"""Versioned JSON of documents, with an exact round trip, and the canonical text behind fingerprints.

Amounts are JSON strings: every reader keeps them exact. Fields that hold their default are left out, so that a
document written by an older version reads the same in a newer one.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.documents._base import Document
from mlconnector.documents._fields import ReadOnly
from mlconnector.errors import InvalidDocument

__all__ = ["VERSION", "canonical", "from_json", "to_json"]

VERSION = 1
"""Version written by :func:`to_json`; every older one is read."""

_CURE = "Pass text made by mlconnector.to_json; a newer version needs a newer library."


def to_json(document: Document, *, indent: int | None = None) -> str:
    """A document as JSON text with ``"document"`` (class name) and ``"version"``.

    Args:
        document: Any document class.
        indent: As for :func:`json.dumps`; ``None`` is one line.
    """
    body = {"document": type(document).__name__, "version": VERSION, **_plain(document, exact=True)}
    separators = (",", ":") if indent is None else None
    return json.dumps(body, ensure_ascii=False, indent=indent, separators=separators)


def from_json(text: str | bytes) -> Document:
    """The document that :func:`to_json` wrote, equal to it, provenance included.

    Raises:
        InvalidDocument: Not JSON, an unknown class, a newer version, or a field that does not fit.
    """
    try:
        body = json.loads(text)
    except ValueError:
        raise InvalidDocument("The text is not JSON.", cure=_CURE) from None
    if not isinstance(body, dict):
        raise InvalidDocument("The JSON is not an object.", cure=_CURE)
    name, version = body.pop("document", None), body.pop("version", None)
    cls = document_classes().get(str(name))
    if cls is None:
        raise InvalidDocument(f"{name!r} is not a document class.", cure=_CURE)
    if type(version) is not int or not 1 <= version <= VERSION:
        message = f"Version {version!r} of {name} cannot be read; this library reads 1 to {VERSION}."
        raise InvalidDocument(message, cure=_CURE)
    try:
        document = _structure(cls, body)
    except (TypeError, ValueError, ArithmeticError, KeyError, AttributeError) as error:
        raise InvalidDocument(f"The JSON does not fit {name}: {error}", cure=_CURE) from None
    assert isinstance(document, Document)
    return document


def canonical(document: Document) -> str:
    """Deterministic text of the business content: sorted, amounts normalised, without provenance."""
    plain = _bare(attrs.evolve(document, provenance=None))
    return json.dumps([type(document).__name__, plain], sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _bare(value: Any) -> Any:
    """As JSON values for fingerprints only: called for every document of a read, so the common types come first."""
    cls = value.__class__
    if cls is str or value is None or cls is bool or cls is int:
        return value
    if cls is Decimal:
        return "0" if not value else str(value.normalize())
    if cls is tuple:
        return [_bare(item) for item in value]
    if cls is ReadOnly:
        return {key: _tagged(item, exact=False) for key, item in value.items()}
    if cls is dt.date:
        return value.isoformat()
    found = {}
    for name, default in _defaults(cls):
        item = getattr(value, name)
        if item is not default and item != default:
            found[name] = _bare(item)
    return found


@functools.cache
def document_classes() -> dict[str, type[Document]]:
    """Every document class by name."""
    from mlconnector import documents

    found = (getattr(documents, name) for name in documents.__all__)
    classes = (cls for cls in found if isinstance(cls, type) and issubclass(cls, Document))
    return {cls.__name__: cls for cls in classes if cls is not Document}


@functools.cache
def _defaults(cls: type[Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in attrs.fields(cls))


def _plain(value: Any, *, exact: bool) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f") if exact and _keeps_exponent(value) else _number(value, exact=exact)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [_plain(item, exact=exact) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _tagged(item, exact=exact) for key, item in value.items()}
    kept = ((name, getattr(value, name), default) for name, default in _defaults(value.__class__))
    return {name: _plain(item, exact=exact) for name, item, default in kept if not _same(item, default)}


def _same(item: Any, default: Any) -> bool:
    return type(item) is type(default) and bool(item == default) and str(item) == str(default)


def _keeps_exponent(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -30 < exponent <= 0


def _number(value: Decimal, *, exact: bool) -> str:
    if exact:
        return str(value)
    return "0" if not value else str(value.normalize())


def _tagged(value: Any, *, exact: bool) -> Any:
    """Values of free mappings carry their type, because no annotation tells it when they come back."""
    if isinstance(value, Decimal):
        return {"decimal": _plain(value, exact=exact)}
    if isinstance(value, dt.datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, (list, tuple)):
        return [_tagged(item, exact=exact) for item in value]
    if isinstance(value, Mapping):
        return {"object": {str(key): _tagged(item, exact=exact) for key, item in value.items()}}
    return value


_TAGS: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "instant": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "object": lambda value: ReadOnly({key: _untagged(item) for key, item in value.items()}),
}


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_untagged(item) for item in value)
    if isinstance(value, dict):
        ((tag, inner),) = value.items()
        return _TAGS[tag](inner)
    return value


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in attrs.fields(cls)}


def _structure(cls: type, body: Mapping[str, Any]) -> Any:
    hints = _hints(cls)
    unknown = sorted(set(body) - set(hints))
    if unknown:
        raise ValueError(f"unknown fields {', '.join(unknown)}")
    return cls(**{name: _value(hints[name], value) for name, value in body.items()})


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
        origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, item) for item in value)
    if origin is not None:
        return ReadOnly({key: _untagged(item) for key, item in value.items()})
    if hint is Decimal:
        return Decimal(value)
    if hint is dt.datetime:
        return dt.datetime.fromisoformat(value)
    if hint is dt.date:
        return dt.date.fromisoformat(value)
    if attrs.has(hint):
        return _structure(hint, value)
    if not isinstance(value, hint):
        raise TypeError(f"{value!r} is not {hint.__name__}")
    return value
