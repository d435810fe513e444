"""Options of the data source, checked on the driver, and how a read is cut into ranges; knows nothing of Spark."""

from __future__ import annotations

import datetime as dt
import importlib
import itertools
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import attrs

from mlconnector.credentials import stored
from mlconnector.errors import InvalidArgument

__all__ = ["Condition", "Settings"]

Condition = tuple[str, str, Any]

_CLASSES = {
    "jdedwards": "JDEdwardsAIS",
    "fusion": "OracleFusion",
    "peoplesoft": "PeopleSoft",
    "coupa": "Coupa",
    "bill": "BILL",
}
_SESSIONS: Mapping[str, int] = {"fusion": 2, "peoplesoft": 2}
"""Sessions at once where the reader is not told; one elsewhere: at JD Edwards each holds a licence, Coupa and BILL
count calls by account."""
_KNOWN = ("system", "url", "credentials", "table", "kind", "columns", "where", "since", "partition_column", "lower",
          "upper", "partitions", "sessions", "pages_per_batch")  # fmt: skip
_CLIENT = "client."
_SECRET = ("password", "secret", "token", "username", "auth", "key")


def _whole(options: Mapping[str, str], name: str, default: int) -> int:
    text = str(options.get(name, default)).strip()
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise InvalidArgument(f"{name}={text!r} is not a whole number above 0.", cure=f"Correct {name}.")
    return int(text)


def _bound(options: Mapping[str, str], name: str) -> int | dt.date | None:
    text = str(options.get(name, "")).strip()
    if not text:
        return None
    try:
        return int(text) if text.lstrip("-").isdecimal() else dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{name}={text!r}.", cure='Give a whole number, or a date like "2026-03-01".') from None


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dt.date.fromisoformat(value["date"])
    return [_value(one) for one in value] if isinstance(value, list) else value


def _conditions(text: str) -> tuple[Condition, ...]:
    try:
        found = json.loads(text, parse_float=Decimal)
        return tuple((str(column), str(op), _value(value)) for column, op, value in found)
    except (ValueError, TypeError, KeyError):
        raise InvalidArgument(
            f"where={text!r}.", cure='Give JSON like [["LT", "=", "AA"], ["DGJ", ">=", {"date": "2026-01-01"}]].'
        ) from None


