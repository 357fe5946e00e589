"""Pairs of folds: no case is judged by a network that saw it, on any number of cores."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import ParameterError
from busline.base.runtime import Runtime
from busline.base.settings.lesion import LesionBody
from busline.cohort.findings import FINDINGS
from busline.cohort.outlines import unpack_rows
from busline.studies.lesion import LesionContext, _outline, pair_jobs, run_lesion, train_unit
from busline.studies.lesion_cases import draw_lesion_cases, make_cases
from busline.studies.pretrain import run_pretrain
from busline.training.pool import run_units
from busline.training.two_views import OUTPUTS
from made_inputs import made_inputs, small_params

PARAMS = small_params(cv__folds=3)
BODY = LesionBody(encoder="own", start=None)
ONE, TWO = Runtime(workers=1), Runtime(workers=2)


def cases_of(inputs):
    frames = list(zip(inputs.images, inputs.masks, strict=True))
    generator = np.random.default_rng(1)
    findings = (generator.random((len(frames), len(FINDINGS))) < 0.3 + 0.3 * inputs.labels[:, None]).astype(np.float32)
    findings[::5, 3] = np.nan
    pixel = np.where(np.arange(len(frames)) % 7 == 0, np.nan, 0.2)
    return make_cases(frames, canvas=48, pixel_mm=pixel, labels=inputs.labels > 0, findings=findings)


@pytest.fixture(scope="module")
def made():
    inputs = made_inputs(PARAMS, cases=24, side=32)
    return inputs, cases_of(inputs), run_pretrain(PARAMS, BODY, runtime=ONE).state


@pytest.fixture(scope="module")
def study(made):
    inputs, cases, initial = made
    return run_lesion(inputs, cases, PARAMS, BODY, initial, runtime=ONE)


def test_a_network_learns_from_neither_fold_of_its_pair(made):
    inputs, _, _ = made
    jobs = pair_jobs(inputs.resamples)
    assert [(job.first, job.second) for job in jobs] == [(0, 1), (0, 2), (1, 2)]
    for job in jobs:
        tests = {fold: set(inputs.resamples["cv", 0, fold]["test"]) for fold in range(3)}
        assert set(job.left_out) == tests[job.first] | tests[job.second]
        assert set(job.learn) == set(range(24)) - set(job.left_out)


def test_two_folds_are_too_few(made):
    resamples = {key: roles for key, roles in made[0].resamples.items() if key.fold < 2}
    with pytest.raises(ParameterError, match="3 or more"):
        pair_jobs(resamples)


def test_every_case_is_judged_by_the_networks_that_left_its_fold_out(study, made):
    inputs, _, _ = made
    assert len(study.outputs) == 3 * 16
    assert (
        (study.outputs["fold"] == study.outputs["first"]) | (study.outputs["fold"] == study.outputs["second"])
    ).all()
    assert (study.outputs.groupby("case_id").size() == 2).all()
    assert study.outputs[list(OUTPUTS[:4])].notna().all().all()
    assert study.outlines["case_id"].tolist() == list(inputs.case_ids)
    folds = {inputs.case_ids[i]: fold for fold in range(3) for i in inputs.resamples["cv", 0, fold]["test"]}
    assert dict(zip(study.outlines["case_id"], study.outlines["fold"], strict=True)) == folds
    for mask, (found, true) in zip(inputs.masks, unpack_rows(study.outlines), strict=True):
        np.testing.assert_array_equal(true, mask > 0)  # 32 pixels of the canvas's 48
        assert found.shape == true.shape
    assert study.curves["val_loss"].isna().all()


def test_of_two_objects_the_main_one_is_the_outline(made):
    inputs, cases, _ = made
    maps = np.zeros_like(cases.images)
    maps[:, 2:5, 2:5] = 255
    maps[:, 10:20, 10:20] = 200
    maps[:, 14:16, 14:16] = 0  # filled
    maps[:, 40:, 40:] = 255  # beyond the pictures
    expected = np.zeros((32, 32), dtype=bool)
    expected[10:20, 10:20] = True
    for found, _ in unpack_rows(_outline(inputs, cases, 0, maps)):
        np.testing.assert_array_equal(found, expected)


def test_two_processes_write_what_one_writes(study, made):
    inputs, cases, initial = made
    other = run_lesion(inputs, cases, PARAMS, BODY, initial, runtime=TWO)
    pd.testing.assert_frame_equal(other.outputs, study.outputs)
    pd.testing.assert_frame_equal(other.curves, study.curves)
    pd.testing.assert_frame_equal(other.outlines, study.outlines)


def test_networks_of_a_pair_differ_and_are_averaged(study, made):
    inputs, cases, initial = made
    params = PARAMS.model_copy(update={"lesion": PARAMS.lesion.model_copy(update={"networks": 2})})
    context = LesionContext(params.lesion, BODY, params.train.precision, params.seed.train, cases, initial)
    jobs = pair_jobs(inputs.resamples, 2)
    assert [(job.first, job.second, job.number) for job in jobs[:3]] == [(0, 1, 0), (0, 1, 1), (0, 2, 0)]
    results = run_units(train_unit, context, [[job] for job in jobs[:2]], runtime=ONE, title="two networks")
    one, other = (result.probabilities["outputs"] for result in results)
    of_pair = (study.outputs["first"] == 0) & (study.outputs["second"] == 1)
    np.testing.assert_array_equal(one, study.outputs.loc[of_pair, list(OUTPUTS)])  # the first stays what it is alone
    assert not np.array_equal(one[:, 0], other[:, 0])
    both = run_lesion(inputs, cases, params, BODY, initial, runtime=ONE)
    np.testing.assert_allclose(both.outputs.loc[of_pair, list(OUTPUTS)], (one + other) / 2)
    assert both.outputs.shape == study.outputs.shape
    assert both.curves["fold"].nunique() == 6


def test_more_networks_a_pair_leave_the_first_in_the_cache(made, tmp_path):
    inputs, cases, initial = made
    for networks, entries in ((1, 3), (2, 6)):
        lesion = PARAMS.lesion.model_copy(update={"networks": networks})
        params = PARAMS.model_copy(update={"lesion": lesion})
        run_lesion(inputs, cases, params, BODY, initial, runtime=Runtime(workers=1, cache=tmp_path))
        assert len(list(tmp_path.rglob("*.safetensors"))) == entries


def test_labels_masks_and_findings_of_a_pairs_folds_change_nothing_that_its_network_says(study, made):
    inputs, cases, initial = made
    fold = inputs.resamples["cv", 0, 0]["test"]
    labels, masks, findings, boxes = (
        value.copy() for value in (cases.labels, cases.masks, cases.findings, cases.boxes)
    )
    labels[fold], findings[fold], masks[fold] = 1 - labels[fold], 1.0, 0
    boxes[fold] = (0, 0, 9, 9)
    planted = replace(cases, labels=labels, masks=masks, findings=findings, boxes=boxes)
    outputs = run_lesion(inputs, planted, PARAMS, BODY, initial, runtime=ONE).outputs
    without = (study.outputs["first"] == 0) | (study.outputs["second"] == 0)
    pd.testing.assert_frame_equal(outputs[without], study.outputs[without])
    assert not outputs[~without].equals(study.outputs[~without])


def test_pictures_of_a_pairs_folds_change_nothing_of_its_network(study, made):
    inputs, cases, initial = made
    fold = inputs.resamples["cv", 0, 0]["test"]
    images = cases.images.copy()
    images[fold] = 255 - images[fold]
    outputs = run_lesion(inputs, replace(cases, images=images), PARAMS, BODY, initial, runtime=ONE).outputs
    same = ((study.outputs["first"] == 0) | (study.outputs["second"] == 0)) & (study.outputs["fold"] != 0)
    pd.testing.assert_frame_equal(outputs[same], study.outputs[same])


def test_phantoms_of_the_stream_are_pure_functions_of_their_number():
    few, more = draw_lesion_cases(2, 5), draw_lesion_cases(3, 5)
    np.testing.assert_array_equal(few.images, more.images[:2])
    assert set(np.unique(more.findings)) <= {0.0, 1.0}
    assert (more.boxes[:, 2] > more.boxes[:, 0]).all()
    assert not np.array_equal(few.images, draw_lesion_cases(2, 6).images)


@pytest.mark.parametrize("phantoms", [0, 4])
def test_an_encoder_that_cannot_be_trained_on_such_pictures_is_one_error(phantoms):
    pretrain = {**PARAMS.lesion.pretrain.model_dump(), "phantoms": phantoms}
    params = small_params(cv__folds=3, lesion__pretrain=pretrain)
    for encoder, problem in (
        ("test_coatnet", r"^lesion.encoder 'test_coatnet': cannot be trained on pictures of \d+ pixels"),
        ("test_vit", r"^lesion.encoder: 'test_vit' gives maps of strides \[16, 16, 16\]"),
    ):
        with pytest.raises(ParameterError, match=problem):
            run_pretrain(params, LesionBody(encoder=encoder, start=None), runtime=ONE)


def test_without_phantoms_the_initial_weights_are_random_and_reproducible():
    params = small_params(lesion__pretrain={**PARAMS.lesion.pretrain.model_dump(), "phantoms": 0})
    one, other = (run_pretrain(params, BODY, runtime=ONE) for _ in range(2))
    assert all(np.array_equal(one.state[name], other.state[name]) for name in one.state)
    assert not one.curve
