"""Splits and tables of predictions as the stages write them, made from a seed."""

import numpy as np
import pandas as pd

from busline.splits import CV, MASTER, Resample

CLASSES = ["benign", "malignant"]


def make_splits(cases=60, folds=3, repeats=2, seed=0):
    """Return case_id, scheme, repeat, fold, role; the master split is one resample. Not stratified."""
    generator = np.random.default_rng(seed)
    ids = np.array([f"case{number:03d}" for number in range(cases)])
    parts = [_roles(ids, generator.permutation(cases)[: cases // 5], MASTER, generator)]
    for repeat in range(repeats):
        blocks = np.array_split(generator.permutation(cases), folds)
        parts += [_roles(ids, block, Resample(CV, repeat, fold), generator) for fold, block in enumerate(blocks)]
    return pd.concat(parts, ignore_index=True)


def _roles(ids, test, resample, generator):
    role = np.full(ids.size, "train", dtype=object)
    rest = generator.permutation(np.setdiff1d(np.arange(ids.size), test))
    role[rest[: ids.size // 10]] = "val"
    role[rest[ids.size // 10 : ids.size * 3 // 10]] = "tune"
    role[test] = "test"
    return pd.DataFrame({"case_id": ids, **resample._asdict(), "role": role})


def make_labels(splits, share=0.4, seed=0):
    """Return the label of each case, indexed by case_id."""
    ids = sorted(splits["case_id"].unique())
    positive = np.random.default_rng(seed).random(len(ids)) < share
    return pd.Series(np.where(positive, CLASSES[1], CLASSES[0]), index=ids)


def make_predictions(splits, labels, *, skill=1.0, seed=0, tabular=False):
    """Return predictions for tune and test cases; a tabular model's come twice, as trained_on tells."""
    generator = np.random.default_rng(seed)
    rows = splits[splits["role"].isin(["tune", "test"])].rename(columns={"role": "split"})
    rows = rows.assign(label=labels.loc[rows["case_id"]].to_numpy())

    def scored(part):
        logit = generator.normal(0, 1, len(part)) + skill * (part["label"] == CLASSES[1]).to_numpy() - skill / 2
        positive = (1 / (1 + np.exp(-logit))).astype(np.float32)
        return part.assign(p_benign=np.float32(1) - positive, p_malignant=positive)

    if not tabular:
        return scored(rows).reset_index(drop=True)
    parts = [
        scored(rows[rows["split"] == "test"]).assign(trained_on="all"),
        scored(rows).assign(trained_on="without_tune"),
    ]
    return pd.concat(parts, ignore_index=True)
