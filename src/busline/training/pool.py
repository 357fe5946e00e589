"""Units of training side by side: each in a process with one thread, so that results do not depend on the cores.

A unit is a fold, or the folds of a stack that train together; its results are a pure function of (context, jobs).
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from busline.base.errors import BuslineError, TrainingError
from busline.base.processor import choose_kernels
from busline.base.progress import Progress, ReportShare
from busline.base.runtime import Runtime
from busline.base.settings.training import Kernels, Precision
from busline.training.emulation import warn_if_emulated
from busline.training.processes import FREE, START, end_with_stage, how_they_ended, is_out_of_memory
from busline.training.threads import one_thread

if TYPE_CHECKING:
    from busline.training.cache import FoldCache

Context = TypeVar("Context")
Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Place:
    """Where a unit runs: its device, ``cpu`` or ``cuda``, and what it calls to say how far it is."""

    device: str
    report_progress: ReportShare


UnitFunction = Callable[[Context, Sequence[Job], Place], Sequence[Result]]


def run_units(
    function: UnitFunction[Context, Job, Result],
    context: Context,
    units: Sequence[Sequence[Job]],
    *,
    runtime: Runtime,
    title: str,
    kernels: Kernels | None = None,
    precision: Precision = "fp32",
) -> list[Result]:
    """Run ``function(context, jobs, place)`` for every unit and return the results of all jobs in their order.

    Args:
        function: a module's function that returns one result a job; it must not read or change global state.
        context: what all units share; sent to each process once. It holds what decides the results and nothing else.
        units: the jobs, grouped.
        runtime: processes, device and fold cache.
        title: shown beside the progress.
        kernels: what the jobs are trained with if they are networks: these may train on a GPU, and the fold cache keeps
            their results. None for other jobs.
        precision: arithmetic of the networks; where the processor must emulate it, the user is told before any trains.

    Raises:
        ParameterError: if the processor cannot run these kernels.
        TrainingError: naming the job that failed or whose process died, or all networks whose loss was no number; or if
            torch was imported with other kernels.
    """
    if not units:
        return []
    if kernels:
        choose_kernels(kernels)
    device = find_device(runtime) if kernels else "cpu"
    started = time.monotonic()
    run = _Run(function, context, device, _open_cache(runtime) if kernels else None, kernels)
    keys, found = _look_up(run, units)
    todo = [_Unit(n, unit, keys[n] if keys else None) for n, unit in enumerate(units) if n not in found]
    workers = 1 if device == "cuda" else min(runtime.workers, len(todo))
    memory = 0
    if kernels and todo:
        warn_if_emulated(precision, device)
    with Progress(title, [len(unit) for unit in units]) as progress:
        for number in found:
            progress.skip(number)
        for unit, (results, peak) in _run_all(run, todo, workers, title, progress):
            found[unit.number] = results
            memory = max(memory, peak)
    seconds, cached = time.monotonic() - started, len(units) - len(todo)
    runtime.record(_describe(title, device, workers, units, cached=cached, seconds=seconds, peak=memory))
    results = [result for number in range(len(units)) for result in found[number]]
    _refuse_failures([job for unit in units for job in unit], results, title)
    return results


def _look_up(
    run: _Run[Context, Job, Result], units: Sequence[Sequence[Job]]
) -> tuple[list[str], dict[int, Sequence[Result]]]:
    """Return the units' keys in the fold cache, and by number the results that it has; neither without a cache."""
    if not run.cache or not run.kernels:
        return [], {}
    from busline.training.cache import unit_keys

    keys = unit_keys(run.function, run.context, units, run.device, run.kernels)
    kept = {number: run.cache.get(key) for number, key in enumerate(keys)}
    return keys, {number: results for number, results in kept.items() if results is not None}  # type: ignore[misc]


def alone_or_stacked(jobs: Sequence[Job], runtime: Runtime) -> list[list[Job]]:
    """Return the units of networks that are stacked on a GPU only: there one unit, on the CPU one a job."""
    return [list(jobs)] if find_device(runtime) == "cuda" else [[job] for job in jobs]


def find_device(runtime: Runtime) -> str:
    """Return ``cpu`` or ``cuda``.

    Raises:
        TrainingError: if a GPU is asked for and there is none.
    """
    if runtime.device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if runtime.device == "cuda":
        raise TrainingError("BUSLINE_DEVICE", "is cuda, but torch finds no GPU", mend="set it to auto or cpu")
    return "cpu"


def warm_up(kernels: Kernels, *modules: str) -> None:
    """Choose torch's kernels, then start the server from which processes fork, and which inherits them.

    It imports ``modules`` while this process does its own imports. See :func:`choose_kernels` for what is raised.
    """
    choose_kernels(kernels)
    if START == "forkserver":
        from multiprocessing import forkserver

        multiprocessing.get_context(START).set_forkserver_preload(["busline.training.pool", *modules])
        forkserver.ensure_running()


