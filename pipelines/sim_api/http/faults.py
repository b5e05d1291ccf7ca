"""Faults of a server, its proxy or the network, injected by a script or at random."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, Literal

import msgspec

from .answers import Reply, error, too_many

Kind = Literal["answer", "rate_limited", "cut_off", "reset", "slow", "held", "oversize", "endless"]
Cursor = Literal["same", "new"]
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Gate:
    """Holds requests until a test opens it.

    Attributes:
        reached: Set once a request is waiting.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def open(self) -> None:
        """Lets all requests pass, from now on."""
        self._opened.set()

    async def passed(self) -> None:
        """Returns once the gate is open."""
        self.reached.set()
        while not self._opened.is_set():
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; create it with the functions below."""

    name: str
    kind: Kind
    answer: Reply | None = None
    seconds: float = 0.0
    retry_after: int | Literal["date"] | None = None
    keep: float = 0.5
    limit: int = 0
    costs_token: bool = False
    gate: Gate | None = None
    endless: Endless | None = None


class Endless:
    """A list that always reports more rows.

    Attributes:
        empty: Its pages have no rows; otherwise each has the rows of the first page requested, whatever the query.
        cursor: Whether all pages have the same cursor, or each has another.
    """

    def __init__(self, empty: bool, cursor: Cursor) -> None:
        self._empty = empty
        self._cursor = cursor
        self._first: dict[str, dict[str, Any]] = {}
        self._pages = 0

    def page(self, path: str, answer: Reply) -> Reply:
        """Returns the page that replaces an answer; an answer that is not a page stays as it is."""
        body = msgspec.json.decode(answer.body) if answer.status == 200 else {}
        if not isinstance(body, dict) or not isinstance(body.get("data"), list):
            return answer
        self._pages += 1
        first = self._first.setdefault(path, body)
        cursor = "x" if self._cursor == "same" else f"x{self._pages}"
        data = [] if self._empty else first["data"]
        return replace(answer, body=msgspec.json.encode({**first, "data": data, "nextCursor": cursor}))


def _html(status: int, title: str) -> Reply:
    return Reply(status, _HTML.format(title).encode(), {}, "text/html; charset=utf-8")


def server_error() -> Fault:
    """500 `Internal server error`; takes a token from the bucket, like Sim's own errors."""
    return Fault("500", "answer", error(500, "Internal server error"), costs_token=True)


def bad_gateway() -> Fault:
    """502 with a proxy's HTML."""
    return Fault("502", "answer", _html(502, "502 Bad Gateway"))


def unavailable(retry_after_seconds: int | None = 2) -> Fault:
    """503, optionally with `retryAfterSeconds` in its body (not in a header)."""
    more = {} if retry_after_seconds is None else {"retryAfterSeconds": retry_after_seconds}
    return Fault("503", "answer", error(503, "Service temporarily unavailable", **more))


def rate_limited(retry_after: int | Literal["date"] | None = 1, seconds: float = 1.0) -> Fault:
    """429 although tokens are left: Retry-After in seconds, 0, an HTTP date (`"date"`, `seconds` ahead) or missing."""
    return Fault("429", "rate_limited", retry_after=retry_after, seconds=seconds)


def cut_off(keep: float = 0.5) -> Fault:
    """The right answer, but the connection closes after a part (0..1) of the announced Content-Length."""
    return Fault("cut_off", "cut_off", keep=keep)


def reset() -> Fault:
    """The connection is reset before any answer."""
    return Fault("reset", "reset")


def transient_401(text: str = "Rate limit check failed") -> Fault:
    """401 for a fault of the server: `Rate limit check failed` or `Authentication failed`."""
    return Fault("401", "answer", error(401, text))


def html_200() -> Fault:
    """A login or maintenance page with status 200."""
    return Fault("html_200", "answer", _html(200, "Sim"))


def slow(seconds: float) -> Fault:
    """The right answer, late."""
    return Fault("slow", "slow", seconds=seconds)


def held(gate: Gate) -> Fault:
    """The right answer, once the gate is open."""
    return Fault("held", "held", gate=gate)


