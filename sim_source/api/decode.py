"""Bytes of an answer to typed structures, losing nothing.

The fast way decodes a whole page at once. Where the server sends a field that ``wire`` does not know, the page
is decoded again row by row: unknown fields are taken off, kept as JSON beside their structure, and
the rest is decoded as ever. A row that does not fit even then is set aside with its reason.
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
    """A row that could not be read.

    Attributes:
        row: The row as sent.
        reason: Why it does not fit.
        id: Its id, where it has one.
        at: When it started or was made, where that can be read: a walk goes on from there.
    """

    row: msgspec.Raw
    reason: str
    id: str | None = None
    at: datetime | None = None


def rejected(row: msgspec.Raw, reason: str) -> Rejected:
    """Sets a row aside, keeping what a walk needs of it."""
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
    """A page as read.

    Attributes:
        rows: The rows that fit, in the order of the server.
        rejected: Those that did not.
        next_cursor: The server's cursor; None on the last page.
        size: Bytes of the answer's body.
        body: That body, of a page of runs: other processes may read it, too.
    """

    rows: list[W]
    next_cursor: str | None
    size: int
    rejected: list[Rejected] = field(default_factory=list)
    body: bytes | None = None

    @property
    def count(self) -> int:
        """Rows that the server sent."""
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
    """Reads a page of ``/api/v1/logs``.

    Raises:
        UnreadableAnswer: The body is not a page at all (HTML, cut off).
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
    """Reads of a page of ``/api/v1/logs`` only what a walk needs; all of it where a row tells not even that.

    Rows of it may still prove not to fit when they are read.

    Raises:
        UnreadableAnswer: The body is not a page at all.
    """
    try:
        found = _load(_listed_page, body)
    except msgspec.ValidationError:
        return typing.cast(Page[wire.Shown], run_page(body))
    return Page(typing.cast(list[wire.Shown], found.data), _cursor(found.next_cursor), len(body), body=body)


def page_of(body: bytes, kind: type[W]) -> Page[W]:
    """Reads a page of any kind of row, row by row; unknown fields are kept, odd rows set aside.

    Raises:
        UnreadableAnswer: The body is not a page at all.
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
    """A cursor, whatever it is made of: it is only handed back. None on the last page."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    return value if isinstance(value, str) else encode(value).decode()


def item(body: bytes) -> msgspec.Raw:
    """The object inside ``{"data": ...}``.

    Raises:
        UnreadableAnswer: The body is not such an object.
    """
    try:
        return _load(_raw_item, body).data
    except msgspec.ValidationError as error:
        raise UnreadableAnswer(str(error)) from error


def whole_object(body: bytes) -> msgspec.Raw:
    """The body, proven to be one JSON object: a cut-off one is tried again.

    Raises:
        UnreadableAnswer: The body is no object.
    """
    try:
        fields = _load(_raw_object, body)
    except msgspec.ValidationError as error:
        raise UnreadableAnswer(str(error)) from error
    return msgspec.Raw(encode(fields))


def _load(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decodes a body; what cannot be read of it is replaced (``nesting``).

    So is the half of an emoji, where JavaScript cut a text between the two.

    Raises:
        ValidationError: It is JSON, of another shape.
        UnreadableAnswer: It is no JSON.
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
"""What reading raises that ``nesting.mended`` prevents."""


def without_unreadable(structure: W) -> W:
    """The same structure without what cannot be read of it.

    Raises:
        msgspec.DecodeError: Nothing is left that fits.
    """
    kind = type(structure)
    plain = typing.cast(type[W], kind.__base__) if getattr(kind, "cut", False) else kind
    return one(nesting.readable(msgspec.json.encode(structure)), plain)


@cache
def _cut_kind(kind: type[W]) -> type[W]:
    """The same kind of structure, saying that something was cut out of it."""
    return typing.cast(type[W], msgspec.defstruct(kind.__name__, [], bases=(kind,), namespace={"cut": True}))


_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)", re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]..")


def _without_half(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if _HALF.fullmatch(escape[0]) else escape[0]


def one(body: bytes | msgspec.Raw, kind: type[W]) -> W:
    """Reads one structure, keeping unknown fields in ``unknown``.

    Raises:
        msgspec.DecodeError: It does not fit even without them.
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
    """Reads one structure, or sets it aside with the reason why it does not fit."""
    try:
        return one(body, kind)
    except UNREADABLE:
        return one_or_rejected(nesting.readable(bytes(body)), kind)
    except msgspec.DecodeError as error:
        return rejected(msgspec.Raw(body), str(error))


def several(body: bytes | msgspec.Raw, kind: type[W]) -> list[W]:
    """Reads a list of structures, as ``one`` does.

    Raises:
        msgspec.DecodeError: It does not fit even without unknown fields.
    """
    return typing.cast(list[W], _one(body, list[kind]))  # type: ignore[valid-type]
