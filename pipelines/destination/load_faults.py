"""Explains errors of a load: problems of the machine, of the destination, or of the rows."""

from __future__ import annotations

import errno

import dlt
import duckdb
from dlt.load.exceptions import LoadClientJobException

from sim_source.errors import ConfigurationError, SimError, causes
from sim_source.stored.warehouse import cannot_answer

from .duckdb_file import TryLater, lock_holder
from .target import Target

LOADING = "loading into"


class LoadFault(SimError):
    """Loading into the destination failed."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB ran out of memory."""
    return any(isinstance(cause, duckdb.OutOfMemoryException) for cause in causes(error))


def is_refusal(error: BaseException) -> bool:
    """Whether the destination rejected the rows of a package, as opposed to being unavailable."""
    chain = list(causes(error))
    local = any(isinstance(cause, OSError | SimError | KeyboardInterrupt) for cause in chain)
    refused = any(isinstance(cause, LoadClientJobException) for cause in chain)
    return refused and not (local or cannot_answer(error) or lock_holder(error))


def explained(error: BaseException, target: Target, doing: str = LOADING) -> SimError:
    """Returns an error of the machine or the destination with a message for the user.

    Database messages of unknown errors are not shown, because they can quote rows.

    Args:
        error: The error.
        target: The destination.
        doing: What failed, for the message.

    Raises:
        KeyboardInterrupt: The load was stopped by a signal.
    """
    last: BaseException = error
    for cause in causes(error):
        last = cause
        if isinstance(cause, KeyboardInterrupt):
            raise cause  # dlt wraps it like an error
        if isinstance(cause, SimError):
            return cause
        if getattr(cause, "errno", None) == errno.ENOSPC or "No space left" in str(cause):
            return ConfigurationError(
                f"the disk is full (database {target}, dlt's working folder {dlt.current.run_context().data_dir}); "
                "free some space and run again; committed rows are kept"
            )
        if isinstance(cause, duckdb.Error) and (holder := lock_holder(cause)):
            return TryLater(f"{target} is held open by {holder}; try again later")
        if isinstance(cause, PermissionError):
            return ConfigurationError(f"{cause.filename or target}: permission denied; check the permissions")
        if isinstance(cause, FileNotFoundError | NotADirectoryError) and cause.filename:
            return ConfigurationError(
                f"{cause.filename}: {cause.strerror}; check dlt's working folder {dlt.current.run_context().data_dir} "
                "(DLT_DATA_DIR)"
            )
    kept = "the rows read so far are kept, and the next sync loads them" if doing == LOADING else "no row is lost"
    return LoadFault(
        f"{doing} {target} failed ({type(last).__name__}); {kept}. Set RUNTIME__LOG_LEVEL=ERROR to see more"
    )
