"""Draw pictures of cases from the models that never saw them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data
from busline.base.settings.images import Cnn
from busline.base.settings.presentation import Illustrate
from busline.base.settings.protocol import Split
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section
from busline.base.settings.segmentation import Segmentation

if TYPE_CHECKING:
    import torch


class Settings(Section):
    """The sections that this stage reads."""

    data: Data
    split: Split
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

    from busline.base.artifacts import atomic_folder, keep_only, load_table, load_tensors, save_json
    from busline.base.skipped import skip_reason
    from busline.cohort.store import load_cohort
    from busline.evaluation.outlines import score_outlines
    from busline.models.images import build_image_model
    from busline.studies.illustrate import SALIENCY_METHOD, Picture, draw_saliency, draw_segmentations, write_png

    data = root / "data"
    keep_only(data / "models/cnn", settings.cnn.active)
    keep_only(data / "predictions/cnn", settings.cnn.active, ".parquet")
    keep_only(data / "predictions/segment", settings.seg.active, ".parquet")
    cohort = load_cohort(data / "cohort" / settings.data.main)
    first = next(iter(settings.seg.active), None)
    outlines = load_table(data / f"predictions/segment/{first}.parquet") if first else None
    segmentations: list[Picture] = []
    if outlines is not None and not skip_reason(outlines):
        outlines = outlines[outlines["repeat"] == 0]
        pixel_mm = dict(zip(cohort.cases["case_id"], cohort.cases["pixel_mm"], strict=True))
        segmentations = draw_segmentations(
            cohort, outlines, score_outlines(outlines, pixel_mm, f"outlines of segment/{first}")
        )
    name = settings.illustrate.saliency
    predictions = load_table(data / f"predictions/cnn/{name}.parquet") if name else None
    saliency: list[Picture] = []
    if name and predictions is not None and not skip_reason(predictions):
        spec = settings.cnn.models[name]

        def network_of_fold(fold: int) -> "torch.nn.Module":
            network = build_image_model(spec)
            network.load_state_dict(load_tensors(data / f"models/cnn/{name}/r0_f{fold}.safetensors"))
            return network

        saliency = draw_saliency(
            cohort,
            predictions,
            network_of_fold,
            classes=settings.split.classes,
            cases=settings.illustrate.cases,
            side=settings.cnn.image_size,
        )
    with atomic_folder(root / "reports/pictures") as folder:
        for picture in [*segmentations, *saliency]:
            write_png(picture.pixels, folder / picture.file)
        content = {
            "segmentation": [picture.describe() for picture in segmentations],
            "saliency": {"model": name, "method": SALIENCY_METHOD, "pictures": [p.describe() for p in saliency]},
        }
        save_json(content, folder / "pictures.json")


if __name__ == "__main__":
    run_stage(main)
