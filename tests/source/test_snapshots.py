"""Each distinct workflow state once, by a hash of canonical JSON, secrets removed before."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_source import jsons
from sim_source.api import decode, wire
from sim_source.rows import privacy, snapshots
from tests.helpers import recorded


def state(secret: str | None = "sk-super-secret", **more: Any) -> dict[str, Any]:
    fields = {"apiKey": {"id": "apiKey", "value": secret}, "model": {"id": "model", "value": "gpt-4o"}}
    return {"blocks": {"b": {"id": "b", "subBlocks": fields}}, "edges": [{"id": "e"}], "loops": {}, **more}


def read(found: Any, **more: Any) -> snapshots.SnapshotRows:
    body = jsons.encode({"executionId": "x", "workflowId": "w", "workflowState": found, **more})
    return snapshots.read_snapshot(decode.one(body, wire.Execution), "ws")


def digest(found: Any) -> str:
    row = read(found).state
    assert row is not None
    return str(row[0])


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: shuffled(value[name], chance) for name in names}
    return [shuffled(entry, chance) for entry in value] if isinstance(value, list) else value


json_objects = st.dictionaries(
    st.text(max_size=4),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-9, 9)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(found=json_objects, seed=st.integers(0, 99))
def test_the_hash_does_not_depend_on_the_order_of_keys(found: dict[str, Any], seed: int) -> None:
    assert digest(shuffled(found, random.Random(seed))) == digest(found)


@given(one=json_objects, other=json_objects)
def test_different_states_have_different_hashes(one: dict[str, Any], other: dict[str, Any]) -> None:
    texts = [json.dumps(privacy.without_secrets(found), sort_keys=True) for found in (one, other)]
    assert (digest(one) == digest(other)) == (texts[0] == texts[1])


@pytest.mark.parametrize("secret", ["sk-another", None, 5])
def test_a_changed_secret_is_no_new_state(secret: Any) -> None:
    assert digest(state(secret)) == digest(state())


@pytest.mark.parametrize("change", [{"edges": []}, {"variables": {"v": 1}}, {"blocks": {}}])
def test_any_other_change_is_a_new_state(change: dict[str, Any]) -> None:
    assert digest({**state(), **change}) != digest(state())


def test_the_order_of_edges_matters() -> None:
    assert digest({"edges": [1, 2]}) != digest({"edges": [2, 1]})


def test_a_state_is_stored_in_parts_and_nothing_of_it_is_lost() -> None:
    row = read(state(metadata={"v": 2}, parallels=None)).state
    assert row is not None
    digest_, workspace, workflow, blocks, edges, loops, parallels, variables, count, extra = row
    assert (workspace, workflow, count) == ("ws", "w", 1)
    assert json.loads(blocks)["b"]["subBlocks"]["apiKey"] == {"id": "apiKey", "value": None}
    assert (json.loads(edges), json.loads(loops), parallels, variables) == ([{"id": "e"}], {}, None, None)
    assert json.loads(extra) == {"metadata": {"v": 2}}
    assert len(digest_) == 64


@pytest.mark.parametrize("blocks", [None, [], {}, [{"id": "b"}], "odd"])
def test_odd_blocks_are_counted_as_well_as_they_can_be(blocks: Any) -> None:
    row = read({"blocks": blocks}).state
    assert row is not None
    assert row[8] == (len(blocks) if isinstance(blocks, list | dict) else 0)


def test_no_state_is_a_snapshot_without_one() -> None:
    rows = read(None)
    assert rows.state is None
    assert rows.snapshot[:4] == ("x", "ws", "w", None)


def test_a_state_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="workflowState"):
        read([1, 2])


def test_what_the_server_no_longer_has_is_remembered_as_gone() -> None:
    rows = snapshots.gone_snapshot("x", "ws", "w")
    assert rows.state is None
    assert len(rows.snapshot) == len(read(state()).snapshot)
    assert set(rows.snapshot[3:]) == {None}


@pytest.mark.parametrize("generation", recorded.GENERATIONS)
def test_recorded_snapshots_lose_their_secrets_and_nothing_else(generation: str) -> None:
    for name, answer in recorded.named(generation, "execution_*").items():
        body = answer.json["workflowState"]
        rows = snapshots.read_snapshot(decode.one(answer.body, wire.Execution), "ws")
        assert rows.state is not None, name
        assert "sk-super-secret" not in repr(rows)
        kept = json.loads(rows.state[3])
        assert kept.keys() == body["blocks"].keys()
        for block_id, block in body["blocks"].items():
            assert kept[block_id]["subBlocks"].keys() == block["subBlocks"].keys()
