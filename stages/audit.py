"""Look for leaks: in columns, splits, the scoring of fold models, and the procedure as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_settings
from busline.base.settings.shared import TrainSettings
from busline.training.pool import warm_up


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write reports/leakage.json, or fail with everything that leaks.

    It fails, and writes nothing, if a kept column tells the label, if cases of one patient or near-duplicate images
    stand on two sides of a split, or if a pipeline scores above chance on permuted labels.
    """
    warm_up(
        load_settings(TrainSettings, params_file).train.kernels,
        "busline.audit.pipelines",
        "busline.studies.cnn",
        "busline.studies.tabular",
    )
    from busline.audit.run import AuditInputs, run_audit
    from busline.audit.settings import AuditSettings
    from busline.base.artifacts import keep_only, load_json, load_table, save_json
    from busline.base.errors import list_problems
    from busline.base.runtime import load_runtime
    from busline.cohort.store import load_cohort
    from busline.evaluation.loading import load_predictions
    from busline.families import FAMILIES, VOTE, active_files
    from busline.studies.inputs import load_inputs

    params = load_settings(AuditSettings, params_file)
    cohort = load_settings(DataSettings, params_file).data.main
    data, classes = root / "data", params.split.ordered
    for key in VOTE.members:
        keep_only(data / "models" / key, active_files(FAMILIES[key], params))
    inputs = AuditInputs(
        cohort=load_cohort(data / "cohort" / cohort),
        kept=[column["name"] for column in load_json(data / "features/columns.json")],
        splits=load_table(data / "splits/splits.parquet"),
        inputs=load_inputs(root, cohort, classes),
        small=load_inputs(root, cohort, classes, image_side=params.audit.image_size),
        predictions={key: load_predictions(data, FAMILIES[key], params).tables for key in (*VOTE.members, VOTE.key)},
        folder=data,
    )
    content, problems = run_audit(inputs, params, runtime=load_runtime())
    if problems:
        mend = "keep the column out, mend the groups or the procedure named; nothing was written"
        raise list_problems("leakage audit", problems, mend=mend)
    assert content is not None  # there are figures where nothing is wrong
    save_json(content.model_dump(), root / "reports/leakage.json")


if __name__ == "__main__":
    run_stage(main)
