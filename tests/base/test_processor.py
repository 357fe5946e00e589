"""Kernels are declared: each switch is honoured by the installed torch, set in time, or the process is refused."""

import os
import platform
import subprocess
import sys

import pytest

from busline.base import processor
from busline.base.errors import ParameterError, TrainingError
from busline.base.processor import FORMER, SWITCHES, choose_kernels, features, kernel_class
from helpers_cohort import ROOT

X86 = platform.machine().lower() in ("x86_64", "amd64")
only_x86 = pytest.mark.skipif(not X86, reason="the switches are those of x86-64")
COMPUTE = """
import hashlib, numpy as np, torch
torch.set_num_threads(1)
draw = np.random.default_rng(0)
def made(*shape): return torch.from_numpy(draw.standard_normal(shape, dtype=np.float32))
results = {
    "convolution": torch.conv2d(made(4, 8, 33, 33), made(16, 8, 3, 3)),
    "product": made(61, 301) @ made(301, 77),
    "sigmoid": torch.sigmoid(made(10007)),
}
for name, value in results.items():
    print(name, hashlib.sha256(value.numpy().tobytes()).hexdigest())
"""


def run(code: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in (*SWITCHES, *FORMER)}
    variables = clean | {"PYTHONPATH": str(ROOT / "src")} | environment
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    return done.stdout


def computed(kernels: str, **changes: str) -> dict[str, str]:
    """What a fresh process computes with the declared kernels, of which some are changed after that."""
    choose = f"import os; from busline.base.processor import choose_kernels; choose_kernels('{kernels}')"
    out = run(f"{choose}; os.environ.update({changes}){COMPUTE}")
    return dict(line.split() for line in out.splitlines())


@pytest.fixture(scope="module")
def declared() -> dict[str, str]:
    return computed("avx2")


LOWER = [
    ("ATEN_CPU_CAPABILITY", "default", {"sigmoid"}),
    ("ONEDNN_MAX_CPU_ISA", "SSE41", {"convolution"}),
]


@only_x86
@pytest.mark.parametrize(("name", "value", "moved"), LOWER)
def test_a_switch_is_honoured_by_the_installed_torch(declared, name, value, moved):
    """A lower level than the declared one has other bytes, and only where that library computes."""
    lower = computed("avx2", **{name: value})
    assert {key for key in declared if lower[key] != declared[key]} == moved


@only_x86
def test_the_switch_of_mkl_is_honoured_by_the_installed_torch(declared):
    """Without it the product is that of MKL's own choice, which differs with the maker of the processor."""
    native = computed("native")
    assert native["product"] != declared["product"]


@only_x86
@pytest.mark.skipif(not {"avx512f"}.isdisjoint(features()), reason="native is more than AVX2 on this processor")
def test_on_a_processor_with_avx2_only_the_other_two_switches_change_nothing(declared):
    native = computed("native")
    assert {key for key in declared if native[key] != declared[key]} == {"product"}


@only_x86
def test_what_a_user_has_set_does_not_change_declared_kernels(declared):
    theirs = {"ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"}
    before = f"import os; os.environ.update({theirs}); from busline.base.processor import choose_kernels;"
    out = run(f"{before} choose_kernels('avx2'){COMPUTE}")
    assert dict(line.split() for line in out.splitlines()) == declared


@only_x86
def test_native_removes_every_switch():
    environment = dict.fromkeys([*SWITCHES, *FORMER], "x") | {"PATH": "/bin"}
    code = (
        f"from busline.base.processor import choose_kernels; e = {environment}; choose_kernels('native', e); print(e)"
    )
    assert run(code).strip() == "{'PATH': '/bin'}"


@only_x86
@pytest.mark.parametrize("kernels", ["avx2", "native"])
def test_a_process_that_imported_torch_with_others_is_refused(kernels):
    other = {"avx2": "native", "native": "avx2"}[kernels]
    code = f"""
from busline.base.errors import TrainingError
from busline.base.processor import choose_kernels
choose_kernels({other!r})
import torch
choose_kernels({other!r})
try:
    choose_kernels({kernels!r})
except TrainingError as error:
    print(error)
"""
    assert "imported torch with others" in run(code)


@only_x86
def test_switches_that_came_too_late_are_found_out(monkeypatch):
    import torch

    choose_kernels("avx2")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    with pytest.raises(TrainingError, match="torch runs AVX512"):
        choose_kernels("avx2")


@only_x86
def test_a_processor_without_avx2_is_refused_with_the_mend(monkeypatch):
    monkeypatch.setattr(processor, "features", lambda: frozenset({"sse4_2"}))
    with pytest.raises(ParameterError, match="train.kernels=native"):
        choose_kernels("avx2")


def test_on_another_architecture_there_is_no_switch_and_one_class(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    environment: dict[str, str] = {}
    choose_kernels("avx2", environment)
    choose_kernels("native", environment)
    assert environment == {}
    assert kernel_class("avx2") == kernel_class("native") == "arm64"


@pytest.mark.parametrize(
    ("flags", "maker", "expected"),
    [
        ("sse4_2 avx2", "AuthenticAMD", "x86_64 native avx2 amd"),
        ("avx2 avx512f", "GenuineIntel", "x86_64 native avx512f intel"),
        ("avx2 avx512f avx512_bf16 amx_bf16", "GenuineIntel", "x86_64 native amx_bf16 intel"),
        ("", "", "x86_64 native unknown other"),
    ],
)
def test_a_class_has_no_name_of_a_machine(monkeypatch, flags, maker, expected):
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(processor, "_field", {"flags": flags, "vendor_id": maker}.__getitem__)
    features.cache_clear()
    try:
        assert kernel_class("native") == expected
        assert kernel_class("avx2") == "x86_64 avx2"
        assert processor.computes_bf16() == ("bf16" in flags)
    finally:
        features.cache_clear()
