"""Get the raw files of a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data
from busline.base.settings.reading import load_settings, require_name
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds


class Settings(Section):
    """The sections that this stage reads."""

    seed: Seeds
    data: Data


def main(
    cohort: Annotated[str, typer.Argument(help="Key of data.cohorts.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/raw/<cohort>: the files as released, as they stand in your folder, or made (phantoms).

    Released files are taken from $BUSLINE_MIRROR/<source>/ if that folder is there, else downloaded into
    data/downloads, where a cut download goes on in the next run. A folder of yours is taken from data/folders/<cohort>.
    """
    settings = load_settings(Settings, params_file)
    require_name("cohort", cohort, settings.data.cohorts)
    from busline.base.progress import show_progress
    from busline.cohort.sources.order import Order
    from busline.cohort.sources.table import acquire
    from busline.fetch.mirror import find_mirror

    data = root / "data"
    with show_progress() as report_progress:
        order = Order(
            settings.data.cohorts[cohort],
            settings.seed.data,
            find_mirror(),
            data / "downloads",
            data / "folders" / cohort / "files",
            report_progress,
        )
        acquire(order, data / "raw" / cohort)


if __name__ == "__main__":
    run_stage(main)
