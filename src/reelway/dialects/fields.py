"""The fields of a request as one tree, whether they came as JSON, as a multipart form or as a url-encoded one.

Only the shape is read here, never the meaning. In a form, brackets say where a value belongs (`metadata[a][b]`, `images[]`,
`content[][type]`) and every value is text or an upload. Absent and `null` are the same.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from reelway.core.errors import InvalidRequest
from reelway.dialects.spec import FormField, Incoming, Upload

__all__ = ["DEPTH_LIMIT", "Repeated", "check_depth", "is_blank", "read_fields"]

DEPTH_LIMIT = 12
"""How deep objects and lists may be nested."""

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_FREE_FORM = frozenset({"metadata", "parameters"})
"""Objects whose keys are the caller's own: digits in brackets are keys there, not places in a list."""

_Path: TypeAlias = tuple[str, ...]
_Entry: TypeAlias = tuple[_Path, str | Upload]
_APPEND = ""
_NESTED = (dict, list)


class Repeated(list[Any]):
    """The values of a form field that came several times under its bare name."""


def read_fields(incoming: Incoming) -> dict[str, Any]:
    """Return the fields by their top-level names; those that say nothing are left out."""
    if incoming.form is not None:
        return _from_form(incoming.form)
    if incoming.json is None:
        return {}
    if not isinstance(incoming.json, dict):
        raise InvalidRequest(
            f"the body must be a JSON object (got {_json_type(incoming.json)})", code="invalid_json", param=None
        )
    fields: dict[str, Any] = {}
    for name, value in incoming.json.items():
        if isinstance(value, _NESTED):
            check_depth(value, "the body", levels_above=1)
            value = _without_nulls(value)
        if not is_blank(value):
            fields[name] = value
    return fields


def is_blank(value: Any) -> bool:
    """Tell whether a value says nothing: empty text, `{}`, `[]`, or a file input that was left empty."""
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, Upload):
        return value.blob.bytes == 0 and not value.filename
    return value is None or (isinstance(value, _NESTED) and not value)


def check_depth(value: Any, what: str, *, levels_above: int = 0) -> None:
    """Refuse objects and lists that are nested deeper than anything we read."""
    level: list[Any] = [value]
    for _ in range(DEPTH_LIMIT - levels_above):
        level = [part for member in level if isinstance(member, _NESTED) for part in _members(member)]
        if not level:
            return
    raise InvalidRequest(f"{what} is nested too deeply; at most {DEPTH_LIMIT} levels are read", code="too_deep")


