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
from tests.torture.nursery import End, Nursery, Order, nursery
from tests.torture.points import Call, Point, spread
from tests.torture.servers import Addresses, serving
from tests.torture.worlds import MINUTE, WORKSPACES

PIECES = {
    "first": {"PIECE_RUNS": 150, "PIECE_AUDIT_LOGS": 150, "PIECE_CALLS": 120, "PIECE_EVENTS": 250, "FEW_EVENTS": 120},
    "second": {"PIECE_RUNS": 70, "PIECE_AUDIT_LOGS": 70, "PIECE_CALLS": 50, "PIECE_EVENTS": 150, "FEW_EVENTS": 50},
}
ALWAYS = {"AT_ONCE": 15, "DIRECT_ROWS": 1}
"""Small, so that a sync is several committed pieces of lists, and several of details and snapshots."""
OWN_MOMENT = {"usage": None, "rejected_rows": "seen_at", "billing_status": "observed_at"}
"""What tells when it was read, and so differs from sync to sync: a table, or one column of it."""
ROUNDED = {"billing_logs": {"credits", "cost_usd"}}
"""Columns that Sim rounds with those of the rows on the same page: pages depend on where a kill fell."""
CREDITS = "SELECT coalesce(sum(credits), 0), count(*) // 100 + 2 FROM sim.billing_logs"

TORN = """
    SELECT count(*) FROM sim.logs l
    LEFT JOIN (SELECT log_id, sum(total_cost) AS items FROM sim.cost_items GROUP BY 1) i ON i.log_id = l.id
    WHERE coalesce(i.items, 0) <> coalesce(l.cost_total, 0)
"""

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


