"""Whether the user of a PostgreSQL may create what a sync needs; checked before the first API request."""

from __future__ import annotations

import dlt

from sim_source.errors import ConfigurationError

from . import server_locks
from .target import Target

_MAY_CREATE = """
    SELECT s.name,
        coalesce(has_schema_privilege(n.oid, 'CREATE'), has_database_privilege(current_database(), 'CREATE')),
        n.oid IS NULL, current_user, current_database()
    FROM unnest(ARRAY[%s, %s]) AS s(name) LEFT JOIN pg_namespace n ON n.nspname = s.name
"""


def check_rights(target: Target, pipeline: dlt.Pipeline) -> None:
    """Checks that the user may create tables in the schemas of a writer, and the schemas if they do not exist.

    Does nothing for other destinations.

    Args:
        target: The destination.
        pipeline: The pipeline of the writer.

    Raises:
        ConfigurationError: The user may not; or the server cannot be reached.
    """
    if target.destination != "postgres":
        return
    client = pipeline.sql_client()
    server_locks.connect(client, target)
    try:
        found = client.execute_sql(_MAY_CREATE, client.dataset_name, client.staging_dataset_name) or []
    finally:
        client.close_connection()
    missing = [row for row in found if not row[1]]
    if missing:
        names = " and ".join(str(name) for name, *_ in missing)
        _, _, new, user, database = missing[0]
        grant = (
            f'GRANT CREATE ON DATABASE "{database}" TO "{user}"; or create the schema for it: CREATE SCHEMA '
            f'"{missing[0][0]}" AUTHORIZATION "{user}"'
            if new
            else f'GRANT CREATE ON SCHEMA "{missing[0][0]}" TO "{user}"'
        )
        raise ConfigurationError(
            f"{target}: its user {user} may not create tables in {names}; nothing was read or loaded. As the owner of "
            f"the database: {grant} (docs/warehouses.md)"
        )
