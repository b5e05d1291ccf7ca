"""The settings of the source, each with its default and its check."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Optional

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import TSecretStrValue

from . import options
from .api.base_url import check_base_url
from .errors import ConfigurationError
from .options import Api, Details, Payloads, Snapshots
from .paging.resync import Resync
from .reading.plan import ReadPlan
from .rows.pseudonyms import Pseudonyms
from .rows.run_rows import RunOptions

BASE_URL = "https://www.sim.ai"


@configspec
class SimSourceSettings(BaseConfiguration):
    """Settings under ``[sources.sim_source]``; see ``sim_source.sim_source`` for their meaning."""

    workspace_id: Any = None
    api_key: TSecretStrValue = None  # type: ignore[assignment]
    base_url: str = BASE_URL
    since: Optional[str] = None  # noqa: UP045 - dlt reads these hints
    until: Optional[str] = None  # noqa: UP045
    details: Details = "costly"
    snapshots: Snapshots = "version"
    payloads: Payloads = "none"
    redact_people: bool = False
    redact_salt: Optional[TSecretStrValue] = None  # noqa: UP045
    lookback_minutes: float = 60.0
    reconcile_days: float = 7.0
    allow_http: bool = False
    api: Api = "auto"
    account: str = options.DEFAULT_ACCOUNT

    def on_resolved(self) -> None:
        """Checks all settings.

        Raises:
            ConfigurationError: A setting is wrong; the message names it.
        """
        self.base_url = check_base_url(self.base_url, self.allow_http)
        self.workspace_id = list(options.workspace_ids(self.workspace_id))
        self.plan()

    def plan(self, resync: str | None = None) -> ReadPlan:
        """Returns what a sync with these settings reads.

        Args:
            resync: Read only ``[since, until]``, and read it again whatever is stored. The value is any id for this
                command: later extractions recognize by it what is already done. A resync that was stopped is resumed.

        Raises:
            ConfigurationError: A setting is wrong, or a resync has no valid time range.
        """
        since, until = options.moment("since", self.since), options.moment("until", self.until)
        kept = RunOptions(
            options.choice("details", self.details, Details), options.choice("payloads", self.payloads, Payloads)
        )
        snapshots = options.choice("snapshots", self.snapshots, Snapshots)
        wish = None
        if resync is not None:
            until = until or datetime.now(UTC)
            if since is None or since > until:
                raise ConfigurationError(
                    "resync: set since and until to the time range to read again; since must not be after until"
                )
            wish = Resync(since, until, resync, f"{kept.details} {snapshots} {kept.payloads}")
        return ReadPlan(
            workspace_ids=options.workspace_ids(self.workspace_id),
            since=since,
            until=until,
            options=kept,
            snapshots=snapshots,
            lookback=options.length("lookback_minutes", self.lookback_minutes),
            reconcile=options.length("reconcile_days", self.reconcile_days),
            pseudonyms=Pseudonyms(self.redact_salt) if self.redact_people else None,
            resync=wish,
            api=options.choice("api", self.api, Api),
            account=self.account,
        )
