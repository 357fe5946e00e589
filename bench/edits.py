"""Measure what an edit costs: the stages that run again, and for how long (``PYTHONPATH=src:. python -m bench.edits``).

A clone in a temporary folder, with the small setting of `.ci/small.py`, is run once; then each edit is made there, run,
and taken back. The table goes to docs/edits.md. Which stages run is a fact of the code; the seconds are this machine's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine

COMMENT = "\n# a comment\n"
COLUMNS = ("edit", "stages that run", "seconds")


@dataclass(frozen=True)
class Edit:
    """One edit: what a developer would call it, the file, and what becomes of its text."""

    title: str
    file: str
    change: Callable[[str], str]


def replace(old: str, new: str) -> Callable[[str], str]:
    """Return a change that puts ``new`` for ``old``, which must be there."""

    def change(text: str) -> str:
        if old not in text:
            raise ValueError(f"{old!r} is not there any more")
        return text.replace(old, new, 1)

    return change


def append(more: str) -> Callable[[str], str]:
    """Return a change that adds a text at the end."""
    return lambda text: text + more


def measure(edits: Sequence[Edit], root: Path) -> list[tuple[str, str, str]]:
    """Return a row an edit: title, stages, seconds of wall time."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "busline"
        _run(["git", "clone", "--quiet", str(root), str(clone)], root)
        _run([sys.executable, str(root / ".ci/small.py"), "params.yaml"], clone)
        environment = {"BUSLINE_CACHE": str(Path(name) / "folds"), "BUSLINE_LOG": ""}
        everything, seconds = _repro(clone, environment)
        rows.append(("nothing was run yet", f"all {len(everything)}", f"{seconds:.0f}"))
        print(f"| {' | '.join(rows[-1])} |", flush=True)
        for edit in edits:
            path = clone / edit.file
            before = path.read_text(encoding="utf-8")
            path.write_text(edit.change(before), encoding="utf-8")
            stages, seconds = _repro(clone, environment)
            rows.append((edit.title, describe(stages), f"{seconds:.0f}"))
            print(f"| {' | '.join(rows[-1])} |", flush=True)
            path.write_text(before, encoding="utf-8")
            _repro(clone, environment)
    return rows


def describe(stages: Sequence[str]) -> str:
    """Return the stages in the order in which they ran, those of one matrix as one word with their number."""
    counts: dict[str, int] = {}
    for stage in stages:
        counts[stage.split("@")[0]] = counts.get(stage.split("@")[0], 0) + 1
    return ", ".join(name if count == 1 else f"{name} × {count}" for name, count in counts.items()) or "none"


def _repro(clone: Path, environment: dict[str, str]) -> tuple[list[str], float]:
    started = time.monotonic()
    output = _run(["dvc", "repro"], clone, environment)
    return re.findall(r"^Running stage '([^']+)'", output, re.MULTILINE), time.monotonic() - started


def _run(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(  # noqa: S603  # fixed programs, no shell
        command, cwd=folder, env={**os.environ, **(environment or {})}, check=False, capture_output=True, text=True
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
    return result.stdout


def write(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Write the page."""
    lines = [f"| {' | '.join(row)} |" for row in (COLUMNS, ("---",) * len(COLUMNS), *rows)]
    path.write_text(PAGE.format(machine=_machine(), table="\n".join(lines)), encoding="utf-8")


def _machine() -> str:
    found = machine.describe()
    return f"{found['cores']} cores ({found['architecture']}, {', '.join(found['features'])})"


PAGE = """# What an edit costs

Made by `PYTHONPATH=src:. python -m bench.edits` on {machine}, in the small setting of
`.ci/small.py`: which stages run again after an edit is a fact of the code, the seconds are this machine's and this
setting's. Stages whose inputs turn out the same do not run, and networks whose code, data and settings are the same
come from the fold cache.

{table}
"""

EDITS = (
    Edit("a comment in the training loop", "src/busline/training/loop.py", append(COMMENT)),
    Edit(
        "a docstring in `base`",
        "src/busline/base/artifacts.py",
        replace('"""Write JSON with', '"""Write as JSON, with'),
    ),
    Edit("an error message", "src/busline/base/errors.py", replace("did you mean ", "perhaps you meant ")),
    Edit(
        "a new parameter of `report`",
        "src/busline/base/settings/presentation.py",
        append("\n    title: str | None = None\n"),
    ),
    Edit("a setting: `seg.encoder`", "params.yaml", replace("encoder: mobilenet_v2", "encoder: resnet18")),
    Edit("a setting: `tabular.models.logreg.C`", "params.yaml", replace("C: 1.0", "C: 0.5")),
    Edit("the report's template", "src/busline/report/templates/report.md.j2", append("\nThe end.\n")),
    Edit("another way to draw figures", "src/busline/report/canvas.py", append("\nLATER = 1\n")),
    Edit("code of segmentation metrics", "src/busline/metrics/segmentation.py", append("\nLATER = 1\n")),
    Edit("code of classification metrics", "src/busline/metrics/classification.py", append("\nLATER = 1\n")),
    Edit("code of one source", "src/busline/cohort/sources/breast.py", append("\nLATER = 1\n")),
    Edit("code of the image classifiers", "src/busline/models/images.py", append("\nLATER = 1\n")),
    Edit("code of the training loop", "src/busline/training/loop.py", append("\nLATER = 1\n")),
)


if __name__ == "__main__":
    ROOT = Path(__file__).parent.parent
    write(measure(EDITS, ROOT), ROOT / "docs/edits.md")
