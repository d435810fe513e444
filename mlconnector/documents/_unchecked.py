"""Documents made by the hundred thousand, of values that are already what the fields hold."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import attrs

__all__ = ["unchecked"]

T = TypeVar("T")


def unchecked(document: type[T]) -> type[T]:
    """Call what this returns instead of the class: the same object comes of it in a third of the time. Made once.

    A frozen class has to go around itself to set each of its attributes. Here they are set on a twin that is not
    frozen, which then becomes the class in question; and the converters of its own fields are left out.

    Args:
        document: A class of this package. One that has no base must be made with ``weakref_slot=False``: Python lets
            an object change its class only to one of the same layout.
    """

    def freeze(self: Any) -> None:
        self.__class__ = document

    own = [field for field in attrs.fields(cast("Any", document)) if not field.inherited]
    twin = attrs.make_class(
        document.__name__,
        {field.name: attrs.field(default=field.default) for field in own},
        bases=document.__bases__,
        class_body={
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,
            "__attrs_post_init__": freeze,
        },
        slots=True,
        kw_only=True,
        weakref_slot=False,
        eq=False,
        repr=False,
    )
    return cast("type[T]", twin)
