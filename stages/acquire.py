"""Get the raw files of the data source."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section, Seed


class Settings(Section):
    """The sections that this stage reads."""

    seed: Seed
    data: Data


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/raw/<data.source>: the files as released, as they stand in your folder, or made (phantoms).

    Released files are taken from $BUSLINE_MIRROR/<source>/ if that folder is there, else downloaded into
    data/downloads, where a cut download goes on in the next run.
    """
    settings = load_settings(Settings, params_file)
    from busline.base.progress import show_progress
    from busline.cohort.sources.order import Order
    from busline.cohort.sources.table import acquire
    from busline.fetch.mirror import find_mirror

    data = root / "data"
    with show_progress() as report_progress:
        order = Order(settings.data, settings.seed, find_mirror(), data / "downloads", report_progress)
        acquire(order, data / "raw" / settings.data.source)


if __name__ == "__main__":
    run_stage(main)