def _members(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _without_nulls(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value if part is not None]
    return value


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    return "text" if isinstance(value, str) else "a list" if isinstance(value, list) else "a number"


def _from_form(form: Sequence[FormField]) -> dict[str, Any]:
    entries: dict[str, list[_Entry]] = {}
    for field in form:
        name, path = _split(field.name)
        if path or not is_blank(field.value):
            entries.setdefault(name, []).append((path, field.value))
    return {name: _top(name, given) for name, given in entries.items()}


def _split(name: str) -> tuple[str, _Path]:
    if name and "[" not in name and "]" not in name:
        return name, ()
    match = _NAME.fullmatch(name)
    if match is None:
        raise InvalidRequest(
            f"{name[:80]!r} is not a field name; write a name, name[key] or name[]", code="invalid_field_name"
        )
    path = tuple(segment.strip() for segment in _SEGMENT.findall(match[2]))
    if len(path) >= DEPTH_LIMIT:
        raise InvalidRequest(f"{match[1]} is nested too deeply; at most {DEPTH_LIMIT} levels are read", code="too_deep")
    return match[1], path


def _top(name: str, entries: list[_Entry]) -> Any:
    if len(entries) == 1 and not entries[0][0]:
        return entries[0][1]
    whole = [value for path, value in entries if not path]
    if len(whole) == len(entries):
        return Repeated(whole)
    if whole and all(path in ((), (_APPEND,)) for path, _ in entries):
        return Repeated(value for _, value in entries)
    return _grow(name, entries, free_form=name in _FREE_FORM)


def _grow(name: str, entries: list[_Entry], *, free_form: bool) -> Any:
    """Return the value that entries below `name` describe together."""
    if not entries[0][0]:
        if len(entries) > 1:
            raise _given_twice(name)
        return entries[0][1]
    if any(not path for path, _ in entries):
        raise InvalidRequest(
            f"{name} is given both whole and in parts ({name}[…]); send one of them",
            code="duplicate_parameter",
            param=name,
        )
    heads = {path[0] for path, _ in entries}
    if heads == {_APPEND}:
        return _grow_list(name, [(path[1:], value) for path, value in entries], free_form=free_form)
    if _APPEND in heads:
        raise InvalidRequest(
            f"{name} is given both as a list ({name}[]) and as an object ({name}[key]); send one of them",
            code="invalid_field_name",
            param=name,
        )
    branches: dict[str, list[_Entry]] = {}
    for path, value in entries:
        branches.setdefault(path[0], []).append((path[1:], value))
    grown = {head: _grow(f"{name}[{head}]", below, free_form=free_form) for head, below in branches.items()}
    places = sorted(grown, key=lambda head: (len(head), head))
    if not free_form and places == [str(place) for place in range(len(places))]:
        return [grown[place] for place in places]
    return grown


def _grow_list(name: str, entries: list[_Entry], *, free_form: bool) -> list[Any]:
    if all(not path for path, _ in entries):
        return [value for _, value in entries]
    if any(not path or _APPEND in path for path, _ in entries):
        raise _unclear(name, f"{name}[]")
    rows = _by_columns(name, entries) if _is_by_columns(entries) else _by_rows(name, entries)
    return [_grow(f"{name}[{place}]", row, free_form=free_form) for place, row in enumerate(rows)]


def _by_rows(name: str, entries: list[_Entry]) -> list[list[_Entry]]:
    """Item after item, as the Node client sends them: a key that the item already has begins the next one.

    Where items do not all begin with the same key, nobody can tell where one ends.
    """
    rows: list[list[_Entry]] = []
    seen: set[_Path] = set()
    for path, value in entries:
        if not rows or path in seen:
            rows.append([])
            seen = set()
        rows[-1].append((path, value))
        seen.add(path)
    first = rows[0][0][0]
    for row in rows:
        if row[0][0] != first:
            raise _unclear(name, f"{name}[][{']['.join(row[0][0])}]")
    return rows


def _is_by_columns(entries: list[_Entry]) -> bool:
    """Key after key, as the Python client sends them: all values of one key, then all values of the next."""
    order = [path for path, _ in entries]
    changes = sum(1 for before, after in pairwise(order) if before != after)
    return changes + 1 == len(set(order)) < len(order)


def _by_columns(name: str, entries: list[_Entry]) -> list[list[_Entry]]:
    columns: dict[_Path, list[str | Upload]] = {}
    for path, value in entries:
        columns.setdefault(path, []).append(value)
    count = max(len(column) for column in columns.values())
    types = columns.get(("type",), [])
    rows: list[list[_Entry]] = [[] for _ in range(count)]
    for path, column in columns.items():
        for place, value in zip(_places(name, path, len(column), count, types), column, strict=True):
            rows[place].append((path, value))
    return rows


def _places(name: str, path: _Path, length: int, count: int, types: list[str | Upload]) -> list[int]:
    """Return which items a key's values belong to: all of them, or those whose `type` has the key's name."""
    if length == count:
        return list(range(count))
    if len(types) == count:
        own = [place for place, word in enumerate(types) if word == path[0]]
        places = own or [place for place, word in enumerate(types) if word != "text"]
        if len(places) == length:
            return places
    raise _unclear(name, f"{name}[][{']['.join(path)}]")


def _given_twice(name: str) -> InvalidRequest:
    return InvalidRequest(f"{name} is given more than once; send it once", code="duplicate_parameter", param=name)


def _unclear(name: str, part: str) -> InvalidRequest:
    return InvalidRequest(
        f"it is not clear which item of {name} each {part} belongs to; send {name} as JSON text in one field",
        code="ambiguous_form",
        param=name,
    )
