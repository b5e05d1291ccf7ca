"""Why a server could not be asked, in words that say what to do. Pure.

``requests`` and ``urllib3`` wrap the system's words several times; what is looked for is the cause at the bottom.
Nothing of the exceptions themselves is kept: they hold the key among the headers of the request.
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
"""Environment variables that name files of certificates; of the first two ``requests`` takes the first that is set."""


def failure(host: str, error: BaseException) -> errors.SimError:
    """What to raise where a request ended without an answer.

    Args:
        host: Whom was asked.
        error: What ``requests`` raised.
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
    return errors.ServerFault(f"no whole answer from {host} ({type(error).__name__})")


def _unreached(host: str, causes: Sequence[BaseException]) -> str | None:
    """Why a server was not reached; None where it was."""
    if any(isinstance(cause, requests.exceptions.ProxyError) for cause in causes):
        return f"the proxy before {host} ({_proxy()}) does not let requests through; see HTTPS_PROXY"
    if any(isinstance(cause, socket.gaierror) or "NameResolutionError" in type(cause).__name__ for cause in causes):
        return f"the name {host} is not known: SIM_BASE_URL is misspelt, or this machine's network or DNS is down"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"nobody listens at {host} (connection refused)"
    late = any(isinstance(cause, requests.exceptions.ConnectTimeout) for cause in causes)
    if late or any(getattr(cause, "errno", None) in _NO_ROUTE for cause in causes):
        return f"{host} cannot be reached: no route, or a firewall between"
    return None


_NO_ROUTE = frozenset({100, 101, 112, 113})
"""ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH on Linux."""


def _tls(host: str, said: str) -> str:
    if re.search("WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNKNOWN_PROTOCOL|HTTP_REQUEST|wrong version", said, re.I):
        return f"SIM_BASE_URL: {host} does not speak TLS there; is it http://, or another port?"
    if "expired" in said:
        return f"the TLS certificate of {host} has expired (or this machine's clock is wrong); have it renewed"
    if "Hostname mismatch" in said or "doesn't match" in said or "not valid for" in said:
        return f"the TLS certificate of {host} is for another name; set SIM_BASE_URL to the name that it is for"
    who = "is signed by itself" if "self" in said.lower() and "signed" in said.lower() else "is of an unknown authority"
    return (
        f"the TLS certificate of {host} {who}; where that is right, set REQUESTS_CA_BUNDLE to the file of your "
        "authority's certificate (PEM)"
    )


def _missing_bundle() -> str | None:
    """What is wrong with a file of certificates that the environment names, if it is not there."""
    for name in CA_SETTINGS:
        file = os.environ.get(name)
        if file and not os.path.exists(file):
            return f"{name}: {file} does not exist; unset it, or name the file of your authority's certificate (PEM)"
    return None


def _proxy() -> str:
    """The proxy of the environment, without user and password."""
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        if os.environ.get(name):
            return re.sub(r"//[^/@]*@", "//", os.environ[name])
    return "none is set"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, and all that it was raised from or holds as its reason."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        reasons = [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
        waiting += [each for each in reasons if isinstance(each, BaseException)]
