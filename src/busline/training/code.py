"""Which files of the package a module needs: the closure of its imports, found without running them."""

from __future__ import annotations

import ast
import hashlib
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def needed_files(script: Path) -> set[Path]:
    """Return every file of the package that ``script`` imports, directly or through others; not itself."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for path in _imported(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


def code_digest(module: str) -> str:
    """Return a hash of the source of ``module`` and of all of the package that it imports."""
    path = Path(str(sys.modules[module].__file__))
    files = sorted({path, *needed_files(path)})
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


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
