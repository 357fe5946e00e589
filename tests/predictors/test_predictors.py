"""Stored models of every family: applied to cases they never saw, or refused with the stage to run again."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import save_table
from busline.base.errors import DataError
from busline.families import FAMILIES
from busline.models.diagnosis import MODELS as DIAGNOSES
from busline.predictors.cases import Cases
from busline.predictors.table import PREDICTORS, load_predictor
from busline.predictors.tabular import load_tabular
from busline.splits import CV, MASTER, Resample
from made_damage import CASES, CLASSICAL, edit_json
from made_inputs import made_inputs, small_params
from made_models import CANVAS, FOLD, IMAGE, save_models

PARAMS = small_params(seg__encoder="resnet18", lesion__networks=1, cv__folds=3)
MODELS = [
    *(("tabular", name) for name in (*CLASSICAL, "dnn")),
    ("cnn", IMAGE),
    ("vote", f"logreg+{IMAGE}"),
    ("merged", IMAGE),
    *(("lesion", name) for name in DIAGNOSES),
    ("lesion_segment", "lesion"),
    ("segment", "unet"),
]
SEES_TABLE = [one for one in MODELS if one[0] in ("tabular", "vote", "merged") or "clinical" in one[1]]
SEES_IMAGES = [one for one in MODELS if one[0] != "tabular"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    data, inputs = tmp_path_factory.mktemp("models"), made_inputs(PARAMS, cases=90)
    return data, inputs, save_models(data, inputs, PARAMS)


def load(data, model, resample=FOLD):
    return load_predictor(data, FAMILIES[model[0]], model[1], resample)


def unseen(count=5, seed=9, **columns):
    """Pictures of their own sizes and rows as no training case had them."""
    generator = np.random.default_rng(seed)
    sizes = [(30 + place % 3, 34 + place % 5) for place in range(count)]
    pictures = [generator.integers(0, 256, size).astype(np.uint8) for size in sizes]
    table = {"Age": generator.normal(50, 9, count), "Signs": ["no", "palpable"] * count, "other": 1}
    table["Signs"] = table["Signs"][:count]
    return Cases(pd.DataFrame({**table, **columns}), pictures, [0.1] * count)


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_family_that_is_reported_has_a_predictor_and_no_other():
    assert set(PREDICTORS) == {key for key, family in FAMILIES.items() if not family.search}
    assert {family for family, _ in MODELS} == set(PREDICTORS)


@pytest.mark.parametrize("model", MODELS, ids="/".join)
def test_what_is_said_of_a_case_does_not_depend_on_the_cases_beside_it(stored, model):
    predictor, cases = load(stored[0], model), unseen(19)
    together = predictor.predict(cases)
    assert len(together) == 19
    order = np.random.default_rng(0).permutation(19)[:7]
    some = Cases(cases.table.iloc[order], [cases.pictures[i] for i in order], [0.1] * 7)
    assert same(predictor.predict(some), [together[i] for i in order])
    assert same(load(stored[0], model).predict(cases), together)


@pytest.mark.parametrize("model", [one for one in MODELS if "segment" not in one[0]], ids="/".join)
def test_a_probability_is_one(stored, model):
    found = load(stored[0], model).predict(unseen(6))
    assert found.shape == (6, 2)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
    assert len(set(found[:, 1])) > 1


@pytest.mark.parametrize("model", MODELS, ids="/".join)
def test_nothing_is_looked_at_but_what_a_model_may_see(stored, model):
    """Other columns and the size of a pixel may be anything; only the models that say scale know the latter."""
    predictor, cases = load(stored[0], model), unseen(9)
    generator = np.random.default_rng(5)
    noise = {"other": generator.random(9), "Pixel_size": generator.random(9), "label": "malignant", "BIRADS": "5"}
    known = predictor.predict(cases)
    assert same(predictor.predict(Cases(cases.table.assign(**noise), cases.pictures, cases.pixel_mm)), known)
    scaled = predictor.predict(Cases(cases.table, cases.pictures, generator.uniform(0.01, 1.0, 9).tolist()))
    assert same(scaled, known) == ("scale" not in model[1])


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_classical_model_comes_back_to_the_last_bit(stored, name):
    data, inputs, fitted = stored
    found = load_tabular(data, name, FOLD).predict(Cases(inputs.table))
    np.testing.assert_array_equal(found, fitted[name].score(inputs.table))


@pytest.mark.parametrize("model", SEES_TABLE, ids="/".join)
def test_unseen_categories_and_missing_values_are_answered(stored, model):
    ages, signs = [40.0, np.nan, 1e6, -5.0, np.nan], ["redness", None, "palpable", np.nan, "palpable&scar"]
    predictor = load(stored[0], model)
    found = predictor.predict(unseen(Age=ages, Signs=signs))
    assert np.isfinite(found).all()
    whole = predictor.predict(unseen(Age=pd.array([40, None, 1000000, -5, None], dtype="Int64"), Signs=signs))
    np.testing.assert_array_equal(whole, found)


@pytest.mark.parametrize("model", SEES_TABLE, ids="/".join)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns=["Age", "Signs"]), "'Age' is missing; column 'Signs' is missing"),
        (lambda table: table.assign(Age="old"), "'Age' has values that are no finite numbers"),
        (lambda table: table.assign(Age=np.inf), "'Age' has values that are no finite numbers"),
    ],
    ids=["missing", "text", "infinite"],
)
def test_a_table_without_what_was_learnt_from_is_refused(stored, model, change, message):
    cases = unseen()
    with pytest.raises(DataError, match=message):
        load(stored[0], model).predict(Cases(change(cases.table), cases.pictures, cases.pixel_mm))


@pytest.mark.parametrize("model", SEES_IMAGES, ids="/".join)
def test_cases_without_pictures_are_refused(stored, model):
    predictor, table, pictures = load(stored[0], model), unseen().table, unseen().pictures
    empty, colour, float_ = np.empty((0, 0), np.uint8), np.zeros((9, 9, 3), np.uint8), pictures[0].astype(float)
    for given in (None, *([*pictures[:4], one] for one in (empty, colour, float_))):
        with pytest.raises(DataError, match="no gray picture"):
            predictor.predict(Cases(table, given))


def test_no_cases_or_as_many_as_there_are_not_are_refused():
    with pytest.raises(DataError, match="there is none"):
        Cases(pd.DataFrame({"Age": []}))
    with pytest.raises(DataError, match="5 rows and 4 pictures"):
        Cases(unseen().table, unseen().pictures[:4])


@pytest.mark.parametrize("model", [one for one in SEES_IMAGES if "lesion" in one[0]], ids="/".join)
def test_a_picture_larger_than_those_of_training_changes_nothing_of_the_others(stored, model):
    predictor, cases = load(stored[0], model), unseen()
    large = np.random.default_rng(1).integers(0, 256, (CANVAS - 3, 3 * CANVAS)).astype(np.uint8)
    found = predictor.predict(Cases(cases.table, [large, *cases.pictures[1:]], cases.pixel_mm))
    assert same(found[1:], predictor.predict(cases)[1:])
    if model[0] == "lesion_segment":
        assert [mask.shape for mask in found] == [large.shape, *(one.shape for one in cases.pictures[1:])]


@pytest.mark.parametrize(("model", "path", "stage", "damage"), CASES)
def test_a_broken_file_names_the_stage_to_run_again(stored, tmp_path, model, path, stage, damage):
    for part in ("models", "vote"):
        shutil.copytree(stored[0] / part, tmp_path / part, copy_function=link)
    file = tmp_path / path
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    damage(file)
    with pytest.raises(DataError, match=rf"{file.name.split('.')[0]}(.|\n)*--single-item {stage}\b"):
        load(tmp_path, model)


def link(source, target):
    """Not a copy: a network has megabytes, and one file alone is changed."""
    import os

    os.link(source, target)


@pytest.mark.parametrize("model", MODELS, ids="/".join)
def test_a_resample_that_was_not_run_and_a_model_that_is_not_there_are_refused(stored, model):
    with pytest.raises(DataError, match="run its stage again"):
        load(stored[0], model, Resample(CV, 3, 1))
    with pytest.raises(DataError, match="run its stage again"):
        load(stored[0], model, MASTER)
    if model[0] != "lesion_segment":  # one model, whatever it is called
        with pytest.raises(DataError, match="run its stage again"):
            load(stored[0], (model[0], "no+other"))


def test_why_a_stage_trained_nothing_is_said(tmp_path):
    folder = tmp_path / "models/cnn" / IMAGE
    folder.mkdir(parents=True)
    (folder / "skipped.json").write_text('{"skipped": "the cohort has no images"}')
    with pytest.raises(DataError, match="is missing: the cohort has no images"):
        load(tmp_path, ("cnn", IMAGE))


def test_a_model_of_another_family_is_refused(stored, tmp_path):
    shutil.copytree(stored[0] / "models/cnn", tmp_path / "models/cnn")
    edit_json(lambda content: content.update(family="segment"))(tmp_path / f"models/cnn/{IMAGE}/model.json")
    with pytest.raises(DataError, match=f"is of segment/{IMAGE}, not of cnn/{IMAGE}"):
        load(tmp_path, ("cnn", IMAGE))


def test_columns_come_back_in_the_order_in_which_they_were_learnt(tmp_path):
    """The order of a table's columns is its maker's; that of the alphabet would give each feature another's weight."""
    inputs = made_inputs(PARAMS, cases=90)
    generator = np.random.default_rng(4)
    table = inputs.table.assign(Zeta=generator.normal(3, 2, 90), Beta=generator.choice(["x", "y"], 90))
    turned = replace(inputs, table=table, numeric=["Zeta", "Age"], categorical=["Signs", "Beta"])
    fitted = save_models(tmp_path, turned, PARAMS)
    cases = Cases(table, unseen(90).pictures, [0.1] * 90)
    for name in CLASSICAL:
        np.testing.assert_array_equal(load(tmp_path, ("tabular", name)).predict(cases), fitted[name].score(table))
    found = load(tmp_path, ("lesion", "image_clinical"))
    assert found.diagnosis.clinical.names[0] == "Zeta"
    assert np.isfinite(found.predict(cases)).all()
    assert load(tmp_path, ("merged", IMAGE)).encoder.names[:2] == ["Zeta", "Age"]


@pytest.mark.parametrize("weight", [np.nan, -0.1, 1.5, "much"])
def test_a_weight_that_is_none_is_refused(stored, tmp_path, weight):
    for part in ("models", "vote"):
        shutil.copytree(stored[0] / part, tmp_path / part, copy_function=link)
    table = pd.read_parquet(tmp_path / "vote/weights.parquet").assign(weight=weight)
    save_table(table, tmp_path / "vote/weights.parquet")
    with pytest.raises(DataError, match=r"not one weight in \[0, 1\]"):
        load(tmp_path, ("vote", f"logreg+{IMAGE}"))
