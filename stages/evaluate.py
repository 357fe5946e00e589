"""Turn predictions into metrics, the report's tables and the plots' tables."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_settings


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Turn predictions into metrics: nothing is trained, no image and no column a model may see is looked at.

    Reads data/splits/splits.parquet, data/predictions, data/vote/weights.parquet and data/curves, after removing files
    of models that are not active. Of the main cohort it reads whose case is whose and how large a pixel is
    (cases.parquet), and which images are near-duplicates (duplicates.parquet).
    Writes reports/metrics.json, reports/tables.json and reports/plots/*.csv.
    """
    from busline.base.artifacts import atomic_folder, load_table, save_csv, save_json
    from busline.evaluation.constants import warn_of_all
    from busline.evaluation.evaluate import Inputs, evaluate
    from busline.evaluation.loading import load_curves, load_predictions
    from busline.evaluation.outlines import score_families
    from busline.evaluation.settings import EvaluationSettings
    from busline.families import FAMILIES, classifiers, segmenters

    params = load_settings(EvaluationSettings, params_file)
    data, reports = root / "data", root / "reports"
    main_cohort = data / "cohort" / load_settings(DataSettings, params_file).data.main
    cases, duplicates = (load_table(main_cohort / f"{name}.parquet") for name in ("cases", "duplicates"))
    pixel_mm = dict(zip(cases["case_id"], cases["pixel_mm"], strict=True))
    loaded = {key: load_predictions(data, family, params) for key, family in FAMILIES.items()}
    inputs = Inputs(
        splits=load_table(data / "splits" / "splits.parquet"),
        predictions={family.key: loaded[family.key].tables for family in classifiers()},
        weights=load_table(data / "vote" / "weights.parquet"),
        segmentation=score_families({one.key: loaded[one.key].tables for one in segmenters()}, pixel_mm),
        curves={name: one for family in FAMILIES.values() for name, one in load_curves(data, family, params).items()},
        patients=dict(zip(cases["case_id"], cases["patient_id"], strict=True)),
        duplicates=list(zip(duplicates["case_a"], duplicates["case_b"], strict=True)),
        skipped={key: found.skipped for key, found in loaded.items()},
    )
    result = evaluate(inputs, params)
    with atomic_folder(reports / "plots") as folder:
        for name, table in result.plots.items():
            save_csv(table, folder / f"{name}.csv")
    save_json(result.tables.model_dump(), reports / "tables.json")
    save_json(result.metrics, reports / "metrics.json")
    warn_of_all(result.tables.constant)


if __name__ == "__main__":
    run_stage(main)
