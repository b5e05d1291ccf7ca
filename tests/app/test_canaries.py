"""No marked text reaches a disk or a terminal: payloads not unasked, secrets and the key never."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.sim_api import WORKSPACE, Faults, Plan, SimRun, SimServer, World, finished_run, serve, small_world
from pipelines.sim_api.http import faults
from pipelines.sim_api.world import plans
from tests.helpers import canaries, child
from tests.helpers.canaries import CARRIED, DROPPED, FORMED, KEY, PAYLOADS, SECRETS, formed, payload, secret
from tests.helpers.child import ALOUD, DIES, QUICKLY
from tests.helpers.remains import found_in, remains
from tests.helpers.warehouse import Warehouse

FAULTS = (
    faults.server_error(), faults.bad_gateway(), faults.unavailable(0), faults.cut_off(0.9), faults.reset(),
    faults.html_200(), faults.transient_401(),
)  # fmt: skip
EVERY_SECRET = (*map(secret, SECRETS), *map(formed, FORMED), KEY)


def every_payload(dialect: str) -> list[str]:
    return [payload(place) for place in (*PAYLOADS, *CARRIED[dialect])]


class Heard:
    """A server with marked texts, and every byte it answered."""

    def __init__(self, server: SimServer) -> None:
        self.server = server
        self.answered = b""
        answer = server.app.answer

        def heard(*args: object) -> object:
            given = answer(*args)  # type: ignore[arg-type]
            self.answered += given.body
            return given

        server.app.answer = heard  # type: ignore[method-assign,assignment]


@pytest.fixture(params=["2026-03", "2026-08", "documents"])
def heard(request: pytest.FixtureRequest) -> Iterator[Heard]:
    with serve(canaries.canary_world(), request.param) as server:
        yield Heard(server)


def test_no_marked_text_is_written_or_said_by_default(tmp_path: Path, heard: Heard) -> None:
    """Nor where answers fail, nor in the most talkative log."""
    dialect = heard.server.app.dialect.name
    heard.server.app.faults = Faults(seed=5).deal(0.2, *FAULTS)
    done = child.run(
        tmp_path,
        heard.server,
        *("run", "--details", "all", "--snapshots", "all", "--json"),
        first=f"{ALOUD}\n{QUICKLY}",
        key=KEY,
        RUNTIME__LOG_LEVEL="DEBUG",
    )
    assert (done.code, done.json["status"]) == (0, "ok"), done.err[-2000:]
    assert [text for text in every_payload(dialect) if text.encode() not in heard.answered] == []  # it was all sent
    pieces = [*remains(tmp_path), ("stdout", done.out.encode()), ("stderr", done.err.encode())]
    assert found_in(pieces, *every_payload(dialect), *EVERY_SECRET) == []
    assert done.json["rows"]["trace_spans"] > 20


@pytest.mark.parametrize("step", ["normalize", "load"])
@pytest.mark.parametrize("heard", ["2026-03"], indirect=True)
def test_a_killed_sync_leaves_no_marked_text_behind(tmp_path: Path, heard: Heard, step: str) -> None:
    done = child.run(
        tmp_path, heard.server, "run", "--details", "all", first=f"{ALOUD}\n{DIES.format(step=step)}", key=KEY
    )
    assert done.code == -9
    pieces = list(remains(tmp_path))
    assert any("trace_spans" in where and where.endswith("rows") for where, _ in pieces)  # there is something to search
    assert found_in(pieces, *every_payload("2026-03"), *EVERY_SECRET) == []
    assert found_in([("stderr", done.err.encode())], *every_payload("2026-03"), *EVERY_SECRET) == []


def test_with_payloads_they_are_kept_and_secrets_are_not(tmp_path: Path, heard: Heard) -> None:
    dialect = heard.server.app.dialect.name
    done = child.run(
        tmp_path,
        heard.server,
        *("run", "--payloads", "full", "--details", "all", "--snapshots", "all"),
        first=ALOUD,
        key=KEY,
        RUNTIME__LOG_LEVEL="DEBUG",
    )
    assert done.code == 0, done.err[-2000:]
    pieces = list(remains(tmp_path))
    kept = [text for text in every_payload(dialect) if text not in map(payload, DROPPED)]
    assert [text for text in kept if not found_in(pieces, text)] == []
    said = [("stdout", done.out.encode()), ("stderr", done.err.encode())]
    assert found_in(said, *every_payload(dialect)) == []
    assert found_in([*pieces, *said], *EVERY_SECRET) == []
    assert [text for text in EVERY_SECRET if text != KEY and text.encode() not in heard.answered] == []


UNUSUAL = {
    "the error of a model call": "told by a provider: sk-canary-formed-model-error-51d0",
    "the error of a block": "told by a provider: sk-canary-formed-block-error-51d0",
    "the description of an audited action": "made sk-canary-formed-description-51d0",
    "the name of an audited resource": "sk-canary-formed-resource-51d0",
    "JSON text in a sub-block": '{"apiKey": "canary-secret-json-text-9c7a"}',
    "the password of an address": "postgres://reader:canary-secret-address-9c7a@db.example.com/sim",
    "the query of an address": "https://api.example.com/?api_key=canary-secret-query-9c7a&limit=3",
    "an undocumented field of a span in a rejected row": "canary-payload-rejected-memo-4e1f",
    "a payload in a rejected row": "canary-payload-rejected-input-4e1f",
    "a secret in a rejected row": "canary-secret-rejected-token-9c7a",
}


@pytest.fixture(scope="module")
def unusual(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What is written of a world with secrets in unusual places."""
    world = small_world()
    model_error = plans.failing_plan(UNUSUAL["the error of a model call"], "AuthenticationError")
    finished_run(world, "wf-triage", model_error, started_ms=world.now_ms - 50_000)
    block_error = plans.failing_plan(UNUSUAL["the error of a block"])
    finished_run(world, "wf-triage", block_error, started_ms=world.now_ms - 40_000)
    world.workflows["wf-triage"].fields.update(
        (f"field{number}", {"id": f"field{number}", "type": "long-input", "value": UNUSUAL[place]})
        for number, place in enumerate(
            ("JSON text in a sub-block", "the password of an address", "the query of an address")
        )
    )
    world.add_audit(
        "api_key.created",
        workspace_id=WORKSPACE,
        organization_id="org-acme",
        actor_id="user-olga",
        resource_name=UNUSUAL["the name of an audited resource"],
        description=UNUSUAL["the description of an audited action"],
    )
    world.change_run(_odd_run(world).id, extra={"totalDurationMs": "soon"})
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("unusual")
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        warehouse = Warehouse(folder)
        with serve(world) as server:
            warehouse.load(server, details="all", snapshots="all")
        assert len(warehouse.table("rejected_rows")) == 1
        return b"\n".join(content for _, content in remains(folder))


def _odd_run(world: World) -> SimRun:
    block = replace(
        plans.plain_plan().blocks[1],
        input={"ticket": UNUSUAL["a payload in a rejected row"]},
        extra={
            "memo": UNUSUAL["an undocumented field of a span in a rejected row"],
            "sessionToken": UNUSUAL["a secret in a rejected row"],
        },
    )
    return finished_run(world, "wf-triage", Plan((block,)), started_ms=world.now_ms - 30_000)


@pytest.mark.parametrize("place", UNUSUAL)
def test_no_marked_text_is_written_from_an_unusual_place(unusual: bytes, place: str) -> None:
    (marked,) = re.findall(r"(?:sk-)?canary-[\w-]+", UNUSUAL[place])
    assert marked.encode() not in unusual
