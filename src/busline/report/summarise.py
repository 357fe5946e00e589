"""From the pipeline's outputs to one dict that holds everything the report says, as numbers and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from busline.audit.results import Leakage
from busline.base.params import Params
from busline.evaluation.outcomes import Comparison
from busline.evaluation.results import Protocol, Tables
from busline.evaluation.seed_noise import NOT_MEASURED, Noise
from busline.families import FAMILIES, TABULAR
from busline.report.audit_section import audit_section
from busline.report.calibration import calibration_section
from busline.report.cases import cases_section
from busline.report.classes import classes_section
from busline.report.comparison import (
    choices_section,
    compare_settings,
    count_differing,
    protocol_section,
    segmentation_notes,
)
from busline.report.constants import constant_notices
from busline.report.data_tables import data_section, split_section, verdict_section
from busline.report.duplicates_section import duplicates_section
from busline.report.headline import headline_section
from busline.report.intervals import about_interval, paper_interval_section
from busline.report.layout import Row, section, table, text_column
from busline.report.lesion import lesion_section
from busline.report.model_comparison import comparison_section
from busline.report.names import SOURCES, UNDEFINED, model_name
from busline.report.noise import noise_section
from busline.report.operating import operating_section, pooled_table
from busline.report.paper import Published
from busline.report.provenance import list_weights, missing_weights, show_params
from busline.report.tables import TableMaker

NOT_A_DEVICE = "BUSline is research software, not a medical device. Nothing here may guide the care of a patient."


@dataclass(frozen=True)
class ReportInputs:
    """What the report is made from."""

    params: Params
    published: Published | None
    scores: Tables
    """reports/tables.json."""
    card: Mapping[str, Any]
    """The main cohort's data card."""
    verdicts: Sequence[Mapping[str, Any]]
    """The verdict on every column."""
    checks: Mapping[str, Any]
    """Proof that the splits are disjoint."""
    pictures: Mapping[str, Any]
    """reports/pictures/pictures.json."""
    hashes: Mapping[str, str | None]
    """SHA-256 by file."""
    versions: Mapping[str, str | None]
    """Version by library."""
    comparisons: Sequence[Comparison]
    """reports/plots/comparisons.csv: one a pair of models."""
    overlap: int = 0
    """Pairs of (nearly) the same image in two of the active cohorts."""
    pairs: Sequence[Mapping[Any, Any]] = ()
    """The main cohort's duplicates.parquet, row by row."""
    leakage: Leakage | None = None
    """reports/leakage.json, or None to leave the audit out."""
    noise: Noise = NOT_MEASURED
    """reports/noise.json."""


def summarise(inputs: ReportInputs) -> dict[str, Any]:
    """Return the report's content.

    Returns:
        ``title``, ``subtitle``, ``footer`` and ``paper`` (short name or None); ``notices`` with kind, title and text;
        ``sections`` with id, title, text, tables, galleries and code; ``forest`` and ``columns``, the rows behind two
        figures. A table has id, title, caption, columns, rows and notes; a row's ``status`` is ``run`` or ``not run``.
    """
    params, published = inputs.params, inputs.published
    segmenter = next(iter(params.seg.active), None)  # beside the paper's one stands the first
    maker = TableMaker(inputs.scores, published, comparable=_comparable(inputs), missing=missing_weights(params))
    tables = {
        "table": [maker.tabular(), maker.search()],
        "images": [maker.augmentation(params.augmentation.levels), maker.images()],
        "combined": [maker.combined(), maker.weights()],
        "segmentation": [maker.segmentation(segmenter)],
    }
    tables["segmentation"][0]["notes"] += segmentation_notes(params.seg.of_model(segmenter)) if segmenter else []
    return {
        "title": "BUSline report",
        "subtitle": _subtitle(inputs),
        "footer": NOT_A_DEVICE,
        "paper": published.citation.short if published else None,
        "notices": _notices(inputs),
        "sections": [
            section("overview", "Overview", text=_how_to_read(inputs)),
            *headline_section(inputs.scores),
            section(TABULAR.key, "Clinical table", tables=tables["table"]),
            section("images", "Images", tables=tables["images"]),
            section("combined", "Image and table", tables=tables["combined"]),
            section("segmentation", "Segmentation", tables=tables["segmentation"]),
            lesion_section(inputs.scores, inputs.params.lesion),
            section("curves", "Curves", tables=[pooled_table(inputs.scores)]),
            *classes_section(inputs.scores),
            operating_section(inputs.scores),
            calibration_section(inputs.scores),
            *_compared(inputs),
            cases_section(inputs.pictures, inputs.scores.protocol.positive),
            *_data(inputs),
            *_audit(inputs),
            *_paper(inputs, segmenter),
            *_made_from(inputs),
        ],
        "forest": maker.forest(),
        "columns": list(inputs.verdicts),
    }


def _comparable(inputs: ReportInputs) -> bool:
    return inputs.published is not None and inputs.params.data.main_source == inputs.published.citation.source


def _compared(inputs: ReportInputs) -> list[Row]:
    noise = noise_section(inputs.noise, inputs.scores, inputs.params.seed.train)
    return [comparison_section(inputs.scores, inputs.comparisons), *noise]


def _data(inputs: ReportInputs) -> list[Row]:
    twice = [duplicates_section(inputs.pairs)] if inputs.pairs else []
    return [
        data_section(inputs.card, inputs.params.data, inputs.overlap),
        *twice,
        verdict_section(inputs.verdicts, inputs.params.prune),
        split_section(inputs.checks),
    ]


def _audit(inputs: ReportInputs) -> list[Row]:
    if inputs.leakage is None:
        return []
    return [audit_section(inputs.leakage, inputs.published, comparable=_comparable(inputs))]


