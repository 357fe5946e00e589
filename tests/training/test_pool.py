"""Units side by side: results in order, one thread each, failures that name their jobs, and a log of the run."""

import json
import os
import platform
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch

from busline.base.errors import ParameterError, TrainingError
from busline.base.runtime import Runtime, load_runtime
from busline.training import pool
from busline.training.pool import alone_or_stacked, find_device, run_units
from helpers_cohort import ROOT


@dataclass
class Broken:
    failure: str | None


def times(context, jobs, place):
    place.report_progress(0.5, "half")
    return [context * job for job in jobs]


def threads(context, jobs, place):
    return [torch.get_num_threads() for _ in jobs]


def refuse(context, jobs, place):
    if 2 in jobs:
        raise TrainingError("layer 3", "there is none")
    return list(jobs)


def fail(context, jobs, place):
    return [Broken("epoch 3, batch 7: no number" if job % 2 else None) for job in jobs]


def die(context, jobs, place):
    if isinstance(context, signal.Signals):
        os.kill(os.getpid(), context)
    os._exit(context)


def take_too_much(context, jobs, place):
    torch.empty(2**60, dtype=torch.uint8)


def run(function, context, units, workers=1, **settings):
    return run_units(function, context, units, runtime=Runtime(workers, **settings), title="t")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_jobs_order(workers):
    assert run(times, 3, [[1, 2], [3], [4]], workers) == [3, 6, 9, 12]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_has_one_thread(workers):
    before = torch.get_num_threads()
    assert run(threads, None, [[1], [2]], workers) == [1, 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_its_job(workers):
    with pytest.raises(TrainingError, match="2 and 1 more: layer 3"):
        run(refuse, None, [[1], [2, 5], [3]], workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_failed_networks_are_listed_after_all_have_run(workers):
    with pytest.raises(TrainingError, match=r"2 of 4 networks failed(.|\n)*1: epoch 3, batch 7(.|\n)*3: epoch 3"):
        run(fail, None, [[0], [1, 2], [3]], workers)


ENDS = [
    (signal.SIGKILL, r"^t: .*killed \(SIGKILL\).*memory(.|\n)*BUSLINE_WORKERS=1"),
    (signal.SIGABRT, r"^t: .*crashed \(SIGABRT\).*not a lack of memory(.|\n)*another model"),
    (signal.SIGSEGV, r"crashed \(SIGSEGV\)"),
    (signal.SIGTERM, r"told to end \(SIGTERM\)"),
    (3, "exit code 3"),
]


@pytest.mark.parametrize(("end", "words"), ENDS)
def test_a_process_that_dies_is_reported_with_how_it_ended(end, words):
    with pytest.raises(TrainingError, match=words):
        run(die, end, [[1], [2]], 2)


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_that_is_not_there_is_an_error_of_its_job(workers):
    with pytest.raises(TrainingError, match=r"^[12]: memory ran out"):
        run(take_too_much, None, [[1], [2]], workers)


def test_no_units_no_results():
    assert run(times, 1, [], 2) == []


def test_progress_is_plain_lines_where_there_is_no_terminal(capfd):
    run(times, 3, [[1], [2]])
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1].startswith("t: 100 %, 2 of 2 done")
    assert any("half" in line for line in lines)


def test_the_log_says_what_was_used(tmp_path):
    log = tmp_path / "logs/runs.jsonl"
    run(times, 3, [[1, 2], [3]], 2, log=log)
    run(times, 3, [[1]], 1, log=log)
    first, second = (json.loads(line) for line in log.read_text().splitlines())
    assert (first["workers"], first["jobs"], first["units"], first["units_from_cache"]) == (2, 3, 2, 0)
    assert first["device"] == "cpu"
    assert first["worker_peak_mib"] > 20
    assert second["workers"] == 1


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(times, 3, [[1]], log=tmp_path / "file/runs.jsonl") == [3]
    assert "cannot be written" in capsys.readouterr().out


ANOTHER_SERVER = """
from busline.base.errors import TrainingError
from busline.base.runtime import Runtime
from busline.training.pool import run_units, warm_up
from work import give

if __name__ == "__main__":
    warm_up({server!r}, "torch")
    try:
        print(run_units(give, 0, [[1], [2]], runtime=Runtime(2), title="t", kernels="native"))
    except TrainingError as error:
        print(error)
"""


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="no switches but on x86-64")
@pytest.mark.parametrize(("server", "expected"), [("native", "[1, 2]"), ("avx2", "imported torch with others")])
def test_processes_that_imported_torch_with_other_kernels_are_refused(tmp_path, server, expected):
    """Training processes inherit the switches of the server they fork from, not those of the stage."""
    (tmp_path / "work.py").write_text("def give(context, jobs, place):\n    return list(jobs)\n")
    (tmp_path / "main.py").write_text(ANOTHER_SERVER.format(server=server))
    variables = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{tmp_path}"}
    command = [sys.executable, str(tmp_path / "main.py")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert expected in done.stdout


def test_a_run_warns_of_emulated_bf16_once_and_before_it_trains(monkeypatch):
    said = []
    monkeypatch.setattr(pool, "warn_if_emulated", lambda *given: said.append(given))
    run_units(times, 3, [[1], [2]], runtime=Runtime(), title="t", kernels="avx2", precision="bf16")
    run_units(times, 3, [[1], [2]], runtime=Runtime(), title="t")
    assert said == [("bf16", "cpu")]


def test_image_networks_are_stacked_on_a_gpu_only(monkeypatch):
    assert alone_or_stacked([1, 2, 3], Runtime()) == [[1], [2], [3]]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert alone_or_stacked([1, 2, 3], Runtime(device="auto")) == [[1, 2, 3]]
    assert find_device(Runtime(device="cpu")) == "cpu"


def test_a_gpu_that_is_not_there_is_refused():
    if not torch.cuda.is_available():
        with pytest.raises(TrainingError, match="no GPU"):
            find_device(Runtime(device="cuda"))


WRONG = [("WORKERS", "0"), ("WORKERS", "two"), ("DEVICE", "gpu"), ("CACHE_LIMIT", "0"), ("CACHE_LIMIT", "inf")]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_setting_is_refused(monkeypatch, name, text):
    monkeypatch.setenv(f"BUSLINE_{name}", text)
    with pytest.raises(ParameterError, match=f"BUSLINE_{name}"):
        load_runtime()


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    for name, text in {"WORKERS": "3", "DEVICE": "cuda", "CACHE": str(tmp_path), "CACHE_LIMIT": "0.5"}.items():
        monkeypatch.setenv(f"BUSLINE_{name}", text)
    monkeypatch.setenv("BUSLINE_LOG", "")
    found = load_runtime()
    assert found == Runtime(3, "cuda", tmp_path, 2**29, None)
    for name in ("WORKERS", "DEVICE", "CACHE", "CACHE_LIMIT", "LOG"):
        monkeypatch.delenv(f"BUSLINE_{name}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = load_runtime()
    assert found.workers >= 1
    assert found.device == "auto"
    assert found.cache == tmp_path / "busline"
    assert str(found.log) == "logs/runs.jsonl"
