"""Phantoms for pre-training: the findings they carry, and that a number of a stream is always the same scan."""

import numpy as np
import pandas as pd

from busline.cohort.findings import CATEGORIES, FINDINGS, radiologist_findings
from busline.cohort.phantom.lesion import BIRADS, Lesion
from busline.cohort.phantom.stream import HEIGHTS, WIDTHS, draw_scan, drawn_findings
from busline.cohort.schema import Column

ROW = {
    "Shape": "irregular",
    "Margin": "not circumscribed - angular&indistinct",
    "Posterior_features": "combined",
    "Halo": "yes",
    "Echogenicity": "heterogeneous",
    "BIRADS": "4c",
}


def test_a_phantoms_findings_are_those_a_faultless_radiologist_notes():
    lesion = Lesion(1.5, "irregular", ("angular", "indistinct"), "heterogeneous", "combined", True, False, 0.1, 1.0)
    columns = [Column(name=name, provenance="radiologist", kind="categorical") for name in ROW]
    expected = radiologist_findings(pd.DataFrame([ROW]).assign(source="phantom"), columns)[0]
    found = drawn_findings(lesion)
    assert list(found) == list(FINDINGS)
    assert list(found.values()) == expected.astype(bool).tolist()


def test_suspicion_has_a_limit_for_every_category_of_a_lesion():
    assert tuple(str(category) for _, category in BIRADS) == CATEGORIES


def test_a_scan_depends_on_its_number_and_its_stream_alone():
    scan, again, other = draw_scan(3, 7), draw_scan(3, 7), draw_scan(3, 8)
    np.testing.assert_array_equal(scan.image, again.image)
    np.testing.assert_array_equal(scan.mask, again.mask)
    assert scan.image.shape != other.image.shape or (scan.image != other.image).any()
    assert HEIGHTS[0] <= scan.image.shape[0] < HEIGHTS[1]
    assert WIDTHS[0] <= scan.image.shape[1] < WIDTHS[1]
    assert scan.mask.any()
