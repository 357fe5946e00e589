"""How far a stage is: a live line on a terminal, elsewhere a plain line whenever another tenth is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence


class Progress:
    """Progress of jobs that come in units.

    Args:
        title: what is running.
        sizes: jobs of each unit.
    """

    def __init__(self, title: str, sizes: Sequence[int]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.title, self.sizes, self.told = title, list(sizes), 0
        self.shares = [0.0] * len(sizes)
        self.started, self.skipped = time.monotonic(), 0.0
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Bar(*columns, TextColumn("{task.fields[note]}"), console=console, disable=not console.is_terminal)
        self.task = self.bar.add_task(title, total=sum(sizes), note="")

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

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
        total = sum(self.sizes)
        done = sum(share * size for share, size in zip(self.shares, self.sizes, strict=True))
        if note:
            self.bar.update(self.task, completed=round(done, 1), note=note)
        else:
            self.bar.update(self.task, completed=round(done, 1))
        tenth = int(10 * done / total + 1e-9)
        if self.bar.disable and tenth > self.told:
            self.told = tenth
            seconds = time.monotonic() - self.started
            left = seconds * (total - done) / max(done - self.skipped, 1e-9)
            parts = [f"{self.title}: {10 * tenth} %", f"{int(done)} of {total} done", note, f"about {left:.0f} s left"]
            print(", ".join(part for part in parts if part), file=sys.stderr, flush=True)
