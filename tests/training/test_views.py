"""Views: geometry against arithmetic done by hand, and invariants."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from busline.training.views import DRAWS, Ranges, change_intensity, lay_back, look, whole, window

CANVAS = 128
STILL = Ranges(0.0, 0.0, 0.0, 0.0, 0.0, (1.0, 1.0), 0.0, 0.0, (1.0, 1.0), 0.0, 0.0, 0.0, 0.0)


def draws(count: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random((count, DRAWS), dtype=np.float32))


@pytest.fixture
def canvases() -> torch.Tensor:
    down, across = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    return (0.5 + 0.25 * torch.sin(down / 9) + 0.25 * torch.cos(across / 7)).expand(2, 1, -1, -1).clone()


def test_a_plain_whole_view_is_the_picture(canvases):
    maps = whole(torch.tensor([[64, 96], [128, 128]]), CANVAS)
    np.testing.assert_allclose(look(canvases, maps, 128)[1], canvases[1], atol=1e-6)
    seen = look(canvases, maps, 64)[0, 0]
    assert seen[0, 0] == pytest.approx(canvases[0, 0, 0:2, 0:1].mean().item(), abs=0.02)
    assert seen[-1, -1] == pytest.approx(canvases[0, 0, 94:96, 63].mean().item(), abs=0.02)


def test_a_window_is_square_centred_and_scaled(canvases):
    boxes = torch.tensor([[40.0, 50.0, 80.0, 70.0]])
    maps = window(boxes, CANVAS, 1.6)
    side = 64
    corner = canvases[:1, :, 60 - 32 : 60 + 32, 60 - 32 : 60 + 32]
    np.testing.assert_allclose(look(canvases[:1], maps, side), corner, atol=1e-6)


def test_a_tiny_lesion_gets_the_least_window():
    maps = window(torch.tensor([[60.0, 60.0, 62.0, 62.0]]), CANVAS, 1.6)
    assert maps[0, 0, 0].item() == pytest.approx(40 / 128)


def test_ranges_of_zero_change_nothing(canvases):
    sizes = torch.tensor([[100, 90], [128, 128]])
    torch.testing.assert_close(whole(sizes, CANVAS, STILL, torch.full((2, DRAWS), 0.9)), whole(sizes, CANVAS))
    boxes = torch.tensor([[40.0, 50.0, 100.0, 70.0]] * 2)
    torch.testing.assert_close(
        window(boxes, CANVAS, 1.0, STILL, torch.full((2, DRAWS), 0.9)), window(boxes, CANVAS, 1.0)
    )
    torch.testing.assert_close(change_intensity(canvases, STILL, draws(2)), canvases, atol=2e-4, rtol=0)


def test_a_flip_mirrors(canvases):
    numbers = torch.full((2, DRAWS), 0.5)
    numbers[:, 0] = 0.1
    sizes = torch.tensor([[128, 128], [90, 70]])
    plain, flipped = (
        look(canvases, whole(sizes, CANVAS, STILL, n), 64) for n in (torch.full((2, DRAWS), 0.9), numbers)
    )
    torch.testing.assert_close(flipped, plain.flip(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_changes_stay_within_their_ranges(seed):
    ranges, numbers = Ranges(), draws(200, seed)
    linear = whole(torch.full((200, 2), CANVAS), CANVAS, ranges, numbers)
    scale = torch.linalg.det(linear[:, :, :2]).abs().sqrt()
    # Shear leaves the area as it is up to its product with the rotation's sine.
    assert scale.log().abs().max() <= 0.2 + 1e-4
    assert linear[:, :, 2].abs().max() <= 0.2 + 1e-6


def test_laid_back_a_view_is_where_it_was(canvases):
    boxes = torch.tensor([[20.0, 20.0, 90.0, 60.0], [60.0, 10.0, 100.0, 100.0]])
    for maps in (window(boxes, CANVAS, 1.2), window(boxes, CANVAS, 1.2, Ranges(), draws(2))):
        back, inside = lay_back(look(canvases, maps, 128), maps, CANVAS)
        inner = torch.nn.functional.max_pool2d((~inside).float(), 9, 1, 4) == 0
        assert inner.sum() > 2000
        on_canvas = inner & (look(torch.ones_like(canvases), maps, 128).amin() >= 0)
        assert (back - canvases)[on_canvas].abs().mean() < 0.01
        assert (back[~inside] == 0).all()


def test_the_echo_stays_in_range_and_replays(canvases):
    numbers = draws(2, 5)
    first = change_intensity(canvases, Ranges(), numbers)
    assert first.min() >= 0
    assert first.max() <= 1
    torch.testing.assert_close(first, change_intensity(canvases, Ranges(), numbers), atol=0, rtol=0)
    assert (first - canvases).abs().mean() > 0.01


def test_one_rectangle_is_erased():
    views = torch.full((50, 1, 128, 128), 0.5)
    erase_only = Ranges(0.0, 0.0, 0.0, 0.0, 0.0, (1.0, 1.0), 0.0, 0.0, (1.0, 1.0), 0.0, 0.0, 0.0, 1.0)
    changed = change_intensity(views, erase_only, draws(50)) != 0.5
    sizes = changed.sum(dim=(1, 2, 3))
    assert sizes.min() >= 64
    assert sizes.max() <= 31 * 31
