"""The data dictionary says what is declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import dictionary
from pipelines.views import View, all_views
from sim_source import TABLES
from sim_source.schema import Table

DOCUMENT = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_document_is_as_the_declarations_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == dictionary.document(), "run `make docs`"


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_reference_names_columns_that_are_there_and_of_one_kind(table: Table) -> None:
    kinds = {column.name: column.kind for column in table.columns}
    for reference in table.references:
        others = {column.name: column.kind for column in TABLES[reference.table].columns}
        assert kinds[reference.column] == others[reference.key]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_column_of_a_table_is_in_it(table: Table) -> None:
    section = dictionary.document().split(f"### {table.name}\n")[1].split("\n### ")[0]
    for column in table.columns:
        assert f"| `{column.name}` |" in section


@pytest.mark.parametrize("view", all_views().values(), ids=lambda view: view.name)
def test_every_column_of_a_view_is_in_it(view: View) -> None:
    section = dictionary.document().split(f"### {view.name}\n")[1].split("\n### ")[0]
    for column, _ in view.columns:
        assert f"| `{column}` |" in section
