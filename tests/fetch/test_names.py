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


def test_a_name_longer_in_bytes_than_a_file_system_takes_is_refused_before_it_is_looked_for():
    with pytest.raises(ValueError, match="longer than a file system takes"):
        safe_path("𝒙" * 70 + ".png", subfolders=False)
    with pytest.raises(ValueError, match="longer than a file system takes"):
        safe_path("/".join(["folder"] * 200) + "/a.png", subfolders=True)
    with pytest.raises(ValueError, match="leaves its folder") as error:
        safe_path("../" * 10_000 + "a.png", subfolders=True)
    assert len(str(error.value)) < 200
