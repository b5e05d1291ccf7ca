"""Never poorer: what is stored of a run and what was just read of it, as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.rows import merge, run_rows, runs, stored_run
from sim_source.rows.run_rows import RunRows
from sim_source.rows.stored_run import StoredRun
from sim_source.run_tables import COST_ITEMS, LOG_DETAILS, LOGS
from sim_source.schema import Row, Table

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
END = START + timedelta(seconds=5)
D = Decimal
TRACE = [
    {"type": "workflow", "children": [{"type": "agent", "model": "gpt-4o", "tokens": {"input": 7, "output": 3}}]},
]
SPLIT = {"gpt-4o": {"total": 0.01, "tokens": {"input": 7, "output": 3}}}


def answer(**fields: Any) -> wire.Run:
    told = {
        "id": "r1",
        "startedAt": START.isoformat(),
        "endedAt": END.isoformat(),
        "executionId": "x1",
        "workflowId": "w1",
        "level": "info",
        "trigger": "api",
        "totalDurationMs": 5000,
        "cost": {"total": 0.015},
        "workflow": {"id": "w1", "name": "Triage", "description": "Sorts"},
    }
    return decode.one(jsons.encode({**told, **fields}), wire.Run)


LIST = answer(traceSpans=TRACE)
DETAIL = answer(
    executionData={"models": SPLIT, "tokens": {"input": 7, "output": 3, "total": 10}, "finalizationPath": "completed",
                   "traceSpans": TRACE},
    createdAt=START.isoformat(),
)  # fmt: skip
EXPIRED = answer(executionData={"hasTraceSpans": True, "traceSpanCount": 2})
DELETED = {"workflowId": None, "workflow": {"id": None, "name": "Deleted Workflow", "deleted": True}}


def read(run: wire.Run, detail: wire.Run | None = None, **options: Any) -> RunRows:
    return runs.read_run(run, "ws", run_rows.RunOptions(**options), detail, asked=detail is not None)


def stored(run: wire.Run, detail: wire.Run | None = None, **options: Any) -> StoredRun:
    rows = read(run, detail, **options)
    return StoredRun(rows.log, rows.detail or None, rows.items)


def fields(table: Table, row: Row) -> dict[str, Any]:
    return dict(zip(table.column_names, row, strict=True))


def items(rows: RunRows | StoredRun) -> dict[str, Decimal]:
    found = [fields(COST_ITEMS, item) for item in rows.items]
    return {item["name"]: item["total_cost"] for item in found}


def log(rows: RunRows) -> dict[str, Any]:
    return fields(LOGS, rows.log)


def detail(rows: RunRows) -> dict[str, Any]:
    return fields(LOG_DETAILS, rows.detail)


WHOLE = stored(LIST, DETAIL)


def test_the_stored_run_of_these_tests_is_rich() -> None:
    assert items(WHOLE) == {"gpt-4o": D("0.01"), "other": D("0.005")}
    assert WHOLE.fingerprint.spans == 2


@pytest.mark.parametrize(
    "poorer",
    [
        read(LIST),
        read(answer()),
        read(answer(cost=None)),
        read(answer(**DELETED)),
        read(LIST, EXPIRED),
        read(answer(), EXPIRED),
        read(answer(), logs_only=True),
    ],
    ids=["list", "no trace", "no cost", "deleted", "expired detail", "all expired", "plain list"],
)
def test_a_poorer_answer_of_the_same_end_changes_nothing(poorer: RunRows) -> None:
    assert not merge.changed(WHOLE.fingerprint, poorer)
    merged = merge.richer(poorer, WHOLE)
    assert log(merged) | {"extra": None} == fields(LOGS, WHOLE.log)
    assert not merged.pending
    assert not merged.items or items(merged) == items(WHOLE)
    if merged.detail:
        kept, was = detail(merged), fields(LOG_DETAILS, WHOLE.detail or ())
        told = ("workflow_deleted", "execution_data", "extra")
        assert {name: value for name, value in kept.items() if name not in told} == {
            name: value for name, value in was.items() if name not in told
        }


def test_a_deleted_workflow_keeps_its_name_and_is_marked() -> None:
    merged = merge.richer(read(answer(**DELETED)), WHOLE)
    assert (log(merged)["workflow_id"], log(merged)["workflow_name"]) == ("w1", "Triage")
    assert detail(merged)["workflow_deleted"] is True
    assert detail(merged)["workflow_description"] == "Sorts"


def test_a_run_that_went_on_is_taken_as_it_is_now() -> None:
    later = answer(
        endedAt=(END + timedelta(hours=1)).isoformat(), cost={"total": 0.03}, level="error", traceSpans=TRACE
    )
    assert merge.changed(WHOLE.fingerprint, read(later))
    merged = merge.richer(read(later), WHOLE)
    assert merged.pending
    assert items(merged) == {"gpt-4o": D("0.01"), "other": D("0.005"), "unknown": D("0.015")}
    told = detail(merged)
    assert (told["detail_source"], told["finalization_path"], told["cost_total"]) == ("list", None, D("0.03"))
    assert told["created_at"] == START


def test_a_split_that_was_lost_stays_and_of_what_came_after_nothing_is_known() -> None:
    grown = {"cost": {"total": 0.03}, "endedAt": (END + timedelta(hours=1)).isoformat()}
    merged = merge.richer(read(answer(**grown), answer(**grown, executionData={"hasTraceSpans": True})), WHOLE)
    assert items(merged) == {"gpt-4o": D("0.01"), "other": D("0.005"), "unknown": D("0.015")}
    assert not merged.pending


def test_a_cost_below_the_stored_split_is_told_as_it_is() -> None:
    less = answer(cost={"total": 0.002})
    assert items(merge.richer(read(less, answer(cost={"total": 0.002}, executionData={})), WHOLE)) == {
        "unknown": D("0.002")
    }


def test_a_run_that_turns_out_to_cost_nothing_says_so() -> None:
    before = stored(answer(endedAt=None, cost={"total": 0.005}))
    assert items(before) == {"other": D("0.005")}
    assert items(merge.richer(read(answer(cost={"total": 0})), before)) == {"other": D(0)}


def test_a_trace_that_appears_later_is_news() -> None:
    before = stored(answer(endedAt=END.isoformat(), cost=None))
    now = read(answer(cost=None, traceSpans=TRACE))
    assert merge.changed(before.fingerprint, now)
    assert len(merge.richer(now, before).spans) == 2


def test_a_row_of_logs_without_its_detail_is_sent_again() -> None:
    assert merge.changed(WHOLE.fingerprint._replace(spans=-1), read(answer()))


@pytest.mark.parametrize(
    ("known", "silent", "changed"),
    [("cancelled", False, False), ("failed", False, False), ("paused", True, False), ("paused", False, True)],
)
def test_a_status_that_only_a_richer_answer_told_is_not_undone(known: str, silent: bool, changed: bool) -> None:
    fingerprint = WHOLE.fingerprint._replace(status=known)
    now = read(LIST if silent else answer(traceSpans=TRACE, finalOutput={"content": "done"}))
    assert merge.changed(fingerprint, now) is changed
    row = fields(LOGS, WHOLE.log) | {"status": known}
    before = StoredRun(tuple(row.values()), WHOLE.detail, WHOLE.items)
    assert log(merge.richer(now, before))["status"] == (known if not changed else "completed")


def test_fields_nobody_has_documented_are_kept_when_they_are_no_longer_sent() -> None:
    before = stored(answer(region="eu", score=1))
    merged = merge.richer(read(answer(score=2)), before)
    assert jsons.anything(log(merged)["extra"].encode()) == {"region": "eu", "score": 2}


def test_a_run_that_is_gone_keeps_what_is_known_and_its_cost_stays_unknown() -> None:
    before = stored(LIST)
    assert items(before) == {"unknown": D("0.015")}
    gone = merge.gone_run(before)
    assert gone.log == before.log
    assert items(gone) == {}  # as stored
    assert detail(gone)["detail_source"] == "detail"
    assert merge.news(merge.gone_run(WHOLE), WHOLE) is None


def test_a_torn_run_that_is_gone_adds_up_again() -> None:
    row = fields(LOGS, WHOLE.log) | {"cost_total": D("0.5")}
    gone = merge.gone_run(StoredRun(tuple(row.values()), WHOLE.detail, WHOLE.items))
    assert items(gone) == {"gpt-4o": D("0.01"), "other": D("0.005"), "unknown": D("0.485")}
    assert detail(gone)["cost_total"] == D("0.5")


def again(rows: RunRows, before: StoredRun) -> StoredRun:
    """What is stored after an answer was merged."""
    return StoredRun(rows.log, rows.detail or before.detail, rows.items or before.items)


PLAIN = answer(traceSpans=[{"type": "workflow", "children": [{"type": "function"}]}])


@pytest.mark.parametrize("poorer", [read(answer()), read(answer(), EXPIRED)], ids=["list", "detail"])
@pytest.mark.parametrize("rich", [WHOLE, stored(PLAIN, None)], ids=["models", "base charge"])
def test_a_stored_split_is_never_replaced_by_unknown(rich: StoredRun, poorer: RunRows) -> None:
    assert items(poorer) == {"unknown": D("0.015")}
    merged = merge.richer(poorer, rich)
    assert items(again(merged, rich)) == items(rich)
    assert not merged.pending


def test_what_a_run_cost_before_it_went_on_stays_known_though_it_is_purged_then() -> None:
    grown = answer(cost={"total": 0.03}, endedAt=(END + timedelta(hours=1)).isoformat())
    waiting = again(merge.richer(read(grown), WHOLE), WHOLE)
    assert items(again(merge.gone_run(waiting), waiting)) == {
        "gpt-4o": D("0.01"),
        "other": D("0.005"),
        "unknown": D("0.015"),
    }


def test_a_split_that_comes_at_last_replaces_unknown() -> None:
    merged = merge.richer(read(LIST, DETAIL), stored(LIST, EXPIRED))
    assert items(merged) == {"gpt-4o": D("0.01"), "other": D("0.005")}


@pytest.mark.parametrize("last", [EXPIRED, None], ids=["expired", "404"])
def test_a_cost_whose_split_was_never_told_is_unknown_and_not_asked_for_again(last: wire.Run | None) -> None:
    row = answer()
    first = read(row)
    assert (items(first), first.pending) == ({"unknown": D("0.015")}, True)
    before = StoredRun(first.log, first.detail, first.items)
    merged = merge.gone_run(before) if last is None else merge.richer(read(row, last), before)
    after = again(merged, before)
    assert (items(after), detail(merged)["detail_source"]) == ({"unknown": D("0.015")}, "detail")
    assert not merge.richer(read(row), after).pending


def ended(**fields: Any) -> wire.Run:
    return answer(cost=None, **fields)


CANCELLED = {"finalOutput": {"cancelled": True}}
SWEPT = ended(executionData={"hasTraceSpans": False, "traceSpanCount": 0})
WITHHELD = ended()
ANSWERED = answer(traceSpans=TRACE)
PAUSED = answer(finalOutput={"paused": True}, traceSpans=TRACE)
WAITS = {"finalOutput": {"paused": True}, "finalizationPath": "paused", "models": SPLIT, "traceSpans": TRACE}
RESUMED_THEN_SWEPT = answer(executionData={**WAITS, "error": "Execution timed out"})


@pytest.mark.parametrize(
    ("known", "before", "now", "status"),
    [
        ("completed", stored(WITHHELD), read(WITHHELD), "failed"),
        ("completed", stored(WITHHELD, SWEPT), read(WITHHELD), "failed"),
        ("completed", stored(answer(traceSpans=TRACE)), read(answer(**CANCELLED, traceSpans=TRACE)), "cancelled"),
        ("paused", stored(PAUSED, RESUMED_THEN_SWEPT), read(PAUSED), "failed"),
        ("failed", stored(WITHHELD), read(WITHHELD, ended(executionData={"traceSpanCount": 2})), "completed"),
        ("failed", stored(WITHHELD), read(ended(finalOutput={"content": "done"})), "completed"),
        ("cancelled", stored(answer(**CANCELLED)), read(answer(), DETAIL), "completed"),
        ("completed", stored(answer(), logs_only=True), read(PAUSED), "paused"),
    ],
    ids=[
        "earlier version: swept",
        "earlier version: swept, with its detail",
        "earlier version: cancelled",
        "earlier version: resumed, then swept",
        "swept as it seemed: an expired trace",
        "swept as it seemed: a final output",
        "cancelled as it seemed: a path",
        "plain list: paused",
    ],
)
def test_a_richer_answer_corrects_the_status(known: str, before: StoredRun, now: RunRows, status: str) -> None:
    before = StoredRun(tuple((fields(LOGS, before.log) | {"status": known}).values()), before.detail, before.items)
    assert merge.changed(before.fingerprint, now)
    assert log(merge.richer(now, before))["status"] == status


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (stored(WITHHELD), read(WITHHELD, logs_only=True)),
        (stored(ANSWERED, answer(executionData={"error": "timed out"})), read(PAUSED)),
        (stored(answer(**CANCELLED)), read(answer())),
        (stored(answer(**CANCELLED)), read(answer(), logs_only=True)),
        (stored(PAUSED, RESUMED_THEN_SWEPT), read(PAUSED)),
        (stored(PAUSED), read(answer())),
        (stored(PAUSED), read(answer(), logs_only=True)),
        (stored(answer(**CANCELLED), DETAIL), read(answer(**CANCELLED))),
        (stored(ended(traceSpans=TRACE)), read(WITHHELD)),
        (stored(ended(traceSpans=TRACE)), read(WITHHELD, logs_only=True)),
        (
            stored(answer(level="error"), answer(level="error", executionData={"finalizationPath": "cancelled"})),
            read(answer(level="error")),
        ),
    ],
    ids=[
        "swept, plain list",
        "an error told, paused in lists",
        "cancelled, no output any more",
        "cancelled, plain list",
        "resumed then swept, list",
        "paused, no output any more",
        "paused, plain list",
        "a path, and an output that only looks cancelled",
        "spans that expired",
        "spans, plain list",
        "cancelled while a block failed",
    ],
)
def test_a_poorer_answer_never_changes_the_status(before: StoredRun, now: RunRows) -> None:
    assert now.fingerprint.status != before.fingerprint.status or now.evidence < merge.evidence_of(before.fingerprint)
    assert not merge.changed(before.fingerprint, now)
    assert log(merge.richer(now, before))["status"] == before.fingerprint.status


def test_an_expired_trace_without_a_cost_stays_completed_though_lists_show_nothing() -> None:
    before = stored(WITHHELD, ended(executionData={"hasTraceSpans": True, "traceSpanCount": 2}))
    assert before.fingerprint.status == "completed"
    assert log(merge.richer(read(WITHHELD), before))["status"] == "completed"


def test_a_paused_run_that_went_on_at_no_cost_has_its_detail_asked_for_again() -> None:
    """Its list row is the same but for ``endedAt``, whether it waits again or was swept."""
    before = stored(PAUSED, answer(executionData=WAITS))
    assert not merge.richer(read(PAUSED), before).pending
    later = answer(endedAt=(END + timedelta(hours=1)).isoformat(), finalOutput={"paused": True}, traceSpans=TRACE)
    assert merge.richer(read(later), before).pending


def test_only_what_differs_is_loaded() -> None:
    assert merge.news(read(LIST, DETAIL), WHOLE) is None
    told = merge.news(read(LIST, answer(executionData={"models": SPLIT, "finalizationPath": "cancelled"})), WHOLE)
    assert told is not None
    assert log(told)["status"] == "cancelled"
    assert told.items == []


def test_json_that_a_database_writes_anew_is_the_same() -> None:
    one = ("r1", *[None] * 13, '{"a": 1, "b": [2]}', None)
    other = ("r1", *[None] * 13, '{"b":[2],"a":1}', None)
    assert stored_run.same_row(LOGS, one, other)
    assert not stored_run.same_row(LOGS, one, (*one[:13], '{"a":2}', None))
