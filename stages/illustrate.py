"""Draw pictures of cases from the models that never saw them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busline.base.cli import run_stage
from busline.base.processor import choose_kernels
from busline.base.settings.data import Data
from busline.base.settings.images import Cnn
from busline.base.settings.presentation import Illustrate
from busline.base.settings.protocol import Split
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section
from busline.base.settings.segmentation import Segmentation
from busline.base.settings.training import Train

if TYPE_CHECKING:
    from busline.cohort.store import Cohort
    from busline.predictors.cnn import ImagePredictor
    from busline.studies.illustrate import Picture


class Settings(Section):
    """The sections that this stage reads."""

    data: Data
    split: Split
    train: Train
    cnn: Cnn
    seg: Segmentation
    illustrate: Illustrate


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Read the cohort, the outlines of the first segmentation network, and one image model; write reports/pictures/.

    The pictures hold pixels of the data: they are cached, never committed.
    """
    settings = load_settings(Settings, params_file)
    choose_kernels(settings.train.kernels)

    from busline.base.artifacts import atomic_folder, keep_only, save_json
    from busline.cohort.store import load_cohort
    from busline.studies.illustrate import SALIENCY_METHOD, write_png

    data = root / "data"
    keep_only(data / "models/cnn", settings.cnn.active)
    keep_only(data / "predictions/cnn", settings.cnn.active, ".parquet")
    keep_only(data / "predictions/segment", settings.seg.active, ".parquet")
    cohort = load_cohort(data / "cohort" / settings.data.main)
    segmentations = _draw_segmentations(data, cohort, settings.seg.active[0]) if settings.seg.active else []
    name = settings.illustrate.saliency
    saliency = _draw_saliency(data, cohort, name, settings) if name else []
    with atomic_folder(root / "reports/pictures") as folder:
        for picture in [*segmentations, *saliency]:
            write_png(picture.pixels, folder / picture.file)
        content = {
            "segmentation": [picture.describe() for picture in segmentations],
            "saliency": {"model": name, "method": SALIENCY_METHOD, "pictures": [p.describe() for p in saliency]},
        }
        save_json(content, folder / "pictures.json")


def _draw_segmentations(data: Path, cohort: "Cohort", model: str) -> "list[Picture]":
    from busline.base.artifacts import load_table
    from busline.base.skipped import skip_reason
    from busline.evaluation.outlines import score_outlines
    from busline.studies.illustrate import draw_segmentations

    outlines = load_table(data / f"predictions/segment/{model}.parquet")
    if skip_reason(outlines):
        return []
    outlines = outlines[outlines["repeat"] == 0]
    pixel_mm = dict(zip(cohort.cases["case_id"], cohort.cases["pixel_mm"], strict=True))
    return draw_segmentations(cohort, outlines, score_outlines(outlines, pixel_mm, f"outlines of segment/{model}"))


def _draw_saliency(data: Path, cohort: "Cohort", name: str, settings: Settings) -> "list[Picture]":
    from busline.base.artifacts import load_table
    from busline.base.skipped import skip_reason
    from busline.predictors.cnn import load_cnn
    from busline.splits import CV, Resample
    from busline.studies.illustrate import draw_saliency

    predictions = load_table(data / f"predictions/cnn/{name}.parquet")
    if skip_reason(predictions):
        return []

    def model_of_fold(fold: int) -> "ImagePredictor":
        return load_cnn(data, name, Resample(CV, 0, fold))

    classes, cases = settings.split.ordered, settings.illustrate.cases
    return draw_saliency(cohort, predictions, model_of_fold, classes=classes, cases=cases)


if __name__ == "__main__":
    run_stage(main)
