"""The picture in docs/architecture.md, made from the code. ``python -m tests.helpers.architecture`` draws it again."""

from __future__ import annotations

import ast
import re

from tests.app.test_layers import ROOT, imports, modules

DOCUMENT = ROOT / "docs" / "architecture.md"
_PICTURE = re.compile(r"(?<=<!-- folders -->\n).*?(?=<!-- end -->)", re.DOTALL)
PACKAGES = ("sim_source", "pipelines")


def picture() -> str:
    """Folders as boxes with the first line that they say of themselves, imports as arrows, as a Mermaid diagram."""
    found: dict[str, set[str]] = {}
    for package in PACKAGES:
        for module, needed in imports(package).items():
            for other in needed:
                if _folder(module) != _folder(other):
                    found.setdefault(_folder(module), set()).add(_folder(other))
    lines = ["```mermaid", "flowchart TD"]
    for package in PACKAGES:
        lines.append(f'  subgraph {package}["{package}/"]')
        folders = sorted({_folder(name) for name in modules(package)})
        lines += [f'    {_id(folder)}["<b>{_name(folder)}</b><br>{_says(folder)}"]' for folder in folders]
        lines.append("  end")
    lines += [f"  {_id(one)} --> {_id(other)}" for one in sorted(found) for other in sorted(_direct(found, one))]
    return "\n".join([*lines, "```", ""])


BESIDE = {
    "sim_source": ("source", "settings"),
    "sim_source.base": (
        "errors",
        "options",
        "schema",
        "run_tables",
        "account_tables",
        "tables",
        "timestamps",
        "jsons",
        "nesting",
    ),
    "pipelines": ("cli", "cli_options"),
    "pipelines.base": ("rate_limit", "optional_packages", "shared_pacer"),
    "pipelines.settings": ("accounts", "settings"),
}
"""Modules that lie in no folder, those on top and those that others stand on."""


def _folder(module: str) -> str:
    package, _, rest = module.partition(".")
    first = rest.partition(".")[0]
    if (ROOT / package / first).is_dir() and first:
        return f"{package}.{first}"
    for folder, names in BESIDE.items():
        if folder.startswith(package) and first in names:
            return folder
    return package


def _name(folder: str) -> str:
    return ", ".join(BESIDE[folder]) if folder in BESIDE else folder.partition(".")[2] + "/"


def _id(folder: str) -> str:
    return folder.replace(".", "_") + "_"


def _says(folder: str) -> str:
    if folder in BESIDE:
        return "modules beside the folders"
    text = ast.get_docstring(ast.parse((ROOT / folder.replace(".", "/") / "__init__.py").read_text())) or ""
    return text.splitlines()[0].replace("`", "").replace('"', "'").rstrip(".")


def _direct(found: dict[str, set[str]], folder: str) -> set[str]:
    """What a folder imports and does not reach through others, so that the picture stays readable."""
    near = found[folder]
    return {other for other in near if not any(other in _reached(found, each) for each in near - {other})}


def _reached(found: dict[str, set[str]], folder: str) -> set[str]:
    reached, waiting = set[str](), [folder]
    while waiting:
        for other in found.get(waiting.pop(), set()) - reached:
            reached.add(other)
            waiting.append(other)
    return reached


def main() -> None:
    """Draws it."""
    text = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(_PICTURE.sub(lambda _: picture(), text), "utf-8")


if __name__ == "__main__":
    main()
