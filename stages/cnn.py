"""Train one image classifier in every resample."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.images import ImageSettings
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.shared import ImageShared
from busline.training.pool import warm_up


def main(
    model: Annotated[str, typer.Argument(help="Key of cnn.models.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the model's predictions, learning curves and one network a resample.

    Reads the model's settings and initial weights, the cohort's images and the splits. The network learns from the fit
    cases and stops on the validation cases; the tuning cases are kept for choosing the voting weight.
    """
    shared = load_settings(ImageShared, params_file)
    warm_up(shared.train.kernels, "busline.studies.cnn")
    from busline.base.artifacts import atomic_folder, load_tensors, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import skip
    from busline.families import ALL, CNN, WITHOUT_TUNE
    from busline.predictors.cnn import ImageFile
    from busline.predictors.files import save_networks
    from busline.studies.cnn import run_cnn
    from busline.studies.inputs import load_inputs

    settings = load_model_settings(ImageSettings, root / f"data/settings/cnn/{model}.json")
    weights = root / f"data/weights/cnn/{model}/weights.safetensors"
    pretrained = load_tensors(weights) if settings.start else None
    cohort = load_settings(DataSettings, params_file).data.main
    side, repeats, precision = settings.image_size, shared.cv.image_repeats, shared.train.precision
    classes = shared.split.ordered
    inputs = load_inputs(root, cohort, classes, image_side=side, repeats=repeats)
    curves, predictions = (root / f"data/{kind}/cnn/{model}.parquet" for kind in ("curves", "predictions"))
    if reason := inputs.no_pictures:
        skip(reason, tables=[curves, predictions], folders=[root / "data/models/cnn" / model])
        return
    seed, train = shared.seed.train, shared.train
    fits = (ALL, WITHOUT_TUNE) if settings.fit_all else (WITHOUT_TUNE,)
    study = run_cnn(
        inputs, settings, model, seed=seed, train=train, runtime=load_runtime(), fits=fits, pretrained=pretrained
    )
    with atomic_folder(root / "data/models/cnn" / model) as folder:
        file = ImageFile(family=CNN.key, model=model, classes=classes, settings=settings, precision=precision)
        save_networks(folder, file, study.states)
    save_table(study.curves, curves)
    save_table(study.predictions, predictions)
    inputs.warn_of_constants(study.predictions, model)


if __name__ == "__main__":
    run_stage(main)
