"""The arithmetic of the benchmark: medians of alternating rounds, ratios, bounds and verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["aim reached", "reached", "missed", "not run", "shown"]


@dataclass(frozen=True)
class Bound:
    """What a line is judged by; None where nothing is asked.

    Attributes:
        at_least: smallest value that passes.
        aim: value that is aimed at.
        at_most: largest value that passes.
    """

    at_least: float | None = None
    aim: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        key: unique short name.
        title: what is measured.
        value: the figure that is judged, or None if it was not measured.
        unit: its unit; ``x`` for a ratio.
        bound: what it is judged by.
        ours: the engine's own figure.
        theirs: the other side's own figure.
        side_unit: unit of both.
        n: number of timings of each side.
        low: lowest value of a round.
        high: highest value of a round.
        agrees: for scores, whether both sides agree.
        note: how it was measured, or why not.
    """

    key: str
    title: str
    value: float | None = None
    unit: str = "x"
    bound: Bound = Bound()
    ours: float | None = None
    theirs: float | None = None
    side_unit: str = ""
    n: int = 0
    low: float | None = None
    high: float | None = None
    agrees: bool | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Return how the value stands to its bound."""
        if self.value is None:
            return "not run"
        if self.agrees is not None:
            return "reached" if self.agrees else "missed"
        bound = self.bound
        if bound.at_most is not None:
            return "reached" if self.value <= bound.at_most else "missed"
        if bound.at_least is None:
            return "shown"
        if self.value < bound.at_least:
            return "missed"
        return "aim reached" if bound.aim is not None and self.value >= bound.aim else "reached"

    def to_dict(self) -> dict[str, Any]:
        """Return what the JSON file holds."""
        bound = asdict(self.bound)
        return {**{k: v for k, v in vars(self).items() if k != "bound"}, **bound, "verdict": self.verdict}


def rate_line(key: str, title: str, ours: Sequence[float], theirs: Sequence[float], **rest: Any) -> Line:
    """Return the line of two rates (more is better), timed in alternation.

    Args:
        key: see :class:`Line`.
        title: see :class:`Line`.
        ours: the engine's rate in each round.
        theirs: the other side's rate in the same rounds.
        rest: further attributes of the line.
    """
    return spread_line(key, title, paired_ratios(ours, theirs), ours, theirs, **rest)


def time_line(key: str, title: str, ours: Sequence[float], theirs: Sequence[float], **rest: Any) -> Line:
    """Return the line of two times (less is better), in seconds, timed in alternation; see :func:`rate_line`."""
    return spread_line(key, title, paired_ratios(theirs, ours), ours, theirs, side_unit="s", **rest)


def spread_line(
    key: str, title: str, results: Sequence[float], ours: Sequence[float], theirs: Sequence[float], **rest: Any
) -> Line:
    """Return the line of the median result of some rounds, with the lowest and the highest, and both sides' medians."""
    return Line(
        key,
        title,
        statistics.median(results),
        ours=statistics.median(ours),
        theirs=statistics.median(theirs),
        n=len(results),
        low=min(results),
        high=max(results),
        **rest,
    )


def paired_ratios(upper: Sequence[float], lower: Sequence[float]) -> list[float]:
    """Return the ratio of each round; both sides of a round ran right after each other, so a drift cancels out.

    Raises:
        ValueError: without rounds, for different numbers of them, or for a figure that is not positive.
    """
    if not upper or len(upper) != len(lower) or min(*upper, *lower) <= 0.0:
        raise ValueError(f"expected as many positive figures on both sides, found {list(upper)} and {list(lower)}")
    return [a / b for a, b in zip(upper, lower, strict=True)]


def agree(ours: tuple[float, float, float], theirs: tuple[float, float, float]) -> bool:
    """Return whether each side's mean lies in the other's interval; both are (mean, low, high)."""
    return theirs[1] <= ours[0] <= theirs[2] and ours[1] <= theirs[0] <= ours[2]
