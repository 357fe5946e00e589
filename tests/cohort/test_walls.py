"""What trains on stored images needs no reader of picture files, so a change to one trains nothing anew."""

import ast

import pytest

from imports import REPOSITORY, needed_files

READERS = {"PIL", "openpyxl"}
"""What reads a source's files."""
TRAINING = ("augmentation", "cnn", "dnn_search", "lesion", "merged", "pretrain", "segment", "tabular")


def libraries(file):
    """Every library a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("stage", TRAINING)
def test_a_training_stage_reads_no_files_of_a_source(stage):
    needed = needed_files(REPOSITORY / f"stages/{stage}.py")
    assert "src/busline/training/pool.py" in needed
    assert {file: found for file in needed if (found := libraries(file) & READERS)} == {}
    assert not [file for file in needed if file.startswith(("src/busline/cohort/formats/", "src/busline/fetch/"))]


def test_ingest_does():
    needed = needed_files(REPOSITORY / "stages/ingest.py")
    assert set().union(*map(libraries, needed)) >= READERS
