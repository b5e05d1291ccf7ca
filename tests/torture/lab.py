"""Runs, kills and compares: what the tests and ``make torture`` share."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipelines.sim_api import OWNER_KEY
from sim_source import TABLES

from .nursery import End, Nursery, Order, nursery
from .points import Call, Point
from .servers import Addresses, serving
from .worlds import MINUTE, WORKSPACES

PIECES = {"PIECE_RUNS": 100, "PIECE_CALLS": 70, "AT_ONCE": 15}
"""Small, so that a first sync is several committed pieces of lists, and several of details and snapshots."""
OWN_MOMENT = {"usage": None, "rejected_rows": "seen_at"}
"""What tells when it was read, and so differs from sync to sync: a table, or one column of it."""

Contents = dict[str, list[tuple[Any, ...]]]
Kill = Point | float
"""A point, or seconds after the start."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A sync that nobody killed.

    Attributes:
        contents: The rows it left, by table.
        calls: What it did, in order.
        seconds: How long it took.
    """

    contents: Contents
    calls: list[Call]
    seconds: float


@dataclass(slots=True)
class Lab:
    """One place on disk, used again for every kill: dlt knows a place by its path.

    Attributes:
        root: Everything is under it.
    """

    root: Path
    nursery: Nursery
    addresses: Addresses
    _known: dict[tuple[str, str], Undisturbed] = field(default_factory=dict)

    @property
    def here(self) -> Path:
        """The folder that syncs run in."""
        return self.root / "here"

    def undisturbed(self, dialect: str, sync: str) -> Undisturbed:
        """The sync that others are compared with; run once."""
        if (dialect, sync) not in self._known:
            if sync == "second":
                self.undisturbed(dialect, "first")
            self.begin(dialect, sync)
            record = self.root / "calls.json"
            end = self.run(dialect, sync, record=record)
            assert end.code == 0, f"the undisturbed sync ended with {end.code} after {end.seconds:.1f} s: {self.said()}"
            self.keep(self._template(dialect, sync))
            calls = [Call(*call) for call in json.loads(record.read_text())]
            self._known[dialect, sync] = Undisturbed(self.contents(), calls, end.seconds)
        return self._known[dialect, sync]

    def _template(self, dialect: str, sync: str) -> Path:
        return self.root / f"{dialect}-{sync}"

    def begin(self, dialect: str, sync: str) -> None:
        """An empty folder, or what the undisturbed first sync left."""
        if sync == "second":
            self.back(self._template(dialect, "first"))
        else:
            shutil.rmtree(self.here, ignore_errors=True)
            self.here.mkdir()

    def keep(self, copy: Path) -> None:
        """Copies the folder."""
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.here, copy)

    def back(self, copy: Path) -> None:
        """The folder becomes what it was when it was copied."""
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(copy, self.here)

    def run(self, dialect: str, sync: str, kill: Kill | None = None, record: Path | None = None) -> End:
        """``sim-sync run``, to its end or its death."""
        settings = {
            "SIM_API_KEY": OWNER_KEY,
            "SIM_BASE_URL": self.addresses[dialect][sync],
            "SIM_WORKSPACE_ID": ",".join(WORKSPACES),
            "DLT_DATA_DIR": str(self.here / "dlt"),
        }
        point = tuple(kill) if isinstance(kill, Point) else None
        after = kill if isinstance(kill, float) else None
        return self.nursery.run(Order(str(self.here), settings, PIECES, point, after, str(record) if record else None))

    def said(self) -> str:
        """What the last sync printed."""
        return "".join((self.here / name).read_text() for name in ("out", "err"))

    def lose_working_folder(self) -> None:
        """As with a container that is gone: of everything on disk only the database stays."""
        shutil.rmtree(self.here / "dlt", ignore_errors=True)

    def contents(self) -> Contents:
        """All rows of all tables, sorted."""
        with duckdb.connect(str(self.here / "sim_sync.duckdb"), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found: Contents = {}
            for name, table in TABLES.items():
                own = OWN_MOMENT.get(name, "")
                if own is not None:
                    picked = ", ".join(f'"{column}"' for column in table.column_names if column != own)
                    distinct = "DISTINCT " if own else ""
                    sql = f"SELECT {distinct}{picked} FROM sim.{name} ORDER BY ALL"
                    found[name] = connection.execute(sql).fetchall()
            found["tables there are"] = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL"
            ).fetchall()
            found["usage seen twice"] = connection.execute(
                "SELECT observed_at FROM sim.usage GROUP BY 1 HAVING count(*) > 1"
            ).fetchall()
            return found

    def after_a_plain_run(self, dialect: str, sync: str) -> list[str]:
        """Runs it once more, undisturbed; says every difference to the sync that never was disturbed."""
        end = self.run(dialect, sync)
        if end.code != 0:
            return [f"the plain run ended with {end.code}: {self.said()}"]
        return differences(self.undisturbed(dialect, sync).contents, self.contents())


def differences(wanted: Contents, found: Contents) -> list[str]:
    """Every row that is missing or too many, with its table."""
    said = []
    for name, rows in wanted.items():
        there, here = Counter(map(repr, rows)), Counter(map(repr, found[name]))
        said += [f"{name}: missing {row[:300]}" for row in (there - here).elements()]
        said += [f"{name}: too many {row[:300]}" for row in (here - there).elements()]
    return said


@contextmanager
def lab() -> Iterator[Lab]:
    """Servers, nursery and a folder, until the end of the ``with``.

    The folder is in memory where it can be: to a killed process that is as good as a disk, and it is faster.
    """
    now_ms = int(time.time() * 1000) - 2 * MINUTE
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="sim-kill-", dir=memory) as folder:
        root = Path(folder)
        with serving(now_ms) as addresses, nursery(root) as process:
            yield Lab(root, process, addresses)