@dataclass(frozen=True)
class _Run(Generic[Context, Job, Result]):
    """What all units of a run share."""

    function: UnitFunction[Context, Job, Result]
    context: Context
    device: str
    cache: FoldCache | None
    kernels: Kernels | None

    def __call__(self, unit: _Unit[Job], report_progress: ReportShare) -> tuple[Sequence[Result], int]:
        """Run a unit and keep its results; return them with the process's peak memory in MiB."""
        try:
            if self.kernels:
                choose_kernels(self.kernels)
            results = self.function(self.context, unit.jobs, Place(self.device, report_progress))
        except BuslineError as error:
            raise TrainingError(_name(unit.jobs), str(error)) from None
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise TrainingError(_name(unit.jobs), "memory ran out", mend=FREE) from None
        if self.cache and unit.key and not any(_failure(result) for result in results):
            self.cache.put(unit.key, results)  # type: ignore[arg-type]
        return results, _peak_memory()


@dataclass(frozen=True)
class _Unit(Generic[Job]):
    """One unit with its place in the order and its key in the fold cache."""

    number: int
    jobs: Sequence[Job]
    key: str | None


_worker: dict[str, Any] = {}


def _run_all(
    run: _Run[Any, Any, Any], units: Sequence[_Unit[Any]], workers: int, title: str, progress: Progress
) -> Iterator[tuple[_Unit[Any], tuple[Sequence[Any], int]]]:
    if workers <= 1:
        with one_thread():
            for unit in units:
                yield unit, run(unit, partial(progress.note, unit.number))
                progress.finish(unit.number)
        return
    processes = multiprocessing.get_context(START)
    queue = processes.SimpleQueue()
    with ProcessPoolExecutor(workers, processes, _set_up, (run, queue)) as pool:
        futures = {pool.submit(_run_unit, unit): unit for unit in units}
        children = multiprocessing.active_children()
        try:
            for future in _finished(futures, queue, progress):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            pool.shutdown(cancel_futures=True)  # which waits, so that exit codes are there
            problem, mend = how_they_ended(children)
            raise TrainingError(title, problem, mend=mend) from error
        except BaseException:  # an interrupt too: units that have not begun shall not, then it goes on up
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _finished(futures: dict[Future[Any], _Unit[Any]], queue: Any, progress: Progress) -> Iterator[Future[Any]]:
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while not queue.empty():
            progress.note(*queue.get())
        for future in finished:
            yield future
            progress.finish(futures[future].number)


def _set_up(run: _Run[Any, Any, Any], queue: Any) -> None:
    _worker.update(run=run, queue=queue, threads=one_thread())
    _worker["threads"].__enter__()
    end_with_stage()


def _run_unit(unit: _Unit[Any]) -> tuple[Sequence[Any], int]:
    def report_progress(share: float, note: str) -> None:
        _worker["queue"].put((unit.number, share, note))

    done: tuple[Sequence[Any], int] = _worker["run"](unit, report_progress)
    return done


def _open_cache(runtime: Runtime) -> FoldCache | None:
    if runtime.cache is None:
        return None
    from busline.training.cache import FoldCache

    return FoldCache(runtime.cache, runtime.cache_limit)


def _describe(
    title: str, device: str, workers: int, units: Sequence[Sequence[Any]], *, cached: int, seconds: float, peak: int
) -> dict[str, Any]:
    """Return what the log says of a run."""
    return {
        "title": title,
        "device": device,
        "workers": workers,
        "jobs": sum(len(unit) for unit in units),
        "units": len(units),
        "units_from_cache": cached,
        "seconds": round(seconds, 1),
        "worker_peak_mib": peak,
        "stage_peak_mib": _peak_memory(),
    }


def _failure(result: object) -> str | None:
    return getattr(result, "failure", None)


def _refuse_failures(jobs: Sequence[object], results: Sequence[object], title: str) -> None:
    failures = [f"{job}: {_failure(result)}" for job, result in zip(jobs, results, strict=True) if _failure(result)]
    if failures:
        raise TrainingError(
            f"{title}: {len(failures)} of {len(jobs)} networks failed",
            "".join(f"\n  - {failure}" for failure in failures),
            mend="lower the learning rate or use fp32",
        )


def _name(jobs: Sequence[object]) -> str:
    return str(jobs[0]) if len(jobs) == 1 else f"{jobs[0]} and {len(jobs) - 1} more"


def _peak_memory() -> int:
    """Return this process's peak resident memory in MiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak // (2**20 if sys.platform == "darwin" else 2**10))
