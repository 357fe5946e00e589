"""Which modules of the package a file needs: the closure of its imports, found without running it."""

from __future__ import annotations

import ast
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "src" / "busline"


def needed_files(script: Path) -> set[str]:
    """Every file of the package that ``script`` imports, directly or through others, as repository paths."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for path in _imported(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return {path.relative_to(REPOSITORY).as_posix() for path in found if path.name != "__init__.py"}


def _imported(path: Path) -> list[Path]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("busline."):
            names.append(node.value)  # modules named for the worker processes
    files = [_file(name) for name in names if name.split(".")[0] == "busline"]
    return [file for file in files if file]


def _file(name: str) -> Path | None:
    path = PACKAGE.joinpath(*name.split(".")[1:])
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    return path / "__init__.py" if (path / "__init__.py").is_file() else None
