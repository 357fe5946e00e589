"""Train one segmentation network in every resample."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.segmentation import SegmenterSettings
from busline.base.settings.shared import ImageShared
from busline.training.pool import warm_up


def main(
    model: Annotated[str, typer.Argument(help="Key of seg.models.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write each test case's predicted and true outline, and learning curves; score nothing.

    Reads the model's settings and initial weights, the cohort's images and masks, and the splits.
    """
    shared = load_settings(ImageShared, params_file)
    warm_up(shared.train.kernels, "busline.studies.segment")
    from busline.base.artifacts import atomic_folder, load_tensors, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import NO_IMAGES, NO_MASKS, skip
    from busline.cohort.store import load_cohort, stored_masks
    from busline.families import SEGMENT
    from busline.predictors.files import save_networks
    from busline.predictors.segment import SegmenterFile
    from busline.studies.inputs import load_inputs
    from busline.studies.segment import run_segment

    settings = load_model_settings(SegmenterSettings, root / f"data/settings/seg/{model}.json")
    pretrained = load_tensors(root / f"data/weights/seg/{model}/weights.safetensors") if settings.start else None
    cohort = load_settings(DataSettings, params_file).data.main
    side, repeats = settings.image_size, shared.cv.image_repeats
    inputs, runtime = load_inputs(root, cohort, shared.split.ordered, image_side=side, repeats=repeats), load_runtime()
    models = root / "data/models/segment" / model
    places = [root / f"data/{kind}/segment/{model}.parquet" for kind in ("curves", "predictions")]
    if inputs.images is None or inputs.masks is None:
        skip(NO_IMAGES if inputs.images is None else NO_MASKS, tables=places, folders=[models])
        return
    truth = stored_masks(load_cohort(root / "data/cohort" / cohort), inputs.case_ids)
    seed, train = shared.seed.train, shared.train
    study = run_segment(inputs, settings, model, truth, seed=seed, train=train, runtime=runtime, pretrained=pretrained)
    with atomic_folder(models) as folder:
        file = SegmenterFile(family=SEGMENT.key, model=model, settings=settings, precision=shared.train.precision)
        save_networks(folder, file, study.states)
    for table, place in zip((study.curves, study.outlines), places, strict=True):
        save_table(table, place)


if __name__ == "__main__":
    run_stage(main)
