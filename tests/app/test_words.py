"""What is said where a server, a key, a workspace or a destination is not as it was meant, and what to do then."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.sim_api import OWNER_KEY, Faults, serve
from pipelines.sim_api.http import faults
from sim_source import SimClient, errors
from sim_source.api.base_url import check_base_url
from tests.helpers.app import App, one_of_every_kind


class _Page(BaseHTTPRequestHandler):
    """Answers everything with a page, as a web server does that is not Sim's API."""

    def do_GET(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def web_server(
    status: int = 404, body: bytes = b"<html>not here</html>", tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A web server on loopback; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.answer = (status, body)  # type: ignore[attr-defined]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certified(folder: Path, name: str, days: int) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that is signed by itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
         "-days", str(days), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def at(app: App, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, value in (("SIM_API_KEY", OWNER_KEY), ("SIM_WORKSPACE_ID", "ws-1"), ("SIM_BASE_URL", url)):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pipelines.commands.sync.BACKOFF_S", 0.001)
    monkeypatch.setattr(SimClient.__init__, "__kwdefaults__", SimClient.__init__.__kwdefaults__ | {"backoff_s": 0.001})


COMMANDS = pytest.mark.parametrize("command", ["run", "check"])


@COMMANDS
def test_a_certificate_that_is_signed_by_itself_is_told_with_the_remedy(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    with web_server(tls=certified(tmp_path, "localhost", 5)) as port:
        at(app, monkeypatch, f"https://localhost:{port}")
        told = app(command)
    assert told.code == 2
    assert "is self-signed" in told.err + told.out
    assert "REQUESTS_CA_BUNDLE" in told.err + told.out


def test_a_certificate_for_another_name_is_told(app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context = certified(tmp_path, "other.example", 5)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.example.pem"))
    monkeypatch.setattr("sim_source.api.client.is_loopback", lambda host: False)  # else the environment is not asked
    with web_server(tls=context) as port:
        at(app, monkeypatch, f"https://localhost:{port}")
        told = app("run")
    assert (told.code, "was issued for another name" in told.err) == (2, True)


@COMMANDS
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_file_of_certificates_that_is_not_there_is_named(
    app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, command: str
) -> None:
    monkeypatch.setattr("sim_source.api.client.is_loopback", lambda host: False)
    with web_server(tls=certified(tmp_path, "localhost", 5)) as port:
        at(app, monkeypatch, f"https://localhost:{port}")
        for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, "/nowhere/ca.pem")
        told = app(command)
    assert told.code == 2
    assert f"{name}: /nowhere/ca.pem does not exist" in told.err + told.out


def test_https_to_a_plain_port_is_told(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with web_server() as port:
        at(app, monkeypatch, f"https://127.0.0.1:{port}")
        told = app("run")
    assert (told.code, "does not speak TLS" in told.err) == (2, True)


@COMMANDS
@pytest.mark.parametrize(("status", "body"), [(404, b"<html>"), (404, b""), (404, b"not found")])
def test_a_web_server_that_is_not_sim_is_told(
    app: App, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, command: str
) -> None:
    with web_server(status, body) as port:
        at(app, monkeypatch, f"http://127.0.0.1:{port}")
        told = app(command)
    assert told.code == 2
    assert "there is no Sim API at this URL" in told.err + told.out


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>log in</html>"), (200, b""), (200, b'{"data":'), (204, b""), (418, b"teapot")]
)
def test_check_tells_whatever_a_server_answers(
    app: App, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    with web_server(status, body) as port:
        at(app, monkeypatch, f"http://127.0.0.1:{port}")
        told = app("check")
    assert told.code == 2
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://sim.example.org/api/v1", "https://sim.example.org"),
        ("https://sim.example.org/api/", "https://sim.example.org"),
        ("https://sim.example.org/sub/api/v2/logs", "https://sim.example.org/sub"),
        ("https://www.sim.ai/workspace/5e0a0001/w/abc", "https://www.sim.ai"),
    ],
)
def test_an_address_inside_of_sim_is_refused_with_the_right_one(url: str, address: str) -> None:
    with pytest.raises(errors.ConfigurationError) as refused:
        check_base_url(url)
    assert str(refused.value).endswith(f" {address}")


@pytest.mark.parametrize("host", ["sim..example", "-sim.example", "a" * 64 + ".example", "sim_.exa mple"])
def test_a_host_that_cannot_be_is_refused(host: str) -> None:
    with pytest.raises(errors.ConfigurationError):
        check_base_url(f"https://{host}")


@pytest.mark.parametrize(
    "url", ["https://sim.example.org:8443/sub", "https://10.0.0.1", "https://[::1]:3000", "https://a_b.c"]
)
def test_a_host_that_can_be_is_not(url: str) -> None:
    assert check_base_url(url) == url


def test_a_name_that_is_not_known_is_asked_for_once_and_not_by_each_resource(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def unknown(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    at(app, monkeypatch, "https://sim.invalid")
    (app.folder / "sim_sync.duckdb").touch()
    (app.folder / "sim_sync.duckdb").unlink()
    told = app("run", "--json")
    assert (told.code, "the host name sim.invalid cannot be resolved" in told.err) == (75, True)
    assert len(asked) <= 8


def test_nobody_listening_is_told_and_tried_by_the_first_resource_only(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(one_of_every_kind()) as server:
        app.account(server)
        assert app("run").code == 0
    monkeypatch.setattr("pipelines.commands.sync.BACKOFF_S", 0.001)
    told = app("run", "--json")
    assert (told.code, "connection refused by 127.0.0.1" in told.err) == (75, True)
    assert told.json["requests"] <= 12


@COMMANDS
def test_an_unknown_workspace_is_named_with_both_possibilities(app: App, command: str) -> None:
    with serve(one_of_every_kind(), "2026-08") as server:
        app.account(server, workspace="99999999-0000-4000-8000-000000000000")
        told = app(command)
    assert told.code == 2
    for words in ("99999999-0000-4000-8000-000000000000", "the id is wrong", "does not allow personal keys"):
        assert words in told.err + told.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--destination", "duckdbb"], "no such destination"),
        (["--destination", "postgres"], "DESTINATION__POSTGRES__CREDENTIALS"),
        (["--destination", "filesystem"], "DESTINATION__FILESYSTEM__BUCKET_URL"),
        (["--destination", "snowflake"], "snowflake"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_before_anything_is_asked(
    app: App, arguments: list[str], words: str
) -> None:
    with serve(one_of_every_kind()) as server:
        app.account(server)
        told = app("run", *arguments)
        assert server.count() == 0
    assert (told.code, words in told.err) == (2, True), told.err
    assert "kept" not in told.err


def test_runs_are_counted_once_as_new_changed_or_unchanged(app: App) -> None:
    world = one_of_every_kind()
    with serve(world, "2026-08") as server:
        app.account(server)
        first = app("run", "--json")
        again = app("run", "--json")
        running = next(run for run in world.runs_of("5e0a0001-0000-4000-8000-000000000001") if run.state == "running")
        world.end_run(running.id)
        changed = app("run", "--json")
    there = len(world.runs_of("5e0a0001-0000-4000-8000-000000000001"))
    assert first.json["runs"] == {"new": there, "changed": 0, "unchanged": 0}
    assert first.json["rows"]["logs"] == there
    assert f"{there} new runs" in first.err
    assert (again.json["runs"]["new"], again.json["runs"]["changed"]) == (0, 0)
    assert (changed.json["runs"]["new"], changed.json["runs"]["changed"]) == (0, 1)
    assert "1 changed" in changed.err


def test_counters_are_exact_over_many_threads() -> None:
    failing = Faults()
    for nth in range(1, 400, 2):
        failing.at(nth, faults.server_error(), path="/api/users")
    with serve(one_of_every_kind(), faults=failing) as server:
        client = SimClient(OWNER_KEY, server.base_url, backoff_s=0.0001)
        with client, ThreadPoolExecutor(32) as pool:
            for answer in [
                pool.submit(client.get, "/api/users/me/usage-limits", None, bytes, limited=False) for _ in range(400)
            ]:
                answer.result()
        assert client.counters.requests == server.count()
        assert client.counters.retries == client.counters.requests - 400
