"""Configured accounts: several API keys, each with its workspaces and its base URL, loaded into one dataset.

``[sim_sync.accounts.NAME]`` in ``.dlt/config.toml`` holds ``workspaces`` (a list, or all), ``base_url`` and any other
setting of ``[sources.sim_source]`` that is special for the account. The key is ``api_key`` under the same name in
``.dlt/secrets.toml``, or ``SIM_SYNC__ACCOUNTS__NAME__API_KEY``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sim_source.errors import ConfigurationError

SECTION = "sim_sync.accounts"
_SECRETS = ("api_key", "redact_salt")
_IN_ENVIRONMENT = re.compile(r"SIM_SYNC__ACCOUNTS__([A-Z0-9_-]+?)__(?:API_KEY|WORKSPACES|BASE_URL)")


@dataclass(frozen=True, slots=True)
class ConfiguredAccount:
    """A configured account.

    Attributes:
        name: Its name.
        settings: Settings of the source that are given for it.
    """

    name: str
    settings: Mapping[str, Any] = field(repr=False)


def chosen_accounts(names: Sequence[str] = ()) -> list[ConfiguredAccount]:
    """Returns the configured accounts with these names; all of them if no name is given.

    Raises:
        ConfigurationError: A name is unknown, or the settings of an account are incomplete or misspelt.
    """
    configured = _configured()
    unknown = [name for name in names if name not in configured]
    if unknown:
        there = f"choose from {', '.join(sorted(configured))}" if configured else f"no [{SECTION}.NAME] is configured"
        raise ConfigurationError(f"--account {', '.join(unknown)}: there is no such account; {there}")
    return [_account(name, configured[name]) for name in dict.fromkeys(names or configured)]


def _configured() -> dict[str, dict[str, Any]]:
    """Returns the settings of every account, as far as they are written in files, by its name."""
    import dlt

    found: dict[str, dict[str, Any]] = {}
    # dlt itself would return the section of the first file that has one
    for provider in dlt.config.config_providers:
        section: Any = provider.get_value("accounts", Any, None, "sim_sync")[0]
        if section is not None and not isinstance(section, Mapping):
            raise ConfigurationError(f"[sim_sync] accounts: each account has a section of its own, [{SECTION}.NAME]")
        for name, settings in (section or {}).items():
            if not isinstance(settings, Mapping):
                raise ConfigurationError(f"[{SECTION}]: {name!r} is not an account; write [{SECTION}.{name}]")
            found.setdefault(str(name), {}).update(settings)
    known = {name.upper() for name in found}
    for variable in os.environ:
        match = _IN_ENVIRONMENT.fullmatch(variable)
        if match and match[1] not in known:
            found[match[1].lower()] = {}
            known.add(match[1])
    if len(known) < len(found):  # they would share their environment variables
        raise ConfigurationError(f"[{SECTION}.NAME]: names of accounts must differ in more than upper and lower case")
    return found


def _account(name: str, written: Mapping[str, Any]) -> ConfiguredAccount:
    import dlt

    from sim_source import SimSourceSettings

    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ConfigurationError(f"[{SECTION}.{name}]: use letters, digits, _ and - in the name of an account")
    allowed = {"workspaces", *SimSourceSettings().keys()} - {"workspace_id", "account"}
    unknown = sorted(set(written) - allowed)
    if unknown:
        raise ConfigurationError(f"[{SECTION}.{name}]: unknown setting {', '.join(unknown)}")
    found: dict[str, Any] = {}
    for key in sorted(allowed):
        value: Any = (dlt.secrets if key in _SECRETS else dlt.config).get(f"{SECTION}.{name}.{key}")
        if value is not None:
            found[key] = value
    for key in ("api_key", "base_url"):
        if not isinstance(found.get(key, ""), str):
            raise ConfigurationError(f"[{SECTION}.{name}]: {key} is not a text; put it into quotes")
    workspaces = found.get("workspaces")
    if isinstance(workspaces, str) and workspaces.startswith("["):  # of the environment
        with suppress(ValueError):
            found["workspaces"] = json.loads(workspaces)
    if not found.get("api_key"):
        raise ConfigurationError(
            f"account {name}: no API key; set SIM_SYNC__ACCOUNTS__{name.upper()}__API_KEY, or api_key under "
            f"[{SECTION}.{name}] in .dlt/secrets.toml"
        )
    if not found.get("workspaces"):
        raise ConfigurationError(
            f'account {name}: no workspaces; set workspaces = ["<id>", …], or "all", under [{SECTION}.{name}] in '
            ".dlt/config.toml"
        )
    return ConfiguredAccount(name, {"workspace_id": found.pop("workspaces"), "account": name, **found})
