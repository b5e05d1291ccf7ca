"""What the extractions of one sync share, and how the last of them ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..api.client import SimClient
from ..api.v2_endpoints import SimV2Api
from ..paging.source_state import SourceState
from ..paging.stretches import Stretch
from ..parallel.walks import Walks
from ..parallel.workers import Workers
from ..stored.warehouse import Warehouse
from .sync_log import SyncLog

FAR_S = 0.02
"""Response time in seconds above which the next page is requested while this one is parsed. Nearer servers answer
before two threads have taken turns."""

Resource = tuple[str, str | None]
"""A table, and the workspace it is read from."""


@dataclass(slots=True)
class Extraction:
    """How one extraction ended.

    Attributes:
        more: A list stopped at its bound; the next extraction continues there.
        out_of_time: The time limit was reached.
    """

    more: bool = False
    out_of_time: bool = False


class SyncSession:
    """What the extractions of one sync share; whoever creates it closes it.

    Args:
        client: The API client; closed with the session.
        log: Records what happens; if None, the session creates one.
        strict: Failures of one resource are raised; otherwise they are recorded in the log, and the others continue.
        lasting: More extractions follow, so pages fetched ahead at the bound of one serve the next.
        processes: Worker processes that decode pages, started after about 16 MB of pages; 0 for none. None: one less
            than the available cores, two at most.
        warehouse: Queries the destination; if None, each extraction creates its own.

    Attributes:
        v2: The endpoints of the v2 API; knows whether the server offers them.
        extraction: The last one.
        end: The moment up to which this sync reads, known once it has begun.
        states_stopped: Workspaces of whose runs v2 is not asked for the status any more: that failed, or is denied.
        elsewhere: States of other pipelines that load into the same dataset; they may know more of a workspace.
        missing: Time ranges that were walked and may lack rows.
        tried: Time ranges that lacked rows after an earlier sync and were walked again: once per sync is enough.
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
        self.v2 = SimV2Api(client)
        self.log = log or SyncLog()
        self.strict = strict
        self.warehouse = warehouse
        self.workers = Workers(processes)
        self.walks = Walks(lasting=lasting)
        self.extraction = Extraction()
        self.end: datetime | None = None
        self.elsewhere: Sequence[SourceState] = ()
        self.states_stopped: set[str] = set()
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
        """Whether the server takes long to answer."""
        return self.client.latency_s > FAR_S

    @property
    def out_of_time(self) -> bool:
        """Whether the time of this sync is up."""
        self.extraction.out_of_time = self.extraction.out_of_time or self.client.out_of_time
        return self.extraction.out_of_time
