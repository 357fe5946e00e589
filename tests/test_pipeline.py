"""dvc.yaml says all that a stage reads: its code, its parameters, and that a new parameter is somebody's."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from busline.base.code import PACKAGE, needed_files
from busline.base.params import active_models, load_params
from busline.base.settings.seeds import Seeds
from helpers_cohort import load_stage
from imports import REPOSITORY

YAML_12 = YAML(typ="safe", pure=True)
WRITTEN: dict[str, Any] = YAML_12.load((REPOSITORY / "dvc.yaml").read_text())["stages"]
STAGES: dict[str, Any] = {name: stage.get("do", stage) for name, stage in WRITTEN.items()}
PARAMETERS: dict[str, Any] = YAML_12.load((REPOSITORY / "params.yaml").read_text())

NETWORKS = {PACKAGE / "training/loop.py", PACKAGE / "models/images.py"}
ASKED_BEFORE = ("stages/combine.py",)
"""Scripts that import networks to write a family's files, and run none: the stage before has asked them."""


def script_of(stage: str) -> str:
    return re.search(r"stages/\w+\.py", STAGES[stage]["cmd"]).group()


def any_name(path: str) -> str:
    """A path with `*` for what is put in."""
    return re.sub(r"\$\{.*?\}", "*", path)


def ancestors(stage: str) -> set[str]:
    """Every stage whose outputs a stage reads, directly or through others."""
    found: set[str] = set()
    waiting = [stage]
    while waiting:
        for dep in map(any_name, STAGES[waiting.pop()]["deps"]):
            for name, other in STAGES.items():
                outs = [next(iter(out)) if isinstance(out, dict) else out for out in other.get("outs", [])]
                if name not in found and any(
                    f"{dep}/".startswith(f"{out}/") or out.startswith(f"{dep}/") for out in map(any_name, outs)
                ):
                    found.add(name)
                    waiting.append(name)
    return found


def sections_read(script: str) -> set[str]:
    """The sections of params.yaml that a stage script parses: the fields of the classes it gives to load_settings."""
    tree = ast.parse((REPOSITORY / script).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    places = {alias.name: node.module for node in imports for alias in node.names}
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "load_settings"
    ]
    found: set[str] = set()
    for kind in (ast.unparse(call.args[0]) for call in calls):
        own = load_stage(Path(script).stem).__globals__.get(kind)
        found |= set((own or getattr(import_module(places[kind]), kind)).model_fields)
    return found


def seeds_read(script: str) -> set[str]:
    """The keys of `seed` that a stage script reads, or a module that it imports: ``settings.seed.train``."""
    path = REPOSITORY / script
    trees = [ast.parse(file.read_text()) for file in (path, *needed_files(path))]
    read = {ast.unparse(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {f"seed.{key}" for key in Seeds.model_fields if any(name.endswith(f".seed.{key}") for name in read)}


def leaves(node: Any, prefix: str = "") -> list[str]:
    """The dotted keys of all values; where there may be names and are none, one stands for them."""
    if node == {}:
        return [f"{prefix}.name"]
    if not isinstance(node, dict):
        return [prefix]
    return [leaf for key, value in node.items() for leaf in leaves(value, f"{prefix}.{key}" if prefix else str(key))]


def tracked_keys(stage: str) -> list[str]:
    """The keys of params.yaml that a stage tracks one by one; those that track the whole file have none."""
    return [key for key in STAGES[stage].get("params", []) if isinstance(key, str)]


def tracks(stage: str, leaf: str) -> bool:
    """Whether a stage tracks a leaf; ``${…}`` in a tracked key stands for any one name."""
    patterns = [re.sub(r"\\\$\\\{.*?\\\}", r"[^.]+", re.escape(key)) for key in tracked_keys(stage)]
    return any(re.match(rf"{pattern}(\.|$)", leaf) for pattern in patterns)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_digest_of_its_own_script(stage):
    own = f"data/code/{Path(script_of(stage)).stem}.txt"
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith(("src/", "stages", "data/code/"))]
    templates = ["src/busline/report/published", "src/busline/report/templates"]  # not in any digest
    expected = {"code": ["src/busline", "stages"], "report": [own, *templates]}.get(stage, [own])
    assert code == expected


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"code", "check"}))
def test_no_stage_begins_before_the_parameters_were_checked(stage):
    assert "check" in ancestors(stage)


def test_a_users_folder_is_copied_only_once_its_name_was_checked():
    assert [name for name, stage in WRITTEN.items() if "foreach" in stage] == ["folder"]
    assert WRITTEN["folder"]["foreach"] == "${data.folders}"
    assert "data/check/folders/${key}" in STAGES["folder"]["deps"]
    assert "${item}" in STAGES["folder"]["deps"]
    assert "${item}" not in STAGES["folder"]["cmd"]
    assert "folders" in active_models(load_params(REPOSITORY / "params.yaml"))


def test_who_joins_near_duplicates_depends_on_their_table():
    """Splits, the lesion study's inner folds and the bootstrap of patients keep them together."""
    stages = {stage for stage in STAGES if '["case_a"]' in (REPOSITORY / script_of(stage)).read_text()}
    assert stages == {"split", "combine", "evaluate"}
    cohort = "data/cohort/${data.main}"
    for stage in stages:
        assert {cohort, f"{cohort}/duplicates.parquet"} & set(STAGES[stage]["deps"]), stage


