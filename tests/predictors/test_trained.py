"""Networks as a stage trains and saves them, where a stack, padding or bf16 might come between training and reading."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from busline.base.runtime import Runtime
from busline.base.settings.models import image_settings, merged_settings, segmenter_settings
from busline.families import CNN, MERGED, SEGMENT, TABULAR
from busline.models.maps import map_bytes
from busline.predictors.asking import ask_here
from busline.predictors.cases import Cases
from busline.predictors.cnn import ImageFile
from busline.predictors.files import TableNetwork, save_networks, save_table_networks, stem_of
from busline.predictors.merged import MergedFile
from busline.predictors.segment import SegmenterFile, load_segmenter
from busline.predictors.table import load_predictor
from busline.predictors.tabular import TableFile, load_tabular
from busline.studies import segment
from busline.studies.dnn import encode
from busline.studies.inputs import fold_jobs
from busline.studies.merged import MergedContext, MergedJob, train_unit
from busline.training.pool import Place
from busline.training.tasks import Seen
from made_inputs import made_inputs, small_params
from made_studies import IMAGE, train_cnn, train_dnn

PARAMS = small_params()
ONE = Runtime(workers=1)


@pytest.fixture
def inputs():
    """Some folds do not see the word that two of the cases have: their tables are a column narrower."""
    made = made_inputs(PARAMS, side=32)
    table = made.table.copy()
    table.loc[made.resamples["cv", 0, 0]["test"][:2], "Signs"] = "rare"
    return replace(made, table=table)


def cases_at(inputs, places):
    return Cases(inputs.table.iloc[places], [inputs.images[place] for place in places])


def test_a_network_of_a_stack_of_unequal_tables_comes_back_to_the_last_bit(inputs, tmp_path):
    study = train_dnn(inputs, PARAMS, runtime=ONE)
    assert len({len(network.encoder.names) for network in study.networks.values()}) > 1
    file = TableFile(family=TABULAR.key, model="dnn", classes=list(inputs.classes), settings=PARAMS.tabular.models.dnn)
    networks = {stem_of(*key): network for key, network in study.networks.items()}
    save_table_networks(tmp_path / "models/tabular/dnn", file, networks)
    ids = np.asarray(inputs.case_ids)
    for resample in inputs.resamples:
        for kind in ("all", "without_tune"):
            own = "repeat == @resample.repeat and fold == @resample.fold and trained_on == @kind"
            rows = study.predictions.query(own)
            places = [int(np.flatnonzero(ids == case)[0]) for case in rows["case_id"]]
            found = load_tabular(tmp_path, "dnn", resample, kind).predict(cases_at(inputs, places))
            np.testing.assert_array_equal(found, rows[["p_benign", "p_malignant"]])


def test_joint_networks_that_trained_as_a_stack_are_saved_without_the_padding(inputs, tmp_path):
    """As on a GPU: all folds at once."""
    settings = merged_settings(PARAMS, IMAGE)
    images = train_cnn(inputs, PARAMS, runtime=ONE).states
    tables = train_dnn(inputs, PARAMS, runtime=ONE).networks
    jobs = [
        MergedJob(
            fold,
            images[stem_of(fold.resample)],
            tables[fold.resample, "without_tune"].state,
            *encode(inputs, fold.roles["train"]),
        )
        for fold in fold_jobs(inputs)
    ]
    assert len({job.rows.shape[1] for job in jobs}) > 1
    context = MergedContext(IMAGE, settings, PARAMS.train, PARAMS.seed, inputs.images, inputs.labels, 2)
    results = train_unit(context, jobs, Place("cpu", lambda share, note: None))
    networks = {
        stem_of(job.fold.resample): TableNetwork(job.encoder, result.state)
        for job, result in zip(jobs, results, strict=True)
    }
    classes = list(inputs.classes)
    file = MergedFile(family=MERGED.key, model=IMAGE, classes=classes, settings=settings, precision="fp32")
    save_table_networks(tmp_path / "models/merged" / IMAGE, file, networks)
    for job, result in zip(jobs, results, strict=True):
        test = job.fold.roles["test"]
        found = load_predictor(tmp_path, MERGED, IMAGE, job.fold.resample).predict(cases_at(inputs, test))
        np.testing.assert_allclose(found, result.probabilities["test"], atol=1e-6)


def test_a_network_of_bf16_comes_back_to_the_last_bit(inputs, tmp_path):
    params = small_params(cnn__models__custom_cnn__epochs=1)
    train = params.train.model_copy(update={"precision": "bf16"})  # with the kernels of this process: emulated
    params = params.model_copy(update={"train": train})
    study = train_cnn(inputs, params, runtime=ONE)
    settings = image_settings(params.cnn, params.augmentation, IMAGE)
    classes = list(inputs.classes)
    file = ImageFile(family=CNN.key, model=IMAGE, classes=classes, settings=settings, precision="bf16")
    save_networks(tmp_path / "models/cnn" / IMAGE, file, study.states)
    for resample, roles in inputs.resamples.items():
        rows = study.predictions.query("repeat == @resample.repeat and fold == @resample.fold and split == 'test'")
        predictor = load_predictor(tmp_path, CNN, IMAGE, resample)
        everyone = predictor.predict(cases_at(inputs, np.arange(len(inputs.case_ids))))
        np.testing.assert_array_equal(everyone[roles["test"], 1], rows["p_malignant"])
        single = replace(predictor, file=file.model_copy(update={"precision": "fp32"}))
        assert not np.array_equal(single.predict(cases_at(inputs, roles["test"]))[:, 1], rows["p_malignant"])


@pytest.mark.parametrize(("architecture", "encoder"), [("transposed_unet", "mobilenet_v2"), ("aligned_unet", "mit_b0")])
def test_a_segmentation_network_comes_back_to_the_last_bit(inputs, tmp_path, architecture, encoder):
    params = small_params(seg__architecture=architecture, seg__encoder=encoder)
    settings = segmenter_settings(params.seg, params.augmentation, "unet")
    context = segment.SegmentContext("unet", settings, params.train, 0, inputs.images, inputs.masks, None)
    job = fold_jobs(inputs)[0]
    (result,) = segment.train_unit(context, [job], Place("cpu", lambda share, note: None))
    file = SegmenterFile(family=SEGMENT.key, model="unet", settings=settings, precision=params.train.precision)
    save_networks(tmp_path / "models/segment/unet", file, {stem_of(job.resample): result.state})
    predictor, cases = load_segmenter(tmp_path, "unet", job.resample), cases_at(inputs, job.roles["test"])
    for name, value in predictor.network.state_dict().items():
        np.testing.assert_array_equal(value, result.state[name])
    maps = ask_here(predictor.network, Seen(torch.from_numpy(cases.squares(32))), params.train.precision, torch.sigmoid)
    np.testing.assert_array_equal(map_bytes(maps[:, 0]), result.probabilities["test"])
    assert len(np.unique(result.probabilities["test"])) > 20
    shapes = [outline.shape for outline in predictor.predict(cases)]
    assert shapes == [(32, 32)] * len(job.roles["test"])
