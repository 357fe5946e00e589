"""Ingest a mini release, or see it refused."""

import pytest

from busline.base.errors import DataError
from busline.cohort.ingest import ingest
from busline.cohort.sources.breast import read_breast
from busline.cohort.store import load_cohort
from helpers_cohort import SETTINGS


def run(raw, **settings):
    """Ingest it with some settings changed, and open the cohort."""
    target = raw.parent / "data" / "cohort"
    ingest(read_breast(raw), "breast", target, SETTINGS.model_copy(update=settings))
    return load_cohort(target)


def refuse(raw, **settings):
    """Return the one error of its ingestion, which leaves nothing behind."""
    with pytest.raises(DataError) as error:
        run(raw, **settings)
    assert list((raw.parent / "data").iterdir()) == []
    return str(error.value)
