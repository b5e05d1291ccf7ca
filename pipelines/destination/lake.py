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
from dlt.destinations.exceptions import DestinationConnectionError
from dlt.destinations.impl.ducklake.configuration import DuckLakeClientConfiguration, DuckLakeCredentials

from sim_source.errors import ConfigurationError, causes

from ..dlt_internals import switch
from ..dlt_internals.shared_lake import SharedLake
from .duckdb_file import lock_holder
from .file_lock import TryLater
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
    catalog = (found.catalog and found.catalog.drivername) or "sqlite"  # dlt's default
    wanted += [_OF_CATALOG[catalog]] if catalog in _OF_CATALOG else []
    wanted += [_OF_STORAGE] if found.storage and not found.storage.is_local_filesystem else []
    given = DuckLakeCredentials(found.ducklake_name)
    given.statements = [*(f"LOAD {literal(str(extension_file(name)))}" for name in wanted), *(found.statements or [])]
    return given


def lake_destination(dataset: str) -> Any:
    """Returns the destination of dlt for the lake that is configured.

    Raises:
        ConfigurationError: The package of an extension is not installed, or was built for another version of DuckDB; or
            the lake is attached under the name of the dataset.
    """
    given = lake_credentials()
    if given.ducklake_name == dataset:
        raise ConfigurationError(
            f"--dataset {dataset}: the lake is attached under this name, so {dataset}.logs is ambiguous; choose "
            "another dataset, or set DESTINATION__DUCKLAKE__CREDENTIALS__DUCKLAKE_NAME"
        )
    kind = SharedLake if switch.in_use() else dlt.destinations.ducklake
    # tables are loaded in turn: each load is a commit to the same catalog
    return kind(credentials=given, destination_name=DUCKLAKE, max_parallel_load_jobs=1)


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
        'pip install ".[ducklake]" (it installs the newest DuckDB for which there are extensions)'
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


def check_connection(target: Target, lake: dlt.Pipeline) -> None:
    """Connects to a lake once, and creates it if it does not exist.

    Raises:
        ConfigurationError: The catalog or the storage cannot be used.
        TryLater: Another process has the file of a DuckDB catalog open.
    """
    try:
        with lake.sql_client():
            pass
    except DestinationConnectionError as error:
        fault = next((each for each in causes(error) if isinstance(each, duckdb.Error)), error)
        holder = lock_holder(fault)
        if holder is not None:
            raise TryLater(f"the catalog of {target} is held open by {holder}; try again later") from None
        why = "another DATA_PATH is stored in the catalog" if "DATA_PATH" in str(fault) else type(fault).__name__
        raise ConfigurationError(
            f"cannot open {target} ({why}); check DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG and "
            "DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__BUCKET_URL"
        ) from None  # DuckDB's message quotes the address of the catalog, with the password


def check_if_there(target: Target, lake: dlt.Pipeline) -> None:
    """Opens a lake, unless its catalog is a file that does not exist yet; for errors, see ``check_connection``."""
    file = catalog_file(credentials_of(lake))
    if file is None or file.exists():
        check_connection(target, lake)


def check_lake(target: Target, lake: dlt.Pipeline) -> None:
    """Checks a lake before it is read, if the destination is one: DuckLake would create it.

    Raises:
        ConfigurationError: The catalog is a file that does not exist, or the lake cannot be opened.
        TryLater: Another process has the file of a DuckDB catalog open.
    """
    if target.destination != DUCKLAKE:
        return
    file = catalog_file(credentials_of(lake))
    if file is not None and not file.exists():
        raise ConfigurationError(
            f"the catalog {file} does not exist; run sim-sync run --destination ducklake first, or check "
            "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG"
        )
    check_connection(target, lake)
