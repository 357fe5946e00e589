"""Files as a run leaves them, made from a seed: splits, whose case is whose, predictions and outlines."""

import numpy as np
import pandas as pd

from busline.base.artifacts import save_table
from busline.cohort.outlines import outline_rows
from made_predictions import make_labels, make_predictions, make_splits

SPLITS = make_splits(cases=40, folds=4, repeats=2)
LABELS = make_labels(SPLITS)
DUPLICATES = [("case000", "case001"), ("case002", "case003")]


def make_run(data, *, seed, skill=1.0, side=0, splits=SPLITS, labels=LABELS):
    """Write what a run has of cnn/custom_cnn, tabular/logreg, lesion/image and lesion_segment/lesion below ``data``.

    ``side`` is how many columns of a lesion are missed on the average.
    """
    ids = labels.index
    whose = pd.DataFrame({"case_id": ids, "patient_id": ids, "pixel_mm": 0.2})
    whose.loc[4, "patient_id"] = whose.loc[5, "patient_id"]
    duplicates = pd.DataFrame(DUPLICATES, columns=["case_a", "case_b"]).astype("str")
    predictions = data / "predictions"
    save_table(splits, data / "splits/splits.parquet")
    save_table(whose, data / "cohort/phantom/cases.parquet")
    save_table(duplicates, data / "cohort/phantom/duplicates.parquet")
    save_table(make_predictions(splits, labels, skill=skill, seed=seed), predictions / "cnn/custom_cnn.parquet")
    table = make_predictions(splits, labels, skill=skill, seed=seed, tabular=True)
    save_table(table, predictions / "tabular/logreg.parquet")
    folds = splits[splits["scheme"] == "cv"]
    diagnoses = make_predictions(folds, labels, skill=skill, seed=seed + 50)
    save_table(diagnoses[diagnoses["split"] == "test"], predictions / "lesion/image.parquet")
    test = folds[(folds["role"] == "test") & (folds["repeat"] == 0)]
    save_table(make_outlines(test, seed, side), predictions / "lesion_segment/lesion.parquet")


def make_outlines(test, seed, side):
    """Rows of cases whose true lesion has eight columns, of which some are missed."""
    truth = np.zeros((6, 12), dtype=bool)
    truth[2:4, 2:10] = True
    missed = np.random.default_rng(seed).poisson(side, len(test)).clip(0, 7)
    found = [truth & (np.arange(12) >= 2 + count) for count in missed]
    return outline_rows(test["case_id"].tolist(), "cv", 0, test["fold"].tolist(), found, [truth] * len(test))
