"""What a phantom shows: the findings of one synthetic scan, drawn before anything is rendered.

Every finding hangs on one hidden number, the *suspicion* a perfect reader would have. It is drawn from the label, and
shape, margin, echo, posterior features, halo and orientation are drawn from it, never from the label itself. Benign and
malignant suspicions overlap, so no reader of the image, human or network, can be perfect. Suspicion follows the BI-RADS
categories of the BrEaST release (Pawłowska et al. 2024, doi:10.1038/s41597-024-02984-z), shape, margin and echo the
frequencies of its descriptors. Halo, shadowing and enhancement are more frequent than there, and lesions fill more of
the image, so that a network can learn from a hundred of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from scipy.special import ndtri

from busline.base.seeding import derive_seed

Label = Literal["benign", "malignant", "normal"]
Shape = Literal["oval", "round", "irregular"]
Margin = Literal["spiculated", "angular", "microlobulated", "indistinct"]
Echogenicity = Literal["anechoic", "complex cystic/solid", "heterogeneous", "hyperechoic", "hypoechoic", "isoechoic"]
Posterior = Literal["no", "enhancement", "shadowing", "combined"]
Name = TypeVar("Name", bound=str)

MARGINS: tuple[Margin, ...] = ("spiculated", "angular", "microlobulated", "indistinct")
"""Ways of not being circumscribed, in the order in which the release's table joins them."""

SUSPICION: dict[str, tuple[float, float]] = {"benign": (0.0, 0.95), "malignant": (1.8, 0.5)}
"""Mean and standard deviation of the suspicion of a label."""

BIRADS: tuple[tuple[float, int | str], ...] = (
    (-0.86, 2), (-0.16, 3), (0.56, "4a"), (1.33, "4b"), (1.78, "4c"), (np.inf, 5),
)  # fmt: skip
"""Upper limits of the suspicion read in each BI-RADS category."""

MALIGNANT_SHARE = 0.39
"""Share of malignant lesions: 98 of 252 in the release."""

FAT_SHARE = {
    "homogeneous: fat": 0.97,
    "heterogeneous: predominantly fat": 0.6,
    "heterogeneous: predominantly fibroglandular": 0.3,
    "homogeneous: fibroglandular": 0.03,
}
"""Tissue compositions and the share of fat lobules in their mammary layer."""

_COMPOSITIONS = {
    "homogeneous: fat": 0.12,
    "heterogeneous: predominantly fat": 0.39,
    "heterogeneous: predominantly fibroglandular": 0.27,
    "homogeneous: fibroglandular": 0.22,
}
_ECHO_CIRCUMSCRIBED: dict[Echogenicity, float] = {
    "anechoic": 0.13,
    "complex cystic/solid": 0.05,
    "heterogeneous": 0.20,
    "hyperechoic": 0.06,
    "hypoechoic": 0.49,
    "isoechoic": 0.07,
}
_ECHO_OTHER: dict[Echogenicity, float] = {
    "anechoic": 0.0,
    "complex cystic/solid": 0.04,
    "heterogeneous": 0.24,
    "hyperechoic": 0.01,
    "hypoechoic": 0.68,
    "isoechoic": 0.03,
}


@dataclass(frozen=True, slots=True)
class Lesion:
    """One main lesion as it is drawn.

    Attributes:
        suspicion: how suspicious it looks, about 0 for a benign and 1.75 for a malignant lesion.
        shape: BI-RADS shape.
        margin: ways of not being circumscribed; empty for a circumscribed lesion.
        echogenicity: BI-RADS echo pattern.
        posterior: BI-RADS posterior features.
        halo: whether an echogenic rim surrounds it.
        calcified: whether it holds calcifications.
        area: its share of the image, in (0, 1).
        aspect: its height over its width; above 1 it is taller than wide.
    """

    suspicion: float
    shape: Shape
    margin: tuple[Margin, ...]
    echogenicity: Echogenicity
    posterior: Posterior
    halo: bool
    calcified: bool
    area: float
    aspect: float


