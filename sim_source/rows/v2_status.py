"""The status of a run as the v2 API returns it, and how it completes rows of v1. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pyarrow as pa

from .. import jsons
from ..api import wire
from ..jsons import json_text
from ..run_tables import LOGS
from ..schema import Row
from ..timestamps import MILLISECOND, utc
from . import life
from .cost import money
from .extras import fields_of
from .life import Status
from .stored_run import by_name, in_order

MEANING: dict[str, Status] = {
    "running": "running",
    "redacting": "running",
    "pending": "paused",
    "paused": "paused",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""Statuses of v2, and what they are in ``logs.status``. A run is ``redacting`` after it has ended, while its output is
scrubbed; ``pending`` while it waits for a person or a timer; ``paused`` after an attempt to resume it did not work."""

States = Mapping[str, wire.RunState]
"""What v2 told of runs, by execution id."""


def is_final(v2_status: str | None) -> bool:
    """Whether v2 has told that a run has ended for good."""
    return v2_status is not None and MEANING.get(v2_status, "running") not in life.OPEN


def combined(status: str, ended_ms: int | None, told: wire.RunState) -> tuple[str, str | None]:
    """Returns the status of a run, and the word of v2 for it.

    v2 is asked after v1, and the run may have gone on in between. If v2 says that it has ended, but v1's row shows
    another end or none, that row is out of date: the run counts as running, so that it is read again.

    Args:
        status: The status according to v1.
        ended_ms: Its end according to v1, epoch milliseconds.
        told: The row of v2.

    Returns:
        The status and v2's word, which is None if it does not belong to this row.
    """
    meaning = MEANING.get(told.status)
    if meaning is None:
        return status, told.status if told.status.isidentifier() and len(told.status) <= _LONGEST_WORD else None
    if meaning in life.OPEN or epoch_ms(told.ended_at) == ended_ms:
        return meaning, told.status
    return status if status in life.OPEN else "running", None


def with_states(rows: pa.Table, told: States) -> pa.Table:
    """Returns rows of ``logs`` with the statuses that v2 told; unknown fields of v2 go to ``extra``, below ``v2``."""
    executions, statuses, words = (rows[name].to_pylist() for name in ("execution_id", "status", "v2_status"))
    ends = rows["ended_at"].cast(pa.int64()).to_pylist()
    for place, execution_id in enumerate(executions):
        state = told.get(execution_id)
        if state is not None:
            ended_ms = None if ends[place] is None else ends[place] // 1000
            statuses[place], words[place] = combined(statuses[place], ended_ms, state)
    changed = [("status", statuses), ("v2_status", words)]
    if any(state.unknown is not wire.NO_RAW for state in told.values()):
        pairs = zip(rows["extra"].to_pylist(), map(told.get, executions), strict=True)
        changed.append(("extra", [_extra(text, state) for text, state in pairs]))
    for name, values in changed:
        index = LOGS.column_names.index(name)
        rows = rows.set_column(index, rows.schema.field(index), pa.array(values, type=rows.schema.field(index).type))
    return rows


def _extra(text: str | None, told: wire.RunState | None) -> str | None:
    unknown = fields_of(told.unknown) if told is not None else {}
    if not unknown:
        return text
    return json_text({**(jsons.anything(text.encode()) if text else {}), "v2": unknown})


def stored_with_state(log: Row, told: wire.RunState) -> Row | None:
    """Returns a stored row of ``logs`` with the status that v2 told; None if that changes nothing."""
    fields = by_name(LOGS, log)
    status, word = combined(fields["status"], epoch_ms(fields["ended_at"]), told)
    if status == fields["status"] and (word == fields["v2_status"] or is_final(word)):
        return None
    return in_order(LOGS, {**fields, "status": status, "v2_status": word})


def as_in_logs(told: wire.RunState, log: Row) -> wire.RunState:
    """Returns a row of /runs with the stored word of /logs if it means the same: /runs says paused of all that wait."""
    word = by_name(LOGS, log)["v2_status"]
    same = word is not None and MEANING.get(word) == MEANING.get(told.status)
    return msgspec.structs.replace(told, status=word) if same else told


def shows_progress(log: Row, told: wire.RunState) -> bool:
    """Whether v2 tells another end or cost of a run than its stored row of ``logs``, or that it has ended for good."""
    fields = by_name(LOGS, log)
    try:
        total = None if told.cost is None else money(told.cost.total)
    except ArithmeticError:
        return True
    return (
        is_final(told.status)
        or epoch_ms(told.ended_at) != epoch_ms(fields["ended_at"])
        or total not in (None, fields["cost_total"])
    )


def epoch_ms(moment: datetime | None) -> int | None:
    """A moment in epoch milliseconds."""
    return None if moment is None else (utc(moment) - _EPOCH) // MILLISECOND


_LONGEST_WORD = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
