"""Split the study's cases: master 80/10/10 and repeated stratified group k-fold."""

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
    """Write data/splits: every case's role in the master split and in each fold, and the proof that no group crosses.

    Reads the cohort, and the file of roles that are kept. Cases whose label is not in split.classes are left out; a
    cohort without labels is split as one class.
    """
    settings = load_settings(Settings, params_file)
    from busline.base.artifacts import atomic_folder, save_json, save_table
    from busline.cohort.schema import UNLABELLED
    from busline.cohort.store import load_cohort
    from busline.dealing import deal
    from busline.split_checks import check_splits, describe_lacking
    from busline.splits import group_cases, of_unlabelled

    cohort = load_cohort(root / "data/cohort" / settings.data.main)
    split = of_unlabelled(settings.split) if (cohort.cases["label"] == UNLABELLED).all() else settings.split
    cases = cohort.cases[cohort.cases["label"].isin(split.classes)].reset_index(drop=True)
    pairs = zip(cohort.duplicates["case_a"], cohort.duplicates["case_b"], strict=True)
    groups = group_cases(cases["case_id"].tolist(), cases["patient_id"].tolist(), pairs)
    dealt = deal(cases, groups, split, settings.cv, settings.seed.split)
    by_case = cases.set_index("case_id").assign(group=groups)
    checks = check_splits(dealt.splits, by_case["group"], by_case["label"])
    checks["left_out"] = int(len(cohort.cases) - len(cases))
    with atomic_folder(root / "data/splits") as folder:
        save_table(dealt.splits, folder / "splits.parquet")
        save_json(checks | dealt.described, folder / "checks.json")
    for line in [*describe_lacking(checks), *dealt.warnings]:
        print(f"warning: {line}")


if __name__ == "__main__":
    run_stage(main)
