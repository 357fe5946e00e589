"""Fold models scored on cases they know, beside the honest scores of the same cases."""

import numpy as np
import pandas as pd
import pytest

from busline.audit.fold_models import FoldScores, score_models
from busline.audit.protocol import MasterSplit, compare_model, compare_pair, draw_master_splits, out_of_fold
from busline.base.runtime import Runtime
from busline.families import TABULAR
from busline.predictors.cases import Cases
from busline.predictors.tabular import TableFile, save_classical
from busline.splits import MASTER, make_splits
from made_inputs import made_inputs, small_params
from made_studies import fit_tabular

LABELS = np.array(["benign", "benign", "malignant"] * 20)
SPLIT = small_params().split.model_copy(update={"val_fraction": 0.1, "test_fraction": 0.2})


def test_the_first_master_split_is_the_studys_own_and_the_others_are_others():
    params = small_params()
    inputs = made_inputs(params, cases=60)
    labels = np.asarray(inputs.classes, dtype=object)[inputs.labels]
    masters = draw_master_splits(labels, np.arange(60), params.split, 6, params.seed.split)
    assert np.flatnonzero(masters[0].test).tolist() == inputs.resamples[MASTER]["test"].tolist()
    assert np.flatnonzero(masters[0].validation).tolist() == inputs.resamples[MASTER]["tune"].tolist()
    assert len({master.test.tobytes() for master in masters}) == 6
    again = draw_master_splits(labels, np.arange(60), params.split, 3, params.seed.split)
    assert all((one.test == other.test).all() for one, other in zip(masters[:3], again, strict=True))


def test_master_splits_keep_classes_apart_parts_disjoint_and_groups_whole():
    groups = np.arange(60) // 3
    for master in draw_master_splits(LABELS, groups, SPLIT, 20, 1):
        assert not (master.test & master.validation).any()
        assert (LABELS[master.test] == "malignant").sum() == 4
        for part in (master.test, master.validation):
            assert set(groups[part]).isdisjoint(groups[~part])


def memoriser(labels, known, generator):
    """Scores that are right on known cases and chance elsewhere."""
    return np.where(known, labels + 0.5 * generator.random(len(labels)), generator.random(len(labels)))


def made_folds(labels, seed=0):
    generator = np.random.default_rng(seed)
    fold_of = generator.permutation(len(labels)) % 5
    known = {(0, fold): fold_of != fold for fold in range(5)}
    scores = {key: memoriser(labels, mask, generator) for key, mask in known.items()}
    honest = np.choose(fold_of, [scores[0, fold] for fold in range(5)])
    return FoldScores(scores, known), {0: honest}


def test_a_model_that_memorises_shines_only_where_it_is_scored_on_what_it_knows():
    labels = (LABELS == "malignant").astype(float)
    models, honest = made_folds(labels)
    masters = draw_master_splits(LABELS, np.arange(60), SPLIT, 50, 1)
    found = compare_model(labels > 0, models, honest, masters)
    assert found.leaked.mean > 0.85
    assert abs(found.honest.mean - 0.5) < 0.15
    assert found.known == pytest.approx(0.8, abs=0.03)
    assert (found.leaked.draws, found.honest.draws) == (250, 50)


def test_a_model_that_knows_no_test_case_has_one_score_both_ways():
    labels = (LABELS == "malignant").astype(float)
    score = np.random.default_rng(0).random(60)
    models = FoldScores({(0, 0): score}, {(0, 0): np.zeros(60, dtype=bool)})
    masters = draw_master_splits(LABELS, np.arange(60), SPLIT, 10, 1)
    found = compare_model(labels > 0, models, {0: score}, masters)
    assert found.leaked == found.honest
    assert found.known == 0.0


def test_a_pair_is_weighed_on_the_validation_cases():
    """The tabular member is right on validation cases and wrong on test cases, the image member the reverse."""
    positive = np.arange(40) % 2 == 0
    test, validation = np.arange(40) < 20, (np.arange(40) >= 20) & (np.arange(40) < 30)
    right, wrong = np.where(positive, 0.9, 0.1), np.where(positive, 0.1, 0.9)
    known = {(0, 0): np.ones(40, dtype=bool)}
    tabular = FoldScores({(0, 0): np.where(validation, right, wrong), (1, 0): right}, known)
    image = FoldScores({(0, 0): np.where(validation, wrong, right)}, known)
    found = compare_pair(positive, tabular, image, {0: right}, [MasterSplit(test, validation)])
    assert found.leaked.mean == 0.0
    assert found.leaked.draws == 1
    assert found.honest.mean == 1.0
    assert found.known == 1.0


def test_out_of_fold_scores_are_the_test_rows_of_models_with_all_training_cases():
    rows = pd.DataFrame(
        {
            "case_id": ["a", "b", "a", "a", "b"],
            "scheme": ["cv", "cv", "cv", "master", "cv"],
            "repeat": [0, 0, 0, -1, 0],
            "split": ["test", "test", "test", "test", "tune"],
            "trained_on": ["all", "all", "without_tune", "all", "all"],
            "p_malignant": [0.1, 0.2, 0.3, 0.4, 0.5],
        }
    )
    assert {repeat: score.tolist() for repeat, score in out_of_fold(rows, ["b", "a"], "malignant").items()} == {
        0: [0.2, 0.1]
    }


def test_stored_models_are_the_stages_own(tmp_path):
    """Their scores of the cases they do not know are the stored out-of-fold predictions, to the last bit."""
    params = small_params()
    inputs = made_inputs(params, cases=45)
    predictions, fits = fit_tabular(inputs, params, "random_forest", runtime=Runtime())
    classes, settings = list(inputs.classes), params.tabular.models.random_forest
    file = TableFile(family="tabular", model="random_forest", classes=classes, settings=settings)
    save_classical(tmp_path / "models/tabular/random_forest", file, fits)
    honest = out_of_fold(predictions, inputs.case_ids, "malignant")[0]
    cases, learnt = Cases(inputs.table), TABULAR.learns_from
    scores = score_models(tmp_path, TABULAR, ["random_forest"], cases, inputs.resamples, learnt, runtime=Runtime())
    found = scores["random_forest"]
    assert set(found.scores) == set(inputs.resamples) - {MASTER}
    for key, known in found.known.items():
        assert sorted(np.flatnonzero(~known)) == inputs.resamples[key]["test"].tolist()
        assert found.scores[key][~known].tolist() == honest[~known].tolist()
    frame = pd.DataFrame({"case_id": inputs.case_ids, "label": np.where(inputs.labels > 0, "malignant", "benign")})
    assert len(make_splits(frame, np.arange(45), params.split, params.cv, params.seed.split)) == 45 * 3
