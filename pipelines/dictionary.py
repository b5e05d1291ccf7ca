"""The data dictionary: declared tables, columns and views, and the references between tables.

``python -m pipelines.dictionary FILE`` writes it to a file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from sim_source import TABLES
from sim_source.schema import Table

from .views import SQL_TYPES, View, all_views

_HEAD = """# Tables and views

Written by `make docs` from the declarations in `sim_source/run_tables.py`, `sim_source/account_tables.py` and
`pipelines/views/`; the same texts are the comments of tables, columns and views in DuckDB and PostgreSQL. Types are
DuckDB's. Timestamps and days are UTC, money is USD, durations are milliseconds.
"""


def document() -> str:
    """Returns the document as Markdown."""
    return "\n".join([_HEAD, *_diagram(), *_tables(), *_views()])


def _diagram() -> Iterator[str]:
    yield "## How the tables are related"
    yield ""
    yield "A dotted line means that the referenced row may be missing (deleted in Sim, or not read)."
    yield ""
    yield "```mermaid"
    yield "erDiagram"
    for table in TABLES.values():
        for reference in table.references:
            one = reference.column == table.key[0] and len(table.key) == 1
            line = "--" if reference.always else ".."
            several = "o|" if one else "o{"
            yield f"    {reference.table} ||{line}{several} {table.name} : {reference.column}"
    for table in TABLES.values():
        yield f"    {table.name} {{"
        kinds = {column.name: column.kind for column in table.columns}
        references = {reference.column for reference in table.references}
        for name in dict.fromkeys([*table.key, *sorted(references)]):
            marks = ", ".join(mark for mark, holds in (("PK", name in table.key), ("FK", name in references)) if holds)
            yield f"        {kinds[name]} {name} {marks}"
        yield "    }"
    yield "```"
    yield ""


def _tables() -> Iterator[str]:
    yield "## Tables"
    yield ""
    for table in TABLES.values():
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}"
    yield ""
    yield f"{table.description}. Key: {', '.join(f'`{name}`' for name in table.key)}."
    yield ""
    yield "| column | type | |"
    yield "|---|---|---|"
    for column in table.columns:
        yield f"| `{column.name}` | {SQL_TYPES[column.kind]} | {_cell(column.description)} |"
    yield ""


def _views() -> Iterator[str]:
    yield "## Views"
    yield ""
    for view in sorted(all_views().values(), key=lambda view: view.name):
        yield from _view(view)


def _view(view: View) -> Iterator[str]:
    reads = ", ".join(f"`{name}`" for name in sorted(view.relations))
    yield f"### {view.name}"
    yield ""
    yield f"{view.description}. Reads {reads}: [SQL](../pipelines/views/{view.name}.sql)."
    yield ""
    yield "| column | |"
    yield "|---|---|"
    for name, description in view.columns:
        yield f"| `{name}` | {_cell(description)} |"
    yield ""


def _cell(value: str) -> str:
    return value.replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
