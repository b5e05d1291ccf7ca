"""README says what is true: its questions are asked, and get the answers that stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.questions import DOCUMENTS, README, Question, answers, demo, questions, report, report_of

ASKED = [each for document in DOCUMENTS for each in questions(document.read_text(encoding="utf-8"))]


def test_there_are_eleven_questions() -> None:
    assert len(ASKED) == 11


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data."""
    folder = tmp_path_factory.mktemp("questions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        demo(folder / "sim_demo.duckdb")
    return folder / "sim_demo.duckdb"


@pytest.mark.parametrize("question", ASKED, ids=lambda question: question.title)
def test_a_question_has_the_answer_that_stands_in_readme(question: Question, file: Path) -> None:
    assert answers(file, [question]) == [question.answer], "run `make docs`"


def test_the_report_that_stands_in_readme_is_that_of_the_demo(file: Path) -> None:
    assert report(README.read_text(encoding="utf-8")) == report_of(file), "run `make docs`"
