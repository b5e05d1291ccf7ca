"""Maps a response with a status other than 200 to one of ``sim_source.errors``. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .. import errors
from . import rate

V2 = "/api/v2/"
V2_SINCE_START = "/api/v2/workspaces"
"""The only endpoint read here that the first servers with v2 lack (v0.8.0; it came with v0.8.8)."""
TRANSIENT_401 = frozenset({"Rate limit check failed", "Authentication failed"})
"""Error texts of a 401 if the server's rate limiter or key store fails (Sim's source); a wrong key has another."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response, including its body."""

    status: int
    headers: Mapping[str, str]
    reason: str
    body: bytes


class _Fault(msgspec.Struct, rename="camel"):
    """The body of an error response; ``retry_after`` is in epoch milliseconds."""

    error: Any = None
    message: Any = None
    retry_after: float | None = None
    retry_after_seconds: float | None = None

    @property
    def said(self) -> str:
        """The text of the error; v2 puts it below ``error``, with a code that may be the better word."""
        if not isinstance(self.error, dict):
            return str(self.error or self.message or "")[:200]
        said, details = str(self.error.get("message") or ""), self.error.get("details")
        code = details.get("code") if isinstance(details, dict) else None
        return (f"{said} ({code})" if code else said)[:200].strip()


def retry_at_of(body: bytes) -> float | None:
    """Epoch seconds at which to retry, from the body of a 429; None if the body does not say."""
    return (_fault(body).retry_after or 0) / 1000 or None


def raise_for_status(answer: Answer, path: str, host: str, *, limited: bool, now: float) -> None:
    """Raises an error unless the status is 200.

    Args:
        answer: The response.
        path: Path of the request.
        host: Host of the server.
        limited: Whether the rate limit counts this endpoint.
        now: Current time in epoch seconds.

    Raises:
        NotOffered: The server has no v2 API, or not for this key.
        RateLimited: 429 of an endpoint that the rate limit counts.
        ServerFault: 5xx, 429 of another endpoint, or a temporary 401.
        AccessDenied: 401 or 403.
        NotFound: 404 with a JSON body, as the API sends it.
        ConfigurationError: A redirect, or a 404 of a server that is not Sim.
        BadRequest: Any other status.
    """
    status = answer.status
    if path.startswith(V2):
        _raise_if_not_offered(answer, path)
    if status == 200:
        return
    fault = _fault(answer.body)
    said = fault.said or str(answer.reason or status)[:200]
    if status == 429 and limited:
        raise errors.RateLimited("rate limit exceeded")
    if status >= 500 or status == 429 or (status == 401 and said in TRANSIENT_401):
        raise errors.ServerFault(f"{status} {said}", _retry_after(answer, fault, now), status)
    if status in (401, 403):
        raise errors.AccessDenied(f"{path}: {status} {said}", status, said)
    _raise_for_address(answer, path, host)
    if status == 404:
        raise errors.NotFound(f"{path}: {said}")
    raise errors.BadRequest(f"{path}: {status} {said}")


def _raise_if_not_offered(answer: Answer, path: str) -> None:
    """Raises NotOffered if the server has no v2, or not for this key.

    A server without the route answers 404 with HTML; a server with the flag off, the JSON ``Not found`` without rate
    limit headers, which a 404 behind the flag has (both seen). What stands before a server may also redirect. A 429 and
    a 5xx say nothing.
    """
    status, json = answer.status, answer.body.lstrip()[:1] == b"{"
    if 300 <= status < 400 or (status == 404 and not json):
        raise errors.NotOffered(f"{path}: the server has no such endpoint", everything=path != V2_SINCE_START)
    if status == 404 and "X-RateLimit-Limit" not in answer.headers and _fault(answer.body).said == "Not found":
        raise errors.NotOffered(f"{path}: the server does not offer the v2 API to this API key", everything=True)


def _raise_for_address(answer: Answer, path: str, host: str) -> None:
    """Raises ConfigurationError if the response shows that the API is not at this base URL."""
    if 300 <= answer.status < 400:
        target = urlsplit(answer.headers.get("Location", "")).netloc or "another address"
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: {host} redirects to {target}. The API key was not sent there; "
            "set SIM_BASE_URL to the URL at which the API responds without a redirect"
        )
    if answer.status == 404 and not answer.body.lstrip()[:1] == b"{":
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: {host} responds, but there is no Sim API at this URL ({path}: 404); "
            "set the base URL of Sim, e.g. https://www.sim.ai"
        )


def _retry_after(answer: Answer, fault: _Fault, now: float) -> float | None:
    """Seconds to wait as requested by the server, or None."""
    after = fault.retry_after_seconds
    if after is None:
        after = rate.retry_after_seconds(answer.headers.get("Retry-After"), now)
    return max(after or 0.0, 1.0) if answer.status == 429 else after  # the pacer does not see this 429


def _fault(body: bytes) -> _Fault:
    try:
        return msgspec.json.decode(body, type=_Fault)
    except msgspec.DecodeError:
        return _Fault()
