"""Cases that a model has never seen, in the form in which every predictor takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from busline.base.errors import DataError
from busline.cohort.resize import resize_image
from busline.cohort.store import Cohort

MEND = "give the predictor what the model was trained on, see data/features/columns.json"


@dataclass(frozen=True)
class Cases:
    """What is known of n cases; a model that needs more of them refuses them.

    Attributes:
        table: n rows with the columns that a model may see; missing values and unseen categories may stand in it.
        pictures: gray, uint8 (height, width) each of its own size, as a cohort stores them; None if there are none.
        pixel_mm: side of a pixel of each picture in mm, NaN where unknown; None if none is known.
    """

    table: pd.DataFrame
    pictures: Sequence[np.ndarray] | None = None
    pixel_mm: Sequence[float] | None = None
    _squares: dict[int, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not len(self.table):
            raise DataError("cases", "there is none", mend=MEND)
        for name in ("pictures", "pixel_mm"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.table):
                raise DataError("cases", f"there are {len(self.table)} rows and {len(given)} {name}", mend=MEND)

    def __len__(self) -> int:
        return len(self.table)

    def columns(self, numeric: Iterable[str], categorical: Iterable[str]) -> pd.DataFrame:
        """Return the table's rows of these columns, n in their order.

        Raises:
            DataError: listing every column that is missing or of another kind.
        """
        numbers, words = list(numeric), list(categorical)
        problems = [f"column {name!r} is missing" for name in [*numbers, *words] if name not in self.table]
        for name in [name for name in numbers if name in self.table]:
            values = pd.to_numeric(self.table[name], errors="coerce").astype("float64")
            if (values.isna() & self.table[name].notna()).any() or np.isinf(values).any():
                problems.append(f"column {name!r} has values that are no finite numbers")
        if problems:
            raise DataError("cases", "; ".join(problems), mend=MEND)
        return self.table[[*numbers, *words]].reset_index(drop=True)

    def frames(self) -> Sequence[np.ndarray]:
        """Return the pictures.

        Raises:
            DataError: if a case has none, or one that is no gray picture of bytes.
        """
        pictures = self.pictures if self.pictures is not None else [np.empty((0, 0), np.uint8)] * len(self)
        wrong = [place for place, one in enumerate(pictures) if one.ndim != 2 or one.dtype != np.uint8 or not one.size]
        if wrong:
            expected = "uint8 (height, width) for every case"
            raise DataError("cases", f"no gray picture: {len(wrong)}, the first at {wrong[0]}", expected=expected)
        return pictures

    def squares(self, side: int) -> np.ndarray:
        """Return the pictures as squares, the aspect ratio not kept, as in training: uint8 (n, side, side)."""
        if side not in self._squares:
            self._squares[side] = np.stack([resize_image(picture, side, side) for picture in self.frames()])
        return self._squares[side]


def cohort_cases(cohort: Cohort, case_ids: Sequence[str]) -> Cases:
    """Return cases of a cohort, in the order of ``case_ids``.

    Raises:
        DataError: naming the ids that the cohort does not have.
    """
    place = {case: row for row, case in enumerate(cohort.cases["case_id"])}
    unknown = [case for case in case_ids if case not in place]
    if unknown:
        raise DataError("cases", f"the cohort has no {', '.join(map(repr, unknown[:5]))}", mend="name cases of it")
    rows = [place[case] for case in case_ids]
    table = cohort.cases.iloc[rows].reset_index(drop=True)
    pictures = [cohort.image(row) for row in rows] if (table["width"] > 0).any() else None
    return Cases(table, pictures, table["pixel_mm"].astype("float64").tolist())
