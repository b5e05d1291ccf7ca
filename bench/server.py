"""The benchmark API: pages of rows serialised beforehand, so that it costs next to nothing.

``python -m bench.server`` prints its port. A workspace id names what is served (``rows.make``). Four paths are for
the bench itself: ``/bench/prepare`` makes a workspace, ``/bench/grow`` lets the runs come that it holds back,
``/bench/requests`` and ``/bench/bucket`` tell what was counted and forget it. A rate limit is that of a workspace:
requests that name neither it nor one of its runs are free.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from bench import rows
from bench.bucket import Headers, Limited, limit_named

LIMITS = b'"limits":{"workflowExecutionRateLimit":{"sync":{"requestsPerMinute":600,"maxBurst":1200,"remaining":1200}}}'
FULL_PAGE = 1000
USAGE = json.dumps(
    {
        "success": True,
        "rateLimit": {
            side: {"isLimited": False, "requestsPerMinute": 600, "maxBurst": 1200, "remaining": 1200}
            for side in ("sync", "async")
        }
        | {"authType": "api"},
        "usage": {"currentPeriodCost": 12.34, "limit": 1000, "plan": "team"},
        "storage": {"usedBytes": 1, "limitBytes": 1000, "percentUsed": 0.1},
    }
).encode()
SNAPSHOT = json.dumps(
    {
        "workflowId": "aaaaaaaa-0001-4000-8000-000000000001",
        "workflowState": {"blocks": {"a": {"id": "a", "type": "agent"}}, "edges": [], "loops": {}, "parallels": {}},
        "executionMetadata": {"trigger": "api", "startedAt": "2026-11-01T00:00:00.000Z", "cost": {"total": 0.005}},
    }
)[1:-1].encode()

WORKFLOW = b'{"id":"aaaaaaaa-0001-4000-8000-000000000001","name":"Support triage"}'
FIXED = {
    "/api/v1/workflows": ("other", b'{"data":[' + WORKFLOW + b'],"nextCursor":null,' + LIMITS + b"}"),
    "/api/users/me/usage-limits": ("other", USAGE),
    "/api/v1/audit-logs": ("forbidden", b'{"error":"Not a member of any organization"}'),
}

TOO_MANY = b'{"error":"Rate limit exceeded","message":"API rate limit exceeded."}'

Query = dict[str, str]
Answer = tuple[int, bytes, float, Headers]
"""Status, body, seconds it takes, headers."""


class Api:
    """All workspaces, and how often each kind of answer was asked for."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self._workspaces: dict[str, rows.Workspace] = {}
        self._limited: dict[str, Limited] = {}

    def answer(self, path: str, query: Query) -> Answer:
        """Answers one request."""
        if path in ("/bench/prepare", "/bench/grow"):
            workspace = self._workspace(query["workspace"])
            if path == "/bench/grow":
                workspace.grow()
            return 200, json.dumps(workspace.facts()).encode(), 0.0, {}
        if path == "/bench/requests":
            counted, self.requests = self.requests, Counter()
            return 200, json.dumps(counted).encode(), 0.0, {}
        if path == "/bench/bucket":
            limited = self._limited.pop(query["workspace"], None)
            return 200, json.dumps(limited.facts() if limited else {}).encode(), 0.0, {}
        allowed, headers = self._taken(path, query)
        kind, body, delay = self._api(path, query) if allowed else ("refused", TOO_MANY, 0.0)
        self.requests[kind] += 1
        status = {"forbidden": 403, "missing": 404, "refused": 429}.get(kind, 200)
        return status, body, delay, headers

    def _taken(self, path: str, query: Query) -> tuple[bool, Headers]:
        """Whether the limit of the workspace, if it has one, lets a request through."""
        name = query.get("workspaceId") or self._holder(path)
        limit = self._workspace(name).limited if name else None
        if name is None or limit is None:
            return True, {}
        if name not in self._limited:
            self._limited[name] = Limited(limit_named(limit))
        return self._limited[name].take()

    def _holder(self, path: str) -> str | None:
        """The workspace of a run's detail."""
        log_id = unquote(path.removeprefix("/api/v1/logs/"))
        return next((name for name, workspace in self._workspaces.items() if log_id in workspace.places), None)

    def _api(self, path: str, query: Query) -> tuple[str, bytes, float]:
        if path == "/api/v1/logs":
            workspace = self._workspace(query["workspaceId"])
            return "list", _page(workspace, query), workspace.delay_s
        if path in FIXED:
            return *FIXED[path], 0.0
        if path.startswith("/api/v1/logs/executions/"):
            return "snapshot", b'{"executionId":"' + path.rsplit("/", 1)[1].encode() + b'",' + SNAPSHOT + b"}", 0.0
        holder = self._holder(path)
        if holder is None:
            return "missing", b'{"error":"Not found"}', 0.0
        workspace, log_id = self._workspaces[holder], unquote(path.removeprefix("/api/v1/logs/"))
        return "detail", b'{"data":' + (workspace.detail(log_id) or b"null") + b"," + LIMITS + b"}", workspace.delay_s

    def _workspace(self, name: str) -> rows.Workspace:
        if name not in self._workspaces:
            self._workspaces[name] = rows.make(name, int(time.time() * 1000))
        return self._workspaces[name]


def _ms(value: str | None) -> int | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _page(workspace: rows.Workspace, query: Query) -> bytes:
    order, limit = query.get("order", "desc"), min(int(query.get("limit", "100")), FULL_PAGE)
    first, last = workspace.between(_ms(query.get("startDate")), _ms(query.get("endDate")))
    if "cursor" in query:
        at = int(json.loads(base64.b64decode(query["cursor"]))["row"])
        first, last = (at + 1, last) if order == "asc" else (first, at)
    more = last - first > limit
    if order == "asc":
        last = min(last, first + limit)
    else:
        first = max(first, last - limit)
    page = workspace.page(first, last, full=query.get("details") == "full", newest_first=order != "asc")
    edge = json.dumps({"row": last - 1 if order == "asc" else first, "order": order}).encode()
    cursor = b'"' + base64.b64encode(edge) + b'"' if more else b"null"
    return b"".join((b'{"data":[', page, b'],"nextCursor":', cursor, b",", LIMITS, b"}"))


class Connection(asyncio.Protocol):
    """One keep-alive connection; GET only."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, self._received = self._received.split(b"\r\n\r\n", 1)
            target = urlsplit(head.split(b" ", 2)[1].decode())
            query = {name: values[-1] for name, values in parse_qs(target.query).items()}
            status, body, delay, headers = self._api.answer(target.path, query)
            more = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
            answer = (
                b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (status, len(body))
                + more
                + b"\r\n"
                + body
            )
            if delay:
                asyncio.get_running_loop().call_later(delay, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def serve() -> None:
    """Serves on a free port of loopback, which it prints, until stdin ends."""
    api = Api()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(api), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    await server.serve_forever()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve())
