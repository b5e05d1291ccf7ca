"""The embedded Sim API as an ASGI application: keys, buckets, faults, routes, headers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import msgspec

from ...rate_limit import RateLimit
from ..world.moments import iso_of_ms
from ..world.world import World
from .answers import BadRequestError, Reply, ServerError, error, json_answer, named_moment, too_many
from .audits import list_audit, one_audit
from .dialects import Dialect
from .faults import Fault, Faults, fault_answer
from .limits import NO_LIMIT, Buckets, Decision
from .log_answers import list_logs
from .params import Params
from .permissions import Caller, caller_of, may_read
from .run_answers import detail, execution
from .usage_answers import Spending
from .v2.operation_buckets import ADDRESS, V2Buckets
from .v2.routes import V2Routes
from .workflow_answers import list_workflows, one_workflow

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Request:
    """A request and its status; the key is never kept. Status 0: it was not answered.

    Attributes:
        arrived: When it arrived, in epoch seconds of the server's clock.
        asked_to_wait_until: The earliest time for a retry that the answer names, if any.
    """

    path: str
    query: str
    status: int
    arrived: float = 0.0
    asked_to_wait_until: float | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


class EmbeddedApi:
    """The ASGI application.

    Attributes:
        world: The data; may be changed between requests.
        dialect: The server's generation; replace it to simulate an upgrade.
        requests: Every request, in order of its answer.
        before_request: Called with (number from 1, path) before each answer, in the server's thread.
        drop: Resets the connection of a scope; set by the server.
    """

    def __init__(
        self,
        world: World,
        dialect: Dialect,
        limit: RateLimit | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.world = world
        self.dialect = dialect
        self.buckets = Buckets(limit or NO_LIMIT)
        self.faults = faults or Faults()
        self.clock = clock
        self.usage = Spending(world)
        self.v2 = V2Routes(world, self.usage, V2Buckets(Buckets(limit or NO_LIMIT), Buckets(ADDRESS)))
        self.requests: list[Request] = []
        self.before_request: Callable[[int, str], None] | None = None
        self.drop: Callable[[Scope, bool], None] = lambda scope, reset: None
        self._asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            return
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        self._asked += 1
        arrived = self.clock()
        if self.before_request is not None:
            self.before_request(self._asked, path)
        fault = self.faults.pick(path, query)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.gate is not None:
            await fault.gate.passed()
        if fault is not None and fault.kind == "reset":
            self.requests.append(Request(path, query, 0, arrived))
            self.drop(scope, True)
            return
        keys = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-api-key"]
        with self.world.lock:
            answer = self.answer(scope["method"], path, query, keys[0] if keys else None, fault)
        wait_until = named_moment(answer, self.clock())
        self.requests.append(Request(path, query, answer.status, arrived, wait_until))
        await self._send(scope, send, answer, fault)

    async def _send(self, scope: Scope, send: Send, answer: Reply, fault: Fault | None) -> None:
        headers = {
            "content-type": answer.content_type,
            "content-length": str(len(answer.body)),
            "date": formatdate(self.clock(), usegmt=True),
            **answer.headers,
        }
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        if fault is not None and fault.kind == "cut_off":
            part = answer.body[: int(len(answer.body) * fault.keep)]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            self.drop(scope, False)
            return
        await send({"type": "http.response.body", "body": answer.body})

    def answer(self, method: str, path: str, query: str, key: str | None, fault: Fault | None) -> Reply:
        """Returns the answer to a request, without sending it."""
        if fault is not None and fault.kind in ("answer", "rate_limited") and not fault.costs_token:
            return fault_answer(fault, self.clock())
        if path == "/api/users/me/usage-limits":
            answer = self._usage_limits(key)
        elif path.startswith("/api/v1/"):
            answer = self._v1(method, path.removeprefix("/api/v1/"), query, key, fault)
        elif path.startswith("/api/v2/"):
            answer = self.v2.answer(self.dialect, path.removeprefix("/api/v2/"), query, key, self.clock())
            if fault is not None and fault.kind == "answer" and answer.status == 200:
                answer = fault_answer(fault, self.clock())
        else:
            answer = error(404, "Not found")
        if fault is not None and fault.endless is not None:
            answer = fault.endless.page(path, answer)
        if self.dialect.request_ids:
            answer.headers["x-request-id"] = f"{self._asked:08x}"
        return answer

    def _usage_limits(self, key: str | None) -> Reply:
        """Not rate limited, and has its own error message (usage_limits_no_key)."""
        caller = caller_of(self.world, key)
        if caller is None:
            return error(401, "Authentication required", code="AUTHENTICATION_REQUIRED")
        return json_answer(self.usage.usage_limits(caller, self._now_ms()))

    def _v1(self, method: str, path: str, query: str, key: str | None, fault: Fault | None) -> Reply:
        caller = caller_of(self.world, key)
        if caller is None:
            return self._unauthorized("Invalid API key" if key else "API key required")
        # One bucket for all v1 endpoints, per organization on Enterprise; errors cost a token too.
        payer = caller.account.id if caller.account.plan == "enterprise" else caller.user.id
        verdict = self.buckets.take(payer, self.clock())
        if not verdict.allowed:
            return self._too_many(verdict)
        params = Params(query, self.dialect)
        try:
            if method != "GET":
                answer = error(405, "Method not allowed")
            elif fault is not None and _strikes(fault, params):
                answer = fault_answer(fault, self.clock())
            else:
                answer = self._route(path, caller, params)
        except BadRequestError as bad:
            answer = bad.answer(self.dialect)
        except ServerError:
            answer = error(500, "Internal server error")
        if answer.status < 400 or self.dialect.headers_on_errors:
            answer.headers.update(self._rate_headers(verdict))
        return answer

    def _route(self, path: str, caller: Caller, params: Params) -> Reply:
        world, dialect = self.world, self.dialect
        limits = self.usage.limits(caller.account, self._now_ms())
        head, _, rest = path.partition("/")
        match (head, rest):
            case ("logs", ""):
                answer = list_logs(world, dialect, caller, params, _encode(limits))
            case ("logs", _) if rest.startswith("executions/"):
                answer = self._execution(rest.removeprefix("executions/"), caller, limits)
            case ("logs", _):
                answer = self._detail(rest, caller, limits)
            case ("audit-logs", ""):
                answer = list_audit(world, dialect, caller, params, limits)
            case ("audit-logs", _):
                answer = one_audit(world, dialect, caller, rest, limits)
            case ("workflows", ""):
                answer = list_workflows(world, dialect, caller, params, limits)
            case ("workflows", _):
                answer = one_workflow(world, dialect, caller, rest, limits)
            case _:
                answer = error(404, "Not found")
        return answer

    def _detail(self, run_id: str, caller: Caller, limits: dict[str, Any]) -> Reply:
        run = self.world.runs.get(run_id)
        if run is None or not may_read(self.world, caller, run.workspace_id):
            return error(404, "Log not found")
        return json_answer({"data": detail(self.dialect, self.world, run), "limits": limits})

    def _execution(self, execution_id: str, caller: Caller, limits: dict[str, Any]) -> Reply:
        run = self.world.executions.get(execution_id)
        if run is None or not may_read(self.world, caller, run.workspace_id):
            return error(404, "Workflow execution not found")
        return json_answer({**execution(self.dialect, run), "limits": limits})

    def _now_ms(self) -> int:
        return int(self.clock() * 1000)

    def _rate_headers(self, verdict: Decision) -> dict[str, str]:
        """Limit is the capacity on 2026-08 and the refill rate on 2026-03."""
        bucket = self.buckets.limit
        limit = bucket.capacity if self.dialect.header_limit == "capacity" else bucket.rate
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(verdict.remaining),
            "x-ratelimit-reset": iso_of_ms(int(verdict.resets_at * 1000)),
        }

    def _too_many(self, verdict: Decision) -> Reply:
        resets_ms = int(verdict.resets_at * 1000)
        answer = too_many(resets_ms)
        answer.headers = {**self._rate_headers(verdict), "retry-after": str(verdict.retry_after)}
        return answer

    def _unauthorized(self, text: str) -> Reply:
        """401; on 2026-03 with wrong rate limit headers (logs_bad_key)."""
        answer = error(401, text)
        if self.dialect.headers_on_401:
            answer.headers = {
                "x-ratelimit-limit": "10",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": iso_of_ms(self._now_ms()),
            }
        return answer


def _strikes(fault: Fault, params: Params) -> bool:
    """Whether a fault that costs a token applies to this request."""
    if fault.kind == "oversize":
        asked = int(params.number("limit") or 100)
        return params.text("details") == "full" and asked > fault.limit
    return fault.kind == "answer"
