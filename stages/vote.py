"""Choose the voting weight of every tabular × image pair and vote on the test cases."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.images import Cnn
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section
from busline.base.settings.tabular import Tabular

if TYPE_CHECKING:
    import pandas as pd


class Settings(Section):
    """The sections that this stage reads."""

    split: Split
    cv: CrossValidation
    tabular: Tabular
    cnn: Cnn


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Choose the voting weight of every tabular × image pair on the tuning cases and vote on the test cases.

    Reads data/predictions/tabular and data/predictions/cnn, after removing files of models that are not active. Writes
    data/predictions/vote/<tabular>+<image>.parquet and data/vote/weights.parquet.
    """
    settings = load_settings(Settings, params_file)
    from busline.base.artifacts import atomic_folder, save_table
    from busline.base.skipped import empty_table
    from busline.evaluation.loading import load_predictions
    from busline.evaluation.vote import vote_all
    from busline.families import FAMILIES, VOTE, active_files
    from busline.splits import first_repeats

    data = root / "data"
    members: list[dict[str, pd.DataFrame]] = []
    reasons: list[str] = []
    for key in VOTE.members:
        loaded = load_predictions(data, FAMILIES[key], settings)
        reasons += loaded.skipped.values()
        first = {name: first_repeats(table, settings.cv.image_repeats) for name, table in loaded.tables.items()}
        members.append(first)
    voted, weights = vote_all(members[0], members[1], settings.split.ordered)
    nothing = empty_table(reasons[0] if reasons else "no pair of models is active")
    voted |= {pair: nothing for pair in active_files(VOTE, settings) if pair not in voted}
    if weights.empty:
        weights = nothing
    with atomic_folder(data / "predictions" / VOTE.key) as folder:
        for name, table in voted.items():
            save_table(table, folder / f"{name}.parquet")
    save_table(weights, data / "vote" / "weights.parquet")


if __name__ == "__main__":
    run_stage(main)
