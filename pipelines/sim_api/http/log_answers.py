"""GET /api/v1/logs: filters, order, ties, cursors and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from random import Random

from ..world.entities import SimRun
from ..world.moments import iso_of_ms, js_date
from ..world.world import World
from .answers import Reply, ServerError, error
from .cursors import decode_cursor, encode_cursor
from .dialects import Dialect
from .params import Params
from .permissions import Caller, list_refusal
from .run_answers import cost_object, encode, kept, list_row

_CACHED_WORLD = 20_000
"""Above this many runs, rendered rows are not cached: a load test must not fill the memory."""


@dataclass(frozen=True, slots=True)
class After:
    """Where a page begins: after this row."""

    started_ms: int
    id: str


class InvalidCursorError(Exception):
    """400 `Invalid cursor`."""


@dataclass(slots=True)
class LogsQuery:
    """One parsed request."""

    workspace_id: str
    descending: bool
    start_ms: int | None
    end_ms: int | None
    full: bool
    spans: bool
    output: bool
    limit: int
    after: After | None
    wanted: Callable[[SimRun], bool]


def read_query(params: Params, dialect: Dialect) -> LogsQuery:
    """Validates the parameters in the same order as Sim: schema first, then dates, then the cursor."""
    workspace_id = params.workspace_id()
    params.choice("level", ("info", "error"))
    full = params.choice("details", ("basic", "full")) == "full"
    descending = params.choice("order", ("desc", "asc")) != "asc"
    wanted = _filters(params, dialect)
    limit = params.log_limit()
    query = LogsQuery(
        workspace_id,
        descending,
        params.date("startDate", strict=False),
        params.date("endDate", strict=False),
        full,
        full and params.flag("includeTraceSpans"),
        full and params.flag("includeFinalOutput"),
        limit,
        None,
        wanted,
    )
    query.after = _cursor(params, dialect, descending)
    return query


def _cursor(params: Params, dialect: Dialect, descending: bool) -> After | None:
    text = params.text("cursor")
    if text is None:
        return None
    fields = decode_cursor(text)
    moment = js_date(str(fields.get("startedAt"))) if fields else None
    if fields is None or moment is None or not isinstance(fields.get("id"), str):
        # 2026-03 silently returns page 1, so a careless loop never ends (logs_bad_cursor).
        if dialect.zod == 4:
            raise InvalidCursorError
        return None
    if dialect.log_cursors == "fail":
        raise ServerError("the cursor's condition is not valid SQL (logs_walk_asc_50_p01)")
    if fields.get("order", "desc" if descending else "asc") != ("desc" if descending else "asc"):
        raise InvalidCursorError
    return After(moment, fields["id"])


def _filters(params: Params, dialect: Dialect) -> Callable[[SimRun], bool]:
    """All filters except workspace and dates, as one predicate."""
    workflow_ids, folder_ids = params.texts("workflowIds"), params.texts("folderIds")
    triggers, level, model = params.texts("triggers"), params.text("level"), params.text("model")
    execution_id = params.text("executionId")
    durations = params.number("minDurationMs"), params.number("maxDurationMs")
    costs = params.number("minCost"), params.number("maxCost")
    if model and dialect.model_filter_fails:
        raise ServerError("the model filter is not valid SQL (logs_filter_model)")

    def total(run: SimRun) -> float | None:
        cost = cost_object(dialect, run, "total")
        return None if cost is None else float(cost["total"])

    def wanted(run: SimRun) -> bool:
        workflow = run.workflow
        return (
            (execution_id is None or run.execution_id == execution_id)
            and (workflow_ids is None or (not workflow.deleted and workflow.id in workflow_ids))
            and (folder_ids is None or (not workflow.deleted and workflow.folder_id in folder_ids))
            and (triggers is None or run.trigger in triggers)
            and (level is None or run.level == level)
            and (model is None or (run.has_trace and model in run.seen.cost.models))
            and (durations == (None, None) or is_between(run.duration_ms, *durations))
            and (costs == (None, None) or is_between(total(run), *costs))
        )

    return wanted


def is_between(value: float | None, low: float | None, high: float | None) -> bool:
    """Compares like SQL: null is never between."""
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def candidates(world: World, dialect: Dialect, query: LogsQuery) -> Iterator[SimRun]:
    """Runs of the workspace in response order, from the cursor on; both dates are inclusive."""
    low = 0 if query.start_ms is None else world.first_at(query.workspace_id, query.start_ms)
    runs = world.runs_of(query.workspace_id)
    high = len(runs) if query.end_ms is None else world.first_at(query.workspace_id, query.end_ms + 1)
    after = query.after
    if after is not None:
        if query.descending:
            high = min(high, world.first_at(query.workspace_id, after.started_ms + 1))
        else:
            low = max(low, world.first_at(query.workspace_id, after.started_ms))
    places = range(high - 1, low - 1, -1) if query.descending else range(low, high)
    for run in _with_ties(dialect.ties, world.shuffler, (runs[place] for place in places)):
        if after is None or _is_behind(run, after, query.descending):
            yield run


def _is_behind(run: SimRun, after: After, descending: bool) -> bool:
    mine, its = (run.started_ms, run.id), (after.started_ms, after.id)
    return mine < its if descending else mine > its


def _with_ties(ties: str, shuffler: Random, runs: Iterator[SimRun]) -> Iterator[SimRun]:
    """Orders runs that share a startedAt as the server does: by id, by insertion, or shuffled."""
    if ties == "fixed":
        yield from runs
        return
    for _, group in groupby(runs, key=lambda run: run.started_ms):
        tied = sorted(group, key=lambda run: run.seq)
        if ties == "unordered":
            shuffler.shuffle(tied)
        yield from tied


def list_logs(world: World, dialect: Dialect, caller: Caller, params: Params, limits: bytes) -> Reply:
    """Answers GET /api/v1/logs; `limits` is the encoded object of the same name."""
    try:
        query = read_query(params, dialect)
    except InvalidCursorError:
        return error(400, "Invalid cursor")
    if dialect.access_errors:
        refusal = list_refusal(world, dialect, caller, query.workspace_id)
        if refusal is not None:
            return refusal
    # 2026-03 joins on permissions: rows that the caller may not read are missing from the result.
    elif not _joined(world, caller, query.workspace_id):
        return _page([], None, limits)
    rows, more = _cut(candidates(world, dialect, query), query)
    cursor = None
    if more and rows:
        fields = {"startedAt": iso_of_ms(rows[-1].started_ms), "id": rows[-1].id}
        if dialect.zod == 4:
            fields["order"] = "desc" if query.descending else "asc"
        cursor = encode_cursor(fields)
    return _page([_encoded(world, dialect, run, query) for run in rows], cursor, limits)


def _joined(world: World, caller: Caller, workspace_id: str) -> bool:
    workspace = world.workspaces.get(workspace_id)
    readable = workspace is not None and caller.user.id in workspace.readers
    return readable and caller.key.workspace_id in (None, workspace_id)


def _cut(found: Iterator[SimRun], query: LogsQuery) -> tuple[list[SimRun], bool]:
    """The page, and whether there is more. A negative limit cuts from the end (logs_limit_neg, 2026-03)."""
    wanted = filter(query.wanted, found)
    if query.limit < 0:
        return list(wanted)[: query.limit], True
    rows: list[SimRun] = []
    for run in wanted:
        if len(rows) == query.limit:
            return rows, True
        rows.append(run)
    return rows, False


def _encoded(world: World, dialect: Dialect, run: SimRun, query: LogsQuery) -> bytes:
    def render() -> object:
        return list_row(dialect, run, query.full, query.spans, query.output)

    if not query.full or len(world.runs) > _CACHED_WORLD:
        return encode(render())
    return kept(run, (dialect, query.spans, query.output), render)


def _page(rows: list[bytes], cursor: str | None, limits: bytes) -> Reply:
    """`{data, nextCursor?, limits}`: the last page has no key nextCursor."""
    middle = b"" if cursor is None else b'"nextCursor":' + encode(cursor) + b","
    return Reply(200, b'{"data":[' + b",".join(rows) + b"]," + middle + b'"limits":' + limits + b"}")
