"""What is installed: a wheel that works by itself, few packages with it, and a line where an extra is missing."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.helpers import child

MOST_PACKAGES = 14
"""Beyond those that dlt and duckdb bring themselves."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    source = folder / "source"
    tracked = ("pyproject.toml", "README.md", "LICENSE", "sim_source", "pipelines")
    source.mkdir()
    for name in tracked:  # a copy: building writes beside what it builds
        subprocess.run(["cp", "-r", str(child.ROOT / name), str(source)], check=True)
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], check=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel; what it depends on is that of the tests, behind it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "behind.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def command(installed: Path, folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"DLT_DATA_DIR": str(folder / "dlt"), **env}
    return subprocess.run(
        [installed / "bin" / "sim-sync", *args], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_the_wheel_holds_the_two_packages_and_what_they_read(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"sim_source", "pipelines"}
    for needed in ("pipelines/views/budget.sql", "sim_source/py.typed", "sim_source/README.md"):
        assert needed in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]


def test_the_wheel_works_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    version = tomllib.loads((child.ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert command(installed, tmp_path, "--version").stdout == f"sim-sync {version}\n"
    done = command(installed, tmp_path, "demo", "--runs", "20")
    assert done.returncode == 0, done.stderr
    page = command(installed, tmp_path, "report", "--database", "sim_demo.duckdb", "--html", "page.html")
    assert page.returncode == 0, page.stderr
    where = [installed / "bin" / "python", "-P", "-c", "import pipelines, sim_source; print(pipelines.__file__)"]
    told = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout.startswith(str(installed))


@pytest.mark.parametrize(
    ("args", "module", "extra"),
    [(("demo",), "uvicorn", "demo"), (("report", "--html", "page.html"), "altair", "report")],
    ids=["demo", "report"],
)
def test_a_missing_extra_is_one_line_that_names_it(
    installed: Path, tmp_path: Path, args: tuple[str, ...], module: str, extra: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None")
    done = command(installed, tmp_path, *args, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert f'pip install ".[{extra}]"' in done.stderr


def closure(roots: Iterable[str]) -> set[str]:
    """Distributions that these requirements bring, by name."""
    found, waiting = set[str](), [Requirement(root) for root in roots]
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        for extra in ("", *wanted.extras):
            if f"{name}[{extra}]" in found:
                continue
            found.add(f"{name}[{extra}]")
            for line in importlib.metadata.requires(name) or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return {name.partition("[")[0] for name in found}


def test_a_plain_installation_brings_few_packages() -> None:
    project = tomllib.loads((child.ROOT / "pyproject.toml").read_text())["project"]
    ours = closure(project["dependencies"])
    theirs = closure(line for line in project["dependencies"] if line.startswith(("dlt", "duckdb")))
    assert len(ours - theirs) <= MOST_PACKAGES, sorted(ours - theirs)


def test_what_is_declared_is_imported_and_what_is_imported_is_declared() -> None:
    project = tomllib.loads((child.ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    modules = {"vl-convert-python": "vl_convert"}
    declared = {
        modules.get(name := Requirement(line).name, name)
        for line in lines
        if not Requirement(line).name.startswith("duckdb-extension-")  # files, which DuckDB loads
    } | {"psycopg2"}  # of dlt[postgres]
    text = "\n".join(
        path.read_text() for package in ("sim_source", "pipelines") for path in (child.ROOT / package).rglob("*.py")
    )
    imported = set(re.findall(r"^\s*(?:from|import) ([a-z_]\w*)", text, re.MULTILINE))
    ours = {"sim_source", "pipelines"}
    assert imported - set(sys.stdlib_module_names) - ours == declared
