"""Findings from a table's words, and only from columns that are declared to be a radiologist's."""

import numpy as np
import pandas as pd

from busline.cohort.findings import radiologist_findings
from busline.cohort.schema import Column

NAMES = ("Shape", "Margin", "Posterior_features", "Halo", "Echogenicity", "BIRADS")
ROWS = pd.DataFrame(
    [
        ("irregular", "not circumscribed - angular&indistinct", "combined", "yes", "heterogeneous", "4c"),
        ("oval", "circumscribed", "no", "no", "anechoic", "2"),
        (None, "not circumscribed - spiculated", "shadowing", None, "hypoechoic", "5"),
    ],
    columns=list(NAMES),
).assign(source="breast")


def declared(provenance="radiologist"):
    return [Column(name=name, provenance=provenance, kind="categorical") for name in NAMES]


def test_words_become_targets():
    found = radiologist_findings(ROWS, declared())
    np.testing.assert_array_equal(found[0], [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(found[1], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(found[2], [np.nan, 1, 0, 1, 1, 0, np.nan, 0, 0, 1, 1, 1, 1])


def test_other_columns_of_the_same_names_are_not_read():
    assert np.isnan(radiologist_findings(ROWS, declared("patient"))).all()
    assert np.isnan(radiologist_findings(ROWS[["source"]], [])).all()
    assert np.isnan(radiologist_findings(ROWS.assign(source="folder"), declared())).all()


def test_words_that_the_release_does_not_have_are_missing_and_never_a_no():
    words = ("lobular", "not circumscribed - fuzzy", "edge", "perhaps", "mixed", "4")
    found = radiologist_findings(pd.DataFrame([words], columns=list(NAMES)).assign(source="breast"), declared())
    np.testing.assert_array_equal(found[0], [np.nan] * 9 + [1, np.nan, np.nan, 0])


def test_a_case_without_a_lesion_has_none_of_the_findings():
    rows = pd.DataFrame([["not applicable"] * 5 + ["1"]], columns=list(NAMES)).assign(source="phantom")
    assert radiologist_findings(rows, declared())[0].tolist() == [0.0] * 13
