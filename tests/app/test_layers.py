"""The layout holds: lower folders never import higher ones, nothing imports in a circle, and modules stay readable."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_LAYERS = (
    {"errors", "timestamps", "jsons", "nesting", "options", "schema", "run_tables", "account_tables", "tables"},
    {"api"},
    {"rows"},
    {"paging"},
    {"stored"},
    {"parallel"},
    {"reading"},
    {"settings"},
    {"source"},
)
"""What lies in ``sim_source``, lowest first: each imports its own layer and those below."""
APPLICATION_LAYERS = (
    {"rate_limit", "optional_packages", "shared_pacer"},
    {"views", "dictionary", "sim_api", "screen"},
    {"destination", "dlt_internals"},
    {"accounts", "settings"},
    {"check", "report"},
    {"commands"},
    {"cli_options"},
    {"cli"},
)
"""The same of ``pipelines``."""
PURE = {
    "__future__", "base64", "binascii", "collections", "copy", "dataclasses", "datetime", "decimal", "enum",
    "functools", "hashlib", "hmac", "json", "math", "msgspec", "pyarrow", "re", "typing", "unicodedata",
}  # fmt: skip
"""What pure modules import of others: nothing that reads a clock, a file, a socket or the environment."""
MOST_FLOORS, MOST_FLOORS_OF_SOURCE = 8, 12
MOST_LINES, MOST_LINES_OF_FUNCTION, MOST_PARAMETERS, MOST_OF_SOURCE = 300, 50, 7, 16


def modules(package: str) -> dict[str, Path]:
    """Modules of a package, by dotted name."""
    return {_dotted(path): path for path in sorted((ROOT / package).rglob("*.py"))}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(package: str) -> dict[str, frozenset[str]]:
    """What each module imports of this project when it is imported itself, by dotted name."""
    known = {**modules("sim_source"), **modules("pipelines")}
    return {name: frozenset(_imports(name, path, known)) - {name} for name, path in modules(package).items()}


def _imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _at_import(ast.parse(path.read_text())):
        base = node.module or ""
        if node.level:
            above = package.split(".")
            base = ".".join(above[: len(above) - node.level + 1] + ([node.module] if node.module else []))
        for alias in node.names:
            found = f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
            if found in known:
                yield found


def _at_import(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    """Import statements that run when a module is imported: none of a function, none for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _at_import(node)


def floors(graph: dict[str, frozenset[str]]) -> int:
    """How many modules stand on top of each other; raises where there is a circle."""
    height: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        height[name] = 1 + max((height[below] for below in graph.get(name, ())), default=0)
    return max(height.values(), default=0)


def test_every_module_of_the_source_has_its_layer_and_imports_none_above() -> None:
    level = {name: place for place, names in enumerate(SOURCE_LAYERS) for name in names}
    for module, needed in imports("sim_source").items():
        parts = module.split(".")
        if len(parts) == 1:
            continue  # the package itself imports what is asked for
        assert all(other.split(".")[0] == "sim_source" for other in needed), module
        for other in needed:
            below = other.split(".")[1:]
            assert below, f"{module} imports the package's public names"
            assert level[below[0]] <= level[parts[1]], f"{module} imports {other}"


def test_what_commands_need_imports_none_of_them() -> None:
    level = {name: place for place, names in enumerate(APPLICATION_LAYERS) for name in names}
    for module, needed in imports("pipelines").items():
        parts = module.split(".")
        for other in (each.split(".") for each in needed if each.startswith("pipelines.") and len(parts) > 1):
            assert level[other[1]] <= level[parts[1]], f"{module} imports {'.'.join(other)}"


def test_the_world_of_the_embedded_api_knows_nothing_of_http() -> None:
    for module, needed in imports("pipelines").items():
        if module.startswith("pipelines.sim_api.world"):
            assert not any(other.startswith("pipelines.sim_api.http") for other in needed), module


def test_the_source_stands_on_few_floors_and_in_no_circle() -> None:
    graph = {name: needed for name, needed in imports("sim_source").items() if name != "sim_source"}
    assert floors(graph) <= MOST_FLOORS_OF_SOURCE


@pytest.mark.parametrize("package", ["sim_source", "pipelines"])
def test_no_folder_has_more_floors_than_a_newcomer_can_climb(package: str) -> None:
    graph = imports(package)
    folders = {name.rpartition(".")[0] for name in graph} | {package}
    for folder in folders:
        inside = {name for name in graph if name.rpartition(".")[0] == folder}
        assert floors({name: graph[name] & inside for name in inside}) <= MOST_FLOORS, folder


@pytest.mark.parametrize("package", ["sim_source", "pipelines"])
def test_modules_and_functions_can_be_read_at_a_sitting(package: str) -> None:
    for name, path in modules(package).items():
        text = path.read_text()
        assert text.count("\n") <= MOST_LINES, name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno is not None
                if (name, node.name) != ("sim_source.source", "sim_source"):
                    assert node.end_lineno - node.lineno < MOST_LINES_OF_FUNCTION, f"{name}.{node.name}"
                taken = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                taken = [each for each in taken if each not in ("self", "cls")]
                most = MOST_OF_SOURCE if node.name == "sim_source" else MOST_PARAMETERS
                assert len(taken) <= most, f"{name}.{node.name}"


@pytest.mark.parametrize("package", ["sim_source", "pipelines"])
def test_what_a_folder_says_it_imports_is_what_it_imports(package: str) -> None:
    folders = sorted({name.split(".")[1] for name in modules(package) if name.count(".") > 1})
    for folder in folders:
        needed = {
            other.split(".")[1]
            for module, others in imports(package).items()
            for other in others
            if module.startswith(f"{package}.{folder}") and other.startswith(f"{package}.")
        }
        said = ast.get_docstring(ast.parse((ROOT / package / folder / "__init__.py").read_text())) or ""
        sentence = re.search(r"Imports ([^.]*)\.", " ".join(said.split()))
        assert sentence, f"{package}/{folder} does not say what it imports"
        assert set(re.findall(r"``(\w+)``", sentence[1])) == needed.intersection(folders) - {folder}, folder


def test_what_is_pure_imports_nothing_that_touches_the_world() -> None:
    """The rows, and the paging but for the functions that are passed to it."""
    for module, path in modules("sim_source").items():
        if module.startswith(("sim_source.rows", "sim_source.paging")):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                assert {name.partition(".")[0] for name in names} <= PURE, f"{module} imports {names}"


SAME_MEANING = {
    *(
        "check",
        "demo",
        "maintain",
        "publish",
        "report",
        "resync",
        "run",
        "sql",
        "status",
    ),  # a command: its arguments, and what it does
    *("finish", "walk_runs", "demo_month", "visible", "world", "sim_source"),  # a module, and what it is named after
    "settings",  # of the source, and of the command line
    "main",  # where a program begins
}
"""Names that stand twice for one thing."""


def test_no_public_name_means_two_things() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for package in ("sim_source", "pipelines"):
        for module, path in modules(package).items():
            found[module.rpartition(".")[2]].add(module)
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].add(f"{module}.{node.name}")
    assert {name: places for name, places in found.items() if len(places) > 1 and name not in SAME_MEANING} == {}


def test_the_picture_of_the_architecture_is_that_of_the_code() -> None:
    from tests.helpers.architecture import DOCUMENT, picture

    assert picture() in DOCUMENT.read_text("utf-8"), "run `make docs`"
