"""All tables of the dataset.

Arrow schemas, dlt hints, keys, and the descriptions in the warehouse and in the docs are derived from ``TABLES``; no
module but ``run_tables`` and ``account_tables`` declares a column type.
"""

from __future__ import annotations

from typing import Final

from .account_tables import (
    AUDIT_LOGS,
    BILLING_LOGS,
    BILLING_STATUS,
    REJECTED_ROWS,
    USAGE,
    WORKFLOW_VERSIONS,
    WORKFLOWS,
    WORKSPACES,
)
from .run_tables import COST_ITEMS, EXECUTION_SNAPSHOTS, LOG_DETAILS, LOGS, TRACE_SPANS, WORKFLOW_STATES
from .schema import Table

TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        LOGS,
        LOG_DETAILS,
        COST_ITEMS,
        TRACE_SPANS,
        EXECUTION_SNAPSHOTS,
        WORKFLOW_STATES,
        AUDIT_LOGS,
        USAGE,
        WORKFLOWS,
        WORKFLOW_VERSIONS,
        WORKSPACES,
        BILLING_LOGS,
        BILLING_STATUS,
        REJECTED_ROWS,
    )
}
"""Every table of the dataset, by name."""
