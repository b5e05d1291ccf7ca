"""Turns connection and TLS failures into errors that say what to do.

``requests`` and ``urllib3`` wrap the operating system's error several times, so all causes are examined. The exceptions
themselves are dropped, since they hold the API key in the headers of the request.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, Sequence

import requests

from .. import errors

CA_SETTINGS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Environment variables with the path of a CA file; ``requests`` uses the first of the first two that is set."""


def failure(host: str, error: BaseException) -> errors.SimError:
    """Returns the error to raise for a request that ended without a response.

    Args:
        host: Host of the server.
        error: The exception of ``requests``.
    """
    causes = list(_causes(error))
    missing = None if isinstance(error, requests.RequestException) else _missing_bundle()
    if missing is not None:
        return errors.ConfigurationError(missing)
    unreached = _unreached(host, causes)
    if unreached is not None:
        return errors.Unreached(unreached)
    if any(isinstance(cause, ssl.SSLError | requests.exceptions.SSLError) for cause in causes):
        return errors.ConfigurationError(_tls(host, " ".join(str(cause) for cause in causes)))
    return errors.ServerFault(f"no complete response from {host} ({type(error).__name__})")


def _unreached(host: str, causes: Sequence[BaseException]) -> str | None:
    """The reason why no connection to the server was possible; None if there was a connection."""
    if any(isinstance(cause, requests.exceptions.ProxyError) for cause in causes):
        return f"the proxy for {host} ({_proxy()}) failed or blocks the request; check HTTPS_PROXY"
    if any(isinstance(cause, socket.gaierror) or "NameResolutionError" in type(cause).__name__ for cause in causes):
        return f"the host name {host} cannot be resolved; check SIM_BASE_URL, and this machine's network and DNS"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"connection refused by {host}; check that Sim is running there, and the port in SIM_BASE_URL"
    late = any(isinstance(cause, requests.exceptions.ConnectTimeout) for cause in causes)
    if late or any(getattr(cause, "errno", None) in _NO_ROUTE for cause in causes):
        return f"cannot connect to {host}: no network route, or a firewall blocks the connection"
    return None


_NO_ROUTE = frozenset({100, 101, 112, 113})
"""ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH on Linux."""


def _tls(host: str, said: str) -> str:
    if re.search("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNKNOWN_PROTOCOL|HTTP_REQUEST|wrong version", said, re.I):
        return f"SIM_BASE_URL: {host} does not speak TLS; use http:// or another port"
    if "expired" in said:
        return f"the TLS certificate of {host} has expired; renew it, or correct this machine's clock if that is wrong"
    if "Hostname mismatch" in said or "doesn't match" in said or "not valid for" in said:
        return f"the TLS certificate of {host} was issued for another name; use that name in SIM_BASE_URL"
    who = "is self-signed" if "self" in said.lower() and "signed" in said.lower() else "is signed by an unknown CA"
    return (
        f"the TLS certificate of {host} {who}; if you trust it, set REQUESTS_CA_BUNDLE to the path of your CA "
        "certificate (PEM)"
    )


def _missing_bundle() -> str | None:
    """The error message if an environment variable names a CA file that does not exist, else None."""
    for name in CA_SETTINGS:
        file = os.environ.get(name)
        if file and not os.path.exists(file):
            return f"{name}: {file} does not exist; unset it, or set it to the path of your CA certificate (PEM)"
    return None


def _proxy() -> str:
    """The proxy from the environment, without user name and password."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        if os.environ.get(name):
            return re.sub(r"//[^/@]*@", "//", os.environ[name])
    return "no proxy variable is set"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception and all exceptions that it was raised from or holds as a reason or an argument."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        reasons = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        waiting += [each for each in reasons if isinstance(each, BaseException)]
