"""Settings of a run: options first, then the environment as Sim's own SDK names it, then dlt's providers."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast, get_args

from sim_source import TABLES, check_base_url
from sim_source.errors import ConfigurationError
from sim_source.rows.pseudonyms import checked_salt

from .destination import drivers, names

DEFAULT_DATABASE = "sim_sync.duckdb"
DEFAULT_DATASET = "sim"

Details = Literal["costly", "all", "none"]
Snapshots = Literal["version", "all", "none"]
Payloads = Literal["none", "full"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go.

    Attributes:
        destination: A dlt destination name.
        dataset: Dataset (schema) of the tables, as the destination calls it.
        database: File of a DuckDB destination, links followed; None elsewhere.
    """

    destination: str = "duckdb"
    dataset: str = DEFAULT_DATASET
    database: Path | None = None

    def __str__(self) -> str:
        return str(self.database) if self.database else f"{self.destination}, dataset {self.dataset}"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What one sync is to do; see ``sim_source.sim_source`` for the ones of the same name."""

    api_key: str = field(repr=False)
    workspace_ids: tuple[str, ...]
    base_url: str
    target: Target
    allow_http: bool = False
    resources: tuple[str, ...] = tuple(TABLES)
    since: datetime | None = None
    until: datetime | None = None
    details: Details = "costly"
    snapshots: Snapshots = "version"
    payloads: Payloads = "none"
    redact_people: bool = False
    redact_salt: str | None = field(default=None, repr=False)
    lookback_minutes: float = 60.0
    reconcile_days: float = 7.0
    max_minutes: float | None = None
    resync: str | None = None


def target(destination: str | None = None, dataset: str | None = None, database: Path | None = None) -> Target:
    """Where rows go, checked.

    Raises:
        ConfigurationError: A name that cannot work there, or a file for another destination.
    """
    name = _configured("destination") or "duckdb" if destination is None else destination
    data = names.dataset_name(str(_configured("dataset") or DEFAULT_DATASET if dataset is None else dataset))
    if name != "duckdb":
        drivers.known(name)
        if database is not None:
            raise ConfigurationError(f"--database names a DuckDB file; the destination is {name}")
        names.tried(data)
        return Target(name, data)
    file = names.database_file(database or Path(_configured("database") or DEFAULT_DATABASE))
    names.tried(data, file)
    return Target(name, data, file)


def run_settings(
    where: Target,
    *,
    workspaces: Sequence[str] = (),
    resources: str | None = None,
    since: str | None = None,
    until: str | None = None,
    details: str | None = None,
    snapshots: str | None = None,
    payloads: str | None = None,
    redact_people: bool | None = None,
    max_minutes: float | None = None,
    now: datetime | None = None,
) -> RunSettings:
    """Settings of a sync, complete and checked.

    Raises:
        ConfigurationError: One is missing or wrong; the message names it and the remedy.
    """
    now = now or datetime.now(UTC)
    key = os.environ.get("SIM_API_KEY") or _secret("api_key")
    if not key:
        raise ConfigurationError("SIM_API_KEY is not set; make a key in Sim under Settings, API keys, and export it")
    found = _workspaces(workspaces)
    allow_http = _truth(os.environ.get("SIM_ALLOW_HTTP") or _configured("allow_http"))
    base = os.environ.get("SIM_BASE_URL") or _configured("base_url") or "https://www.sim.ai"
    start, end = moment("--since", since, now), moment("--until", until, now)
    if start and start >= (end or now):
        raise ConfigurationError(f"--since {since} is not before {'--until ' + until if until else 'now'}")
    redacted = _truth(_configured("redact_people")) if redact_people is None else redact_people
    if max_minutes is not None and not 0 < max_minutes < 1_000_000:
        raise ConfigurationError("--max-minutes must be more than 0, and a number of minutes")
    return RunSettings(
        api_key=str(key),
        workspace_ids=found,
        base_url=check_base_url(str(base), allow_http),
        target=where,
        allow_http=allow_http,
        resources=_resources(resources or _configured("resources")),
        since=start,
        until=end,
        details=cast(Details, _choice("--details", details or _configured("details") or "costly", Details)),
        snapshots=cast(
            Snapshots, _choice("--snapshots", snapshots or _configured("snapshots") or "version", Snapshots)
        ),
        payloads=cast(Payloads, _choice("--payloads", payloads or _configured("payloads") or "none", Payloads)),
        lookback_minutes=_length("lookback_minutes", 60.0),
        reconcile_days=_length("reconcile_days", 7.0),
        redact_people=redacted,
        redact_salt=checked_salt(os.environ.get("SIM_REDACT_SALT") or _secret("redact_salt")) if redacted else None,
        max_minutes=max_minutes,
    )


def moment(option: str, value: str | None, now: datetime) -> datetime | None:
    """An ISO date or date-time, or so many days before now (``30d``); UTC where no zone is named.

    Raises:
        ConfigurationError: Neither.
    """
    if value is None:
        return None
    days = re.fullmatch(r"(\d{1,5})d", value.strip())
    try:
        found = now - timedelta(days=int(days[1])) if days else datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{option} {value!r} is no date; write 2026-11-01, 2026-11-01T08:00:00Z or 30d"
        ) from error
    # a zone must not lead out of the calendar, nor a period before this one
    found = found if EARLIEST.year < found.year < LATEST.year else found.replace(tzinfo=None)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return min(max(found, EARLIEST), LATEST)


EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Sim has nothing before, and will have nothing after: a date out there means all."""


def readable_secrets() -> Path | None:
    """A ``secrets.toml`` that group or world may read, if there is one here."""
    file = Path(".dlt/secrets.toml")
    try:
        mode = file.stat().st_mode
    except OSError:
        return None
    return file if mode & (stat.S_IRGRP | stat.S_IROTH) else None


def _workspaces(options: Sequence[str]) -> tuple[str, ...]:
    told: Any = list(options) or os.environ.get("SIM_WORKSPACE_ID") or _configured("workspace_id") or ()
    parts = told.split(",") if isinstance(told, str) else [part for entry in told for part in str(entry).split(",")]
    found = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if not found:
        raise ConfigurationError(
            "SIM_WORKSPACE_ID is not set; it is in the address of your workspace in Sim (…/workspace/<id>/…)"
        )
    return found


def _resources(value: Any) -> tuple[str, ...]:
    if not value:
        return tuple(TABLES)
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else [str(name) for name in value]
    wrong = [name for name in names if name not in TABLES]
    if wrong:
        raise ConfigurationError(f"--resources: no {', '.join(map(repr, wrong))}; there are {', '.join(TABLES)}")
    return tuple(dict.fromkeys([*names, "rejected_rows"]))


def _choice(option: str, value: Any, kind: Any) -> str:
    if value not in get_args(kind):
        raise ConfigurationError(f"{option} {value!r}: choose {', '.join(get_args(kind))}")
    return str(value)


def _length(name: str, default: float) -> float:
    """A length of time whose unit the setting's name says."""
    value = _configured(name)
    try:
        length = default if value is None else float(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name}: {value!r} is no number of {name.rsplit('_', 1)[1]}") from error
    if not 0 <= length < 1_000_000:
        raise ConfigurationError(f"{name}: {value!r} is no length of time")
    return length


def _truth(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "yes", "on") if value is not None else False


def _configured(name: str) -> Any:
    """A setting of dlt's providers, under ``[sources.sim_source]``."""
    import dlt

    return dlt.config.get(f"sources.sim_source.{name}")


def _secret(name: str) -> Any:
    import dlt

    return dlt.secrets.get(f"sources.sim_source.{name}")
