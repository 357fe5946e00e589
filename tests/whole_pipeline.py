"""The whole pipeline in this process, stage by stage in the order of dvc.yaml."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from busline.base.params import Params
from helpers_cohort import load_stage
from imports import REPOSITORY


def write(path: Path, params: Params) -> Path:
    """Write a parameter file."""
    with path.open("w") as file:
        YAML().dump(params.model_dump(), file)
    return path


def run_all(root: Path, params_file: Path, params: Params) -> None:
    """Run every stage below ``root``."""
    run_to_metrics(root, params_file, params)
    place = {"params_file": params_file, "root": root}
    for name in ("audit", "illustrate"):
        load_stage(name)(**place)
    load_stage("report")(**place, lock=REPOSITORY / "requirements.lock", noise=REPOSITORY / "reports/noise.json")


def run_to_metrics(root: Path, params_file: Path, params: Params) -> None:
    """Run every stage below ``root`` that `evaluate` needs, and `evaluate`."""
    run_to_cohorts(root, params_file, params)
    run_from_cohorts(root, params_file, params)


def run_to_cohorts(root: Path, params_file: Path, params: Params) -> None:
    """Run every stage below ``root`` as far as `ingest`."""
    place = {"params_file": params_file, "root": root}
    load_stage("code")(root=root)
    for name in ("check", "settings"):
        load_stage(name)(**place)
    for name in params.data.active:
        load_stage("place")(name, root=root)
    for name in params.data.folders:
        load_stage("folder")(name, **place)
    for name in params.data.active:
        load_stage("acquire")(name, **place)
        load_stage("ingest")(name, **place)


def run_from_cohorts(root: Path, params_file: Path, params: Params) -> None:
    """Run the stages behind `ingest` as far as `evaluate`."""
    place = {"params_file": params_file, "root": root}
    for name in ("overlap", "prune", "split"):
        load_stage(name)(**place)
    for section, names in (("cnn", params.cnn.active), ("seg", params.seg.active), ("lesion", ["lesion"])):
        for name in names:
            load_stage("weights")(section, name, root=root)
    for name in params.tabular.active:
        load_stage("tabular")(name, **place)
    load_stage("dnn_search")(**place)
    for name in params.cnn.active:
        load_stage("cnn")(name, **place)
    for name in params.augmentation.active:
        load_stage("augmentation")(name, **place)
    for name in params.merged.active:
        load_stage("merged")(name, **place)
    for name in params.seg.active:
        load_stage("segment")(name, **place)
    for name in ("vote", "pretrain", "lesion", "combine", "evaluate"):
        load_stage(name)(**place)


def contents(root: Path) -> dict[str, bytes]:
    """Return every file below ``root``, downloads excepted."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and "downloads" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
