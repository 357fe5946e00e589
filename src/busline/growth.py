"""The command `busline-cohort`: keep the folds of a cohort that is to grow, and see what differs between two of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from busline.base.artifacts import atomic_file, load_table
from busline.base.cli import run_app
from busline.base.errors import plain
from busline.cohort.schema import RESERVED
from busline.kept_folds import write_kept

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def keep(
    file: Annotated[Path, typer.Argument(help="File to write, for split.folds_kept; commit it.")],
    root: Annotated[Path, typer.Option(help="Folder that holds data/.")] = Path(),
) -> None:
    """Write the roles that cases have in data/splits, so that they keep them when the cohort grows.

    A case stands in the file by a digest of its id. Run it again after the cohort grew, and new cases are kept too.
    """
    splits = load_table(root / "data/splits/splits.parquet")
    with atomic_file(file) as part:
        part.write_text(write_kept(splits), encoding="utf-8")
    print(f"{file}: roles of {splits['case_id'].nunique()} cases; name it in split.folds_kept and commit it")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="Folder of the cohort as it was, for example from `dvc get --rev`.")],
    new: Annotated[Path, typer.Argument(help="Folder of the cohort as it is, data/cohort/<name>.")],
) -> None:
    """Print which cases were added, removed, relabelled or changed between two versions of a cohort."""
    tables = [load_table(folder / "cases.parquet").set_index("case_id") for folder in (old, new)]
    hashes = [load_table(folder / "hashes.parquet").set_index("case_id")["sha256"] for folder in (old, new)]
    before, after = (
        table.assign(image=image.reindex(table.index)) for table, image in zip(tables, hashes, strict=True)
    )
    for line in compare_cases(before, after):
        print(line)


def compare_cases(old: pd.DataFrame, new: pd.DataFrame) -> list[str]:
    """Return a line for each case that was added, removed or changed, and first how many there are of each kind.

    Args:
        old: a row a case, by its id: ``label``, ``patient_id``, ``image`` (a digest) and the source's own columns.
        new: likewise.
    """
    added, gone = new.index.difference(old.index), old.index.difference(new.index)
    both = old.index.intersection(new.index)
    relabelled = _changed(old, new, both, "label")
    was, now = (dict(zip(map(str, table.index), table["label"].astype(str), strict=True)) for table in (old, new))
    lines = [f"+ {plain(case)}: {now[case]}" for case in added]
    lines += [f"- {plain(case)}: {was[case]}" for case in gone]
    lines += [f"~ {plain(case)}: {was[case]} → {now[case]}" for case in relabelled]
    lines += [f"~ {plain(case)}: of another patient" for case in _changed(old, new, both, "patient_id")]
    lines += [f"~ {plain(case)}: another image" for case in _changed(old, new, both, "image")]
    own = [name for name in old.columns if name in new.columns and name not in (*RESERVED, "image")]
    for name in own:
        count = len(_changed(old, new, both, name))
        lines += [f"~ column {plain(name)}: another value in {count} cases"] if count else []
    lines += [f"+ column {plain(name)}" for name in new.columns.difference(old.columns)]
    lines += [f"- column {plain(name)}" for name in old.columns.difference(new.columns)]
    counts = f"added: {len(added)}, removed: {len(gone)}, relabelled: {len(relabelled)}"
    return [f"cases: {len(old)} → {len(new)}; {counts}", *lines]


def _changed(old: pd.DataFrame, new: pd.DataFrame, both: pd.Index, column: str) -> Sequence[str]:
    """Return the cases whose value differs; two missing ones do not."""
    one, other = old.loc[both, column].astype(object), new.loc[both, column].astype(object)
    same = (one == other) | (one.isna() & other.isna())
    return [str(case) for case in both[~same.fillna(False).to_numpy(bool)]]


def run() -> None:
    """Run the command."""
    run_app(app)


if __name__ == "__main__":
    run()
