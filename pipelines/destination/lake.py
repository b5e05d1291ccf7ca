"""DuckLake: its credentials, its catalog, and the DuckDB extensions that it needs, from Python packages.

DuckDB would download extensions when they are first used. Here they are loaded from the packages
``duckdb-extension-*`` of the extra ``ducklake``, which pip checks by hash and which need no network at run time.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.destinations.impl.ducklake.configuration import DuckLakeClientConfiguration, DuckLakeCredentials

from sim_source.errors import ConfigurationError

from ..dlt_internals import switch
from ..dlt_internals.shared_lake import SharedLake
from .sql_text import literal
from .target import Target

DUCKLAKE = "ducklake"
_OF_CATALOG = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner", "postgresql": "postgres_scanner"}
_OF_STORAGE = "httpfs"


def lake_credentials() -> DuckLakeCredentials:
    """Returns credentials that dlt completes from its configuration, and whose connections load the extensions.

    Raises:
        ConfigurationError: The package of an extension is not installed, or was built for another version of DuckDB.
    """
    plain = dlt.destinations.ducklake(destination_name=DUCKLAKE)
    found = plain.configuration(DuckLakeClientConfiguration(), accept_partial=True).credentials
    wanted = [DUCKLAKE]
    wanted += (
        [_OF_CATALOG[found.catalog.drivername]] if found.catalog and found.catalog.drivername in _OF_CATALOG else []
    )
    wanted += [_OF_STORAGE] if found.storage and not found.storage.is_local_filesystem else []
    given = DuckLakeCredentials()
    given.statements = [*(f"LOAD {literal(str(extension_file(name)))}" for name in wanted), *(found.statements or [])]
    return given


def lake_destination() -> Any:
    """Returns the destination of dlt for the lake that is configured.

    Raises:
        ConfigurationError: The package of an extension is not installed, or was built for another version of DuckDB.
    """
    kind = SharedLake if switch.in_use() else dlt.destinations.ducklake
    # tables are loaded in turn: each load is a commit to the same catalog
    return kind(credentials=lake_credentials(), destination_name=DUCKLAKE, max_parallel_load_jobs=1)


def extension_file(name: str) -> Path:
    """Returns the file of a DuckDB extension from its Python package.

    Raises:
        ConfigurationError: The package is not installed, or was built for another version of DuckDB.
    """
    package = f"duckdb_extension_{name}"
    if find_spec(package) is not None:
        file = Path(str(files(package)), "extensions", f"v{duckdb.__version__}", f"{name}.duckdb_extension")
        if file.exists():
            return file
    raise ConfigurationError(
        f"--destination ducklake: the extension {name} for DuckDB {duckdb.__version__} is not installed; run: "
        'pip install "sim-sync[ducklake]" (it installs the newest DuckDB for which there are extensions)'
    )


def credentials_of(lake: dlt.Pipeline) -> DuckLakeCredentials:
    """Returns the complete credentials of a pipeline's lake. Relative paths have become absolute.

    Raises:
        TypeError: The destination of the pipeline is not a lake.
    """
    found = lake.destination_client().config.credentials
    if not isinstance(found, DuckLakeCredentials):
        raise TypeError(f"{lake.destination} is not a lake")
    return found


def catalog_file(found: DuckLakeCredentials) -> Path | None:
    """Returns the file of a SQLite or DuckDB catalog; None if the catalog is on a server."""
    if found.catalog.drivername in ("sqlite", "duckdb") and found.catalog.database:
        return Path(found.catalog.database).absolute()
    return None


def check_lake(target: Target, lake: dlt.Pipeline) -> None:
    """Checks that a lake exists before it is read: DuckLake would create it.

    Raises:
        ConfigurationError: The catalog is a file that does not exist.
    """
    file = catalog_file(credentials_of(lake)) if target.destination == DUCKLAKE else None
    if file is not None and not file.exists():
        raise ConfigurationError(
            f"the catalog {file} does not exist; run sim-sync run --destination ducklake first, or check "
            "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG"
        )
