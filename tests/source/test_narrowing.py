"""An instant with more rows than a page: what filters tell apart is read in full, nothing is believed too easily."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim_source import errors
from sim_source.api import wire
from sim_source.api.decode import Page
from sim_source.api.query import Query
from sim_source.paging import filters, narrowing
from sim_source.paging.chunks import PageSize
from sim_source.paging.filters import ByRange, ByValue, Found
from sim_source.paging.walk_audit import AUDIT_PAGE, FILTERS, walk_audit_logs
from sim_source.paging.walk_runs import walk_runs
from tests.helpers.shelf import END, Audit, Runs, at, gaps_of, given_ids

MOMENT = 5_000_100
"""Microseconds; not a whole millisecond."""


def burst(*groups: tuple[int, dict[str, str]], before: tuple[dict[str, str], ...] = ()) -> Audit:
    """Rows of one microsecond, so many of each kind, newest first; later ones show values that count, too."""
    server = Audit([])
    for facts in before:
        add(server, MOMENT + 9_000_000 + len(server.rows) * 5000, facts)
    for count, facts in groups:
        for _ in range(count):
            add(server, MOMENT, facts)
    server.rows.sort(key=lambda row: (-row[0], row[1]))
    return server


def add(server: Audit, moment: int, facts: dict[str, str]) -> None:
    id_ = f"a{len(server.rows):05d}"
    server.rows.append((moment, id_, facts.get("action", "one")))
    server.facts[id_] = {"resource_type": "file", "resource_id": "f", "action": "one"} | facts
    server.facts[id_].pop("action")


def walked(server: Audit) -> tuple[set[str], int]:
    """Ids that were given, each once, and how many gaps."""
    chunks = list(walk_audit_logs(server.ask, None, END))
    found = given_ids(chunks)
    assert len(found) == len(set(found))
    return set(found), len(gaps_of(chunks))


KNOWN = ({"actor_id": "olga", "workspace_id": "w"}, {"actor_id": "mika", "workspace_id": "w"})


@pytest.mark.parametrize(
    "field", ["action", "actor_id", "workspace_id", "resource_type", "resource_id"], ids=lambda field: field
)
def test_whatever_audit_logs_can_be_filtered_by_tells_a_burst_apart(field: str) -> None:
    server = burst((90, {field: "a"}), (90, {field: "b"}))
    assert walked(server) == (set(server.ids), 0)


def test_filters_are_joined_where_one_is_not_enough() -> None:
    server = burst(*[(8, {"action": action, "actor_id": actor}) for action in "abc" for actor in ("olga", "mika")] * 10)
    assert walked(server) == (set(server.ids), 0)


def test_a_value_met_elsewhere_in_the_walk_is_asked_for_though_the_page_does_not_show_it() -> None:
    server = burst((100, {"actor_id": "olga", "workspace_id": "w"}), (60, KNOWN[1]), before=KNOWN)
    assert server.ask(Query(at(5000), at(5001), 100, order="desc")).rows[-1].actor_id == "olga"
    assert walked(server) == (set(server.ids), 0)


def test_rows_of_nobody_are_not_taken_for_read_where_only_people_were_asked_for() -> None:
    server = burst((80, {"actor_id": "olga"}), (120, {}))
    found, gaps = walked(server)
    assert gaps
    assert len(found) < 200


def test_rows_of_nobody_behind_full_pages_are_known_of_by_their_like_elsewhere() -> None:
    """Action a tells that some rows lack an actor; that rows of the other action do is told by an earlier row alone."""
    server = burst((1, {"action": "a"}), (1, KNOWN[1]), (100, KNOWN[0]), (1, {}), before=({},))
    found, gaps = walked(server)
    assert gaps
    assert found < set(server.ids)


def test_rows_of_nobody_of_another_kind_are_no_doubt() -> None:
    server = burst(
        (90, {"actor_id": "olga"}), (90, {"actor_id": "mika"}), (3, {"action": "a"}), before=(*KNOWN, {"action": "a"})
    )
    assert walked(server) == (set(server.ids), 0)


def test_a_value_that_rows_of_the_kind_had_elsewhere_is_joined() -> None:
    """Olga's page shows nothing of action b, and b's page nothing of Olga."""
    olga = {"actor_id": "olga"}
    server = burst((100, olga | {"action": "a"}), (100, KNOWN[1] | {"action": "b"}), (9, olga | {"action": "b"}),
                   before=({"actor_id": "olga", "action": "b"},))  # fmt: skip
    assert walked(server) == (set(server.ids), 0)


def test_people_that_no_page_shows_are_missed_by_what_a_page_has_said() -> None:
    """Of 30 people 20 are on pages; action a said that there are more than the rows that came."""
    server = burst(*((5, {"actor_id": f"user-{n}", "action": action}) for n in range(30) for action in "ab"))
    found, gaps = walked(server)
    assert gaps
    assert found < set(server.ids)


def test_a_part_that_a_wider_query_has_shown_in_full_is_not_asked_for() -> None:
    people = [{"actor_id": f"user-{n}", "action": action} for n in range(30) for action in "ab"]
    server = burst(*((5, facts) for facts in people), before=tuple(people))
    assert walked(server) == (set(server.ids), 0)
    assert server.requests < 45  # 30 people, 2 actions, a type and an id, pages around; not 60 for both together


def test_a_refused_value_does_not_end_the_walk_and_proves_nothing() -> None:
    server = burst((90, {"actor_id": "olga"}), (90, {"actor_id": "left"}), (3, {"action": "x"}))
    server.refused = frozenset({"left"})
    add(server, 1000, {})
    found, gaps = walked(server)
    assert gaps
    assert server.rows[-1][1] in found  # it goes on behind the burst


def test_a_refused_value_is_made_up_for_by_another_filter() -> None:
    server = burst((90, {"actor_id": "olga", "workspace_id": "v"}), (90, {"actor_id": "left", "workspace_id": "w"}))
    server.refused = frozenset({"left"})
    assert walked(server) == (set(server.ids), 0)


def test_a_server_that_refuses_all_is_said_as_it_is() -> None:
    def refuse(_: Query) -> Page[wire.AuditLog]:
        raise errors.BadRequest("400 no")

    with pytest.raises(errors.BadRequest):
        list(walk_audit_logs(refuse, None, END))


def test_a_query_that_said_there_is_more_must_be_left_with_more_rows_than_its_page_had() -> None:
    """All parts fit, yet the 101st row has a value that was met nowhere."""
    server = burst((100, {"action": "a"}), (1, {"action": "hidden"}), before=({"action": "b"},))
    found, gaps = walked(server)
    assert gaps or found == set(server.ids)
    assert gaps


def test_a_value_met_before_the_walk_is_asked_for_where_it_is_overfull() -> None:
    groups = (100, {"action": "a"}), (160, {"action": "b", "actor_id": "mika"}), (40, {"action": "b"})
    server, asked = burst(*groups), []

    def before(first: datetime, last: datetime) -> set[filters.Kind]:
        assert (first, last) == (at(5000), at(5001))
        asked.append(server.requests)
        return {(action, actor, None, "file", "") for action in "abc" for actor in ("mika", None)}

    chunks = list(walk_audit_logs(server.ask, None, END, before))
    assert {id_ for _, id_, action in server.rows if action == "a"} < set(given_ids(chunks))
    assert len(given_ids(chunks)) >= 200
    assert len(asked) == 1
    assert not list(walk_audit_logs(burst((100, {"action": "a"})).ask, None, END, before))[1:]
    assert len(asked) == 1  # where all fits nobody is asked


def test_a_value_met_in_a_part_is_asked_for_in_the_whole() -> None:
    """The page shows two actions; by actor a third one comes to light."""
    server = burst(
        (60, {"action": "a", "actor_id": "olga"}),
        (60, {"action": "b", "actor_id": "olga"}),
        (30, {"action": "hidden", "actor_id": "mika"}),
        before=({"actor_id": "mika", "action": "a"}, {"actor_id": "olga", "action": "b"}),
    )
    assert walked(server) == (set(server.ids), 0)


def test_ids_met_once_are_no_proof_that_there_are_no_others() -> None:
    server = burst(*((1, {"resource_id": str(number)}) for number in range(AUDIT_PAGE + 30)))
    assert walked(server)[1] == 1
    rows = [wire.AuditLog(id=str(n), created_at=at(0), resource_id=str(n // 2)) for n in range(40)]
    by_id = next(each for each in FILTERS if each.name == "resourceId")
    assert by_id.split({}, Found(rows, rows)).whole
    assert not by_id.split({}, Found(rows, rows[:-1])).whole


def test_requests_for_a_burst_that_cannot_be_told_apart_are_bounded() -> None:
    groups = [
        (101, {"action": f"act.{n}", "actor_id": f"user-{n % 7}", "workspace_id": f"w{n % 5}"}) for n in range(38)
    ]
    server = burst(*groups)
    assert walked(server)[1] == 1
    assert server.requests < narrowing.MOST_QUERIES + 10


kinds = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from("abc"),
        "actor_id": st.sampled_from(("olga", "mika", "left")),
        "workspace_id": st.sampled_from("vw"),
        "resource_type": st.sampled_from(("file", "workflow")),
    },
)


@given(groups=st.lists(st.tuples(st.integers(1, 110), kinds), min_size=1, max_size=8), refused=st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_not_told_as_a_gap_has_been_read_where_every_value_was_met(
    groups: list[tuple[int, dict[str, str]]], refused: bool
) -> None:
    server = burst(*groups, before=tuple(facts for _, facts in groups))
    server.refused = frozenset({"left"} if refused else ())
    found, gaps = walked(server)
    assert gaps or found == set(server.ids)


# runs


def run_facts(count: int, **of: Any) -> dict[int, dict[str, Any]]:
    return {n: {name: (value(n) if callable(value) else value) for name, value in of.items()} for n in range(count)}


@pytest.mark.parametrize(
    "of",
    [
        {"level": lambda n: ("info", "error")[n % 2]},
        {"level": "info", "workflow_id": lambda n: f"wf-{n % 4}"},
        {"level": "info", "trigger": lambda n: ("api", "chat")[n % 2]},
        {"level": "info", "total_duration_ms": lambda n: n},
        {"level": lambda n: ("info", "error")[n % 3 == 0], "total_duration_ms": lambda n: n // 5 * 1.5},
    ],
    ids=["by level", "by workflow", "by trigger", "by duration", "by level and duration"],
)
def test_runs_of_one_instant_without_an_order_are_told_apart(of: dict[str, Any]) -> None:
    server = Runs([5] * 60 + [6], facts=run_facts(61, **of), clamp=40, ties="unordered", cursors="fail")
    chunks = list(walk_runs(server.ask, at(0), END))
    assert (sorted(given_ids(chunks)), gaps_of(chunks)) == (server.ids, [])


def test_running_runs_have_no_duration_to_be_told_apart_by() -> None:
    facts = run_facts(60, level="info", total_duration_ms=lambda n: n if n % 2 else None)
    server = Runs([5] * 60, facts=facts, clamp=20, ties="unordered", cursors="fail")
    assert gaps_of(list(walk_runs(server.ask, at(0), END)))


@given(
    seed=st.integers(0, 99),
    count=st.integers(11, 60),
    cursors=st.sampled_from(("without order", "fail", "page 1")),
    ties=st.sampled_from(("as inserted", "unordered")),
    of=st.sampled_from((0, 3, 7, 60)),
)
@settings(max_examples=150, deadline=None)
def test_runs_of_an_instant_that_are_not_told_as_a_gap_have_been_read(
    seed: int, count: int, cursors: Any, ties: Any, of: int
) -> None:
    facts = run_facts(count, level="info", total_duration_ms=lambda n: n % of if of else 1)
    server = Runs([5] * count, facts=facts, clamp=10, ties=ties, cursors=cursors, seed=seed)
    assume(server.ids)
    chunks = list(walk_runs(server.ask, at(0), END, PageSize(largest=10)))
    found = given_ids(chunks)
    assert len(found) == len(set(found))
    assert gaps_of(chunks) or sorted(found) == server.ids


# the parts of a query


ROWS = [wire.Run(id=str(n), started_at=at(0), trigger=trigger, total_duration_ms=took)
        for n, (trigger, took) in enumerate([("api", 1), ("chat", 2), ("api", 2.7), ("api", 9)])]  # fmt: skip
BY_TRIGGER, BY_DURATION = ByValue("triggers", "trigger"), ByRange("d", "total_duration_ms", "min", "max")


def test_values_of_rows_are_parts_once() -> None:
    split = BY_TRIGGER.split({}, Found(ROWS))
    assert [part["triggers"] for part in split.parts] == ["api", "chat"]
    assert split.whole
    assert BY_TRIGGER.split({"triggers": "api"}, Found(ROWS)).parts == []
    assert BY_TRIGGER.split({}, Found(ROWS[2:])).parts == []  # the same query again
    odd = wire.Run(id="x", started_at=at(0))
    assert not BY_TRIGGER.split({}, Found([*ROWS, odd])).whole


def test_halves_of_a_number_leave_nothing_between_them() -> None:
    assert BY_DURATION.split({}, Found(ROWS)).parts == [{"max": "2"}, {"min": "3"}]
    assert BY_DURATION.split({}, Found(ROWS[:2])).parts == [{"max": "1"}, {"min": "2"}]
    assert BY_DURATION.split({}, Found(ROWS[1:3])).parts == []
    assert [row.id for row in ROWS if BY_DURATION.admits({"max": "2"}, row)] == ["0", "1", "2"]
