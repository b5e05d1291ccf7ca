"""A lake as its user sets it, and read behind the application's back."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.destination.lake import extension_file

OPTIONS = ("--destination", "ducklake")


def settings(catalog: str, storage: str) -> dict[str, str]:
    """The environment of a lake."""
    at = "DESTINATION__DUCKLAKE__CREDENTIALS__"
    return {f"{at}CATALOG": catalog, f"{at}STORAGE__BUCKET_URL": storage}


def on_disk(folder: Path) -> dict[str, str]:
    """The environment of a lake in a folder."""
    return settings(f"sqlite:///{folder}/catalog.sqlite", f"{folder}/files")


def opened(catalog: str, name: str = "lake") -> duckdb.DuckDBPyConnection:
    """A connection that reads a lake, as any DuckDB: ``sqlite:FILE`` or ``postgres:URL``."""
    connection = duckdb.connect()
    for extension in ("ducklake", "sqlite_scanner", "postgres_scanner"):
        connection.execute(f"LOAD '{extension_file(extension)}'")
    schema = ", METADATA_SCHEMA 'ducklake'" if catalog.startswith("postgres:") else ""
    connection.execute(f"ATTACH 'ducklake:{catalog}' AS {name} (READ_ONLY{schema})")
    connection.execute(f"USE {name}")
    return connection
