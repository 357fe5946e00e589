"""Learn initial weights of the lesion network from phantoms."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.processor import choose_kernels
from busline.base.settings.reading import load_settings
from busline.base.settings.shared import TrainSettings


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the network's tensors and its learning curve. Nothing is read but the parameters."""
    choose_kernels(load_settings(TrainSettings, params_file).train.kernels)
    import pandas as pd

    from busline.base.artifacts import atomic_folder, save_table
    from busline.base.runtime import load_runtime
    from busline.predictors.files import save_state
    from busline.studies.pretrain import PretrainSettings, run_pretrain

    settings = load_settings(PretrainSettings, params_file)
    result = run_pretrain(settings, runtime=load_runtime())
    with atomic_folder(root / "data/models/pretrain") as folder:
        save_state(result.state, folder / "lesion.safetensors")
        save_table(pd.DataFrame(list(result.curve)), folder / "curve.parquet")


if __name__ == "__main__":
    run_stage(main)
