"""What all tests share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from pipelines.destination.target import Target
from pipelines.report import page
from pipelines.sim_api import SimServer, World, serve
from tests.helpers.app import App, one_of_every_kind
from tests.helpers.postgres import skip_reason, throwaway_postgres
from tests.helpers.tables import Place, target_of
from tests.helpers.warehouse import Warehouse

if TYPE_CHECKING:
    from tests.helpers.browser import Browser

# before dlt is imported anywhere: no telemetry, and no log lines but errors
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"

# no test asserts a time: the machine may be busy
hypothesis.settings.register_profile("sim-sync", deadline=None)
hypothesis.settings.load_profile("sim-sync")

_FOREIGN = ("SIM_", "SOURCES__", "DESTINATION__", "DLT_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own dlt, Sim or proxy settings reaches a test, and no test's leaves it."""
    for name in list(os.environ):
        if name.upper().startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> App:
    """``sim-sync`` in an empty folder, without any setting."""
    return App(tmp_path, monkeypatch, capsys)


@pytest.fixture
def world() -> World:
    """An account with a run of every kind; modules that need another have one of their own."""
    return one_of_every_kind()


@pytest.fixture
def server(world: World) -> Iterator[SimServer]:
    """A server of mid 2026 with that account."""
    with serve(world, "2026-08") as running:
        yield running


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An empty DuckDB file and a dlt pipeline that loads into it."""
    return Warehouse(tmp_path)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL of this test run."""
    reason = skip_reason()
    if reason is not None:
        pytest.skip(reason)
    with throwaway_postgres() as url:
        yield url


@pytest.fixture(params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty DuckDB file, then an empty dataset in PostgreSQL."""
    import dlt

    if request.param == "duckdb":
        return Place(dlt.destinations.duckdb(str(tmp_path / "tables.duckdb")), tmp_path / "dlt")
    url = request.getfixturevalue("postgres")
    return Place(dlt.destinations.postgres(url), tmp_path / "dlt", f"sim_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def target(place: Place, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Target:
    """The same place as the application knows it."""
    if place.pipeline.destination.destination_name == "postgres":
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", request.getfixturevalue("postgres"))
    return target_of(place)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser of this test run."""
    from tests.helpers.browser import chromium, skip_reason

    reason = skip_reason()
    if reason is not None:
        pytest.skip(reason)
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def report_account(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The account of ``tests.helpers.report_account`` in DuckDB."""
    from tests.helpers.report_account import fill

    return fill(tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="session")
def report_page(report_account: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its HTML report."""
    from tests.helpers.report_account import NOW

    file = tmp_path_factory.mktemp("page") / "report.html"
    page.write_page(report_account, file, now=NOW)
    return file
