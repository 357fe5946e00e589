"""Train the custom CNN under one level of augmentation."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.images import CUSTOM, ImageSettings
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.shared import ImageShared
from busline.training.pool import warm_up


def main(
    level: Annotated[str, typer.Argument(help="Key of augmentation.levels.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the custom CNN's predictions and learning curves under the level (Chowdhary & Dennis 2026, Table 6).

    Reads the level's settings, the cohort's images and the splits. Networks start from the same weights at every
    level. The result feeds nothing: the study goes on with cnn.augmentation.
    """
    shared = load_settings(ImageShared, params_file)
    warm_up(shared.train.kernels, "busline.studies.cnn")
    from busline.base.artifacts import save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import skip
    from busline.families import ALL, WITHOUT_TUNE
    from busline.studies.cnn import run_cnn
    from busline.studies.inputs import load_inputs

    settings = load_model_settings(ImageSettings, root / f"data/settings/augmentation/{level}.json")
    cohort = load_settings(DataSettings, params_file).data.main
    side, repeats = settings.image_size, shared.cv.image_repeats
    inputs = load_inputs(root, cohort, shared.split.ordered, image_side=side, repeats=repeats)
    curves, predictions = (root / f"data/{kind}/augmentation/{level}.parquet" for kind in ("curves", "predictions"))
    if reason := inputs.no_pictures:
        skip(reason, tables=[curves, predictions])
        return
    seed, train, fits = shared.seed.train, shared.train, (ALL if settings.fit_all else WITHOUT_TUNE,)
    study = run_cnn(
        inputs, settings, CUSTOM, seed=seed, train=train, runtime=load_runtime(), fits=fits, keep_states=False
    )
    save_table(study.curves.assign(model=level), curves)
    save_table(study.predictions, predictions)
    inputs.warn_of_constants(study.predictions, f"{CUSTOM} at level {level}")


if __name__ == "__main__":
    run_stage(main)
