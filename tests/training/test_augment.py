"""Augmentation: replayable, the same geometry for image and mask, and the transforms Table 6 names."""

import math

import pytest
import torch

from busline.base.sections import AugmentationLevel
from busline.training.augment import Geometry, apply_geometry, draw_geometry

NONE = {"flip": False, "rotation": 0.0, "translation": 0.0, "shear": 0.0, "zoom": 0.0}


def level(**changes):
    return AugmentationLevel(**{**NONE, **changes})


def draw(seed=0, count=64, **changes):
    return draw_geometry(level(**changes), count, torch.Generator().manual_seed(seed))


def test_no_range_changes_nothing():
    assert draw() is None
    images = torch.rand(3, 1, 8, 8)
    assert apply_geometry(images, None) is images


def test_a_draw_is_replayed_from_its_seed():
    ranges = {"flip": True, "rotation": 20.0, "translation": 0.1, "zoom": 0.1, "shear": 0.1}
    torch.testing.assert_close(draw(3, **ranges).theta, draw(3, **ranges).theta, rtol=0, atol=0)
    assert not torch.equal(draw(3, **ranges).theta, draw(4, **ranges).theta)


def test_flip_mirrors_half_of_the_images_exactly():
    images = torch.rand(64, 1, 6, 6)
    out = apply_geometry(images, draw(flip=True))
    mirrored = torch.isclose(out, images.flip(3), atol=1e-6).all(dim=(1, 2, 3))
    same = torch.isclose(out, images, atol=1e-6).all(dim=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 16 < int(mirrored.sum()) < 48


def test_rotation_stays_in_its_range_and_keeps_lengths():
    theta = draw(rotation=10.0, count=500).theta
    angles = torch.rad2deg(torch.atan2(theta[:, 1, 0], theta[:, 0, 0]))
    assert angles.abs().max() <= 10.0
    assert angles.abs().max() > 9.0
    assert torch.linalg.det(theta[:, :, :2]) == pytest.approx(1.0, abs=1e-5)


def test_a_right_angle_turns_the_image():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    quarter = torch.tensor([[[math.cos(math.pi / 2), -1.0, 0.0], [1.0, math.cos(math.pi / 2), 0.0]]])
    out = apply_geometry(image, Geometry(quarter))
    torch.testing.assert_close(out[0, 0], torch.rot90(image[0, 0], 1, (0, 1)), atol=1e-4, rtol=0)


def test_translation_shifts_by_a_share_of_the_side():
    theta = draw(translation=0.2, count=500).theta
    shift = theta[:, :, 2] / 2.0
    assert shift.abs().max() <= 0.2
    assert shift.abs().max() > 0.19


def test_zoom_scales():
    theta = draw(zoom=0.1, count=500).theta
    assert theta[:, 0, 0].min() >= 0.9
    assert theta[:, 0, 0].max() <= 1.1


def test_image_and_mask_get_the_same_geometry():
    masks = torch.zeros(16, 1, 32, 32)
    masks[:, :, 8:20, 5:15] = 1.0
    geometry = draw(count=16, flip=True, rotation=20.0, translation=0.2, zoom=0.1, shear=0.1)
    images = apply_geometry(masks, geometry)
    moved = apply_geometry(masks, geometry, mode="nearest")
    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert ((images > 0.5).float() - moved).abs().mean() < 0.01
