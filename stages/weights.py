"""Find, check and store the initial weights of one model."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.reading import load_model_settings
from busline.base.settings.weights import InitialWeights


def main(
    section: Annotated[str, typer.Argument(help="Section of the model: cnn, seg or lesion.")],
    model: Annotated[str, typer.Argument(help="An active model of it.")],
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/weights/<section>/<model>: checksum and tensors of its initial weights, null and none if random.

    The file comes from an installed package, from $BUSLINE_MIRROR/weights or from the network, as data/settings says.
    No other stage but `acquire` touches the network.
    """
    from busline.base.progress import show_progress
    from busline.fetch.mirror import find_mirror
    from busline.weights.place import save_weights

    initial = load_model_settings(InitialWeights, root / f"data/settings/weights/{section}/{model}.json")
    data = root / "data"
    with show_progress() as report_progress:
        save_weights(
            data / "weights" / section / model,
            initial,
            mirror=find_mirror(),
            downloads=data / "downloads",
            report_progress=report_progress,
        )


if __name__ == "__main__":
    run_stage(main)
