"""The state that a sync keeps of one resource for the next sync, typed. No other module knows its keys. Pure.

A resource has one contiguous time range that was read completely, and the unfinished walks. The watermark stays
``STABILITY`` behind the end of that range, because rows may appear late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from ..timestamps import in_utc
from .stretches import Stretch, united, without

STABILITY = timedelta(minutes=5)
"""A row may become visible this long after its start."""
MOST_EDGES = 50
"""Most edges kept of the billing ledger."""
MOST_CLOSED = 1_000
"""Most closed runs kept per workspace: runs that look open and that the server no longer has."""

Kept = dict[str, Any]
"""What dlt stores: plain JSON."""
Key = Literal["walk", "back", "again"]
"""The walks that can be unfinished: up to now; through earlier data (backfill, reconcile); on request (resync)."""


KEYS: tuple[Key, ...] = get_args(Key)


@dataclass(frozen=True, slots=True)
class WalkInHand:
    """An unfinished walk.

    Attributes:
        start: Earliest moment.
        at: Its current position.
        end: Latest moment, fixed when it began.
        again: Take all rows, including stored and unchanged ones.
        due: For a reconcile: when it was due.
        id: For a resync: the command that requested it.
        scope: For a resync: what is taken from each row.
    """

    start: datetime
    at: datetime
    end: datetime
    again: bool = False
    due: datetime | None = None
    id: str | None = None
    scope: str | None = None

    @classmethod
    def read(cls, kept: Kept) -> WalkInHand:
        """Reads a walk from its stored form."""
        start, at, end = (as_moment(kept[name]) for name in ("start", "at", "end"))
        due = as_moment(kept["due"]) if "due" in kept else None
        return cls(start, at, end, bool(kept.get("again")), due, kept.get("id"), kept.get("scope"))

    def as_kept(self) -> Kept:
        """Returns the stored form of the walk."""
        kept: Kept = {"start": as_text(self.start), "at": as_text(self.at), "end": as_text(self.end)}
        due = None if self.due is None else as_text(self.due)
        more = {"again": self.again or None, "due": due, "id": self.id, "scope": self.scope}
        return kept | {name: value for name, value in more.items() if value is not None}


@dataclass(slots=True)
class ResourceState:
    """The state of a resource: the runs of a workspace, or the account's audit logs.

    Attributes:
        kept: Its stored form; changed in place.
    """

    kept: Kept

    @property
    def is_first(self) -> bool:
        """Whether no time range has been read completely yet."""
        return "until" not in self.kept

    @property
    def read(self) -> Stretch | None:
        """The time range that was read completely."""
        return None if self.is_first else Stretch(as_moment(self.kept["from"]), as_moment(self.kept["until"]))

    @property
    def watermark(self) -> datetime | None:
        """Everything before this moment has been read, and no more rows are expected there."""
        return None if self.read is None else self.read.last - STABILITY

    @property
    def reconciled(self) -> datetime | None:
        """When the last days were last read again."""
        return as_moment(self.kept["reconciled"]) if "reconciled" in self.kept else None

    @property
    def last_resync(self) -> str | None:
        """Id of the last resync that finished."""
        return self.kept.get("again_done")

    def in_hand(self, *keys: Key) -> bool:
        """Whether one of these walks is unfinished."""
        return any(key in self.kept for key in keys)

    def walk(self, key: Key) -> WalkInHand | None:
        """Returns an unfinished walk, or None."""
        return WalkInHand.read(self.kept[key]) if key in self.kept else None

    def start_walk(self, key: Key, walk: WalkInHand) -> None:
        """Records an unfinished walk, replacing any other with the same key."""
        self.kept[key] = walk.as_kept()

    def reached(self, position: datetime, key: Key = "walk") -> None:
        """Records how far an unfinished walk has come."""
        self.kept[key]["at"] = as_text(position)

    def finished(self, key: Key = "walk", now: datetime | None = None) -> None:
        """Records that a walk has finished; a finished resync changes nothing else.

        Args:
            key: Which walk.
            now: The server's clock. Rows after it cannot have been read, whatever this machine's clock said when the
                walk began.
        """
        walk, read = WalkInHand.read(self.kept.pop(key)), self.read
        if key == "again":
            self.kept["again_done"] = walk.id
            return
        end = walk.end if now is None else max(walk.start, min(walk.end, now))
        if read is None:
            self.kept["reconciled"] = as_text(end)  # everything was just read
        if walk.due is not None:
            self.kept["reconciled"] = as_text(walk.due)
        self.kept["from"] = as_text(walk.start if read is None else min(walk.start, read.first))
        self.kept["until"] = as_text(end if read is None else max(end, read.last))

    def start_over(self, *, newest_first: bool = False) -> None:
        """Forgets the time range that was read, and walks it again."""
        known = [Stretch(walk.start, walk.end) for key in ("walk", "back") if (walk := self.walk(key))]
        known += [self.read] if self.read else []
        for name in ("walk", "back", "from", "until"):
            self.kept.pop(name, None)
        if known:
            start, end = min(each.first for each in known), max(each.last for each in known)
            self.start_walk("walk", WalkInHand(start, end if newest_first else start, end, again=True))

    def cover(self, tables: Iterable[str]) -> None:
        """Starts over, in the same time range, if tables are selected that earlier walks did not fill.

        Stored rows have not changed then, but are taken all the same.
        """
        wanted = sorted(tables)
        if not set(wanted) <= set(self.kept.get("tables", wanted)):
            self.start_over()
        self.kept["tables"] = wanted

    def cover_departed(self) -> None:
        """Starts over once if an earlier version read audit logs without those of departed people."""
        if not self.kept.get("departed"):
            self.start_over(newest_first=True)
            self.kept["departed"] = True

    def clamp_to_clock(self, now: datetime, reach: timedelta) -> bool:
        """Moves the watermark back if it is ahead of the server's clock: a clock was wrong, or the state is invalid.

        Args:
            now: The server's clock.
            reach: How far before ``now`` to read again.

        Returns:
            Whether the watermark was moved.
        """
        if self.read is None or self.read.last <= now + STABILITY:
            return False
        self.kept["until"] = as_text(max(self.read.first, now - reach))
        return True

    @property
    def missing(self) -> list[Stretch]:
        """Time ranges in which rows may be missing, oldest first."""
        return self._stretches("missing")

    def may_miss_rows(self, moment: datetime) -> bool:
        """Whether the server may have a row at this moment that it did not return."""
        return any(stretch.first <= moment <= stretch.last for stretch in self.missing)

    def missed(self, first: datetime, last: datetime) -> None:
        """Records that rows of a time range may be missing; ranges that touch are merged."""
        self._keep_stretches("missing", united([*self.missing, Stretch(first, last)]))

    def proved(self, first: datetime, last: datetime) -> None:
        """Records that all rows of a time range were read."""
        self._keep_stretches("missing", without(self.missing, first, last))

    @property
    def unconfirmed(self) -> list[Stretch]:
        """Time ranges of runs whose status v2 has still to confirm, oldest first."""
        return self._stretches("unconfirmed")

    def unconfirm(self, stretches: Iterable[Stretch]) -> None:
        """Records that v2 could not be asked for the status of the runs in these time ranges."""
        self._keep_stretches("unconfirmed", united([*self.unconfirmed, *stretches]))

    def confirmed(self, first: datetime, last: datetime) -> None:
        """Records that v2 was asked for the status of all stored runs in a time range."""
        self._keep_stretches("unconfirmed", without(self.unconfirmed, first, last))

    @property
    def has_met_v2(self) -> bool:
        """Whether v2 has been asked for the status of everything that was read before it was met."""
        return bool(self.kept.get("meets_v2"))

    def confirm_earlier(self) -> None:
        """Marks all that was read before the first sync that met v2 as unconfirmed, once."""
        if not self.has_met_v2:
            self.kept["meets_v2"] = True
            self.unconfirm([self.read] if self.read else [])

    def _stretches(self, name: str) -> list[Stretch]:
        return [Stretch(as_moment(first), as_moment(last)) for first, last in self.kept.get(name, ())]

    def _keep_stretches(self, name: str, stretches: Sequence[Stretch]) -> None:
        self.kept.pop(name, None)
        if stretches:
            self.kept[name] = [[as_text(first), as_text(last)] for first, last in stretches]

    @property
    def edges(self) -> tuple[datetime, ...]:
        """Moments that no page of the billing ledger spans, oldest first; see ``walk_ledger``."""
        return tuple(as_moment(edge) for edge in self.kept.get("edges", ()))

    def set_edge(self, edge: datetime, before: datetime) -> None:
        """Records the earliest moment of a page, and where that page ended: no other edge lies between them any more.

        If there are too many, those go that lie closest to their neighbours, measured by their age.
        """
        edges = sorted({each for each in self.edges if each < edge or each >= before} | {edge})
        while len(edges) > MOST_EDGES:
            ages = [(edges[-1] - each).total_seconds() + 3600 for each in edges]
            place = min(range(1, len(edges) - 1), key=lambda at: (ages[at - 1] - ages[at + 1]) / ages[at])
            del edges[place]
        self.kept["edges"] = [as_text(each) for each in edges]

    @property
    def next_turn(self) -> str | None:
        """The open run with which the next sync continues, if there are too many to read each time."""
        return self.kept.get("turn")

    @next_turn.setter
    def next_turn(self, run_id: str | None) -> None:
        if run_id is None:
            self.kept.pop("turn", None)
        else:
            self.kept["turn"] = run_id

    @property
    def closed(self) -> frozenset[str]:
        """Ids of runs that look open and that the server no longer has."""
        return frozenset(self.kept.get("closed", ()))

    def close(self, run_id: str, started_at: datetime) -> None:
        """Records that the server no longer has a run that looks open, so that it is not requested again."""
        closed: dict[str, str] = self.kept.setdefault("closed", {})
        closed[run_id] = started_at.isoformat()
        if len(closed) > MOST_CLOSED:
            del closed[min(closed, key=lambda id_: closed[id_])]

    def shown(self, run_ids: Iterable[str]) -> None:
        """Removes runs from the closed ones, because the server returned them."""
        for run_id in run_ids if self.kept.get("closed") else ():
            self.kept["closed"].pop(run_id, None)


def as_text(moment: datetime) -> str:
    """Formats a moment for the state."""
    return moment.astimezone(UTC).isoformat()


def as_moment(text: str) -> datetime:
    """Parses a moment from the state; UTC if it has no time zone."""
    return in_utc(datetime.fromisoformat(text))
