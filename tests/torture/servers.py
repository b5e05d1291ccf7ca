"""The embedded Sim API in a process of its own, which outlives every killed sync.

``python -m tests.torture.servers NOW_MS`` prints the address of each (dialect, sync) as JSON and serves until its
standard input is closed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pipelines.sim_api import serve
from tests.torture import worlds

SYNCS = ("first", "second")

Addresses = dict[str, dict[str, str]]
"""By dialect and sync."""


@contextmanager
def serving(now_ms: int) -> Iterator[Addresses]:
    """All worlds on loopback, until the end of the ``with``."""
    command = [sys.executable, "-m", "tests.torture.servers", str(now_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        try:
            yield json.loads(told)
        finally:
            process.communicate()  # closes its standard input: it ends


def main(now_ms: int) -> None:
    """Serves until standard input is closed."""
    with ExitStack() as stack:
        addresses: Addresses = {}
        for dialect in worlds.DIALECTS:
            made = {"first": worlds.first(now_ms), "second": worlds.second(worlds.first(now_ms))}
            addresses[dialect] = {
                sync: stack.enter_context(serve(world, dialect, max_limit=worlds.PAGE, v2=worlds.V2[dialect])).base_url
                for sync, world in made.items()
            }
        print(json.dumps(addresses), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
