"""One process of one side: it prepares itself, says so, and then does what each line on its standard input asks.

So imports, process starts, the choice of threads and the first, slow steps are outside all timings, on both sides.
Run as ``python -m bench.side <role> <argument> …``; it answers each JSON line with one of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from busline.base.processor import choose_kernels

Request = dict[str, Any]
Handler = Callable[[Request], dict[str, Any]]


def reference(path: str, fit: str) -> tuple[Handler, str]:
    """Train the reference loop for ``epochs`` epochs a request."""
    from bench.reference import Choice, Reference, find_best
    from bench.work import Work, throughput_fold

    work = Work.load(Path(path))
    fold = Reference(work, throughput_fold(work, int(fit)), Choice(cores(), 0))
    choice = find_best(fold, cores())
    return lambda request: {"images": fold.train(request["epochs"])}, str(choice)


def engine(path: str, fit: str) -> tuple[Handler, str]:
    """Train the engine for ``epochs`` epochs a request, as one of its processes."""
    from bench.engine import make_stretch, precision
    from bench.work import Work, throughput_fold

    work = Work.load(Path(path))
    stretch = make_stretch(work, throughput_fold(work, int(fit)))
    stretch(1)
    return lambda request: {"images": stretch(request["epochs"])}, precision()


def reference_mlp(size: str, threads: str = "") -> tuple[Handler, str]:
    """Search the table's networks in the reference loop, in a share of the folds; on so many threads, or the best."""
    import torch

    from bench.mlp import Size
    from bench.reference_mlp import find_threads, search

    plan = Size(**json.loads(size))
    inputs = plan.inputs()
    if threads:
        torch.set_num_threads(int(threads))
        search(inputs, plan.base, plan.grid[:1], folds=1)  # a process's first step is slow
    else:
        find_threads(inputs, plan.base, plan.grid, cores())

    def handle(request: Request) -> dict[str, Any]:
        scores = search(inputs, plan.base, plan.grid, part=request["part"], of=request["of"])
        return {"scores": [scores[key] for key in plan.grid]}

    return handle, str(torch.get_num_threads())


def engine_mlp(size: str) -> tuple[Handler, str]:
    """Search the table's networks with the engine, on all cores."""
    from bench.engine import engine_mlp_search
    from bench.mlp import Size

    plan = Size(**json.loads(size))
    inputs = plan.inputs()
    engine_mlp_search(plan.first_folds(inputs), plan.base, plan.hidden, plan.dropout)

    def handle(request: Request) -> dict[str, Any]:
        scores = engine_mlp_search(inputs, plan.base, plan.hidden, plan.dropout)
        return {"scores": [scores[key] for key in plan.grid]}

    return handle, ""


def ingest(folder: str, side: str) -> tuple[Handler, str]:
    """Ingest the first ``cases`` cases of a folder, or only decode and resize them in a plain loop."""
    from bench import ingest as work

    run = work.run_engine if side == "engine" else work.run_plain
    return lambda request: {"images": run(Path(folder), request["cases"])}, ""


ROLES: dict[str, Callable[..., tuple[Handler, str]]] = {
    "reference": reference,
    "engine": engine,
    "reference_mlp": reference_mlp,
    "engine_mlp": engine_mlp,
    "ingest": ingest,
}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def serve(prepare: Callable[[], tuple[Handler, str]]) -> None:
    """Prepare, say so, then answer requests until the input ends; what the work itself prints goes to the errors."""
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        handle, note = prepare()
        print(json.dumps({"ready": note}), file=answers, flush=True)
        for line in sys.stdin:
            start = time.perf_counter()
            answer = handle(json.loads(line))
            print(json.dumps({**answer, "seconds": time.perf_counter() - start}), file=answers, flush=True)


if __name__ == "__main__":
    choose_kernels("native")  # before torch is imported: both sides are as fast as they can be
    serve(lambda: ROLES[sys.argv[1]](*sys.argv[2:]))
