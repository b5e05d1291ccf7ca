"""What is loaded into cloud warehouses has a format that they take, money with 12 digits, and JSON as they store it."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import pyarrow.parquet as pq
import pytest

from pipelines.sim_api import SimServer
from sim_source.run_tables import LOGS
from tests.helpers.golden import destinations
from tests.helpers.tables import at
from tests.helpers.warehouse import opened

COST = Decimal("123456789.000000000001")
ROW = {"id": "a", "started_at": at("2026-11-02"), "cost_total": COST, "extra": '{"a": {"b": 0.105}}'}


def normalised(name: str, folder: Path) -> list[Path]:
    """Files of the table ``logs`` that dlt would load into a destination."""
    pipeline = dlt.pipeline(name, pipelines_dir=str(folder), destination=destinations()[name], dataset_name="sim")
    rows = LOGS.arrow_of([tuple(ROW.get(column) for column in LOGS.column_names)])
    resource = dlt.resource(LOGS.items(rows, name), **LOGS.hints(), **LOGS.file_format(name))
    pipeline.extract(resource)
    pipeline.normalize()
    return sorted(folder.rglob("normalized/*/new_jobs/logs.*"))


def text(file: Path) -> str:
    body = file.read_bytes()
    return (gzip.decompress(body) if file.suffix == ".gz" else body).decode()


@pytest.mark.parametrize("name", ["databricks", "clickhouse"])
def test_warehouses_whose_json_is_text_are_loaded_from_parquet(name: str, tmp_path: Path) -> None:
    (file,) = normalised(name, tmp_path)
    assert file.name.endswith(".parquet")
    (row,) = pq.read_table(file).to_pylist()
    assert (row["cost_total"], row["extra"]) == (COST, ROW["extra"])


@pytest.mark.parametrize("name", ["snowflake", "bigquery"])
def test_warehouses_that_store_json_are_loaded_from_jsonl_with_objects(name: str, tmp_path: Path) -> None:
    files = normalised(name, tmp_path)
    assert all(".jsonl" in file.name for file in files)
    rows: list[dict[str, Any]] = [json.loads(line) for file in files for line in text(file).splitlines() if line]
    (row,) = [row for row in rows if row.get("id")]
    assert (row["cost_total"], row["extra"]) == (str(COST), {"a": {"b": 0.105}})


def test_redshift_is_loaded_with_statements_that_parse_json(tmp_path: Path) -> None:
    found = "".join(text(file) for file in normalised("redshift", tmp_path) if ".insert_values" in file.name)
    assert str(COST) in found
    assert """json_parse('{"a":{"b":0.105}}')""" in found


@pytest.mark.parametrize(("name", "ending"), [("bigquery", ".jsonl.gz"), ("databricks", ".parquet")])
def test_a_sync_writes_the_files_that_its_destination_takes(
    name: str, ending: str, server: SimServer, tmp_path: Path
) -> None:
    """Up to the load; the destination has no driver here, so it holds nothing yet."""
    pipeline = dlt.pipeline(name, pipelines_dir=str(tmp_path), destination=destinations()[name], dataset_name="sim")
    with opened(server) as source:
        pipeline.extract(source)
    pipeline.normalize()
    written = {file.name.split(".")[0]: file.name for file in tmp_path.rglob("normalized/*/new_jobs/*")}
    assert {"logs", "cost_items", "trace_spans"} <= written.keys()
    assert all(written[table].endswith(ending) for table in ("logs", "cost_items", "trace_spans"))
    assert not any(
        "__" in table for table in pipeline.default_schema.tables
    )  # JSON columns have no tables of their own
