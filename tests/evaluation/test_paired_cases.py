"""Cases read from a run's files and paired over runs; figures and their samples against scikit-learn and by drawing."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from busline.base.artifacts import load_table, save_table
from busline.base.errors import DataError
from busline.base.settings.evaluation import Evaluate
from busline.base.skipped import skip
from busline.evaluation.paired_cases import (
    contrast_cases,
    count_groups,
    figures,
    pair_cases,
    read_cases,
    read_cohort,
    sampled_figures,
)
from busline.evaluation.patients import PatientBootstrap
from busline.families import FAMILIES
from busline.metrics.contrast import contrast_arms
from busline.metrics.resampling import draw_patients
from made_contrasts import DUPLICATES, LABELS, make_run
from made_inputs import small_params

PARAMS = small_params(cv__folds=4, cv__repeats=2, cv__image_repeats=2)
SETTINGS = Evaluate(bootstrap=300, confidence=0.95, calibration_bins=10, patient_score="highest")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "data"
    make_run(folder, seed=1, side=1)
    return folder


def read(data, place, params=PARAMS):
    family, model = place.split("/")
    return read_cases(data, FAMILIES[family], model, params)


def segments(params=PARAMS):
    """The parameters of a run whose outlines are of one repeat."""
    return params.model_copy(update={"cv": params.cv.model_copy(update={"image_repeats": 1})})


def test_test_cases_of_the_folds_are_read_and_of_several_fits_the_one_that_is_reported(data):
    for place in ("cnn/custom_cnn", "tabular/logreg"):
        rows = read(data, place)
        assert list(rows) == ["case_id", "scheme", "repeat", "fold", "truth", "score"]
        assert len(rows) == 2 * len(LABELS)
        assert set(rows["scheme"]) == {"cv"}
    theirs = load_table(data / "predictions/tabular/logreg.parquet")
    theirs = theirs[(theirs["trained_on"] == "all") & (theirs["scheme"] == "cv")]
    both = rows.merge(theirs, on=["case_id", "repeat", "fold"])
    assert len(both) == len(rows)
    assert both["score"].to_numpy() == pytest.approx(both["p_malignant"].to_numpy())
    assert (both["truth"] == (both["label"] == "malignant")).all()


def test_outlines_are_scored_case_by_case(data):
    rows = read(data, "lesion_segment/lesion", segments())
    assert len(rows) == len(LABELS)
    dice, iou = rows["dice"].to_numpy(), rows["iou"].to_numpy()
    assert iou == pytest.approx(dice / (2 - dice))
    assert 0.8 < dice.mean() < 1.0


def test_a_model_that_the_run_lacks_or_that_lacks_cases_is_refused(data, tmp_path):
    make_run(tmp_path, seed=1)
    path = tmp_path / "predictions/cnn/custom_cnn.parquet"
    table = load_table(path)
    save_table(table[table["case_id"] != "case007"], path)
    with pytest.raises(DataError, match="test cases without a prediction"):
        read(tmp_path, "cnn/custom_cnn")
    skip("there is no image", tables=[path])
    with pytest.raises(DataError, match="cnn/custom_cnn: the run has nothing of it: there is no image"):
        read(tmp_path, "cnn/custom_cnn")


def test_cases_are_paired_by_their_ids_in_any_order(data, tmp_path):
    make_run(tmp_path, seed=2)
    one, other = read(data, "cnn/custom_cnn"), read(tmp_path, "tabular/logreg")
    paired = pair_cases([one, one], [other.sample(frac=1.0, random_state=0)], "roc_auc")
    assert (paired.first.shape, paired.second.shape) == ((2, 2, 40), (1, 2, 40))
    assert paired.case_ids == sorted(LABELS.index)
    assert (paired.truth == (LABELS.loc[paired.case_ids] == "malignant")).all()
    score = other.set_index(["repeat", "case_id"])["score"]
    assert paired.second[0, 1, 3] == score.loc[1, "case003"]


def test_other_cases_or_another_truth_are_no_pair(data):
    rows = read(data, "cnn/custom_cnn")
    others = rows[rows["case_id"] != "case003"], rows.assign(truth=~rows["truth"])
    for other in others:
        with pytest.raises(DataError, match="other cases, or with another truth"):
            pair_cases([rows], [rows, other], "roc_auc")


def test_a_case_that_one_run_cannot_score_is_left_out_of_all(data):
    rows = read(data, "lesion_segment/lesion", segments())
    lacking = rows.assign(dice=rows["dice"].where(rows["case_id"] != "case005"))
    paired = pair_cases([rows, rows], [rows, lacking], "dice")
    assert paired.undefined == 1
    assert "case005" not in paired.case_ids
    assert paired.first.shape == paired.second.shape == (2, 1, 39)
    assert figures(paired.first, paired.truth, "dice")[0] == pytest.approx(
        rows.loc[rows["case_id"] != "case005", "dice"].mean()
    )
    with pytest.raises(DataError, match="no case has a dice in every run"):
        pair_cases([rows], [rows.assign(dice=np.nan)], "dice")


def test_figures_and_samples_are_those_of_the_drawn_cases():
    generator = np.random.default_rng(0)
    truth, scores = np.arange(30) < 12, generator.random((2, 3, 30)).round(1)
    theirs = [np.mean([roc_auc_score(truth, one) for one in of_seed]) for of_seed in scores]
    assert figures(scores, truth, "roc_auc") == pytest.approx(theirs)
    assert figures(scores, truth, "dice") == pytest.approx(scores.mean(axis=(1, 2)))
    counts = draw_patients([str(case) for case in range(30)], generator, 5)
    for metric in ("roc_auc", "dice"):
        for count, value in zip(counts, sampled_figures(scores, truth, metric, counts), strict=True):
            drawn = np.repeat(np.arange(30), count)
            assert value == pytest.approx(figures(scores[..., drawn], truth[drawn], metric).mean())


def test_the_same_patients_are_drawn_in_both_arms_and_near_duplicates_together(data, tmp_path):
    make_run(tmp_path, seed=2)
    cohort, one, other = read_cohort(data, PARAMS), read(data, "cnn/custom_cnn"), read(tmp_path, "cnn/custom_cnn")
    assert (cohort.duplicates, cohort.patients["case004"]) == (DUPLICATES, "case005")
    paired = pair_cases([one, other], [one, other], "roc_auc")
    patients = PatientBootstrap(paired.case_ids, cohort.patients, 1, SETTINGS, cohort.duplicates)
    groups = count_groups(patients, cohort.duplicates)
    assert groups == len(LABELS) - 1 - 2
    same = contrast_cases(paired, "roc_auc", patients, groups, one_run=True)
    assert (same.difference, same.low, same.high) == (0.0, 0.0, 0.0)
    apart = pair_cases([one, one], [other, other], "roc_auc")
    found = contrast_cases(apart, "roc_auc", patients, groups, one_run=False)
    samples = [sampled_figures(arm, apart.truth, "roc_auc", patients.counts) for arm in (apart.first, apart.second)]
    ours = [figures(arm, apart.truth, "roc_auc") for arm in (apart.first, apart.second)]
    assert found == contrast_arms(*ours, samples[0] - samples[1], groups, one_run=False)
    assert found.low < found.difference < found.high


def test_only_the_repeats_that_images_are_learnt_in_are_asked_for(data):
    with pytest.raises(DataError, match="repeat 1, fold 0"):
        read(data, "cnn/custom_cnn", segments())
