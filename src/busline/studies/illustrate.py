"""Pictures of cases, each from the models that never saw the case: segmentations and saliency maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from busline.cohort.outlines import unpack_rows
from busline.cohort.store import Cohort
from busline.metrics.segmentation import KNOWN
from busline.predictors.cases import cohort_cases

if TYPE_CHECKING:
    from busline.predictors.cnn import ImagePredictor

TRUE_COLOUR = (0, 190, 140)
PREDICTED_COLOUR = (240, 130, 0)
RAISES = (230, 40, 20)
LOWERS = (30, 90, 255)

LEAST_HEIGHT = 256
"""Panels smaller than this are enlarged by a whole factor, pixel by pixel."""

COVER = 4
"""The covering square's side is the image's, divided by this."""
POSITIONS = 13
"""The square is moved over this many rows and columns."""

SALIENCY_METHOD = (
    "Occlusion sensitivity (Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53): a gray square of a quarter of "
    "the side is moved over the image, and a pixel shows the mean change of the logit over the squares that cover it. "
    "Red: what stands there raises the score; blue: it lowers it. Each map is scaled to its own largest change."
)


@dataclass(frozen=True)
class Picture:
    """One picture of one case."""

    file: str
    """Name of its PNG; the case's own name never becomes a file name."""
    pixels: np.ndarray
    """uint8 (height, width, 3)."""
    facts: dict[str, Any]
    """What the caption says: case_id, label, fold and scores."""

    def describe(self) -> dict[str, Any]:
        """Return the facts and the file's name, as JSON can hold them."""
        return {"file": self.file, **self.facts}


def draw_segmentations(cohort: Cohort, outlines: pd.DataFrame, scores: pd.DataFrame) -> list[Picture]:
    """Draw the best, the median and the worst segmentation of repeat 0 by Dice (Chowdhary & Dennis 2026, Fig. 1).

    Each picture has three panels: the image; the true outline; the predicted mask filled, with both outlines. The masks
    are those that were scored.

    Args:
        cohort: the cases.
        outlines: predicted and true masks, see :mod:`busline.cohort.outlines`.
        scores: of every row of ``outlines``: `case_id`, `repeat`, `fold` and a column a metric.
    """
    outlines = outlines[outlines["repeat"] == 0]
    masks = dict(zip(outlines["case_id"], unpack_rows(outlines), strict=True))
    folder_of = {case: place for place, case in enumerate(cohort.cases["case_id"])}
    names = [name for name in KNOWN if name in scores]
    pictures = []
    for rank, row in choose_by_dice(scores):
        case = str(row["case_id"])
        place = folder_of[case]
        found, truth = masks[case]
        pixels = _segmentation_panels(cohort.image(place), truth, found)
        label = str(cohort.cases["label"].to_numpy()[place])
        facts = {"rank": rank, "case_id": case, "label": label, "fold": int(row["fold"])}
        facts |= {name: _number(row[name]) for name in names}
        pictures.append(Picture(f"segmentation_{rank}.png", pixels, facts))
    return pictures


