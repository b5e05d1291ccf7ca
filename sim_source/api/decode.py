"""Decodes response bodies to typed structures without losing data.

Normally, a whole page is decoded at once. If that fails, for example because the server sends a field that ``wire``
does not declare, the page is decoded again row by row: unknown fields are separated and kept as JSON in the structure's
``unknown``, and the rest is decoded as usual. A row that still does not fit is rejected with a reason.
"""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from .. import nesting
from ..errors import UnreadableAnswer
from ..jsons import _any, encode
from . import wire
from .unknown_fields import set_unknown_aside

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)


class _Stub(msgspec.Struct, rename="camel"):
    id: Any = None
    started_at: Any = None
    created_at: Any = None


@dataclass(slots=True)
class Rejected:
    """A row that could not be decoded.

    Attributes:
        row: The row as the server sent it, repaired by ``nesting.readable``.
        reason: Why it does not fit the structure.
        id: Its id, or None.
        at: ``startedAt`` or ``createdAt``, from which reading of the list can continue; None if not readable.
    """

    row: msgspec.Raw
    reason: str
    id: str | None = None
    at: datetime | None = None


def rejected(row: msgspec.Raw, reason: str) -> Rejected:
    """Builds the ``Rejected`` of a row; keeps the id and the timestamp that reading of the list needs."""
    row = msgspec.Raw(nesting.readable(bytes(row)))
    try:
        stub = msgspec.json.decode(row, type=_Stub)
    except msgspec.DecodeError:
        return Rejected(row, reason)
    at = _moment_or_none(stub.started_at) or _moment_or_none(stub.created_at)
    id_ = "" if stub.id is None else str(stub.id)
    return Rejected(row, reason, id_ if 0 < len(id_) <= wire.LONGEST_ID else None, at)


def _moment_or_none(value: Any) -> datetime | None:
    try:
        return msgspec.convert(value, datetime | None)
    except msgspec.ValidationError:
        return None


@dataclass(slots=True)
class Page(Generic[W]):
    """A decoded page.

    Attributes:
        rows: The rows that fit, in the server's order.
        rejected: The rows that did not fit.
        next_cursor: The cursor of the next page; None on the last page.
        size: Size of the response body in bytes.
        body: The response body of a page of runs, so that other processes can decode it as well; else None.
    """

    rows: list[W]
    next_cursor: str | None
    size: int
    rejected: list[Rejected] = field(default_factory=list)
    body: bytes | None = None

    @property
    def count(self) -> int:
        """Number of rows that the server sent."""
        return len(self.rows) + len(self.rejected)


_raw_page = msgspec.json.Decoder(wire.RawPage)
_raw_item = msgspec.json.Decoder(wire.RawItem)
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_run_page = msgspec.json.Decoder(wire.RunPage)
_listed_page = msgspec.json.Decoder(wire.ListedPage)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def run_page(body: bytes) -> Page[wire.Run]:
    """Decodes a page of ``/api/v1/logs``.

    Raises:
        UnreadableAnswer: The body is not a page, for example HTML or truncated JSON.
    """
    try:
        found = _run_page.decode(body)
    except (*UNREADABLE, msgspec.DecodeError):
        page = page_of(body, wire.Run)
    else:
        page = Page(found.data, _cursor(found.next_cursor), len(body))
    page.body = body
    return page


def listed(body: bytes) -> Page[wire.Shown]:
    """Decodes a page of ``/api/v1/logs``, but of each row only the fields of ``Listed``.

    If a row does not fit ``Listed``, the page is decoded by ``run_page``. A row that fits ``Listed`` may still be
    rejected later, when all of it is decoded.

    Raises:
        UnreadableAnswer: The body is not a page.
    """
    try:
        found = _load(_listed_page, body)
    except msgspec.ValidationError:
        return typing.cast(Page[wire.Shown], run_page(body))
    return Page(typing.cast(list[wire.Shown], found.data), _cursor(found.next_cursor), len(body), body=body)


