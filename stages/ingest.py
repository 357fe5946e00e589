"""Check the raw files of a cohort and pack them."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data, Ingest
from busline.base.settings.reading import load_settings, require_name
from busline.base.settings.section import Section


class Settings(Section):
    """The sections that this stage reads."""

    data: Data
    ingest: Ingest


def main(
    cohort: Annotated[str, typer.Argument(help="Key of data.cohorts.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Read data/raw/<cohort>; write data/cohort/<cohort>: table of cases, packed images and masks, and the data card.

    Every row, image and mask is checked; if any is wrong, all that are wrong are listed and nothing is written.
    """
    settings = load_settings(Settings, params_file)
    require_name("cohort", cohort, settings.data.cohorts)
    from busline.base.progress import show_progress
    from busline.base.runtime import load_runtime
    from busline.cohort.ingest import ingest
    from busline.cohort.sources.table import find_source

    source = settings.data.cohorts[cohort].source
    raw = find_source(source).read(root / "data/raw" / cohort)
    target = root / "data/cohort" / cohort
    with show_progress() as report_progress:
        ingest(raw, source, target, settings.ingest, report_progress, workers=load_runtime().workers)


if __name__ == "__main__":
    run_stage(main)
