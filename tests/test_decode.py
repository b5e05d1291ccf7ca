"""Bytes to structures: nothing is lost, and what does not fit is set aside with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sim_source import decode, runs, wire
from sim_source.errors import UnreadableAnswer
from tests import recorded

START = "2026-11-20T08:00:00.000Z"


def run(**fields: Any) -> dict[str, Any]:
    return {"id": "r1", "startedAt": START, "endedAt": START, "level": "info", "cost": {"total": 0.01}, **fields}


def page(*rows: Any, **more: Any) -> bytes:
    return decode.encode({"data": list(rows), "limits": {"any": "thing"}, **more})


def extras(**fields: Any) -> tuple[Any, Any, list[Any]]:
    """`extra` of the run, of its detail and of its spans."""
    (row,) = decode.runs(page(run(**fields))).rows
    found = runs.read(row, "ws", runs.RunOptions())
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
        ({"traceSpans": [{"name": "s", "tokens": {"input": 1, "audio": 5}}]}, None, None, [None]),
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


def test_unknown_fields_of_the_detail_are_kept_too() -> None:
    (row,) = decode.runs(page(run())).rows
    detail = decode.one(decode.encode(run(origin="eu", executionData={})), wire.Run)
    found = runs.read(row, "ws", runs.RunOptions(), detail)
    assert "origin" in (found.log[-1] or "") + (found.detail[-1] or "")


def test_unknown_fields_of_a_models_cost_are_no_reason_to_refuse_it() -> None:
    models = {"gpt-4o": {"total": 0.01, "credits": 3, "tokens": {"input": 1, "audio": 2}}}
    (row,) = decode.runs(page(run(cost={"total": 0.01, "models": models}))).rows
    assert [item[1:3] for item in runs.read(row, "ws", runs.RunOptions()).items] == [("model", "gpt-4o")]


def test_an_unknown_field_in_one_row_changes_nothing_in_the_others() -> None:
    found = decode.runs(page(run(), run(id="r2", region="eu"), run(id="r3")))
    assert [row.id for row in found.rows] == ["r1", "r2", "r3"]
    assert [bytes(row.unknown) for row in found.rows] == [b"", b'{"region":"eu"}', b""]


def test_amounts_of_unknown_fields_keep_all_their_digits() -> None:
    body = b'{"data":[{"id":"r1","startedAt":"%s","credit":0.1234567890123456789}]}' % START.encode()
    (row,) = decode.runs(body).rows
    assert decode.anything(row.unknown) == {"credit": Decimal("0.1234567890123456789")}


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
    found = decode.runs(page(run(), run(id="odd", **odd), run(id="r3"), nextCursor="c"))
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
    found = decode.runs(page(run(), row))
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
@pytest.mark.parametrize("read", [decode.runs, lambda body: decode.rows(body, wire.AuditLog)], ids=["runs", "audit"])
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
    body = b'{"data":[' + decode.encode(run()) + b"," + odd + b"]}"
    found = decode.runs(body)
    assert found.count == 2
    assert "r1" in [row.id for row in found.rows]
    for row in found.rows:
        runs.read(row, "ws", runs.RunOptions())


def test_a_row_can_be_written_again() -> None:
    """A row that is rejected late is kept as it was read."""
    (row,) = decode.runs(page(run(region="eu", finalOutput={"a": 1}))).rows
    again = json.loads(msgspec.json.encode(row))
    assert again["id"] == "r1"
    assert again["finalOutput"] == {"a": 1}


@pytest.mark.parametrize("generation", recorded.GENERATIONS)
def test_every_recorded_answer_fits_without_the_slow_way(generation: str) -> None:
    for name, answer in recorded.named(generation, "logs_*").items():
        found = decode.runs(answer.body)
        assert found.rejected == [], name
        assert all(row.unknown is wire.NO_RAW or not bytes(row.unknown) for row in found.rows), name
    for name, answer in recorded.named(generation, "log_detail_*").items():
        msgspec.json.decode(decode.item(answer.body), type=wire.Run)
        assert name
    for answer in recorded.named(generation, "execution_*").values():
        msgspec.json.decode(answer.body, type=wire.Execution)
    msgspec.json.decode(recorded.answer(generation, "usage_limits_enterprise").body, type=wire.Usage)
