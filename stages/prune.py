"""Choose the columns a model may see."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data, Prune
from busline.base.settings.protocol import Split
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds


class Settings(Section):
    """The sections that this stage reads."""

    seed: Seeds
    data: Data
    prune: Prune
    split: Split


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Read data/cohort/<data.main>; write data/features: the columns that are kept, and the verdict on every column.

    A column is kept if its provenance is in prune.allowed_provenance and at most prune.max_missing of its values are
    missing. A column whose provenance nobody declared stops the stage.
    """
    settings = load_settings(Settings, params_file)
    from busline.base.artifacts import atomic_folder, save_json, save_table
    from busline.cohort.store import load_cohort
    from busline.studies.pruning import judge_columns

    cohort = load_cohort(root / "data/cohort" / settings.data.main)
    classes, seed = settings.split.ordered, settings.seed.split
    verdicts = judge_columns(cohort.cases, cohort.columns, settings.prune, classes, seed)
    kept = [verdict.name for verdict in verdicts if verdict.kept]
    with atomic_folder(root / "data/features") as folder:
        save_table(cohort.cases[["case_id", *kept]], folder / "features.parquet")
        save_json([c.describe() for c in cohort.columns if c.name in kept], folder / "columns.json")
        save_json([verdict.describe() for verdict in verdicts], folder / "verdicts.json")


if __name__ == "__main__":
    run_stage(main)
