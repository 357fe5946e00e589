"""Write down which code each stage runs, so that a stage runs again only when code that decides its result changed."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage


def main(
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/code/<stage>.txt: a digest of the syntax trees of the script and of all it imports of the package.

    Comments, docstrings and what only speaks to the user are no part of it.
    """
    from busline.base.artifacts import atomic_folder, save_text
    from busline.base.code import script_digest

    with atomic_folder(root / "data/code") as folder:
        for script in sorted(Path(__file__).parent.glob("*.py")):
            save_text(script_digest(script) + "\n", folder / f"{script.stem}.txt")


if __name__ == "__main__":
    run_stage(main)
