"""Search the tabular network's hidden units and dropout rate."""

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
    """Write the out-of-fold predictions of every network of the grid (primary study, Table 5).

    Reads the pruned columns and the splits. The result feeds nothing: the study goes on with tabular.models.dnn.
    """
    warm_up("busline.studies.dnn")
    from busline.base.artifacts import save_table
    from busline.base.runtime import load_runtime
    from busline.studies.dnn import DnnSearchSettings, run_dnn_search
    from busline.studies.inputs import load_inputs

    settings = load_settings(DnnSearchSettings, params_file)
    inputs = load_inputs(root, settings.split.classes)
    predictions, curves = run_dnn_search(inputs, settings, runtime=load_runtime())
    save_table(predictions, root / "data/predictions/dnn_search/dnn.parquet")
    save_table(curves, root / "data/curves/dnn_search/dnn.parquet")


if __name__ == "__main__":
    run_stage(main)
