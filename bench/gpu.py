"""The benchmark on a graphics card: ``make bench-gpu``. It needs neither DVC nor a cohort.

PYTHONPATH=src:. python -m bench.gpu                      # everything
PYTHONPATH=src:. python -m bench.gpu --only stacked       # stacked, study, profile
PYTHONPATH=src:. python -m bench.gpu --device cpu --small # to try it without a card
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Annotated, Any

import torch
import typer

from bench import machine, table
from bench.figures import Bound, Line, rate_line
from bench.work import Kind, Work, make_folds, make_work
from bench.workers import take_turns
from busline.studies.inputs import FoldJob

STUDY: tuple[tuple[str, Kind, int, int], ...] = (
    ("custom CNN", "custom_cnn", 40, 1),
    ("custom CNN under four levels of augmentation", "custom_cnn", 40, 4),
    ("MobileNetV2 from random weights", "mobilenet_v2", 30, 1),
    ("MobileNetV2 in two phases", "mobilenet_v2", 40, 1),
    ("U-Net", "unet", 40, 1),
)
"""Title, network, epochs and number of times of the image networks of the study, at 128 × 128 and batches of 16."""
PARTS = ("stacked", "study", "profile")
TOP = 12


@dataclass(frozen=True)
class Scale:
    """How large the parts are."""

    cases: int = 252
    side: int = 128
    folds: int = 5
    repeats: int = 10
    epochs: int = 10
    rounds: int = 3
    whole: bool = True


@dataclass
class Use:
    """Samples of the card's utilisation, in percent."""

    samples: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.samples:
            return "utilisation not sampled"
        return (
            f"card in use {statistics.mean(self.samples):.0f} % of the time (nvidia-smi, {len(self.samples)} samples)"
        )


def main(
    device: Annotated[str, typer.Option(help="cuda or cpu.")] = "cuda",
    small: Annotated[bool, typer.Option(help="Tiny, to try it without a card.")] = False,
    only: Annotated[str, typer.Option(help=f"Parts, with commas: {', '.join(PARTS)}.")] = ",".join(PARTS),
    repeats: Annotated[int, typer.Option(min=1, help="Repeats of the five folds.")] = 10,
    out: Annotated[Path, typer.Option(help="Folder of bench-gpu.json and bench-gpu.md.")] = Path("reports"),
) -> None:
    """Time stacked folds against one after another, the study's networks, and say where the time goes."""
    if device == "cuda" and not torch.cuda.is_available():
        print("error: no CUDA device is available\n  to mend:  run on a machine with one, or try --device cpu --small",
              file=sys.stderr)  # fmt: skip
        raise SystemExit(2)
    parts = [name.strip() for name in only.split(",")]
    if not set(parts) <= set(PARTS):
        raise typer.BadParameter(f"unknown part in {only!r}; expected some of {', '.join(PARTS)}")
    scale = Scale(24, 32, 2, 1, 1, 1, whole=False) if small else Scale(repeats=repeats)
    about = machine.describe() | ({"card": torch.cuda.get_device_name()} if device == "cuda" else {})
    lines: list[Line] = []
    for name in parts:
        print(f"bench: {name} …", file=sys.stderr, flush=True)
        if name == "stacked":
            lines.append(stacked_line(scale, device))
        if name == "study":
            lines += study_lines(scale, device)
        if name == "profile":
            lines += profile_lines(scale, device)
        table.save(lines, about, out, name="bench-gpu")
    print(table.render(lines, about))


def stacked_line(scale: Scale, device: str) -> Line:
    """Time the custom CNN's folds all at once against one after another, on the same card."""
    work, jobs = _work("custom_cnn", scale)
    title = f"custom CNN, {len(jobs)} folds at once against one after another"
    bound = Bound(at_least=8.0)
    with sampled(device) as alone:
        _rate(work, jobs[:3], device, stacked=False)
    _rate(work, jobs, device, stacked=True)
    use = Use()

    def stacked() -> float:
        with sampled(device) as now:
            rate = _rate(work, jobs, device, stacked=True)
        use.samples += now.samples
        return rate

    rates = take_turns(stacked, lambda: _rate(work, jobs, device, stacked=False), scale.rounds)
    note = f"stacked: {use}; one after another: {alone}"
    return rate_line("gpu_stacked", title, *rates, bound=bound, side_unit="images/s", note=note)


