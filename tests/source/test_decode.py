"""Bytes to structures: nothing is lost, and what does not fit is set aside with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.errors import UnreadableAnswer
from sim_source.rows import account_rows, run_rows, runs, snapshots
from tests.helpers import recorded

START = "2026-11-20T08:00:00.000Z"


def run(**fields: Any) -> dict[str, Any]:
    return {"id": "r1", "startedAt": START, "endedAt": START, "level": "info", "cost": {"total": 0.01}, **fields}


def page(*rows: Any, **more: Any) -> bytes:
    return jsons.encode({"data": list(rows), "limits": {"any": "thing"}, **more})


def extras(**fields: Any) -> tuple[Any, Any, list[Any]]:
    """`extra` of the run, of its detail and of its spans."""
    (row,) = decode.run_page(page(run(**fields))).rows
    found = runs.read_run(row, "ws", run_rows.RunOptions())
    texts = (found.log[-1], found.detail[-1], *(span[-1] for span in found.spans))
    log, detail, *spans = [None if text is None else json.loads(text) for text in texts]
    return log, detail, spans


@pytest.mark.parametrize(
    ("fields", "log", "detail", "spans"),
    [
        ({}, None, None, []),
        ({"region": "eu", "nested": {"a": [1]}}, {"region": "eu", "nested": {"a": [1]}}, None, []),
        ({"cost": {"total": 0.01, "credits": 7}}, None, {"cost": {"credits": 7}}, []),
        ({"workflow": {"id": "w", "team": "t"}}, None, {"workflow": {"team": "t"}}, []),
        ({"traceSpans": [{"name": "s", "score": 3}]}, None, None, [{"score": 3}]),
        ({"traceSpans": [{"children": [{"name": "s", "score": 3}]}]}, None, None, [None, {"score": 3}]),
        ({"traceSpans": [{"name": "s", "tokens": {"input": 1, "audio": 5}}]}, None, None, [{"tokens": {"audio": 5}}]),
    ],
    ids=[
        "nothing unknown",
        "on the row",
        "in the cost",
        "in the workflow",
        "on a span",
        "on an inner span",
        "in tokens",
    ],
)
def test_unknown_fields_are_kept_where_they_stood(fields: Any, log: Any, detail: Any, spans: Any) -> None:
    assert extras(**fields) == (log, detail, spans)


COST = {
    "total": 0.01,
    "input": 0.004,
    "output": 0.005,
    "toolCost": 0.001,
    "pricing": {"input": 2.5, "at": "2026-01-01"},
}


def test_all_of_a_runs_cost_is_kept() -> None:
    """2026-03 gives the whole object; tokens and models have columns and rows of their own."""
    tokens = {"input": 1200, "output": 340, "total": 1540, "cacheRead": 128, "audio": 5}
    _, detail, _ = extras(cost={**COST, "tokens": tokens, "models": {"gpt-4o": {"total": 0.01}}})
    assert detail == {
        "cost": {**{name: COST[name] for name in COST if name != "total"}, "tokens": {"cacheRead": 128, "audio": 5}}
    }


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"total": 0.01, "input": 0.01, "output": 0, "tokens": {"input": 1, "output": 2, "total": 3}}, None),
        ({"total": 0.01, "pricing": {"input": 2.5, "output": 10}}, {"pricing": {"input": 2.5, "output": 10}}),
        ({"total": 0.01, "tokens": {"input": 1, "cacheRead": 4}}, {"tokens": {"cacheRead": 4}}),
        ({"total": 0.01, "tokens": {"input": 1, "audio": 4}}, {"tokens": {"audio": 4}}),
        ({"total": 0.01, "credits": 3, "note": "private?"}, {"credits": 3, "note": None}),
        ({"total": 0.01, "tokens": 5}, None),
    ],
)
@pytest.mark.parametrize("place", ["cost", "executionData"])
def test_what_a_models_cost_tells_beyond_its_columns_is_kept(entry: Any, kept: Any, place: str) -> None:
    models = {"models": {"gpt-4o": entry}}
    told = {"cost": {"total": 0.01, **models}} if place == "cost" else {"executionData": models}
    (row,) = decode.run_page(page(run(**told))).rows
    (item,) = runs.read_run(row, "ws", run_rows.RunOptions(), row).items
    assert (None if item[-1] is None else json.loads(item[-1])) == kept


def test_what_is_told_twice_and_differs_is_kept() -> None:
    data = {
        "tokens": {"input": 1, "output": 1, "total": 2},
        "tokenBreakdown": {"prompt": 9, "completion": 9, "total": 18},
        "models": {"gpt-4o": {"total": 0.5}},
    }
    for models, tokens in (({"gpt-4o": {"total": 0.5}}, data["tokenBreakdown"]), ({}, data["tokens"])):
        row = decode.one(
            jsons.encode(run(cost={"total": 0.01, "models": models, "tokens": tokens}, executionData=data)), wire.Run
        )
        found = json.loads(runs.read_run(row, "ws", run_rows.RunOptions(), row).detail[-1])
        rest = {name: data[name] for name in ("tokens", "tokenBreakdown") if data[name] != tokens}
        assert found == (rest if models else {**rest, "models": data["models"]})


def test_an_error_keeps_what_is_no_message() -> None:
    told = run(executionData={"error": {"message": "no", "code": 7, "input": "on fire"}})
    row = decode.one(jsons.encode(told), wire.Run)
    found = runs.read_run(row, "ws", run_rows.RunOptions(), row).detail
    assert "no" in found
    assert json.loads(found[-1]) == {"error": {"code": 7, "input": None}}


def test_a_snapshot_and_the_usage_keep_undocumented_fields_where_they_stood() -> None:
    told = {"executionId": "x", "executionMetadata": {"cost": {"total": 1, "credits": 7}, "region": "eu"}, "shard": 5}
    read = snapshots.read_snapshot(decode.one(jsons.encode(told), wire.Execution), "ws")
    assert json.loads(read.snapshot[-1]) == {
        "executionMetadata": {"cost": {"credits": 7}, "region": "eu"},
        "shard": 5,
    }
    usage = {
        "success": True,
        "rateLimit": {"sync": {"remaining": 1, "window": 60}, "async": {"remaining": 1}, "authType": "api"},
        "usage": {"plan": "team", "isExceeded": True},
        "credits": 5,
    }
    row = account_rows.usage_row(decode.one(jsons.encode(usage), wire.Usage), datetime.now(UTC))
    assert json.loads(row[-1]) == {
        "rateLimit": {"sync": {"window": 60}, "authType": "api"},
        "usage": {"isExceeded": True},
        "credits": 5,
    }


def test_unknown_fields_of_the_detail_are_kept_too() -> None:
    (row,) = decode.run_page(page(run())).rows
    detail = decode.one(jsons.encode(run(origin="eu", executionData={})), wire.Run)
    found = runs.read_run(row, "ws", run_rows.RunOptions(), detail)
    assert "origin" in (found.log[-1] or "") + (found.detail[-1] or "")


def test_an_unknown_field_in_one_row_changes_nothing_in_the_others() -> None:
    found = decode.run_page(page(run(), run(id="r2", region="eu"), run(id="r3")))
    assert [row.id for row in found.rows] == ["r1", "r2", "r3"]
    assert [bytes(row.unknown) for row in found.rows] == [b"", b'{"region":"eu"}', b""]


def test_amounts_of_unknown_fields_keep_all_their_digits() -> None:
    body = b'{"data":[{"id":"r1","startedAt":"%s","credit":0.1234567890123456789}]}' % START.encode()
    (row,) = decode.run_page(body).rows
    assert jsons.anything(row.unknown) == {"credit": Decimal("0.1234567890123456789")}


@pytest.mark.parametrize(
    "odd",
    [
        {"totalDurationMs": "soon"},
        {"startedAt": None},
        {"startedAt": "yesterday"},
        {"cost": []},
        {"workflow": "w"},
        {"level": 3},
        {"level": 3, "unknown": 1},
    ],
    ids=lambda odd: ",".join(odd),
)
def test_a_row_that_does_not_fit_is_set_aside_with_id_and_reason(odd: dict[str, Any]) -> None:
    found = decode.run_page(page(run(), run(id="odd", **odd), run(id="r3"), nextCursor="c"))
    assert [row.id for row in found.rows] == ["r1", "r3"]
    (rejected,) = found.rejected
    assert rejected.id == "odd"
    assert rejected.reason
    assert json.loads(bytes(rejected.row))["id"] == "odd"
    assert (found.count, found.next_cursor) == (3, "c")
    readable = odd.get("startedAt", START) == START
    assert rejected.at == (datetime(2026, 11, 20, 8, tzinfo=UTC) if readable else None)


@pytest.mark.parametrize("row", [5, "text", None, [], {}, {"id": 7, "startedAt": START}])
def test_a_row_that_is_none_is_set_aside(row: Any) -> None:
    found = decode.run_page(page(run(), row))
    assert len(found.rows) == len(found.rejected) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html></html>",
        b'{"data":[{"id":"r1"',
        b'{"data":[]',
        b'{"rows":[]}',
        b'{"data":{}}',
        b"[]",
        b"null",
        b"\xff\xfe",
        recorded.answer("2026-08", "logs_full_spans_output_multi").body[:-100],
    ],
)
@pytest.mark.parametrize(
    "read", [decode.run_page, lambda body: decode.page_of(body, wire.AuditLog)], ids=["runs", "audit"]
)
def test_html_and_cut_off_bodies_are_unreadable(read: Any, body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read(body)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data":', b'{"error":"x"}', b"[]"])
def test_a_detail_without_data_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        decode.item(body)


@pytest.mark.parametrize("text", [r"\ud83d", r"cut \ude00 off"])
def test_half_a_surrogate_in_a_payload_spoils_neither_page_nor_run(text: str) -> None:
    """JavaScript cuts texts between the halves of an emoji and sends them so."""
    odd = b'{"id":"r2","startedAt":"%s","finalOutput":{"text":"%s"}}' % (START.encode(), text.encode())
    body = b'{"data":[' + jsons.encode(run()) + b"," + odd + b"]}"
    found = decode.run_page(body)
    assert found.count == 2
    assert "r1" in [row.id for row in found.rows]
    for row in found.rows:
        runs.read_run(row, "ws", run_rows.RunOptions())


def test_a_row_can_be_written_again() -> None:
    """A row that is rejected late is kept as it was read."""
    (row,) = decode.run_page(page(run(region="eu", finalOutput={"a": 1}))).rows
    again = json.loads(msgspec.json.encode(row))
    assert again["id"] == "r1"
    assert again["finalOutput"] == {"a": 1}


@pytest.mark.parametrize("generation", recorded.GENERATIONS)
def test_every_recorded_answer_fits_without_the_slow_way(generation: str) -> None:
    for name, answer in recorded.named(generation, "logs_*").items():
        found = decode.run_page(answer.body)
        assert found.rejected == [], name
        assert all(row.unknown is wire.NO_RAW or not bytes(row.unknown) for row in found.rows), name
    for name, answer in recorded.named(generation, "log_detail_*").items():
        msgspec.json.decode(decode.item(answer.body), type=wire.Run)
        assert name
    for answer in recorded.named(generation, "execution_*").values():
        msgspec.json.decode(answer.body, type=wire.Execution)
    msgspec.json.decode(recorded.answer(generation, "usage_limits_enterprise").body, type=wire.Usage)
