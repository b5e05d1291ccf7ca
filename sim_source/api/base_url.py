"""Validation of the base URL that the API key is sent to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from .. import errors


def check_base_url(base_url: str, allow_http: bool = False) -> str:
    """Checks the base URL and returns it without a trailing slash.

    Raises:
        ConfigurationError: It is not the URL of a server, or it would send the API key unencrypted over the network.
    """
    no_url = errors.ConfigurationError(f"SIM_BASE_URL: {base_url!r} is not a URL; expected e.g. https://www.sim.ai")
    try:
        parts = urlsplit(base_url.strip())
        usable = bool(parts.hostname) and parts.port != 0  # raises ValueError if the port is not a number
    except ValueError:
        raise no_url from None
    if parts.username or parts.password:
        raise errors.ConfigurationError("SIM_BASE_URL: remove the user name and password from the URL")
    if parts.scheme not in ("http", "https") or not usable or parts.query or parts.fragment:
        raise no_url
    inside = _PAGE_OF_SIM.search(parts.path)
    if inside is not None:
        address = base_url.strip()[: base_url.strip().rindex(inside[0])].rstrip("/")
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: {base_url!r} is the URL of a page or endpoint of Sim; set only the base URL: {address}"
        )
    if not _HOST.fullmatch(parts.hostname or "") and not _is_address(parts.hostname):
        raise errors.ConfigurationError(f"SIM_BASE_URL: {parts.hostname!r} is not a valid host name")
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_http:
        raise errors.ConfigurationError(
            f"SIM_BASE_URL: http://{parts.hostname} would send the API key in the clear; use https, "
            "or set allow_http (SIM_ALLOW_HTTP=1) if you trust that network"
        )
    return base_url.strip().rstrip("/")


_PAGE_OF_SIM = re.compile(r"/(?:api(?:/v\d+)?|workspace|w)(?:/.*)?/?$")
"""Paths of Sim's API and of its web pages."""


_HOST = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?",
    re.IGNORECASE,
)
"""A valid host name: labels of 1 to 63 letters, digits, hyphens and underscores."""


def _is_address(host: str | None) -> bool:
    try:
        return bool(ipaddress.ip_address(host or ""))
    except ValueError:
        return bool(host) and not (host or "").isascii()  # an internationalized name; the resolver encodes it


def is_loopback(host: str | None) -> bool:
    """Whether a host is the local machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:  # a name such as 127.example.com
        return False
