"""A mini release for the tests of ingest."""

import pytest

from helpers_cohort import write_release


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    write_release(folder)
    return folder
