"""A file is read in one sitting, a function in one look."""

import ast

import pytest

from imports import REPOSITORY

FOLDERS = ("src", "stages", "bench", "tests")
FILES = sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py"))
LINES, FUNCTION = 300, 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_neither_file_nor_function_is_long(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert {node.name: length(node) for node in nodes if length(node) > FUNCTION} == {}


def length(function):
    """Lines without the docstring."""
    first = function.body[0]
    words = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = first.end_lineno - first.lineno + 1 if words else 0
    return function.end_lineno - function.lineno + 1 - docstring
