"""What the names of a database and a dataset become in the destination, and whether they can work there.

DuckDB names a catalog by its file (up to the first dot), dlt a schema by its own naming convention, and a name that
means two things, or a word of SQL, cannot be asked for. So the names are tried before anything else is done.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from sim_source.errors import ConfigurationError

MOST_CHARACTERS = 50
"""Of a dataset's name: PostgreSQL keeps 63, and dlt's staging dataset is named after it."""
KNOWN_TO_WORK = frozenset({("sim_sync", "sim"), ("sim_demo", "sim")})
"""File and dataset that need no trial: it takes some 15 ms."""
OF_POSTGRES = frozenset({
    "current_catalog", "current_date", "current_role", "current_time", "current_timestamp", "current_user", "grant",
    "localtime", "localtimestamp", "session_user", "user",
})  # fmt: skip
"""Words that PostgreSQL keeps for itself and DuckDB does not; see ``pg_get_keywords()``."""
_ELSEWHERE = ("md:", "motherduck:", "ducklake:", "http://", "https://", "s3://", ":memory:")


def dataset_name(name: str) -> str:
    """What a dataset is called in the destination.

    Raises:
        ConfigurationError: It would be called otherwise than written, by more than its case.
    """
    from dlt.common.schema import Schema

    found: str = Schema("sim_source").naming.normalize_table_identifier(name) if name.strip() else ""
    if not name.isidentifier() or not name.isascii():
        raise ConfigurationError(
            f"--dataset: {name!r} cannot be the name of a schema; use letters, digits and underscores"
        )
    if found != name.lower():
        raise ConfigurationError(f"--dataset: dlt names the schema of {name!r} {found!r}; write --dataset {found}")
    if len(found) > MOST_CHARACTERS:
        raise ConfigurationError(f"--dataset: {name!r} is longer than {MOST_CHARACTERS} characters")
    if found.startswith("pg_"):
        raise ConfigurationError(f"--dataset: {name!r}: names that begin with pg_ are PostgreSQL's own")
    return found


def database_file(file: Path) -> Path:
    """Where a DuckDB file really is: links followed, so that one database is one place.

    Raises:
        ConfigurationError: It is no file, or there is no folder for it.
    """
    if str(file).lower().startswith(_ELSEWHERE):
        raise ConfigurationError(f"--database {file} names no file; give the path of a DuckDB file")
    if not str(file).isprintable():
        raise ConfigurationError(f"--database {str(file)!r}: control characters cannot be part of the name")
    try:
        found = file.expanduser().resolve()
        if not found.parent.is_dir():
            raise ConfigurationError(f"--database: the folder {found.parent} does not exist")
        if found.exists() and not found.is_file():
            raise ConfigurationError(f"--database {found} is a folder or a device; name a file in it")
    except (OSError, RuntimeError) as error:  # pathlib's word for links in a circle is RuntimeError
        raise ConfigurationError(f"--database {file}: {getattr(error, 'strerror', None) or error}") from error
    return found


def tried(dataset: str, file: Path | None = None) -> None:
    """Tries a dataset's name, and a file's, on an empty database.

    Args:
        dataset: As ``dataset_name`` gives it.
        file: Of a DuckDB destination.

    Raises:
        ConfigurationError: They cannot be asked for; the message says which name to change.
    """
    if file is not None and (file.name.partition(".")[0].lower(), dataset) in KNOWN_TO_WORK:
        return
    if dataset in OF_POSTGRES or not _works(dataset, "trial.duckdb"):
        raise ConfigurationError(
            f"--dataset {dataset!r}: a word that SQL or DuckDB keeps for itself, so {dataset}.logs cannot be "
            "asked for; choose another name"
        )
    if file is not None and not _works(dataset, file.name):
        raise ConfigurationError(
            f"--database {file.name}: DuckDB names its catalog by the file, up to the first dot, and beside the "
            f"dataset {dataset!r} that name is ambiguous; name the file or the dataset otherwise"
        )


def _works(dataset: str, file_name: str) -> bool:
    """Whether tables of the dataset, and of dlt's staging dataset, can be asked for in a file of this name."""
    import duckdb  # starts a thread; most commands need no trial

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
