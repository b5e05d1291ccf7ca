"""The routes of the v2 API, and the checks before them: address, key, flag, buckets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...world.world import World
from ..answers import Reply
from ..dialects import Dialect
from ..limits import Decision
from ..permissions import Caller, caller_of
from ..usage_answers import Spending
from . import ledger_answers, operation_buckets, v2_account, v2_runs, v2_workflows
from .replies import V2Error, error_reply, not_found
from .strict_query import V2Query

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class V2Request:
    """A request whose key is valid.

    Attributes:
        ids: The parts of the path that are ids.
        now_ms: The server's time, epoch milliseconds.
    """

    world: World
    dialect: Dialect
    caller: Caller
    ids: Sequence[str]
    text: str
    now_ms: int
    spending: Spending

    def query(self, known: frozenset[str]) -> V2Query:
        """Its parameters."""
        return V2Query(self.text, known)


@dataclass(frozen=True, slots=True)
class Route:
    """A path and its handler.

    Attributes:
        path: Below `/api/v2/`; `*` is an id.
        operation: Whose bucket is charged.
    """

    path: str
    operation: str
    answer: Callable[[V2Request], Reply]

    def ids(self, path: str) -> list[str] | None:
        """Returns the ids in a path; None if the path does not match."""
        mine, its = self.path.split("/"), path.split("/")
        if len(mine) != len(its) or not all(want in ("*", part) for want, part in zip(mine, its, strict=True)):
            return None
        return [part for want, part in zip(mine, its, strict=True) if want == "*"]


def _logs(asked: V2Request) -> Reply:
    known = v2_runs.SORTED_LOGS if asked.dialect.v2_sort_order else v2_runs.LOGS
    return v2_runs.list_v2_logs(asked.world, asked.dialect, asked.caller, asked.query(known))


def _one_log(asked: V2Request) -> Reply:
    asked.query(NOTHING)  # any parameter is 400
    return v2_runs.one_log(asked.world, asked.dialect, asked.caller, asked.ids[0])


def _one_run(asked: V2Request) -> Reply:
    asked.query(frozenset({"includeOutput", "selectedOutputs"}))
    return v2_runs.one_run(asked.world, asked.caller, asked.ids[0], asked.ids[1])


ROUTES = (
    Route("logs", "logs.list", _logs),
    Route("logs/*", "logs.read_detail", _one_log),
    Route(
        "workflows",
        "workflows.list",
        lambda a: v2_workflows.list_workflows_v2(a.world, a.caller, a.query(v2_workflows.WORKFLOWS)),
    ),
    Route(
        "workflows/folders",
        "workflows.folders.list",
        lambda a: v2_workflows.list_folders(a.world, a.caller, a.query(v2_workflows.FOLDERS)),
    ),
    Route(
        "workflows/*/versions",
        "workflows.versions.list",
        lambda a: v2_workflows.list_versions(a.world, a.caller, a.ids[0], a.query(v2_workflows.VERSIONS)),
    ),
    Route(
        "workflows/*/runs",
        "workflows.runs.list",
        lambda a: v2_runs.list_runs(a.world, a.caller, a.ids[0], a.query(v2_runs.RUNS)),
    ),
    Route("workflows/*/runs/*", "workflows.runs.read", _one_run),
    Route(
        "billing/logs",
        "billing.logs.list",
        lambda a: ledger_answers.list_billing(a.world, a.caller, a.query(ledger_answers.LOGS), a.now_ms),
    ),
    Route(
        "billing/status",
        "billing.status.read",
        lambda a: ledger_answers.billing_status(a.world, a.caller, a.query(ledger_answers.STATUS), a.spending),
    ),
    Route(
        "workspaces",
        "workspaces.list_public",
        lambda a: v2_account.list_workspaces(a.world, a.caller, a.query(v2_account.WORKSPACES)),
    ),
    Route(
        "workspaces/*/members",
        "workspaces.members.list_public",
        lambda a: v2_account.list_members(a.world, a.caller, a.ids[0], a.query(v2_account.MEMBERS)),
    ),
    Route(
        "audit-logs",
        "audit_logs.list",
        lambda a: v2_account.audit_logs(a.world, a.dialect, a.caller, a.query(v2_account.AUDIT)),
    ),
    Route(
        "audit-logs/*",
        "audit_logs.read_detail",
        lambda a: v2_account.one_audit_log(
            a.world, a.dialect, a.caller, a.ids[0], a.query(frozenset({"organizationId"}))
        ),
    ),
)


@dataclass(slots=True)
class V2Routes:
    """Answers requests below `/api/v2/`."""

    world: World
    spending: Spending
    buckets: operation_buckets.V2Buckets

    def answer(self, dialect: Dialect, path: str, query: str, key: str | None, now: float) -> Reply:
        """The answer to a GET of this path below `/api/v2/`; `now` is epoch seconds."""
        if dialect.v2 == "absent":
            return Reply(404, b"<!DOCTYPE html><html><body>404</body></html>", content_type="text/html; charset=utf-8")
        found = next(((route, ids) for route in ROUTES if (ids := route.ids(path)) is not None), None)
        if found is None:
            return not_found().reply  # even without a key, from v0.8.1
        caller = caller_of(self.world, key)
        refusal = self.buckets.at_address("127.0.0.1", now) or _gate(dialect, caller, key)
        if refusal is not None or caller is None:
            return refusal or not_found().reply
        route, ids = found
        decision = self.buckets.take(route.operation, caller, now)
        if not decision.allowed:
            return operation_buckets.too_many_requests(decision, self.buckets.operations.limit, now)
        request = V2Request(self.world, dialect, caller, ids, query, int(now * 1000), self.spending)
        return self._answered(route, request, decision)

    def _answered(self, route: Route, request: V2Request, decision: Decision) -> Reply:
        try:
            reply = route.answer(request)
        except V2Error as error:
            reply = error.reply
        reply.headers |= operation_buckets.rate_headers(decision, self.buckets.operations.limit)
        return reply


def _gate(dialect: Dialect, caller: Caller | None, key: str | None) -> Reply | None:
    """The key comes before the flag, and the flag before parameters: with the flag off anything is 404 (seen)."""
    if caller is None:
        return error_reply(401, "UNAUTHORIZED", "Invalid API key" if key else "API key required")
    return not_found().reply if dialect.v2 == "off" else None
