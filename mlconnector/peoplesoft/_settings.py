"""The contract's queries as one site has them: names, prompts and fields by setting (PeopleSoft reference, 12a)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from mlconnector.errors import InvalidArgument, VendorFault
from mlconnector.peoplesoft._queries import OPTIONAL, QUERIES, Query
from mlconnector.peoplesoft._values import Row

__all__ = ["Layout", "layouts"]

_ROW_NUMBER = "attr:rownumber"
_ALL = {**QUERIES, **OPTIONAL}

Names = Mapping[str, Any]


@attrs.frozen(kw_only=True, eq=False)
class Layout:
    """One query of the contract as the site has it.

    Args:
        query: The contract. ``name``: the site's name of it.
        prompts: The site's prompt by the contract's.
        fields: Contract field by the site's row key, where it differs.
    """

    query: Query
    name: str
    prompts: Mapping[str, str]
    fields: Mapping[str, str]
    _known: dict[tuple[str, ...], Mapping[str, str]] = attrs.field(factory=dict, init=False, repr=False)

    def rows(self, found: Iterable[Mapping[str, Any]]) -> list[Row]:
        """The rows by contract field; unknown row keys stay as they are.

        Raises:
            VendorFault: A field that the contract needs is not there.
        """
        rows: list[Row] = []
        for row in found:
            keys = tuple(row)
            names = self._known.get(keys)
            if names is None:
                names = self._known[keys] = self._names(keys)
            rows.append({names[key]: value for key, value in row.items() if key in names})
        return rows

    def row_key(self, field: str) -> str:
        """The site's row key of a contract field, as far as settings say."""
        return next((key for key, own in self.fields.items() if own == field), field)

    def _names(self, keys: tuple[str, ...]) -> Mapping[str, str]:
        """Contract field by row key: by setting, by exact name, then by the name after the dot if only one fits."""
        names = {key: self.fields[key] for key in keys if key in self.fields}
        taken = set(names.values())
        names |= {key: key for key in keys if key in self.query.fields and key not in taken and key not in names}
        open_fields: dict[str, list[str]] = defaultdict(list)
        for field in self.query.fields:
            if field not in names.values():
                open_fields[field.partition(".")[2]].append(field)
        for bare, fields in open_fields.items():
            candidates = [key for key in keys if key not in names and key.rpartition(".")[2] == bare]
            if len(fields) == len(candidates) == 1:
                names[candidates[0]] = fields[0]
        missing = [field for field in self.query.required if field not in names.values()]
        if missing:
            raise VendorFault(
                f"peoplesoft: query {self.name} returns no {', '.join(missing)}"
                f" (its fields: {', '.join(sorted(set(keys) - {_ROW_NUMBER}))}).",
                cure="The PeopleSoft administrator adds the fields to the query; where they have other names, whoever"
                f" runs the program maps them, e.g. fields={{{self.query.entity!r}: {{'ROW_KEY': {missing[0]!r}}}}}.",
                fault="administrator",
                system="peoplesoft",
            )
        return names | {key: key for key in keys if key not in names and key != _ROW_NUMBER}


def layouts(queries: Names | None, prompts: Names | None, fields: Names | None) -> Mapping[str, Layout]:
    """The site's layout by entity; optional ones only where ``queries`` names them.

    Args:
        queries: Name by entity (or by default name).
        prompts: Site's prompt by the contract's, for all queries, or such mappings by entity.
        fields: Contract field by the site's row key, for all queries, or such mappings by entity.

    Raises:
        InvalidArgument: An entity, prompt or field that no query has.
    """
    names = {_entity("queries", key): _text("queries", key, value) for key, value in (queries or {}).items()}
    own_prompts = _by_entity("prompts", prompts, lambda query: query.prompts, by_value=False)
    own_fields = _by_entity("fields", fields, lambda query: query.fields, by_value=True)
    found = {}
    for entity, query in _ALL.items():
        name = names.get(entity, query.name)
        if name:
            found[entity] = Layout(
                query=query,
                name=name,
                prompts={prompt: own_prompts[entity].get(prompt, prompt) for prompt in query.prompts},
                fields=own_fields[entity],
            )
    return found


def _entity(option: str, key: str) -> str:
    for entity, query in _ALL.items():
        if key in (entity, query.name):
            return entity
    raise InvalidArgument(f"{option} has {key!r}.", cure=f"Use one of {', '.join(_ALL)}.")


def _text(option: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "/" in value or "," in value:
        raise InvalidArgument(f"{option}[{key!r}] is {value!r}.", cure="Give a name without slash and comma.")
    return value


def _by_entity(option: str, given: Names | None, known: Any, *, by_value: bool) -> Mapping[str, dict[str, str]]:
    """A setting for all queries or by entity, as pairs by entity."""
    found: dict[str, dict[str, str]] = {entity: {} for entity in _ALL}
    for key, value in (given or {}).items():
        if isinstance(value, Mapping):
            entity = _entity(option, key)
            found[entity] |= _pairs(option, value, {entity: _ALL[entity]}, known, by_value=by_value)[entity]
            continue
        for entity, pairs in _pairs(option, {key: value}, _ALL, known, by_value=by_value).items():
            found[entity] |= pairs
    return found


def _pairs(
    option: str, given: Names, entities: Mapping[str, Query], known: Any, *, by_value: bool
) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {entity: {} for entity in entities}
    for key, value in given.items():
        own = _text(option, key, value)
        wanted = own if by_value else key
        fitting = 0
        for entity, query in entities.items():
            hits = [name for name in known(query) if wanted in (name, name.partition(".")[2])]
            if len(hits) == 1:
                fitting += 1
                found[entity] |= {key: hits[0]} if by_value else {hits[0]: own}
        if not fitting:
            names = sorted({name for query in entities.values() for name in known(query)})
            raise InvalidArgument(
                f"{option} speaks of {wanted!r}, which {' or '.join(entities)} does not have.",
                cure=f"Use one of {', '.join(names)}.",
            )
    return found
