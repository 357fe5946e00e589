"""The exact optimum of a voting weight.

Two members vote with P(w) = w · P_tab + (1 − w) · P_img. A pair of a positive and a negative case is a linear function
of w, b + w · (a − b) with the members' differences a (tabular) and b (image), and changes its sign at most once, at
w = b / (b − a). So the ROC AUC is a step function of w that changes only at those breakpoints, and one pass over the
sorted breakpoints finds its maximum. A scalar search for a local minimum sees flat steps instead of slopes and stops on
whichever it stands; Brent's method can stall at its first golden-section probe, w = 0.382.

At a breakpoint inside (0, 1) the pairs that turn there are tied and count half, so the AUC there is the mean of its
values on both sides and never better than both. Only the ends w = 0 and w = 1 can be better than what lies beside them,
where a tie of one member is broken the wrong way by the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESOLUTION = 1e-6
"""Breakpoints closer than this are one: which comes first may be decided by the rounding of scores kept as float32."""


@dataclass(frozen=True)
class Optimum:
    """The best interval of voting weights."""

    weight: float
    """Middle of the interval."""
    low: float
    high: float
    auc: float
    """ROC AUC everywhere inside the interval; NaN if there is one class only."""


def vote(weight: npt.ArrayLike, tabular: npt.ArrayLike, image: npt.ArrayLike) -> np.ndarray:
    """Return weight · tabular + (1 − weight) · image, the voted probabilities (Chowdhary & Dennis 2026, equation 2)."""
    share = np.asarray(weight, dtype=np.float64)
    return share * np.asarray(tabular, dtype=np.float64) + (1 - share) * np.asarray(image, dtype=np.float64)


def best_weight(truth: npt.ArrayLike, tabular: npt.ArrayLike, image: npt.ArrayLike) -> Optimum:
    """Return the interval of weights in [0, 1] with the highest ROC AUC, and its middle.

    Of several best intervals it is the widest, then the one nearest ½, then the lower one. With one class every weight
    is as good as another: ½ of [0, 1]. Takes O(m n log(m n)) steps and O(m n) memory for m positive and n negative
    cases.

    Args:
        truth: (k,) bool or 0/1.
        tabular: (k,) finite scores of the tabular member.
        image: (k,) finite scores of the image member.

    Raises:
        ValueError: if the arrays differ in length or a score is not finite.
    """
    positive = np.asarray(truth).astype(bool)
    scores = [np.asarray(member, dtype=np.float64) for member in (tabular, image)]
    if any(member.shape != positive.shape or not np.isfinite(member).all() for member in scores):
        raise ValueError("truth and both members' scores must be finite and of one shape")
    at_one, at_zero = (np.subtract.outer(member[positive], member[~positive]).ravel() for member in scores)
    if at_one.size == 0:
        return Optimum(0.5, 0.0, 1.0, float("nan"))
    candidates = _plateaus(at_zero, at_one)
    best = candidates[:, 2].max()
    low, high, level = _preferred(candidates[candidates[:, 2] == best])
    return Optimum((low + high) / 2, low, high, (level / at_one.size + 1) / 2)


def _plateaus(at_zero: np.ndarray, at_one: np.ndarray) -> np.ndarray:
    """Return rows (low, high, level): each maximal interval of constant AUC, and the two ends.

    The level is the number of pairs in the right order less the number in the wrong order, a whole number.
    """
    before, after = np.sign(at_zero), np.sign(at_one)
    turns = before != after
    place = at_zero[turns] / (at_zero[turns] - at_one[turns])
    order = np.argsort(place, kind="stable")
    edges = np.concatenate([[0.0], place[order], [1.0]])
    levels = before.sum() + np.concatenate([[0.0], np.cumsum((after - before)[turns][order])])
    wide = np.diff(edges) > RESOLUTION
    lows, highs, levels = edges[:-1][wide], edges[1:][wide], levels[wide]
    changes = np.diff(levels) != 0
    first, last = np.append(True, changes), np.append(changes, True)
    inside = np.column_stack([lows[first], highs[last], levels[first]])
    return np.vstack([[0.0, 0.0, before.sum()], inside, [1.0, 1.0, after.sum()]])


def _preferred(candidates: np.ndarray) -> tuple[float, float, float]:
    width = candidates[:, 1] - candidates[:, 0]
    widest = candidates[width >= width.max() - RESOLUTION]
    distance = np.abs((widest[:, 0] + widest[:, 1]) / 2 - 0.5)
    low, high, level = widest[distance <= distance.min() + RESOLUTION][0]
    return float(low), float(high), float(level)
