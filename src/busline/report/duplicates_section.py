"""What the report says about images that are in the data twice: both side by side, and the pairs as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from busline.cohort.duplicates.side_by_side import PICTURES
from busline.report.layout import Row, column, section, table, text_column

MOST_ROWS = 50


def duplicates_section(pairs: Sequence[Mapping[Any, Any]]) -> Row:
    """Return the pairs of (nearly) the same image: those with two labels first, then those that correlate least.

    Args:
        pairs: rows of the main cohort's duplicates.parquet, one or more; ``ingest`` drew the first ones.
    """
    shown = [
        {"file": picture_name(number), "caption": _caption(pair)}
        for number, pair in enumerate(pairs[:PICTURES], start=1)
    ]
    rows = [{**pair, "stay": "no" if pair["dropped"] else "yes"} for pair in pairs[:MOST_ROWS]]
    more = f" The first {MOST_ROWS} of {len(pairs)}." if len(pairs) > MOST_ROWS else ""
    columns = [
        text_column("case_a", "Case"),
        text_column("label_a", "Label"),
        text_column("case_b", "Other case"),
        text_column("label_b", "Its label"),
        text_column("kind", "Kind"),
        column("correlation", "Correlation", "score"),
        column("distance", "Bits apart", "count"),
        text_column("stay", "In the cohort"),
    ]
    caption = (
        "As many pairs as join all copies of a scan; all of them are in duplicates.parquet in the cohort's folder."
    )
    tables = [table("pairs", columns, rows, title="Pairs of the same or nearly the same image", caption=caption + more)]
    text = (
        "Images that are in the data twice never stand on two sides of a split. Where their labels differ one of them "
        "is wrong, and ingest.conflicts says whether these cases leave the cohort. Such pairs come first, then those "
        "that correlate least, which may be two scans after all."
    )
    drawn = "Both images of the first pairs, as they are stored."
    galleries = [{"layout": "", "text": drawn, "pictures": shown}]
    return section("duplicates", "Images that are there twice", text=[text], tables=tables, galleries=galleries)


def picture_name(number: int) -> str:
    """Return the name under which the page shows the picture of a pair."""
    return f"pair_{number:02d}.png"


def _caption(pair: Mapping[Any, Any]) -> str:
    left = ", both left out" if pair["dropped"] else ""
    return (
        f"{pair['case_a']} ({pair['label_a']}) and {pair['case_b']} ({pair['label_b']}): {pair['kind']}, "
        f"correlation {pair['correlation']:.2f}{left}."
    )
