"""The Sim API over HTTPS: one session, paced, retried, never redirected.

The key goes out in the ``X-API-Key`` header of requests to the configured host and nowhere else: it is
in no message, log or representation.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
import requests
import tenacity
from requests.adapters import HTTPAdapter

from . import errors, rate, reach

logger = logging.getLogger("sim_source")

T = TypeVar("T")

CONNECTIONS = 32
"""Requests under way at once, at most."""
TIMEOUT_S = (10.0, 120.0)
"""Seconds to connect and to wait for data."""
TRANSIENT_401 = frozenset({"Rate limit check failed", "Authentication failed"})
"""Faults of the server's limiter or key store (source); a wrong key says otherwise."""
USER_AGENT = "sim-sync"


@dataclass(slots=True)
class Counters:
    """What a client did: requests sent, tries repeated, 429s met, seconds waited."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    waited_s: float = 0.0


class _Fault(msgspec.Struct, rename="camel"):
    """The body of an error."""

    error: Any = None
    message: Any = None
    retry_after: float | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    reason: str
    body: bytes


def check_base_url(base_url: str, allow_http: bool = False) -> str:
    """The base URL without a trailing slash.

    Raises:
        ConfigurationError: Not a URL, or one that would send the key over the network in the clear.
    """
    no_url = errors.ConfigurationError(f"SIM_BASE_URL: {base_url!r} is no URL; it looks like https://www.sim.ai")
    try:
        parts = urlsplit(base_url.strip())
        usable = bool(parts.hostname) and parts.port != 0  # a port that is no number raises
    except ValueError:
        raise no_url from None
    if parts.username or parts.password:
        raise errors.ConfigurationError("SIM_BASE_URL: leave user and password out of the URL")
    if parts.scheme not in ("http", "https") or not usable or parts.query or parts.fragment:
        raise no_url
    inside = _PAGE_OF_SIM.search(parts.path)
    if inside is not None:
        address = base_url.strip()[: base_url.strip().rindex(inside[0])].rstrip("/")
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: {base_url!r} is an address inside of Sim; set where Sim itself is, {address}"
        )
    if not _HOST.fullmatch(parts.hostname or "") and not _is_address(parts.hostname):
        raise errors.ConfigurationError(f"SIM_BASE_URL: {parts.hostname!r} cannot be the name of a host")
    if parts.scheme == "http" and not _is_loopback(parts.hostname) and not allow_http:
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: http://{parts.hostname} would send the API key in the clear; use https, "
            "or set allow_http (SIM_ALLOW_HTTP=1) if that network is yours"
        )
    return base_url.strip().rstrip("/")


_PAGE_OF_SIM = re.compile(r"/(?:api(?:/v\d+)?|workspace|w)(?:/.*)?/?$")
"""Paths of Sim's API and of its own pages."""
_HOST = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?",
    re.IGNORECASE,
)
"""A name that can be looked up: labels of 1 to 63 letters, digits and hyphens."""


def _is_address(host: str | None) -> bool:
    try:
        return bool(ipaddress.ip_address(host or ""))
    except ValueError:
        return bool(host) and not (host or "").isascii()  # an international name: the system knows how to ask for it


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:  # a name, such as 127.example.com
        return False


