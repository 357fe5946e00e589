"""Voting: what decides the weight, what is scored with it, and which tables are refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from busline.base.errors import DataError
from busline.evaluation.vote import WEIGHTS, vote_all
from busline.metrics.voting import best_weight
from made_predictions import CLASSES, make_labels, make_predictions, make_splits

KEYS = ["case_id", "scheme", "repeat", "fold"]
SPLITS = make_splits()
LABELS = make_labels(SPLITS)
TABULAR = make_predictions(SPLITS, LABELS, seed=1, tabular=True)
IMAGE = make_predictions(SPLITS, LABELS, seed=2)


def run(tabular=TABULAR, image=IMAGE):
    predictions, weights = vote_all({"logreg": tabular}, {"cnn": image}, CLASSES)
    return predictions["logreg+cnn"], weights


def relabelled(split):
    """Return both members' tables with the labels of one split's cases drawn anew in every resample."""
    drawn = IMAGE[[*KEYS, "label"]].assign(label=np.random.default_rng(4).choice(CLASSES, len(IMAGE)))
    drawn["label"] = drawn["label"].where(IMAGE["split"] == split, IMAGE["label"])
    assert (drawn["label"] != IMAGE["label"]).sum() > 20
    return [table.drop(columns="label").merge(drawn, on=KEYS) for table in (TABULAR, IMAGE)]


def test_every_pair_and_resample_has_a_weight():
    predictions, weights = vote_all({"a": TABULAR, "b": TABULAR}, {"x": IMAGE, "y": IMAGE}, CLASSES)
    assert list(predictions) == ["a+x", "a+y", "b+x", "b+y"]
    assert list(weights) == list(WEIGHTS)
    assert len(weights) == 4 * 7
    assert weights.groupby(["tabular", "image"]).size().tolist() == [7] * 4
    assert sorted(set(zip(weights["repeat"], weights["fold"], strict=True))) == [
        (-1, -1),
        *((repeat, fold) for repeat in range(2) for fold in range(3)),
    ]


def test_the_weight_is_the_best_on_tune_cases_of_members_trained_without_them():
    predictions, weights = run()
    for row in weights.itertuples():
        tab, img = (
            table[(table["repeat"] == row.repeat) & (table["fold"] == row.fold)].set_index("case_id").sort_index()
            for table in (TABULAR[TABULAR["trained_on"] == "without_tune"], IMAGE)
        )
        tune, test = tab["split"] == "tune", tab["split"] == "test"
        best = best_weight(tab["label"][tune] == "malignant", tab["p_malignant"][tune], img["p_malignant"][tune])
        assert (row.weight, row.low, row.high, row.tune_auc) == (best.weight, best.low, best.high, best.auc)
        assert row.n_tune == tune.sum() == 12
        own = predictions[(predictions["repeat"] == row.repeat) & (predictions["fold"] == row.fold)]
        own = own.set_index("case_id").sort_index()
        assert list(own.index) == list(tab.index[test])
        expected = row.weight * tab["p_malignant"][test].astype(float) + (1 - row.weight) * img["p_malignant"][test]
        assert own["p_malignant"].to_numpy() == pytest.approx(expected.to_numpy())
        assert own["p_benign"].to_numpy() == pytest.approx(1 - expected.to_numpy(), abs=1e-6)
        half = (tab["p_malignant"][test].astype(float) + img["p_malignant"][test]) / 2
        assert own["p_half_malignant"].to_numpy() == pytest.approx(half.to_numpy())


def test_labels_of_test_cases_never_reach_a_weight():
    predictions, weights = run()
    others, again = run(*relabelled("test"))
    pd.testing.assert_frame_equal(again, weights)
    assert (others["label"] != predictions["label"]).any()
    pd.testing.assert_frame_equal(others.drop(columns="label"), predictions.drop(columns="label"))


def test_labels_of_tune_cases_do():
    assert (run(*relabelled("tune"))[1]["weight"] != run()[1]["weight"]).any()


def test_scores_of_test_cases_never_reach_a_weight():
    other = make_predictions(SPLITS, LABELS, skill=3.0, seed=9)
    mixed = IMAGE.assign(
        **{name: np.where(IMAGE["split"] == "test", other[name], IMAGE[name]) for name in ("p_benign", "p_malignant")}
    )
    pd.testing.assert_frame_equal(run(image=mixed)[1], run()[1])


def test_rows_trained_on_all_are_not_looked_at():
    spoiled = TABULAR.assign(p_malignant=TABULAR["p_malignant"].where(TABULAR["trained_on"] != "all", 0.0))
    pd.testing.assert_frame_equal(run(spoiled)[0], run()[0])


def test_permuted_labels_score_chance_on_test_cases():
    splits = make_splits(cases=300, folds=5, repeats=4, seed=5)
    labels = make_labels(splits, seed=5)
    members = [make_predictions(splits, labels, skill=0.0, seed=seed, tabular=seed == 6) for seed in (6, 7)]
    predictions, weights = run(*members)
    folds = predictions[predictions["scheme"] == "cv"].groupby(["repeat", "fold"])
    scores = [roc_auc_score(fold["label"] == "malignant", fold["p_malignant"]) for _, fold in folds]
    assert weights["tune_auc"].mean() > 0.53
    assert np.mean(scores) == pytest.approx(0.5, abs=4 * np.std(scores) / np.sqrt(len(scores)))
    assert np.mean(scores) < 0.53


def test_tune_cases_of_one_class_give_a_half():
    def benign(table):
        return table.assign(label=np.where(table["split"] == "tune", "benign", table["label"]))

    predictions, weights = run(benign(TABULAR), benign(IMAGE))
    assert set(weights["weight"]) == {0.5}
    assert set(zip(weights["low"], weights["high"], strict=True)) == {(0.0, 1.0)}
    assert weights["tune_auc"].isna().all()
    assert predictions["p_malignant"].tolist() == predictions["p_half_malignant"].tolist()


def test_order_of_rows_does_not_matter():
    shuffled = TABULAR.sample(frac=1, random_state=1), IMAGE.sample(frac=1, random_state=2)
    for found, expected in zip(run(*shuffled), run(), strict=True):
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("members", [({}, {"cnn": IMAGE}), ({"logreg": TABULAR}, {})])
def test_no_pairs_make_an_empty_table_of_weights(members):
    predictions, weights = vote_all(*members, CLASSES)
    assert predictions == {}
    assert weights.dtypes.astype(str).to_dict() == run()[1].dtypes.astype(str).to_dict()
    assert weights.empty


def test_other_cases_are_refused():
    with pytest.raises(
        DataError, match=r"vote logreg\+cnn: 1 problem\n.*repeat 0, fold 1: rows that one member alone predicts: 3"
    ):
        run(image=IMAGE.drop(IMAGE[(IMAGE["repeat"] == 0) & (IMAGE["fold"] == 1)].index[:3]))


def test_other_resamples_are_refused():
    with pytest.raises(DataError, match="repeat 1, fold 2: rows that one member alone predicts: 32"):
        run(image=IMAGE[(IMAGE["repeat"] != 1) | (IMAGE["fold"] != 2)])


def test_a_case_that_is_weighed_and_tested_is_refused():
    def doubled(table):
        first = table[(table["repeat"] == 0) & (table["fold"] == 0) & (table["split"] == "tune")]
        first = first[first["case_id"] == first["case_id"].iloc[0]]
        return pd.concat([table, first.assign(split="test")], ignore_index=True)

    with pytest.raises(DataError, match="repeat 0, fold 0: cases that are weighed and tested: 1"):
        run(doubled(TABULAR), doubled(IMAGE))


def test_two_labels_of_one_case_are_refused():
    other = IMAGE.assign(label=IMAGE["label"].where(IMAGE.index != 0, "malignant"))
    assert (other["label"] != IMAGE["label"]).sum() == 1
    with pytest.raises(DataError, match="rows with two labels: 1"):
        run(image=other)


def test_an_unknown_split_and_missing_test_cases_are_refused():
    with pytest.raises(
        DataError, match=r"(?s)split is neither 'tune' nor 'test': 20\n.*repeat 0, fold 0: no test cases"
    ):
        run(*(table.assign(split=table["split"].replace("test", "val")) for table in (TABULAR, IMAGE)))


def test_predictions_of_another_training_part_are_refused():
    with pytest.raises(DataError, match="'logreg': column 'trained_on' is missing"):
        run(TABULAR.drop(columns="trained_on"))
    with pytest.raises(DataError, match="one member alone"):
        run(TABULAR[TABULAR["trained_on"] == "all"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("p_malignant", float("nan"), "column 'p_malignant': values that are null or outside [0, 1]: 1"),
        ("p_malignant", 1.5, "values that are null or outside [0, 1]: 1"),
        ("p_malignant", 0.0, "rows whose probabilities do not add up to 1: 1"),
        ("label", "normal", "label 'normal' is none of split.classes"),
        ("case_id", "case001", "rows that repeat another one's case_id, scheme, repeat, fold, split: 1"),
    ],
)
def test_broken_predictions_are_refused(column, value, message):
    broken = IMAGE.copy()
    broken[column] = broken[column].where(broken.index != IMAGE.index[IMAGE["p_malignant"] > 0.1][-1], value)
    if column == "case_id":
        broken = pd.concat([IMAGE, IMAGE.iloc[[0]]], ignore_index=True)
    with pytest.raises(DataError, match="predictions of cnn model 'cnn'") as caught:
        run(image=broken)
    assert message in str(caught.value)


def test_missing_columns_are_named():
    with pytest.raises(DataError, match=r"(?s)'repeat' is missing.*'p_benign' is missing"):
        run(image=IMAGE.drop(columns=["p_benign", "repeat"]))


def test_of_three_classes_the_positive_one_decides_the_weight_and_all_are_voted():
    three = [
        table.assign(p_normal=table["p_benign"] / 4, p_benign=0.75 * table["p_benign"]) for table in (TABULAR, IMAGE)
    ]
    predictions, weights = vote_all({"logreg": three[0]}, {"cnn": three[1]}, ["normal", *CLASSES])
    voted, before = predictions["logreg+cnn"], run()
    pd.testing.assert_frame_equal(weights[list(before[1])], before[1])
    np.testing.assert_array_equal(voted["p_malignant"], before[0]["p_malignant"])
    np.testing.assert_allclose(voted["p_normal"], before[0]["p_benign"] / 4, atol=1e-6)
    np.testing.assert_allclose(voted[["p_normal", "p_benign", "p_malignant"]].sum(axis=1), 1.0, atol=1e-6)
