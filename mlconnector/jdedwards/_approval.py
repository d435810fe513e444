"""Which orders are fit to go, as settings: "approved" is no flag in JD Edwards (AIS reference, section 7; rule B10)."""

from __future__ import annotations

import attrs

from mlconnector.errors import InvalidArgument

__all__ = ["Approval"]


def _texts(values: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class Approval:
    """The gate of purchase orders.

    Args:
        next_status: First and last next status (``NXTR``) of a line that is fit to go.
        not_last: Last statuses (``LTTR``) that mean cancelled.
        hold: The hold code that holds nothing.
        order_types: Order types (``DCTO``) that are read.

    Raises:
        InvalidArgument: A status that is not three digits, or no order type.
    """

    next_status: tuple[str, str] = ("280", "998")
    not_last: tuple[str, ...] = attrs.field(default=("980",), converter=_texts)
    hold: str = ""
    order_types: tuple[str, ...] = attrs.field(default=("OP",), converter=_texts)

    def __attrs_post_init__(self) -> None:
        for status in (*self.next_status, *self.not_last):
            if len(status) != 3 or not status.isdecimal():
                raise InvalidArgument(f"status {status!r} is not three digits.", cure="Statuses are compared as text.")
        if self.next_status[0] > self.next_status[-1]:
            raise InvalidArgument(f"next_status={self.next_status!r} is no range.", cure="Give first and last.")
        if not self.order_types or not all(len(kind) == 2 for kind in self.order_types):
            raise InvalidArgument(f"order_types={self.order_types!r}.", cure='Give two-letter types like "OP".')

    def fit(self, next_status: str) -> bool:
        """A line with this next status is fit to go; a blank one is not."""
        return self.next_status[0] <= next_status <= self.next_status[1] and len(next_status) == 3
