"""Bulk creates: all or nothing, so a refused call is halved until only the refused ones are left (section 7)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import attrs

from mlconnector.bill._api import Api, records_in
from mlconnector.bill._resources import Resource
from mlconnector.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    DeliveryInDoubt,
    MLConnectorError,
    NotFound,
    PermissionDenied,
    RateLimited,
)
from mlconnector.http import RequestRefused

__all__ = ["Answer", "Creation", "create_all", "in_doubt", "surely_not_acted", "unsent"]

Row = Mapping[str, Any]
Answer = Row | MLConnectorError
_NEVER_ACTED = (AuthenticationFailed, PermissionDenied, RateLimited)


def surely_not_acted(error: MLConnectorError) -> bool:
    """Whether the vendor did nothing of the one call that raised this."""
    return error.repeat_safe or isinstance(error, _NEVER_ACTED)


def unsent(error: MLConnectorError) -> ConnectionFailed:
    """What a member gets whose call was not made, or surely did nothing: it goes again."""
    return ConnectionFailed(f"Not sent: {error.message}", cure=error.cure, repeat_safe=True, system="bill")


def in_doubt(why: str) -> DeliveryInDoubt:
    """What a member gets whose call had no proper answer."""
    return DeliveryInDoubt(
        f"BILL may or may not have done it: {why}",
        cure="Nothing to do: the next run looks for it, by vendor and number, before it repeats anything.",
        system="bill",
    )


@attrs.define
class Creation:
    """One bulk create, and its answers in the order of its bodies.

    Args:
        api: Who asks. ``resource``: what is created.
        key: What an answer is recognised by: the order of the answers is not promised.
        send_by: Monotonic deadline of every send.
    """

    api: Api
    resource: Resource
    key: Callable[[Row], Hashable]
    send_by: float | None = None
    answers: dict[int, Answer] = attrs.Factory(dict)
    stop: MLConnectorError | None = None

    def run(self, members: Sequence[tuple[int, Row]]) -> None:
        """Create these, in as few calls as the vendor takes."""
        size = self.resource.bulk
        for start in range(0, len(members), size):
            self._create(members[start : start + size])

    def _create(self, members: Sequence[tuple[int, Row]]) -> None:
        if self.stop is not None:
            self.answers |= {place: unsent(self.stop) for place, _body in members}
            return
        try:
            records = self._call([body for _place, body in members])
        except (RequestRefused, NotFound) as error:
            if len(members) == 1:
                self.answers[members[0][0]] = error
                return
            half = len(members) // 2
            self._create(members[:half])
            self._create(members[half:])
        except MLConnectorError as error:
            self.stop = error
            made = unsent if surely_not_acted(error) else lambda fault: in_doubt(fault.message)
            self.answers |= {place: made(error) for place, _body in members}
        else:
            self._match(members, records)

    def _call(self, bodies: Sequence[Row]) -> list[Row]:
        path, one = self.resource.path, len(bodies) == 1
        response = self.api.call(
            "POST", path if one else f"{path}/bulk", json=bodies[0] if one else list(bodies), send_by=self.send_by
        )
        body = response.json()
        if one and isinstance(body, Mapping) and "id" in body:
            return [body]
        return records_in(body, self.resource.envelope)

    def _match(self, members: Sequence[tuple[int, Row]], records: Sequence[Row]) -> None:
        if len(members) == len(records) == 1:
            self.answers[members[0][0]] = records[0]
            return
        left: dict[Hashable, list[Row]] = {}
        for record in records:
            left.setdefault(self.key(record), []).append(record)
        for place, body in members:
            mine = left.get(self.key(body))
            self.answers[place] = mine.pop(0) if mine else in_doubt("its answer does not name the record")


def create_all(
    api: Api,
    resource: Resource,
    bodies: Sequence[Row],
    key: Callable[[Row], Hashable],
    *,
    send_by: float | None = None,
) -> list[Answer]:
    """Create records; the record or the error for each, in order.

    Raises:
        MLConnectorError: The first call surely did nothing, and would not later either (a dead login, a refused
            permission, no connection): ``repeat_safe``, nothing was written.
    """
    creation = Creation(api, resource, key, send_by)
    creation.run(list(enumerate(bodies)))
    answers = [creation.answers[place] for place in range(len(bodies))]
    if creation.stop is not None and all(isinstance(one, ConnectionFailed) for one in answers):
        creation.stop.repeat_safe = True
        raise creation.stop
    return answers
