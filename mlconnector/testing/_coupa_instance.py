"""What a call does to the rows of the simulated Coupa: routes, reading, writing (Coupa reference, sections 3 to 7)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import attrs

from mlconnector.clock import Clock
from mlconnector.testing._cleo_files import Upload, multipart_file
from mlconnector.testing._coupa_actions import ACTIONS, Scene, Transmission, transmit
from mlconnector.testing._coupa_query import BadQuery, conditions, ordered, page_of
from mlconnector.testing._coupa_render import Selection, View, selection, wire
from mlconnector.testing._coupa_rules import derive, faults, makes_version, normalized, recorded_payments_named
from mlconnector.testing._coupa_schema import Kind
from mlconnector.testing._coupa_store import Database, Row, whole_number
from mlconnector.testing._coupa_values import flag
from mlconnector.testing._coupa_write import Writer
from mlconnector.testing._wire import Request

__all__ = ["UPLOADS", "Instance", "Problem", "Reply", "Settings"]

UPLOADS = {"image_scan": "PUT", "attachments": "POST"}
"""Sub-resources of an invoice that take a file, and the method of each."""
_PATH = re.compile(r"/api/(coupa_pay/payments|[a-z_]+)(?:/(\d+)(?:/([a-z_]+)(?:/(\d+))?)?)?/?")
_WITHIN_SUPPLIER = {"addresses": "remit_to_addresses", "supplier_sites": "supplier_sites"}
_MARKED_ONLY = ("coupa_pay/payments", "receiving_transactions")
_BODY_ACTIONS = {"_close": "close", "_cancel": "cancel"}


@attrs.frozen(kw_only=True)
class Settings:
    """What differs among instances, or is not documented. See :class:`CoupaSimulator`."""

    time_zone: dt.tzinfo
    lag: float
    refuse_more: bool
    invalid_status: int
    external_orders: bool
    repeated_numbers: bool
    submitted_status: str
    export_touches: bool
    nulls: bool


@attrs.frozen(kw_only=True)
class Reply:
    """What a call is answered: plain JSON values, and what they are called in XML."""

    status: int
    name: str = ""
    one: str = ""
    value: Any = None


class Problem(Exception):
    """A refusal; with messages it has the form of section 8, without it is a page."""

    def __init__(self, status: int, kind: str = "", messages: tuple[str, ...] = ()) -> None:
        super().__init__(status, kind, messages)
        self.status = status
        self.kind = kind
        self.messages = messages


class Instance:
    """The rows and all that may be done to them over the API.

    Args:
        clock: Its time.
        settings: Its peculiarities.
        database: Its rows.

    Attributes:
        forbidden: Resources answered 403.
        hidden: Resources whose rows nobody sees.
        concealed: Kind to attributes that answers leave out unless ``fields`` asks.
        transmissions: Orders that went to suppliers.
        filters: Name of a response filter to what it shows.
        uploads: Files that came in.
    """

    def __init__(self, clock: Clock, settings: Settings, database: Database) -> None:
        self._clock = clock
        self._settings = settings
        self.database = database
        self.forbidden: set[str] = set()
        self.hidden: set[str] = set()
        self.concealed: dict[str, frozenset[str]] = {}
        self.filters: dict[str, Selection] = {}
        self.transmissions: list[Transmission] = []
        self.uploads: list[Upload] = []
        self._pages = 0

    @property
    def now(self) -> dt.datetime:
        """The clock, in the whole seconds of stamps."""
        return self._clock.now().replace(microsecond=0)

    def answer(self, request: Request, granted: frozenset[str]) -> Reply:
        """Do what a call asks for.

        Raises:
            Problem: It is refused.
            BadQuery: Its query cannot be read.
        """
        found = _PATH.fullmatch(request.path)
        kind = self.database.kinds.get(found[1]) if found else None
        if found is None or kind is None or not kind.read:
            raise Problem(404)
        key, tail, inner = whole_number(found[2] or ""), found[3], whole_number(found[4] or "")
        if (kind.within[0] if kind.within else kind.name) in self.forbidden:
            raise Problem(403)
        if key is None:
            return self._on_collection(request, granted, kind)
        row = self._existing(kind, key)
        if tail is None:
            return self._on_row(request, granted, kind, row)
        if kind.name == "suppliers" and tail in _WITHIN_SUPPLIER:
            return self._on_part(request, granted, row, self.database.kinds[_WITHIN_SUPPLIER[tail]], inner)
        if inner is not None:
            raise Problem(404)
        if kind.name == "invoices" and tail in UPLOADS:
            return self._upload(request, granted, row, tail)
        action = ACTIONS.get(kind.name, {}).get(tail)
        if action is None:
            raise Problem(404)
        _method(request, "PUT")
        _allow(granted, action.scopes)
        return self._act(request, kind, row, tail)

    def _existing(self, kind: Kind, key: int) -> Row:
        row = None if kind.name in self.hidden else self.database.get(kind.name, key)
        if row is None:
            raise Problem(404)
        return row

    # Reading

    def _on_collection(self, request: Request, granted: frozenset[str], kind: Kind) -> Reply:
        if request.method == "POST" and kind.write and not kind.within and kind.name != "coupa_pay/payments":
            created_by = (*kind.write, "core.invoice.create") if kind.name == "invoices" else kind.write
            _allow(granted, created_by)
            return self._create(request, kind)
        _method(request, "GET")
        _allow(granted, kind.read)
        moment = self._clock.monotonic()
        rows = () if kind.name in self.hidden else self.database.rows(kind.name)
        return self._collection(request, kind, [row for row in rows if row.listed_from <= moment])

    def _collection(self, request: Request, kind: Kind, rows: list[Row]) -> Reply:
        query = request.query
        offset, limit = page_of(query, refuse_more=self._settings.refuse_more)
        tests = conditions(query, self.database, kind)
        self._pages += 1
        chosen = [row for row in rows if all(test(row) for test in tests)]
        page = ordered(query, self.database, kind, chosen, self._pages)[offset : offset + limit]
        shown = [self._shown(request, row) for row in page]
        return Reply(status=200, name=kind.name.rpartition("/")[2].replace("_", "-"), one=_one(kind), value=shown)

    def _on_row(self, request: Request, granted: frozenset[str], kind: Kind, row: Row) -> Reply:
        match request.method:
            case "GET":
                _allow(granted, kind.read)
                return self._row_reply(request, kind, row)
            case "PUT" | "PATCH" if kind.write:
                _allow(granted, kind.write)
                return self._update(request, kind, row)
            case "DELETE" if kind.name == "invoices":
                _allow(granted, ("core.invoice.delete",))
                if row.values["status"] != "new":
                    self._invalid(kind, [f"Cannot delete while the status is {row.values['status']}"])
                self.database.drop(kind.name, row.id)
                return Reply(status=200)
        raise Problem(405)

    def _row_reply(self, request: Request, kind: Kind, row: Row, status: int = 200) -> Reply:
        value = self._shown(request, row)
        if value is None:
            return Reply(status=200)
        return Reply(status=status, name=_one(kind), value=value)

    def _shown(self, request: Request, row: Row) -> Any:
        query = request.query
        form = query.get("return_object")
        if form not in (None, "none", "limited", "shallow") or (form == "none" and request.method == "GET"):
            raise BadQuery(f"return_object cannot be {form}")
        if form == "none":
            return None
        if form == "limited":
            return {"id": row.id}
        only = selection(query.get("fields"))
        if "filter" in query and only is None:
            only = self.filters.get(query["filter"])
            if only is None:
                raise BadQuery(f"Unknown filter {query['filter']}")
        removed = query.get("show_deleted_lines") == "true"
        return self.show(row, View(**self._view_options(), only=only, shallow=form == "shallow", removed=removed))

    def _view_options(self) -> dict[str, Any]:
        return {"database": self.database, "nulls": self._settings.nulls, "concealed": self.concealed}

    def show(self, row: Row, view: View | None = None) -> Any:
        """A row as answers have it."""
        return wire((view or View(**self._view_options())).row(row), self._settings.time_zone)

    # Writing

    def _body(self, request: Request, kind: Kind) -> dict[str, Any]:
        if not request.raw:
            return {}
        try:
            body = request.json()
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            self._invalid(kind, ["The body is no JSON object"])
        return normalized(kind.name, body)

    def _invalid(self, kind: Kind, messages: list[str]) -> NoReturn:
        raise Problem(self._settings.invalid_status, kind.object, tuple(messages))

    def _writer(self) -> Writer:
        return Writer(self.database, self.now, self._settings.time_zone)

    def _create(self, request: Request, kind: Kind) -> Reply:
        if kind.name == "purchase_orders" and not self._settings.external_orders:
            raise Problem(403)
        body = self._body(request, kind)
        writer = self._writer()
        row = writer.new(kind.name, body)
        row.listed_from = self._clock.monotonic() + self._settings.lag
        self._save(kind, row, None, writer)
        return self._row_reply(request, kind, row, 201)

    def _update(self, request: Request, kind: Kind, row: Row) -> Reply:
        body = self._body(request, kind)
        if "exported" in request.query or body.get("exported") is not None:
            # Other changes of the same call are lost (section 4).
            return self._row_reply(
                request, kind, self._mark(kind, row, request.query.get("exported", body.get("exported")))
            )
        if kind.name in _MARKED_ONLY and body:
            self._invalid(kind, ["Nothing but exported can be changed"])
        if kind.name == "purchase_orders":
            for written, action in _BODY_ACTIONS.items():
                if body.get(written) in (True, "true"):
                    return self._act(request, kind, row, action)
        if kind.within:
            return self._change_part(request, self.database.owner(row), kind, row.id)
        if kind.name == "invoices" and recorded_payments_named(body):
            self._invalid(kind, ["Payments cannot be changed once recorded"])
        changed, writer = row.copy(), self._writer()
        writer.apply(changed, body)
        self._save(kind, changed, row, writer)
        return self._row_reply(request, kind, changed)

    def _save(self, kind: Kind, row: Row, before: Row | None, writer: Writer) -> None:
        derive(self.database, row)
        writer.check(row)
        found = faults(self.database, row, before, repeated_numbers=self._settings.repeated_numbers)
        if writer.errors or found:
            self._invalid(kind, [*writer.errors, *found])
        if before is not None and kind.name == "purchase_orders" and makes_version(before, row):
            row.values["version"] = max(row.values["version"], before.values["version"] + 1)
            row.values["exported"] = False
            if row.sent:
                transmit(row, self._scene())
        self.database.store(row)

    def _mark(self, kind: Kind, row: Row, value: Any) -> Row:
        if "exported" not in kind.fields:
            self._invalid(kind, ["Exported is not an attribute"])
        changed = row.copy()
        try:
            changed.values["exported"] = flag(value)
        except ValueError as wrong:
            self._invalid(kind, [f"Exported {wrong}"])
        if changed.values["exported"]:
            changed.values["last-exported-at"] = self.now
        return self._marked(changed)

    def _marked(self, changed: Row) -> Row:
        if self._settings.export_touches:
            changed.touch(self.now)
        self.database.store(changed)
        return changed

    def _scene(self) -> Scene:
        return Scene(
            database=self.database,
            now=self.now,
            submitted_status=self._settings.submitted_status,
            transmissions=self.transmissions,
        )

    def _act(self, request: Request, kind: Kind, row: Row, name: str) -> Reply:
        changed = row.copy()
        refusal = ACTIONS[kind.name][name].run(changed, self._scene())
        if refusal is not None:
            self._invalid(kind, [refusal])
        if name == "export":
            return self._row_reply(request, kind, self._marked(changed))
        if changed.state() != row.state():
            changed.touch(self.now)
        self.database.store(changed)
        return self._row_reply(request, kind, changed)

    # Rows within a supplier, files of an invoice

    def _on_part(self, request: Request, granted: frozenset[str], owner: Row, kind: Kind, key: int | None) -> Reply:
        owning = self.database.kinds[owner.kind]
        _, attribute = kind.within or ("", "")
        parts = owner.parts[attribute]
        part = next((each for each in parts if each.id == key), None)
        if key is not None and part is None:
            raise Problem(404)
        if request.method == "GET":
            _allow(granted, kind.read or owning.read)
            return self._collection(request, kind, parts) if part is None else self._row_reply(request, kind, part)
        _allow(granted, kind.write or owning.write)
        match request.method, part:
            case "POST", None:
                return self._change_part(request, owner, kind, None)
            case (("PUT" | "PATCH"), Row()):
                return self._change_part(request, owner, kind, part.id)
            case "DELETE", Row() if attribute == "remit-to-addresses":
                changed = owner.copy()
                changed.parts[attribute] = [each for each in changed.parts[attribute] if each.id != part.id]
                self.database.store(changed)
                return Reply(status=200)
        raise Problem(405)

    def _change_part(self, request: Request, owner: Row, kind: Kind, key: int | None) -> Reply:
        """Add or change a row within another, whose own stamp does not move."""
        body, writer, changed = self._body(request, kind), self._writer(), owner.copy()
        _, attribute = kind.within or ("", "")
        if key is None:
            part = writer.new(kind.name, body)
            changed.parts[attribute].append(part)
        else:
            part = next(each for each in changed.parts[attribute] if each.id == key)
            writer.apply(part, body)
        writer.check(part)
        if writer.errors:
            self._invalid(kind, writer.errors)
        self.database.store(changed)
        return self._row_reply(request, kind, part, 201 if key is None else 200)

    def _upload(self, request: Request, granted: frozenset[str], row: Row, name: str) -> Reply:
        _method(request, UPLOADS[name])
        kind = self.database.kinds["invoices"]
        _allow(granted, kind.write)
        found = multipart_file(request.headers.get("content-type", ""), request.raw)
        if found is None:
            self._invalid(kind, ["The part file is missing"])
        path = f"invoices/{row.id}/{name}/{found[0]}"
        replaced = any(upload.path == path for upload in self.uploads)
        self.uploads.append(Upload(path=path, data=found[1], at=self._clock.now(), replaced=replaced))
        return self._row_reply(request, kind, row, 201 if name == "attachments" else 200)


def _one(kind: Kind) -> str:
    return kind.object.replace("_", "-")


def _method(request: Request, method: str) -> None:
    if request.method != method:
        raise Problem(405)


def _allow(granted: frozenset[str], needed: tuple[str, ...]) -> None:
    if not granted & set(needed):
        raise Problem(403)
