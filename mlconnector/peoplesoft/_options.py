"""Options of the client checked, and what is sent once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from mlconnector.errors import ConnectionFailed, DeliveryInDoubt, InvalidArgument, VendorFault

__all__ = ["check_options", "narrowed", "once", "places"]

T = TypeVar("T")
_NODE = re.compile(r"[A-Za-z0-9_]+")


def narrowed(field: str, known: tuple[str, ...], condition: tuple[str, str, Any]) -> tuple[str, ...]:
    """The places that a condition leaves.

    Raises:
        InvalidArgument: Any other condition: no prompt of the query takes it.
    """
    column, op, value = condition
    if column != field or op not in ("=", "in"):
        raise InvalidArgument(
            f"where has {column} {op} {value!r}, which no prompt of the query takes.",
            cure=f'Only ("{field}", "=" or "in", ...) is possible; for more, the PeopleSoft administrator narrows the'
            " query, or filter what was read.",
        )
    wanted = {value} if op == "=" or isinstance(value, str) else set(value)
    return tuple(place for place in known if place in wanted)


def places(option: str, values: Any) -> tuple[str, ...]:
    """Business units or SETIDs, each once.

    Raises:
        InvalidArgument: One text instead of a list, or something that is no name.
    """
    if isinstance(values, str) or any(not isinstance(one, str) or not one.strip() or "/" in one for one in values):
        raise InvalidArgument(f"{option}={values!r}.", cure='Give a list like ["US001"].')
    return tuple(dict.fromkeys(values))


def check_options(node: str, owner: str, operation: str, result: str, requesting_node: str | None) -> None:
    """What becomes part of an address.

    Raises:
        InvalidArgument: A node, owner, alias or form that cannot be.
    """
    for option, value in (("node", node), ("requesting_node", requesting_node)):
        if value is not None and not _NODE.fullmatch(value):
            raise InvalidArgument(f"{option}={value!r} is no node.", cure="Give it as PeopleSoft shows it (PSFT_EP).")
    if owner not in ("PUBLIC", "PRIVATE"):
        raise InvalidArgument(f"owner={owner!r}.", cure='Use "PUBLIC" or "PRIVATE".')
    if result not in ("JSON", "XMLP"):
        raise InvalidArgument(f"result={result!r}.", cure='Use "JSON" or "XMLP".')
    if not re.fullmatch(r"[\w.]+", operation):
        raise InvalidArgument(f"operation={operation!r} is no alias.", cure='Give it like "ExecuteQuery.v1".')


def once(act: Callable[[], T], look_for: str) -> T:
    """Send once; a lost answer leaves it in doubt."""
    try:
        return act()
    except (ConnectionFailed, VendorFault) as error:
        if error.repeat_safe or getattr(error, "refused", False):
            raise
        raise DeliveryInDoubt(
            f"{error.message} Nothing tells whether it acted.",
            cure=f"Look in PeopleSoft for {look_for}, before it is sent again.",
            status=error.status,
            system="peoplesoft",
        ) from None
