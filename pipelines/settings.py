"""Settings of a sync: options first, then the environment variables of Sim's own SDK, then dlt's config providers."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim_source import TABLES
from sim_source.errors import ConfigurationError
from sim_source.options import Details, Payloads, Snapshots, choice, moment, workspace_ids

from .destination import publishing
from .destination.target import Target, _configured

if TYPE_CHECKING:
    from sim_source import ReadPlan, SimSourceSettings


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings of one sync.

    Attributes:
        source: Settings of the source.
        plan: What the source reads with these settings.
        target: Destination of the rows.
        resources: Tables to load.
        max_minutes: Minutes after which the sync stops; None for no limit.
        publish: DuckDB file that is replaced by a copy of the database at the end of the sync; None for no copy.
    """

    source: SimSourceSettings = field(repr=False)
    plan: ReadPlan = field(repr=False)
    target: Target
    resources: tuple[str, ...] = tuple(TABLES)
    max_minutes: float | None = None
    publish: Path | None = None

    @classmethod
    def of(cls, source: SimSourceSettings, target: Target, **others: Any) -> RunSettings:
        """Creates the settings of a sync from complete source settings and a destination."""
        return cls(source, source.plan(), target, **others)

    def published_to(self, file: str | None) -> RunSettings:
        """Returns the same settings for a sync whose database is published; see ``publishing.checked_file``."""
        return self if file is None else replace(self, publish=publishing.checked_file(self.target, file))

    def resynced(self, name: str) -> RunSettings:
        """Returns the same settings for a resync with this name; see ``SimSourceSettings.plan``."""
        return replace(self, plan=self.source.plan(name))


def run_settings(
    where: Target,
    *,
    workspaces: Sequence[str] = (),
    resources: str | None = None,
    max_minutes: float | None = None,
    now: datetime | None = None,
    **chosen: Any,
) -> RunSettings:
    """Collects and checks the settings of a sync.

    Args:
        where: Destination of the rows.
        workspaces: Workspace ids; if empty, those of the environment or of dlt's configuration.
        resources: Tables, comma-separated; default: those in dlt's configuration, else all.
        max_minutes: Minutes after which the sync stops.
        now: The current time.
        chosen: Other options of the source, None if not given: since, until, details, snapshots, payloads,
            redact_people.

    Raises:
        ConfigurationError: A setting is missing or invalid. The message names it and says what to do.
    """
    now = now or datetime.now(UTC)
    start, end = moment("--since", chosen.get("since"), now), moment("--until", chosen.get("until"), now)
    if start and start >= (end or now):
        raise ConfigurationError(
            f"--since {chosen['since']} is not before {'--until ' + chosen['until'] if end else 'now'}"
        )
    if max_minutes is not None and not 0 < max_minutes < 1_000_000:
        raise ConfigurationError("--max-minutes must be a number greater than 0 and less than 1,000,000")
    for name, choices in (("details", Details), ("snapshots", Snapshots), ("payloads", Payloads)):
        if chosen.get(name) is not None:
            choice(f"--{name}", chosen[name], choices)
    told = _environment() | {name: value for name, value in chosen.items() if value is not None}
    told |= {"since": start.isoformat() if start else None, "until": end.isoformat() if end else None}
    if workspaces:
        told["workspace_id"] = list(workspaces)
    source = _resolved({name: value for name, value in told.items() if value is not None})
    return RunSettings.of(
        source, where, resources=_resources(resources or _configured("resources")), max_minutes=max_minutes
    )


def _environment() -> dict[str, Any]:
    """Reads the environment variables in ``VARIABLES``."""
    found = {name: os.environ.get(variable) or None for name, variable in VARIABLES.items()}
    if found["allow_http"] is not None:
        found["allow_http"] = str(found["allow_http"]).lower() in ("1", "true", "yes", "on")  # type: ignore[assignment]
    return dict(found)


VARIABLES = {
    "api_key": "SIM_API_KEY",
    "base_url": "SIM_BASE_URL",
    "workspace_id": "SIM_WORKSPACE_ID",
    "allow_http": "SIM_ALLOW_HTTP",
    "redact_salt": "SIM_REDACT_SALT",
}


def _resolved(told: dict[str, Any]) -> SimSourceSettings:
    """Resolves the source settings: explicit values first, then dlt's providers under ``[sources.sim_source]``."""
    from dlt.common.configuration import resolve_configuration
    from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationValueError

    from sim_source import SimSourceSettings

    try:
        return resolve_configuration(
            SimSourceSettings(), sections=("sources", "sim_source"), explicit_value=told, accept_partial=False
        )
    except ConfigFieldMissingException as missing:
        if "api_key" not in missing.fields:
            workspace_ids(None)
        raise ConfigurationError(
            "SIM_API_KEY is not set; create an API key in Sim under Settings, API keys, and export it"
        ) from None
    except ConfigurationValueError as wrong:
        raise ConfigurationError(f"invalid setting under [sources.sim_source]: {wrong}") from None


def readable_secrets() -> Path | None:
    """Returns ``.dlt/secrets.toml`` if it exists and users other than its owner may read it."""
    file = Path(".dlt/secrets.toml")
    try:
        mode = file.stat().st_mode
    except OSError:
        return None
    return file if mode & (stat.S_IRGRP | stat.S_IROTH) else None


def _resources(value: Any) -> tuple[str, ...]:
    if not value:
        return tuple(TABLES)
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else [str(name) for name in value]
    wrong = [name for name in names if name not in TABLES]
    if wrong:
        raise ConfigurationError(f"--resources: unknown {', '.join(map(repr, wrong))}; choose from {', '.join(TABLES)}")
    return tuple(dict.fromkeys([*names, "rejected_rows"]))
