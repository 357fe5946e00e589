"""Small stored models of every family, untrained or fitted to a few rows: what a stage leaves, without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from busline.base.artifacts import save_table
from busline.base.params import Params
from busline.base.settings.lesion import LesionBody
from busline.base.settings.models import image_settings, merged_settings, segmenter_settings
from busline.base.settings.tabular import CLASSICAL
from busline.evaluation.vote import WEIGHTS
from busline.families import CNN, LESION_SEGMENT, MERGED, SEGMENT, TABULAR
from busline.models.combiner import ClinicalColumns, fit_combiner
from busline.models.diagnosis import MODELS, Diagnosis, design_rows, mean_views
from busline.models.encoding import TableEncoder
from busline.models.images import build_image_model
from busline.models.lesion import build_lesion_network
from busline.models.merged import build_merged
from busline.models.mlp import Mlp
from busline.models.segmentation import build_segmenter
from busline.models.tabular import fit_classifier
from busline.predictors.cnn import ImageFile
from busline.predictors.files import TableNetwork, save_networks, save_table_networks, stem_of
from busline.predictors.lesion import save_diagnoses
from busline.predictors.lesion_segment import save_lesion_networks
from busline.predictors.merged import MergedFile
from busline.predictors.segment import SegmenterFile
from busline.predictors.tabular import FittedTable, TableFile, save_classical
from busline.splits import CV, Resample
from busline.studies.inputs import StudyInputs
from busline.training.two_views import OUTPUTS

FOLD = Resample(CV, 0, 0)
IMAGE = "custom_cnn"
CLASSES = ["benign", "malignant"]
CANVAS = 40
KINDS = ("all", "without_tune")


def state_of(network):
    return {name: value.numpy() for name, value in network.state_dict().items()}


def save_models(data: Path, inputs: StudyInputs, params: Params) -> dict[str, FittedTable]:
    """Write a model of every family for :data:`FOLD`; return the classical ones as they were fitted."""
    torch.manual_seed(3)
    encoder = TableEncoder.fit(inputs.table, inputs.numeric, inputs.categorical)
    models, features = data / "models", len(encoder.names)
    fitted = {}
    for name in CLASSICAL:
        settings = getattr(params.tabular.models, name)
        estimator = fit_classifier(name, settings, encoder.transform(inputs.table), inputs.labels, seed=1)
        fitted[name] = FittedTable(encoder, estimator)
        file = TableFile(family=TABULAR.key, model=name, classes=CLASSES, settings=settings)
        save_classical(models / TABULAR.key / name, file, {(FOLD, kind): fitted[name] for kind in KINDS})
    dnn = params.tabular.models.dnn
    network = TableNetwork(encoder, state_of(Mlp(features, dnn.hidden, dnn.dropout)))
    file = TableFile(family=TABULAR.key, model="dnn", classes=CLASSES, settings=dnn)
    save_table_networks(models / TABULAR.key / "dnn", file, {stem_of(FOLD, kind): network for kind in KINDS})
    save_image_models(models, params, encoder)
    save_lesion_models(models, inputs, params)
    row = {"tabular": "logreg", "image": IMAGE, **FOLD._asdict(), "weight": 0.25, "low": 0.0, "high": 0.5}
    weights = pd.DataFrame([{**row, "tune_auc": 0.5, "n_tune": 4}])[list(WEIGHTS)]
    save_table(weights, data / "vote/weights.parquet")
    return fitted


def save_image_models(models: Path, params: Params, encoder: TableEncoder) -> None:
    settings = image_settings(params.cnn, params.augmentation, IMAGE)
    states = {stem_of(FOLD): state_of(build_image_model(settings.model, settings.image_size))}
    image = ImageFile(family=CNN.key, model=IMAGE, classes=CLASSES, settings=settings, precision="fp32")
    save_networks(models / CNN.key / IMAGE, image, states)
    joint = merged_settings(params, IMAGE)
    network = TableNetwork(encoder, state_of(build_merged(joint, len(encoder.names))))
    file = MergedFile(family=MERGED.key, model=IMAGE, classes=CLASSES, settings=joint, precision="fp32")
    save_table_networks(models / MERGED.key / IMAGE, file, {stem_of(FOLD): network})
    own = segmenter_settings(params.seg, params.augmentation, "unet")
    file = SegmenterFile(family=SEGMENT.key, model="unet", settings=own, precision="fp32")
    save_networks(
        models / SEGMENT.key / "unet",
        file,
        {stem_of(FOLD): state_of(build_segmenter(own.architecture, own.encoder, own.image_size))},
    )


def save_lesion_models(models: Path, inputs: StudyInputs, params: Params) -> None:
    keys = [(0, 0, 1, 0), (0, 0, 2, 0), (0, 1, 2, 0)]
    body = LesionBody(encoder="own", start=None)
    states = {key: state_of(build_lesion_network(body)) for key in keys}
    save_lesion_networks(models / LESION_SEGMENT.key, params.lesion, body, "fp32", CANVAS, states)
    generator, count = np.random.default_rng(2), len(inputs.labels)
    numbers = pd.DataFrame(generator.normal(size=(count, len(OUTPUTS))), columns=list(OUTPUTS))
    numbers = mean_views(numbers.assign(position=np.arange(count)))
    diagnoses = {}
    for name, (columns, with_clinical) in MODELS.items():
        clinical = ClinicalColumns.fit(inputs.table, inputs.numeric, inputs.categorical) if with_clinical else None
        rows, names = design_rows(numbers, inputs.table, columns, clinical), [*columns]
        names += clinical.names if clinical else []
        combiner = fit_combiner(rows, inputs.labels, np.arange(count), names, seed=0)
        diagnoses[name] = {FOLD: Diagnosis(columns, clinical, combiner)}
    save_diagnoses(models / "lesion", diagnoses)
