"""The Sim API over HTTPS: one session, paced, retried, never redirected.

The key goes out in the ``X-API-Key`` header of requests to the configured host and nowhere else: it is
in no message, log or representation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urlsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter

from .. import errors
from . import rate, unreachable
from .base_url import check_base_url, is_loopback
from .status_errors import Answer, raise_for_status
from .throttle import Counters, Throttle
from .wire import LONGEST_ID

logger = logging.getLogger("sim_source")

T = TypeVar("T")

CONNECTIONS = 32
"""Requests under way at once, at most."""
TIMEOUT_S = (10.0, 120.0)
"""Seconds to connect and to wait for data."""
USER_AGENT = "sim-sync"


class SimClient:
    """Asks the Sim API.

    Args:
        api_key: Sent as ``X-API-Key``.
        base_url: Where the API is; https, or http on loopback.
        allow_http: Permits http to other hosts.
        attempts: Tries of a request that meets transient faults.
        backoff_s: First wait after a fault; doubles, with jitter, up to 30 s.
        throttle: Lets its requests through; one of its own if None. It is closed with the client.

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
        throttle: Throttle | None = None,
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
        self.throttle = throttle or Throttle()
        self._session = requests.Session()
        # a proxy of the environment is no place for a key that is meant for this machine
        self._session.trust_env = not is_loopback(urlsplit(self._base).hostname)
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, pool_block=True)
        self._session.mount(self._base, adapter)
        self._unreached = False
        self._date: datetime | None = None
        self.latency_s = 0.0

    def __repr__(self) -> str:
        return f"SimClient({self._base})"

    def __enter__(self) -> SimClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; who waits, in another thread, waits no longer."""
        self.throttle.close()
        self._session.close()

    @property
    def counters(self) -> Counters:
        """What this client did."""
        return self.throttle.counters

    @property
    def out_of_time(self) -> bool:
        """Whether the time this client was given is over."""
        return self.throttle.out_of_time

    @property
    def available(self) -> int | None:
        """Requests that the rate allows at once; None where no limit is known."""
        return self.throttle.available

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
            sleep=lambda seconds: self.throttle.sleep(seconds, "before the next try"),
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
            self.throttle.take_turn()
        response = self._send(path, params, limited)
        self._date = rate.server_clock(response.headers.get("Date")) or self._date
        if limited:
            self.throttle.answered(response)
        raise_for_status(response, path, self._host, limited=limited, now=self.throttle.now())
        return decode(response.body)

    def _send(self, path: str, params: Mapping[str, str] | None, limited: bool) -> Answer:
        self.throttle.sent()
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
                return Answer(response.status_code, response.headers, response.reason or "", body)
        except (requests.RequestException, OSError) as error:
            failure = unreachable.failure(self._host, error)
        if limited:
            self.throttle.unanswered()
        raise failure  # out here, without the exception of requests: that one holds the key among its headers

    @property
    def _host(self) -> str:
        return urlsplit(self._base).netloc

    def _wait_after(self, state: tenacity.RetryCallState, limited: bool) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, errors.RateLimited):
            return 0.0  # the pacer holds the next try back for as long as the server says
        if isinstance(error, errors.ServerFault) and error.retry_after is not None:
            self.throttle.pause(error.retry_after)
            if error.retry_after > 0:
                return 0.0 if limited else min(error.retry_after, rate.MAX_WAIT_S)
        return tenacity.wait_random_exponential(multiplier=self._backoff, max=30.0)(state)

    def _count_retry(self, state: tenacity.RetryCallState) -> None:
        self.throttle.retried()
        error = state.outcome.exception() if state.outcome else None
        logger.debug("%s: trying again", error)


def quoted(part: str) -> str:
    """An id as a part of a path.

    Raises:
        NotFound: No address can hold it: it is empty, endless, or a step to another folder.
    """
    if part in ("", ".", "..") or len(part) > LONGEST_ID:
        raise errors.NotFound(f"{part[:40]!r} is no id that can be asked for")
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
