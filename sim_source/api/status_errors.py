"""What an answer that is not 200 means: its status and body as one of ``errors``. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .. import errors
from . import rate

TRANSIENT_401 = frozenset({"Rate limit check failed", "Authentication failed"})
"""Faults of the server's limiter or key store (source); a wrong key says otherwise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its body has been read."""

    status: int
    headers: Mapping[str, str]
    reason: str
    body: bytes


class _Fault(msgspec.Struct, rename="camel"):
    """The body of an error."""

    error: Any = None
    message: Any = None
    retry_after: float | None = None
    retry_after_seconds: float | None = None


def retry_at_of(body: bytes) -> float | None:
    """When the body of a 429 says to try again, in epoch seconds; None where it does not."""
    return (_fault(body).retry_after or 0) / 1000 or None


def raise_for_status(answer: Answer, path: str, host: str, *, limited: bool, now: float) -> None:
    """Returns where an answer is 200.

    Args:
        answer: The answer.
        path: What was asked for.
        host: Whom.
        limited: Whether the rate limit counts this endpoint.
        now: Epoch seconds.

    Raises:
        RateLimited: 429 where the limit counts.
        ServerFault: 5xx, 429 elsewhere, or a 401 that passes.
        AccessDenied: 401 or 403.
        NotFound: 404 with a body of the API.
        ConfigurationError: A redirect, or 404 of something that is no Sim API.
        BadRequest: Any other.
    """
    status = answer.status
    if status == 200:
        return
    fault = _fault(answer.body)
    said = str(fault.error or fault.message or answer.reason or status)[:200]
    if status == 429 and limited:
        raise errors.RateLimited("rate limit exceeded")
    if status >= 500 or status == 429 or (status == 401 and said in TRANSIENT_401):
        raise errors.ServerFault(f"{status} {said}", retry_after=_retry_after(answer, fault, now))
    if status in (401, 403):
        raise errors.AccessDenied(f"{path}: {status} {said}", status, said)
    _raise_for_address(answer, path, host)
    if status == 404:
        raise errors.NotFound(f"{path}: {said}")
    raise errors.BadRequest(f"{path}: {status} {said}")


def _raise_for_address(answer: Answer, path: str, host: str) -> None:
    """Raises where the answer shows that the API is not at this address."""
    if 300 <= answer.status < 400:
        target = urlsplit(answer.headers.get("Location", "")).netloc or "another address"
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: {host} redirects to {target}; the key is not sent there. "
            "Set SIM_BASE_URL to the address the API answers at"
        )
    if answer.status == 404 and not answer.body.lstrip()[:1] == b"{":
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: {host} answers, and has no Sim API there ({path}: 404); set where Sim itself is, "
            "such as https://www.sim.ai"
        )


def _retry_after(answer: Answer, fault: _Fault, now: float) -> float | None:
    """Seconds to wait, where the server says."""
    after = fault.retry_after_seconds
    if after is None:
        after = rate.retry_after_seconds(answer.headers.get("Retry-After"), now)
    return max(after or 0.0, 1.0) if answer.status == 429 else after  # 429 of an endpoint that the pacer does not watch


def _fault(body: bytes) -> _Fault:
    try:
        return msgspec.json.decode(body, type=_Fault)
    except msgspec.DecodeError:
        return _Fault()
