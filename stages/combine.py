"""Combine what the lesion networks say with shape and clinical columns into diagnoses."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data
from busline.base.settings.protocol import CrossValidation, Split
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section
from busline.base.settings.seeds import Seeds


class Settings(Section):
    """The sections that this stage reads."""

    seed: Seeds
    data: Data
    split: Split
    cv: CrossValidation


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write predictions from the image, from image and clinical columns, and from parts of these.

    Reads data/lesion/outputs.parquet, the features, the splits, and whose cases they are and which are near-duplicates.
    """
    settings = load_settings(Settings, params_file)
    from threadpoolctl import threadpool_limits

    from busline.base.artifacts import atomic_folder, load_table, save_table
    from busline.base.skipped import NO_COLUMNS, empty_table, skip, skip_reason
    from busline.families import LESION, LESION_PARTS
    from busline.predictors.lesion import save_diagnoses
    from busline.splits import group_cases
    from busline.studies.combine import run_combine
    from busline.studies.inputs import load_inputs

    inputs = load_inputs(root, settings.data.main, settings.split.ordered, repeats=settings.cv.image_repeats)
    outputs = load_table(root / "data/lesion/outputs.parquet")
    if reason := skip_reason(outputs):
        for family in (LESION, LESION_PARTS):
            folder = root / "data/predictions" / family.key
            skip(reason, tables=[folder / f"{name}.parquet" for name in family.files])
        skip(reason, tables=[], folders=[root / "data/models/lesion"])
        return
    cohort = root / "data/cohort" / settings.data.main
    patients = load_table(cohort / "cases.parquet").set_index("case_id")["patient_id"]
    duplicates = load_table(cohort / "duplicates.parquet")
    pairs = zip(duplicates["case_a"], duplicates["case_b"], strict=True)
    groups = group_cases(inputs.case_ids, patients.loc[list(inputs.case_ids)].tolist(), pairs)
    with threadpool_limits(1):  # bytes do not depend on the number of cores, and small systems are solved faster
        study = run_combine(inputs, outputs, groups, settings.seed.train)
    for family in (LESION, LESION_PARTS):
        with atomic_folder(root / "data/predictions" / family.key) as folder:
            for name in family.files:
                save_table(study.predictions.get(name, empty_table(NO_COLUMNS)), folder / f"{name}.parquet")
    with atomic_folder(root / "data/models/lesion") as folder:
        save_diagnoses(folder, study.diagnoses)
    for name, table in study.predictions.items():
        inputs.warn_of_constants(table, name)


if __name__ == "__main__":
    run_stage(main)
