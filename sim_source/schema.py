"""What a table is: its columns, keys and references, and the Arrow schema and dlt hints that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pyarrow as pa

Row = tuple[Any, ...]
"""Values in the order of a table's columns."""


Kind = Literal["text", "timestamp", "bigint", "double", "bool", "money", "json"]


MONEY_SCALE: Final = 12
"""Fractional digits of every amount (contract: never float)."""


_ARROW: Final[dict[Kind, pa.DataType]] = {
    "text": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "money": pa.decimal128(38, MONEY_SCALE),
    "json": pa.string(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, kind and what it says (with unit)."""

    name: str
    kind: Kind
    description: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose value is found in a column of another table.

    Attributes:
        column: The column.
        table: The other table.
        key: Its column.
        always: Whether a row always has its other row; else that one may be gone, or was not asked for.
    """

    column: str
    table: str
    key: str
    always: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the contract.

    Attributes:
        name: Name in the dataset.
        description: What one row is.
        key: Columns that name a row; never null.
        columns: All columns, in the order of the warehouse.
        replaces: The column whose value names a family of rows that is replaced as one (a run's
            cost items, a run's spans), or None where rows stand for themselves.
        references: How rows belong to rows of other tables.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    replaces: str | None = None
    references: tuple[Reference, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema; key columns are non-nullable, as dlt asks of primary keys."""
        return _schema(self)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def hints(self, strategies: Sequence[str] = ("delete-insert", "upsert")) -> dict[str, Any]:
        """The dlt resource hints.

        Args:
            strategies: Merge strategies that the destination supports, as dlt names them.

        Returns:
            Arguments for ``dlt.resource`` or ``dlt.transformer``. ``delete-insert`` is taken where it can be:
            it alone removes rows of a family that are no longer there, and drops duplicates that a
            crash leaves in dlt's staging tables (dlt does not truncate them when it resumes a load).
            No table is said to be appended to, not even one whose rows never change: a crash between a copy and
            dlt's note of it would double its rows. ``sim-sync run`` appends where it has looked, and
            takes back what a crash leaves (``dlt_internals`` of the application).
        """
        columns = {
            column.name: {"description": column.description, **_JSON_HINT.get(column.kind, {})}
            for column in self.columns
        }
        return {
            "name": self.name,
            "table_name": self.name,
            "primary_key": list(self.key),
            "columns": columns,
            **{name: hint for name, hint in self.merging(strategies).items() if hint},
        }

    def merging(self, strategies: Sequence[str]) -> dict[str, Any]:
        """The dlt hints that say how rows are merged; empty ones take a hint away.

        Args:
            strategies: Merge strategies that the destination supports, as dlt names them; empty: it is not known.
        """
        strategy = "delete-insert" if "delete-insert" in strategies or not strategies else "upsert"
        family = self.replaces if self.replaces and strategy == "delete-insert" else ""
        return {"write_disposition": {"disposition": "merge", "strategy": strategy}, "merge_key": family}

    def empty(self) -> pa.Table:
        """No rows, all columns: makes the table exist on an empty account."""
        return self.schema.empty_table()

    def arrow(self, columns: Sequence[Sequence[Any]]) -> pa.Table:
        """Rows given as one sequence per column, in order."""
        schema = self.schema
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def arrow_of(self, rows: Sequence[Row]) -> pa.Table:
        """Rows, at least one, as an Arrow table."""
        return self.arrow(list(zip(*rows, strict=True)))


_JSON_HINT: Final[dict[str, dict[str, str]]] = {"json": {"data_type": "json"}}


_schemas: dict[str, pa.Schema] = {}


def _schema(table: Table) -> pa.Schema:
    schema = _schemas.get(table.name)
    if schema is None:
        schema = pa.schema(
            [
                pa.field(column.name, _ARROW[column.kind], nullable=column.name not in table.key)
                for column in table.columns
            ]
        )
        _schemas[table.name] = schema
    return schema
