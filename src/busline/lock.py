"""Which class of kernels wrote dvc.lock: noted in a small file in Git, and compared with this machine's.

``make repro`` calls it before and after DVC. A class is an architecture and a level of kernels, never a machine: see
:func:`busline.base.processor.kernel_class`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from busline.base.artifacts import save_json
from busline.base.cli import run_stage
from busline.base.processor import kernel_class
from busline.base.settings.reading import load_settings
from busline.base.settings.shared import TrainSettings
from busline.study import git

NOTE = Path("reports/kernels.json")
"""The classes that wrote the networks of dvc.lock: one, or several if a machine made a part of them anew."""
NOISE = Path("reports/noise.json")
Figure = tuple[str, str, str]
"""Family, model and metric."""
FIGURES = ("roc_auc", "dice")
"""Metrics whose means are compared."""


def main(
    written: Annotated[
        bool, typer.Option("--written", help="Note the class of a lock that a run has changed.")
    ] = False,
) -> None:
    """Say in a line if dvc.lock was written with other kernels than those of this machine; nothing if not."""
    own = kernel_class(load_settings(TrainSettings).train.kernels)
    noted = read_note(NOTE)
    if not written:
        if noted and noted != [own]:
            print(f"{_differ(noted, own)}: networks that run again get other bytes, and so does what is made from them")
        return
    before, after = _yaml(_committed("dvc.lock")), _yaml(_present("dvc.lock"))
    changed = changed_stages(before, after)
    if not changed:
        return
    if noted and noted != [own]:
        largest = largest_change(_committed("reports/metrics.json"), _present("reports/metrics.json"))
        figure = "" if largest is None else _describe(*largest)
        print(f"{_differ(noted, own)}: {len(changed)} stages have other bytes than the last commit{figure}")
    save_json({"classes": classes_of(noted, own, network_stages(after), changed)}, NOTE)


def read_note(path: Path) -> list[str]:
    """Return the classes that are noted; none without a file that can be read."""
    try:
        return [str(name) for name in json.loads(path.read_text(encoding="utf-8"))["classes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def changed_stages(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the stages of a lock whose outputs have other bytes than in the one before, or that are new."""
    return {name for name, stage in after.items() if stage.get("outs") != before.get(name, {}).get("outs")}


def network_stages(lock: Mapping[str, Any]) -> set[str]:
    """Return the stages of a lock that train networks of images: their bytes are never the same in two classes.

    They are those that track the precision; the audit, and what tracks the whole file, may end in the same bytes.
    """
    tracked = {name: stage.get("params", {}).get("params.yaml", {}) for name, stage in lock.items()}
    return {name for name, keys in tracked.items() if {"train", "train.precision"} & {*keys} and "audit" not in keys}


def classes_of(noted: list[str], own: str, networks: set[str], changed: set[str]) -> list[str]:
    """Return the classes that wrote a lock once this machine has changed some of its stages."""
    if networks <= changed:
        return [own]
    if not networks & changed:
        return noted
    return sorted({*(noted or ["unknown"]), own})


def largest_change(before: str, after: str) -> tuple[Figure, float] | None:
    """Return the mean ROC AUC or Dice that differs most between two metrics files, and by how much.

    None without two of them.
    """
    try:
        old, new = (dict(_means(json.loads(text))) for text in (before, after))
    except ValueError:
        return None
    changes = [(abs(new[figure] - value), figure) for figure, value in old.items() if figure in new]
    if not changes:
        return None
    change, figure = max(changes)
    return figure, change


def _means(content: Any) -> Iterator[tuple[Figure, float]]:
    for family, models in content.items() if isinstance(content, Mapping) else ():
        for model, metrics in models.items() if isinstance(models, Mapping) else ():
            for name in FIGURES:
                found = metrics.get(name) if isinstance(metrics, Mapping) else None
                if isinstance(found, Mapping) and isinstance(found.get("mean"), float):
                    yield (family, model, name), found["mean"]


def _describe(figure: Figure, change: float) -> str:
    """Say how much a figure changed, and how much another seed of training changes it where that was measured."""
    family, model, metric = figure
    text = f", the largest change of a headline figure is {change:.3f} ({metric} of {family}/{model})"
    try:
        noise = json.loads(NOISE.read_text(encoding="utf-8"))["families"][family][model][metric]["sd"]
    except (OSError, ValueError, KeyError, TypeError):
        return text
    return text if noise is None else f"{text}, where another seed of training is worth {noise:.3f}"


def _differ(noted: list[str], own: str) -> str:
    return f"the lock was written with {' and '.join(noted)} kernels, this machine has {own}"


def _yaml(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML

    content = YAML(typ="safe", pure=True).load(text) if text else None
    return dict(content["stages"]) if content else {}


def _present(name: str) -> str:
    path = Path(name)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _committed(name: str) -> str:
    """Return a file of the last commit, empty if it has none."""
    try:
        return git("show", f"HEAD:{name}")
    except subprocess.CalledProcessError:
        return ""


if __name__ == "__main__":
    run_stage(main)
