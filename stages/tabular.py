"""Fit one tabular model in every resample."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.shared import TableShared
from busline.base.settings.tabular import CLASSICAL, Classical, Dnn, TabularName
from busline.training.pool import warm_up

KINDS: dict[str, type[Classical | Dnn]] = {**CLASSICAL, "dnn": Dnn}


def main(
    model: Annotated[TabularName, typer.Argument(help="Model to fit.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the model's predictions, and for every resample the two models with the encoders of their tables.

    Reads its settings, the pruned columns and the splits. Every model is fitted twice a resample: on all training
    cases, and without the cases on which the voting weight is chosen.
    """
    shared, cohort = load_settings(TableShared, params_file), load_settings(DataSettings, params_file).data.main
    warm_up(shared.train.kernels, "busline.studies.dnn" if model == "dnn" else "busline.studies.tabular")
    from busline.base.artifacts import atomic_folder, save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import skip
    from busline.families import TABULAR
    from busline.predictors.files import save_table_networks, stem_of
    from busline.predictors.tabular import TableFile, save_classical
    from busline.studies.inputs import load_inputs
    from busline.studies.tabular import run_tabular

    seed, path = shared.seed.train, root / f"data/settings/tabular/{model}.json"
    inputs, runtime = load_inputs(root, cohort, shared.split.ordered), load_runtime()
    models = root / "data/models/tabular" / model
    places = [root / f"data/{kind}/tabular/{model}.parquet" for kind in ("curves", "predictions")]
    if reason := inputs.no_table:
        skip(reason, tables=places, folders=[models])
        return
    settings = load_model_settings(KINDS[model], path)
    file = TableFile(family=TABULAR.key, model=model, classes=shared.split.ordered, settings=settings)
    if isinstance(settings, Dnn):
        from busline.studies.dnn import run_dnn

        study = run_dnn(inputs, settings, seed=seed, train=shared.train, runtime=runtime)
        predictions, curves = study.predictions, study.curves
        with atomic_folder(models) as folder:
            save_table_networks(folder, file, {stem_of(*key): one for key, one in study.networks.items()})
    else:
        predictions, fits = run_tabular(inputs, settings, model, seed=seed, runtime=runtime)
        curves = predictions.iloc[:0][["scheme", "repeat", "fold"]]  # only networks have learning curves
        with atomic_folder(models) as folder:
            save_classical(folder, file, fits)
    for table, place in zip((curves, predictions), places, strict=True):
        save_table(table, place)
    inputs.warn_of_constants(predictions, model, settings)


if __name__ == "__main__":
    run_stage(main)
