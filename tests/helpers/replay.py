"""A small server on loopback that answers from the recordings of one generation."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from sim_source import sim_source
from tests.helpers import recorded
from tests.helpers.warehouse import Warehouse

KEY = "sk-sim-replay-key-0123456789"
BROWSER_LIMIT = 100
"""Rows of a page without `limit`."""

Row = dict[str, Any]


def _rows(body: bytes) -> list[bytes]:
    found = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["data"]
    return [bytes(row) for row in msgspec.json.decode(found, type=list[msgspec.Raw])]


@dataclass
class Replay:
    """What one generation answered, and which requests came.

    Attributes:
        rows: Recorded list rows by id: the full one where one was recorded, the plain one elsewhere.
        details: Recorded bodies by log id.
        executions: Recorded bodies by execution id.
        audit: Recorded rows of the audit walk, newest first, each once.
        requests: Path and query of each request.
    """

    generation: str
    base_url: str = ""
    rows: dict[str, bytes] = field(default_factory=dict)
    details: dict[str, bytes] = field(default_factory=dict)
    executions: dict[str, bytes] = field(default_factory=dict)
    audit: list[Row] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        generation = self.generation
        pages = [*recorded.named(generation, "logs_walk_asc_*").values()]
        pages += [*recorded.named(generation, "logs_full_*").values()]  # these win
        for page in pages:
            for row in _rows(page.body):
                self.rows[msgspec.json.decode(row)["id"]] = row
        for answer in recorded.named(generation, "log_detail_*").values():
            self.details[answer.json["data"]["id"]] = answer.body
        for answer in recorded.named(generation, "execution_*").values():
            self.executions[answer.json["executionId"]] = answer.body
        seen: set[str] = set()
        for page in recorded.named(generation, "audit_walk_50_*").values():
            for row in page.json["data"]:
                if row["id"] not in seen:
                    seen.add(row["id"])
                    self.audit.append(row)

    def count(self, path: str) -> int:
        """Requests whose path starts so."""
        return sum(target.startswith(path) for target in self.requests)

    def respond(self, target: str, key: str | None) -> tuple[int, bytes]:
        """Status and body."""
        url = urlsplit(target)
        if key != KEY:
            return 401, b'{"error":"Invalid API key"}'
        return self.route(url.path, dict(parse_qsl(url.query)))

    def route(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if path == "/api/v1/logs":
            return self.logs(query)
        if path == "/api/v1/audit-logs":
            return self.audit_logs(query)
        if path == "/api/v1/workflows":
            return 200, recorded.answer(self.generation, "workflows_first_page").body
        if path == "/api/users/me/usage-limits":
            return 200, recorded.answer(self.generation, "usage_limits_enterprise").body
        known = self.executions if path.startswith("/api/v1/logs/executions/") else self.details
        body = known.get(path.rpartition("/")[2])
        return (404, b'{"error":"Log not found"}') if body is None else (200, body)

    def logs(self, query: dict[str, str]) -> tuple[int, bytes]:
        """The recorded rows, between the dates, in order; 2026-03 answers 500 to any cursor."""
        if query["workspaceId"] != recorded.WORKSPACE:
            return 200, b'{"data":[]}'
        if "cursor" in query:
            return 500, b'{"error":"Internal server error"}'
        kept = sorted(
            (row for row in map(_timed, self.rows.values()) if _between(row[0], query)),
            key=lambda row: row[:2],
            reverse=query.get("order") != "asc",
        )
        limit = int(query.get("limit", BROWSER_LIMIT))
        more = b',"nextCursor":"eyJzdGFydGVkQXQiOiJ4In0="' if len(kept) > limit else b""
        return 200, b'{"data":[' + b",".join(row[2] for row in kept[:limit]) + b"]" + more + b"}"

    def audit_logs(self, query: dict[str, str]) -> tuple[int, bytes]:
        """The recorded rows, newest first; a date is compared with microseconds that the wire cuts off."""
        kept = [row for row in self.audit if _between(row["createdAt"], query)]
        limit = int(query.get("limit", "50"))
        body: Row = {"data": kept[:limit]}
        if len(kept) > limit:
            body["nextCursor"] = "bogus"
        return 200, msgspec.json.encode(body)


def _timed(row: bytes) -> tuple[str, str, bytes]:
    told = msgspec.json.decode(row)
    return told["startedAt"], told["id"], row


def _between(moment: str, query: dict[str, str]) -> bool:
    return query.get("startDate", "") <= moment <= query.get("endDate", "9")


@contextmanager
def replay(generation: str) -> Iterator[Replay]:
    """Serves the recordings of a generation on loopback."""
    answers = Replay(generation)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answers.requests.append(self.path)
            status, body = answers.respond(self.path, self.headers.get("X-API-Key"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json;charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        answers.base_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield answers
        finally:
            server.shutdown()
            thread.join()


class Loaded:
    """A generation, its recordings and the warehouse they were loaded into."""

    def __init__(self, replayed: Replay, warehouse: Warehouse) -> None:
        self.replayed = replayed
        self.requests = list(replayed.requests)
        self.warehouse = warehouse
        self.rows: dict[str, Any] = {id_: as_json(row) for id_, row in replayed.rows.items()}
        self.details: dict[str, Any] = {id_: as_json(body)["data"] for id_, body in replayed.details.items()}

    def recorded_id(self, name: str) -> str:
        return str(recorded.answer(self.replayed.generation, name).json["data"][0]["id"])


def as_json(body: bytes) -> Any:
    return recorded.Answer(200, {}, body).json


def source(server: Replay, **options: Any) -> Any:
    return sim_source(recorded.WORKSPACE, KEY, server.base_url, until="2026-12-01", **options)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
