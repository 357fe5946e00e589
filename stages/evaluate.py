"""Turn predictions into metrics, the report's tables and the plots' tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import DataSettings
from busline.base.settings.reading import load_settings

if TYPE_CHECKING:
    import pandas as pd


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Turn predictions into metrics: nothing is trained, no image and no column a model may see is looked at.

    Reads data/splits/splits.parquet, data/predictions, data/vote/weights.parquet and data/curves, after removing files
    of models that are not active, and of the main cohort's cases.parquet whose case is whose and how large a pixel is.
    Writes reports/metrics.json, reports/tables.json and reports/plots/*.csv.
    """
    from busline.base.artifacts import atomic_folder, load_table, save_csv, save_json
    from busline.evaluation.evaluate import EvaluationSettings, Inputs, evaluate
    from busline.evaluation.loading import load_curves, load_predictions, skipped_models
    from busline.families import FAMILIES, classifiers, segmenters

    params = load_settings(EvaluationSettings, params_file)
    data, reports = root / "data", root / "reports"
    cases = data / "cohort" / load_settings(DataSettings, params_file).data.main / "cases.parquet"
    inputs = Inputs(
        splits=load_table(data / "splits" / "splits.parquet"),
        predictions={family.key: load_predictions(data, family, params) for family in classifiers()},
        weights=load_table(data / "vote" / "weights.parquet"),
        segmentation=_score_outlines(
            cases, {family.key: load_predictions(data, family, params) for family in segmenters()}
        ),
        curves={
            name: curve for family in FAMILIES.values() for name, curve in load_curves(data, family, params).items()
        },
        patients=_load_patients(cases),
        skipped={key: skipped_models(data, family, params) for key, family in FAMILIES.items()},
    )
    result = evaluate(inputs, params)
    with atomic_folder(reports / "plots") as folder:
        for name, table in result.plots.items():
            save_csv(table, folder / f"{name}.csv")
    save_json(result.tables.model_dump(), reports / "tables.json")
    save_json(result.metrics, reports / "metrics.json")


def _load_patients(path: Path) -> dict[str, str]:
    from busline.base.artifacts import load_table

    cases = load_table(path)[["case_id", "patient_id"]]
    return dict(zip(cases["case_id"], cases["patient_id"], strict=True))


def _score_outlines(
    known: Path, outlines: Mapping[str, Mapping[str, pd.DataFrame]]
) -> dict[str, dict[str, pd.DataFrame]]:
    from busline.base.artifacts import load_table
    from busline.evaluation.outlines import score_outlines

    cases = load_table(known)
    pixel_mm = dict(zip(cases["case_id"], cases["pixel_mm"], strict=True))
    return {
        family: {
            name: score_outlines(table, pixel_mm, f"outlines of {family}/{name}") for name, table in tables.items()
        }
        for family, tables in outlines.items()
    }


if __name__ == "__main__":
    run_stage(main)
