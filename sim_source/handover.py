"""The last look at rows before dlt gets them: what all of them have to pass, in one place."""

from __future__ import annotations

import pyarrow as pa

from .people import People
from .tables import Table


class Handover:
    """Looks at the rows of a table that are about to be handed over.

    Args:
        people: Hides people; None leaves them as the API told them.
    """

    def __init__(self, people: People | None = None) -> None:
        self._people = people

    def __call__(self, table: Table, rows: pa.Table) -> pa.Table:
        """The rows as they may be handed over; fewer, or other texts in them."""
        return rows if self._people is None else self._people.hidden(table, rows)
