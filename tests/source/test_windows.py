"""Which stretch of time is walked next: nothing between the beginning and now is left out."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_source.paging import windows
from sim_source.paging.state import STABILITY, ResourceState, as_moment, as_text
from sim_source.paging.windows import BEGINNING, LOOKBACK, Window

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def synced(start: datetime, end: datetime, **more: Any) -> ResourceState:
    return ResourceState({"from": as_text(start), "until": as_text(end), **more})


def span(**fields: Any) -> windows.Extent:
    """A sync that ends at noon and has read all of the last days again already."""
    return windows.Extent(**{"end": NOON, "lookback": LOOKBACK, "reconcile": timedelta(0), **fields})


WALK = {
    "start": as_text(NOON - 9 * HOUR),
    "at": as_text(NOON - 5 * HOUR),
    "end": as_text(NOON - HOUR),
}


@pytest.mark.parametrize(
    ("state", "since", "window"),
    [
        (ResourceState({}), None, Window(BEGINNING, NOON)),
        (ResourceState({}), NOON - HOUR, Window(NOON - HOUR, NOON)),
        (ResourceState({}), NOON + HOUR, None),
        (synced(NOON - 9 * HOUR, NOON - HOUR), None, Window(NOON - 2 * HOUR, NOON)),
        (synced(NOON - 9 * HOUR, NOON), None, None),
        (synced(NOON - 9 * HOUR, NOON + HOUR), None, None),
        (synced(NOON - HOUR, NOON - HOUR / 2), None, Window(NOON - HOUR, NOON)),
        (synced(NOON - 9 * HOUR, NOON), NOON - 20 * HOUR, Window(NOON - 20 * HOUR, NOON - 9 * HOUR, "back")),
        (synced(NOON - 9 * HOUR, NOON, back=WALK), None, Window(NOON - 5 * HOUR, NOON - HOUR, "back")),
        (synced(NOON - 9 * HOUR, NOON - HOUR, back=WALK), None, Window(NOON - 2 * HOUR, NOON)),
        (synced(NOON - 9 * HOUR, NOON), NOON - 2 * HOUR, None),
        (ResourceState({"walk": WALK}), None, Window(NOON - 5 * HOUR, NOON - HOUR)),
        (synced(NOON - 9 * HOUR, NOON - 2 * HOUR, walk=WALK), None, Window(NOON - 5 * HOUR, NOON - HOUR)),
    ],
    ids=[
        "a first sync begins at the beginning",
        "or where it is told",
        "not in the future",
        "the next one looks back",
        "nothing is new",
        "an earlier end than before",
        "not behind what was wanted",
        "an earlier since extends backwards",
        "a backfill in hand goes on",
        "but what is new comes first",
        "a later since changes nothing",
        "a walk in hand goes on",
        "a tail in hand goes on",
    ],
)
def test_next_window(state: ResourceState, since: datetime | None, window: Window | None) -> None:
    assert windows.next_window(state, span(since=since)) == window


def test_a_walk_newest_first_goes_on_downwards() -> None:
    window = windows.next_window(ResourceState({"walk": WALK}), span(), newest_first=True)
    assert window == Window(NOON - 9 * HOUR, NOON - 5 * HOUR)


def test_without_lookback_the_watermark_still_stays_behind() -> None:
    """Rows may appear late: STABILITY is read again at least."""
    state = synced(NOON - 9 * HOUR, NOON - HOUR)
    assert windows.next_window(state, span(lookback=timedelta(0))) == Window(NOON - HOUR - STABILITY, NOON)
    assert state.watermark == NOON - HOUR - STABILITY


def test_a_tail_that_was_read_leaves_the_beginning_where_it_was() -> None:
    state = synced(NOON - 9 * HOUR, NOON - HOUR)
    window = windows.next_window(state, span())
    assert window is not None
    windows.begin_walk(state, window)
    state.finished()
    assert state == synced(NOON - 9 * HOUR, NOON)


def test_a_stretch_read_before_the_first_extends_it() -> None:
    state = synced(NOON - 9 * HOUR, NOON)
    windows.begin_walk(state, Window(NOON - 20 * HOUR, NOON - 9 * HOUR, "back"))
    state.finished("back")
    assert state == synced(NOON - 20 * HOUR, NOON)


def test_what_is_wanted_later_starts_over_in_the_same_stretch() -> None:
    state = synced(NOON - 9 * HOUR, NOON, tables=["logs"])
    state.cover(["logs", "cost_items"])
    assert windows.next_window(state, span()) == Window(NOON - 9 * HOUR, NOON, again=True)
    state.finished()
    state.cover(["logs", "cost_items"])
    assert windows.next_window(state, span()) is None


def test_fewer_tables_go_on_and_all_of_them_later_start_over() -> None:
    state = synced(NOON - 9 * HOUR, NOON, tables=["cost_items", "logs"])
    state.cover(["logs"])
    assert windows.next_window(state, span()) is None
    state.cover(["cost_items", "logs"])
    assert windows.next_window(state, span()) == Window(NOON - 9 * HOUR, NOON, again=True)


def test_a_moment_without_a_zone_is_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert as_moment("2026-11-20T12:00:00") == NOON
        assert as_moment("2026-11-20T13:00:00+01:00") == NOON
    finally:
        monkeypatch.undo()
        os.environ.setdefault("TZ", "UTC")
        time.tzset()


DAY = timedelta(days=1)


def finish(state: ResourceState, window: Window | None, now: datetime | None = None) -> None:
    assert window is not None
    windows.begin_walk(state, window)
    state.finished(window.key, now)


def test_once_a_day_a_wider_stretch_is_read_again_after_what_is_new() -> None:
    state: ResourceState = ResourceState({})
    finish(state, windows.next_window(state, span(since=NOON - 30 * DAY, reconcile=7 * DAY)))
    for hours in range(1, 24):
        at = NOON + hours * HOUR
        finish(state, windows.next_window(state, span(end=at, reconcile=7 * DAY)))
        assert windows.next_window(state, span(end=at, reconcile=7 * DAY)) is None, hours
    due = span(end=NOON + DAY, reconcile=7 * DAY)
    assert windows.next_window(state, due) == Window(NOON + 22 * HOUR, NOON + DAY)
    finish(state, windows.next_window(state, due))
    again = windows.next_window(state, due)
    assert again == Window(NOON - 6 * DAY, NOON + 23 * HOUR, "back", NOON + DAY)
    finish(state, again)
    assert windows.next_window(state, due) is None
    assert state.read == (NOON - 30 * DAY, NOON + DAY)


def test_a_sync_in_the_same_second_as_the_last_reads_what_is_new() -> None:
    """The server's clock has whole seconds; once something was read, the same end is no news."""
    state = synced(NOON - DAY, NOON)
    assert windows.next_window(state, span(fresh=True)) == Window(NOON - HOUR, NOON)
    assert windows.next_window(state, span()) is None
    assert windows.next_window(state, span(end=NOON - HOUR, fresh=True)) is None


