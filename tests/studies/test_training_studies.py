"""Training studies end to end on made cases: every role kept apart, every fold its own, the same on any machine."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from busline.base.errors import ParameterError
from busline.base.runtime import Runtime
from busline.base.settings.models import encoder_start, segmenter_settings
from busline.cohort.outlines import unpack_rows
from busline.cohort.resize import resize_mask
from busline.predictors.files import stem_of
from busline.splits import CV, Resample
from busline.studies.dnn import encode, run_dnn_search
from busline.studies.segment import segment_plan
from made_inputs import made_inputs, small_params
from made_studies import fit_tabular, train_cnn, train_dnn, train_merged, train_segmenter

PARAMS = small_params()
ONE, TWO = Runtime(workers=1), Runtime(workers=2)
FOLD = Resample(CV, 0, 0)


def without(inputs, roles):
    """The same inputs with other labels and table rows for the cases of some roles of repeat 0, fold 0."""
    index = np.concatenate([inputs.resamples["cv", 0, 0][role] for role in roles])
    labels, table = inputs.labels.copy(), inputs.table.copy()
    labels[index] = 1 - labels[index]
    table.loc[index, "Age"] = 500.0
    table.loc[index, "Signs"] = "planted"
    return type(inputs)(**{**vars(inputs), "labels": labels, "table": table})


def fold_rows(predictions, trained_on, split="test"):
    chosen = (predictions["repeat"] == 0) & (predictions["fold"] == 0) & (predictions["split"] == split)
    return predictions[chosen & (predictions["trained_on"] == trained_on)]


@pytest.fixture(scope="module")
def tabular():
    inputs = made_inputs(PARAMS)
    return inputs, fit_tabular(inputs, PARAMS, "logreg", runtime=ONE)[0]


def test_tabular_predicts_every_test_and_tune_case(tabular):
    inputs, predictions = tabular
    folds = len(inputs.resamples)
    for trained_on, split in [("all", "test"), ("without_tune", "test"), ("without_tune", "tune")]:
        rows = predictions[(predictions["trained_on"] == trained_on) & (predictions["split"] == split)]
        expected = sum(len(roles[split]) for roles in inputs.resamples.values())
        assert len(rows) == expected
        assert rows.groupby(["repeat", "fold"]).ngroups == folds
    assert not ((predictions["trained_on"] == "all") & (predictions["split"] == "tune")).any()
    np.testing.assert_allclose(predictions["p_benign"] + predictions["p_malignant"], 1.0, atol=1e-6)


def test_a_tabular_fold_knows_nothing_of_its_test_cases(tabular):
    inputs, predictions = tabular
    changed, _ = fit_tabular(without(inputs, ["test"]), PARAMS, "logreg", runtime=ONE)
    before, after = fold_rows(predictions, "without_tune", "tune"), fold_rows(changed, "without_tune", "tune")
    np.testing.assert_array_equal(before["p_malignant"], after["p_malignant"])


def test_the_voting_member_knows_nothing_of_the_tune_cases(tabular):
    inputs, predictions = tabular
    changed, _ = fit_tabular(without(inputs, ["tune"]), PARAMS, "logreg", runtime=ONE)
    before, after = fold_rows(predictions, "without_tune"), fold_rows(changed, "without_tune")
    np.testing.assert_array_equal(before["p_malignant"], after["p_malignant"])
    before, after = fold_rows(predictions, "all"), fold_rows(changed, "all")
    assert not np.array_equal(before["p_malignant"], after["p_malignant"])


def test_the_encoder_is_fitted_on_the_cases_that_are_learnt_from():
    inputs = made_inputs(PARAMS)
    learn = inputs.resamples["cv", 0, 0]["train"]
    encoder, rows = encode(inputs, learn)
    changed, again = encode(without(inputs, ["val", "tune", "test"]), learn)
    assert encoder == changed
    np.testing.assert_array_equal(rows[learn], again[learn])
    assert encoder.medians["Age"] == inputs.table["Age"].iloc[learn].median()


def test_permuted_labels_score_chance():
    scores = []
    for seed in range(8):
        inputs = made_inputs(PARAMS, cases=60, seed=seed)
        labels = np.random.default_rng(seed).permutation(inputs.labels)
        inputs = type(inputs)(**{**vars(inputs), "labels": labels})
        predictions, _ = fit_tabular(inputs, PARAMS, "logreg", runtime=ONE)
        rows = predictions[(predictions["trained_on"] == "all") & (predictions["repeat"] == 0)]
        scores.append(roc_auc_score(rows["label"] == "malignant", rows["p_malignant"]))
    assert np.mean(scores) == pytest.approx(0.5, abs=0.08)


def test_dnn_stops_on_the_val_cases_and_never_sees_the_others():
    inputs = made_inputs(PARAMS)
    study = train_dnn(inputs, PARAMS, runtime=ONE)
    changed = train_dnn(without(inputs, ["tune", "test"]), PARAMS, runtime=ONE)
    state, other = (one.networks[FOLD, "without_tune"].state for one in (study, changed))
    assert all(np.array_equal(state[name], other[name]) for name in state)
    steered = train_dnn(without(inputs, ["val"]), PARAMS, runtime=ONE)
    curve = study.curves.query("repeat == 0 and fold == 0")
    other_curve = steered.curves.query("repeat == 0 and fold == 0")
    assert curve["val_loss"].iloc[0] != other_curve["val_loss"].iloc[0]
    assert set(study.networks) == {(key, kind) for key in inputs.resamples for kind in ("all", "without_tune")}


def test_the_search_covers_the_grid_and_repeats_the_dnn_at_its_own_setting():
    inputs = made_inputs(PARAMS)
    params = small_params(dnn_search__hidden=[16, 32], dnn_search__dropout=[0.2])
    predictions, curves = run_dnn_search(inputs, params, runtime=ONE)
    assert set(predictions.groupby(["hidden", "dropout"]).groups) == {(16, 0.2), (32, 0.2)}
    assert set(predictions["scheme"]) == {CV}
    own = train_dnn(inputs, params, runtime=ONE).predictions
    rows = predictions[predictions["hidden"] == 32]
    expected = own[(own["trained_on"] == "all") & (own["scheme"] == "cv")]
    np.testing.assert_allclose(rows["p_malignant"], expected["p_malignant"], atol=1e-4)  # another stack
    assert set(curves["model"]) == {"h16_d0.2", "h32_d0.2"}


def test_a_cnn_fold_is_the_same_beside_others_and_alone():
    inputs = made_inputs(PARAMS, side=32)
    two = train_cnn(inputs, PARAMS, runtime=TWO)
    one = train_cnn(inputs, PARAMS, runtime=ONE)
    pd.testing.assert_frame_equal(two.predictions, one.predictions)
    pd.testing.assert_frame_equal(two.curves, one.curves)
    other = train_cnn(inputs, PARAMS, level="none", runtime=ONE)
    assert not np.array_equal(other.predictions["p_malignant"], two.predictions["p_malignant"])


def test_a_cnn_learns_from_the_train_cases_alone():
    inputs = made_inputs(PARAMS, side=32)
    before = train_cnn(inputs, PARAMS, runtime=ONE).states["r0_f0"]
    images = inputs.images.copy()
    for role in ("tune", "test"):
        images[inputs.resamples["cv", 0, 0][role]] = 7
    changed = type(inputs)(**{**vars(without(inputs, ["tune", "test"])), "images": images})
    after = train_cnn(changed, PARAMS, runtime=ONE).states["r0_f0"]
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_second_fit_learns_from_the_tuning_cases_too_and_leaves_the_first_as_it_is():
    inputs = made_inputs(PARAMS, side=32)
    alone, both, whole = (
        train_cnn(inputs, PARAMS, runtime=ONE, fits=fits)
        for fits in (("without_tune",), ("all", "without_tune"), ("all",))
    )
    rows = {name: part.drop(columns="trained_on") for name, part in both.predictions.groupby("trained_on")}
    pd.testing.assert_frame_equal(rows["without_tune"].reset_index(drop=True), alone.predictions)
    pd.testing.assert_frame_equal(rows["all"].reset_index(drop=True), whole.predictions.drop(columns="trained_on"))
    assert set(rows["all"]["split"]) == {"test"}
    assert not np.array_equal(rows["all"]["p_malignant"], alone.predictions.query("split == 'test'")["p_malignant"])
    pd.testing.assert_frame_equal(both.curves, alone.curves)
    assert set(both.states) == {f"{stem}_{fit}" for stem in alone.states for fit in ("all", "without_tune")}
    labels = np.where(np.isin(np.arange(36), inputs.resamples["cv", 0, 0]["test"]), 1 - inputs.labels, inputs.labels)
    turned = train_cnn(type(inputs)(**{**vars(inputs), "labels": labels}), PARAMS, runtime=ONE, fits=("all",))
    name = "r0_f0_all"
    assert all(np.array_equal(whole.states[name][key], turned.states[name][key]) for key in whole.states[name])


def test_merged_continues_from_the_networks_of_its_own_fold():
    inputs = made_inputs(PARAMS, side=32)
    states = train_cnn(inputs, PARAMS, runtime=ONE).states
    images = {key: states[stem_of(key)] for key in inputs.resamples}
    networks = train_dnn(inputs, PARAMS, runtime=ONE).networks
    tables = {key: networks[key, "without_tune"].state for key in inputs.resamples}
    merged = train_merged(inputs, PARAMS, images, tables, runtime=ONE).predictions
    assert set(merged.groupby(["scheme", "repeat", "fold"]).groups) == set(inputs.resamples)
    other = {**images, Resample(CV, 0, 1): images[CV, 0, 0]}
    crossed = train_merged(inputs, PARAMS, other, tables, runtime=ONE).predictions
    same = merged["fold"] != 1
    np.testing.assert_array_equal(merged.loc[same, "p_malignant"], crossed.loc[same, "p_malignant"])
    assert not np.array_equal(merged.loc[~same, "p_malignant"], crossed.loc[~same, "p_malignant"])


def wider(inputs):
    """Each case's true mask at a stored size of its own, which is not the network's."""
    return [resize_mask(mask > 0, 48 + place % 5, 40 + place % 3).copy() for place, mask in enumerate(inputs.masks)]


def test_segmentation_outlines_every_test_case():
    inputs = made_inputs(PARAMS, side=32)
    params = small_params(seg__encoder="resnet18", seg__epochs=3)
    truth = wider(inputs)
    study = train_segmenter(inputs, params, truth, runtime=ONE)
    tested = {(inputs.case_ids[i], *resample) for resample, roles in inputs.resamples.items() for i in roles["test"]}
    assert len(study.outlines) == len(tested)
    assert set(study.outlines[["case_id", "scheme", "repeat", "fold"]].itertuples(index=False, name=None)) == tested
    rows = study.outlines.query("repeat == 0").set_index("case_id").loc[list(inputs.case_ids)]
    outlined = 0
    for mask, (found, true) in zip(truth, unpack_rows(rows), strict=True):
        np.testing.assert_array_equal(true, mask)
        assert found.shape == true.shape
        outlined += int(found.any())
    assert outlined


def test_only_a_pretrained_encoder_is_frozen():
    parts = ("encoder", "decoder", "segmentation_head")
    pretrained = small_params(seg__weights="imagenet", seg__models={"own": {"weights": "none"}, "unet": {}})

    def trainable(params, name="unet"):
        start = encoder_start(params, name)
        settings = segmenter_settings(params.seg, params.augmentation, name, start=start)
        return segment_plan(settings, params.train, parts).phases[0].trainable

    assert trainable(PARAMS) is None
    assert trainable(pretrained) == ("network.decoder", "network.segmentation_head")
    assert trainable(pretrained, "own") is None


@pytest.mark.parametrize("architecture", ["unet", "transposed_unet"])
def test_a_pretrained_encoder_stays_as_it_was(architecture):
    from busline.models.segmentation import build_segmenter

    params = small_params(seg__weights="imagenet", seg__architecture=architecture)
    torch.manual_seed(0)
    encoder = build_segmenter("unet", "mobilenet_v2", 64).network.encoder.state_dict()
    inputs = made_inputs(params, side=32)
    study = train_segmenter(inputs, params, wider(inputs), runtime=ONE, pretrained=encoder)
    kept = {
        name.removeprefix("network.encoder."): value
        for name, value in study.states["master"].items()
        if ".encoder." in name
    }
    assert kept
    assert all(np.array_equal(value, encoder[name].numpy()) for name, value in kept.items())


def test_two_segmentation_networks_of_the_same_settings_differ_by_their_names():
    params = small_params(seg__models={"one": {}, "other": {}}, seg__active=["one", "other"], seg__encoder="resnet18")
    inputs = made_inputs(params, side=32)
    one, again, other = (
        train_segmenter(inputs, params, wider(inputs), runtime=ONE, name=name) for name in ("one", "one", "other")
    )
    pd.testing.assert_frame_equal(one.outlines, again.outlines)
    weight = "network.encoder.conv1.weight"
    np.testing.assert_array_equal(one.states["master"][weight], again.states["master"][weight])
    assert not np.array_equal(one.states["master"][weight], other.states["master"][weight])
    assert set(other.curves["model"]) == {"other"}


@pytest.mark.parametrize(("key", "value"), [("seg__encoder", "resnet81"), ("seg__architecture", "unett")])
def test_an_unknown_segmentation_name_is_met_with_near_matches(key, value):
    params = small_params(**{key: value})
    with pytest.raises(ParameterError, match="did you mean"):
        train_segmenter(made_inputs(params, side=32), params, [], runtime=ONE)
