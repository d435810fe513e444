"""``python -m mlconnector``: the operator's desk on a command line (docs/operations.md).

Exit codes: 0 nothing to do for anybody; 1 a person is needed (something is open, does not close, was refused, or waits
for a second actor); 2 the call cannot be meant; 3 it could not be done, or the ledger is broken.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import getpass
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from mlconnector import credentials
from mlconnector.delivery import Flow, Ledger
from mlconnector.delivery._table import text_table
from mlconnector.errors import InvalidArgument, MLConnectorError

__all__ = ["main", "parser"]

_FINE, _PERSON, _CALL, _FAILED = 0, 1, 2, 3
_LEDGER, _KEYS = "MLCONNECTOR_LEDGER", "MLCONNECTOR_LEDGER_KEYS"
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    Args:
        arguments: Words of the command line; those of this process by default.
    """
    options = parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except MLConnectorError as error:
        _say(str(error), to_errors=True)
        return _CALL if isinstance(error, InvalidArgument) else _FAILED
    except OSError as error:
        _say(f"{error.filename or 'The file'}: {error.strerror or error}.", to_errors=True)
        return _FAILED


def _say(text: str, *, to_errors: bool = False) -> None:
    (sys.stderr if to_errors else sys.stdout).write(f"{text}\n")


def _plain(value: Any) -> Any:
    """A value as JSON has it: amounts and instants as text, never a float."""
    if attrs.has(type(value)):
        fields = (field.name for field in attrs.fields(type(value)) if not field.name.startswith("_"))
        return {name: _plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dt.timedelta):
        return int(value.total_seconds())
    if isinstance(value, (dt.date, Decimal)):
        return str(value)
    return value


def _tell(options: argparse.Namespace, value: Any, text: str) -> None:
    _say(json.dumps(_plain(value), ensure_ascii=False) if options.json else text)


def _tabled(options: argparse.Namespace, found: Sequence[Any], columns: Sequence[str]) -> None:
    """Records as a table, or with everything they have as JSON."""
    rows = [[_cell(getattr(one, name)) for name in columns] for one in found]
    _tell(options, list(found), text_table(columns, rows) or "nothing")


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, dt.timedelta):
        return f"{value.days} d {value.seconds // 3600} h"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return "" if value is None else str(value)


@contextlib.contextmanager
def _ledger(options: argparse.Namespace) -> Iterator[Ledger]:
    place: str | None = options.ledger
    if not place:
        raise InvalidArgument("ledger= is not given.", cure=f"Say --ledger acme.db, or set {_LEDGER}.")
    if "://" not in place and not Path(place).exists():
        raise InvalidArgument(f"ledger={place!r} does not exist.", cure="Name the ledger that the flow writes.")
    actor = options.actor or getpass.getuser()
    given = {"high_water": options.high_water, "four_eyes": options.four_eyes}
    keys = [credentials.stored(name.strip()) for name in options.keys.split(",") if name.strip()]
    with Ledger(place, actor=actor, keys=keys, **given) as ledger:
        yield ledger


