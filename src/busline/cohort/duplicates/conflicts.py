"""What is done about images that are in a cohort twice: which cases leave it, and what a person is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from busline.base.errors import DataError, list_problems
from busline.base.settings.data import Conflicts
from busline.cohort.duplicates.frames import Box
from busline.cohort.duplicates.pairs import KINDS, QUARTER, ROTATED

LEAST_GROUP = 5
"""A group of fewer images is not what a frame does."""
SHOWN = 10
"""Cases of a group that a line names."""
MEND = "correct the labels, or set ingest.conflicts: drop, which leaves these cases out, or keep"
FRAME = (
    "a frame that the machine draws round every scan is the likely cause: say images.crop in dataset.yaml, so that the "
    "scan alone is read"
)


@dataclass(frozen=True)
class Copies:
    """The pairs of a cohort, and what follows from them.

    Attributes:
        pairs: all pairs found, with ``label_a``, ``label_b`` and ``dropped`` (whether they left the cohort); those with
            two labels first, then those that correlate least.
        dropped: cases that leave the cohort.
        description: what the data card says.
    """

    pairs: pd.DataFrame
    dropped: frozenset[str]
    description: dict[str, Any]


def judge_copies(
    pairs: pd.DataFrame, labels: Mapping[str, str], conflicts: Conflicts, largest: float, frame: Box | None
) -> Copies:
    """Decide about groups of copies whose cases have different labels, one of which is wrong.

    A group so large that a common frame is the likely cause is never dropped.

    Args:
        pairs: see :func:`busline.cohort.duplicates.pairs.find_duplicates`.
        labels: label of every case of the cohort.
        conflicts: what is done: the group leaves the cohort, stays, or is an error.
        largest: share of the cases that a group may have before it is doubted.
        frame: where the scan is, if a common frame was left out of the comparison.

    Raises:
        DataError: listing the groups with different labels, if ``conflicts`` is ``refuse``.
    """
    groups = _groups(pairs)
    large = [group for group in groups if len(group) >= LEAST_GROUP and len(group) > largest * len(labels)]
    unlike = [group for group in groups if group not in large and len({labels[case] for case in group}) > 1]
    named = [_name(group, labels) for group in unlike]
    if conflicts == "refuse" and unlike:
        raise _refusal(named)
    dropped = frozenset(case for group in unlike for case in group) if conflicts == "drop" else frozenset()
    if len(dropped) == len(labels):
        raise DataError("the cohort", f"no case is left: one image, two labels, {'; '.join(named)}", mend=MEND)
    table = _table(pairs, labels, dropped)
    done = "left out" if dropped else "kept"
    lines = [f"one image, two labels, all {done} (ingest.conflicts: {conflicts}): {name}" for name in named]
    lines += [
        f"{len(group)} of {len(labels)} cases count as copies of one image: {_name(group, labels)}; {FRAME}"
        for group in large
    ]
    if frame:
        lines.append(_describe_frame(frame))
    return Copies(table, dropped, _describe(table, groups, dropped, frame, lines))


def _refusal(named: list[str]) -> DataError:
    return list_problems("the cohort", [f"has one image under two labels: {name}" for name in named], mend=MEND)


def _groups(pairs: pd.DataFrame) -> list[list[str]]:
    """Return the cases that pairs join, group by group, sorted."""
    group_of: dict[str, list[str]] = {}
    for a, b in zip(pairs["case_a"], pairs["case_b"], strict=True):
        one, other = group_of.setdefault(a, [a]), group_of.setdefault(b, [b])
        if one is not other:
            one += other
            group_of.update(dict.fromkeys(other, one))
    return sorted({id(group): sorted(group) for group in group_of.values()}.values())


def _table(pairs: pd.DataFrame, labels: Mapping[str, str], dropped: frozenset[str]) -> pd.DataFrame:
    table = pairs.assign(
        label_a=pairs["case_a"].map(labels).astype("str"),
        label_b=pairs["case_b"].map(labels).astype("str"),
        dropped=pairs["case_a"].isin(dropped).astype("bool"),
    )
    order = np.lexsort((table["case_b"], table["case_a"], table["correlation"], table["label_a"] == table["label_b"]))
    return table.iloc[order].reset_index(drop=True)


def _describe(
    table: pd.DataFrame, groups: list[list[str]], dropped: frozenset[str], frame: Box | None, lines: list[str]
) -> dict[str, Any]:
    """Return counts of the pairs that stay, what left, and what a person should look at, in words."""
    kept = table[~table["dropped"]]
    kinds = {name: int((kept["kind"] == name).sum()) for name in ("exact", *KINDS, QUARTER, ROTATED)}
    return {
        "exact": kinds["exact"],
        "near": len(kept) - kinds["exact"],
        "across_labels": int((kept["label_a"] != kept["label_b"]).sum()),
        "kinds": {name: count for name, count in kinds.items() if count},
        "largest_group": max((len(group) for group in groups if dropped.isdisjoint(group)), default=0),
        "left_out": sorted(dropped),
        "frame": None if frame is None else dict(zip(("left", "right", "top", "bottom"), frame, strict=True)),
        "lines": lines,
    }


def _describe_frame(frame: Box) -> str:
    left, right, top, low = frame
    return (
        f"copies were looked for inside a frame that all images share: the scan is at {left:.0%} to {right:.0%} of the "
        f"width and {top:.0%} to {low:.0%} of the height; models see the frame: say images.crop in dataset.yaml"
    )


def _name(group: list[str], labels: Mapping[str, str]) -> str:
    more = f" … and {len(group) - SHOWN} more" if len(group) > SHOWN else ""
    return ", ".join(f"{case} ({labels[case]})" for case in group[:SHOWN]) + more