def choose_by_dice(scores: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """Return the best, the (lower) median and the worst case of repeat 0 by Dice.

    Cases without a Dice score are left out; ties go by case id. Of fewer than three cases the best comes first.
    """
    first = scores[(scores["repeat"] == 0) & scores["dice"].notna()]
    ranked = first.sort_values(["dice", "case_id"], ascending=[False, True], kind="stable")
    places = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    chosen: dict[int, str] = {}
    for rank, place in places.items():
        if place >= 0 and len(ranked):
            chosen.setdefault(place, rank)
    return [(rank, ranked.iloc[place]) for place, rank in chosen.items()]


def draw_saliency(
    cohort: Cohort,
    predictions: pd.DataFrame,
    model_of_fold: Callable[[int], ImagePredictor],
    *,
    classes: Sequence[str],
    cases: int,
) -> list[Picture]:
    """Draw saliency maps of an image classifier, each by the network of repeat 0 that did not train on the case.

    Each picture has two panels: the image as the network sees it, and the saliency over it.

    Args:
        cohort: the cases.
        predictions: the classifier's predictions (`case_id`, `repeat`, `fold`, `split`, `label`, `p_<class>`).
        model_of_fold: gives the trained model of a fold of repeat 0.
        classes: labels of the study; the last is the positive one.
        cases: how many pictures, shared evenly among the classes.
    """
    score = f"p_{classes[-1]}"
    pictures = []
    for number, row in enumerate(choose_by_score(predictions, classes, cases), start=1):
        case = str(row["case_id"])
        model = model_of_fold(int(row["fold"]))
        image = cohort_cases(cohort, [case]).squares(model.side)[0]
        change = occlusion(model.log_odds, image)
        facts = {"case_id": case, "label": str(row["label"]), "fold": int(row["fold"]), "score": _number(row[score])}
        pixels = _enlarge(np.hstack([_rgb(image), _tint(image, change)]))
        pictures.append(Picture(f"saliency_{number:02d}.png", pixels, facts))
    return pictures


def choose_by_score(predictions: pd.DataFrame, classes: Sequence[str], count: int) -> list[pd.Series]:
    """Return test rows of repeat 0, shared evenly among the classes and evenly spread over each class's scores.

    Three rows of a class are its highest, median and lowest score of the positive class. Ties go by case id.
    """
    test = predictions[(predictions["repeat"] == 0) & (predictions["split"] == "test")]
    chosen: list[pd.Series] = []
    for place, label in enumerate(classes):
        rows = test[test["label"] == label]
        rows = rows.sort_values([f"p_{classes[-1]}", "case_id"], ascending=[False, True], kind="stable")
        share = min(count // len(classes) + (place < count % len(classes)), len(rows))
        spots = np.linspace(0, max(len(rows) - 1, 0), share).round().astype(int)
        chosen += [rows.iloc[spot] for spot in spots]
    return chosen


def occlusion(logits_of: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    """Return how much each part of an image raises the logit: what it loses when the part is covered.

    Source: occlusion sensitivity, Zeiler and Fergus 2014, doi:10.1007/978-3-319-10590-1_53. The square has the image's
    mean gray; a pixel has the mean over the squares that cover it.

    Args:
        logits_of: maps gray values from 0 to 255, float32 (n, side, side), to logits (n,).
        image: uint8 (side, side).

    Returns:
        float64 (side, side), in units of the logit.
    """
    side = image.shape[0]
    square = max(side // COVER, 1)
    starts = np.unique(np.linspace(0, side - square, POSITIONS).round().astype(int))
    places = [(top, left) for top in starts for left in starts]
    copies = np.repeat(image[None].astype(np.float32), len(places) + 1, axis=0)
    for copy, (top, left) in zip(copies[1:], places, strict=True):
        copy[top : top + square, left : left + square] = image.mean()
    logits = logits_of(copies).astype(np.float64)
    change, covered = np.zeros((side, side)), np.zeros((side, side))
    for logit, (top, left) in zip(logits[1:], places, strict=True):
        change[top : top + square, left : left + square] += logits[0] - logit
        covered[top : top + square, left : left + square] += 1
    return change / covered


def write_png(pixels: np.ndarray, path: Path) -> None:
    """Write uint8 (height, width, 3) as PNG whose bytes depend on the pixels alone."""
    Image.fromarray(pixels).save(path, format="PNG")


def _segmentation_panels(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    image, truth, predicted = (_enlarge(panel) for panel in (image, truth, predicted))
    true_edge, predicted_edge = outline(truth), outline(predicted)
    plain, middle, right = _rgb(image), _rgb(image), _rgb(image)
    middle[true_edge] = TRUE_COLOUR
    right[predicted] = (0.65 * right[predicted] + 0.35 * np.array(PREDICTED_COLOUR)).astype(np.uint8)
    right[true_edge] = TRUE_COLOUR
    right[predicted_edge] = PREDICTED_COLOUR
    gap = np.full((image.shape[0], 4, 3), 255, dtype=np.uint8)
    return np.hstack([plain, gap, middle, gap, right])


def outline(mask: np.ndarray) -> np.ndarray:
    """Return the two outermost pixel layers of a mask, bool (height, width)."""
    inner = mask
    for _ in range(2):
        padded = np.pad(inner, 1)
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: np.ndarray = mask & ~inner
    return edge


def _tint(image: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Tint an image red where the change is positive and blue where it is negative, the stronger the more opaque."""
    largest = np.abs(change).max()
    share = change / largest if largest > 0 else np.zeros_like(change)
    colour = np.where(share[..., None] > 0, RAISES, LOWERS)
    opacity = 0.6 * np.abs(share[..., None])
    mixed: np.ndarray = (1.0 - opacity) * _rgb(image) + opacity * colour
    return mixed.round().astype(np.uint8)


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.stack([image] * 3, axis=-1)


def _factor(height: int) -> int:
    return max(1, -(-LEAST_HEIGHT // height))


def _enlarge(pixels: np.ndarray) -> np.ndarray:
    factor = _factor(pixels.shape[0])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
