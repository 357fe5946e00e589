"""Look at the parameters before anything runs: refuse what cannot be, and write down what is active."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage

READ_WHOLE = {
    "models/cnn": "cnn",
    "models/tabular": "tabular",
    "predictions/cnn": "cnn",
    "predictions/segment": "seg",
    "predictions/tabular": "tabular",
}
"""Folders below data/ of one file, or folder, a model that other stages read as a whole, with the section."""


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
    look: Annotated[bool, typer.Option("--look", help="Look only; write nothing.")] = False,
) -> None:
    """Write data/check/whole, and data/check/<family>/<model> for every active model: files that hold their own name.

    Folders that other stages read as a whole get a list of the active models, so that they are there if there is none.
    Every stage depends on one of them: with parameters that cannot be, none begins, and a name that is no name never
    becomes part of a command.
    """
    from busline.base.params import active_models, load_params
    from busline.evaluation.headline import not_in_run

    params = load_params(params_file)
    gone = not_in_run(params.headline, params, len(params.split.classes))
    if gone:
        print(f"note: the headline names models that this run will not have, and claims nothing of: {', '.join(gone)}")
    if len(params.split.classes) > 2:
        from busline.families import FAMILIES

        names = [family.title for family in FAMILIES.values() if family.binary_only]
        print(f"note: for two classes only, and left out with {len(params.split.classes)}: {', '.join(names)}")
    if look:
        return
    from busline.base.artifacts import ACTIVE, atomic_folder, save_json, save_text

    with atomic_folder(root / "data/check") as folder:
        save_text("whole\n", folder / "whole")
        for family, names in active_models(params).items():
            for name in names:
                save_text(f"{name}\n", folder / family / name)
    for place, section in READ_WHOLE.items():
        save_json(active_models(params)[section], root / "data" / place / ACTIVE)


if __name__ == "__main__":
    run_stage(main)
