import pytest

from busline.fetch.names import safe_path


@pytest.mark.parametrize("name", ["a.png", "benign (1)_mask.png", "…ä.png", "a..b.png"])
def test_plain_names_pass(name):
    assert str(safe_path(name, subfolders=False)) == name


def test_subfolders_pass_only_where_allowed():
    assert str(safe_path("x/y/a.png", subfolders=True)) == "x/y/a.png"
    with pytest.raises(ValueError, match="folder in it"):
        safe_path("x/a.png", subfolders=False)


@pytest.mark.parametrize("subfolders", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        "", " ", "..", ".", "../a.png", "x/../../a.png", "/a.png", "//a.png", "\\a.png", "x\\a.png", "C:a.png",
        "c:/a.png", "~/a.png", "x//a.png", "./a.png", "a\x00.png", "a\n.png", "a" * 300 + ".png",
    ],
)  # fmt: skip
def test_names_that_could_leave_the_folder_are_refused(name, subfolders):
    with pytest.raises(ValueError, match="file name"):
        safe_path(name, subfolders=subfolders)
