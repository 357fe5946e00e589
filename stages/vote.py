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
    """Choose the voting weight of every tabular × image pair on the weigh cases and vote on the test cases.

    Reads data/predictions/tabular and data/predictions/cnn, after removing files of models that are not active. Writes
    data/predictions/vote/<tabular>+<image>.parquet and data/vote/weights.parquet.
    """
    settings = load_settings(Settings, params_file)
    from busline.base.artifacts import atomic_folder, keep_only, load_table, save_table
    from busline.base.skipped import empty_table, skip_reason
    from busline.evaluation.vote import vote_all

    predictions = root / "data" / "predictions"
    members: list[dict[str, pd.DataFrame]] = []
    reasons: list[str | None] = []
    for family, names in (("tabular", settings.tabular.active), ("cnn", settings.cnn.active)):
        keep_only(predictions / family, names, ".parquet")
        tables = {name: load_table(predictions / family / f"{name}.parquet") for name in names}
        known = {name: table for name, table in tables.items() if not skip_reason(table)}
        reasons += [skip_reason(table) for table in tables.values()] if names else [f"{family}.active is empty"]
        members.append({name: table[table["repeat"] < settings.cv.image_repeats] for name, table in known.items()})
    voted, weights = vote_all(members[0], members[1], settings.split.classes)
    if not voted:
        weights = empty_table(next(reason for reason in reasons if reason))
    with atomic_folder(predictions / "vote") as folder:
        for name, table in voted.items():
            save_table(table, folder / f"{name}.parquet")
    save_table(weights, root / "data" / "vote" / "weights.parquet")


if __name__ == "__main__":
    run_stage(main)
