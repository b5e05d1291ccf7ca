"""Processes of one machine share the rate limit of an API key."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.rate_limit import RateLimit
from pipelines.shared_pacer import SharedPacer, shared_pacers
from pipelines.sim_api import OWNER_KEY, WORKSPACE, serve, small_world
from sim_source.api.rate import Pacer
from tests.helpers.child import ROOT

PROCESSES, EACH = 4, 30
NOW = 1_800_000_000.0
HEADERS = {
    "X-RateLimit-Limit": "10",
    "X-RateLimit-Remaining": "4",
    "X-RateLimit-Reset": "2027-01-15T08:01:00.000Z",  # 60 s after NOW
}

ASKS = """
import sys
from sim_source import SimClient, Throttle
from pipelines.shared_pacer import shared_pacers
url, key, workspace, count = sys.argv[1:]
throttle = Throttle(pacer_of=shared_pacers(url, key))
with SimClient(key, url, allow_http=True, throttle=throttle) as client:
    sys.stdin.readline()
    for _ in range(int(count)):
        client.get("/api/v1/logs", {"workspaceId": workspace, "limit": "1"}, bytes)
"""
"""Sends requests one after the other, from the moment that its standard input is closed."""


def test_processes_that_share_a_key_are_not_refused(tmp_path: Path) -> None:
    """Twelve intervals' worth of requests by four processes at once; none of them knows the limit before."""
    with serve(small_world(), "2026-08", limit=RateLimit(10, 10, 0.5)) as server:
        line = [sys.executable, "-c", ASKS, server.base_url, OWNER_KEY, WORKSPACE, str(EACH)]
        env = os.environ | {"DLT_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
        asking = [
            subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
            for _ in range(PROCESSES)
        ]
        told = [process.communicate()[1] for process in asking]
        assert [process.returncode for process in asking] == [0] * PROCESSES, told
        statuses = [request.status for request in server.requests]
    assert statuses == [200] * PROCESSES * EACH


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "limits" / "bucket"


def test_what_one_learns_another_knows(file: Path) -> None:
    one, other = SharedPacer(file), SharedPacer(file)
    assert one.claim(NOW).seconds == 0
    one.answered(200, HEADERS, NOW)
    assert (other.available, other.limit) == (4, 10)
    assert [other.claim(NOW).seconds > 0 for _ in range(5)] == [False] * 4 + [True]
    assert one.claim(NOW).seconds > 0


def test_requests_of_a_process_that_was_killed_are_not_waited_for(file: Path) -> None:
    """Its requests never get an answer; those of a process that lives do."""
    claim = (
        "import sys, os, signal; from pathlib import Path; from pipelines.shared_pacer import SharedPacer\n"
        f"pacer = SharedPacer(Path(sys.argv[1])); assert pacer.claim({NOW}).seconds == 0\n"
        "print('sent', flush=True); sys.stdin.readline()"
    )
    line = [sys.executable, "-c", claim, str(file)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        pacer = SharedPacer(file)
        assert pacer.claim(NOW).for_answer, "the limit is not known before the first response"
        process.kill()
        process.wait()
        assert pacer.claim(NOW).seconds == 0


def test_only_this_user_can_read_it_and_its_name_tells_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path))
    pacer_of = shared_pacers("https://sim.example", "sk-sim-of-a-test")
    pacer_of("").claim(time.time())
    (folder,) = tmp_path.glob("*rate*")
    (made,) = folder.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "sk-sim" not in made.name + made.read_text()
    shared_pacers("https://sim.example", "sk-sim-of-another")("").claim(time.time())
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("text", [b"", b"{", b"\xff" * 5000, b'{"bucket": 1}'])
def test_a_file_that_was_cut_is_begun_again(file: Path, text: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(text)
    pacer = SharedPacer(file)
    assert pacer.claim(NOW).seconds == 0
    pacer.answered(200, HEADERS, NOW)
    assert SharedPacer(file).available == 4


def test_a_folder_that_cannot_be_written_leaves_a_pacer_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sim_sync_rate_limits").write_text("not a folder")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path))
    assert type(shared_pacers("https://sim.example", "sk-sim-of-a-test")("")) is Pacer
