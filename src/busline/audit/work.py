"""Work side by side: the one place from which the audit starts processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from busline.base.runtime import Runtime
from busline.training.pool import Place, run_units

Context = TypeVar("Context")
Job = TypeVar("Job")
Result = TypeVar("Result")


def spread(
    function: Callable[[Context, Job], Result], context: Context, jobs: Sequence[Job], *, runtime: Runtime, title: str
) -> list[Result]:
    """Return ``function(context, job)`` of every job, in the jobs' order; the function is a module's own."""
    units = [[job] for job in jobs]
    return run_units(_run_unit, (function, context), units, runtime=runtime, title=title)


def _run_unit(work: tuple[Callable[[Any, Any], Any], Any], jobs: Sequence[Any], place: Place) -> list[Any]:
    function, context = work
    return [function(context, job) for job in jobs]