@dataclass(frozen=True, slots=True)
class Findings:
    """All that one scan shows.

    Attributes:
        label: the case's class.
        lesion: the main lesion, or None for a normal case.
        others: number of further, harmless lesions (small cysts).
        composition: tissue composition, a key of :data:`FAT_SHARE`.
        skin_thickening: whether the skin is thickened.
    """

    label: Label
    lesion: Lesion | None
    others: int
    composition: str
    skin_thickening: bool


def pick(weights: Mapping[Name, float], generator: np.random.Generator) -> Name:
    """Return one of the names, each as often as its weight says."""
    shares = np.array(list(weights.values()), np.float64)
    return list(weights)[int(generator.choice(len(shares), p=shares / shares.sum()))]


def place_case(index: int, seed: int) -> tuple[Label, float]:
    """Return a lesion's label and the quantile of its suspicion within the label.

    Both come from one Weyl sequence, which fills the unit interval evenly from the first case on: 39 in 100 of any
    first n cases are malignant, give or take one, and small cohorts too hold typical and untypical ones of each class.
    """
    start = derive_seed(seed, "phantom", "labels") / 2**63
    point = (start + index * (5**0.5 - 1.0) / 2.0) % 1.0
    if point < MALIGNANT_SHARE:
        return "malignant", point / MALIGNANT_SHARE
    return "benign", (point - MALIGNANT_SHARE) / (1.0 - MALIGNANT_SHARE)


def draw_findings(label: Label, quantile: float, generator: np.random.Generator) -> Findings:
    """Draw the findings of one scan.

    Args:
        label: the case's class; ``normal`` draws a scan without any lesion.
        quantile: where among the suspicions of its class the lesion's own lies, in (0, 1).
        generator: source of randomness of all the rest.
    """
    composition = pick(_COMPOSITIONS, generator)
    thick = bool(generator.random() < 0.06)
    if label == "normal":
        return Findings(label, None, 0, composition, skin_thickening=False)
    mean, deviation = SUSPICION[label]
    lesion = _draw_lesion(mean + deviation * float(ndtri(quantile)), generator)
    has_others = label == "benign" and generator.random() < 0.05
    others = int(generator.choice([1, 2, 3, 4], p=[0.35, 0.45, 0.1, 0.1])) if has_others else 0
    return Findings(label, lesion, others, composition, thick)


def _draw_lesion(suspicion: float, generator: np.random.Generator) -> Lesion:
    def exceeds(threshold: float, spread: float) -> bool:
        return suspicion + spread * float(generator.standard_normal()) > threshold

    shape: Shape = "oval"
    if exceeds(0.56, 0.5):
        shape = "irregular"
    elif generator.random() < 0.13:
        shape = "round"
    margin = _draw_margin(suspicion, generator) if exceeds(0.62, 0.35) else ()
    echoes = _ECHO_OTHER if margin or shape == "irregular" else _ECHO_CIRCUMSCRIBED
    echogenicity = pick(echoes, generator)
    shadow = exceeds(1.3, 0.5) and echogenicity != "anechoic"
    enhance = generator.random() < (0.6 if echogenicity == "anechoic" else 0.3 if suspicion < 0.8 else 0.08)
    posterior: Posterior = "no"
    if shadow or enhance:
        posterior = "combined" if shadow and enhance else "shadowing" if shadow else "enhancement"
    aspect = 1.0 if shape == "round" else float(np.exp(generator.normal(-0.46 + 0.18 * suspicion, 0.24)))
    area = float(np.exp(generator.normal(np.log(0.115) + 0.12 * suspicion, 0.38)))
    return Lesion(
        suspicion=suspicion,
        shape=shape,
        margin=margin,
        echogenicity=echogenicity,
        posterior=posterior,
        halo=exceeds(1.3, 0.35),
        calcified=exceeds(2.8, 1.0),
        area=float(np.clip(area, 0.03, 0.34)),
        aspect=float(np.clip(aspect, 0.35, 1.6)),
    )


def _draw_margin(suspicion: float, generator: np.random.Generator) -> tuple[Margin, ...]:
    spiculated = 0.1 + 0.25 * float(np.clip(suspicion - 0.5, 0.0, 1.5))
    chances = {"spiculated": spiculated, "angular": 0.33, "microlobulated": 0.28, "indistinct": 0.75}
    drawn = tuple(margin for margin in MARGINS if generator.random() < chances[margin])
    return drawn or ("indistinct",)
