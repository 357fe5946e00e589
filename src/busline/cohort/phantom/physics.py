"""The ultrasound image of a tissue map: speckle, attenuation and log compression.

The model is the usual one of linear scanners: the echo is a field of scatterers convolved with a separable point-spread
function (Bamber & Dickinson 1980, doi:10.1088/0031-9155/25/3/006; Jensen & Svendsen 1992, doi:10.1109/58.139123). The
demodulated signal is formed directly: scatterers lie closer than a wavelength and at random, so the carrier only
turns their phases, and a circular complex Gaussian field is what is left of it. Its envelope is then Rayleigh
distributed, fully developed speckle (Wagner et al. 1983, doi:10.1109/T-SU.1983.31404).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

Field = npt.NDArray[np.float32]


def texture(
    shape: tuple[int, int], axial: float, lateral: float, generator: np.random.Generator, *, tilt: float = 0.0
) -> Field:
    """Return a smooth random field: Gaussian, of unit variance, with a Gaussian autocorrelation.

    Args:
        shape: height and width in pixels.
        axial: standard deviation of the smoothing kernel in depth, in pixels.
        lateral: the same across, in pixels.
        generator: source of randomness.
        tilt: angle of the structures against the horizontal in radians.
    """
    height, width = fft.next_fast_len(shape[0], real=True), fft.next_fast_len(shape[1], real=True)
    down = fft.fftfreq(height).astype(np.float32)[:, None]
    across = fft.rfftfreq(width).astype(np.float32)[None, :]
    along = across * np.float32(np.cos(tilt)) + down * np.float32(np.sin(tilt))
    against = down * np.float32(np.cos(tilt)) - across * np.float32(np.sin(tilt))
    exponent = np.square(np.float32(lateral) * along) + np.square(np.float32(axial) * against)
    transfer = np.exp(np.float32(-2.0 * np.pi**2) * exponent)
    noise = generator.standard_normal((height, width), dtype=np.float32)
    field = fft.irfft2(fft.rfft2(noise) * transfer, s=(height, width))[: shape[0], : shape[1]]
    return np.asarray(field / field.std(), np.float32)


def speckle(echo: Field, axial: float, lateral: Field, generator: np.random.Generator, *, looks: int = 1) -> Field:
    """Return the envelope of the echo of randomly placed scatterers.

    Args:
        echo: root mean square reflectivity a pixel, (height, width).
        axial: standard deviation of the pulse's envelope in depth, in pixels.
        lateral: standard deviation of the beam's profile at every depth, in pixels, (height,).
        generator: source of randomness.
        looks: number of independent looks averaged (spatial compounding); 1 gives fully developed speckle.

    Returns:
        The envelope, (height, width); where the tissue is uniform its mean square is ``echo**2`` for one look.
    """
    height, width = echo.shape
    across = fft.fftfreq(width).astype(np.float32)[None, :]
    beam = np.exp(-2.0 * np.pi**2 * (lateral[:, None] * across) ** 2)
    pulse = ndimage.gaussian_filter1d(np.eye(1, 8 * int(axial + 1) + 1, 4 * int(axial + 1))[0], axial)
    power = (beam**2).mean(axis=1, keepdims=True) * (pulse**2).sum()
    beam = (beam / np.sqrt(2.0 * power)).astype(np.float32)
    total = np.zeros(echo.shape, np.float32)
    for _ in range(looks):
        scatterers = np.empty(echo.shape, np.complex64)
        scatterers.real = echo * generator.standard_normal((height, width), dtype=np.float32)
        scatterers.imag = echo * generator.standard_normal((height, width), dtype=np.float32)
        signal = fft.ifft(fft.fft(scatterers, axis=1) * beam, axis=1)
        real = ndimage.gaussian_filter1d(signal.real, axial, axis=0)
        imaginary = ndimage.gaussian_filter1d(signal.imag, axial, axis=0)
        total += np.hypot(real, imaginary)
    return np.asarray(total / looks, np.float32)


def log_compress(envelope: Field, dynamic_range: float, mean: float) -> npt.NDArray[np.uint8]:
    """Return the gray image of an envelope, with the gain set as an operator does it: for a picture of even brightness.

    Args:
        envelope: the envelope, (height, width), in any unit.
        dynamic_range: decibels between black and white.
        mean: mean gray of the picture, from 0 (black) to 1 (white), before clipping.
    """
    decibels = 20.0 * np.log10(np.maximum(envelope, 1e-6))
    gray = mean + (decibels - decibels.mean()) / dynamic_range
    return np.asarray(np.clip(np.rint(255.0 * gray), 0, 255), np.uint8)


def amplitude(decibels: Field) -> Field:
    """Return the amplitude of a level in decibels."""
    return np.asarray(np.power(np.float32(10.0), decibels / np.float32(20.0)), np.float32)
