"""Files of settings that nobody vouches for."""

import pytest

from busline.base.errors import DataError, list_problems, near_matches, plain, shown
from busline.base.yaml import read_mapping


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dataset.yaml"


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "has many aliases"),
        ("a: " + "[" * 900 + "]" * 900, "more than 40 levels deep in line 1"),
        ("a: " + "{b: " * 900, "more than 40 levels deep"),
        ("- " * 900 + "x", "more than 40 levels deep"),
        ("a: " + "[" * 500_000, "more than 40 levels deep"),
        ("a: 2026-13-41", "is not valid YAML"),
        ("a: !!int x", "is not valid YAML"),
        ("a: !!float x", "is not valid YAML"),
        ("a: " + "9" * 5000, "is not valid YAML"),
        ("a: 1\na: 2", "is not valid YAML"),
        ("a: 1\na: " + "x" * 5000, "is not valid YAML"),
        ("a: !python/object:os.system x", "is not valid YAML"),
        ("a: \x00", "is not valid YAML"),
        ("- a\n- b", "is no mapping"),
        ("a: 1\n" + "#" * 1_000_001, "is larger than"),
    ],
)
def test_a_bomb_or_a_wrong_word_is_refused_shortly(path, text, reason):
    path.write_text(text)
    with pytest.raises(DataError) as error:
        read_mapping(path, DataError)
    assert reason in str(error.value)
    assert len(str(error.value)) < 700


def test_a_byte_order_mark_does_no_harm_and_another_encoding_is_named(path):
    path.write_bytes("a: ä".encode("utf-8-sig"))
    assert read_mapping(path, DataError) == {"a": "ä"}
    path.write_bytes("a: ä".encode("utf-16"))
    with pytest.raises(DataError, match="is no text in UTF-8"):
        read_mapping(path, DataError)


def test_long_and_deep_values_are_cut_where_a_message_shows_them():
    assert shown("short") == "'short'"
    assert shown(3) == "3"
    deep = ["x" * 300]
    nested = [[[[["x"] * 9] * 9] * 9] * 9] * 9
    for value in ("x" * 10_000, deep, ["x"] * 10_000, {"a": ["x" * 10_000]}, nested, 10**4000):
        assert len(shown(value)) < 100
    deep.append(deep)
    assert len(shown(deep)) < 100
    assert len(near_matches("x" * 100_000, ["y" * 100_000, "x" * 100_000])) < 300
    assert len(str(list_problems("t.csv", ["x" * 100_000]))) < 1200


def test_a_name_in_a_message_cannot_speak_to_the_terminal():
    assert plain("c1\x1b[2J\n") == "c1�[2J�"
    assert plain("Jürgen 7") == "Jürgen 7"
