"""Files are copied from inside a folder only, whatever links lie in it."""

import pytest

from busline.base.errors import DataError
from busline.fetch.files import copy_files

SECRET = b"secret"


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own/images").mkdir(parents=True)
    (tmp_path / "own/images/a.png").write_bytes(b"a")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/b.png").write_bytes(SECRET)
    (tmp_path / "target").mkdir()
    return tmp_path / "own"


def copy(own, *names):
    copy_files(names, own, own.parent / "target")
    return [(own.parent / "target" / name).read_bytes() for name in names]


@pytest.mark.parametrize("relative", [True, False])
def test_a_link_out_of_the_folder_is_refused(own, relative):
    outside = own.parent / "outside/b.png"
    (own / "images/b.png").symlink_to("../../outside/b.png" if relative else outside)
    with pytest.raises(DataError, match=r"images/b.png: is a link out of the folder; put the file itself there"):
        copy(own, "images/a.png", "images/b.png")
    assert list((own.parent / "target").iterdir()) == []


def test_a_subfolder_that_is_a_link_out_is_refused(own):
    (own / "more").symlink_to(own.parent / "outside", target_is_directory=True)
    with pytest.raises(DataError, match=r"more/b.png: is a link out of the folder"):
        copy(own, "more/b.png")


def test_a_link_to_a_link_out_is_refused(own):
    (own / "images/c.png").symlink_to(own.parent / "outside/b.png")
    (own / "images/b.png").symlink_to("c.png")
    with pytest.raises(DataError, match="is a link out of the folder"):
        copy(own, "images/b.png")


def test_a_neighbour_whose_name_only_begins_alike_is_outside(own):
    (own.parent / "own2").mkdir()
    (own.parent / "own2/b.png").write_bytes(SECRET)
    (own / "images/b.png").symlink_to(own.parent / "own2/b.png")
    with pytest.raises(DataError, match="is a link out of the folder"):
        copy(own, "images/b.png")


def test_a_link_inside_the_folder_is_as_good_as_a_file(own):
    (own / "images/b.png").symlink_to("a.png")
    assert copy(own, "images/b.png") == [b"a"]
    assert not (own.parent / "target/images/b.png").is_symlink()


def test_the_folder_itself_may_be_a_link(own):
    (own.parent / "link").symlink_to(own, target_is_directory=True)
    copy_files(["images/a.png"], own.parent / "link", own.parent / "target")
    assert (own.parent / "target/images/a.png").read_bytes() == b"a"


def test_a_link_to_nothing_and_one_to_itself_are_missing(own):
    (own / "images/b.png").symlink_to("none.png")
    (own / "images/c.png").symlink_to("c.png")
    with pytest.raises(DataError, match="2 problems") as error:
        copy(own, "images/b.png", "images/c.png")
    assert "images/b.png: is missing" in str(error.value)
    assert "images/c.png: is missing" in str(error.value)
