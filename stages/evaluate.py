"""Turn predictions into metrics, the report's tables and the plots' tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.reading import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from busline.evaluation.evaluate import EvaluationSettings


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Turn predictions into metrics: nothing is trained, no image and no column a model may see is looked at.

    Reads data/splits/splits.parquet, data/predictions, data/vote/weights.parquet and data/curves, after removing files
    of models that are not active, and of data/cohort/cases.parquet whose case is whose and how large a pixel is. Writes
    reports/metrics.json, reports/tables.json and reports/plots/*.csv.
    """
    from busline.base.artifacts import atomic_folder, load_table, save_csv, save_json
    from busline.evaluation.evaluate import OUTLINES, EvaluationSettings, Inputs, evaluate

    params = load_settings(EvaluationSettings, params_file)
    data, reports = root / "data", root / "reports"
    inputs = Inputs(
        splits=load_table(data / "splits" / "splits.parquet"),
        predictions=_load_predictions(data / "predictions", params),
        weights=load_table(data / "vote" / "weights.parquet"),
        segmentation=_score_outlines(data, OUTLINES),
        curves=_load_curves(data / "curves", params),
        patients=_load_patients(data / "cohort" / "cases.parquet"),
    )
    result = evaluate(inputs, params)
    with atomic_folder(reports / "plots") as folder:
        for name, table in result.plots.items():
            save_csv(table, folder / f"{name}.csv")
    save_json(result.tables, reports / "tables.json")
    save_json(result.metrics, reports / "metrics.json")


def _families(params: EvaluationSettings) -> dict[str, list[str]]:
    """Return the active models of every family of one file a model."""
    return {
        "tabular": list(params.tabular.active),
        "cnn": list(params.cnn.active),
        "merged": list(params.merged.active),
        "augmentation": list(params.augmentation.active),
    }


def _load_predictions(folder: Path, params: EvaluationSettings) -> dict[str, dict[str, pd.DataFrame]]:
    from busline.base.artifacts import keep_only, load_table

    families = _families(params)
    families["vote"] = [f"{tabular}+{image}" for tabular in families["tabular"] for image in families["cnn"]]
    predictions = {}
    for family, names in families.items():
        keep_only(folder / family, names, ".parquet")
        predictions[family] = {name: load_table(folder / family / f"{name}.parquet") for name in names}
    search = load_table(folder / "dnn_search" / "dnn.parquet")
    for family in ("lesion", "lesion_parts"):
        files = sorted((folder / family).glob("*.parquet"))
        predictions[family] = {file.stem: load_table(file) for file in files}
    predictions["dnn_search"] = {
        f"h{hidden}_d{dropout}": table for (hidden, dropout), table in search.groupby(["hidden", "dropout"])
    }
    return predictions


def _load_patients(path: Path) -> dict[str, str]:
    from busline.base.artifacts import load_table

    cases = load_table(path)[["case_id", "patient_id"]]
    return dict(zip(cases["case_id"], cases["patient_id"], strict=True))


def _score_outlines(data: Path, families: Sequence[str]) -> dict[str, pd.DataFrame]:
    from busline.base.artifacts import load_table
    from busline.evaluation.outlines import score_outlines

    cases = load_table(data / "cohort" / "cases.parquet")
    pixel_mm = dict(zip(cases["case_id"], cases["pixel_mm"], strict=True))
    tables = {name: load_table(data / "predictions" / name / "outlines.parquet") for name in families}
    return {name: score_outlines(table, pixel_mm, f"outlines of {name}") for name, table in tables.items()}


def _load_curves(folder: Path, params: EvaluationSettings) -> dict[tuple[str, str], pd.DataFrame]:
    from busline.base.artifacts import keep_only, load_table

    curves: dict[tuple[str, str], pd.DataFrame] = {}
    for family, names in _families(params).items():
        keep_only(folder / family, names, ".parquet")
        tables = {(family, name): load_table(folder / family / f"{name}.parquet") for name in names}
        curves |= {key: table for key, table in tables.items() if not table.empty}  # classical models have no epochs
    search = load_table(folder / "dnn_search" / "dnn.parquet")
    curves |= {("dnn_search", str(model)): table for model, table in search.groupby("model")}
    curves["segment", "segment"] = load_table(folder / "segment" / "segment.parquet")
    curves["lesion", "lesion"] = load_table(folder / "lesion" / "lesion.parquet")
    return curves


if __name__ == "__main__":
    run_stage(main)
