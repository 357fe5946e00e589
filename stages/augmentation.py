"""Train the custom CNN under one level of augmentation."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.params import load_params
from busline.training.pool import warm_up


def main(
    level: Annotated[str, typer.Argument(help="Key of augmentation.levels.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write the custom CNN's predictions and learning curves under the level (primary study, Table 6).

    Reads the cohort's images and the splits. Networks start from the same weights at every level. The result feeds
    nothing: the study goes on with cnn.augmentation.
    """
    params = load_params(params_file)
    params.require_level(level)
    warm_up("busline.studies.cnn")
    from busline.base.artifacts import save_table
    from busline.base.runtime import load_runtime
    from busline.studies.cnn import run_cnn
    from busline.studies.inputs import load_inputs

    inputs = load_inputs(root, params.split.classes, image_side=params.cnn.image_size, repeats=params.cv.image_repeats)
    study = run_cnn(inputs, params, "custom_cnn", augmentation=level, runtime=load_runtime(), keep_states=False)
    save_table(study.curves.assign(model=level), root / f"data/curves/augmentation/{level}.parquet")
    save_table(study.predictions, root / f"data/predictions/augmentation/{level}.parquet")


if __name__ == "__main__":
    run_stage(main)
