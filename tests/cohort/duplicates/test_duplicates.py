import io
import itertools

import numpy as np
import pytest
from PIL import Image

from busline.cohort.duplicates.hashes import WINDOWS, find_candidates, hash_windows
from busline.cohort.duplicates.pairs import find_duplicates, take_fingerprints, thumbnail
from busline.cohort.duplicates.tables import HALF_TURN, MIRRORED, SIGNS, UPSIDE_DOWN, pack, turn_images


def tissue(seed, shape=(120, 160)):
    """Speckle over coarse structure, with the depth profile all images share."""
    generator = np.random.default_rng(seed)
    coarse = np.asarray(Image.fromarray(generator.integers(0, 120, (8, 10), dtype=np.uint8)).resize(shape[::-1]))
    image = coarse + generator.rayleigh(30.0, shape)
    return np.clip(image * np.linspace(1.2, 0.5, shape[0])[:, None], 0, 255).astype(np.uint8)


def find(images, max_bits=12, least=0.65, workers=1):
    images = [np.ascontiguousarray(image) for image in images]
    prints = take_fingerprints([f"c{number}" for number in range(len(images))], images)
    found = find_duplicates(prints, max_bits, least, workers=workers)
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
    assert find([a, b, a.copy(), a.copy()]) == [("c0", "c2", "exact", 0, 1.0), ("c0", "c3", "exact", 0, 1.0)]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.clip(image.astype(float) * 0.8 + 25, 0, 255).astype(np.uint8),
        jpeg,
        lambda image: np.asarray(Image.fromarray(image).resize((110, 83), Image.Resampling.BILINEAR)),
        mark,
        lambda image: image[:, ::-1],
        lambda image: image[12:, 20:-5],
        lambda image: image[:-18, 24:],
        lambda image: jpeg(mark(image[10:-6, 3:-20])[:, ::-1]),
    ],
    ids=["brighter", "compressed", "smaller", "with callipers", "mirrored", "cropped", "cropped more", "all at once"],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_scan_saved_again_is_a_near_duplicate(change, seed):
    found = find([tissue(seed), tissue(seed + 100), change(tissue(seed))])
    assert [row[:2] for row in found] == [("c0", "c2")]
    assert found[0][2] in ("near", "mirrored")
    assert found[0][4] >= 0.65


def test_different_scans_are_none():
    assert find([tissue(seed) for seed in range(150)]) == []


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
    assert find([blank, grey, tissue(0), blank.copy()]) == [("c0", "c3", "exact", 0, 1.0)]


def test_the_lookup_finds_nearly_what_comparing_all_windows_finds():
    images = [tissue(seed) for seed in range(40)]
    images += [image[4:-9, 11:-2][:, :: 1 - 2 * (number % 2)] for number, image in enumerate(images)]
    thumbnails = np.stack([thumbnail(np.ascontiguousarray(image)) for image in images])
    hashes = pack(hash_windows(thumbnails))
    mirror = pack(SIGNS)[MIRRORED]
    brute = {}
    for a, b in itertools.permutations(range(len(images)), 2):
        distance = min(np.bitwise_count(hashes[a] ^ other).min() for other in (hashes[b, 0], hashes[b, 0] ^ mirror))
        if distance <= 12:
            brute[a, b] = int(distance)
    assert len(brute) >= 40
    found = find_candidates(thumbnails, 12)
    pairs = dict(
        zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.distance.tolist(), strict=True)
    )
    assert len(pairs) == len(found.first)
    assert set(pairs) <= set(brute)
    assert len(pairs) >= 0.95 * len(brute)
    assert np.mean([pairs[key] == brute[key] for key in pairs]) >= 0.95
    assert (np.diff(found.distance) >= 0).all()


@pytest.mark.parametrize("turn", [MIRRORED, UPSIDE_DOWN, HALF_TURN])
def test_a_turned_image_changes_the_signs_of_odd_waves_and_nothing_else(turn):
    small = thumbnail(tissue(3))[None]
    turned = turn_images(small, np.array([turn]))
    assert not np.array_equal(turned, small)
    assert (hash_windows(turned, WINDOWS[:1]) == hash_windows(small, WINDOWS[:1]) ^ SIGNS[turn]).all()


def test_another_depth_gain_is_no_other_hash():
    small = thumbnail(tissue(0)) // 2
    profile = np.linspace(100, 0, 64).astype(np.uint8)[:, None]
    same = hash_windows(np.stack([small, small + profile]), WINDOWS[:1])
    assert (same[0] == same[1]).all()


def test_copies_of_one_scan_are_joined_by_as_many_pairs_as_it_takes():
    scan = tissue(0)
    images = [scan, tissue(1), *(np.clip(scan * factor, 0, 255).astype(np.uint8) for factor in (0.9, 0.8, 0.7))]
    found = find(images)
    assert len(found) == 3
    assert {name for row in found for name in row[:2]} == {"c0", "c2", "c3", "c4"}


def test_the_limits_are_the_callers():
    images = [tissue(0), mark(tissue(0))[8:-8, 10:-10]]
    assert find(images) != []
    assert find(images, least=1.0) == []
    assert find(images, max_bits=0) == []


def test_the_number_of_threads_changes_nothing():
    scans = [tissue(seed) for seed in range(90)]  # two chunks of look-ups
    images = [*scans, *(mark(scan)[6:-6, 8:-8] for scan in scans)]  # and several batches of candidates
    assert len(find(images)) > 60
    assert find(images, workers=3) == find(images)
