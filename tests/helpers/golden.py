"""Compiles what sim-sync would run on warehouses that no test can start: ``python -m tests.helpers.golden``.

Writes ``tests/golden/<destination>/``: the tables, how rows are merged, and the views. Nothing of it was run on a real
warehouse. dlt compiles without a driver and without an account; drivers are replaced by objects that do nothing, so
this runs in a process of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import MagicMock

import dlt
import pyarrow as pa
import sqlglot

from pipelines.destination.view_sql import VIEW_SQL
from pipelines.views import all_views, by_dependency, rewritten
from sim_source import TABLES
from sim_source.schema import Table

GOLDEN = Path(__file__).parents[1] / "golden"
MERGED = ("logs", "cost_items", "trace_spans")
"""Tables whose merge is written: one row on its own, and the children of a run, which are replaced together."""
DRIVERS = (
    "clickhouse_connect", "clickhouse_connect.driver", "clickhouse_connect.driver.summary",
    "clickhouse_connect.driver.tools", "clickhouse_driver", "clickhouse_driver.dbapi",
    "clickhouse_driver.dbapi.extras", "clickhouse_driver.errors",
    "databricks", "databricks.sdk", "databricks.sdk.core", "databricks.sdk.service", "databricks.sdk.service.sql",
    "databricks.sql", "databricks.sql.client", "databricks.sql.exc",
    "google", "google.api_core", "google.api_core.exceptions", "google.api_core.retry", "google.cloud",
    "google.cloud.bigquery", "google.cloud.bigquery.dbapi", "google.cloud.bigquery.job",
    "google.cloud.bigquery.retry", "google.cloud.exceptions", "google.oauth2", "google.oauth2.service_account",
    "snowflake", "snowflake.connector", "snowflake.connector.errors",
)  # fmt: skip
"""Modules that dlt imports for these destinations, and that compiling does not call."""
_LOGIN = {"host": "warehouse.example", "username": "loader", "password": "unused", "database": "analytics"}


def destinations() -> dict[str, Any]:
    """The destinations, with credentials that belong to no account."""
    of = dlt.destinations
    return {
        "snowflake": of.snowflake(
            {"host": "example", "username": "loader", "password": "unused", "database": "analytics"}
        ),
        "bigquery": of.bigquery(
            {"project_id": "analytics", "private_key": "unused", "client_email": "loader@warehouse.example"}
        ),
        "databricks": of.databricks(
            {
                "server_hostname": "warehouse.example",
                "http_path": "/sql",
                "access_token": "unused",
                "catalog": "analytics",
            }
        ),
        "redshift": of.redshift(_LOGIN),
        "clickhouse": of.clickhouse(_LOGIN),
    }


class Compiled:
    """What is compiled for one destination.

    Args:
        name: Name of the destination.
        folder: dlt's working folder.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.pipeline = dlt.pipeline(
            f"golden_{name}", pipelines_dir=str(folder), destination=destinations()[name], dataset_name="sim"
        )
        strategies = self.pipeline.destination.capabilities().supported_merge_strategies or ()
        self.pipeline.extract([
            dlt.resource(table.items(_one_row(table), name), **table.hints(strategies), **table.file_format(name))
            for table in TABLES.values()
        ])  # fmt: skip
        self.pipeline.normalize()
        self.client: Any = self.pipeline._get_destination_clients(self.pipeline.default_schema)[0]
        (package,) = self.pipeline.list_normalized_load_packages()
        files = self.pipeline.get_load_package_info(package).jobs["new_jobs"]
        self.client.verify_schema(new_jobs=[file.job_file_info for file in files])

    def tables(self) -> str:
        """The statements that create the tables."""
        made = []
        for name in TABLES:
            columns = self.client.schema.get_new_table_columns(name, {}, self.client.capabilities)
            made += self.client._get_table_update_sql(name, columns, False)
        return _joined(made)

    def merge(self, table: str) -> str:
        """The statements that merge the rows of a table from dlt's staging dataset."""
        chain = [self.client.prepare_load_table(table)]
        (job,) = self.client._create_merge_followup_jobs(chain)
        return _joined([Path(job.new_file_path()).read_text("utf-8")])

    def view(self, name: str) -> str:
        """The statements that create a view."""
        view = all_views()[name]
        client = self.client.sql_client
        query = rewritten(view.query, self.name, client.make_qualified_table_name, TABLES)
        comment = f"{view.description} (sim-sync view 00000000)"
        return _joined(
            VIEW_SQL[self.name].creating(
                view, client.make_qualified_table_name(name), comment, _laid_out(query, self.name), self.name
            )
        )

    def files(self) -> Iterator[tuple[str, str]]:
        """All files: their name and text."""
        yield "tables.sql", self.tables()
        for table in MERGED:
            yield f"merge/{table}.sql", self.merge(table)
        for view in by_dependency(all_views().values()):
            yield f"views/{view.name}.sql", self.view(view.name)


def _one_row(table: Table) -> pa.Table:
    """A row with the key alone."""
    values = {"text": "a", "timestamp": datetime(2026, 11, 2, tzinfo=UTC), "bigint": 1}
    return table.arrow_of([
        tuple(values[column.kind] if column.name in table.key else None for column in table.columns)
    ])  # fmt: skip


def _laid_out(query: str, dialect: str) -> str:
    return sqlglot.parse_one(query, read=dialect).sql(dialect, pretty=True)


def _joined(statements: list[str]) -> str:
    """Statements as they stand in a file; the random parts of temporary names are left out."""
    text = ";\n\n".join(statement.strip().rstrip(";") for statement in statements) + ";\n"
    names: dict[str, str] = {}
    text = re.sub(r"(?<=_)[0-9a-f]{32}\b", lambda found: names.setdefault(found[0], f"{len(names):08d}"), text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def without_drivers() -> None:
    """Replaces the drivers that are not installed."""
    for name in DRIVERS:
        if name not in sys.modules and not _installed(name):
            sys.modules[name] = MagicMock(__path__=[], __version__="0", __spec__=ModuleSpec(name, None))


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def write(folder: Path) -> None:
    """Writes all files below a folder."""
    without_drivers()
    with TemporaryDirectory() as working:
        for name in destinations():
            for file, text in Compiled(name, Path(working)).files():
                path = folder / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN)