def test_a_reconcile_that_was_cut_goes_on_and_is_not_due_again() -> None:
    state = synced(NOON - 30 * DAY, NOON)
    due = span(reconcile=7 * DAY)
    window = windows.next_window(state, due)
    assert window == Window(NOON - 7 * DAY, NOON - HOUR, "back", NOON)
    windows.begin_walk(state, window)
    state.reached(NOON - 3 * DAY, "back")
    assert windows.next_window(state, due) == Window(NOON - 3 * DAY, NOON - HOUR, "back")
    state.finished("back")
    assert windows.next_window(state, due) is None
    assert windows.next_window(state, span(end=NOON, reconcile=timedelta(0))) is None


def test_what_the_server_has_not_lived_yet_was_not_read() -> None:
    """This machine's clock was a day ahead: the next sync begins at the server's now."""
    state: ResourceState = ResourceState({})
    finish(state, windows.next_window(state, span(end=NOON + DAY, since=NOON - DAY)), NOON)
    assert state.kept["until"] == as_text(NOON)
    assert windows.next_window(state, span(end=NOON + HOUR)) == Window(NOON - HOUR, NOON + HOUR)


def test_a_watermark_in_the_future_of_the_server_is_taken_back() -> None:
    state = synced(NOON - 30 * DAY, NOON + 400 * DAY)
    assert state.clamp_to_clock(NOON, windows.RECONCILE)
    assert windows.next_window(state, span()) == Window(NOON - 7 * DAY - HOUR, NOON)
    assert not state.clamp_to_clock(NOON, windows.RECONCILE)
    assert not ResourceState({}).clamp_to_clock(NOON, windows.RECONCILE)


syncs = st.lists(
    st.tuples(
        st.integers(0, 400),  # minutes until this sync
        st.none() | st.integers(-2000, 0),  # since, in minutes from the first sync
        st.integers(1, 6),  # pieces of walks that it gets done before it is cut
        st.integers(0, 120),  # lookback, minutes
        st.integers(0, 3000),  # reconcile, minutes
    ),
    min_size=1,
    max_size=8,
)


@given(plan=syncs, newest_first=st.booleans(), step=st.integers(1, 500))
def test_whatever_was_interrupted_the_union_of_all_walks_covers_everything(
    plan: list[tuple[int, int | None, int, int, int]], newest_first: bool, step: int
) -> None:
    """Everything from the earliest since to the last end, once the syncs are left to finish."""
    state: ResourceState = ResourceState({})
    read: list[tuple[datetime, datetime]] = []
    now, earliest = NOON, None
    plan = [*plan, (1, None, 10**6, 60, 100)]
    begin = NOON - timedelta(minutes=3000)
    for minutes, since_minutes, pieces, lookback, reconcile in plan:
        now += timedelta(minutes=minutes)
        since = begin if since_minutes is None and not state.kept else None
        if since_minutes is not None:
            since = NOON + timedelta(minutes=since_minutes)
        if since is not None and not state.in_hand("walk", "back"):
            earliest = since if earliest is None else min(since, earliest)
        while pieces and (
            window := windows.next_window(
                state,
                windows.Extent(now, since, timedelta(minutes=lookback), timedelta(minutes=reconcile)),
                newest_first=newest_first,
            )
        ):
            windows.begin_walk(state, window, newest_first=newest_first)
            low, high = window.start, window.end
            while pieces:
                pieces -= 1
                if newest_first:
                    position = max(low, high - timedelta(minutes=step))
                    read.append((position, high))
                    high = position
                else:
                    position = min(high, low + timedelta(minutes=step))
                    read.append((low, position))
                    low = position
                state.reached(position, window.key)
                if low >= high:
                    state.finished(window.key)
                    break
    assert not state.in_hand("walk", "back")
    assert state.read is not None
    first = state.read.first
    assert state.read.last == now
    covered = first
    for low, high in sorted(read):
        assert low <= covered or low < first, "a hole"
        covered = max(covered, high)
    assert covered >= now
