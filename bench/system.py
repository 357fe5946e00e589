"""The lines on the command line: a run with nothing to do, every stage's help, and the stages' memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import which

from bench.figures import Bound, Line, spread_line
from bench.machine import watch
from bench.workers import Pace, take_turns

STAGES = Path("stages")
PREPARE = (
    "settings",
    "acquire phantom",
    "ingest phantom",
    "prune",
    "split",
    "weights custom_cnn",
    "weights mobilenet_v2_random",
    "weights seg",
)
TRAINING = (
    "tabular dnn",
    "tabular catboost",
    "dnn_search",
    "cnn custom_cnn",
    "cnn mobilenet_v2_random",
    "augmentation mild",
    "merged custom_cnn",
    "segment unet",
    "pretrain",
    "lesion",
)
"""Stages whose memory is watched, after those they need."""


def help_line(pace: Pace) -> Line:
    """Time ``--help`` of every stage; the slowest one counts."""
    median = {}
    for stage in sorted(STAGES.glob("*.py")):
        command = [sys.executable, str(stage), "--help"]
        median[stage.stem] = statistics.median(_time(command) for _ in range(pace.rounds))
    slowest = max(median, key=lambda name: median[name])
    note = f"the slowest is {slowest}; {len(median)} stages, {statistics.mean(median.values()):.2f} s in the mean"
    title = "--help of a stage"
    return Line("help", title, median[slowest], "s", Bound(at_most=1.5), n=pace.rounds, note=note)


def repro_line(pace: Pace) -> Line:
    """Time a ``dvc repro`` that has nothing to do, and take off what ``dvc --version`` takes."""
    key, title, bound = "noop_repro", "dvc repro with nothing to do, beyond dvc --version", Bound(at_most=2.5)
    if not which("dvc") or not Path(".dvc").is_dir():
        return Line(key, title, bound=bound, unit="s", note="needs a DVC workspace")
    dry = subprocess.run(["dvc", "repro", "--dry"], capture_output=True, encoding="utf-8", check=False)  # noqa: S607  # found on the path
    if dry.returncode or "Running stage" in dry.stdout:
        return Line(key, title, bound=bound, unit="s", note="the workspace is not up to date: run make repro first")
    ours, theirs = take_turns(lambda: _time(["dvc", "repro"]), lambda: _time(["dvc", "--version"]), max(3, pace.rounds))
    more = [a - b for a, b in zip(ours, theirs, strict=True)]
    return spread_line(key, title, more, ours, theirs, unit="s", side_unit="s", bound=bound, note="the whole DAG")


def memory_lines(side: int = 128, cases: int = 60, stages: Sequence[str] = TRAINING) -> list[Line]:
    """Run each training stage for an epoch in a folder of its own and watch its memory, workers included."""
    from busline.base.params import load_params

    content = load_params().model_dump()
    content["data"].update(main="phantom", active=["phantom"])
    content["data"]["cohorts"]["phantom"]["phantom"].update(cases=cases, normal=0)
    content["cnn"]["image_size"] = content["seg"]["image_size"] = side
    content["cv"].update(folds=3, repeats=1)
    content["lesion"].update(image_size=side, epochs=1)
    content["lesion"]["pretrain"].update(epochs=1)
    content["seg"]["epochs"] = content["merged"]["epochs"] = content["merged"]["fine_tune_epochs"] = 1
    for model in content["cnn"]["models"].values():
        model["epochs"] = 1
    lines = []
    with tempfile.TemporaryDirectory() as name:
        params = Path(name) / "params.yaml"
        params.write_text(json.dumps(content), encoding="utf-8")  # every JSON file is YAML 1.2
        for stage in (*PREPARE, *stages):
            script, *argument = stage.split()
            start = [sys.executable, str(STAGES / f"{script}.py"), *argument, "--params", str(params), "--root", name]
            process = subprocess.Popen(start, env=_environment(), stderr=subprocess.DEVNULL)  # noqa: S603  # our stages
            with watch(process.pid) as memory:
                failed = process.wait()
            if failed:
                raise RuntimeError(f"stage {stage} failed")
            if stage in stages:
                note = (
                    f"{memory.rss:.0f} MiB if pages that processes share are counted for each; {side} × {side} pixels"
                )
                title = f"peak memory of stage {stage}"
                lines.append(Line(f"memory_{stage.replace(' ', '_')}", title, memory.pss, "MiB", n=1, note=note))
    return lines


def _time(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, env=_environment(), capture_output=True)  # noqa: S603  # our own programs
    return time.perf_counter() - start


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": "src"}