def _named(name: str) -> Any:
    """What ``module:attribute`` names, called where it is a function."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidArgument(
            f"flow={name!r} cannot be loaded: {error}.", cure="Name it like jobs.nightly:flow, from its folder."
        ) from None
    return found() if callable(found) and not hasattr(found, "check") else found


@contextlib.contextmanager
def _flow(name: str) -> Iterator[Any]:
    """A flow or a client, or what stands inside of a context manager around one."""
    made: Any = _named(name)
    with contextlib.ExitStack() as stack:
        around = hasattr(made, "__enter__") and not hasattr(made, "check")
        yield stack.enter_context(made) if around else made


def _flow_only(made: Any, name: str) -> Flow:
    if not isinstance(made, Flow):
        raise InvalidArgument(f"flow={name!r} is a {type(made).__name__}.", cure="Name a flow, or what makes one.")
    return made


def _ids(words: Iterable[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if not all(system and value for system, _, value in pairs):
        raise InvalidArgument(f"ids={list(words)!r}.", cure="Write them like jdedwards=4343 bill=00901.")
    return {system: value for system, _, value in pairs}


# Ledger


def _worklist(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.worklist.items(options.flow, owner=options.owner)
        _tell(options, list(found), str(found))
        return _PERSON if found else _FINE


def _deliveries(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.deliveries(options.flow, options.kind, options.state, options.key)
        _tabled(options, found, ("flow", "key", "revision", "state", "partner_state", "target_id", "age", "faults"))
        return _FINE


def _history(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.history(options.key)
        _tell(options, found, "\n".join(map(str, found)) or "nothing")
        return _FINE if found else _PERSON


def _orders(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        columns = ("key", "revision", "state", "sent_revision", "acknowledged", "confirmed", "shipped", "differences")
        _tabled(options, ledger.orders(), columns)
        return _FINE


def _overdue(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.overdue(dt.timedelta(hours=options.hours))
        _tabled(options, found, ("flow", "key", "revision", "interchange", "group", "age"))
        return _PERSON if found else _FINE


def _verify(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        events = ledger.verify()
        _tell(options, {"events": events, **ledger.head()}, f"{events} events, none changed")
        return _FINE


def _head(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        head = ledger.head()
        _tell(options, head, f"{head['number']} {head['hash']}")
        return _FINE


def _export_audit(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        events = ledger.export_audit(options.file)
        _tell(options, {"events": events, **ledger.head()}, f"{events} events in {options.file}")
        return _FINE


def _verify_export(options: argparse.Namespace) -> int:
    if options.head is not None and not options.head[0].isdecimal():
        raise InvalidArgument(f"head={options.head[0]!r} is no number.", cure="Give what ledger head has shown.")
    head = None if options.head is None else {"number": int(options.head[0]), "hash": options.head[1]}
    last = Ledger.verify_export(options.file, head=head)
    _tell(options, {"number": last}, f"whole up to event {last}")
    return _FINE


def _inbox(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.inbox.messages(options.box, options.state)
        _tabled(options, found, ("id", "box", "name", "code", "business_key", "state", "reason", "stored_at"))
        return _PERSON if any(one.state in ("parked", "quarantined") for one in found) else _FINE


def _release(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        who = {"actor": options.actor or ledger.actor, "reason": options.reason or ""}
        message = ledger.inbox.release(options.message, instead_of=options.instead_of, **who)
        _tell(options, message, f"message {message.id} is taken again at the next run")
        return _FINE


def _reencrypt(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        rows = ledger.reencrypt(actor=options.actor or ledger.actor, reason=options.reason or "")
        _tell(options, {"rows": rows}, f"{rows} rows written anew under the newest key")
        return _FINE


def _assign(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        actor = options.actor or ledger.actor
        count = ledger.worklist.assign(
            options.key, options.owner, flow=options.flow, actor=actor, reason=options.reason
        )
        _tell(options, {"items": count}, f"{count} items are {options.owner or 'nobody'}'s")
        return _FINE


def _close(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        ledger.worklist.close(options.item, actor=options.actor or ledger.actor, reason=options.reason)
        _tell(options, {"closed": options.item}, f"closed {options.item}")
        return _FINE


# Crosswalk


def _links(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.crosswalk.links(options.kind)
        systems = sorted({name for row in found for name in row} - {"kind"})
        columns = ("kind", *systems)
        rows = [[row.get(name, "") for name in columns] for row in found]
        _tell(options, found, text_table(columns, rows) or "nothing")
        return _FINE


def _link(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        waiting = len(ledger.crosswalk.waiting())
        ledger.crosswalk.link(options.kind, actor=options.actor, reason=options.reason, **_ids(options.ids))
        return _changed(options, ledger, waiting, "linked")


def _unlink(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        waiting = len(ledger.crosswalk.waiting())
        found = ledger.crosswalk.unlink(options.kind, actor=options.actor, reason=options.reason, **_ids([options.id]))
        return _changed(options, ledger, waiting, "unlinked") if found else _PERSON


def _load(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        preview = ledger.crosswalk.preview(options.file)
        if options.preview or preview.refused:
            _tell(options, preview, str(preview))
            return _FINE if preview.ok else _PERSON
        if not (options.reason or "").strip():
            raise InvalidArgument("reason= is not given.", cure="Say --reason; --preview shows what would happen.")
        waiting = len(ledger.crosswalk.waiting())
        count = ledger.crosswalk.load(options.file, actor=options.actor, reason=options.reason)
        return _changed(options, ledger, waiting, f"{count} rows loaded")


def _changed(options: argparse.Namespace, ledger: Ledger, waiting: int, what: str) -> int:
    held = len(ledger.crosswalk.waiting()) - waiting
    _tell(options, {"done": what, "waiting": held}, f"{what}; {held} wait for a second actor" if held else what)
    return _PERSON if held else _FINE


def _export_links(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        count = len(ledger.crosswalk.export(options.file, options.kind))
        _tell(options, {"links": count}, f"{count} links in {options.file}")
        return _FINE


def _waiting(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        found = ledger.crosswalk.waiting()
        _tabled(options, found, ("number", "kind", "action", "ids", "actor", "reason", "age"))
        return _PERSON if found else _FINE


def _confirm(options: argparse.Namespace) -> int:
    with _ledger(options) as ledger:
        act = ledger.crosswalk.withdraw if options.give_up else ledger.crosswalk.confirm
        act(options.number, actor=options.actor or ledger.actor, reason=options.reason)
        done = "withdrawn" if options.give_up else "confirmed"
        _tell(options, {done: options.number}, f"{done} {options.number}")
        return _FINE


# Flows


def _reconcile(options: argparse.Namespace) -> int:
    with _flow(options.flow) as made:
        found = _flow_only(made, options.flow).reconcile(options.since, options.until)
    if options.csv:
        found.export(options.csv)
    _tell(options, found, str(found))
    return _FINE if found.ok else _PERSON


def _align(options: argparse.Namespace) -> int:
    with _flow(options.flow) as made:
        flow = _flow_only(made, options.flow)
        found = flow.align(options.kinds, options.write, actor=options.actor, reason=options.reason)
    if options.csv:
        found.export(options.csv)
    _tell(options, {"flow": found.flow, "items": found.problems}, str(found))
    return _FINE if found.ok else _PERSON


def _replay(options: argparse.Namespace) -> int:
    if not options.dry_run and not ((options.actor or "").strip() and (options.reason or "").strip()):
        raise InvalidArgument(
            "actor= and reason= are needed to replay.", cure="Say --actor and --reason, or --dry-run to look."
        )
    with _flow(options.flow) as made:
        report = _flow_only(made, options.flow).replay(
            "delivered" if options.delivered else "parked",
            options.keys,
            options.cause,
            dry_run=options.dry_run,
            actor=options.actor,
            reason=options.reason,
        )
    previews = "\n\n".join(map(str, report.previews))
    counts = {kind: {"delivered": one.delivered, "parked": one.parked} for kind, one in report.kinds.items()}
    _tell(options, {"kinds": counts, "previews": report.previews}, "\n".join(filter(None, (str(report), previews))))
    would_park = any(preview.faults for preview in report.previews)
    return _FINE if report.ok and not would_park else _PERSON


def _check(options: argparse.Namespace) -> int:
    with _flow(options.flow) as made:
        if not hasattr(made, "check"):
            raise InvalidArgument(f"flow={options.flow!r} has no check().", cure="Name a client or a flow.")
        found = made.check()
    _tell(options, found, str(found))
    return _FINE if found.ok else _PERSON


# Credentials


def _names(options: argparse.Namespace) -> int:
    found = credentials.names()
    _tell(options, found, "\n".join(found) or "nothing")
    return _FINE


def _save(options: argparse.Namespace) -> int:
    """Secrets come from a prompt or from standard input, never from the command line, which others can read."""
    if options.fields:
        values = {name: getpass.getpass(f"{name}: ") for name in options.fields}
    else:
        values = _ids(line.strip() for line in sys.stdin if line.strip())
    credentials.save(options.name, options.kind, **values)
    _tell(options, {"saved": options.name}, f"saved {options.name}")
    return _FINE


def _delete(options: argparse.Namespace) -> int:
    credentials.delete(options.name)
    _tell(options, {"deleted": options.name}, f"deleted {options.name}")
    return _FINE


# The command line


def _day(text: str) -> dt.date | dt.datetime:
    """A day, or an instant with its zone."""
    return dt.date.fromisoformat(text) if len(text) <= len("2026-02-01") else dt.datetime.fromisoformat(text)


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="one JSON value instead of a table")
    common.add_argument("--actor", help="who acts; the user of this machine by default")
    common.add_argument("--reason", help="why; stands in the audit")
    return common


def _on_ledger(common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False, parents=[common])
    parent.add_argument("--ledger", default=os.environ.get(_LEDGER), help=f"the ledger; {_LEDGER} by default")
    parent.add_argument("--high-water", help="its high-water file, where it is not in the usual place")
    parent.add_argument(
        "--keys",
        default=os.environ.get(_KEYS, ""),
        help=f"names of the stored keys of an encrypted ledger, newest first, with commas; {_KEYS} by default",
    )
    parent.add_argument("--four-eyes", action="store_true", help="changes of payees wait for a second actor")
    return parent


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m mlconnector", description=(__doc__ or "").partition("\n")[0])
    areas = made.add_subparsers(required=True, metavar="area")
    common = _common()
    on_ledger = _on_ledger(common)
    _ledger_parser(areas, on_ledger)
    _crosswalk_parser(areas, on_ledger)
    _flow_parsers(areas, common)
    _credentials_parser(areas, common)
    return made


def _adder(areas: Any, name: str, about: str, parent: argparse.ArgumentParser) -> Callable[..., Any]:
    verbs = areas.add_parser(name, help=about, description=about).add_subparsers(required=True, metavar="verb")

    def add(verb: str, command: Command, text: str) -> Any:
        made = verbs.add_parser(verb, parents=[parent], help=text, description=text)
        made.set_defaults(command=command)
        return made

    return add


def _ledger_parser(areas: Any, parent: argparse.ArgumentParser) -> None:
    add = _adder(areas, "ledger", "what happened, and what is open", parent)
    one = add("worklist", _worklist, "everything that needs a person, with age and owner; 1 where there is something")
    one.add_argument("--flow")
    one.add_argument("--owner")
    one = add("deliveries", _deliveries, "deliveries")
    for name in ("--flow", "--kind", "--state", "--key"):
        one.add_argument(name)
    add("history", _history, "everything that happened to a key").add_argument("key")
    add("orders", _orders, "one row an order, with what the partner said")
    add("overdue", _overdue, "what no 997 came for").add_argument("--hours", type=float, default=24)
    add("verify", _verify, "walk the audit chain; 3 where it is broken")
    add("head", _head, "number and hash of the last event, for safekeeping elsewhere")
    add("export", _export_audit, "the audit as JSON Lines, or CSV").add_argument("file")
    one = add("verify-export", _verify_export, "check an exported audit without its ledger; 3 where it is broken")
    one.add_argument("file")
    one.add_argument("--head", nargs=2, metavar=("NUMBER", "HASH"))
    one = add("inbox", _inbox, "messages that came in; 1 where one is parked or cannot be read")
    one.add_argument("--box")
    one.add_argument("--state")
    one = add("release", _release, "let a parked message be taken again")
    one.add_argument("message", type=int)
    one.add_argument("--instead-of", type=int, help="the message that gives way to it")
    add("reencrypt", _reencrypt, "write everything anew under the newest of --keys, and end the need of the others")
    one = add("assign", _assign, "say who looks at what is open under a key")
    one.add_argument("key")
    one.add_argument("owner")
    one.add_argument("--flow")
    add("close", _close, "an attention item is dealt with").add_argument("item", type=int)


def _crosswalk_parser(areas: Any, parent: argparse.ArgumentParser) -> None:
    add = _adder(areas, "crosswalk", "which identity in one system is which in another", parent)
    add("list", _links, "every link").add_argument("--kind")
    one = add("link", _link, "say that ids are the same thing: link supplier jdedwards=4343 bill=00901")
    one.add_argument("kind")
    one.add_argument("ids", nargs="+", metavar="system=id")
    one = add("unlink", _unlink, "forget a link")
    one.add_argument("kind")
    one.add_argument("id", metavar="system=id")
    one = add("load", _load, "link the rows of a CSV file, all or none; 1 where a row is refused")
    one.add_argument("file")
    one.add_argument("--preview", action="store_true", help="show what would happen; nothing is written")
    one = add("export", _export_links, "every link as CSV")
    one.add_argument("file")
    one.add_argument("--kind")
    add("waiting", _waiting, "changes of payees that wait for a second actor")
    for verb, give_up in (("confirm", False), ("withdraw", True)):
        one = add(verb, _confirm, f"{verb} a change that waits")
        one.add_argument("number", type=int)
        one.set_defaults(give_up=give_up)


def _flow_parsers(areas: Any, parent: argparse.ArgumentParser) -> None:
    def add(name: str, command: Command, text: str) -> Any:
        made = areas.add_parser(name, parents=[parent], help=text, description=text)
        made.add_argument("flow", metavar="module:name", help="a flow, or a function that makes one")
        made.set_defaults(command=command)
        return made

    one = add("reconcile", _reconcile, "recount a period; 1 where it does not close or something has a name")
    one.add_argument("--since", type=_day, required=True, help="first day")
    one.add_argument("--until", type=_day, required=True, help="last day, included")
    one.add_argument("--csv", help="findings as CSV too")
    one = add("align", _align, "hold both systems against each other; 1 where something holds up documents")
    one.add_argument("--kinds", nargs="+")
    one.add_argument("--write", action="store_true", help="change what the source owns; needs --actor and --reason")
    one.add_argument("--csv", help="every item as CSV too")
    one = add("replay", _replay, "send again what was refused; 1 where something is parked again")
    one.add_argument("--dry-run", action="store_true", help="show what would be sent; nothing is sent")
    one.add_argument("--delivered", action="store_true", help="what was delivered, by --keys")
    one.add_argument("--keys", nargs="+")
    one.add_argument("--cause")
    add("check", _check, "prove the connections, step by step; 1 where a step fails; writes nothing")


def _credentials_parser(areas: Any, parent: argparse.ArgumentParser) -> None:
    add = _adder(areas, "credentials", "names of stored credentials; secrets are never shown", parent)
    add("list", _names, "names that are stored")
    one = add("save", _save, "store one; fields are asked for, or read from standard input as name=value lines")
    one.add_argument("name")
    one.add_argument("kind")
    one.add_argument("--fields", nargs="+", metavar="field", help="ask for these")
    add("delete", _delete, "delete one").add_argument("name")
