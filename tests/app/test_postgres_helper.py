import os
import socket
from pathlib import Path

import psycopg2
import pytest

from tests.helpers import postgres


def test_throwaway_postgres_answers_and_leaves_nothing() -> None:
    if reason := postgres.skip_reason():
        pytest.skip(reason)

    with postgres.throwaway_postgres() as url:
        connection = psycopg2.connect(url)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
            cursor.execute("SHOW data_directory")
            data = Path(cursor.fetchone()[0])
        connection.close()
        assert data.is_dir()

    assert not data.parent.exists()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


def test_a_port_taken_meanwhile_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := postgres.skip_reason():
        pytest.skip(reason)

    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1], postgres._free_port()])
        monkeypatch.setattr(postgres, "_free_port", lambda: next(ports))
        with postgres.throwaway_postgres() as url:
            psycopg2.connect(url).close()


def test_a_machine_without_postgres_gets_a_reason_to_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres, "DEBIAN_VERSIONS", tmp_path)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))

    assert "not installed" in str(postgres.skip_reason())
    with pytest.raises(postgres.PostgresUnavailable), postgres.throwaway_postgres():
        pass
