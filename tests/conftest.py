"""What all tests share."""

import os

import pytest

from busline.training.pool import warm_up
from web_server import web as web

os.environ.update(BUSLINE_CACHE="", BUSLINE_LOG="", BUSLINE_DEVICE="cpu")  # a test that wants a cache makes its own


@pytest.fixture(scope="session", autouse=True)
def _training_processes():
    """Import what training processes need once, in the server they fork from, while the tests go on."""
    warm_up("busline.studies.cnn", "busline.studies.dnn")