def test_a_cohort_is_acquired_anew_for_its_own_folder_and_needs_none():
    """`place` writes into the folder of every cohort, `folder` into that of those which have one; no more is read."""
    assert [dep for dep in STAGES["acquire"]["deps"] if "folders" in dep] == ["data/folders/${item.cohort}"]
    assert STAGES["place"]["outs"] == ["data/folders/${item.cohort}/place"]
    assert STAGES["folder"]["outs"] == ["data/folders/${key}/files"]


@pytest.mark.parametrize("stage", [name for name in STAGES if "matrix" in STAGES[name]])
def test_a_name_from_a_list_becomes_part_of_a_command_only_once_it_was_checked(stage):
    ((item, names),) = STAGES[stage]["matrix"].items()
    family = names.removeprefix("${").removesuffix(".active}")
    assert f"data/check/{family}/${{item.{item}}}" in STAGES[stage]["deps"]
    assert family in active_models(load_params(REPOSITORY / "params.yaml"))


@pytest.mark.parametrize("script", sorted({script_of(name) for name in set(STAGES) - {"code", "check", "report"}}))
def test_the_stages_of_a_script_track_the_sections_it_parses_and_no_other(script):
    """What a script reads of params.yaml is the class that it gives to load_settings."""
    stages = [stage for stage in STAGES if script_of(stage) == script]
    tracked = {key.split(".")[0] for stage in stages for key in tracked_keys(stage)}
    assert tracked == sections_read(script)


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"code", "check", "report"}))
def test_a_stage_tracks_the_seeds_that_it_uses_and_no_other(stage):
    """So another seed of training runs no stage again that makes, splits or judges."""
    assert {key for key in tracked_keys(stage) if key.split(".")[0] == "seed"} == seeds_read(script_of(stage))


def test_what_a_seed_decides_is_what_its_docstring_says():
    users = {key: [stage for stage in STAGES if tracks(stage, f"seed.{key}")] for key in Seeds.model_fields}
    fits = ["tabular", "dnn_search", "cnn", "augmentation", "merged", "segment", "pretrain", "lesion", "combine"]
    assert users == {
        "data": ["acquire"],
        "split": ["prune", "split", "evaluate", "audit"],
        "train": [*fits, "audit"],
    }


@pytest.mark.parametrize("leaf", leaves(PARAMETERS))
def test_every_parameter_is_tracked_by_a_stage_that_uses_it(leaf):
    """The check and the report read all parameters; another stage must track each as well, but for the report's own."""
    users = [stage for stage in STAGES if tracks(stage, leaf)]
    assert users or leaf.startswith("report."), f"no stage tracks {leaf}"


def test_the_check_and_the_report_track_the_whole_file():
    whole = [stage for stage in STAGES if {"params.yaml": None} in STAGES[stage].get("params", [])]
    assert whole == ["check", "report"]


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_tracks_exists(stage):
    known = leaves(PARAMETERS)
    for key in tracked_keys(stage):
        pattern = re.sub(r"\\\$\\\{.*?\\\}", r"[^.]+", re.escape(key))
        assert any(re.match(rf"{pattern}(\.|$)", leaf) for leaf in known), key


@pytest.mark.parametrize("script", sorted({script_of(name) for name in STAGES}))
def test_a_stage_that_computes_with_torch_chooses_the_kernels_before_it_imports_it(script):
    """The loop of training, or a network: what is imported on top of a script must not have torch in it."""
    path = REPOSITORY / script
    if script in ASKED_BEFORE or needed_files(path).isdisjoint(NETWORKS):
        return
    main = next(node for node in ast.parse(path.read_text()).body if getattr(node, "name", "") == "main")
    calls = [ast.unparse(node) for node in ast.walk(main) if isinstance(node, ast.Call)]
    imports = [node.lineno for node in ast.walk(main) if isinstance(node, ast.ImportFrom) and "base" not in node.module]
    chosen = [
        node.lineno
        for node in ast.walk(main)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("warm_up", "choose_kernels")
    ]
    assert chosen, f"{script} runs networks with the kernels it happens to get"
    assert "train.kernels" in " ".join(calls)
    assert chosen[0] < min(imports)


def test_every_script_is_a_stage_and_every_stage_has_a_description():
    scripts = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "stages").glob("*.py")}
    assert scripts == {script_of(stage) for stage in STAGES}
    assert all(stage.get("desc") for stage in STAGES.values())


def test_the_lock_has_no_stage_that_is_no_more():
    """DVC leaves what it wrote of a stage when the stage goes, or becomes one a model."""
    locked = YAML_12.load((REPOSITORY / "dvc.lock").read_text())["stages"]
    of_many = {name: "matrix" in stage or "foreach" in stage for name, stage in WRITTEN.items()}
    assert [name for name in locked if of_many.get(name.partition("@")[0]) != ("@" in name)] == []


def test_nothing_with_pixels_is_kept_in_git():
    kept = []
    for stage in STAGES.values():
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]:
            if isinstance(out, dict):
                kept += [name for name, options in out.items() if options.get("cache") is False]
    figures = ["leakage.json", "metrics.json", "plots", "report.md", "tables.json"]
    assert sorted(kept) == [f"reports/{name}" for name in figures]
