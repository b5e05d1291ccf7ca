"""The tables as streams with a catalog, which is how connectors' standard tests look at a source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.sim_api import WORKSPACE, Block, Plan, Turn, World, audit_burst, finished_run
from pipelines.sim_api.world import plans
from sim_source.schema import Column, Table
from sim_source.tables import TABLES
from tests.helpers.warehouse import Row, Warehouse, full_world

Schema = dict[str, Any]

_TYPES: dict[str, Schema] = {
    "text": {"type": "string"},
    "timestamp": {"type": "string", "format": "date-time"},
    "bigint": {"type": "integer"},
    "double": {"type": "number"},
    "bool": {"type": "boolean"},
    "money": {"type": "number"},
    "json": {"type": ["object", "array"]},
}


@dataclass(frozen=True)
class Stream:
    """A table with its records.

    Attributes:
        records: Its rows as JSON would carry them: moments as text, documents parsed.
    """

    table: Table
    records: list[Row]

    @property
    def schema(self) -> Schema:
        """The JSON schema of a record."""
        return {
            "type": "object",
            "properties": {column.name: self._property(column) for column in self.table.columns},
            "required": list(self.table.key),
            "additionalProperties": False,
        }

    def _property(self, column: Column) -> Schema:
        told = _TYPES[column.kind]
        if column.name in self.table.key:
            return told
        return {"anyOf": [told, {"type": "null"}]}

    def values(self, name: str) -> list[Any]:
        """The values of a column, without nulls."""
        return [record[name] for record in self.records if record[name] is not None]


def streams_of(warehouse: Warehouse) -> dict[str, Stream]:
    """All tables with their rows."""
    return {
        name: Stream(table, [_record(table, row) for row in warehouse.table(name)]) for name, table in TABLES.items()
    }


def _record(table: Table, row: Row) -> Row:
    return {column.name: _carried(column, row[column.name]) for column in table.columns}


def _carried(column: Column, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return json.loads(value) if column.kind == "json" and value is not None else value


def rich_world() -> World:
    """Every kind of run, every state of life, every odd thing that fills a column."""
    world = full_world()
    turn = Turn("claude-sonnet-4-5", 900, 200, 700, cache_read=64, cache_write=32, reasoning=16, ttft_ms=120, text="Ok")
    caching = Block("blk-agent", "Agent", "agent", 5, 705, {"model": turn.model}, {"content": "Ok"}, segments=(turn,))
    told = finished_run(world, "wf-report", Plan((plans.start_block(), caching)), started_ms=world.now_ms - 80_000)
    world.change_run(told.id, extra={"region": "eu-1"}, trigger="schedule")
    odd = finished_run(world, "wf-report", plans.plain_plan(), started_ms=world.now_ms - 70_000)
    world.change_run(odd.id, extra={"totalDurationMs": "soon"})
    world.workflows["wf-triage"].variables["v1"] = {"id": "v1", "name": "REGION", "type": "string", "value": "eu"}
    world.add_audit("member.invited", organization_id="org-acme", actor_id="user-mika", workspace_id=WORKSPACE)
    audit_burst(world, 5, world.now_ms - 3000)
    return world
