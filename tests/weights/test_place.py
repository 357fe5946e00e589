"""Weights files of all origins: found, recognised by their checksum, and stored in one form, or refused whole."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save

from busline.base.artifacts import load_json
from busline.base.errors import DataError, DownloadError, ParameterError
from helpers_cohort import files_of
from made_weights import NOWHERE, PICKLED, SAFE, entry, install, put, sha256, torch_file

ORIGINS = ["package", "mirror", "url"]


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror/weights").mkdir(parents=True)
    return tmp_path / "mirror"


@pytest.fixture
def give(tmp_path, mirror, web, monkeypatch):
    """Puts a file where its origin has it, and returns the arguments that find it."""

    def place(origin, content, checksum, suffix=".safetensors", **changes):
        if origin == "package":
            install(tmp_path / "site", "net-model", {f"net_model/models/net{suffix}": content})
            monkeypatch.syspath_prepend(str(tmp_path / "site"))
            found = {"package": "net-model", "file": f"net_model/models/net{suffix}"}
        elif origin == "mirror":
            (mirror / f"weights/mine{suffix}").write_bytes(content)
            found = {"mirror": f"mine{suffix}"}
        else:
            web.files[f"model{suffix}"] = content
            found = {"url": web.address(f"model{suffix}")}
        return {"file": entry(found, checksum, **changes), "mirror": mirror}

    return place


def test_random_weights_are_an_empty_marker(tmp_path):
    out = put(tmp_path, None)
    assert list(files_of(out)) == ["source.json"]
    assert load_json(out / "source.json") == {"name": "none", "sha256": None}


@pytest.mark.parametrize(("content", "suffix"), [(SAFE, ".safetensors"), (PICKLED, ".pth")])
@pytest.mark.parametrize("known", [64, 8])
@pytest.mark.parametrize("origin", ORIGINS)
def test_every_origin_gives_the_same_tensors_and_the_checksum_is_recorded(
    tmp_path, give, origin, known, content, suffix
):
    out = put(tmp_path, **give(origin, content, sha256(content)[:known], suffix))
    assert list(files_of(out)) == ["source.json", "weights.safetensors"]
    assert load_json(out / "source.json") == {"name": "net.a1", "sha256": sha256(content)}
    np.testing.assert_array_equal(load_file(out / "weights.safetensors")["conv.weight"], np.arange(6))


@pytest.mark.parametrize("known", [64, 8])
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("place", [20, -1])
def test_one_flipped_bit_is_refused_and_nothing_is_written(tmp_path, give, origin, known, place):
    flipped = bytearray(SAFE)
    flipped[place] ^= 1
    with pytest.raises(DownloadError, match=rf"(?s)SHA-256.*{sha256(SAFE)[:known]}"):
        put(tmp_path, **give(origin, bytes(flipped), sha256(SAFE)[:known]))
    assert not (tmp_path / "out").exists()


def test_a_safetensors_file_may_be_unverified_and_a_pickle_may_not(tmp_path, give):
    assert load_json(put(tmp_path, **give("mirror", SAFE, "unverified")) / "source.json")["sha256"] == sha256(SAFE)
    with pytest.raises(DataError, match="is not read without a checksum"):
        put(tmp_path, **give("mirror", PICKLED, "unverified", ".pth"))


class Trap:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path, give, origin):
    content = torch_file({"conv.weight": Trap(str(tmp_path / "trapped"))})
    with pytest.raises(DataError, match="is no file of tensors alone"):
        put(tmp_path, **give(origin, content, sha256(content), ".pth"))
    assert not (tmp_path / "trapped").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (PICKLED[:-40], "is no file of tensors alone"),
        (PICKLED[:200], "is no file of tensors alone"),
        (b"", "is no file of tensors alone"),
        (b"<html>not found</html>", "is no file of tensors alone"),
        (torch_file([torch.zeros(1)]), "holds something else than named tensors"),
        (torch_file({"state_dict": {"a": torch.zeros(1)}}), "holds something else than named tensors"),
        (torch_file({}), "holds no tensors"),
    ],
)
def test_what_is_no_file_of_tensors_is_refused(tmp_path, give, content, problem):
    with pytest.raises(DataError, match=problem):
        put(tmp_path, **give("mirror", content, sha256(content), ".pth"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"<html>not found</html>", SAFE[:-3]])
def test_what_is_no_safetensors_file_is_refused(tmp_path, give, content):
    with pytest.raises(DataError, match="is no safetensors file"):
        put(tmp_path, **give("mirror", content, "unverified"))
    assert not (tmp_path / "out").exists()


def test_the_mirror_has_a_downloads_file_under_its_key(tmp_path, mirror):
    (mirror / "weights/net.a1.safetensors").write_bytes(SAFE)
    out = put(tmp_path, entry({"url": NOWHERE}, sha256(SAFE)), mirror=mirror)
    assert load_json(out / "source.json")["sha256"] == sha256(SAFE)


def test_offline_one_error_says_what_to_put_where(tmp_path, mirror):
    with pytest.raises(DownloadError) as error:
        put(tmp_path, entry({"url": NOWHERE}, sha256(SAFE)))
    message = str(error.value)
    assert NOWHERE in message
    assert "put the file at $BUSLINE_MIRROR/weights/net.a1.safetensors" in message
    assert "BUSLINE_MIRROR set to a folder" in message
    assert not (tmp_path / "out").exists()
    with pytest.raises(DownloadError) as error:
        put(tmp_path, entry({"url": NOWHERE}, sha256(SAFE)), mirror=mirror)
    assert f"put the file at {mirror}/weights/net.a1.safetensors" in str(error.value)


@pytest.mark.parametrize("with_mirror", [True, False])
def test_a_file_for_the_mirror_that_is_not_there_is_asked_for(tmp_path, mirror, with_mirror):
    with pytest.raises(DownloadError, match=r"(?s)weights/mine.pth: is missing.*put the file at .*weights/mine.pth"):
        put(tmp_path, entry({"mirror": "mine.pth"}, "0" * 8), mirror=mirror if with_mirror else None)


def test_a_package_that_is_not_there_is_named_with_what_to_do(tmp_path):
    with pytest.raises(DownloadError, match=r"(?s)package net-model: is not installed.*pip install net-model"):
        put(tmp_path, entry({"package": "net-model", "file": "net_model/net.pth"}, "0" * 8))


def test_a_packages_code_is_not_run_and_only_its_own_files_are_read(tmp_path, monkeypatch):
    trap = f"open({str(tmp_path / 'trapped')!r}, 'w')".encode()
    install(tmp_path / "site", "net-model", {"net_model/__init__.py": trap, "net_model/net.safetensors": SAFE})
    (tmp_path / "site/net_model/other.safetensors").write_bytes(SAFE)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    put(tmp_path, entry({"package": "net-model", "file": "net_model/net.safetensors"}, sha256(SAFE)))
    assert not (tmp_path / "trapped").exists()
    with pytest.raises(DownloadError, match="has no such file"):
        put(tmp_path, entry({"package": "net-model", "file": "net_model/other.safetensors"}, sha256(SAFE)))


@pytest.mark.parametrize(
    "origin",
    [
        {"package": "pytest", "file": "../../../etc/passwd"},
        {"mirror": "../other.safetensors"},
        {"mirror": "/etc/passwd"},
    ],
)
def test_a_name_that_leaves_its_folder_is_refused(tmp_path, mirror, origin):
    with pytest.raises(ParameterError, match="leaves its folder|absolute path|has a folder"):
        put(tmp_path, entry(origin, "0" * 8), mirror=mirror)


def test_a_key_that_leaves_the_folder_is_refused(tmp_path, mirror):
    with pytest.raises(ParameterError, match="leaves its folder"):
        put(tmp_path, entry({"url": NOWHERE}, "0" * 8), mirror=mirror, name="../net")


def test_a_download_of_another_checksum_is_not_taken_again(tmp_path, give, web):
    arguments = give("url", SAFE, sha256(SAFE)[:8])
    web.files["model.safetensors"] = SAFE + b" "
    with pytest.raises(DownloadError, match=r"(?s)has SHA-256.*begins with"):
        put(tmp_path, **arguments)
    web.files["model.safetensors"] = SAFE
    assert put(tmp_path, **arguments).is_dir()


@pytest.mark.parametrize("known", [8, None])
def test_what_came_from_another_address_is_not_taken_for_the_file(tmp_path, web, known):
    other = save({"conv.weight": np.zeros(6, np.float32)})
    for name, content in (("old.safetensors", other), ("new.safetensors", SAFE)):
        web.files[name] = content
        checksum = sha256(content)[:known] if known else "unverified"
        out = put(tmp_path, entry({"url": web.address(name)}, checksum))
        assert load_json(out / "source.json")["sha256"] == sha256(content)


@pytest.mark.parametrize("query", ["", "?download=true"])
def test_an_address_with_a_query_has_the_suffix_of_its_path(tmp_path, mirror, query):
    (mirror / "weights/net.a1.safetensors").write_bytes(SAFE)
    assert put(tmp_path, entry({"url": NOWHERE + query}, sha256(SAFE)), mirror=mirror).is_dir()


@pytest.mark.parametrize("old", [True, False])
def test_a_tensor_of_two_names_and_files_of_either_form_are_read(tmp_path, give, old):
    one = torch.arange(3.0)
    content = torch_file({"a": one, "b": one, "c": torch.nn.Parameter(one.half())}, old=old)
    out = put(tmp_path, **give("mirror", content, sha256(content), ".pth"))
    found = load_file(out / "weights.safetensors")
    assert {name: values.tolist() for name, values in found.items()} == {key: [0.0, 1.0, 2.0] for key in "abc"}


def test_a_wrong_download_is_not_taken_for_the_file_the_next_time(tmp_path, give, web):
    arguments = give("url", b"<html>busy</html>", "unverified")
    with pytest.raises(DataError, match="is no safetensors file"):
        put(tmp_path, **arguments)
    web.files["model.safetensors"] = SAFE
    assert put(tmp_path, **arguments).is_dir()
