"""The report's section on images that are in the data twice."""

from dataclasses import replace

from busline.report.duplicates_section import MOST_ROWS, duplicates_section
from busline.report.render import render_html, render_markdown
from busline.report.summarise import summarise

PAIR = {
    "case_a": "a1",
    "case_b": "b2",
    "label_a": "benign",
    "label_b": "malignant",
    "kind": "rotated",
    "distance": 5,
    "correlation": 0.871,
    "dropped": True,
}


def test_pairs_and_their_pictures_are_described_in_the_given_order():
    pairs = [PAIR, {**PAIR, "case_a": "c3", "label_b": "benign", "dropped": False}]
    found = duplicates_section(pairs)
    (gallery,) = found["galleries"]
    assert gallery["pictures"] == [
        {"file": "pair_01.png", "caption": "a1 (benign) and b2 (malignant): rotated, correlation 0.87, both left out."},
        {"file": "pair_02.png", "caption": "c3 (benign) and b2 (benign): rotated, correlation 0.87."},
    ]
    rows = found["tables"][0]["rows"]
    assert [row["case_a"] for row in rows] == ["a1", "c3"]
    assert [row["stay"] for row in rows] == ["no", "yes"]


def test_a_long_table_is_cut_and_says_so_and_twelve_pairs_are_shown():
    found = duplicates_section([PAIR] * 80)
    (table,) = found["tables"]
    assert len(found["galleries"][0]["pictures"]) == 12
    assert len(table["rows"]) == MOST_ROWS
    assert "The first 50 of 80" in table["caption"]


def test_the_page_shows_pictures_and_its_twin_only_the_table(inputs):
    summary = summarise(replace(inputs, pairs=[PAIR]))
    page = render_html(summary, [], dict.fromkeys(("pair_01.png", *_pictures(summary)), b"png"))
    assert "a1 (benign) and b2 (malignant)" in page
    text = render_markdown(summary)
    assert "Images that are there twice" in text
    assert "| a1 | benign | b2 | malignant | rotated |" in text
    assert "png" not in text


def test_a_cohort_without_pairs_has_no_such_section(inputs):
    assert "duplicates" not in [section["id"] for section in summarise(inputs)["sections"]]


def _pictures(summary):
    shown = [gallery["pictures"] for section in summary["sections"] for gallery in section["galleries"]]
    return [picture["file"] for pictures in shown for picture in pictures]
