"""What all tests share."""

import pytest

from busline.training.pool import warm_up


@pytest.fixture(scope="session", autouse=True)
def _training_processes():
    """Import what training processes need once, in the server they fork from, while the tests go on."""
    warm_up("busline.studies.cnn", "busline.studies.dnn")
