"""dlt's working folder after a kill."""

from __future__ import annotations

import shutil
from pathlib import Path

import dlt
from dlt.common.storages import LoadStorage, NormalizeStorage, PackageStorage


def working_folder(pipeline: dlt.Pipeline) -> None:
    """Finishes or removes what a kill left half done. Only who holds the lock of the place may.

    Two of dlt 1.31's steps are a rename and something else; after a kill in between, every later run fails:
    a package that was normalised is still there as extracted, too ("Directory not empty"); one that was
    loaded is marked so, but has not been moved (LoadPackageAlreadyCompleted). A third is a copy, where the
    system's folder for temporary files is on another disk: what is there of it has no name of a job yet, and
    dlt refuses the package (TerminalValueError). What was extracted and not committed is never looked at
    again, and would stay for ever.
    """
    extracted = Path(pipeline.working_dir, "normalize", NormalizeStorage.EXTRACTED_FOLDER)
    load = Path(pipeline.working_dir, "load")
    for package in folders(load / LoadStorage.NORMALIZED_FOLDER):
        shutil.rmtree(extracted / package.name, ignore_errors=True)
        for job in package.glob(f"{PackageStorage.NEW_JOBS_FOLDER}/*"):
            if "." not in job.name:
                job.unlink()
        if (package / PackageStorage.PACKAGE_COMPLETED_FILE_NAME).exists():
            package.rename(load / LoadStorage.LOADED_FOLDER / package.name)
    for left in folders(extracted.parent):
        if left != extracted:
            shutil.rmtree(left)


def folders(folder: Path) -> list[Path]:
    """The folders in one, by name; none where it is not there."""
    return [entry for entry in sorted(folder.iterdir()) if entry.is_dir()] if folder.is_dir() else []
