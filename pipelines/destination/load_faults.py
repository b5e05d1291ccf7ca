"""What is wrong where a load fails, in plain words: the machine, the destination, or what is in the rows."""

from __future__ import annotations

import errno

import dlt
import duckdb
from dlt.load.exceptions import LoadClientJobException

from sim_source.errors import ConfigurationError, SimError, causes
from sim_source.stored.warehouse import cannot_answer

from .duckdb_file import TryLater, lock_holder
from .target import Target


class LoadFault(SimError):
    """The destination did not take what was read."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB had too little memory."""
    return any(isinstance(cause, duckdb.OutOfMemoryException) for cause in causes(error))


def is_refusal(error: BaseException) -> bool:
    """Whether a destination does not take what is in a package, rather than not being there."""
    chain = list(causes(error))
    local = any(isinstance(cause, OSError | SimError | KeyboardInterrupt) for cause in chain)
    refused = any(isinstance(cause, LoadClientJobException) for cause in chain)
    return refused and not (local or cannot_answer(error) or lock_holder(error))


def explained(error: BaseException, target: Target) -> SimError:
    """A fault of the machine or the destination in plain words.

    Messages of databases are not shown where the fault is not one of those known: they quote rows.

    Raises:
        KeyboardInterrupt: It was no fault, somebody stopped it.
    """
    last: BaseException = error
    for cause in causes(error):
        last = cause
        if isinstance(cause, KeyboardInterrupt):
            raise cause  # dlt wraps it as it wraps faults
        if isinstance(cause, SimError):
            return cause
        if getattr(cause, "errno", None) == errno.ENOSPC or "No space left" in str(cause):
            return ConfigurationError(
                f"the disk is full (database {target}, dlt's working folder {dlt.current.run_context().data_dir}); "
                "make room and run again: what was committed is kept"
            )
        if isinstance(cause, duckdb.Error) and (holder := lock_holder(cause)):
            return TryLater(f"{target} is held open by {holder}; try again later")
        if isinstance(cause, PermissionError):
            return ConfigurationError(f"{cause.filename or target}: permission denied")
        if isinstance(cause, FileNotFoundError | NotADirectoryError) and cause.filename:
            return ConfigurationError(
                f"{cause.filename}: {cause.strerror}; dlt's working folder is {dlt.current.run_context().data_dir} "
                "(DLT_DATA_DIR)"
            )
    return LoadFault(
        f"loading into {target} failed ({type(last).__name__}); what was read is kept and loaded by the next run. "
        "RUNTIME__LOG_LEVEL=ERROR shows more"
    )
