"""Templates, patterns and the search for files."""

import time

import pytest

from busline.cohort.formats.filenames import parse_pattern
from busline.cohort.formats.patterns import LONGEST_PATTERN, LONGEST_TEXT, require_pattern, search_all
from busline.cohort.formats.shelf import shelf_of, shelf_on_disk
from busline.cohort.formats.templates import parse_template, split_at_star


@pytest.mark.parametrize(
    ("template", "cell", "expected"),
    [
        ("{Image}", "a/b.png", "a/b.png"),
        ("{Image.stem}", "a/b.png", "b"),
        ("{Image.stem}", "b.tar.png", "b.tar"),
        ("{Image.stem}", "b", "b"),
        ("{Image.name}", "a/b.PNG", "b.PNG"),
        ("{Image.suffix}", "a/b.PNG", ".PNG"),
        ("x{Image.suffix}", "b", "x"),
        ("{Image.parent}", "a/c/b.png", "a/c"),
        ("{ Image.stem }", "b.png", "b"),
        ("m/{Image.stem}_{Image.stem}.png", "b.jpg", "m/b_b.png"),
        ("{{{Image}}}", "b", "{b}"),
        ("{Image}*", "[b](1)", "[b](1)*"),
        ("{Image.stem}", "", ""),
        ("m/{Image}.png", "", ""),
    ],
)
def test_a_template_is_filled(template, cell, expected):
    assert parse_template(template).fill({"Image": cell}) == expected


@pytest.mark.parametrize("text", ["{Image", "Image}", "{", "a}b{c}", "{}", "{ }", "{{}", "{a{b}}"])
def test_braces_without_a_partner_or_a_name_are_refused(text):
    with pytest.raises(ValueError, match="has"):
        parse_template(text)


def test_a_text_without_placeholders_is_itself():
    assert parse_template("Größe {{mm}}").literal == "Größe {mm}"
    assert parse_template("Größe {{mm}}").columns == ()


def test_the_folder_of_a_name_without_one_is_refused():
    with pytest.raises(ValueError, match="'b.png' has no folder in it"):
        parse_template("{Image.parent}").fill({"Image": "b.png"})


def test_a_column_with_a_point_in_its_name_is_found():
    assert parse_template("{a.b}").columns == ("a.b",)
    assert parse_template("{a.b.stem}").columns == ("a.b",)
    assert parse_template("{.stem}").columns == (".stem",)


@pytest.mark.parametrize(("text", "reason"), [("{a}*_*.png", "several"), ("m*/{a}.png", "name of a folder")])
def test_a_star_stands_once_and_in_a_files_name(text, reason):
    with pytest.raises(ValueError, match=reason):
        split_at_star(parse_template(text))


def test_a_star_in_a_cell_is_none():
    assert split_at_star(parse_template("{a}.png")) is None
    head, tail = split_at_star(parse_template("{a}_*.png"))
    assert (head.fill({"a": "x*"}), tail.fill({"a": "x*"})) == ("x*_", ".png")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[A-Z]{4}", "ALWI_000.png", "ALWI"),
        ("^bus_(.*)-", "bus_0001-l", "0001"),
        ("(?:a|b)+", "xab", "ab"),
        ("(a)|b", "b", None),
        ("^x*", "abc", None),
        ("ä.", "xäö", "äö"),
        ("[[a]", "[", "["),
    ],
)
def test_a_pattern_finds_its_group_or_all_it_matches(pattern, text, found):
    assert search_all(require_pattern(pattern), [text, ""])[0] == found


def test_a_pattern_that_would_take_years_is_stopped():
    begin = time.monotonic()
    with pytest.raises(ValueError, match="takes longer than 0.5 s; write it without a repetition inside a repetition"):
        search_all("^(a+)+b", ["a" * 60], seconds=0.5)
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "*", "(?P<x>a)(?P<x>b)", "a" * (LONGEST_PATTERN + 1)])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match=r"is no regular expression|is longer"):
        require_pattern(pattern)


