"""The destination as dlt gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.destination.pipeline import pipeline_for
from pipelines.destination.target import Target


def test_what_is_configured_of_duckdb_holds_but_for_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", '{"memory_limit": "321MiB"}')
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "another.duckdb"))
    file = tmp_path / "this.duckdb"
    with pipeline_for(Target("duckdb", "sim", file)).sql_client() as client:
        asked = "SELECT current_setting('memory_limit'), path FROM duckdb_databases() WHERE path IS NOT NULL"
        assert client.execute_sql(asked) == [("321.0 MiB", str(file))]
