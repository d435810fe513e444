"""What is to be done to one record of Coupa: a call, what it must lead to, and what stands against it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mlconnector.coupa._compare import LINES
from mlconnector.target import ControlNumbers

__all__ = ["Draft", "Plan", "intended"]

Body = dict[str, Any]


@attrs.frozen(kw_only=True)
class Draft:
    """A document as Coupa is to have it.

    Args:
        shown: What a person calls it: ``"supplier 4343"``.
        query: Parameters that find it by its natural key (section 9).
        body: What the ERP owns; what is compared and updated.
        new: What is sent for a record that is not there yet.
        attention: What a person should see.
        claim: See :class:`~mlconnector.target.Prepared`.
    """

    shown: str
    query: tuple[tuple[str, str], ...]
    body: Body
    new: Body
    attention: tuple[str, ...] = ()
    claim: tuple[str, str, str] | None = None


@attrs.frozen(kw_only=True, eq=False)
class Plan:
    """The payload of a delivery before its intent; rendered, it is the call alone: method, path and body.

    Until the intent it also carries the record that ``prepare`` has read, so that the look before the first write
    needs no second call.

    Args:
        call: What goes on the wire.
        record: What Coupa has now, or ``None``.
        done: Nothing is left to do.
        refused: Why this record must not be written to, whatever its content (cancelled, void, not ours).
        changed: Where the record is not what we left there (delivery rule 12).
    """

    call: Mapping[str, Any]
    record: Mapping[str, Any] | None
    done: bool = False
    refused: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __call__(self, _control: ControlNumbers) -> Mapping[str, Any]:
        return self.call


def intended(call: Mapping[str, Any]) -> Body:
    """The end state a call leads to: its body without the ids of lines, and without lines it deletes."""
    body: Body = dict(call.get("body") or {})
    for name in LINES:
        if name in body:
            body[name] = [
                {key: value for key, value in line.items() if key != "id"}
                for line in body[name]
                if not line.get("_delete")
            ]
    return body