def test_long_cells_are_not_searched():
    with pytest.raises(ValueError, match="at most"):
        search_all("a", ["b" * (LONGEST_TEXT + 1)])


def test_a_file_is_found_in_other_letters_of_its_suffix_and_another_form():
    shelf = shelf_of(["m/a.PNG", "m/o\u0308.png", "m/b.png", "m/b.PNG", "m/c.Png", "m/c.pnG", "A.png"])
    assert shelf.find("m/a.png") == "m/a.PNG"
    assert shelf.find("m/ö.png") == "m/o\u0308.png"
    assert shelf.find("m/b.png") == "m/b.png"
    assert shelf.find("m/c.png") is None
    assert shelf.find("a.png") is None
    assert shelf.find("n/a.png") is None


def test_files_are_matched_by_beginning_and_end(tmp_path):
    for name in ("a_mask.png", "a_mask_1.PNG", "b_mask.png", "a_mask.txt", "amask.png"):
        (tmp_path / name).touch()
    (tmp_path / "a_mask_folder.png").mkdir()
    found = [("a_mask.png", ""), ("a_mask_1.PNG", "_1")]
    assert shelf_on_disk(tmp_path).matching("a_mask", ".png") == found
    assert shelf_on_disk(tmp_path).matching("a_mask.png", ".png") == []
    assert shelf_on_disk(tmp_path).matching("none/a", ".png") == []


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("{label}/{case}.png", "benign/a.png", {"label": "benign", "case": "a"}),
        ("{label}/{case}.JPG", "benign/a.jpg", {"label": "benign", "case": "a"}),
        ("{label}/{case}.png", "a.png", None),
        ("{label}/{case}.png", "x/benign/a.png", None),
        ("{label}/{case}.png", "benign/.png", None),
        ("{label}/{case}.png", "benign/._a.png", None),
        ("{label}/{case}.png", "benign/a.png.png", {"label": "benign", "case": "a.png"}),
        ("{label}/{label} ({case}).png", "benign/benign (1).png", {"label": "benign", "case": "1"}),
        ("{label}/{label} ({case}).png", "benign/normal (1).png", None),
        ("i/{case}_{view}.png", "i/a_b_c.png", {"case": "a_b", "view": "c"}),
        ("i/{case}_{view}.png", "i/_c.png", None),
        ("i/{case}_{view}.png", "i/a_b_.png", {"case": "a", "view": "b_"}),
        ("i/{a}-{b}_{c}.png", "i/1-2-3_4_5.png", {"a": "1-2", "b": "3_4", "c": "5"}),
        ("i/{a}__{b}.png", "i/x___y.png", {"a": "x_", "b": "y"}),
        ("set {{1}}/{case}.png", "set {1}/a.png", {"case": "a"}),
        ("[x]/{case}.png", "[x]/a.png", {"case": "a"}),
        ("{label}/img/{case}", "benign/img/a.png", {"label": "benign", "case": "a.png"}),
        ("ab{x}b.png", "ab.png", None),
    ],
)
def test_a_file_name_says_what_its_pattern_says(pattern, path, found):
    assert parse_pattern(pattern).match(path) == found


def test_many_placeholders_in_a_long_name_take_no_time():
    pattern = parse_pattern("_".join(f"{{c{number}}}" for number in range(20)) + "x.png")
    begin = time.monotonic()
    assert pattern.match("_" * 250 + ".png") is None
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("images/a.png", "no placeholder"),
        ("*/{case}.png", "has \\*"),
        ("{a}{b}.png", "nothing between"),
        ("{case.stem}.png", "has a placeholder {case.stem}"),
        ("{file}", "has a placeholder {file}"),
        ("../{case}.png", "leaves its folder"),
        ("/{case}.png", "absolute"),
        ("a\\{case}.png", "backslash"),
        ("a//{case}.png", "empty part"),
        ("{case", "lone"),
    ],
)
def test_what_is_no_pattern_of_file_names_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_pattern(text)
