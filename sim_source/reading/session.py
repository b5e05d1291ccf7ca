"""What the extractions of one sync share, and what the last of them left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..api.client import SimClient
from ..paging.state import Stretch
from ..parallel.walks import Walks
from ..parallel.workers import Workers
from ..stored.warehouse import Warehouse
from .sync_log import SyncLog

FAR_S = 0.02
"""Seconds to an answer from which the next page is asked for while this one is read. From nearer servers it is there
before two threads have agreed on who goes first (measured: 4 ms a page)."""

Resource = tuple[str, str | None]
"""A table, and the workspace that it is read of."""


@dataclass(slots=True)
class Extraction:
    """How one extraction ended.

    Attributes:
        more: A list was left at its bound; the next extraction goes on there.
        out_of_time: The time bound was reached.
    """

    more: bool = False
    out_of_time: bool = False


class SyncSession:
    """What the extractions of one sync share; closed by who made it.

    Args:
        client: How the API is asked; closed with the session.
        log: Told of what happens; one of its own if None.
        strict: Failures of one resource are raised; else they are noted in the log, and the others go on.
        lasting: Other extractions follow: what is asked for ahead at the bound of one is for the next.
        processes: Processes that decode pages beside this one, once some 16 MB of them have come: two at most where the
            machine has the cores; 0 for none.
        warehouse: Asks the destination; each extraction makes its own if None.

    Attributes:
        extraction: The last one.
        end: The moment up to which this sync reads, known once it has begun.
        missing: Stretches that were walked and may lack rows.
        tried: Stretches that lacked rows after an earlier sync and were walked again: once is enough.
    """

    def __init__(
        self,
        client: SimClient,
        log: SyncLog | None = None,
        *,
        strict: bool = False,
        lasting: bool = True,
        processes: int | None = None,
        warehouse: Warehouse | None = None,
    ) -> None:
        self.client = client
        self.log = log or SyncLog()
        self.strict = strict
        self.warehouse = warehouse
        self.workers = Workers(processes)
        self.walks = Walks(lasting=lasting)
        self.extraction = Extraction()
        self.end: datetime | None = None
        self.missing: dict[Resource, list[Stretch]] = {}
        self.tried: dict[Resource, list[Stretch]] = {}

    def __enter__(self) -> SyncSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends walks and processes, and closes the client."""
        self.walks.close()
        self.workers.close()
        self.client.close()

    @property
    def is_far(self) -> bool:
        """Whether an answer takes long to come."""
        return self.client.latency_s > FAR_S

    @property
    def out_of_time(self) -> bool:
        """Whether the time of this sync is up."""
        self.extraction.out_of_time = self.extraction.out_of_time or self.client.out_of_time
        return self.extraction.out_of_time
