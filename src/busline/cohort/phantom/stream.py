"""As many phantoms as one likes, for pre-training: pictures in memory, with outlines and findings that are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from busline.base.seeding import numpy_generator
from busline.cohort.findings import drawn_findings
from busline.cohort.phantom.cohort import place_case
from busline.cohort.phantom.image import render
from busline.cohort.phantom.lesion import draw_findings

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
