"""JSON from strangers."""

import json

import pytest

from busline.cohort.formats.annotations import strict


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a.json"


def refusal(file, content):
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=".") as error:
        strict.read_json(file)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ('{"a": [1, 2', "is no JSON, or was cut"),
        ('{"a": "text', "is no JSON, or was cut"),
        ("<html>", "is no JSON"),
        ('{"a": NaN}', "holds NaN"),
        ('{"a": [-Infinity]}', "holds -Infinity"),
        ('{"a": 1, "b": 2, "a": 3}', "has the key 'a' twice"),
        ('{"x": {"k": 1, "k": 1}}', "has the key 'k' twice"),
        ("[" * 41 + "]" * 41, "nested more than 40 levels"),
        ("[" * 1_000_000, "nested more than 40 levels"),
        ('{"a":' * 100_000, "nested more than 40 levels"),
        (b"\xff\xfe{\x00}\x00", "is no text in UTF-8"),
        ("9" * 5000, "holds a number of 5000 digits"),
    ],
)
def test_what_is_refused(file, content, words):
    assert words in refusal(file, content)


def test_brackets_inside_of_texts_are_no_levels(file):
    content = {"a": "[" * 100 + '"' + "{" * 100 + "\\", "b": [[1.5, -2]]}
    file.write_text(json.dumps(content), encoding="utf-8-sig")
    assert strict.read_json(file) == content


def test_forty_levels_are_read(file):
    file.write_text("[" * 40 + "]" * 40)
    assert strict.read_json(file)


def test_a_file_that_is_missing_large_or_a_folder(file, monkeypatch):
    with pytest.raises(ValueError, match="is missing"):
        strict.read_json(file)
    with pytest.raises(ValueError, match="cannot be read"):
        strict.read_json(file.parent)
    monkeypatch.setattr(strict, "LARGEST", 10)
    assert "is larger than 10 bytes" in refusal(file, "[1, 2, 3, 4, 5]")


def test_many_keys_and_one_twice_are_no_hang(file):
    keys = ", ".join(f'"k{number}": 1' for number in range(100_000))
    assert "has the key 'k99999' twice" in refusal(file, "{" + keys + ', "k99999": 1}')


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, None), (3.5, 4), ("8", 8), (70_000, 5), (True, 1), (-4, 4)])
def test_sizes_that_no_image_has(width, height):
    with pytest.raises(ValueError, match="expected"):
        strict.as_size(width, height)


def test_sizes():
    assert strict.as_size(None, None) is None
    assert strict.as_size(400.0, 300) == (400, 300)
