"""The destination as dlt gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.commands.piece_loader import PieceLoader
from pipelines.destination.pipeline import pipeline_for
from pipelines.destination.target import Target
from pipelines.sim_api import SimServer
from tests.helpers.app import App


def test_what_is_configured_of_duckdb_holds_but_for_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", '{"memory_limit": "321MiB"}')
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "another.duckdb"))
    file = tmp_path / "this.duckdb"
    with pipeline_for(Target("duckdb", "sim", file)).sql_client() as client:
        asked = "SELECT current_setting('memory_limit'), path FROM duckdb_databases() WHERE path IS NOT NULL"
        assert client.execute_sql(asked) == [("321.0 MiB", str(file))]


@pytest.mark.parametrize(
    ("setting", "configured"),
    [
        ("GLOBAL_CONFIG", '{"max_memory": "321MiB", "threads": 3}'),
        ("PRAGMAS", '["memory_limit=\'321MiB\'", "threads=3"]'),
    ],
    ids=["global_config", "pragmas"],
)
def test_what_is_configured_of_duckdb_wins_over_ours_during_a_sync(
    app: App, server: SimServer, monkeypatch: pytest.MonkeyPatch, setting: str, configured: str
) -> None:
    app.account(server)
    monkeypatch.setenv(f"DESTINATION__DUCKDB__CREDENTIALS__{setting}", configured)
    found: list[tuple[str, int]] = []
    commit = PieceLoader._commit

    def asked(loader: PieceLoader) -> None:
        commit(loader)
        settings = "SELECT current_setting('memory_limit'), current_setting('threads')"
        found.extend(loader.warehouse.ask(settings))

    monkeypatch.setattr(PieceLoader, "_commit", asked)
    assert app("run").code == 0
    assert set(found) == {("321.0 MiB", 3)}
