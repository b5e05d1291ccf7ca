"""Separates fields that no structure of ``wire`` declares, so that they can be kept. Pure functions."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec


def set_unknown_aside(value: Any, kind: Any) -> Any:
    """Moves every field that ``kind`` does not declare into the structure's ``unknown``, at any depth."""
    struct, list_of, dict_of = _shape(kind)
    if isinstance(value, dict):
        if struct is not None:
            return _clean_struct(value, struct)
        if dict_of is not None:
            return {key: set_unknown_aside(entry, dict_of) for key, entry in value.items()}
    if isinstance(value, list) and list_of is not None:
        return [set_unknown_aside(entry, list_of) for entry in value]
    return value


def _clean_struct(value: dict[str, Any], struct: type[Any]) -> dict[str, Any]:
    known = _fields(typing.cast(Any, struct))
    clean = {key: set_unknown_aside(entry, known[key]) for key, entry in value.items() if key in known}
    unknown = {key: entry for key, entry in value.items() if key not in known}
    if unknown and "unknown" in struct.__struct_fields__:
        clean["~unknown"] = unknown
    return clean


@cache
def _fields(struct: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(struct)
    return {f.encode_name: hints[f.name] for f in msgspec.structs.fields(struct) if f.name != "unknown"}


@cache
def _shape(kind: Any) -> tuple[type[Any] | None, Any, Any]:
    """The struct type, the list item type and the dict value type that a type annotation allows."""
    struct = list_of = dict_of = None
    for option in _options(kind):
        origin = typing.get_origin(option)
        if origin is list:
            list_of = typing.get_args(option)[0]
        elif origin is dict:
            dict_of = typing.get_args(option)[1]
        elif isinstance(option, type) and issubclass(option, msgspec.Struct):
            struct = option
    return struct, list_of, dict_of


def _options(kind: Any) -> Iterator[Any]:
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        yield from typing.get_args(kind)
    else:
        yield kind
