"""Checks the names of a database file and a dataset.

DuckDB names the catalog after the file (up to the first dot), and dlt names the schema by its own naming convention.
A name that is ambiguous or a reserved word cannot be used in queries. The names are therefore tried first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from sim_source.errors import ConfigurationError

MOST_CHARACTERS = 50
"""Maximum length of a dataset's name. PostgreSQL allows 63, and the name of dlt's staging dataset is longer."""
KNOWN_TO_WORK = frozenset({("sim_sync", "sim"), ("sim_demo", "sim")})
"""Names of file and dataset that are known to work and need not be tried."""
OF_POSTGRES = frozenset({
    "current_catalog", "current_date", "current_role", "current_time", "current_timestamp", "current_user", "grant",
    "localtime", "localtimestamp", "session_user", "user",
})  # fmt: skip
"""Words that are reserved in PostgreSQL but not in DuckDB; see ``pg_get_keywords()``."""
_ELSEWHERE = ("md:", "motherduck:", "ducklake:", "http://", "https://", "s3://", ":memory:")


def dataset_name(name: str) -> str:
    """Returns the name of a dataset in the destination.

    Raises:
        ConfigurationError: The name is invalid or too long, or dlt would change more than its case.
    """
    from dlt.common.schema import Schema

    found: str = Schema("sim_source").naming.normalize_table_identifier(name) if name.strip() else ""
    if not name.isidentifier() or not name.isascii():
        raise ConfigurationError(f"--dataset: {name!r} is not a valid schema name; use letters, digits and underscores")
    if found != name.lower():
        raise ConfigurationError(
            f"--dataset: dlt would name the schema {found!r} instead of {name!r}; use --dataset {found}"
        )
    if len(found) > MOST_CHARACTERS:
        raise ConfigurationError(f"--dataset: {name!r} is longer than {MOST_CHARACTERS} characters")
    if found.startswith("pg_"):
        raise ConfigurationError(f"--dataset: {name!r}: names that start with pg_ are reserved by PostgreSQL")
    return found


def check_apart(dataset: str, others: Iterable[str]) -> None:
    """Checks that no other dataset has the name of a dataset's staging tables, or the other way round.

    dlt truncates its staging tables after each load, and would empty the tables of that other dataset.

    Args:
        dataset: Name as returned by ``dataset_name``.
        others: Names of the datasets in the same database.

    Raises:
        ConfigurationError: There is such a dataset.
    """
    for other in others:
        whole, staging = sorted((dataset, other), key=len)
        if re.fullmatch(rf"{re.escape(whole)}_staging(_w\d+)?", staging):
            raise ConfigurationError(
                f"--dataset {dataset}: the database has a dataset {other}, and the staging tables of {whole} are in "
                f"{staging}, which each load empties; nothing was changed. Choose another name"
            )


def database_file(file: Path, option: str = "--database") -> Path:
    """Returns the absolute path of a DuckDB file, with symbolic links resolved, so that it identifies the database.

    Args:
        file: The path as given.
        option: The option that gave it; messages name it.

    Raises:
        ConfigurationError: The path is not that of a file, or its folder does not exist.
    """
    if str(file).lower().startswith(_ELSEWHERE):
        raise ConfigurationError(f"{option} {file} is not a file; give the path of a DuckDB file")
    if not str(file).isprintable():
        raise ConfigurationError(f"{option} {str(file)!r}: the name must not contain control characters")
    try:
        found = file.expanduser().resolve()
        if not found.parent.is_dir():
            raise ConfigurationError(f"{option}: the folder {found.parent} does not exist")
        if found.exists() and not found.is_file():
            raise ConfigurationError(f"{option} {found} is a folder or a device; name a file in it")
    except (OSError, RuntimeError) as error:  # pathlib raises RuntimeError for a loop of links
        raise ConfigurationError(f"{option} {file}: {getattr(error, 'strerror', None) or error}") from error
    return found


def tried(dataset: str, file: Path | None = None, option: str = "--database") -> None:
    """Tries the name of a dataset, and of a file, on an empty database.

    Args:
        dataset: Name as returned by ``dataset_name``.
        file: The file of a DuckDB destination.
        option: The option that gave the file; messages name it.

    Raises:
        ConfigurationError: A name cannot be used in queries. The message says which one to change.
    """
    if file is not None and (file.name.partition(".")[0].lower(), dataset) in KNOWN_TO_WORK:
        return
    if dataset in OF_POSTGRES or not _works(dataset, "trial.duckdb"):
        raise ConfigurationError(
            f"--dataset {dataset!r}: reserved by SQL or DuckDB, so {dataset}.logs cannot be queried; "
            "choose another name"
        )
    if file is not None and not _works(dataset, file.name):
        raise ConfigurationError(
            f"{option} {file.name}: DuckDB names the catalog after the file, up to the first dot; together with the "
            f"dataset {dataset!r} that name is ambiguous. Rename the file or the dataset"
        )


def _works(dataset: str, file_name: str) -> bool:
    """Whether tables of the dataset, and of dlt's staging dataset, can be queried in a file of this name."""
    import duckdb  # starts a thread, and most commands do not need it here

    with TemporaryDirectory(prefix="sim-sync-") as folder:
        try:
            with duckdb.connect(str(Path(folder, file_name))) as connection:
                for schema in (dataset, f"{dataset}_staging"):
                    connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
                    connection.execute(f'CREATE TABLE "{schema}".logs (id VARCHAR)')
                connection.execute(f"FROM {dataset}.logs, information_schema.tables, duckdb_views()")
                connection.execute(f"COMMENT ON TABLE \"{dataset}\".logs IS 'a run'")
        except duckdb.Error:
            return False
    return True
