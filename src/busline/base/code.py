"""Which code decides a result, and its digest: syntax trees of the closure of imports, found without running them.

Comments, docstrings and layout are no part of a digest, nor are modules that only speak to the user; names, values and
types are. The same source has the same digest under every version of Python.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
SPEAK_ONLY = ("base/cli.py", "base/errors.py", "base/progress.py", "base/validation.py")
"""Modules that tell a user what happens or what is wrong: a result that was written does not depend on them."""


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


def script_digest(script: Path) -> str:
    """Return a hash of the code of ``script`` and of all of the package that it imports, as hexadecimal digits."""
    spoken = {PACKAGE / name for name in SPEAK_ONLY}
    files = {script, *needed_files(script)} - spoken
    total = hashlib.sha256()
    for name, path in sorted((_name(path), path) for path in files):
        total.update(f"{name} {tree_digest(path)}\n".encode())
    return total.hexdigest()


def code_digest(module: str) -> str:
    """Return :func:`script_digest` of a module that is loaded."""
    return script_digest(Path(str(sys.modules[module].__file__)))


@cache
def tree_digest(path: Path) -> str:
    """Return a hash of a file's syntax tree without its docstrings."""
    source = path.read_text(encoding="utf-8")
    return hashlib.sha256("".join(_spell(_tree(path), source.splitlines())).encode()).hexdigest()


def _spell(node: object, lines: list[str]) -> Iterator[str]:
    """Write a tree down; fields that are empty are left out, for versions of Python differ in which there are."""
    if isinstance(node, ast.JoinedStr):  # versions of Python cut f-strings into different parts
        yield "f" + _segment(node, lines)
    elif isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for field, value in ast.iter_fields(node):
            if value is not None and value != []:
                yield f" {field}="
                yield from _spell(value, lines)
        yield ")"
    elif isinstance(node, list):
        for item in node:
            if not _is_docstring(item):
                yield from _spell(item, lines)
    else:
        yield ascii(node)


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _segment(node: ast.expr, lines: list[str]) -> str:
    """Return the source of an expression; columns are counted in bytes."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    own = [line.encode() for line in lines[node.lineno - 1 : node.end_lineno]]
    own[-1] = own[-1][: node.end_col_offset]
    own[0] = own[0][node.col_offset :]
    return b"\n".join(own).decode()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("busline."):
            names.append(node.value)  # modules named for the worker processes
    return tuple(file for name in _with_parents(names) if (file := _file(name)))


def _with_parents(names: Iterable[str]) -> set[str]:
    """Return the names of the package's modules among ``names``, and of the packages that are imported with them."""
    parts = [name.split(".") for name in names if name.split(".")[0] == "busline"]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}


def _file(name: str) -> Path | None:
    path = PACKAGE.joinpath(*name.split(".")[1:])
    if path.with_suffix(".py").is_file():
        return path.with_suffix(".py")
    return path / "__init__.py" if (path / "__init__.py").is_file() else None


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name
