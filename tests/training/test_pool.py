"""Folds side by side: results in order, one thread each, and a failure that names its job."""

import os

import pytest
import torch

from busline.base.errors import ParameterError, TrainingError
from busline.base.runtime import load_runtime
from busline.training.pool import run_jobs


def times(context, job, tell):
    tell(0.5, "half")
    return context * job


def threads(context, job, tell):
    return torch.get_num_threads()


def fail(context, job, tell):
    if job == 2:
        raise TrainingError("epoch 3", "the loss is not a finite number")
    return job


def die(context, job, tell):
    os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_jobs_order(workers):
    assert run_jobs(times, 3, [1, 2, 3, 4], workers=workers, title="t") == [3, 6, 9, 12]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_has_one_thread(workers):
    before = torch.get_num_threads()
    assert run_jobs(threads, None, [1, 2], workers=workers, title="t") == [1, 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_names_its_job(workers):
    with pytest.raises(TrainingError, match="2: epoch 3"):
        run_jobs(fail, None, [1, 2, 3], workers=workers, title="t")


def test_a_process_that_dies_is_reported():
    with pytest.raises(TrainingError, match="was killed"):
        run_jobs(die, None, [1, 2], workers=2, title="networks")


def test_no_jobs_no_results():
    assert run_jobs(times, 1, [], workers=2, title="t") == []


def test_progress_is_plain_lines_where_there_is_no_terminal(capfd):
    run_jobs(times, 3, [1, 2], workers=1, title="networks")
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1].startswith("networks: 100 %, 2 of 2 done")


@pytest.mark.parametrize("text", ["0", "two", "-1"])
def test_a_wrong_number_of_workers_is_refused(monkeypatch, text):
    monkeypatch.setenv("BUSLINE_WORKERS", text)
    with pytest.raises(ParameterError, match="BUSLINE_WORKERS"):
        load_runtime()


def test_workers_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("BUSLINE_WORKERS", "3")
    assert load_runtime().workers == 3
    monkeypatch.delenv("BUSLINE_WORKERS")
    assert load_runtime().workers >= 1
