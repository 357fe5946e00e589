"""How far long work is: library functions report it, a stage shows it.

On a terminal that is a bar for each thing that is done, elsewhere a plain line whenever another tenth of it is done;
both on standard error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Display

ReportProgress = Callable[[str, int, int | None], None]
"""Called with what is being done, how much of it is done, and how much there is (None if unknown)."""
ReportShare = Callable[[float, str], None]
"""Called with the share of a unit of work that is done, in [0, 1], and a short note."""


def ignore_share(share: float, note: str) -> None:
    """Show nothing."""


def silent(what: str, done: int, total: int | None) -> None:
    """Show nothing."""


@contextmanager
def show_progress() -> Iterator[ReportProgress]:
    """Yield a :data:`ReportProgress` that shows each thing that is done."""
    bars: dict[str, _Bar] = {}
    with _display() as display:

        def report_progress(what: str, done: int, total: int | None) -> None:
            if what not in bars:
                bars[what] = _Bar(display, what)
            bars[what].show(done, total)

        yield report_progress


class Progress:
    """Progress of jobs that come in units.

    Args:
        title: what is running.
        sizes: jobs of each unit.
    """

    def __init__(self, title: str, sizes: Sequence[int]) -> None:
        self.sizes, self.shares, self.skipped = list(sizes), [0.0] * len(sizes), 0
        self.display = _display()
        self.bar = _Bar(self.display, title)

    def __enter__(self) -> Progress:
        self.display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.display.stop()

    def skip(self, unit: int) -> None:
        """Count a unit as done that took no time."""
        self.shares[unit] = 1.0
        self.skipped += self.sizes[unit]

    def note(self, unit: int, share: float, note: str) -> None:
        """Take in the share of a unit that is done, in [0, 1], and a note."""
        self.shares[unit] = max(self.shares[unit], share)
        self._show(note)

    def finish(self, unit: int) -> None:
        """Count a unit as done."""
        self.shares[unit] = 1.0
        self._show("")

    def _show(self, note: str) -> None:
        done = sum(share * size for share, size in zip(self.shares, self.sizes, strict=True))
        self.bar.show(done, sum(self.sizes), note=note, skipped=self.skipped)


def _display() -> Display:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Display(*columns, TextColumn("{task.fields[note]}"), console=console, disable=not console.is_terminal)


class _Bar:
    """One thing that is done: a bar of the display, or plain lines where that is off."""

    def __init__(self, display: Display, title: str) -> None:
        self.display, self.title = display, title
        self.task = display.add_task(title, total=None, note="")
        self.started, self.told, self.noted = time.monotonic(), 0, ""

    def show(self, done: float, total: int | None, *, note: str = "", skipped: int = 0) -> None:
        """Show how much is done.

        Args:
            done: how much.
            total: of how much; without it there are no plain lines.
            note: shown beside it; an empty one leaves the last one of a bar.
            skipped: how much of ``done`` took no time.
        """
        self.noted = note or self.noted
        self.display.update(self.task, completed=round(done, 1), total=total, note=self.noted)
        tenth = int(10 * done / total + 1e-9) if total else 0
        if total and self.display.disable and tenth > self.told:
            self.told = tenth
            left = (time.monotonic() - self.started) * (total - done) / max(done - skipped, 1e-9)
            parts = [f"{self.title}: {10 * tenth} %", f"{int(done):,} of {total:,} done", note]
            print(", ".join([*filter(None, parts), f"about {left:.0f} s left"]), file=sys.stderr, flush=True)
