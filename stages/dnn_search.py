"""Search the tabular network's hidden units and dropout rate."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_settings
from busline.base.settings.shared import TrainSettings
from busline.training.pool import warm_up


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the out-of-fold predictions of every network of the grid (Chowdhary & Dennis 2026, Table 5).

    Reads the pruned columns and the splits. The result feeds nothing: the study goes on with tabular.models.dnn.
    """
    warm_up(load_settings(TrainSettings, params_file).train.kernels, "busline.studies.dnn")
    from busline.base.artifacts import save_table
    from busline.base.runtime import load_runtime
    from busline.base.skipped import skip
    from busline.studies.dnn import DnnSearchSettings, run_dnn_search
    from busline.studies.inputs import load_inputs

    settings = load_settings(DnnSearchSettings, params_file)
    cohort = load_settings(DataSettings, params_file).data.main
    inputs = load_inputs(root, cohort, settings.split.ordered)
    places = [root / f"data/{kind}/dnn_search/dnn.parquet" for kind in ("predictions", "curves")]
    if not (settings.dnn_search.hidden and settings.dnn_search.dropout):
        skip("dnn_search.hidden or dnn_search.dropout is empty", tables=places)
        return
    if reason := inputs.no_table:
        skip(reason, tables=places)
        return
    predictions, curves = run_dnn_search(inputs, settings, runtime=load_runtime())
    for table, place in zip((predictions, curves), places, strict=True):
        save_table(table, place)
    for (hidden, dropout), rows in predictions.groupby(["hidden", "dropout"]):
        inputs.warn_of_constants(rows, f"dnn of {hidden} units and dropout {dropout}")


if __name__ == "__main__":
    run_stage(main)
