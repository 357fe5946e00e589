"""DVC projects and declared commands, for the tests of commands that run experiments."""

from __future__ import annotations

import importlib
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from imports import REPOSITORY


def start_project(folder: Path, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a DVC project of one commit, go there, and return its folder."""
    monkeypatch.chdir(folder)
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "a")
        monkeypatch.setenv(f"{name}_EMAIL", "a@b")
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for words in (
        "git init -q",
        "dvc init -q",
        "dvc config core.analytics false",
        "git add -A",
        "git commit -qm start",
    ):
        subprocess.run(words.split(), check=True)
    return folder


def ask_for_help(command: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Call a command that pyproject.toml declares with --help and return its exit code."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    module, _, function = project["scripts"][command].partition(":")
    monkeypatch.setattr("sys.argv", [command, "--help"])
    with pytest.raises(SystemExit) as end:
        getattr(importlib.import_module(module), function)()
    return end.value.code
