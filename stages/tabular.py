"""Fit one tabular model in every resample."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.reading import load_settings
from busline.base.settings.tabular import TabularName
from busline.training.pool import warm_up


def main(
    model: Annotated[TabularName, typer.Argument(help="Model to fit.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the model's predictions and the model fitted on the master split; for dnn also its networks.

    Reads the pruned columns and the splits. Every model is fitted twice a resample: on all training cases, and without
    the cases on which the voting weight is chosen.
    """
    warm_up("busline.studies.dnn" if model == "dnn" else "busline.studies.tabular")
    from busline.base.artifacts import atomic_folder, save_json, save_table
    from busline.base.runtime import load_runtime
    from busline.studies.inputs import load_inputs

    runtime = load_runtime()
    models = root / "data/models/tabular" / model
    if model == "dnn":
        from busline.studies.dnn import DnnSettings, run_dnn
        from busline.studies.networks import save_states

        dnn = load_settings(DnnSettings, params_file)
        study = run_dnn(load_inputs(root, dnn.split.classes), dnn, runtime=runtime)
        predictions, curves = study.predictions, study.curves
        with atomic_folder(models) as folder:
            save_states(study.states, folder)
    else:
        from busline.models.tabular import save_classifier
        from busline.studies.tabular import TabularSettings, run_tabular

        settings = load_settings(TabularSettings, params_file)
        inputs = load_inputs(root, settings.split.classes)
        predictions, final = run_tabular(inputs, settings, model, runtime=runtime)
        curves = predictions.iloc[:0][["repeat", "fold"]]  # only networks have learning curves
        with atomic_folder(models) as folder:
            save_json(final.encoder.to_dict(), folder / "encoder.json")
            save_classifier(model, final.estimator, folder)
    save_table(curves, root / f"data/curves/tabular/{model}.parquet")
    save_table(predictions, root / f"data/predictions/tabular/{model}.parquet")


if __name__ == "__main__":
    run_stage(main)
