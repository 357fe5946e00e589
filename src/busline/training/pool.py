"""Folds side by side: each in a process with one thread, so that a result does not depend on the number of cores."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from busline.base.errors import BuslineError, TrainingError

Context = TypeVar("Context")
Job = TypeVar("Job")
Result = TypeVar("Result")
Tell = Callable[[float, str], None]
"""Called by a job with the share of it that is done, in [0, 1], and a short note."""

START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
_worker: dict[str, Any] = {}


def run_jobs(
    function: Callable[[Context, Job, Tell], Result],
    context: Context,
    jobs: Sequence[Job],
    *,
    workers: int,
    title: str,
) -> list[Result]:
    """Run ``function(context, job, tell)`` for every job and return the results in the jobs' order.

    Args:
        function: a module's function; it must not read or change global state.
        context: what all jobs share; sent to each process once.
        jobs: what differs.
        workers: processes side by side; 1 runs the jobs in this process.
        title: shown beside the progress.

    Raises:
        TrainingError: if a job fails or a process dies, naming the job.
    """
    if not jobs:
        return []
    with _Progress(title, len(jobs)) as progress:
        if workers == 1:
            return _run_here(function, context, jobs, progress)
        processes = multiprocessing.get_context(START)
        queue = processes.SimpleQueue()
        setup = (function, context, queue)
        with ProcessPoolExecutor(min(workers, len(jobs)), processes, _set_up, setup) as pool:
            futures = [pool.submit(_run, number, job) for number, job in enumerate(jobs)]
            try:
                _follow(futures, queue, progress)
                return [future.result() for future in futures]
            except BrokenProcessPool as error:
                raise TrainingError(
                    title, "a training process was killed", mend="free memory or set BUSLINE_WORKERS=1"
                ) from error
            except BaseException:  # an interrupt too: folds that have not begun shall not, then it goes on up
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def warm_up(*modules: str) -> None:
    """Start the server from which the processes fork, importing ``modules`` there while this process goes on.

    A stage calls it before its own heavy imports, so that both happen at the same time. Later calls change nothing.
    """
    if START == "forkserver":
        from multiprocessing import forkserver

        multiprocessing.get_context(START).set_forkserver_preload(["busline.training.pool", *modules])
        forkserver.ensure_running()


def _run_here(
    function: Callable[[Context, Job, Tell], Result], context: Context, jobs: Sequence[Job], progress: _Progress
) -> list[Result]:
    results = []
    with _one_thread():
        for number, job in enumerate(jobs):
            results.append(_call(function, context, job, partial(progress.note, number)))
            progress.finish(number)
    return results


def _follow(futures: list[Future[Any]], queue: Any, progress: _Progress) -> None:
    pending = set(futures)
    while pending:
        finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
        while not queue.empty():
            progress.note(*queue.get())
        for future in finished:
            future.result()
            progress.finish(futures.index(future))


def _set_up(function: Callable[..., Any], context: Any, queue: Any) -> None:
    _worker.update(function=function, context=context, queue=queue, threads=_one_thread())
    _worker["threads"].__enter__()


def _run(number: int, job: Any) -> Any:
    def tell(share: float, note: str) -> None:
        _worker["queue"].put((number, share, note))

    return _call(_worker["function"], _worker["context"], job, tell)


def _call(function: Callable[[Context, Job, Tell], Result], context: Context, job: Job, tell: Tell) -> Result:
    try:
        return function(context, job, tell)
    except BuslineError as error:
        raise TrainingError(str(job), str(error)) from None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep NumPy's, the boosters' and torch's kernels to one thread inside the block."""
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


class _Progress:
    """A live bar on a terminal; elsewhere a line whenever another tenth is done."""

    def __init__(self, title: str, jobs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.title, self.shares, self.finished, self.told = title, [0.0] * jobs, 0, 0
        self.started = time.monotonic()
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(
            *columns, TextColumn("{task.fields[note]}"), console=console, disable=not console.is_terminal
        )
        self.task = self.bar.add_task(title, total=jobs, note="")

    def __enter__(self) -> _Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def note(self, number: int, share: float, note: str) -> None:
        self.shares[number] = max(self.shares[number], share)
        self._show(note)

    def finish(self, number: int) -> None:
        self.shares[number] = 1.0
        self.finished += 1
        self._show("")

    def _show(self, note: str) -> None:
        done = sum(self.shares)
        self.bar.update(self.task, completed=round(done, 2), note=note)
        tenth = int(10 * done / len(self.shares) + 1e-9)
        if self.bar.disable and tenth > self.told:
            self.told = tenth
            seconds = time.monotonic() - self.started
            left = seconds * (len(self.shares) - done) / done
            line = f"{self.title}: {10 * tenth} %, {self.finished} of {len(self.shares)} done, about {left:.0f} s left"
            print(line, file=sys.stderr, flush=True)