@attrs.frozen(kw_only=True)
class Settings:
    """Options of ``format("mlconnector")``, all of them text.

    Args:
        system: ``"jdedwards"``, ``"fusion"``, ``"peoplesoft"``, ``"coupa"`` or ``"bill"``.
        url: Its address. ``credentials``: the name they are stored under; no option takes a secret.
        table: What ``rows`` reads, or ``kind``: a reader of documents, ``"purchase_orders"``.
        columns: Columns of the table, joined by commas, where no schema is given: it is taken from the first rows.
        where: Conditions as JSON, ``[["LT", "=", "AA"]]``; a date as ``{"date": "2026-01-01"}``.
        since: An ISO instant with an offset: documents stamped at or after it.
        partition_column: A number or date that every row has, best the first column of the key. ``lower``, ``upper``:
            between them it is cut into ranges of one size; what lies outside is read with the first and the last.
        partitions: How many ranges. ``sessions``: how many are read at once, each on a session of its own. Spark gets
            no more partitions than sessions, so that no more can be open; each reads its ranges one after the other.
        pages_per_batch: Pages of documents that a batch of a stream takes at most.
        client: Further options of the client, ``client.node`` or ``client.page_size``: JSON, else text.

    Raises:
        InvalidArgument: An unknown or secret option, or values that contradict.
    """

    system: str
    url: str
    credentials: str
    table: str | None
    kind: str | None
    columns: tuple[str, ...]
    where: tuple[Condition, ...]
    since: dt.datetime | None
    partition_column: str | None
    lower: int | dt.date | None
    upper: int | dt.date | None
    partitions: int
    sessions: int
    pages_per_batch: int
    client: Mapping[str, Any]

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Settings:
        """Read from Spark's options, whose names have no case.

        Raises:
            InvalidArgument: An option that is missing, unknown or cannot be meant.
        """
        given = {str(name).lower(): str(value) for name, value in options.items() if str(name).lower() != "path"}
        for name in given:
            bare = name.removeprefix(_CLIENT)
            if name not in _KNOWN and (bare == name or any(word in bare for word in _SECRET)):
                raise InvalidArgument(
                    f"The option {name!r} is not known here.",
                    cure="Options are those of mlconnector.spark.Settings; secrets are named by credentials=, never"
                    " given, because a plan is shown and logged.",
                )
        system = given.get("system", "")
        if system not in _CLASSES:
            raise InvalidArgument(f"system={system!r}.", cure=f"Use one of {', '.join(_CLASSES)}.")
        for name in ("url", "credentials"):
            if not given.get(name, "").strip():
                raise InvalidArgument(f"The option {name} is missing.", cure=f'Add .option("{name}", ...).')
        if ("table" in given) == ("kind" in given):
            raise InvalidArgument("Exactly one of table and kind is needed.", cure='Add .option("table", ...).')
        since = dt.datetime.fromisoformat(given["since"]) if "since" in given else None
        if since is not None and since.tzinfo is None:
            raise InvalidArgument(f"since={given['since']!r} has no offset.", cure='Give it like "...T00:00:00+00:00".')
        settings = cls(
            system=system,
            url=given["url"],
            credentials=given["credentials"],
            table=given.get("table"),
            kind=given.get("kind"),
            columns=tuple(part.strip() for part in given.get("columns", "").split(",") if part.strip()),
            where=_conditions(given["where"]) if "where" in given else (),
            since=since,
            partition_column=given.get("partition_column"),
            lower=_bound(given, "lower"),
            upper=_bound(given, "upper"),
            partitions=_whole(given, "partitions", 1),
            sessions=_whole(given, "sessions", _SESSIONS.get(system, 1)),
            pages_per_batch=_whole(given, "pages_per_batch", 10),
            client={name.removeprefix(_CLIENT): _json(text) for name, text in given.items() if name not in _KNOWN},
        )
        _ = settings.ranges()
        return settings

    def open(self) -> Any:
        """A client with a session of its own."""
        return self._class(self.url, auth=stored(self.credentials), **self.client)

    def ranges(self) -> list[tuple[Condition, ...]]:
        """Conditions of each range; together they cover everything, and no row is in two.

        Raises:
            InvalidArgument: Several ranges without a column and two bounds of one type, the lower one first.
        """
        if self.partitions == 1:
            return [()]
        column, lower, upper = self.partition_column, self.lower, self.upper
        if column is None or lower is None or upper is None or type(lower) is not type(upper):
            raise InvalidArgument(
                f"partitions={self.partitions} needs partition_column, lower and upper.",
                cure="Give all three; both bounds whole numbers, or both dates.",
            )
        cuts = list(_cuts(lower, upper, self.partitions))
        if not cuts:
            raise InvalidArgument(f"lower={lower} is not below upper={upper}.", cure="Correct the bounds.")
        inner = [((column, ">=", low), (column, "<", high)) for low, high in itertools.pairwise(cuts)]
        return [((column, "<", cuts[0]),), *inner, ((column, ">=", cuts[-1]),)]

    def shares(self) -> list[list[tuple[Condition, ...]]]:
        """The ranges of each session."""
        ranges = self.ranges()
        sessions = min(self.sessions, len(ranges))
        begins = [len(ranges) * number // sessions for number in range(sessions + 1)]
        return [ranges[begin:end] for begin, end in itertools.pairwise(begins)]

    @property
    def _class(self) -> Any:
        return getattr(importlib.import_module("mlconnector"), _CLASSES[self.system])


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return text


def _cuts(lower: Any, upper: Any, count: int) -> Iterator[Any]:
    """Inner borders, each once."""
    dates, last = isinstance(lower, dt.date), lower
    width = (upper - lower).days if dates else upper - lower
    for number in range(1, count):
        step = width * number // count
        cut = lower + (dt.timedelta(days=step) if dates else step)
        if cut > last:
            yield cut
            last = cut
