"""What all tests share."""

import os

import pytest

from busline.base.processor import choose_kernels
from busline.training.pool import warm_up
from web_server import web as web

choose_kernels("avx2")  # before anything imports torch: what networks learn in a test is the same on every x86-64
os.environ.update(BUSLINE_CACHE="", BUSLINE_LOG="", BUSLINE_DEVICE="cpu")  # a test that wants a cache makes its own


@pytest.fixture(scope="session", autouse=True)
def _training_processes():
    """Import what training processes need once, in the server they fork from, while the tests go on."""
    warm_up("avx2", "busline.studies.cnn", "busline.studies.dnn")
