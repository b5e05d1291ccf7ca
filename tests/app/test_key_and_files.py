"""Where a whole sync leaves the key and whom its files are open to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.sim_api import Faults, SimServer, serve
from pipelines.sim_api.http import faults
from tests.helpers import child
from tests.helpers.app import App, one_of_every_kind
from tests.helpers.canaries import KEY
from tests.helpers.remains import found_in, remains
from tests.source.test_client_key import Trap


@pytest.fixture
def server() -> Iterator[SimServer]:
    world = one_of_every_kind()
    world.add_key(KEY, "user-olga")
    with serve(world, "2026-08") as running:
        yield running


@pytest.mark.parametrize(
    "path",
    ["/api/users/me", "/api/v1/workflows", "/api/v1/audit-logs", "/api/v1/logs?", "/api/v1/logs/wf", "/api/v1/logs/ex"],
)
def test_a_sync_that_is_redirected_sends_the_key_nowhere_else(app: App, server: SimServer, path: str) -> None:
    app.account(server, key=KEY)
    with Trap() as elsewhere:
        server.app.faults = Faults().always(faults.redirect(f"{elsewhere.base_url}/x"), path=path)
        done = app("run")
    assert elsewhere.seen == []
    assert done.code in (1, 2)
    assert "redirect" in done.err
    assert KEY not in done.out + done.err
    assert found_in(list(remains(app.folder)), KEY) == []


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_files_are_as_open_as_the_user_says_and_never_more(tmp_path: Path, server: SimServer, umask: int) -> None:
    done = child.run(tmp_path, server, "run", first=f"import os; os.umask({umask})")
    assert done.code == 0
    modes = {file: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.rglob("*") if file.is_file()}
    assert {file.name: oct(mode) for file, mode in modes.items() if mode & umask or mode & 0o111} == {}
    assert modes[tmp_path / "sim_sync.duckdb"] == 0o666 & ~umask
    locks = [file for file in modes if file.suffix == ".lock" and file.parent == tmp_path]
    assert {modes[lock] for lock in locks} == {0o600}


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)], ids=oct)
def test_a_secrets_file_that_others_may_read_is_warned_about(
    tmp_path: Path, server: SimServer, mode: int, warned: bool
) -> None:
    (tmp_path / ".dlt").mkdir()
    secrets = tmp_path / ".dlt/secrets.toml"
    secrets.write_text(f'[sources.sim_source]\napi_key = "{KEY}"\n')
    secrets.chmod(mode)
    done = child.run(tmp_path, server, "run", "--resources", "logs", SIM_API_KEY="")
    assert done.code == 0, done.err
    assert ("chmod 600" in done.err) == warned
    assert KEY not in done.out + done.err
    secrets.unlink()
    assert found_in(list(remains(tmp_path)), KEY) == []
    assert os.environ.get("SIM_API_KEY") is None


@pytest.mark.parametrize("name", ["config.toml", "secrets.toml"])
def test_a_settings_file_that_is_no_toml_is_named_with_the_place_and_not_quoted(tmp_path: Path, name: str) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / name).write_text("[sim_sync.accounts.a]\napi_key = sk-sim-of-a-test\n")
    done = child.run(tmp_path, None, "run")
    assert (done.code, f"error: .dlt/{name} is not valid TOML, at line 2 col" in done.err) == (2, True), done.err
    assert "Traceback" not in done.err
    assert "of-a-test" not in done.err
