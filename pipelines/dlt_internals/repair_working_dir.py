"""Repairs dlt's working directory after a sync was killed."""

from __future__ import annotations

import shutil
from pathlib import Path

import dlt
from dlt.common.storages import LoadStorage, NormalizeStorage, PackageStorage


def working_folder(pipeline: dlt.Pipeline) -> None:
    """Completes or removes what a killed sync left half done. The caller must hold the lock of the destination.

    Three steps of dlt 1.31 are not atomic. If the process is killed in between, every later run fails:

    - A normalized package still exists as an extracted package, too ("Directory not empty").
    - A loaded package is marked as completed, but has not been moved (LoadPackageAlreadyCompleted).
    - A job file is only partly copied, if the system's temporary folder is on another disk. It does not have the name
      of a job yet, and dlt rejects the package (TerminalValueError).

    Packages that were extracted but not committed are deleted, because dlt would never use or remove them.
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
    """Returns the folders inside a folder, sorted by name; none if it does not exist."""
    return [entry for entry in sorted(folder.iterdir()) if entry.is_dir()] if folder.is_dir() else []
