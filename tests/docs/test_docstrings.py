"""Every public name says what it is, what it takes, and what it raises."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

import mlconnector as mc
from mlconnector import errors

ERRORS = {name: value for name, value in vars(errors).items() if name in errors.__all__ and isinstance(value, type)}
_REFERS = re.compile(r":(?:meth|func|class|attr|data):|\b[Aa]s (?:of|on|the|in|for|every)\b")


def public_modules() -> list[str]:
    """Every module without an underscore in its path."""
    found = pkgutil.walk_packages(mc.__path__, "mlconnector.")
    return ["mlconnector", *(one.name for one in found if "._" not in one.name and not one.name.endswith("__main__"))]


def public_values() -> Iterator[tuple[str, Any]]:
    """Every class and function that a public module names, once."""
    seen: set[int] = set()
    for module in map(importlib.import_module, public_modules()):
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if (inspect.isclass(value) or inspect.isfunction(value)) and id(value) not in seen:
                seen.add(id(value))
                yield f"{module.__name__}.{name}", value


def ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("mlconnector")


@functools.cache
def callables() -> tuple[tuple[str, Callable[..., Any], str, str], ...]:
    """Name, function, its own docstring, and what its class says besides, of functions, methods and constructors."""
    found: list[tuple[str, Callable[..., Any], str, str]] = []
    seen: set[int] = set()
    for name, value in public_values():
        if inspect.isfunction(value):
            found.append((name, value, inspect.getdoc(value) or "", ""))
            continue
        whole = inspect.getdoc(value) or ""
        if "__init__" in vars(value) and ours(value.__init__) and not attrs.has(value) and not is_protocol(value):
            found.append((name, value.__init__, whole, ""))
        for member in dir(value):
            static = inspect.getattr_static(value, member)
            function = getattr(static, "__func__", static)
            if member.startswith("_") or not inspect.isfunction(function) or not ours(function) or id(function) in seen:
                continue
            seen.add(id(function))
            found.append((f"{name}.{member}", function, inspect.getdoc(getattr(value, member)) or "", whole))
    return tuple(found)


def is_protocol(value: Any) -> bool:
    return bool(getattr(value, "_is_protocol", False))


def parameters(function: Callable[..., Any]) -> list[str]:
    names = inspect.signature(function).parameters
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def mentioned(name: str, text: str) -> bool:
    """By its name, or in words: ``company_number`` as "company number", ``keys`` as "key"."""
    words = re.escape(name.replace("_", " ").rstrip("s").lower())
    return (
        re.search(rf"\b{re.escape(name)}\b", text) is not None or re.search(rf"\b{words}s?\b", text.lower()) is not None
    )


def raised(function: Callable[..., Any]) -> set[str]:
    """Errors of this library that the function's own body raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            names.add(made.id if isinstance(made, ast.Name) else getattr(made, "attr", ""))
    return names & set(ERRORS)


def test_there_is_much_to_look_at() -> None:
    assert len(callables()) > 500
    assert len({name.split(".")[1] for name, *_ in callables()}) > 15


def test_every_public_name_has_a_docstring() -> None:
    bare = [name for name, value in public_values() if not (value.__doc__ or "").strip()]
    bare += [name for name, _function, text, _whole in callables() if not text.strip()]
    for name, value in public_values():
        if inspect.isclass(value):
            members = inspect.getmembers_static(
                value, lambda one: isinstance(one, property | functools.cached_property)
            )
            for member, made in members:
                getter = made.fget if isinstance(made, property) else made.func
                if not member.startswith("_") and ours(getter) and not inspect.getdoc(getter):
                    bare.append(f"{name}.{member}")
    assert bare == []


def test_what_takes_several_arguments_says_what_they_are() -> None:
    """In ``Args:``, in a sentence, in the docstring of the class, or by naming where it is said."""
    silent = {}
    for name, function, text, whole in callables():
        names = parameters(function)
        missing = [one for one in names if not mentioned(one, text) and not mentioned(one, whole)]
        if missing and len(names) > 1 and not _REFERS.search(text):
            silent[name] = missing
    assert silent == {}


def test_what_a_body_raises_stands_in_its_docstring() -> None:
    silent = {}
    for name, function, text, _whole in callables():
        _before, found, listed = text.partition("Raises:")
        for error in raised(function):
            kinds = [kind.__name__ for kind in ERRORS[error].__mro__ if kind.__name__ in ERRORS]
            if not found or not any(re.search(rf"\b{kind}\b", listed) for kind in kinds):
                silent.setdefault(name, []).append(error)
    assert silent == {}


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_says_when_it_is_raised(name: str) -> None:
    assert len((ERRORS[name].__doc__ or "").split()) > 4
