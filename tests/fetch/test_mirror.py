import pytest

from busline.base.errors import ParameterError
from busline.fetch.mirror import find_mirror


def test_the_mirror_is_a_folder_or_not_set(tmp_path, monkeypatch):
    monkeypatch.delenv("BUSLINE_MIRROR", raising=False)
    assert find_mirror() is None
    monkeypatch.setenv("BUSLINE_MIRROR", "")
    assert find_mirror() is None
    monkeypatch.setenv("BUSLINE_MIRROR", str(tmp_path))
    assert find_mirror() == tmp_path
    monkeypatch.setenv("BUSLINE_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(ParameterError, match="BUSLINE_MIRROR"):
        find_mirror()
