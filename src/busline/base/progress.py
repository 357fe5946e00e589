"""Progress of long work: library functions report it, a stage shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int | None], None]
"""Called with what is being done, how much of it is done, and how much there is (None if unknown)."""


def silent(what: str, done: int, total: int | None) -> None:
    """Show nothing."""


@contextmanager
def show_progress() -> Iterator[Report]:
    """Yield a :data:`Report` that draws one bar for each thing that is done, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def report(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report
