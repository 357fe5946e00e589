"""Train the segmentation network in every resample."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.reading import load_settings
from busline.training.pool import warm_up


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write each test case's predicted and true outline, and learning curves; score nothing.

    Reads the cohort's images and masks, the splits and the encoder's initial weights.
    """
    warm_up("busline.studies.segment")
    from busline.base.artifacts import atomic_folder, load_tensors, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import NO_IMAGES, NO_MASKS, skip
    from busline.cohort.store import load_cohort, stored_masks
    from busline.splits import MASTER
    from busline.studies.inputs import load_inputs
    from busline.studies.networks import save_states
    from busline.studies.segment import SegmentSettings, run_segment

    settings = load_settings(SegmentSettings, params_file)
    weights = root / "data/weights/seg/weights.safetensors"
    pretrained = load_tensors(weights) if settings.seg.weights else None
    inputs = load_inputs(
        root, settings.split.classes, image_side=settings.seg.image_size, repeats=settings.cv.image_repeats
    )
    models = root / "data/models/segment"
    places = [root / "data/curves/segment/segment.parquet", root / "data/predictions/segment/outlines.parquet"]
    if inputs.images is None or inputs.masks is None:
        skip(NO_IMAGES if inputs.images is None else NO_MASKS, tables=places, folders=[models])
        return
    truth = stored_masks(load_cohort(root / "data/cohort"), inputs.case_ids)
    study = run_segment(inputs, settings, truth, runtime=load_runtime(), pretrained=pretrained)
    with atomic_folder(models) as folder:
        save_states({(MASTER, MASTER): study.final}, folder)
    for table, place in zip((study.curves, study.outlines), places, strict=True):
        save_table(table, place)


if __name__ == "__main__":
    run_stage(main)
