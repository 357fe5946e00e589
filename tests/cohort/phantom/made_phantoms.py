"""Findings drawn evenly over the suspicions of a class."""

from __future__ import annotations

import numpy as np

from busline.cohort.phantom.lesion import Findings, draw_findings


def drawn(label: str, count: int = 400) -> list[Findings]:
    return [draw_findings(label, (i + 0.5) / count, np.random.default_rng([7, i])) for i in range(count)]
