"""Write down the settings of each active model, all that decides it alone."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/settings/<section>/<model>.json for every active model, and for every active level of augmentation.

    What a model shares with others (the level of augmentation, the image size, the network it is joined with) is
    resolved: a model is trained again when its own file changes. What all models share is no part of it. The file of
    weights that a model starts from is in data/settings/weights/<section>/<model>.json.
    """
    from busline.base.artifacts import atomic_folder
    from busline.base.settings.models import ModelSections, active_settings, active_weights
    from busline.base.settings.reading import load_settings, save_model_settings

    sections = load_settings(ModelSections, params_file)
    with atomic_folder(root / "data/settings") as folder:
        for key, models in active_settings(sections).items():
            for name, settings in models.items():
                save_model_settings(settings, folder / key / f"{name}.json")
        for key, chosen in active_weights(sections).items():
            for name, initial in chosen.items():
                save_model_settings(initial, folder / "weights" / key / f"{name}.json")


if __name__ == "__main__":
    run_stage(main)
