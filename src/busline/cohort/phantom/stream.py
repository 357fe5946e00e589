"""As many phantoms as one likes, for pre-training: pictures in memory, with outlines and findings that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from busline.base.seeding import numpy_generator
from busline.cohort.findings import CATEGORIES, FINDINGS
from busline.cohort.phantom.image import render
from busline.cohort.phantom.lesion import BIRADS, Lesion, draw_findings, place_case

WIDTHS, HEIGHTS = (140, 232), (120, 208)
"""Least size, and the one that is not reached any more, in pixels."""


@dataclass(frozen=True)
class PhantomScan:
    """One phantom.

    Attributes:
        image: uint8 (height, width).
        mask: of the lesion, bool (height, width).
        malignant: its class.
        findings: float32 (len(FINDINGS),), 0 or 1.
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    malignant: bool
    findings: npt.NDArray[np.float32]


def draw_scan(index: int, seed: int) -> PhantomScan:
    """Return phantom number ``index`` of the stream ``seed``: a pure function of both."""
    label, quantile = place_case(index, seed)
    generator = numpy_generator(seed, "stream", index)
    findings = draw_findings(label, quantile, generator)
    width, height = int(generator.integers(*WIDTHS)), int(generator.integers(*HEIGHTS))
    picture = render(findings, width, height, generator)
    assert findings.lesion is not None
    assert picture.tumor is not None
    said = np.array(list(drawn_findings(findings.lesion).values()), np.float32)
    return PhantomScan(np.where(picture.visible, picture.gray, 0), picture.tumor, label == "malignant", said)


def drawn_findings(lesion: Lesion) -> Mapping[str, bool]:
    """Return a phantom's findings as they were drawn, by the names of :data:`FINDINGS` and in their order."""
    limits = dict(zip(CATEGORIES, (limit for limit, _ in BIRADS), strict=True))
    said = (
        lesion.shape == "irregular",
        bool(lesion.margin),
        "indistinct" in lesion.margin,
        bool({"spiculated", "angular", "microlobulated"} & set(lesion.margin)),
        lesion.posterior in ("shadowing", "combined"),
        lesion.posterior in ("enhancement", "combined"),
        lesion.halo,
        lesion.echogenicity == "heterogeneous",
        lesion.echogenicity == "anechoic",
        *(lesion.suspicion > limits[below] for below in CATEGORIES[1:5]),
    )
    return dict(zip(FINDINGS, said, strict=True))
