"""Join the tabular network and one image network of the same repeat and fold."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.merged import MergedSettings
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.shared import ImageShared
from busline.training.pool import warm_up


def main(
    model: Annotated[str, typer.Argument(help="Image model to join, a key of cnn.models.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the joint network's predictions, learning curves and one network a resample.

    Chowdhary & Dennis 2026, Table 8, "Merged". Reads its settings, the cohort's images, the pruned columns, the splits,
    and the networks of dnn and of the image model.
    """
    shared = load_settings(ImageShared, params_file)
    warm_up(shared.train.kernels, "busline.studies.merged")
    from busline.base.artifacts import atomic_folder, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import skip
    from busline.families import CNN, MERGED, TABULAR, WITHOUT_TUNE
    from busline.predictors.files import folder_of, load_states, save_table_networks, stem_of
    from busline.predictors.merged import MergedFile
    from busline.studies.inputs import load_inputs
    from busline.studies.merged import run_merged

    settings = load_model_settings(MergedSettings, root / f"data/settings/merged/{model}.json")
    cohort = load_settings(DataSettings, params_file).data.main
    side, repeats = settings.image.image_size, shared.cv.image_repeats
    inputs = load_inputs(root, cohort, shared.split.ordered, image_side=side, repeats=repeats)
    curves, predictions = (root / f"data/{kind}/merged/{model}.parquet" for kind in ("curves", "predictions"))
    models = root / "data/models/merged" / model
    if reason := inputs.no_pictures or inputs.no_table:
        skip(reason, tables=[curves, predictions], folders=[models])
        return
    fit = WITHOUT_TUNE if settings.image.fit_all else ""
    images = load_states(inputs.resamples, folder_of(root / "data", CNN, model), fit)
    tables = load_states(inputs.resamples, folder_of(root / "data", TABULAR, "dnn"), WITHOUT_TUNE)
    study = run_merged(
        inputs, settings, model, images, tables, seed=shared.seed.train, train=shared.train, runtime=load_runtime()
    )
    with atomic_folder(models) as folder:
        classes, precision = shared.split.ordered, shared.train.precision
        file = MergedFile(family=MERGED.key, model=model, classes=classes, settings=settings, precision=precision)
        save_table_networks(folder, file, {stem_of(key): one for key, one in study.networks.items()})
    save_table(study.curves, curves)
    save_table(study.predictions, predictions)
    inputs.warn_of_constants(study.predictions, f"dnn+{model}")


if __name__ == "__main__":
    run_stage(main)
