"""What a kill leaves of dlt's steps is finished or removed; what is whole stays."""

from __future__ import annotations

from pathlib import Path

import dlt
import pytest

from pipelines.dlt_internals import repair_working_dir

WHOLE = ["load/normalized/2/new_jobs/logs.0a1b.0.parquet", "normalize/extracted/3/new_jobs/logs.2c3d.0.parquet"]
"""A package to be loaded, and one to be normalised."""


@pytest.mark.parametrize(
    ("left", "then"),
    [
        (["normalize/extracted/2/schema.json"], []),
        (["load/normalized/1/package_completed.json"], ["load/loaded/1/package_completed.json"]),
        (["load/normalized/2/new_jobs/9f1b3791cf1241bb40bb7b34d01c106c"], []),
        (["normalize/73d416e988d4/4/new_jobs/logs.4e5f.0.parquet"], []),
    ],
    ids=["normalised, not removed", "loaded, not moved", "copied by half", "extracted by half"],
)
def test_what_a_kill_leaves_is_finished_or_removed(tmp_path: Path, left: list[str], then: list[str]) -> None:
    pipeline = dlt.pipeline("killed", pipelines_dir=str(tmp_path))
    working = Path(pipeline.working_dir)
    for name in [*WHOLE, *left, "load/loaded/0/package_completed.json"]:
        (working / name).parent.mkdir(parents=True, exist_ok=True)
        (working / name).touch()
    repair_working_dir.working_folder(pipeline)
    found = {str(path.relative_to(working)) for path in working.glob("*/*/**/*") if path.is_file()}
    assert found == {*WHOLE, *then, "load/loaded/0/package_completed.json"}


def test_a_new_working_folder_needs_no_mending(tmp_path: Path) -> None:
    repair_working_dir.working_folder(dlt.pipeline("fresh", pipelines_dir=str(tmp_path)))
