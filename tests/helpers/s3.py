"""A throwaway S3 server for tests: SeaweedFS from PyPI, on free loopback ports, gone afterwards."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

PATIENCE_S = 90.0
KEY, SECRET = "sim-test-key", "sim-test-secret"
SERVICES = ("-master.port", "-volume.port", "-filer.port", "-s3.port")
APART = 10_000
"""SeaweedFS opens a port for gRPC beside each one, higher by this."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and how to reach it."""

    url: str
    endpoint: str
    key: str = KEY
    secret: str = SECRET


@contextmanager
def throwaway_s3() -> Iterator[Bucket]:
    """Starts an S3 server of its own and stops it at the end.

    Yields:
        An empty bucket.
    """
    # Not below the temporary folder of pytest: SeaweedFS writes gigabytes of files that are mostly empty.
    with TemporaryDirectory(prefix="sim-sync-s3-") as folder:
        identity = {"name": "sim", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
        config = Path(folder, "s3.json")
        config.write_text(json.dumps({"identities": [identity]}))
        ports = _free_ports(len(SERVICES))
        named = [f"{name}={port}" for name, port in zip(SERVICES, ports, strict=True)]
        command = [Path(sys.executable).with_name("weed"), "server", "-s3", "-filer", "-ip=127.0.0.1"]
        command += ["-ip.bind=127.0.0.1", f"-dir={folder}", f"-s3.config={config}", "-volume.max=20", *named]
        with open(Path(folder, "log"), "wb") as log:
            server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            endpoint = f"127.0.0.1:{ports[-1]}"
            _answers(server, endpoint, Path(folder, "log"))
            yield Bucket("s3://lake", endpoint)
        finally:
            server.terminate()
            server.wait(30)


def _answers(server: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Waits until the server writes a file: it opens its port long before."""
    import duckdb

    from pipelines.destination.lake import extension_file

    until = time.monotonic() + PATIENCE_S
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{extension_file('httpfs')}'")
        connection.execute("SET http_retries = 0")
        connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', ENDPOINT '{endpoint}', URL_STYLE 'path', "
            "USE_SSL false, REGION 'us-east-1')"
        )
        while True:
            try:
                with urllib.request.urlopen(f"http://{endpoint}/status", timeout=5):
                    connection.execute("COPY (SELECT 1 AS a) TO 's3://lake/begin.parquet'")
                    return
            except (urllib.error.URLError, OSError, duckdb.Error) as error:
                if server.poll() is not None or time.monotonic() >= until:
                    raise RuntimeError(f"no S3 server: {error}\n{log.read_text()[-2000:]}") from error
                time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            probe, beside = (stack.enter_context(socket.socket()) for _ in range(2))
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            try:
                beside.bind(("127.0.0.1", port + APART))
            except (OSError, OverflowError):
                continue
            found.append(port)
        return found
