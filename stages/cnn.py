"""Train one image classifier in every resample."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.reading import load_settings, require_name
from busline.training.pool import warm_up


def main(
    model: Annotated[str, typer.Argument(help="Key of cnn.models.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the model's predictions, learning curves and one network a resample.

    Reads the cohort's images, the splits and the model's initial weights. The network learns from the fit cases and
    stops on the stop cases; the weigh cases are kept for choosing the voting weight.
    """
    warm_up("busline.studies.cnn")
    from busline.base.artifacts import atomic_folder, load_tensors, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import NO_IMAGES, skip
    from busline.studies.cnn import CnnSettings, run_cnn
    from busline.studies.inputs import load_inputs
    from busline.studies.networks import save_states

    settings = load_settings(CnnSettings, params_file)
    require_name("image model", model, settings.cnn.models)
    weights = root / "data/weights" / model / "weights.safetensors"
    pretrained = load_tensors(weights) if settings.cnn.models[model].weights else None
    inputs = load_inputs(
        root, settings.split.classes, image_side=settings.cnn.image_size, repeats=settings.cv.image_repeats
    )
    curves, predictions = (root / f"data/{kind}/cnn/{model}.parquet" for kind in ("curves", "predictions"))
    if inputs.images is None:
        skip(NO_IMAGES, tables=[curves, predictions], folders=[root / "data/models/cnn" / model])
        return
    study = run_cnn(
        inputs,
        settings,
        model,
        augmentation=settings.cnn.augmentation,
        runtime=load_runtime(),
        pretrained=pretrained,
    )
    with atomic_folder(root / "data/models/cnn" / model) as folder:
        save_states(study.states, folder)
    save_table(study.curves, curves)
    save_table(study.predictions, predictions)


if __name__ == "__main__":
    run_stage(main)
