"""Copy what a user's folder holds of a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_settings, require_name


def main(
    cohort: Annotated[str, typer.Argument(help="Key of data.folders.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/folders/<cohort>/files: dataset.yaml, the table and the files it names, as they stand in your folder.

    No other stage reads a user's folder.
    """
    folders = load_settings(DataSettings, params_file).data.folders
    require_name("folder of cohort", cohort, folders)
    from busline.base.artifacts import atomic_folder
    from busline.base.progress import show_progress
    from busline.cohort.sources.folder import copy_own

    with show_progress() as report_progress, atomic_folder(root / "data/folders" / cohort / "files") as part:
        copy_own(Path(folders[cohort]), part, report_progress)


if __name__ == "__main__":
    run_stage(main)
