"""bf16 where it is emulated: a warning with the factor and the mend; none where it is native or not asked for."""

import pytest

from busline.base.errors import ParameterError
from busline.base.params import load_params
from busline.training import emulation
from busline.training.emulation import measure_factor, warn_if_emulated
from helpers_cohort import write_params


@pytest.fixture
def measured(monkeypatch):
    """How often the factor is measured; it is nine."""
    calls = []
    monkeypatch.setattr(emulation, "measure_factor", lambda: calls.append(1) or 9.0)
    monkeypatch.setattr(emulation, "computes_bf16", lambda: False)
    return calls


def test_the_warning_has_the_factor_and_the_mend(measured, capsys):
    warn_if_emulated("bf16", "cpu")
    found = capsys.readouterr().err
    assert "9 times" in found
    assert "-S train.precision=fp32" in found


@pytest.mark.parametrize(("precision", "device"), [("fp32", "cpu"), ("bf16", "cuda")])
def test_there_is_none_where_nothing_is_emulated(measured, capsys, precision, device):
    warn_if_emulated(precision, device)
    assert not measured
    assert not capsys.readouterr().err


def test_there_is_none_on_a_processor_that_computes_it(measured, capsys, monkeypatch):
    monkeypatch.setattr(emulation, "computes_bf16", lambda: True)
    warn_if_emulated("bf16", "cpu")
    assert not measured


def test_there_is_none_where_it_costs_nothing(measured, capsys, monkeypatch):
    monkeypatch.setattr(emulation, "measure_factor", lambda: 1.1)
    warn_if_emulated("bf16", "cpu")
    assert not capsys.readouterr().err


def test_the_factor_is_a_ratio_of_times(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(emulation.time, "perf_counter", lambda: float(next(clock)))
    assert measure_factor() == 1.0


def test_bf16_with_avx2_kernels_is_refused(tmp_path):
    path = write_params(tmp_path / "params.yaml", train__precision="bf16", train__kernels="avx2")
    with pytest.raises(ParameterError, match="train: .*native"):
        load_params(path)
    load_params(write_params(path, train__precision="bf16", train__kernels="native"))
