"""Train the lesion network for every pair of left-out folds."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.lesion import LesionBody
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.shared import TrainSettings
from busline.training.pool import warm_up


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write out-of-fold outlines, what each network says of the cases it left out, learning curves, the networks.

    Reads the cohort, the splits and the pre-trained weights. Of the cohort's table it reads what a radiologist noted,
    as targets of training beside the masks; only images are inputs of the network.
    """
    warm_up(load_settings(TrainSettings, params_file).train.kernels, "busline.studies.lesion")
    from busline.base.artifacts import atomic_folder, load_table, load_tensors, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import NO_IMAGES, NO_MASKS, NOT_BINARY, skip
    from busline.predictors.lesion_segment import save_lesion_networks
    from busline.studies.inputs import load_inputs
    from busline.studies.lesion import LesionSettings, run_lesion
    from busline.studies.lesion_cases import load_lesion_cases

    settings = load_settings(LesionSettings, params_file)
    places = [
        root / "data/lesion/outputs.parquet",
        root / "data/curves/lesion/lesion.parquet",
        root / "data/predictions/lesion_segment/lesion.parquet",
    ]
    models = root / "data/models/lesion_segment"
    if not settings.lesion.networks or len(settings.split.classes) > 2:
        skip(NOT_BINARY if settings.lesion.networks else "lesion.networks is 0", tables=places, folders=[models])
        return
    cohort = load_settings(DataSettings, params_file).data.main
    known = load_table(root / "data/cohort" / cohort / "cases.parquet")
    inputs = load_inputs(root, cohort, settings.split.ordered, repeats=settings.cv.image_repeats)
    if inputs.no_classes or not known["has_mask"].any():
        lacking = NO_MASKS if (known["width"] > 0).any() else NO_IMAGES
        skip(inputs.no_classes or lacking, tables=places, folders=[models])
        return
    cases = load_lesion_cases(root / "data/cohort" / cohort, inputs.case_ids, settings.split.positive)
    tensors = load_tensors(root / "data/models/pretrain/lesion.safetensors")
    initial = {name: value.numpy() for name, value in tensors.items()}
    body = load_model_settings(LesionBody, root / "data/settings/lesion/lesion.json")
    study = run_lesion(inputs, cases, settings, body, initial, runtime=load_runtime())
    with atomic_folder(models) as folder:
        canvas, precision = cases.images.shape[-1], settings.train.precision
        save_lesion_networks(folder, settings.lesion, body, precision, canvas, study.states)
    for table, place in zip((study.outputs, study.curves, study.outlines), places, strict=True):
        save_table(table, place)


if __name__ == "__main__":
    run_stage(main)
