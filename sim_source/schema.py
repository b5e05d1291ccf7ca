"""Table definitions: columns, keys and references, and the Arrow schemas and dlt hints derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import pyarrow as pa

Row = tuple[Any, ...]
"""The values of a row, in the order of the table's columns."""


Kind = Literal["text", "timestamp", "bigint", "double", "bool", "money", "json"]


MONEY_SCALE: Final = 12
"""Fractional digits of every amount. Amounts are never stored as float (contract)."""


TAKES_OBJECTS: Final = frozenset({"bigquery", "redshift", "snowflake"})
"""Destinations, as dlt names them, that store JSON as such (JSON, SUPER, VARIANT).

In the Parquet files that dlt writes of Arrow tables, JSON is a text: BigQuery rejects such a file, Snowflake and
Redshift store a JSON string instead of the object. These destinations are given objects, in their preferred file format
(JSONL; INSERT statements for Redshift). All others take Arrow tables: their JSON columns hold text, or they parse it.
"""
_OF_DLT: Final = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("_dlt_load_id", "_dlt_id")])
"""Columns that dlt adds to objects. They are declared with the table: not all destinations can add them later."""


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
    """A column: its name, its type and its description (with unit).

    Attributes:
        name: Name in the dataset.
        kind: Type.
        description: What it holds.
        earlier: The name that it had in earlier versions; see ``stored.renamed_columns``. Empty if it had no other.
        later: Added to the table by a later version, so it is null in older rows, even if it is part of the key.
    """

    name: str
    kind: Kind
    description: str
    earlier: str = ""
    later: bool = False


WORKSPACE_ID = Column("workspace_id", "text", "Sim workspace the row belongs to; null if the API does not name one")
EXTRA = Column("extra", "json", "Fields returned by the API that have no column of their own")
"""The columns that every table has."""
ACCOUNT = Column(
    "account",
    "text",
    "Configured account whose API key read the row, or default; null in rows of versions without accounts",
    later=True,
)
"""The account of rows that belong to no workspace, or to more than one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: a column that refers to a column of another table.

    Attributes:
        column: The referring column.
        table: The table that it refers to.
        key: The column of that table.
        always: True if the referenced row always exists; False if it may be missing or was never requested.
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
        key: Columns of the primary key; never null.
        columns: All columns, in the order of the row tuples.
        replaces: The column that groups rows which are replaced together (all cost items of a run, all
            spans of a run), or None if each row is replaced on its own.
        references: Foreign keys to other tables.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    replaces: str | None = None
    references: tuple[Reference, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema; key columns are not nullable, as dlt requires for primary keys."""
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
            Arguments for ``dlt.resource`` or ``dlt.transformer``. The strategy is ``delete-insert`` if the
            destination supports it: only that one removes rows of a group that no longer exist, and
            duplicates that a crash leaves in dlt's staging tables (dlt does not truncate them when it
            resumes a load). No table uses ``append``, not even one whose rows never change: a crash after
            the copy, but before dlt has recorded it, would duplicate rows. ``sim-sync run`` does append
            to tables that it has found to get new rows only, and undoes what a crash leaves behind
            (``dlt_internals`` of the application).
        """
        columns = {
            column.name: {
                "description": column.description,
                **_JSON_HINT.get(column.kind, {}),
                **({"nullable": True} if column.later else {}),
            }
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
        """The dlt hints for merging rows; an empty hint removes one that was set before.

        Args:
            strategies: Merge strategies that the destination supports, as dlt names them; empty if unknown.
        """
        strategy = "delete-insert" if "delete-insert" in strategies or not strategies else "upsert"
        family = self.replaces if self.replaces and strategy == "delete-insert" else ""
        return {"write_disposition": {"disposition": "merge", "strategy": strategy}, "merge_key": family}

    def items(self, rows: pa.Table, destination: str | None = None) -> list[Any]:
        """Returns rows as dlt takes them for a destination.

        Args:
            rows: Rows with the schema of the table.
            destination: Name of the dlt destination; None if it is not known.

        Returns:
            The Arrow table. For ``TAKES_OBJECTS``, an empty one, which declares the columns, and the rows as objects.
        """
        if destination not in TAKES_OBJECTS:
            return [rows]
        texts = [column.name for column in self.columns if column.kind == "json"]
        objects = rows.to_pylist()
        for each in objects:
            for name in texts:
                each[name] = None if each[name] is None else msgspec.json.decode(each[name])
        declared = pa.schema([*self.schema, *_OF_DLT]).empty_table()
        return [declared, objects] if objects else [declared]

    @staticmethod
    def file_format(destination: str | None) -> dict[str, str]:
        """Returns the dlt hint for the file format; empty if dlt's own choice is right."""
        return {"file_format": "preferred"} if destination in TAKES_OBJECTS else {}

    def empty(self) -> pa.Table:
        """An Arrow table without rows; loading it creates the table even if the account has no data."""
        return self.schema.empty_table()

    def arrow(self, columns: Sequence[Sequence[Any]]) -> pa.Table:
        """Builds an Arrow table from one sequence of values per column, in order."""
        schema = self.schema
        arrays = [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def arrow_of(self, rows: Sequence[Row]) -> pa.Table:
        """Builds an Arrow table from rows, of which there must be at least one."""
        return self.arrow(list(zip(*rows, strict=True)))


_JSON_HINT: Final[dict[str, dict[str, str]]] = {"json": {"data_type": "json"}}


_schemas: dict[str, pa.Schema] = {}


def _schema(table: Table) -> pa.Schema:
    schema = _schemas.get(table.name)
    if schema is None:
        schema = pa.schema(
            [
                pa.field(column.name, _ARROW[column.kind], nullable=column.later or column.name not in table.key)
                for column in table.columns
            ]
        )
        _schemas[table.name] = schema
    return schema
