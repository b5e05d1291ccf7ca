"""`redact_people` from its setting to the disk: nobody is named in anything that is written or said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.destination.target import target_of
from pipelines.sim_api import OWNER_KEY, WORKSPACE, World, serve, small_world
from sim_source import errors
from sim_source.rows.pseudonyms import Pseudonyms
from tests.helpers.app import App
from tests.helpers.warehouse import Warehouse, full_world

SALT = "0123456789-a-salt-of-the-users-own"
NAMED = (b"Olga", b"olga@", b"Bob Berg", b"bob@", b"@example")


@pytest.fixture
def world() -> World:
    """A workspace whose audit logs, runs and workflows name people wherever they can."""
    world = full_world()
    names: tuple[Any, ...] = ("Olga Owner", ["Olga Owner"])  # a list is a changed type: set aside
    for number, name in enumerate(names):
        world.add_audit(
            "member.invited",
            world.now_ms * 1000 - 2000 + number,
            id=f"named-{number}",
            workspace_id=WORKSPACE,
            actor_id="user-mika",
            actor_name=name,
            actor_email="olga@example.com",
            resource_name="bob@example.com",
            description="Olga Owner invited Bob Berg <bob@example.com>",
            metadata={"targetName": "Bob Berg", "target": {"userName": "Bob Berg", "of": ["bob@example.com"]}},
        )
    world.change_run("wf-triage.plain", extra={"startedBy": "bob@example.com"})
    world.workflows["wf-triage"].description = "Ask bob@example.com"
    return world


@pytest.mark.parametrize("dialect", ["2026-03", "2026-08"])
def test_people_are_in_nothing_that_is_written(warehouse: Warehouse, world: World, dialect: str) -> None:
    for user in world.users.values():
        user.name, user.email = "Olga Owner", "olga@example.com"
    for row in world.audit:
        if row.actor_id and not row.id.startswith("named-"):
            row.actor_name, row.actor_email = "Olga Owner", "olga@example.com"
    with serve(world, dialect) as server:
        warehouse.load(server, redact_people=True, redact_salt=SALT, payloads="full")
    written = warehouse.written()
    assert [name for name in NAMED if name in written] == []
    assert SALT.encode() not in written
    people = Pseudonyms(SALT)
    row = warehouse.row("audit_logs", "named-0")
    assert row["actor_email"] == people.person("olga@example.com")
    assert row["resource_name"] == people.person("bob@example.com")
    assert row["actor_id"] == "user-mika"
    (odd,) = warehouse.table("rejected_rows")
    assert json.loads(odd["row_json"])["actorName"] == [people.person("Olga Owner")]
    assert warehouse.row("workflows", "wf-triage")["description"] == f"Ask {people.person('bob@example.com')}"


def test_people_stay_where_nobody_asks_for_hiding_them(warehouse: Warehouse, world: World) -> None:
    with serve(world) as server:
        warehouse.load(server, "audit_logs")
    assert warehouse.row("audit_logs", "named-0")["actor_name"] == "Olga Owner"


def test_hidden_rows_are_no_news_to_the_next_sync(warehouse: Warehouse, world: World) -> None:
    options = {"redact_people": True, "redact_salt": SALT}
    with serve(world) as server:
        warehouse.load(server, **options)
        before = warehouse.contents()
        warehouse.load(server, **options)
    assert warehouse.contents() == before


def test_the_salt_comes_from_dlts_secrets(
    warehouse: Warehouse, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCES__SIM_SOURCE__REDACT_PEOPLE", "true")
    monkeypatch.setenv("SOURCES__SIM_SOURCE__REDACT_SALT", SALT)
    with serve(world) as server:
        warehouse.load(server, "audit_logs")
    assert warehouse.row("audit_logs", "named-0")["actor_name"] == Pseudonyms(SALT).person("Olga Owner")
    assert SALT.encode() not in warehouse.written()
    assert SALT not in "".join(capsys.readouterr())


def test_a_source_without_a_salt_asks_for_nothing(warehouse: Warehouse, world: World) -> None:
    with serve(world) as server, pytest.raises(errors.ConfigurationError, match="SIM_REDACT_SALT"):
        warehouse.load(server, redact_people=True)
    assert server.requests == []


def live_world() -> World:
    world = small_world(now=datetime.now(UTC))
    world.add_audit("member.invited", workspace_id=WORKSPACE, actor_id="user-mika", description="bob@example.com")
    return world


@pytest.mark.parametrize("by", ["option", "configuration"])
def test_the_command_line_hides_people(app: App, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    monkeypatch.setenv("SIM_REDACT_SALT", SALT + "\n")
    if by == "configuration":
        monkeypatch.setenv("SOURCES__SIM_SOURCE__REDACT_PEOPLE", "true")
    with serve(live_world()) as server:
        app.account(server)
        done = app("run", "--json", *(["--redact-people"] if by == "option" else []))
    assert (done.code, done.json["status"]) == (0, "ok")
    assert SALT not in done.out + done.err
    ((description, email),) = app.rows("SELECT description, actor_email FROM sim.audit_logs WHERE id IS NOT NULL")
    assert description == Pseudonyms(SALT).person("bob@example.com")
    assert email.startswith("person-")


def test_the_option_wins_over_the_configuration(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__SIM_SOURCE__REDACT_PEOPLE", "true")
    with serve(live_world()) as server:
        app.account(server)
        assert app("run", "--no-redact-people").code == 0
    assert app.rows("SELECT description FROM sim.audit_logs") == [("bob@example.com",)]


@pytest.mark.parametrize("salt", [None, "hidden-4711"])
def test_without_a_salt_nothing_is_attempted(app: App, monkeypatch: pytest.MonkeyPatch, salt: str | None) -> None:
    if salt is not None:
        monkeypatch.setenv("SIM_REDACT_SALT", salt)
    with serve(live_world()) as server:
        app.account(server)
        done = app("run", "--redact-people", "--json")
        assert server.requests == []
    assert done.code == 2
    assert "SIM_REDACT_SALT" in done.err
    assert "openssl" in done.err
    assert done.json["status"] == "failed"
    assert "hidden-4711" not in done.out + done.err
    assert not Path("sim_sync.duckdb").exists()


def test_the_salt_is_in_no_repr_of_the_settings(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import settings

    monkeypatch.setenv("SIM_REDACT_SALT", SALT)
    with serve(live_world()) as server:
        app.account(server)
        found = settings.run_settings(target_of(), redact_people=True)
    assert found.source.redact_salt == SALT
    assert found.plan.pseudonyms is not None
    for shown in map(repr, (found, found.source, found.plan)):
        assert SALT not in shown
        assert OWNER_KEY not in shown
