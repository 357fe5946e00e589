"""Speckle, log compression and texture against what theory says of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from busline.cohort.phantom.physics import log_compress, speckle, texture


@pytest.mark.parametrize(("axial", "lateral"), [(0.8, 1.2), (1.6, 2.5)])
def test_speckle_is_fully_developed(axial: float, lateral: float) -> None:
    echo = np.full((512, 512), 3.0, np.float32)
    beam = np.linspace(lateral, 1.5 * lateral, 512, dtype=np.float32)
    envelope = speckle(echo, axial, beam, np.random.default_rng(1)).astype(float)
    rayleigh = np.sqrt(np.pi / (4.0 - np.pi))
    assert envelope.mean() / envelope.std() == pytest.approx(rayleigh, rel=0.02)
    assert (envelope**2).mean() == pytest.approx(9.0, rel=0.03)
    apart = envelope[::16, ::24].ravel()
    assert stats.kstest(apart, stats.rayleigh(scale=3.0 / np.sqrt(2.0)).cdf).pvalue > 0.01


def test_speckle_is_as_coarse_as_the_point_spread_function() -> None:
    """The intensity of fully developed speckle has the squared autocorrelation of the point-spread function."""
    beam = np.full(512, 3.0, np.float32)
    intensity = speckle(np.ones((512, 512), np.float32), 1.5, beam, np.random.default_rng(2)).astype(float) ** 2
    centred = intensity - intensity.mean()
    for lag in (1, 2, 4):
        across = (centred[:, :-lag] * centred[:, lag:]).mean() / centred.var()
        down = (centred[:-lag] * centred[lag:]).mean() / centred.var()
        assert across == pytest.approx(np.exp(-(lag**2) / (2 * 3.0**2)), abs=0.05)
        assert down == pytest.approx(np.exp(-(lag**2) / (2 * 1.5**2)), abs=0.05)


def test_looks_smooth_the_speckle_by_the_root_of_their_number() -> None:
    echo, beam = np.ones((256, 256), np.float32), np.full(256, 1.5, np.float32)
    one, four = (speckle(echo, 1.0, beam, np.random.default_rng(3), looks=looks) for looks in (1, 4))
    assert four.mean() == pytest.approx(one.mean(), rel=0.03)
    assert (four.mean() / four.std()) / (one.mean() / one.std()) == pytest.approx(2.0, rel=0.05)


def test_log_compression_maps_decibels_to_gray() -> None:
    envelope = np.array([[1.0, 10.0**0.5], [10.0**-0.5, 1.0]], np.float32)
    gray = log_compress(envelope, dynamic_range=50.0, mean=0.4)
    assert gray.tolist() == [[102, 153], [51, 102]]
    assert log_compress(np.array([[0.0, 1.0]], np.float32), 50.0, 0.5).tolist() == [[0, 255]]


def test_texture_has_unit_variance_and_the_asked_width() -> None:
    field = texture((300, 400), 2.0, 6.0, np.random.default_rng(4))
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    assert (field[:, :-6] * field[:, 6:]).mean() == pytest.approx(np.exp(-0.25), abs=0.06)
    assert (field[:-2] * field[2:]).mean() == pytest.approx(np.exp(-0.25), abs=0.06)
