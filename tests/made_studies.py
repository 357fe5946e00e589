"""The training studies as their stages call them, with the settings that the stage `settings` would write."""

from __future__ import annotations

from busline.base.params import Params
from busline.base.settings.models import encoder_start, image_settings, merged_settings, segmenter_settings
from busline.studies.cnn import run_cnn
from busline.studies.dnn import run_dnn
from busline.studies.merged import run_merged
from busline.studies.segment import run_segment
from busline.studies.tabular import run_tabular

IMAGE = "custom_cnn"


def shared(params: Params) -> dict:
    return {"seed": params.seed.train, "train": params.train}


def fit_tabular(inputs, params: Params, name: str, *, runtime):
    return run_tabular(inputs, getattr(params.tabular.models, name), name, seed=params.seed.train, runtime=runtime)


def train_dnn(inputs, params: Params, *, runtime):
    return run_dnn(inputs, params.tabular.models.dnn, **shared(params), runtime=runtime)


def train_cnn(inputs, params: Params, *, runtime, level=None, **more):
    settings = image_settings(params.cnn, params.augmentation, IMAGE, level=level)
    return run_cnn(inputs, settings, IMAGE, **shared(params), runtime=runtime, **more)


def train_merged(inputs, params: Params, images, tables, *, runtime):
    return run_merged(inputs, merged_settings(params, IMAGE), IMAGE, images, tables, **shared(params), runtime=runtime)


def train_segmenter(inputs, params: Params, truth, *, runtime, name="unet", **more):
    start = encoder_start(params, name)
    settings = segmenter_settings(params.seg, params.augmentation, name, start=start)
    return run_segment(inputs, settings, name, truth, **shared(params), runtime=runtime, **more)
