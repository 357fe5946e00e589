"""Augmentation: replayable, the same geometry for image and mask, and every transform within its range."""

import numpy as np
import pytest
import torch

from busline.base.settings.training import AugmentationLevel
from busline.training import augment
from busline.training.augment import change_geometry, change_intensity

NONE = {"flip": False, "rotation": 0.0, "translation": 0.0, "shear": 0.0, "zoom": 0.0}
ALL = {"flip": True, "rotation": 20.0, "translation": 0.1, "zoom": 0.1, "shear": 0.1}
ECHO = {"brightness": 0.2, "gamma": 0.3, "speckle": 0.2}


def level(**changes):
    return AugmentationLevel(**{**NONE, **changes})


def draws(count=64, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((count, augment.DRAWS), dtype=np.float32))


def affine(count=500, **changes):
    return augment._affine(level(**changes), draws(count))


def test_no_range_changes_nothing():
    images = torch.rand(3, 1, 8, 8)
    assert change_geometry(images, level(), draws(3)) is images
    assert change_intensity(images, level(), draws(3)) is images


def test_a_draw_is_replayed_from_its_seed():
    images = torch.rand(64, 1, 16, 16)
    both = level(**ALL, **ECHO)
    once, again, other = (
        change_intensity(change_geometry(images, both, draws(seed=seed)), both, draws(seed=seed)) for seed in (3, 3, 4)
    )
    torch.testing.assert_close(once, again, rtol=0, atol=0)
    assert not torch.equal(once, other)


def test_flip_mirrors_half_of_the_images_exactly():
    images = torch.rand(64, 1, 6, 6)
    out = change_geometry(images, level(flip=True), draws())
    mirrored = torch.isclose(out, images.flip(3), atol=1e-6).all(dim=(1, 2, 3))
    same = torch.isclose(out, images, atol=1e-6).all(dim=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 16 < int(mirrored.sum()) < 48


def test_rotation_stays_in_its_range_and_keeps_lengths():
    theta = affine(rotation=10.0)
    angles = torch.rad2deg(torch.atan2(theta[:, 1, 0], theta[:, 0, 0]))
    assert angles.abs().max() <= 10.0
    assert angles.abs().max() > 9.0
    assert torch.linalg.det(theta[:, :, :2]) == pytest.approx(1.0, abs=1e-5)


def test_a_right_angle_turns_the_image():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    quarter = torch.full((1, augment.DRAWS), 0.5)
    quarter[:, 1] = 1.0  # the largest rotation
    out = change_geometry(image, level(rotation=90.0), quarter)
    torch.testing.assert_close(out[0, 0], torch.rot90(image[0, 0], 1, (0, 1)), atol=1e-4, rtol=0)


def test_translation_shifts_by_a_share_of_the_side():
    shift = affine(translation=0.2)[:, :, 2] / 2.0
    assert shift.abs().max() <= 0.2
    assert shift.abs().max() > 0.19


def test_zoom_scales():
    scale = affine(zoom=0.1)[:, 0, 0]
    assert scale.min() >= 0.9
    assert scale.max() <= 1.1
    assert scale.max() - scale.min() > 0.19


def test_image_and_mask_get_the_same_geometry():
    masks = torch.zeros(16, 1, 32, 32)
    masks[:, :, 8:20, 5:15] = 1.0
    images = change_geometry(masks, level(**ALL), draws(16))
    moved = change_geometry(masks, level(**ALL), draws(16), mode="nearest")
    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert ((images > 0.5).float() - moved).abs().mean() < 0.01
    assert (moved != masks).any()


def test_brightness_multiplies_within_its_range():
    images = torch.full((500, 1, 4, 4), 0.5)
    factor = change_intensity(images, level(brightness=0.2), draws(500))[:, 0, 0, 0] / 0.5
    assert 0.8 <= factor.min() < 0.82
    assert 1.18 < factor.max() <= 1.2


def test_gamma_bends_within_its_range_and_keeps_black_and_white():
    images = torch.tensor([0.0, 0.5, 1.0]).expand(500, 1, 1, 3)
    out = change_intensity(images, level(gamma=1.0), draws(500))[:, 0, 0]
    exponent = torch.log(out[:, 1]) / np.log(0.5)
    assert 0.5 <= exponent.min() < 0.51
    assert 1.97 < exponent.max() <= 2.0 + 1e-5
    assert (out[:, 2] == 1.0).all()
    assert out[:, 0].max() < 0.05


def test_speckle_is_as_strong_as_drawn_and_differs_from_case_to_case():
    images = torch.full((200, 1, 64, 64), 0.4)
    drawn = draws(200)
    deviation = (change_intensity(images, level(speckle=0.2), drawn) / 0.4).std(dim=(1, 2, 3))
    torch.testing.assert_close(deviation, 0.2 * drawn[:, 8], atol=0.03, rtol=0)
    out = change_intensity(images, level(speckle=0.2), drawn)
    assert len({row.numpy().tobytes() for row in out}) == 200


def test_intensities_stay_in_range():
    out = change_intensity(torch.rand(64, 1, 16, 16), level(brightness=0.9, gamma=2.0, speckle=0.9), draws())
    assert out.min() >= 0.0
    assert out.max() <= 1.0
