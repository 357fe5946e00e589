"""Fetch and pin the initial weights of one model."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.reading import load_settings


def main(
    model: Annotated[str, typer.Argument(help="A model in cnn.models, or seg.")],
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/weights/<model>: the name and checksum of its initial weights, and the file unless they are random.

    The file is taken from $BUSLINE_MIRROR/weights/<name>.safetensors if it is there, else downloaded. No other stage
    touches the network.
    """
    from busline.base.progress import show_progress
    from busline.fetch.mirror import find_mirror
    from busline.weights.place import WeightsSettings, save_weights, weights_name

    settings = load_settings(WeightsSettings, params_file)
    name = weights_name(settings, model)
    data = root / "data"
    with show_progress() as report_progress:
        save_weights(
            data / "weights" / model,
            name,
            settings.weights.files,
            mirror=find_mirror(),
            downloads=data / "downloads",
            report_progress=report_progress,
        )


if __name__ == "__main__":
    run_stage(main)
