import io
import itertools

import numpy as np
import pytest
from PIL import Image

from busline.cohort.duplicates import _candidates, digest, find_duplicates, perceptual_hash, thumbnail


def tissue(seed, shape=(120, 160)):
    """Speckle over coarse structure, with the depth profile all images share."""
    generator = np.random.default_rng(seed)
    coarse = np.asarray(Image.fromarray(generator.integers(0, 120, (8, 10), dtype=np.uint8)).resize(shape[::-1]))
    image = coarse + generator.rayleigh(30.0, shape)
    return np.clip(image * np.linspace(1.2, 0.5, shape[0])[:, None], 0, 255).astype(np.uint8)


def find(images, max_bits=3):
    ids = [f"c{number}" for number in range(len(images))]
    found = find_duplicates(ids, [digest(i) for i in images], [thumbnail(i) for i in images], max_bits)
    return [tuple(row) for row in found.itertuples(index=False)]


def jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=70)
    return np.asarray(Image.open(buffer))


def mark(image):
    """Draw two callipers, as a sonographer does to measure a lesion."""
    image = image.copy()
    for row, column in ((40, 50), (70, 110)):
        image[row - 3 : row + 4, column] = image[row, column - 3 : column + 4] = 255
    return image


def test_the_same_pixels_are_exact_duplicates_of_the_first():
    a, b = tissue(0), tissue(1)
    assert find([a, b, a.copy(), a.copy()]) == [("c0", "c2", "exact", 0), ("c0", "c3", "exact", 0)]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.clip(image.astype(float) * 0.8 + 25, 0, 255).astype(np.uint8),
        jpeg,
        lambda image: np.asarray(Image.fromarray(image).resize((110, 83), Image.Resampling.BILINEAR)),
        mark,
    ],
    ids=["brighter", "compressed", "smaller", "with callipers"],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_scan_saved_again_is_a_near_duplicate(change, seed):
    found = find([tissue(seed), tissue(seed + 100), change(tissue(seed))], max_bits=8)
    assert [row[:3] for row in found] == [("c0", "c2", "near")]


def test_different_scans_are_none():
    assert find([tissue(seed) for seed in range(150)], max_bits=8) == []


def test_the_depth_profile_alone_makes_no_duplicate():
    """Two flat tissues under one strong gain curve correlate highly; they are still two scans."""
    gain = np.linspace(250, 5, 120)[:, None]
    images = [
        np.clip(gain + np.random.default_rng(s).normal(0, 12, (120, 160)), 0, 255).astype(np.uint8) for s in (0, 1)
    ]
    assert np.corrcoef(thumbnail(images[0]).ravel(), thumbnail(images[1]).ravel())[0, 1] > 0.98
    assert find(images) == []


def test_blank_images_are_exact_duplicates_and_near_nothing():
    blank = np.zeros((50, 60), dtype=np.uint8)
    grey = np.full((50, 60), 90, dtype=np.uint8)
    assert find([blank, grey, tissue(0), blank.copy()]) == [("c0", "c3", "exact", 0)]


@pytest.mark.parametrize("max_bits", [0, 1, 3, 8])
def test_bands_find_every_pair_that_comparing_all_pairs_finds(max_bits):
    generator = np.random.default_rng(7)
    base = generator.integers(0, 2**64, 40, dtype=np.uint64)
    hashes = [*base]
    for flips in range(12):
        for value in base[:10]:
            for bit in generator.choice(64, flips, replace=False):
                value = value ^ (np.uint64(1) << np.uint64(bit))
            hashes.append(value)
    hashes = np.array(hashes, dtype=np.uint64)
    brute = {
        (a, b, (int(hashes[a]) ^ int(hashes[b])).bit_count())
        for a, b in itertools.combinations(range(len(hashes)), 2)
        if (int(hashes[a]) ^ int(hashes[b])).bit_count() <= max_bits
    }
    assert brute
    found = {(min(a, b), max(a, b), distance) for a, b, distance in _candidates(hashes, max_bits)}
    assert found == brute


def test_another_depth_gain_is_no_other_hash():
    small = thumbnail(tissue(0)) // 2
    profile = np.linspace(100, 0, 32).astype(np.uint8)[:, None]
    assert perceptual_hash(small + profile) == perceptual_hash(small)


def test_half_of_the_bits_are_set():
    assert all(perceptual_hash(thumbnail(tissue(seed))).bit_count() == 32 for seed in range(10))
