"""The state of several pipelines that load into one dataset: of each part, the newest copy counts."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from sim_source.paging.source_state import SourceState

PARTS = [(), ("accounts", "a"), ("workspaces", "v"), ("workspaces", "w"), ("billing_logs", "r")]


def marked(state: SourceState, part: tuple[str, ...]) -> None:
    """Reads a part, which changes it."""
    state.begin_extraction()
    state.reads(*part)
    kept = state.kept if not part else state.kept[part[0]][part[1]]
    kept["audit_logs"] = {"at": kept["sequence"]}


def test_a_state_of_before_is_taken_over_once_and_not_again() -> None:
    before = SourceState({"workspaces": {"w": {"logs": {"until": "2026-01-01"}}}, "audit_logs": {"until": "x"}})
    mine = SourceState({})
    mine.adopt([before])
    assert mine.kept == before.kept
    mine.begin_extraction([before])
    mine.reads("workspaces", "w")
    mine.workspace("w").logs.kept["until"] = "2026-02-01"
    mine.adopt([before])
    assert mine.workspace("w").logs.kept == {"until": "2026-02-01"}


def test_an_empty_part_is_no_copy() -> None:
    mine = SourceState({})
    assert mine.workspace("w").is_first
    mine.adopt([SourceState({"workspaces": {"w": {"logs": {"until": "2026-01-01"}}}})])
    assert mine.workspace("w").logs.kept == {"until": "2026-01-01"}


def test_what_is_taken_over_is_a_copy() -> None:
    other = SourceState({"workspaces": {"w": {"sequence": 1, "logs": {}}}})
    mine = SourceState({})
    mine.adopt([other])
    mine.workspace("w").logs.kept["until"] = "now"
    assert other.workspace("w").logs.kept == {}


def test_an_extraction_is_superseded_if_another_has_read_the_same_part() -> None:
    first, second = SourceState({}), SourceState({})
    marked(first, ("workspaces", "w"))
    marked(second, ("workspaces", "v"))
    assert not first.is_superseded([second])
    third = SourceState({})
    third.begin_extraction([second])
    third.reads("workspaces", "w")
    third.kept["workspaces"]["w"]["audit_logs"] = {"at": "elsewhere"}
    assert first.is_superseded([second, third])
    assert not second.is_superseded([first, third])


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(PARTS)), max_size=30))
def test_whoever_reads_next_continues_where_the_last_one_ended(turns: list[tuple[int, tuple[str, ...]]]) -> None:
    """Any order of writers and parts: a writer that takes over the states of the others sees every earlier reading."""
    states = [SourceState({}) for _ in range(3)]
    read = dict.fromkeys(PARTS, 0)
    for number, part in turns:
        mine = states[number]
        mine.begin_extraction([deepcopy(other) for at, other in enumerate(states) if at != number])
        mine.reads(*part)
        read[part] += 1
        kept = mine.kept if not part else mine.kept[part[0]][part[1]]
        assert kept["sequence"] == read[part]
