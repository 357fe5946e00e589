"""Make the initial weights of the lesion network: those of its encoder, and what phantoms teach."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.processor import choose_kernels
from busline.base.settings.lesion import LesionBody
from busline.base.settings.reading import load_model_settings, load_settings
from busline.base.settings.shared import TrainSettings


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the network's tensors and its learning curve. No case of a cohort is read."""
    choose_kernels(load_settings(TrainSettings, params_file).train.kernels)
    import pandas as pd

    from busline.base.artifacts import atomic_folder, load_tensors, save_table
    from busline.base.runtime import load_runtime
    from busline.predictors.files import save_state
    from busline.studies.pretrain import PretrainSettings, run_pretrain

    settings = load_settings(PretrainSettings, params_file)
    body = load_model_settings(LesionBody, root / "data/settings/lesion/lesion.json")
    pretrained = load_tensors(root / "data/weights/lesion/lesion/weights.safetensors") if body.start else None
    result = run_pretrain(settings, body, runtime=load_runtime(), pretrained=pretrained)
    with atomic_folder(root / "data/models/pretrain") as folder:
        save_state(result.state, folder / "lesion.safetensors")
        save_table(pd.DataFrame(list(result.curve)), folder / "curve.parquet")


if __name__ == "__main__":
    run_stage(main)
