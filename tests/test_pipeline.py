"""dvc.yaml says all that a stage reads: its code, its parameters, and that a new parameter is somebody's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from imports import REPOSITORY, needed_files

YAML_12 = YAML(typ="safe", pure=True)
STAGES: dict[str, Any] = YAML_12.load((REPOSITORY / "dvc.yaml").read_text())["stages"]
PARAMETERS: dict[str, Any] = YAML_12.load((REPOSITORY / "params.yaml").read_text())


def script_of(stage: str) -> str:
    return re.search(r"stages/\w+\.py", STAGES[stage]["cmd"]).group()


def leaves(node: Any, prefix: str = "") -> list[str]:
    if not isinstance(node, dict):
        return [prefix]
    return [leaf for key, value in node.items() for leaf in leaves(value, f"{prefix}.{key}" if prefix else str(key))]


def tracks(stage: str, leaf: str) -> bool:
    """Whether a stage tracks a leaf; ``${…}`` in a tracked key stands for any one name."""
    patterns = [re.sub(r"\\\$\\\{.*?\\\}", r"[^.]+", re.escape(key)) for key in STAGES[stage]["params"]]
    return any(re.match(rf"{pattern}(\.|$)", leaf) for pattern in patterns)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_imports_are_in_its_deps(stage):
    script = script_of(stage)
    deps = [dep for dep in STAGES[stage]["deps"] if dep.startswith(("src/", "stages/"))]
    needed = {script, *needed_files(REPOSITORY / script)}
    uncovered = {file for file in needed if not any(file == dep or file.startswith(f"{dep}/") for dep in deps)}
    unused = {dep for dep in deps if not any(file == dep or file.startswith(f"{dep}/") for file in needed)}
    assert not uncovered, f"add to the deps of {stage}"
    assert not unused, f"take from the deps of {stage}"


@pytest.mark.parametrize("leaf", leaves(PARAMETERS))
def test_every_parameter_is_tracked_by_a_stage_that_uses_it(leaf):
    """The report shows all parameters, so it tracks all; another stage must as well, but for the report's own."""
    users = [stage for stage in STAGES if tracks(stage, leaf)]
    assert "report" in users
    assert len(users) > 1 or leaf.startswith("report."), f"no stage but the report tracks {leaf}"


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_tracks_exists(stage):
    known = leaves(PARAMETERS)
    for key in STAGES[stage]["params"]:
        pattern = re.sub(r"\\\$\\\{.*?\\\}", r"[^.]+", re.escape(key))
        assert any(re.match(rf"{pattern}(\.|$)", leaf) for leaf in known), key


def test_every_script_is_a_stage_and_every_stage_has_a_description():
    scripts = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "stages").glob("*.py")}
    assert scripts == {script_of(stage) for stage in STAGES}
    assert all(stage.get("desc") for stage in STAGES.values())


def test_nothing_with_pixels_is_kept_in_git():
    kept = []
    for stage in STAGES.values():
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]:
            if isinstance(out, dict):
                kept += [name for name, options in out.items() if options.get("cache") is False]
    figures = ["leakage.json", "metrics.json", "plots", "report.md", "tables.json"]
    assert sorted(kept) == [f"reports/{name}" for name in figures]
