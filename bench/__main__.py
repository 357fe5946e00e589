"""Run the benchmark: ``make bench``, or ``PYTHONPATH=src:. python -m bench --only mlp,custom_cnn --quick``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench import machine, table
from bench.figures import Line
from bench.workers import Pace
from busline.base.processor import choose_kernels

Group = Callable[[Pace, bool], Sequence[Line]]


def _mlp(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.mlp import Size, mlp_lines

    return mlp_lines(pace, Size(60, 3, 1, 4, (16, 32), (0.2,)) if quick else Size())


def _training(kind: str) -> Group:
    def run(pace: Pace, quick: bool) -> Sequence[Line]:
        from bench.training import FIT, training_line
        from bench.work import KINDS

        (chosen,) = (one for one in KINDS if one == kind)
        return [training_line(chosen, pace, fit=64 if quick else FIT)]

    return run


def _keras(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.training import FIT, keras_line

    return [keras_line(pace, fit=64 if quick else FIT)]


def _scores(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.training import score_line

    cases, epochs = (60, 4) if quick else (180, 20)
    return [score_line(kind, cases=cases, side=64, epochs=epochs) for kind in ("custom_cnn", "unet")]


def _ingest(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.ingest import ingest_line

    return [ingest_line(pace, 40 if quick else 250)]


def _growth(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.ingest import Growth, growth_lines

    return growth_lines(Growth(200, 1000) if quick else Growth())


def _copies(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.copies import copies_lines, phantoms

    return copies_lines(phantoms(20 if quick else 200))


def _repro(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.system import repro_line

    return [repro_line(pace)]


def _help(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.system import help_line

    return [help_line(pace)]


def _memory(pace: Pace, quick: bool) -> Sequence[Line]:
    from bench.system import TRAINING, memory_lines

    return memory_lines(stages=TRAINING[:3] if quick else TRAINING)


GROUPS: dict[str, Group] = {
    "mlp": _mlp,
    "custom_cnn": _training("custom_cnn"),
    "keras": _keras,
    "mobilenet_v2": _training("mobilenet_v2"),
    "unet_frozen": _training("unet_frozen"),
    "unet": _training("unet"),
    "scores": _scores,
    "ingest": _ingest,
    "growth": _growth,
    "copies": _copies,
    "repro": _repro,
    "help": _help,
    "memory": _memory,
}


def main(
    only: Annotated[str, typer.Option(help=f"Groups to run, with commas: {', '.join(GROUPS)}.")] = "",
    skip: Annotated[str, typer.Option(help="Groups to leave out, with commas; growth and memory are slow.")] = "",
    quick: Annotated[bool, typer.Option(help="Small and short: to try the benchmark, not to judge by.")] = False,
    strict: Annotated[bool, typer.Option(help="End with code 1 if a line is missed.")] = False,
    out: Annotated[Path, typer.Option(help="Folder of bench.json and bench.md.")] = Path("reports"),
) -> None:
    """Time the engine against the loop a competent user writes; write a table and reports/bench.json."""
    chosen, left_out = _names(only) or list(GROUPS), _names(skip)
    pace = Pace(3, 0.5) if quick else Pace(3, 5.0)
    lines: list[Line] = []
    begun = time.monotonic()
    for name in chosen:
        if name in left_out:
            continue
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        lines += GROUPS[name](pace, quick)
        table.save(lines, machine.describe() | {"quick": quick}, out)
    print(table.render(lines, machine.describe()))
    print(f"bench: {time.monotonic() - begun:.0f} s in all, table in {out}/bench.md", file=sys.stderr)
    if strict and any(line.verdict == "missed" for line in lines):
        sys.exit(1)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        raise typer.BadParameter(f"unknown group {', '.join(unknown)}; expected some of {', '.join(GROUPS)}")
    return names


if __name__ == "__main__":
    choose_kernels("native")  # for the processes that it starts, before torch is imported
    typer.run(main)
