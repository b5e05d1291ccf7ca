"""The final checks of rows before dlt gets them; all rows pass through here."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any

import msgspec
import pyarrow as pa

from .. import jsons
from ..account_tables import REJECTED_ROWS
from ..rows.account_rows import rejected_row
from ..rows.pseudonyms import Pseudonyms
from ..run_tables import LOGS
from ..schema import Kind, Row, Table
from ..stored import rejections
from ..stored.rejections import stored_rejections
from ..stored.warehouse import Warehouse
from ..tables import TABLES

OF_RUNS = frozenset(
    name for name, table in TABLES.items() if any(each.always and each.table == LOGS.name for each in table.references)
)
"""Tables whose rows belong to a row of ``logs``."""


class RowChecks:
    """Checks the rows of a table that are about to be handed over.

    Args:
        warehouse: Queried for stored rejected rows, only if there are new ones.
        people: Replaces names and e-mail addresses by hashes; None leaves them as the API sent them.
    """

    def __init__(self, warehouse: Warehouse, people: Pseudonyms | None = None) -> None:
        self._warehouse = warehouse
        self._people = people
        self._handed_over: set[bytes] = set()
        self._refused: list[Row] = []
        self._without_run: set[str] = set()

    def __call__(self, table: Table, rows: pa.Table) -> pa.Table:
        """Returns the rows that may be handed over; some may be removed, or their texts changed."""
        rows = without_nul(table, rows)
        if self._people is not None:
            rows = self._people.hidden(table, rows)
        if table.name == REJECTED_ROWS.name:
            return self._new_rejections(rows)
        return self._taken(table, rows) if self._warehouse.doubted else rows

    def refused(self) -> list[Row]:
        """Returns rows of ``rejected_rows`` for rows that the destination rejects; each is returned once."""
        found, self._refused = self._refused, []
        return found

    def _taken(self, table: Table, rows: pa.Table) -> pa.Table:
        """Removes rows that the destination rejects, and rows of runs whose own row it rejects."""
        bad = rejections.refused(self._warehouse, table, rows)
        owner = "id" if "id" in table.column_names else table.key[0]
        ids, workspaces = rows[owner].to_pylist(), rows["workspace_id"].to_pylist()
        for place, why in bad.items():
            about = rejected_row(
                table.name,
                str(ids[place]),
                b"null",
                f"the destination refuses it ({why})",
                workspaces[place],
                datetime.now(UTC),
            )
            self._refused.append(about)
            if table.name == LOGS.name:
                self._without_run.add(ids[place])
        orphans = self._without_run if table.name in OF_RUNS else frozenset[str]()
        return rows.filter(pa.array([place not in bad and id_ not in orphans for place, id_ in enumerate(ids)]))

    def _new_rejections(self, rows: pa.Table) -> pa.Table:
        """Returns rejected rows that are not stored yet: each sync reads recent rows again, and finds the same ones."""
        told = rows.select(["table_name", "record_id", "reason", "row_json"]).to_pylist()
        ids = sorted({row["record_id"] for row in told})
        known = self._handed_over.union(rejection_key(*stored) for stored in stored_rejections(self._warehouse, ids))
        fresh = []
        for row in told:
            mark = rejection_key(*row.values())
            fresh.append(mark not in known)
            known.add(mark)
            self._handed_over.add(mark)
        return rows.filter(pa.array(fresh))


MANY = 1_000
"""Rows from which Arrow searches a column; for fewer, importing ``pyarrow.compute`` is not worth it."""
_NUL_IN_JSON = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def without_nul(table: Table, rows: pa.Table) -> pa.Table:
    """Replaces U+0000 in texts by U+FFFD: PostgreSQL can store it neither in text nor in JSON."""
    for index, column in enumerate(table.columns):
        nul = {"text": "\0", "json": "\\u0000"}.get(column.kind)
        if nul is None:
            continue
        found = rows.column(index)
        if not _has(found, nul):
            continue
        texts = [None if text is None else _without_nul(text, column.kind) for text in found.to_pylist()]
        rows = rows.set_column(index, rows.schema.field(index), pa.array(texts, type=found.type))
    return rows


def _has(column: pa.ChunkedArray, text: str) -> bool:
    if len(column) < MANY:
        return any(value is not None and text in value for value in column.to_pylist())
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring(column, text)).as_py())


def _without_nul(text: str, kind: Kind) -> str:
    return _NUL_IN_JSON.sub(r"\1\\ufffd", text) if kind == "json" else text.replace("\0", "\ufffd")


def rejection_key(table_name: str, record_id: str, reason: str | None, row_json: str | None) -> bytes:
    """Returns the same key for equal rejected rows. A warehouse may reformat JSON (PostgreSQL orders names)."""
    row = None if row_json is None else _plain(jsons.anything(row_json.encode()))
    return hashlib.sha256(_canonical.encode([table_name, record_id, reason, row])).digest()


_canonical = msgspec.json.Encoder(order="sorted")
_EXACT = Context(prec=10_000)


def _plain(value: Any) -> Any:
    """Converts JSON so that numbers are written in one way: 1.50, 1.5 and 15e-1 are equal."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return {"number": str(Decimal(value).normalize(_EXACT))}
    return value
