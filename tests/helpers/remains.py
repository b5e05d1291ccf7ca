"""Every byte that a sync leaves on disk, in clear: packed files, parquet, tables of databases, dlt's state."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb


def remains(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What is written below a folder: (where, bytes), each file as it is and, where it is packed, in clear."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        where = str(file.relative_to(folder))
        yield f"name of {where}", where.encode()
        raw = file.read_bytes()
        yield where, raw
        if raw[:2] == b"\x1f\x8b":
            yield f"{where}, unpacked", gzip.decompress(raw)
        elif raw[:4] == b"PAR1":
            with duckdb.connect() as connection:
                rows = connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
            yield f"{where}, rows", repr(rows).encode()
        elif raw[8:12] == b"DUCK":
            yield from _tables(file, where)


def _tables(file: Path, where: str) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        for schema, name in names:
            rows = connection.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall()
            yield f"{where}, {schema}.{name}", repr(rows).encode()
        for schema, name in names:
            if name == "_dlt_pipeline_state":
                for (state,) in connection.execute(f'SELECT state FROM "{schema}"."{name}"').fetchall():
                    yield f"{where}, state of dlt", zlib.decompress(base64.b64decode(state))


def found_in(pieces: list[tuple[str, bytes]], *texts: str) -> list[str]:
    """Which of the texts are anywhere, and where."""
    return [f"{text} in {where}" for text in texts for where, content in pieces if text.encode() in content]
