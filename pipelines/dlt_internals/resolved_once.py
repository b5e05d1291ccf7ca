"""Has a destination resolve its configuration once.

dlt looks up every field of a destination's configuration, in the environment and in files, each time it creates a
client or wants to know what the destination can do: about a hundred times in a sync. The configuration of a sync does
not change.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from dlt.common.destination import Destination


def resolve_once(destination: Destination[Any, Any]) -> None:
    """Has a destination keep what it resolves; each call returns a copy of it. Credentials for DuckDB are not kept.

    Args:
        destination: The destination, which is changed.
    """
    resolve, describe = destination.configuration, destination.capabilities
    kept: dict[Hashable, Any] = {}

    def configuration(initial_config: Any, accept_partial: bool = False) -> Any:
        if initial_config is None or initial_config.credentials is not None:
            return resolve(initial_config, accept_partial)
        key = (type(initial_config), accept_partial, *((name, repr(value)) for name, value in initial_config.items()))
        if key not in kept:
            resolved = resolve(initial_config, accept_partial)
            if hasattr(resolved.credentials, "conn_pool"):  # of DuckDB: a copy has no connection, or an earlier one
                return resolved
            kept[key] = resolved
        return kept[key].copy()

    def capabilities(config: Any = None, naming: Any = None) -> Any:
        if config is not None:
            return describe(config, naming)
        key = (type(naming), getattr(naming, "max_length", None))
        if key not in kept:
            kept[key] = describe(None, naming)
        return kept[key].copy()

    destination.configuration = configuration  # type: ignore[method-assign]
    destination.capabilities = capabilities  # type: ignore[method-assign]
