import stat
import zipfile

import pytest

from busline.base.errors import DataError
from busline.fetch.archive import check_archive, extract_files


def make_zip(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_named_files_are_taken_from_any_folder_and_others_left(tmp_path):
    path = make_zip(
        tmp_path / "a.zip",
        [("top/a.png", b"A"), ("top/sub/b.png", b"B"), ("top/c.png", b"C"), ("__MACOSX/top/a.png", b"junk")],
    )
    target = tmp_path / "out"
    target.mkdir()
    extract_files(path, ["a.png", "b.png"], target)
    assert {file.name: file.read_bytes() for file in target.iterdir()} == {"a.png": b"A", "b.png": b"B"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.png", "leaves its folder"),
        ("a/../../evil.png", "leaves its folder"),
        ("/etc/evil.png", "absolute path"),
        ("C:/evil.png", "absolute path"),
        ("a\\..\\evil.png", "backslash"),
    ],
)
def test_an_archive_with_a_name_that_leaves_its_folder_is_refused_whole(tmp_path, name, reason):
    path = make_zip(tmp_path / "a.zip", [("good.png", b"A"), (name, b"B")])
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=reason):
        extract_files(path, ["good.png"], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("good.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DataError, match="symbolic link"):
        check_archive(make_zip(tmp_path / "a.zip", [(link, b"/etc/passwd")]))


def test_a_decompression_bomb_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("a.png", bytes(5 << 20))])
    with pytest.raises(DataError, match=r"'a.png' unpacks from [\d,]+ to 5,242,880 bytes"):
        check_archive(path)


def test_too_much_in_all_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", [(f"{n}.png", bytes(1000)) for n in range(10)])
    check_archive(path, max_bytes=10_000)
    with pytest.raises(DataError, match="expected at most 9,999"):
        check_archive(path, max_bytes=9_999)


def test_all_dangers_are_listed_at_once(tmp_path):
    with pytest.raises(DataError, match="2 problems"):
        check_archive(make_zip(tmp_path / "a.zip", [("../a", b""), ("/b", b"")]))


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_a_truncated_archive_is_refused(tmp_path, keep):
    path = make_zip(tmp_path / "a.zip", [("a.png", bytes(range(256)) * 4)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="no whole zip archive"):
        check_archive(path)


def test_a_damaged_entry_is_named(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.png", b"unmistakable")
    path.write_bytes(path.read_bytes().replace(b"unmistakable", b"unmistakablE"))
    with pytest.raises(DataError, match=r"a.png: is damaged"):
        extract_files(path, ["a.png"], tmp_path)


def test_missing_and_doubled_files_are_listed(tmp_path):
    path = make_zip(tmp_path / "a.zip", [("x/a.png", b""), ("y/a.png", b"")])
    with pytest.raises(DataError) as error:
        extract_files(path, ["a.png", "b.png"], tmp_path)
    assert "a.png: is there more than once" in str(error.value)
    assert "b.png: is not there" in str(error.value)