def _paper(inputs: ReportInputs, segmenter: str | None) -> list[Row]:
    params, published = inputs.params, inputs.published
    if published is None:
        return []
    own = paper_interval_section(inputs.scores, published, segmenter)
    return [protocol_section(params, published), choices_section(params, published), *own]


def _subtitle(inputs: ReportInputs) -> str:
    protocol = inputs.scores.protocol
    *others, positive = protocol.classes
    source = SOURCES.get(inputs.params.data.main_source, inputs.params.data.main_source)
    cases = f"{protocol.cases} cases"
    if protocol.positives is not None:
        cases += f" ({protocol.cases - protocol.positives} {' or '.join(others)}, {protocol.positives} {positive})"
    return f"Data: {source}, {cases}; {_folds(protocol)}"


def _notices(inputs: ReportInputs) -> list[Row]:
    notices = []
    if inputs.params.data.main_source == "phantom":
        text = (
            "Every case was made by a computer. These figures prove only that the machinery works: they say nothing "
            "about patients, and nothing about whether the published figures hold."
        )
        notices.append({"kind": "warning", "title": "Synthetic data.", "text": text})
    elif inputs.published and not _comparable(inputs):
        text = (
            f"The published figures are about {inputs.published.citation.data}; they stand here for orientation only."
        )
        notices.append({"kind": "warning", "title": "Other data than the paper's.", "text": text})
    if inputs.published:
        settings = compare_settings(inputs.params, inputs.published)
        if any(row["same"] == "no" for row in settings):
            text = f"Of the settings that the paper fixes, {count_differing(settings)} See “Protocol and differences”."
            notices.append({"kind": "", "title": "Not the published protocol.", "text": text})
    notices += constant_notices(inputs.scores, inputs.params.tabular)
    notices += [*_left_out(inputs.scores), *_without_weights(inputs.params.weights.missing)]
    notices.append({"kind": "", "title": "Research only.", "text": NOT_A_DEVICE})
    return notices


def _left_out(scores: Tables) -> list[Row]:
    """Return a notice a reason for which models were skipped; a family of which some are there names the others."""
    by_reason: dict[str, list[str]] = {}
    for key, family in FAMILIES.items():
        models = scores.skipped.get(key, {})
        for reason in dict.fromkeys(models.values()):
            names = ", ".join(model_name(name) for name in models if models[name] == reason)
            by_reason.setdefault(reason, []).append(f"{family.title} ({names})" if scores.found(key) else family.title)
    return [
        {"kind": "", "title": "Left out.", "text": f"{', '.join(titles)}: {reason}."}
        for reason, titles in by_reason.items()
    ]


def _without_weights(missing: Sequence[str]) -> list[Row]:
    """Return a notice of the files of weights that a study began without."""
    if not missing:
        return []
    text = (
        f"Not to be had when this study began: {', '.join(missing)}. Image models that start from such a file are left "
        "out; an encoder that would have started from it is learnt from random weights."
    )
    return [{"kind": "", "title": "Without initial weights.", "text": text}]


def _how_to_read(inputs: ReportInputs) -> list[str]:
    protocol = inputs.scores.protocol
    text = [
        f"Every figure of ours is a mean over the test folds ({_folds(protocol)}) of cases that the model was not "
        "trained, stopped or weighed on.",
        about_interval(inputs.scores),
        f"The positive class is {protocol.positive}{_against(protocol)}; calls are made at a probability "
        f"of {protocol.threshold}. The master split is one estimate on few cases. A fold where a score is undefined is "
        "left out and counted; n/a means undefined, a dash that there is nothing to show.",
    ]
    if inputs.published:
        paper = inputs.published.citation
        text.append(
            f"Published figures: {paper.authors}, “{paper.title}”, {paper.year}, about {paper.data}. "
            "“Not run” marks a model of the paper that is not active here."
        )
    if _comparable(inputs):
        text.append("“Paper inside” says whether the paper's mean lies in our interval, give or take 0.005.")
    return text


def _against(protocol: Protocol) -> str:
    if len(protocol.classes) == 2:
        return ""
    return f", against the rest ({', '.join(protocol.classes[:-1])}): “All classes” has the scores of all of them"


def _made_from(inputs: ReportInputs) -> list[Row]:
    hashes = [{"file": name, "hash": value or UNDEFINED} for name, value in inputs.hashes.items()]
    versions = [{"library": name, "version": value or UNDEFINED} for name, value in inputs.versions.items()]
    tables = [
        table("hashes", [text_column("file", "File"), text_column("hash", "SHA-256")], hashes),
        table("versions", [text_column("library", "Library"), text_column("version", "Version")], versions),
    ]
    starts = list_weights(inputs.params)
    if starts:
        columns = [
            text_column("model", "Model"),
            text_column("name", "Weights"),
            text_column("trained_on", "Learnt from"),
        ]
        columns += [text_column("licence", "Licence"), text_column("checked", "SHA-256")]
        caption = "Every other network starts from random weights; the lesion network may learn from phantoms first."
        tables.insert(0, table("initial", columns, starts, title="Initial weights", caption=caption))
    text, code = "What these figures were made from and with.", show_params(inputs.params)
    return [
        section("provenance", "Data and software", text=[text], tables=tables),
        section("parameters", "Parameters", text=["All parameters of this run."], code=code),
    ]


def _folds(protocol: Protocol) -> str:
    shown = f"{protocol.folds} folds × {_repeats(protocol.repeats)}"
    if protocol.image_repeats != protocol.repeats:
        shown += f", networks of images × {_repeats(protocol.image_repeats)}"
    return shown


def _repeats(count: int) -> str:
    return "1 repeat" if count == 1 else f"{count} repeats"