class SimClient:
    """Asks the Sim API.

    Args:
        api_key: Sent as ``X-API-Key``.
        base_url: Where the API is; https, or http on loopback.
        allow_http: Permits http to other hosts.
        attempts: Tries of a request that meets transient faults.
        backoff_s: First wait after a fault; doubles, with jitter, up to 30 s.
        deadline: Epoch seconds after which nothing is waited for any more.
        on_wait: Told of every wait: seconds, and why.
        pacer: What an earlier client of the same key learnt of its bucket.
        counters: Where to go on counting.

    Attributes:
        latency_s: Seconds until the last answer began.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        *,
        allow_http: bool = False,
        attempts: int = 7,
        backoff_s: float = 0.5,
        deadline: float | None = None,
        on_wait: Callable[[float, str], None] | None = None,
        pacer: rate.Pacer | None = None,
        counters: Counters | None = None,
    ) -> None:
        api_key = (api_key or "").strip()
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise errors.ConfigurationError(
                "SIM_API_KEY: missing, or not a key; make one in Sim under Settings, API keys"
            )
        self._key = api_key
        self._base = check_base_url(base_url, allow_http)
        self._attempts = attempts
        self._backoff = backoff_s
        self._deadline = deadline
        self._on_wait = on_wait or _log_wait
        self._pacer = pacer or rate.Pacer()
        self._turn = threading.Condition()
        self._closed = threading.Event()
        self._session = requests.Session()
        # a proxy of the environment is no place for a key that is meant for this machine
        self._session.trust_env = not _is_loopback(urlsplit(self._base).hostname)
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, pool_block=True)
        self._session.mount(self._base, adapter)
        self._started, self._steady = time.time(), time.monotonic()
        self._waiting_until = 0.0
        self._unreached = False
        self._date: datetime | None = None
        self.latency_s = 0.0
        self.counters = counters if counters is not None else Counters()

    def __repr__(self) -> str:
        return f"SimClient({self._base})"

    def __enter__(self) -> SimClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; who waits, in another thread, waits no longer."""
        with self._turn:
            self._closed.set()
            self._turn.notify_all()
        self._session.close()

    def _now(self) -> float:
        """Epoch seconds by a clock that does not jump: a wait must not grow by a day because somebody set the time."""
        return self._started + time.monotonic() - self._steady

    @property
    def out_of_time(self) -> bool:
        """Whether the time this client was given is over."""
        return self._deadline is not None and self._now() >= self._deadline

    @property
    def available(self) -> int | None:
        """Requests that the rate allows at once; None where no limit is known."""
        with self._turn:
            return self._pacer.available

    @property
    def refill_s(self) -> float | None:
        """Seconds until the bucket is filled next; None where no limit is known."""
        with self._turn:
            at = self._pacer.refills_at
            return None if at is None else max(0.0, at - self._now())

    @property
    def limit(self) -> int | None:
        """``X-RateLimit-Limit`` as last told: capacity on 2026-08, refill per minute before."""
        with self._turn:
            return self._pacer.limit

    @property
    def server_time(self) -> datetime | None:
        """The server's clock when it last answered, at most; None before that. ``Date`` is cut to whole seconds."""
        return None if self._date is None else self._date + timedelta(seconds=1)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None,
        decode: Callable[[bytes], T],
        *,
        attempts: int | None = None,
        limited: bool = True,
    ) -> T:
        """Asks, waits its turn, tries again where that may help, and reads the answer.

        Args:
            path: Below the base URL, its parts already quoted.
            params: Query.
            decode: Reads the body; raises ``UnreadableAnswer`` where it is not what it should be.
            attempts: Tries, if other than the client's.
            limited: False for endpoints that the rate limit leaves out.

        Raises:
            AccessDenied, NotFound, BadRequest: As the server answers; not tried again.
            ConfigurationError: The server redirects.
            Unavailable: All tries met faults.
            OutOfTime: The next wait would overrun the deadline.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(errors.Transient),
            stop=_stop_after_faults(1 if self._unreached else attempts or self._attempts),
            wait=lambda state: self._wait_after(state, limited),
            sleep=lambda seconds: self._sleep(seconds, "before the next try"),
            before_sleep=self._count_retry,
            reraise=True,
        )
        try:
            answer: T = retrying(self._once, path, params, decode, limited)
        except errors.Transient as error:
            # one that cannot be reached at all is not tried seven times for each thing that is wanted of it
            self._unreached = isinstance(error, errors.Unreached)
            kind = errors.NotReached if self._unreached else errors.Unavailable
            raise kind(f"{path}: {error}") from error
        self._unreached = False
        return answer

    def _once(self, path: str, params: Mapping[str, str] | None, decode: Callable[[bytes], T], limited: bool) -> T:
        if limited:
            self._take_turn()
        response = self._send(path, params, limited)
        self._date = rate.clock(response.headers.get("Date")) or self._date
        if limited:
            self._note_answer(response)
        self._raise_for(response, path, limited)
        return decode(response.body)

    def _send(self, path: str, params: Mapping[str, str] | None, limited: bool) -> _Answer:
        with self._turn:
            self.counters.requests += 1
        failure: errors.SimError
        try:
            with self._session.get(
                self._base + path,
                params=params,
                headers={"X-API-Key": self._key, "User-Agent": USER_AGENT, "Accept": "application/json"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as response:
                self.latency_s = response.elapsed.total_seconds()
                # in one: put together from chunks, a page of full rows takes four times the CPU (measured)
                body = b"".join(response.iter_content(None))
                return _Answer(response.status_code, response.headers, response.reason or "", body)
        except (requests.RequestException, OSError) as error:
            failure = reach.failure(self._host, error)
        self._no_answer(limited)
        raise failure  # out here, without the exception of requests: that one holds the key among its headers

    @property
    def _host(self) -> str:
        return urlsplit(self._base).netloc

    def _take_turn(self) -> None:
        with self._turn:
            while True:
                self._raise_if_closed()
                wait = self._pacer.wait(self._now())
                if wait.seconds <= 0:
                    self._pacer.sent()
                    return
                if wait.for_answer and self._turn.wait(wait.seconds):
                    continue
                if not wait.for_answer:
                    self._sleep(wait.seconds, "rate limit", self._turn)

    def _no_answer(self, limited: bool) -> None:
        if limited:
            with self._turn:
                self._pacer.failed()
                self._turn.notify_all()

    def _note_answer(self, response: _Answer) -> None:
        now = self._now()
        retry_at: float | None = None
        if response.status == 429:
            with self._turn:
                self.counters.rate_limited += 1
            retry_at = (_fault(response.body).retry_after or 0) / 1000 or None
        with self._turn:
            self._pacer.answered(response.status, response.headers, now, retry_at)
            self._turn.notify_all()

    def _raise_for(self, response: _Answer, path: str, limited: bool) -> None:
        status = response.status
        if status == 200:
            return
        if 300 <= status < 400:
            target = urlsplit(response.headers.get("Location", "")).netloc or "another address"
            raise errors.ConfigurationError(
                f"SIM_BASE_URL: {self._host} redirects to {target}; the key is not sent there. "
                "Set SIM_BASE_URL to the address the API answers at"
            )
        fault = _fault(response.body)
        said = str(fault.error or fault.message or response.reason or status)[:200]
        if status == 429 and limited:
            raise errors.RateLimited("rate limit exceeded")
        if status >= 500 or status == 429 or (status == 401 and said in TRANSIENT_401):
            after = fault.retry_after_seconds
            if after is None:
                after = rate.retry_after_seconds(response.headers.get("Retry-After"), self._now())
            if status == 429:  # of an endpoint that the pacer does not watch
                after = max(after or 0.0, 1.0)
            raise errors.ServerFault(f"{status} {said}", retry_after=after)
        if status in (401, 403):
            raise errors.AccessDenied(f"{path}: {status} {said}", status, said)
        if status == 404 and not response.body.lstrip()[:1] == b"{":
            raise errors.ConfigurationError(
                f"SIM_BASE_URL: {self._host} answers, and has no Sim API there ({path}: 404); set where Sim itself is, "
                "such as https://www.sim.ai"
            )
        if status == 404:
            raise errors.NotFound(f"{path}: {said}")
        raise errors.BadRequest(f"{path}: {status} {said}")

    def _wait_after(self, state: tenacity.RetryCallState, limited: bool) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, errors.RateLimited):
            return 0.0  # the pacer holds the next try back for as long as the server says
        if isinstance(error, errors.ServerFault) and error.retry_after is not None:
            with self._turn:
                self._pacer.pause(error.retry_after, self._now())
            if error.retry_after > 0:
                return 0.0 if limited else min(error.retry_after, rate.MAX_WAIT_S)
        return tenacity.wait_random_exponential(multiplier=self._backoff, max=30.0)(state)

    def _count_retry(self, state: tenacity.RetryCallState) -> None:
        with self._turn:
            self.counters.retries += 1
        error = state.outcome.exception() if state.outcome else None
        logger.debug("%s: trying again", error)

    def _sleep(self, seconds: float, why: str, held: threading.Condition | None = None) -> None:
        """Waits, telling of it; with ``held``, the lock is let go meanwhile."""
        if seconds <= 0:
            return
        if self._deadline is not None and self._now() + seconds > self._deadline:
            raise errors.OutOfTime(f"waiting {seconds:.0f} s ({why}) would overrun the time of this run")
        self._note_wait(seconds, why)
        if held is not None:
            held.wait(seconds)
        else:
            self._closed.wait(seconds)
            self._raise_if_closed()

    def _raise_if_closed(self) -> None:
        if self._closed.is_set():
            raise errors.Unavailable("the client was closed while a request waited")

    def _note_wait(self, seconds: float, why: str) -> None:
        """Tells of a wait and counts it; those that wait together wait once."""
        with self._turn:  # an RLock: some callers hold it
            now = time.monotonic()
            until = max(self._waiting_until, now)
            longer = now + seconds > until + 0.01
            if longer:
                self._waiting_until = now + seconds
                self.counters.waited_s += now + seconds - until
        if longer:
            self._on_wait(seconds, why)


def quoted(part: str) -> str:
    """An id as a part of a path."""
    return quote(part, safe="")


def _stop_after_faults(attempts: int) -> Callable[[tenacity.RetryCallState], bool]:
    """Stops after so many faults; being told to wait (429) is none."""
    faults = 0

    def stop(state: tenacity.RetryCallState) -> bool:
        nonlocal faults
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, errors.RateLimited):
            faults += 1
        return faults >= attempts

    return stop


def _fault(body: bytes) -> _Fault:
    try:
        return msgspec.json.decode(body, type=_Fault)
    except msgspec.DecodeError:
        return _Fault()


def _log_wait(seconds: float, why: str) -> None:
    if seconds >= 1:
        logger.info("waiting %.0f s: %s", seconds, why)
