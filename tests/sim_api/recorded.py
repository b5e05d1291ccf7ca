"""Reads recordings of real servers: the few beside this file, or the whole set, where SIM_RECORDINGS names it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent / "recordings"
ALL = Path(os.environ.get("SIM_RECORDINGS") or HERE / "all")
WHY_SKIPPED = "needs the whole set of recorded answers; SIM_RECORDINGS names its folder"


@dataclass(frozen=True)
class Recording:
    name: str
    generation: str
    path: str
    query: str
    key: str | None
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def id(self) -> str:
        return f"{self.generation}-{self.name}"


def read(file: Path) -> Recording:
    head, _, body = file.read_bytes().decode().replace("\r\n", "\n").partition("\n\n")
    lines = head.split("\n")
    request = next(line for line in lines if line.startswith("# GET")).split()[2]
    keys = [line.partition(":")[2].strip() for line in lines if line.startswith("# X-API-Key")]
    answer = [line for line in lines if not line.startswith("#")]
    fields = (line.partition(": ") for line in answer[1:])
    url = urlsplit(request)
    return Recording(
        file.stem,
        file.parent.name.removeprefix("sim-"),
        url.path,
        url.query,
        keys[0] if keys else None,
        int(answer[0].split()[1]),
        {name.lower(): value for name, _, value in fields},
        json.loads(body),
    )


def recordings() -> list[Recording]:
    """Every recording at hand of the servers whose whole account is rebuilt here.

    Those beside this file are enough for the core checks. How runs ended on v0.8.9 is in ``test_recorded_ends``.
    """
    folder = ALL if ALL.is_dir() else HERE
    return [read(file) for file in sorted(folder.glob("sim-2026-*/*.http"))]