def study_lines(scale: Scale, device: str) -> Iterator[Line]:
    """Time the training of the study's image networks in all folds."""
    from bench.engine import train_folds

    total = 0.0
    chosen = STUDY if scale.whole else STUDY[:1]
    for number, (title, kind, epochs, times) in enumerate(chosen):
        work, jobs = _work(kind, scale, epochs=epochs if scale.whole else 1, batch_size=16, stop_early=True)
        start = time.perf_counter()
        with sampled(device) as use:
            for _ in range(times):
                train_folds(work, jobs, device, stacked=True)
        seconds = time.perf_counter() - start
        total += seconds
        note = f"{times * len(jobs)} networks of at most {work.epochs} epochs; {use}"
        print(f"bench: {title}: {seconds:.1f} s; {use}", file=sys.stderr, flush=True)
        yield Line(f"gpu_study_{number}", title, seconds, "s", n=1, note=note)
    title = f"all of the study's image networks in {len(jobs)} folds"
    bound = Bound(at_most=600.0)
    note = "without the merged networks, and without those of the table, which train on the processor"
    yield Line(
        "gpu_study", title, total, "s", bound if scale.whole and scale.repeats == 10 else Bound(), n=1, note=note
    )


def profile_lines(scale: Scale, device: str) -> list[Line]:
    """Train the custom CNN under the profiler; return its costliest operations."""
    from torch.profiler import ProfilerActivity, profile

    from bench.engine import train_folds

    work, jobs = _work("custom_cnn", scale, epochs=2)
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device == "cuda" else [])]
    train_folds(work, jobs, device, stacked=True)
    with profile(activities=kinds, acc_events=True) as found:  # torch 2.11 warns without it
        train_folds(work, jobs, device, stacked=True)
    name = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    costs: list[tuple[float, Any]] = [(float(getattr(event, name)), event) for event in found.key_averages()]
    total = sum(cost for cost, _ in costs) or 1.0
    return [
        Line(f"gpu_top_{rank:02d}", f"{event.key[:80]}, share of time", 100.0 * cost / total, "%", n=1,
             note=f"{event.count} calls, {cost / 1000.0:.1f} ms")
        for rank, (cost, event) in enumerate(sorted(costs, key=lambda pair: -pair[0])[:TOP], start=1)
    ]  # fmt: skip


@contextmanager
def sampled(device: str) -> Iterator[Use]:
    """Sample the card's utilisation five times a second inside the block."""
    use = Use()
    program = which("nvidia-smi") if device == "cuda" else None
    if program is None:
        yield use
        return
    query = [program, "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-i", "0", "-lms", "200"]
    process = subprocess.Popen(query, stdout=subprocess.PIPE, encoding="utf-8")  # noqa: S603  # fixed program

    def read() -> None:
        assert process.stdout is not None
        use.samples += [float(line) for line in process.stdout if line.strip().isdigit()]

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield use
    finally:
        process.terminate()
        thread.join()


def _work(kind: Kind, scale: Scale, **more: Any) -> tuple[Work, list[FoldJob]]:
    work = make_work(kind, scale.cases, scale.side, **({"epochs": scale.epochs} | more))
    return work, make_folds(work.labels, scale.folds, scale.repeats)


def _rate(work: Work, jobs: Sequence[FoldJob], device: str, *, stacked: bool) -> float:
    """Train every fold; return the images learnt a second."""
    from bench.engine import train_folds

    start = time.perf_counter()
    train_folds(work, jobs, device, stacked=stacked)
    return work.epochs * sum(len(job.roles["train"]) for job in jobs) / (time.perf_counter() - start)


if __name__ == "__main__":
    typer.run(main)