def oversize(limit: int) -> Fault:
    """500 for a details=full page of more than `limit` rows; smaller pages succeed. Use it with `always`."""
    return Fault("oversize", "oversize", error(500, "Internal server error"), limit=limit, costs_token=True)


def endless(*, empty: bool = False, cursor: Cursor = "same") -> Fault:
    """A list without an end: empty pages, or the same page again and again. Use it with `always`."""
    return Fault("endless", "endless", endless=Endless(empty, cursor))


def redirect(url: str, status: int = 307) -> Fault:
    """A redirect, for example to another host, which must not receive the API key."""
    return Fault("redirect", "answer", Reply(status, b"", {"location": url}))


def fault_answer(fault: Fault, now: float) -> Reply:
    """The answer of a fault that has one; `now` in epoch seconds."""
    if fault.answer is not None:
        return replace(fault.answer, headers=dict(fault.answer.headers))
    resets_ms = int((now + fault.seconds) * 1000)
    made = too_many(resets_ms)
    if fault.retry_after == "date":
        # HTTP dates have whole seconds: round up, so that a client that waits is never too early.
        made.headers["retry-after"] = formatdate(-(-resets_ms // 1000), usegmt=True)
    elif fault.retry_after is not None:
        made.headers["retry-after"] = str(fault.retry_after)
    return made


@dataclass(slots=True)
class _Rule:
    path: str
    script: dict[int, Fault] = field(default_factory=dict)
    chance: float = 0.0
    faults: Sequence[Fault] = ()
    seen: int = 0
    deck: list[Fault] | None = None
    """For `deal`: the faults that come before any of them is repeated."""


class Faults:
    """Chooses the fault of each request; the same seed and the same requests produce the same faults.

    Paths are prefixes: `/api/v1/logs` includes details, `/api/v1/logs?` is only the list.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._rules: list[_Rule] = []
        self.injected: list[tuple[str, str]] = []
        """(path, fault name) of every fault that happened."""

    def at(self, nth: int, fault: Fault, *, path: str = "/") -> Faults:
        """Gives the fault to the n-th request to this path (from 1, counted from now)."""
        self._rules.append(_Rule(path, {nth: fault}))
        return self

    def script(self, faults: Sequence[Fault | None], *, path: str = "/") -> Faults:
        """Gives these faults to the next requests to this path, one each; None is a good answer."""
        self._rules.append(_Rule(path, {n: f for n, f in enumerate(faults, start=1) if f is not None}))
        return self

    def chance(self, probability: float, *faults: Fault, path: str = "/") -> Faults:
        """Gives one of the faults to each request to this path with this probability (0..1)."""
        self._rules.append(_Rule(path, chance=probability, faults=faults))
        return self

    def deal(self, probability: float, *faults: Fault, path: str = "/") -> Faults:
        """As `chance`, but each fault comes once before any is repeated."""
        self._rules.append(_Rule(path, chance=probability, faults=faults, deck=[]))
        return self

    def always(self, fault: Fault, *, path: str = "/") -> Faults:
        """Gives the fault to every request to this path."""
        return self.chance(1.0, fault, path=path)

    def clear(self) -> None:
        """Removes all faults."""
        self._rules.clear()

    def pick(self, path: str, query: str) -> Fault | None:
        """The fault of this request, if any; every rule counts it."""
        target, chosen = f"{path}?{query}", None
        for rule in self._rules:
            if not target.startswith(rule.path):
                continue
            rule.seen += 1
            fault = rule.script.get(rule.seen)
            if fault is None and rule.faults and self._random.random() < rule.chance:
                fault = self._choose(rule)
            chosen = chosen or fault
        if chosen is not None and chosen.kind != "oversize":
            self.injected.append((path, chosen.name))
        return chosen

    def _choose(self, rule: _Rule) -> Fault:
        if rule.deck is None:
            return self._random.choice(rule.faults)
        if not rule.deck:
            rule.deck = self._random.sample(rule.faults, len(rule.faults))
        return rule.deck.pop()
