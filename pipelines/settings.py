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
from sim_source.options import ALL, Details, Payloads, Snapshots, choice, moment, workspace_ids

from .accounts import ConfiguredAccount, chosen_accounts
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
        resync: Id of a resync; None for a sync. See ``SimSourceSettings.plan``.
    """

    source: SimSourceSettings = field(repr=False)
    plan: ReadPlan = field(repr=False)
    target: Target
    resources: tuple[str, ...] = tuple(TABLES)
    max_minutes: float | None = None
    resync: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """The plan is made again from the other settings: its keyed hashes cannot be sent to another process."""
        return _remade, (self.source, self.target, self.resources, self.max_minutes, self.resync)

    @classmethod
    def of(cls, source: SimSourceSettings, target: Target, **others: Any) -> RunSettings:
        """Creates the settings of a sync from complete source settings and a destination."""
        return cls(source, source.plan(), target, **others)

    def resynced(self, name: str) -> RunSettings:
        """Returns the same settings for a resync with this name; see ``SimSourceSettings.plan``."""
        return replace(self, plan=self.source.plan(name), resync=name)

    def of_workspaces(self, ids: Sequence[str]) -> RunSettings:
        """Returns the same settings for these workspaces."""
        source = self.source.copy()
        source.workspace_id = list(ids)
        return replace(self, source=source, plan=replace(self.plan, workspace_ids=tuple(ids)))

    def without(self, tables: Sequence[str]) -> RunSettings:
        """Returns the same settings without these tables."""
        return replace(self, resources=tuple(name for name in self.resources if name not in tables))


def _remade(source: SimSourceSettings, target: Target, resources: tuple[str, ...], *others: Any) -> RunSettings:
    max_minutes, resync = others
    return RunSettings(source, source.plan(resync), target, resources, max_minutes, resync)


def accounts_settings(
    where: Target, *, accounts: Sequence[str] = (), workspaces: Sequence[str] = (), **options: Any
) -> list[RunSettings]:
    """Collects and checks the settings of a sync of every chosen account; see ``run_settings``.

    Args:
        where: Destination of the rows.
        accounts: Names of configured accounts. If empty, all of them; without any, the one of the environment.
        workspaces: Workspace ids; accounts without any of them are left out.
        options: Other options of ``run_settings``.

    Raises:
        ConfigurationError: A setting is missing or invalid, or one workspace is configured on two servers.
    """
    found = chosen_accounts(accounts)
    if not found:
        return [run_settings(where, workspaces=workspaces, **options)]
    every = [run_settings(where, account=each, **options) for each in found]
    _check_apart(every)
    return _restricted(every, workspaces) if workspaces else every


def _check_apart(every: Sequence[RunSettings]) -> None:
    """Checks that accounts do not share what can belong to one of them only.

    Raises:
        ConfigurationError: Two accounts have the same API key, or a workspace is configured on two servers.
    """
    servers: dict[str, str] = {}
    keys: dict[tuple[str, str], str] = {}
    for each in every:
        url, account = each.source.base_url, each.source.account
        other = keys.setdefault((url, str(each.source.api_key)), account)
        if other != account:
            raise ConfigurationError(
                f"accounts {other} and {account} have the same API key; put their workspaces into one account"
            )
        for id_ in each.plan.workspace_ids:
            if id_ != ALL and servers.setdefault(id_, url) != url:
                raise ConfigurationError(
                    f"workspace {id_} is configured on {servers[id_]} and on {url}; load them into two datasets"
                )


def _restricted(every: list[RunSettings], workspaces: Sequence[str]) -> list[RunSettings]:
    """Returns the accounts that have at least one of these workspaces, restricted to them.

    An account with all workspaces gets those that no other account names.
    """
    named = {id_ for each in every for id_ in each.plan.workspace_ids}
    rest = [id_ for id_ in workspaces if id_ not in named]
    found = []
    for each in every:
        wanted = rest if each.plan.workspace_ids == (ALL,) else workspaces
        ids = [id_ for id_ in wanted if id_ in each.plan.workspace_ids or each.plan.workspace_ids == (ALL,)]
        if ids:
            found.append(each.of_workspaces(ids))
    if rest and not any(each.plan.workspace_ids == (ALL,) for each in every):
        raise ConfigurationError(f"--workspace {', '.join(rest)}: no account has this workspace")
    return found


def run_settings(
    where: Target,
    *,
    account: ConfiguredAccount | None = None,
    workspaces: Sequence[str] = (),
    resources: str | None = None,
    max_minutes: float | None = None,
    now: datetime | None = None,
    **chosen: Any,
) -> RunSettings:
    """Collects and checks the settings of a sync.

    Args:
        where: Destination of the rows.
        account: A configured account; None for the one of the environment.
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
    told = (_environment() if account is None else _shared_environment() | dict(account.settings)) | {
        name: value for name, value in chosen.items() if value is not None
    }
    told |= {"since": start.isoformat() if start else None, "until": end.isoformat() if end else None}
    if workspaces:
        told["workspace_id"] = list(workspaces)
    source = _resolved({name: value for name, value in told.items() if value is not None})
    return RunSettings.of(
        source, where, resources=_resources(resources or _configured("resources")), max_minutes=max_minutes
    )


def _shared_environment() -> dict[str, Any]:
    """Reads the environment variables that hold for every account: not those of the one without a name."""
    return {name: value for name, value in _environment().items() if name not in ("api_key", "workspace_id")}


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
