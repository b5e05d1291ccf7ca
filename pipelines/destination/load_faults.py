"""Explains errors of a load: problems of the machine, of the destination, or of the rows."""

from __future__ import annotations

import errno

import dlt
import duckdb
from dlt.common.exceptions import DltException
from dlt.load.exceptions import LoadClientJobException

from sim_source.errors import ConfigurationError, SimError, causes
from sim_source.stored.warehouse import cannot_answer

from .duckdb_file import lock_holder
from .file_lock import TryLater
from .target import Target

LOADING = "loading into"


class LoadFault(SimError):
    """Loading into the destination failed."""


def is_known(error: BaseException) -> bool:
    """Whether an error comes from the API, the destination or the machine, as opposed to a defect of this program.

    Drivers raise errors of their own if a connection is lost; they are told by ``OperationalError``, whose name all
    drivers share.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, SimError | DltException | duckdb.Error | OSError) or not kinds.isdisjoint(DROPPED)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB ran out of memory."""
    return any(isinstance(cause, duckdb.OutOfMemoryException) for cause in causes(error))


def is_refusal(error: BaseException) -> bool:
    """Whether the destination rejected the rows of a package, as opposed to being unavailable."""
    chain = list(causes(error))
    local = any(isinstance(cause, OSError | SimError | KeyboardInterrupt) for cause in chain)
    refused = any(isinstance(cause, LoadClientJobException) for cause in chain)
    return refused and not (local or cannot_answer(error) or lock_holder(error))


OF_SERVER = {
    "42501": "its user may not do that; grant it the rights in docs/warehouses.md (CREATE on the database, or on the "
    "schema if a DBA has created it)",
    "53100": "the server's disk is full; free some space there",
    "53200": "the server is out of memory",
    "53300": "the server has no connection left; use fewer --processes, or raise max_connections",
    "57014": "the server ended a statement (statement_timeout); for the user that loads: ALTER ROLE … SET "
    "statement_timeout = 0",
    "25006": "the server is read-only (a standby?); connect to the primary",
}
"""What to do about an error, by its SQLSTATE (PostgreSQL's documentation, appendix A)."""
LOST = ("08", "57P")
"""Classes of SQLSTATE of a connection that was lost: by the network, or because the server shut down."""

DROPPED = ("OperationalError", "InterfaceError")
"""The driver's errors for a connection that is gone, if the server sent no SQLSTATE."""
NEWER = ("SchemaEngineNoUpgradePathException", "DestinationSchemaTampered")
"""dlt's errors for a schema that it does not know."""


def server_fault(cause: BaseException, target: Target) -> SimError | None:
    """Returns an error of a database server in plain words; None for any other error.

    The message of the server is not shown, because it can quote rows.
    """
    kind, code = type(cause), str(getattr(cause, "pgcode", None) or "")
    if kind.__name__ in NEWER:
        return ConfigurationError(
            f"{target} was written by a newer version of sim-sync or dlt; upgrade this one, or use another dataset"
        )
    told = OF_SERVER.get(code)
    if code.startswith(LOST) or (kind.__module__.startswith("psycopg") and kind.__name__ in DROPPED and not code):
        told = "the connection was lost"
    return LoadFault(f"{target}: {told}. Committed rows are kept, and the next sync loads the others") if told else None


def _of_machine(cause: BaseException, target: Target) -> SimError | None:
    """Returns an error of this machine in plain words; None for any other error."""
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
    return None


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
        known = _of_machine(cause, target) or server_fault(cause, target)
        if known is not None:
            return known
    kept = "the rows read so far are kept, and the next sync loads them" if doing == LOADING else "no row is lost"
    return LoadFault(
        f"{doing} {target} failed ({type(last).__name__}); {kept}. Set RUNTIME__LOG_LEVEL=ERROR to see more"
    )