@dataclass(frozen=True, slots=True)
class Ordeal:
    """What is done to one sync.

    Attributes:
        kill: Where or when it is killed.
        again: The run after it is killed as well: which of the points it passes.
        lost: dlt's working folder is gone afterwards, as that of a container.
        moved: The database gets another name after each kill.
    """

    dialect: str
    sync: str
    kill: Kill
    again: int | None = None
    lost: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it.

    Attributes:
        killed: Whether the kills met it alive.
        story: What was done, in words.
        torn: Runs whose cost items did not add up between the kill and the plain run.
        differences: What differs after the plain run; nothing should.
    """

    killed: bool
    story: str
    torn: int
    differences: list[str]


@dataclass(slots=True)
class Lab:
    """One place on disk, used again for every kill: dlt knows a place by its path.

    Attributes:
        root: Everything is under it.
        dlt_internals: Whether syncs use dlt's insides.
    """

    root: Path
    nursery: Nursery
    addresses: Addresses
    database: str = "sim_sync.duckdb"
    dlt_internals: bool = True
    pieces: dict[str, dict[str, int]] = field(default_factory=lambda: PIECES)
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
            seconds, calls = self._recorded(dialect, sync)
            self.keep(self._template(dialect, sync))
            self._known[dialect, sync] = Undisturbed(self.contents(), calls, seconds)
        return self._known[dialect, sync]

    def _recorded(self, dialect: str, sync: str) -> tuple[float, list[Call]]:
        """Runs a sync that nobody kills: how long it took, and what it did."""
        record = self.root / "calls.json"
        end = self.run(dialect, sync, record=record)
        assert end.code == 0, f"a sync that nobody killed ended with {end.code}: {self.said()}"
        return end.seconds, [Call(*call) for call in json.loads(record.read_text())]

    def _template(self, dialect: str, sync: str) -> Path:
        return self.root / f"{dialect}-{sync}"

    def begin(self, dialect: str, sync: str) -> None:
        """An empty folder, or what the undisturbed first sync left."""
        self.database = "sim_sync.duckdb"
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
        point = tuple(kill) if isinstance(kill, Point) else None
        after = kill if isinstance(kill, float) else None
        settings = self.settings(dialect, sync)
        return self.nursery.run(
            Order(str(self.here), settings, self.pieces[sync] | ALWAYS, point, after, str(record) if record else None)
        )

    def settings(self, dialect: str, sync: str) -> dict[str, str]:
        """The environment of a sync."""
        return {
            "SIM_API_KEY": OWNER_KEY,
            "SIM_BASE_URL": self.addresses[dialect][sync],
            "SIM_WORKSPACE_ID": ",".join(WORKSPACES),
            "DLT_DATA_DIR": str(self.here / "dlt"),
            "SOURCES__SIM_SOURCE__DATABASE": self.database,
            "SOURCES__SIM_SOURCE__DLT_INTERNALS": str(self.dlt_internals).lower(),
        }

    def through(self, ordeal: Ordeal) -> Verdict:
        """Kills a sync, runs it again, and compares."""
        self.undisturbed(ordeal.dialect, ordeal.sync)
        self.begin(ordeal.dialect, ordeal.sync)
        killed = self.run(ordeal.dialect, ordeal.sync, ordeal.kill).killed
        story = f"killed {told(ordeal.kill)}" + (self._move() if ordeal.moved else "")
        if ordeal.again is not None:
            second = self._second_point(ordeal)
            killed = self.run(ordeal.dialect, ordeal.sync, second).killed and killed
            story += f", then {told(second)}" + (self._move() if ordeal.moved else "")
        if ordeal.lost:
            shutil.rmtree(self.here / "dlt", ignore_errors=True)
            story += ", working folder lost"
        torn = self._torn()
        return Verdict(killed, story, torn, self.after_a_plain_run(ordeal.dialect, ordeal.sync))

    def _move(self) -> str:
        """Gives the database another name, and DuckDB's log beside it, where there is one."""
        old, self.database = self.database, f"moved_{self.database}"
        for end in ("", ".wal"):
            if (file := self.here / f"{old}{end}").exists():
                file.rename(self.here / f"{self.database}{end}")
        return ", moved"

    def _second_point(self, ordeal: Ordeal) -> Point:
        """One of the points that the run after the kill passes; the folder is as the kill left it."""
        copy = self.root / "halfway"
        self.keep(copy)
        calls = self._recorded(ordeal.dialect, ordeal.sync)[1]
        self.back(copy)
        return spread(calls, 1, shift=ordeal.again or 0)[0]

    def said(self) -> str:
        """What the last sync printed."""
        return "".join((self.here / name).read_text() for name in ("out", "err"))

    def opened(self) -> duckdb.DuckDBPyConnection:
        """A connection that reads the database."""
        return duckdb.connect(str(self.here / self.database), read_only=True)

    def contents(self) -> Contents:
        """All rows of all tables, sorted."""
        with self.opened() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found: Contents = {}
            for name, table in TABLES.items():
                own = OWN_MOMENT.get(name, "")
                if own is not None:
                    left_out = {own, *ROUNDED.get(name, ())}
                    picked = ", ".join(f'"{column}"' for column in table.column_names if column not in left_out)
                    distinct = "DISTINCT " if own else ""
                    sql = f"SELECT {distinct}{picked} FROM sim.{name} ORDER BY ALL"
                    found[name] = connection.execute(sql).fetchall()
            found["tables there are"] = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sim' ORDER BY ALL"
            ).fetchall()
            found["credits"] = connection.execute(CREDITS).fetchall()
            found["usage seen twice"] = connection.execute(
                "SELECT observed_at FROM sim.usage GROUP BY 1 HAVING count(*) > 1"
            ).fetchall()
            return found

    def _torn(self) -> int:
        """Runs whose items do not add up to their cost, in a copy: opening a database finishes what a kill left."""
        copy = self.root / "opened.duckdb"
        for end in ("", ".wal"):
            Path(f"{copy}{end}").unlink(missing_ok=True)
            if (left := Path(f"{self.here / self.database}{end}")).exists():
                shutil.copyfile(left, f"{copy}{end}")
        with duckdb.connect(str(copy)) as connection:
            try:
                found = connection.execute(TORN).fetchone()
            except duckdb.CatalogException:  # nothing was loaded yet
                return 0
        return int(found[0]) if found else 0

    def after_a_plain_run(self, dialect: str, sync: str) -> list[str]:
        """Runs it once more, undisturbed; says every difference to the sync that never was disturbed."""
        end = self.run(dialect, sync)
        if end.code != 0:
            return [f"the plain run ended with {end.code}: {self.said()}"]
        return self._left_over() + differences(self.undisturbed(dialect, sync).contents, self.contents())

    def _left_over(self) -> list[str]:
        """What of dlt's packages is neither loaded nor gone."""
        # a database that was moved before anything was loaded into it has left its folder behind
        records = self.here.glob("dlt/pipelines/sim_sync_*/destination.json")
        (record,) = (
            file
            for file in records
            if (json.loads(file.read_bytes())["database"] or f"/{self.database}").endswith(f"/{self.database}")
        )
        working = record.parent / "sim_sync"
        left = [path for path in working.glob("normalize/*") if path.is_dir() and path.name != "extracted"]
        for folder in ("normalize/extracted", "load/new", "load/normalized"):
            left += [path for path in working.glob(f"{folder}/*") if path.is_dir()]
        return [f"left over: {path.relative_to(working)}" for path in left]


def told(kill: Kill) -> str:
    """A kill in words."""
    return str(kill) if isinstance(kill, Point) else f"after {kill:.3f} s"


def differences(wanted: Contents, found: Contents) -> list[str]:
    """Every row that is missing or too many, with its table."""
    said = []
    (sum_wanted, bound), (sum_found, _) = wanted["credits"][0], found["credits"][0]
    if abs(sum_wanted - sum_found) > bound:
        said.append(f"credits: {sum_found} instead of {sum_wanted}, and rounding explains {bound} at most")
    for name, rows in wanted.items():
        if name == "credits":
            continue
        there, here = Counter(map(repr, rows)), Counter(map(repr, found[name]))
        said += [f"{name}: missing {row[:300]}" for row in (there - here).elements()]
        said += [f"{name}: too many {row[:300]}" for row in (here - there).elements()]
    return said


@contextmanager
def lab(kind: type[Lab] = Lab) -> Iterator[Lab]:
    """Servers, nursery and a folder, until the end of the ``with``.

    The folder is in memory where it can be: to a killed process that is as good as a disk, and it is faster.
    """
    now_ms = int(time.time() * 1000) - 2 * MINUTE
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(prefix="sim-kill-", dir=memory) as folder:
        root = Path(folder)
        with serving(now_ms) as addresses, nursery(root) as process:
            yield kind(root, process, addresses)
