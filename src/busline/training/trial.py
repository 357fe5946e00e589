"""A short trial of a network before it is trained, in a process of its own, so that nothing it does ends the stage."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from busline.base.errors import BuslineError, ParameterError
from busline.base.progress import ignore_share
from busline.base.settings.training import Kernels
from busline.training.pool import Context, Job, Place, UnitFunction, warm_up
from busline.training.processes import FREE, START, describe_end, end_with_stage, is_out_of_memory
from busline.training.results import FoldResult
from busline.training.threads import one_thread

LONGEST = 300
"""Letters of a library's own message that are shown."""
NO_MEMORY = "memory ran out"


def try_unit(
    function: UnitFunction[Context, Job, FoldResult],
    context: Context,
    jobs: Sequence[Job],
    *,
    kernels: Kernels,
    where: str,
    problem: str,
    mend: str,
) -> None:
    """Run a unit of training that was made short, in a child process on the CPU, and forget its results.

    It is the training's own code: what builds, loads, learns, validates and predicts here does so there.

    Args:
        function: the unit's.
        context: the unit's, with a few cases and one epoch.
        jobs: the unit's.
        kernels: what it is trained with.
        where: what is tried, for the error.
        problem: what cannot be done with it, for the error; the reason follows.
        mend: what to do about it, where it is no lack of memory.

    Raises:
        BuslineError: what the unit itself refuses.
        ParameterError: for any other error, for a first loss that is no number, and if the process dies.
    """
    warm_up(kernels, function.__module__)
    processes: Any = multiprocessing.get_context(START)
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=_try, args=(function, context, jobs, sender), daemon=True)
    process.start()
    sender.close()
    try:
        found: BuslineError | str | None = receiver.recv()
        mend = FREE if found == NO_MEMORY else mend
    except EOFError:
        process.join()
        found, mend = describe_end(process.exitcode)
    finally:
        receiver.close()
    process.join()
    if isinstance(found, BuslineError):
        raise found
    if found:
        raise ParameterError(where, f"{problem}: {found}", mend=mend)


def _try(function: UnitFunction[Any, Any, FoldResult], context: Any, jobs: Sequence[Any], sender: Connection) -> None:
    end_with_stage()
    with one_thread():
        try:
            results = function(context, jobs, Place("cpu", ignore_share))
            bad = next((result.failure for result in results if result.failure and not result.curve), None)
            sender.send(bad)
        except BuslineError as error:
            sender.send(error)
        except Exception as error:
            sender.send(_reason(error))


def _reason(error: Exception) -> str:
    """Return a library's error in one line, with its place where it has no words."""
    if is_out_of_memory(error):
        return NO_MEMORY
    text = " ".join(str(error).split())
    if not text:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{frame.line} ({Path(frame.filename).name}, line {frame.lineno})"
    return f"{type(error).__name__}: {text[:LONGEST]}"
