"""Where the key goes: to the configured host over TLS or loopback, and nowhere else."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipelines.sim_api import OWNER_KEY, Faults
from pipelines.sim_api.http import faults as fault
from sim_source import SimClient, errors
from sim_source.api.base_url import check_base_url
from tests.helpers.asking import HERE, LIST, client, ids, serving


class Trap:
    """A foreign host: remembers the headers of every request it gets."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        trap = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                trap.seen.append(dict(self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "11")
                self.end_headers()
                self.wfile.write(b'{"data":[]}')

            do_CONNECT = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Trap:
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_key_not_sent_on(status: int) -> None:
    with Trap() as trap, serving(faults=Faults().always(fault.redirect(f"{trap.base_url}/x", status))) as server:
        with client(server.base_url) as asking, pytest.raises(errors.ConfigurationError, match="SIM_BASE_URL") as told:
            asking.get(LIST, HERE, ids)
        assert trap.seen == []
        assert OWNER_KEY not in str(told.value)
        assert len(server.requests) == 1


def test_a_proxy_of_the_environment_does_not_get_the_key_meant_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with Trap() as proxy, serving() as server:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with client(server.base_url) as asking:
            assert len(asking.get(LIST, HERE, ids)) == 1
        assert proxy.seen == []


def test_the_key_is_in_no_representation_log_or_exception(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    faults = Faults().always(fault.server_error(), path=f"{LIST}/x").always(fault.reset(), path=f"{LIST}/y")
    with serving(faults=faults) as server, client(server.base_url, attempts=2) as asking:
        asking.get(LIST, HERE, ids)
        shown += [repr(asking), str(asking), repr(asking.counters)]
        for path in (f"{LIST}/x", f"{LIST}/y", f"{LIST}/unknown"):
            with pytest.raises(errors.SimError) as told:
                asking.get(path, None, ids)
            shown += traceback.format_exception(told.value)
            shown += _everything(told.value)
    assert OWNER_KEY not in caplog.text
    assert not [text for text in shown if OWNER_KEY in text]


def _everything(error: BaseException | None) -> Iterator[str]:
    """What a reporter of errors could show of an exception and its causes."""
    while error is not None:
        yield repr(error)
        yield repr(error.args)
        yield repr(vars(error))
        request = getattr(error, "request", None)
        yield repr(getattr(request, "headers", None))
        error = error.__cause__ or error.__context__


# addresses


@pytest.mark.parametrize(
    "address",
    [
        "https://www.sim.ai",
        "https://sim.example.com:8443/base/",
        "http://localhost:3000",
        "http://127.0.0.1:3000",
        "http://127.1.2.3",
        "http://[::1]:3000",
        "HTTP://LocalHost/",
    ],
)
def test_an_address_over_tls_or_on_loopback_is_taken(address: str) -> None:
    assert check_base_url(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://sim.example.com",
        "http://127.evil.example.com",
        "http://127.0.0.1.evil.example.com",
        "http://localhost.evil.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0:3000",
        "ftp://sim.example.com",
        "www.sim.ai",
        "",
        "https://",
        "https://[::1",
        "https://host:port",
        "https://user:secret@sim.example.com",
        "https://sim.example.com/?a=b",
        "https://sim.example.com/#x",
    ],
)
def test_any_other_address_is_refused_plainly(address: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="SIM_BASE_URL") as told:
        check_base_url(address)
    assert "secret" not in str(told.value)


def test_http_beyond_loopback_is_taken_when_permitted() -> None:
    assert check_base_url("http://10.0.0.1:3000/", allow_http=True) == "http://10.0.0.1:3000"


@pytest.mark.parametrize("key", ["", "  ", "sk-sim-äöü", "sk\nsim", "a\x00b"])
def test_a_key_that_is_none_is_refused_before_it_is_sent(key: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="SIM_API_KEY") as told:
        SimClient(key, "http://localhost:1")
    assert not key.strip() or key.strip() not in str(told.value)


def test_a_key_is_trimmed() -> None:
    with serving() as server, SimClient(f" {OWNER_KEY}\n", server.base_url) as asking:
        assert len(asking.get(LIST, HERE, ids)) == 1
