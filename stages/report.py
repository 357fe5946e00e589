"""Write the report: one HTML page, and its Markdown twin without pixels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from busline.base.cli import run_stage
from busline.base.params import load_params

if TYPE_CHECKING:
    import pandas as pd

    from busline.evaluation.outcomes import Comparison


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
    lock: Annotated[Path, typer.Option(help="Lock file of the dependencies.")] = Path("requirements.lock"),
    noise: Annotated[Path, typer.Option(help="What `make noise` measured.")] = Path("reports/noise.json"),
) -> None:
    """Read tables, plots, pictures, the audit, the data card, verdicts and checks; write report.html and report.md.

    The page holds pictures of the data: it is cached, never committed. The Markdown holds numbers only.
    """
    params = load_params(params_file)
    from busline.audit.results import Leakage
    from busline.base.artifacts import load_json, load_table, save_text
    from busline.base.results import load_result
    from busline.evaluation.results import Tables
    from busline.evaluation.seed_noise import Noise
    from busline.report.figures import PLOTS, draw_figures
    from busline.report.paper import load_published
    from busline.report.provenance import hash_file, library_versions
    from busline.report.render import render_html, render_markdown
    from busline.report.summarise import ReportInputs, summarise

    data, reports, cohort = root / "data", root / "reports", root / "data/cohort" / params.data.main
    plots = {name: _load_plot(reports / f"plots/{name}.csv") for name in PLOTS}
    inputs = ReportInputs(
        params=params,
        published=load_published(params.report.published) if params.report.published else None,
        scores=load_result(Tables, reports / "tables.json", stage="evaluate"),
        card=load_json(cohort / "card.json"),
        overlap=len(load_table(data / "overlap/pairs.parquet")),
        pairs=load_table(cohort / "duplicates.parquet").to_dict("records"),
        verdicts=load_json(data / "features/verdicts.json"),
        checks=load_json(data / "splits/checks.json"),
        pictures=load_json(reports / "pictures/pictures.json"),
        hashes={**_hash_files(root, params.data.main), "requirements.lock": hash_file(lock)},
        versions=library_versions(),
        comparisons=_comparisons(plots["comparisons"]),
        leakage=load_result(Leakage, reports / "leakage.json", stage="audit"),
        noise=load_result(Noise, noise, command="make noise"),
    )
    summary = summarise(inputs)
    pictures = _load_pictures(root, params.data.main)
    save_text(render_html(summary, draw_figures(summary, plots), pictures), reports / "report.html")
    save_text(render_markdown(summary), reports / "report.md")


def _hash_files(root: Path, cohort: str) -> dict[str, str | None]:
    from busline.report.provenance import DATA_FILES, hash_file

    files = [f"data/cohort/{cohort}/{name}" for name in DATA_FILES]
    return {file: hash_file(root / file) for file in files}


def _load_pictures(root: Path, cohort: str) -> dict[str, bytes]:
    from busline.report.duplicates_section import picture_name

    pairs = sorted((root / "data/cohort" / cohort / "pairs").glob("*.png"))
    pictures = {picture_name(number): path.read_bytes() for number, path in enumerate(pairs, start=1)}
    return pictures | {path.name: path.read_bytes() for path in sorted((root / "reports/pictures").glob("*.png"))}


def _comparisons(table: "pd.DataFrame") -> "list[Comparison]":
    from busline.evaluation.outcomes import Comparison

    return [Comparison.model_validate(row) for row in table.astype(object).to_dict("records")]


def _load_plot(path: Path) -> "pd.DataFrame":
    import pandas as pd

    # only an empty cell is missing: a model may be called "none"
    names = dict.fromkeys(("model", "model_a", "model_b"), str)
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])


if __name__ == "__main__":
    run_stage(main)
