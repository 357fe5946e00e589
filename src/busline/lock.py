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
        figure = "" if largest is None else f", the largest change of a headline figure is {largest:.3f}"
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


def largest_change(before: str, after: str) -> float | None:
    """Return the largest difference of a mean ROC AUC or Dice between two metrics files; None without two of them."""
    try:
        old, new = (dict(_means(json.loads(text))) for text in (before, after))
    except ValueError:
        return None
    return max((abs(new[key] - value) for key, value in old.items() if key in new), default=None)


def _means(content: Any, key: str = "") -> Iterator[tuple[str, float]]:
    if not isinstance(content, Mapping):
        return
    for name, value in content.items():
        if name in FIGURES and isinstance(value, Mapping) and isinstance(value.get("mean"), float):
            yield f"{key}.{name}", value["mean"]
        else:
            yield from _means(value, f"{key}.{name}")


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
