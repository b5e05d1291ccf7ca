"""HTTP client of the Sim API: one session, with rate limiting and retries, without redirects.

The API key is sent only to the configured host, in the ``X-API-Key`` header. It appears in no message, log or
``repr``.
"""

from __future__ import annotations

import hashlib
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
from .throttle import V1, Counters, Throttle
from .wire import LONGEST_ID

logger = logging.getLogger("sim_source")

T = TypeVar("T")

CONNECTIONS = 32
"""Maximum number of concurrent requests."""
TIMEOUT_S = (10.0, 120.0)
"""Connect timeout and read timeout in seconds."""
USER_AGENT = "sim-sync"


class SimClient:
    """HTTP client of the Sim API.

    Args:
        api_key: Sent as ``X-API-Key``.
        base_url: Base URL of the server; https, or http on loopback.
        allow_http: Allows http to other hosts.
        attempts: Maximum number of attempts of a request that meets transient faults.
        backoff_s: Upper limit of the wait after the first fault, in seconds; doubles with every fault up to 30 s,
            and the wait is chosen at random below it.
        throttle: Applies the rate limit; None creates a new one. It is closed together with the client.

    Attributes:
        latency_s: Seconds from sending the last request until its response headers arrived.

    Raises:
        ConfigurationError: The API key or the base URL is missing or invalid.
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
                "SIM_API_KEY: missing or not a valid API key; create one in Sim under Settings, API keys"
            )
        self._key = api_key
        self._base = check_base_url(base_url, allow_http)
        self._attempts = attempts
        self._backoff = backoff_s
        self.throttle = throttle or Throttle()
        self._session = requests.Session()
        # requests to loopback must not send the API key to a proxy from the environment
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
        """Closes the connections and stops requests that wait in other threads."""
        self.throttle.close()
        self._session.close()

    @property
    def reader(self) -> str:
        """Tells API keys apart in the state of a sync, without revealing the key: a digest of it."""
        return hashlib.sha256(self._key.encode()).hexdigest()[:12]

    @property
    def counters(self) -> Counters:
        """Counters of requests, retries, 429 responses and seconds waited."""
        return self.throttle.counters

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self.throttle.out_of_time

    @property
    def reached(self) -> bool:
        """Whether the last request found the server; while it does not, each request is tried once."""
        return not self._unreached

    @property
    def available(self) -> int | None:
        """Requests that the rate limit allows without waiting; None if no limit is known."""
        return self.throttle.available

    @property
    def server_time(self) -> datetime | None:
        """Latest possible time of the server's clock at its last response; None before the first response.

        The ``Date`` header is truncated to whole seconds, so one second is added to it.
        """
        return None if self._date is None else self._date + timedelta(seconds=1)

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None,
        decode: Callable[[bytes], T],
        *,
        attempts: int | None = None,
        limited: bool = True,
        bucket: str = V1,
        most_refusals: int | None = None,
    ) -> T:
        """Sends a GET request within the rate limit, retries transient faults, and decodes the response.

        Args:
            path: Path below the base URL; its parts are already quoted.
            params: Query parameters.
            decode: Decodes the body; raises ``UnreadableAnswer`` if it is not as expected.
            attempts: Maximum number of attempts, if different from the client's.
            limited: False for endpoints that the rate limit does not count.
            bucket: The bucket that the rate limit counts the request in: v1's, or that of an operation of v2.
            most_refusals: Number of 429 responses after which to wait and try again; None for any number.

        Raises:
            AccessDenied, NotFound, NotOffered, BadRequest: According to the response; not retried.
            ConfigurationError: The server redirects, is not Sim, or its TLS certificate is rejected.
            Unavailable: All attempts failed.
            OutOfTime: The next wait would exceed the deadline.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(errors.Transient),
            stop=_stop_after_faults(1 if self._unreached else attempts or self._attempts, most_refusals),
            wait=lambda state: self._wait_after(state, limited, bucket),
            sleep=lambda seconds: self.throttle.sleep(seconds, "before the next retry"),
            before_sleep=self._count_retry,
            reraise=True,
        )
        try:
            answer: T = retrying(self._once, path, params, decode, limited, bucket)
        except errors.Transient as error:
            # while the server is unreachable, later requests get a single attempt each
            self._unreached = isinstance(error, errors.Unreached)
            kind = errors.NotReached if self._unreached else errors.Unavailable
            raise kind(f"{path}: {error}") from error
        self._unreached = False
        return answer

    def _once(
        self, path: str, params: Mapping[str, str] | None, decode: Callable[[bytes], T], limited: bool, bucket: str
    ) -> T:
        if limited:
            self.throttle.take_turn(bucket)
        response = self._send(path, params, limited, bucket)
        self._date = rate.server_clock(response.headers.get("Date")) or self._date
        if limited:
            self.throttle.answered(response, bucket)
        raise_for_status(response, path, self._host, limited=limited, now=self.throttle.now())
        return decode(response.body)

    def _send(self, path: str, params: Mapping[str, str] | None, limited: bool, bucket: str) -> Answer:
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
                # read the body in one piece: joining small chunks takes more CPU
                body = b"".join(response.iter_content(None))
                return Answer(response.status_code, response.headers, response.reason or "", body)
        except (requests.RequestException, OSError) as error:
            failure = unreachable.failure(self._host, error)
        if limited:
            self.throttle.unanswered(bucket)
        raise failure  # outside of ``except``: the exception of requests holds the API key in its headers

    @property
    def _host(self) -> str:
        return urlsplit(self._base).netloc

    def _wait_after(self, state: tenacity.RetryCallState, limited: bool, bucket: str) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, errors.RateLimited):
            return 0.0  # the pacer delays the next attempt for as long as the server requested
        if isinstance(error, errors.ServerFault) and error.retry_after is not None:
            self.throttle.pause(error.retry_after, bucket)
            if error.retry_after > 0:
                return 0.0 if limited else min(error.retry_after, rate.MAX_WAIT_S)
        return tenacity.wait_random_exponential(multiplier=self._backoff, max=30.0)(state)

    def _count_retry(self, state: tenacity.RetryCallState) -> None:
        self.throttle.retried()
        error = state.outcome.exception() if state.outcome else None
        logger.debug("%s: retrying", error)


def quoted(part: str) -> str:
    """Quotes an id for use as a path segment.

    Raises:
        NotFound: The id cannot be a path segment: it is empty, too long, ``.`` or ``..``.
    """
    if part in ("", ".", "..") or len(part) > LONGEST_ID:
        raise errors.NotFound(f"{part[:40]!r} is not a valid id")
    return quote(part, safe="")


def _stop_after_faults(attempts: int, most_refusals: int | None) -> Callable[[tenacity.RetryCallState], bool]:
    """Stops after this number of faults, or after more than this number of 429 responses, which are no faults."""
    faults = refusals = 0

    def stop(state: tenacity.RetryCallState) -> bool:
        nonlocal faults, refusals
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, errors.RateLimited):
            refusals += 1
        else:
            faults += 1
        return faults >= attempts or (most_refusals is not None and refusals > most_refusals)

    return stop
