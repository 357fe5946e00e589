import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from made_report import edited

from busline.report.figures import draw_figures
from busline.report.names import NOT_RUN
from busline.report.render import escape_markdown, render_html, render_markdown, show_cell, slug
from busline.report.summarise import summarise

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")
PICTURES = {"segmentation_best.png": PNG, "saliency_01.png": PNG}
HOSTILE = 'x<script>alert("1")</script>|![p](http://h/p.png)`&amp;'


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "img", "br", "link"}:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href"}:
                self.links.append(value)
            if name == "id":
                self.ids.add(value)
        assert tag not in {"script", "link", "iframe"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page_of(inputs, figures=()):
    return render_html(summarise(inputs), figures, PICTURES)


def test_the_page_needs_no_other_file_and_its_contents_lead_somewhere(inputs, figures):
    page = page_of(inputs, figures)
    assert page.count("<img") == len(figures) + len(PICTURES)
    tags = Tags(page)
    assert tags.open == []
    assert len(tags.links) > 10
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in tags.links)
    assert {link[1:] for link in tags.links if link.startswith("#")} <= tags.ids
    assert "url(" not in page
    assert "@import" not in page


def test_the_markdown_has_the_same_tables_and_no_pixel(inputs):
    summary = summarise(inputs)
    text = render_markdown(summary)
    assert "![" not in text
    assert "data:image" not in text
    assert "<img" not in text
    for section in summary["sections"]:
        assert f"## {section['title']}" in text
        assert f"(#{slug(section['title'])})" in text
    rows = sum(len(table["rows"]) + 2 for section in summary["sections"] for table in section["tables"])
    assert len([line for line in text.splitlines() if line.startswith("|")]) == rows


def test_every_markdown_row_has_as_many_cells_as_its_head(inputs):
    inputs.pictures["segmentation"][0]["case_id"] = HOSTILE
    width = 0
    for line in render_markdown(summarise(inputs)).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not cells or not width or cells == width
        width = cells


def test_a_hostile_name_stays_text(inputs):
    inputs.pictures["segmentation"][0]["case_id"] = HOSTILE
    inputs.verdicts[1]["name"] = HOSTILE
    page = page_of(inputs)
    Tags(page)  # refuses a script
    assert "&lt;script&gt;" in page
    text = render_markdown(summarise(inputs))
    assert "<script" not in text
    assert "![p](" not in text
    assert "&amp;amp;" in text


def test_rendering_twice_gives_the_same_bytes(inputs, evaluation, figures):
    again = draw_figures(summarise(inputs), evaluation.plots)
    assert page_of(inputs, again) == page_of(inputs, figures)
    assert render_markdown(summarise(inputs)) == render_markdown(summarise(inputs))


def test_a_row_that_did_not_run_and_an_undefined_score_are_shown(inputs):
    undefined = edited(inputs, "tabular", "logreg", "metrics", "roc_auc", mean=None)
    lines = render_markdown(summarise(undefined)).splitlines()
    (idle,) = [line for line in lines if line.startswith("| MobileNetV2 (ImageNet) |")]
    assert idle == "| MobileNetV2 (ImageNet) | 0.70 (0.68, 0.71) | not run | – | – | – |"
    (undefined,) = [line for line in lines if line.startswith("| Logistic regression | ROC AUC |")]
    assert undefined.split(" | ")[2:4] == ["0.80 (0.78, 0.82)", "n/a"]


def test_a_missing_hash_or_library_is_not_hidden(inputs):
    text = render_markdown(summarise(replace(inputs, hashes={"requirements.lock": None}, versions={"torch": None})))
    assert "| requirements.lock | n/a |" in text
    assert "| torch | n/a |" in text


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("score", 0.12345, "0.123"),
        ("score", 0.0, "0.000"),
        ("interval", [0.1, 0.25], "(0.100, 0.250)"),
        ("interval", [None, None], "n/a"),
        ("published", {"mean": 0.8, "low": 0.78, "high": 0.82}, "0.80 (0.78, 0.82)"),
        ("published", {"mean": 0.99, "low": 0.987, "high": 0.991}, "0.99 (0.987, 0.991)"),
        ("published", {"mean": 0.97}, "0.97"),
        ("percent", 0.3711, "37.1 %"),
        ("count", 1234, "1,234"),
        ("number", 0, "0"),
        ("score", None, "n/a"),
    ],
)
def test_cells(kind, value, shown):
    assert show_cell({"a": value}, {"key": "a", "kind": kind, "ours": True}) == shown


def test_not_run_is_said_once_a_row():
    row = {"status": NOT_RUN, "model": "m"}
    keys = [("model", False), ("paper", False), ("ours", True), ("folds", True)]
    shown = [show_cell(row, {"key": key, "kind": "text", "ours": ours}) for key, ours in keys]
    assert shown == ["m", "–", "not run", "–"]


def test_markdown_escapes_keep_plain_names_readable():
    assert escape_markdown("mobilenet_v2 & R&D\nnext") == "mobilenet_v2 & R&D next"