def page_of(body: bytes, kind: type[W]) -> Page[W]:
    """Decodes a page row by row; keeps unknown fields and rejects rows that do not fit ``kind``.

    Raises:
        UnreadableAnswer: The body is not a page.
    """
    try:
        raw = _load(_raw_page, body)
    except msgspec.ValidationError as error:
        raise UnreadableAnswer(str(error)) from error
    page: Page[W] = Page([], _cursor(raw.next_cursor), len(body))
    for row in raw.data:
        found = one_or_rejected(row, kind)
        if isinstance(found, Rejected):
            page.rejected.append(found)
        else:
            page.rows.append(found)
    return page


def _cursor(value: Any) -> str | None:
    """The cursor as text, whatever its JSON type, since it is only sent back; None on the last page."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    return value if isinstance(value, str) else encode(value).decode()


def item(body: bytes) -> msgspec.Raw:
    """The value of ``data`` in a body ``{"data": ...}``, not decoded yet.

    Raises:
        UnreadableAnswer: The body has another shape.
    """
    try:
        return _load(_raw_item, body).data
    except msgspec.ValidationError as error:
        raise UnreadableAnswer(str(error)) from error


def whole_object(body: bytes) -> msgspec.Raw:
    """Checks that the body is one complete JSON object and returns it; a truncated body is retried by the client.

    Raises:
        UnreadableAnswer: The body is not a JSON object.
    """
    try:
        fields = _load(_raw_object, body)
    except msgspec.ValidationError as error:
        raise UnreadableAnswer(str(error)) from error
    return msgspec.Raw(encode(fields))


def _load(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decodes a body; replaces parts that cannot be decoded (``nesting.readable``).

    A lone surrogate is replaced as well: JavaScript leaves one when it cuts a string in the middle of an emoji.

    Raises:
        ValidationError: The body is JSON, but has another shape.
        UnreadableAnswer: The body is not JSON.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (*UNREADABLE, msgspec.DecodeError) as error:
        halves = isinstance(error, msgspec.DecodeError)
        mended = _ESCAPE.sub(_without_half, body) if halves else nesting.readable(body)
        if mended == body:
            raise UnreadableAnswer(str(error)) from error
    return _load(decoder, mended)


UNREADABLE = (RecursionError, UnicodeDecodeError)
"""Errors of decoding that ``nesting.readable`` prevents."""


def without_unreadable(structure: W) -> W:
    """The same structure, repaired by ``nesting.readable``.

    Raises:
        msgspec.DecodeError: The repaired structure does not fit.
    """
    kind = type(structure)
    plain = typing.cast(type[W], kind.__base__) if getattr(kind, "cut", False) else kind
    return one(nesting.readable(msgspec.json.encode(structure)), plain)


@cache
def _cut_kind(kind: type[W]) -> type[W]:
    """A subclass of the structure with ``cut`` set: something was cut out of it."""
    return typing.cast(type[W], msgspec.defstruct(kind.__name__, [], bases=(kind,), namespace={"cut": True}))


_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)", re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]..")


def _without_half(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if _HALF.fullmatch(escape[0]) else escape[0]


def one(body: bytes | msgspec.Raw, kind: type[W]) -> W:
    """Decodes one structure; keeps unknown fields in ``unknown``.

    Raises:
        msgspec.DecodeError: It does not fit, even without its unknown fields.
    """
    if issubclass(kind, wire.Wire) and nesting.MARK in bytes(body):
        kind = _cut_kind(kind)
    return typing.cast(W, _one(body, kind))


def _one(body: bytes | msgspec.Raw, kind: Any) -> Any:
    try:
        return _decoder(kind).decode(body)
    except msgspec.ValidationError:
        clean = set_unknown_aside(_any.decode(body), kind)
        return _decoder(kind).decode(encode(clean))


def one_or_rejected(body: bytes | msgspec.Raw, kind: type[W]) -> W | Rejected:
    """Decodes one structure; returns ``Rejected`` with the reason if it does not fit."""
    try:
        return one(body, kind)
    except UNREADABLE:
        return one_or_rejected(nesting.readable(bytes(body)), kind)
    except msgspec.DecodeError as error:
        return rejected(msgspec.Raw(body), str(error))


def several(body: bytes | msgspec.Raw, kind: type[W]) -> list[W]:
    """Decodes a list of structures, as ``one`` does.

    Raises:
        msgspec.DecodeError: It does not fit, even without its unknown fields.
    """
    return typing.cast(list[W], _one(body, list[kind]))  # type: ignore[valid-type]
