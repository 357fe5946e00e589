"""The key `findings` of dataset.yaml: from a user's words to targets, and nothing unknown taught as a no."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.cohort.findings import FINDINGS, LEVELS, TARGETS, radiologist_findings
from busline.cohort.schema import Column
from made_tables import ROWS, read_csv_rows, with_cell

OPEN = float("nan")
EXPERT = {"provenance": "radiologist", "kind": "categorical"}


def read(folder, cells, key="birads", values=None, columns=None):
    """Read a table whose column `sign` holds these cells, as notes of a finding."""
    rows = [list(row) for row in ROWS]
    for row, cell in zip(rows, cells, strict=True):
        row[3] = cell
    declared = {"age": {"provenance": "patient", "kind": "numeric"}, "sign": EXPERT} | (columns or {})
    finding = {"column": "sign", "values": values} if values else "sign"
    return read_csv_rows(folder, rows, columns=declared, findings={key: finding})


def targets(raw, key="birads"):
    """The targets of a finding, a row a case, after a way through columns.json."""
    columns = [Column(**column.describe()) for column in raw.columns]
    cases = pd.DataFrame([{"source": "folder", **case.cells} for case in raw.cases])
    found = radiologist_findings(cases, columns)
    first = FINDINGS.index(TARGETS[key][0])
    others = np.delete(found, range(first, first + len(TARGETS[key])), axis=1)
    assert np.isnan(others).all()
    return found[:, first : first + len(TARGETS[key])]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("2", (0, 0, 0, 0)),
        ("3", (0, 0, 0, 0)),
        ("4", (1, OPEN, OPEN, 0)),
        ("4a", (1, 0, 0, 0)),
        ("4B", (1, 1, 0, 0)),
        ("4c", (1, 1, 1, 0)),
        ("5", (1, 1, 1, 1)),
        ("", (OPEN,) * 4),
    ],
)
def test_a_category_says_what_it_says_and_a_4_without_a_letter_leaves_open_which(tmp_path, cell, said):
    raw = read(tmp_path, ["2", cell, "5"])
    assert raw.problems == ()
    np.testing.assert_array_equal(targets(raw), [(0, 0, 0, 0), said, (1, 1, 1, 1)])


@pytest.mark.parametrize(
    ("key", "cells", "values", "said"),
    [
        (
            "birads",
            ["IV", "0", "BI-RADS 4b"],
            {"IV": 4, "0": "unknown", "BI-RADS 4b": "4B"},
            [(1, OPEN, OPEN, 0), (OPEN,) * 4, (1, 1, 0, 0)],
        ),
        ("halo", ["TRUE", "false", ""], {True: "yes", False: "no"}, [(1,), (0,), (OPEN,)]),
        (
            "margin",
            ["spic.+ind.", "smooth", "irregular"],
            {"spic.+ind.": ["spiculated", "indistinct"], "smooth": "circumscribed", "irregular": "not circumscribed"},
            [(1, 1, 1), (0, 0, 0), (1, OPEN, OPEN)],
        ),
        ("margin", ["angular", "Indistinct", "circumscribed"], None, [(1, 0, 1), (1, 1, 0), (0, 0, 0)]),
        ("shape", ["Irregular", "oval", "lobular"], {"lobular": "unknown"}, [(1,), (0,), (OPEN,)]),
        ("posterior_features", ["combined", "none", "shadowing"], {"none": "no"}, [(1, 1), (0, 0), (1, 0)]),
        ("echogenicity", ["anechoic", "hypoechoic", "mixed"], {"mixed": "heterogeneous"}, [(0, 1), (0, 0), (1, 0)]),
    ],
)
def test_words_of_a_user_are_mapped(tmp_path, key, cells, values, said):
    raw = read(tmp_path, cells, key, values)
    assert raw.problems == ()
    np.testing.assert_array_equal(targets(raw, key), said)


@pytest.mark.parametrize("cell", ["4-5", "6", "0", "IV", "4d", "BIRADS 4", "no"])
def test_a_value_that_is_not_mapped_is_refused_with_its_row(tmp_path, cell):
    raw = read(tmp_path, ["2", cell, "5"])
    assert len(raw.problems) == 1
    assert raw.problems[0].startswith(f"row 3 (case c2): column 'sign': '{cell}' is no level of birads; ")
    assert "findings.birads.values says what it means, or `unknown`" in raw.problems[0]


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        ({"birads": "nowhere"}, "findings.birads: column 'nowhere' is not declared under columns"),
        ({"birads": "age"}, "column 'age' is numeric of provenance patient; expected categorical of radiologist or"),
        ({"birads": "sign", "shape": "sign"}, "findings.shape: column 'sign' notes two findings"),
        (
            {"birads": {"column": "sign", "values": {"4": "4d"}}},
            "findings.birads.values.4: '4d' is no level; choose one of",
        ),
        ({"birads": {"column": "sign", "values": {"4": ["4a", "4b"]}}}, "findings.birads.values.4: has several levels"),
        ({"margin": {"column": "sign", "values": {"x": ["circumscribed", "angular"]}}}, "has several levels"),
        ({"margin": {"column": "sign", "values": {"x": ["unknown", "angular"]}}}, "'unknown' is no level"),
        ({"margin": {"column": "sign", "values": {"x": []}}}, "nothing is no level"),
        ({"halo": {"column": "sign", "values": {True: "yes", "true": "no"}}}, "has one value twice"),
        ({"birad": "sign"}, "findings.birad"),
        ({"birads": {"column": "sign", "valeus": {}}}, "findings.birads.valeus: unknown key"),
        ({"birads": 4}, "findings.birads"),
        ("birads", "findings"),
    ],
)
def test_a_wrong_key_is_refused(tmp_path, findings, line):
    columns = {"age": {"provenance": "patient", "kind": "numeric"}, "sign": EXPERT}
    with pytest.raises(DataError) as refused:
        read_csv_rows(tmp_path, ROWS, columns=columns, findings=findings)
    assert line in str(refused.value)


@pytest.mark.parametrize("name", ["BIRADS", "bi-rads", "Margins", "echo_pattern", "Halo"])
def test_a_column_that_looks_like_a_finding_and_is_not_mapped_is_noted_and_not_read(tmp_path, name):
    (tmp_path / "table.csv").write_text(f"case,patient,finding,{name}\nc1,anna,b,5\nc2,berta,m,5\n", encoding="utf-8")
    raw = noted(tmp_path, {name: EXPERT})
    assert f"column '{name}' looks like a finding and is not mapped" in raw.notes[-1]
    cases = pd.DataFrame([{"source": "folder", **case.cells} for case in raw.cases])
    assert np.isnan(radiologist_findings(cases, raw.columns)).all()
    patient = noted(tmp_path, {name: {**EXPERT, "provenance": "patient"}})
    assert not any("looks like a finding" in note for note in patient.notes)


def noted(folder, columns):
    from busline.cohort.sources.folder import read_folder
    from made_tables import describe

    describe(folder, columns=columns)
    return read_folder(folder)


def test_every_level_says_each_target_of_its_finding():
    for name, levels in LEVELS.items():
        for said in levels.values():
            assert len(said) == len(TARGETS[name])
            assert all(np.isnan(value) or value in (0, 1) for value in said)


def test_a_sonographers_column_may_be_one_and_other_cells_are_as_they_were(tmp_path):
    raw = read(tmp_path, ["2", "4", "5"], columns={"sign": {**EXPERT, "provenance": "sonographer"}})
    assert [case.cells["sign"] for case in raw.cases] == ["2", "4", "5"]
    assert {column.name for column in raw.columns if column.finding} == {"sign"}
    assert "finding" not in read_csv_rows(tmp_path, with_cell(0, "age", 33)).columns[2].describe()
