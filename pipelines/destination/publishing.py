"""Publishes a DuckDB file: replaces a read-only copy of it in one step, so that readers never see a part of a sync.

The copy is made by another process. If the process that has the database open also opened and closed it as a plain
file, POSIX would release the lock that keeps other writers out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from sim_source.errors import ConfigurationError, SimError

from . import duckdb_file, names, published
from .duckdb_hold import Hold
from .sql_text import literal
from .target import Target

SUFFIX = ".duckdb"


class PublishFault(SimError):
    """The copy could not be replaced. The one that was published before is unchanged."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The published copy of a database.

    Attributes:
        file: The copy.
        as_of: Completion of the last load that it contains.
        written: Whether it was written; False if it already had the same contents.
    """

    file: Path
    as_of: datetime
    written: bool

    def __str__(self) -> str:
        as_of = f"{self.as_of:%Y-%m-%d %H:%M:%S} UTC"
        if self.written:
            return f"published {self.file}, as of {as_of}"
        return f"{self.file} is up to date: nothing was loaded since {as_of}"


def checked_file(target: Target, given: str, option: str = "--publish") -> Path:
    """Checks where a database is to be published, and returns the absolute path with symbolic links resolved.

    Args:
        target: The database.
        given: The path as given.
        option: The option that gave it; messages name it.

    Raises:
        ConfigurationError: The path is not that of a DuckDB file, cannot be written, is the database itself, or holds
            anything but a copy of it.
        TryLater: The database must be compared with the file, and another process has it open.
    """
    if Path(given).suffix.lower() != SUFFIX or "://" in given:
        raise ConfigurationError(f"{option} {given}: not a {SUFFIX} file; name a file such as published{SUFFIX}")
    if target.database is None:
        raise ConfigurationError(
            f"{option}: only a DuckDB file can be published; the destination is {target.destination}, whose readers "
            "do not wait for a sync"
        )
    file = names.database_file(Path(given), option)
    if _is_same(file, target.database):
        raise ConfigurationError(f"{option} {file} is the database itself; name another file")
    names.tried(target.dataset, file, option)
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{option}: no permission to write to the folder {file.parent}")
    if file.exists() and file.stat().st_size and not _is_copy(file, target):
        raise ConfigurationError(
            f"{option} {file} exists and is not a copy of {target}; delete it, or name another file"
        )
    return file


def _is_same(file: Path, database: Path) -> bool:
    """Whether two paths name one file: by inode, or by a name that differs in case only."""
    if file.exists() and database.exists() and file.samefile(database):
        return True
    return str(file).lower() == str(database).lower()


def _is_copy(file: Path, target: Target) -> bool:
    """Whether an existing file was published from a database: the record, or the database, knows its last load."""
    copy = duckdb_file.connected_to_copy(file)
    if copy is None:
        return False
    with copy:
        found = published.contents(copy, target.dataset)
    if found is None:
        return False
    record = published.read_record(target)
    if record is not None and published.published_file(target, record) == file and found.load in record.loads:
        return True
    if target.database is None or not target.database.exists():
        return False
    with duckdb_file.opened_to_read(target) as connection:
        return published.has_load(connection, target.dataset, found.load)


def publish(
    target: Target, file: Path, hold: Hold, warn: Callable[[str], None], *, compact: bool = False
) -> Publication:
    """Replaces the published copy of a database, unless nothing was loaded since. It must stay open meanwhile.

    Args:
        target: The database.
        file: The copy, as returned by ``checked_file``.
        hold: Has the database open.
        warn: Called with a warning for each view that the copy cannot show.
        compact: Write the copy without free space, which is slower.

    Raises:
        PublishFault: The copy could not be made. The published one is unchanged.
    """
    try:
        return _publish(target, file, hold, warn, compact)
    except (OSError, duckdb.Error) as error:
        told = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0][:200]
        raise PublishFault(
            f"cannot publish {target} to {file} ({told}); what was published there before is unchanged"
        ) from error


def _publish(target: Target, file: Path, hold: Hold, warn: Callable[[str], None], compact: bool) -> Publication:
    connection = hold.flushed()
    now = published.contents(connection, target.dataset)
    if now is None or target.database is None:
        raise PublishFault(f"nothing was loaded into {target} yet, so there is nothing to publish")
    prefix = _remove_left_over(file, target.database)
    record = published.read_record(target)
    before = _contents(file, target.dataset)
    loads = sorted({now.load} if before is None else {before.load, now.load})
    if before == now and (not compact or (record is not None and record.compact)):
        published.write_record(target, file, loads, compact=record is not None and record.compact)
        return Publication(file, now.as_of, written=False)
    with _folder_beside(file, prefix) as folder:
        copy = folder / file.name
        _copy(target.database, copy)
        if compact:
            _compact(copy)
        _check(copy, target, now, warn)
        # readers must not write to the copy; who may read it is up to the umask
        copy.chmod(copy.stat().st_mode & 0o444)
        _to_disk(copy)
        published.write_record(target, file, loads, compact=compact)
        os.replace(copy, file)
    _to_disk(file.parent)
    return Publication(file, now.as_of, written=True)


def _contents(file: Path, dataset: str) -> published.Contents | None:
    """Returns what identifies the contents of a published file; None if there is none, or it cannot be read."""
    connection = duckdb_file.connected_to_copy(file) if file.exists() else None
    if connection is None:
        return None
    with connection:
        return published.contents(connection, dataset)


def _remove_left_over(file: Path, database: Path) -> str:
    """Removes temporary folders that killed publications of a database have left, and returns their common prefix.

    The database is open, and by one process at a time, so none of them is in use.
    """
    prefix = f".{file.name}.{hashlib.sha256(os.fsencode(database)).hexdigest()[:8]}."
    for left in file.parent.iterdir():
        if left.name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
    return prefix


@contextmanager
def _folder_beside(file: Path, prefix: str) -> Iterator[Path]:
    """Creates a temporary folder on the file system of a file, and removes it in the end."""
    folder = Path(mkdtemp(prefix=prefix, dir=file.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(database: Path, copy: Path) -> None:
    """Copies a file in another process, without copying its blocks if the file system can share them.

    Raises:
        OSError: The file cannot be copied.
    """
    copy.touch(0o666)  # with the rights that the umask leaves; cp would take those of the database
    sharing = ["--reflink=auto"] if sys.platform == "linux" else []
    done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
        ["cp", *sharing, "--", str(database), str(copy)],  # noqa: S607 - found on the PATH
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
    )
    if done.returncode:
        said = done.stderr.strip().rpartition(": ")[2] or f"cp ended with {done.returncode}"
        raise OSError(done.returncode, said, str(copy))


def _compact(copy: Path) -> None:
    """Replaces a copy by one without free space. Indexes that a user has created are not kept."""
    whole = copy.with_name("whole")
    copy.rename(whole)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(whole))} AS whole (READ_ONLY)")
        connection.execute(f"ATTACH {literal(str(copy))} AS compacted")  # created with the rights of the umask
        connection.execute("COPY FROM DATABASE whole TO compacted")


def _check(copy: Path, target: Target, expected: published.Contents, warn: Callable[[str], None]) -> None:
    """Checks that a copy has the contents of the database, and warns of views that it cannot show.

    Raises:
        PublishFault: The copy is not complete.
    """
    with duckdb.connect(str(copy), read_only=True) as connection:
        if published.contents(connection, target.dataset) != expected:
            raise PublishFault(f"the copy of {target} is not complete; what was published before is unchanged")
        for schema, view in connection.execute(published.VIEWS).fetchall():
            try:
                connection.execute(f'SELECT * FROM "{schema}"."{view}" LIMIT 0')  # noqa: S608 - names from the catalog
            except duckdb.Error:
                warn(
                    f"the view {schema}.{view} does not work in the published file; a view must not name the "
                    "database (the catalog), which is named after the file"
                )


def _to_disk(path: Path) -> None:
    """Writes a file or folder to the disk, so that it survives a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
