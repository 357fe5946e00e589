"""Small made studies for the tests: clinical columns, images and masks that carry the label a little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.params import Params, load_params
from busline.splits import indices_by_role, make_splits
from busline.studies.inputs import StudyInputs

REPOSITORY = Path(__file__).parent.parent
PARAMS_FILE = Path(__file__).parent / "params.yaml"
"""What tests start from; params.yaml is the user's."""


def small_params(**changes: object) -> Params:
    """The tests' parameters with a few epochs, and ``section.key=value`` changes given with ``__``."""
    content = load_params(PARAMS_FILE).model_dump()
    for model in content["cnn"]["models"].values():
        model.update(epochs=2, batch_size=8)
        if model["fine_tune"]:
            model["fine_tune"]["epochs"] = 1
    content["tabular"]["models"]["dnn"].update(epochs=3)
    content["merged"].update(epochs=1, fine_tune_epochs=1)
    content["seg"].update(epochs=1, image_size=32, batch_size=8)
    content["cnn"].update(image_size=32)
    content["lesion"].update(image_size=32, epochs=1)
    content["lesion"]["pretrain"].update(phantoms=8, epochs=1, batch_size=4)
    content["cv"].update(folds=2, repeats=1)
    for key, value in changes.items():
        *parents, last = key.split("__")
        section = content
        for parent in parents:
            section = section[parent]
        section[last] = value
    if content["cv"]["folds"] < 3:
        content["lesion"]["networks"] = 0  # a pair of left-out folds would leave nothing
    return Params.model_validate(content)


def made_inputs(params: Params, *, cases: int = 36, side: int | None = None, seed: int = 0) -> StudyInputs:
    """A cohort of which a third is malignant: older, more often palpable, with larger and darker lesions."""
    generator = np.random.default_rng(seed)
    labels = (np.arange(cases) % 3 == 0).astype(np.int64)
    ids = [f"case{number:03d}" for number in range(cases)]
    table = pd.DataFrame(
        {
            "Age": np.where(generator.random(cases) < 0.1, np.nan, generator.normal(45 + 15 * labels, 8).round()),
            "Signs": np.where(generator.random(cases) < 0.3 + 0.4 * labels, "palpable", "no").astype(object),
        }
    )
    table.loc[generator.random(cases) < 0.15, "Signs"] = None
    frame = pd.DataFrame({"case_id": ids, "label": np.asarray(params.split.classes, dtype=object)[labels]})
    splits = make_splits(frame, np.arange(cases), params.split, params.cv, params.seed.split)
    images, masks = made_images(labels, side, generator) if side else (None, None)
    return StudyInputs(
        case_ids=ids,
        classes=params.split.classes,
        labels=labels,
        table=table,
        numeric=["Age"],
        categorical=["Signs"],
        resamples=indices_by_role(splits, ids),
        images=images,
        masks=masks,
    )


def made_images(labels: np.ndarray, side: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a dark disc: smaller and lighter for benign cases."""
    rows, columns = np.mgrid[:side, :side]
    images, masks = [], []
    for label in labels:
        x, y = generator.uniform(0.35, 0.65, 2) * side
        inside = np.hypot(rows - y, columns - x) < side * (0.15 + 0.1 * label)
        image = generator.normal(140, 25, (side, side)) - inside * (60 + 40 * label)
        images.append(np.clip(image, 0, 255).astype(np.uint8))
        masks.append(inside.astype(np.uint8) * 255)
    return np.stack(images), np.stack(masks)
