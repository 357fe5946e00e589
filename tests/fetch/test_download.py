import hashlib

import numpy as np
import pytest

from busline.base.errors import DownloadError
from busline.fetch.download import ATTEMPTS, answers, fetch

CONTENT = np.random.default_rng(0).bytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path, web):
    web.files["file.zip"] = CONTENT
    return tmp_path / "downloads" / "file.zip"


def part_of(target):
    return target.with_name(target.name + ".part")


def test_downloads_with_progress_and_returns_the_checksum(web, target):
    seen = []
    found = fetch(web.address("file.zip"), target, SHA256, lambda *call: seen.append(call))
    assert found == SHA256
    assert target.read_bytes() == CONTENT
    assert seen[-1] == ("file.zip", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert not part_of(target).exists()


def test_a_file_that_is_there_is_not_downloaded_again(web, target):
    fetch(web.address("file.zip"), target, SHA256)
    web.asked.clear()
    assert fetch(web.address("file.zip"), target, SHA256) == SHA256
    assert fetch(web.address("file.zip"), target, None) == SHA256
    assert web.asked == []


def test_a_file_with_another_checksum_is_replaced(web, target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    fetch(web.address("file.zip"), target, SHA256)
    assert target.read_bytes() == CONTENT


def test_a_cut_download_goes_on_where_it_was_cut(web, target):
    web.cuts = [100_000, 50_000]
    fetch(web.address("file.zip"), target, SHA256, wait=0)
    assert target.read_bytes() == CONTENT
    assert web.asked == [("file.zip", None), ("file.zip", "bytes=100000-"), ("file.zip", "bytes=150000-")]


def test_a_download_that_is_always_cut_keeps_its_part_and_the_next_call_goes_on(web, target):
    web.cuts = [1000] * ATTEMPTS
    with pytest.raises(DownloadError, match=rf"was cut: {1000 * ATTEMPTS} of 700000 bytes arrived") as error:
        fetch(web.address("file.zip"), target, SHA256, wait=0)
    assert "run again" in str(error.value)
    assert not target.exists()
    web.asked.clear()
    fetch(web.address("file.zip"), target, SHA256)
    assert target.read_bytes() == CONTENT
    assert web.asked == [("file.zip", f"bytes={1000 * ATTEMPTS}-")]


def test_without_a_checksum_an_old_part_is_thrown_away(web, target):
    target.parent.mkdir()
    part_of(target).write_bytes(b"another version")
    assert fetch(web.address("file.zip"), target, None) == SHA256
    assert web.asked == [("file.zip", None)]


def test_a_part_of_another_version_is_found_out_and_begun_anew(web, target):
    target.parent.mkdir()
    part_of(target).write_bytes(b"another version")
    fetch(web.address("file.zip"), target, SHA256)
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in web.asked] == ["bytes=15-", None]


@pytest.mark.parametrize("extra", [b"", b"and too much"])
def test_a_part_that_is_whole_or_too_long_does_not_stop_it(web, target, extra):
    target.parent.mkdir()
    part_of(target).write_bytes(CONTENT + extra)
    fetch(web.address("file.zip"), target, SHA256, wait=0)
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges_sends_everything_again(web, target):
    web.ranges = False
    web.cuts = [100_000]
    fetch(web.address("file.zip"), target, SHA256, wait=0)
    assert target.read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_leaves_nothing(web, target):
    with pytest.raises(DownloadError) as error:
        fetch(web.address("file.zip"), target, "0" * 64)
    assert f"has SHA-256 {SHA256}" in str(error.value)
    assert f"expected: SHA-256 {'0' * 64}" in str(error.value)
    assert list(target.parent.iterdir()) == []


def test_a_busy_server_is_asked_again_but_a_missing_file_is_not(web, target):
    web.failures = [503, 429]
    fetch(web.address("file.zip"), target, SHA256, wait=0)
    assert len(web.asked) == 3
    web.asked.clear()
    with pytest.raises(DownloadError, match="404"):
        fetch(web.address("other.zip"), target.with_name("other.zip"), SHA256, wait=0)
    assert len(web.asked) == 1


def test_no_connection_is_one_error_with_what_to_do(tmp_path):
    with pytest.raises(DownloadError, match="cannot be reached") as error:
        fetch("http://127.0.0.1:1/file.zip", tmp_path / "file.zip", None, mend="put it there by hand")
    assert "put it there by hand" in str(error.value)


@pytest.mark.parametrize(
    "address", ["http://a b/c", "http://a:b/c", "http://127.0.0.1:1/\u00f6", f"http://{'a' * 64}/c"]
)
def test_an_address_that_cannot_be_asked_is_one_error_at_once(tmp_path, address):
    with pytest.raises(DownloadError, match="is no address that can be asked"):
        fetch(address, tmp_path / "y", None, wait=60)
    assert not answers(address)


def test_only_the_web_is_an_address(tmp_path):
    with pytest.raises(DownloadError, match="no address"):
        fetch(f"file://{tmp_path}/x", tmp_path / "y", None)
