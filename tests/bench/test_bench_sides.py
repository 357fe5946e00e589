"""Both sides at a tiny size: they train, they score, and the processes speak with each other."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from bench import ingest
from bench.engine import engine_mlp_search, make_stretch, train_folds
from bench.machine import process_tree, watch
from bench.mlp import Size, score_line
from bench.reference import Choice, Reference, build
from bench.reference_mlp import find_threads, search
from bench.training import fold_scores
from bench.work import KINDS, Work, make_folds, make_work, throughput_fold
from bench.workers import take_turns

TINY = Size(cases=40, folds=2, repeats=1, epochs=2, hidden=(4,), dropout=(0.2, 0.5))


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_reference_search_scores_every_configuration_in_every_fold():
    inputs = TINY.inputs()
    assert find_threads(inputs, TINY.base, TINY.grid, 1) == 1
    scores = search(inputs, TINY.base, TINY.grid)
    assert list(scores) == [(4, 0.2), (4, 0.5)]
    assert all(len(found) == 2 and all(0.0 <= score <= 1.0 for score in found) for found in scores.values())
    parts = [search(inputs, TINY.base, TINY.grid, part=part, of=2) for part in (0, 1)]
    assert [len(part[4, 0.2]) for part in parts] == [1, 1]


def test_the_engines_search_scores_the_same_folds():
    ours = engine_mlp_search(TINY.inputs(), TINY.base, TINY.hidden, TINY.dropout, "avx2")
    assert {key: len(found) for key, found in ours.items()} == {(4, 0.2): 2, (4, 0.5): 2}
    line = score_line(TINY, list(ours.values()), list(ours.values()))
    assert (line.value, line.verdict) == (0.0, "reached")


def test_both_sides_build_the_same_network():
    for kind in KINDS:
        work = make_work(kind, 8, 32)
        from bench.engine import _build

        counts = [sum(p.numel() for p in network.parameters()) for network in (build(kind, 0.3), _build(work))]
        assert counts[0] == counts[1], kind


@pytest.mark.parametrize("kind", ["custom_cnn", "unet_frozen"])
def test_a_fold_is_trained_and_scored_on_both_sides(kind):
    work = make_work(kind, 40, 32, batch_size=8)
    (job, *_) = make_folds(work.labels, 2, 1)
    reference = Reference(work, job, Choice(1, 0))
    frozen = [p.clone() for p in reference.network.parameters() if not p.requires_grad]
    assert reference.train(1) == len(job.roles["train"])
    assert all(
        torch.equal(a, b)
        for a, b in zip(frozen, (p for p in reference.network.parameters() if not p.requires_grad), strict=True)
    )
    theirs = reference.predict(job.roles["test"])
    (ours,) = train_folds(work, [job], "cpu", stacked=False, precision="fp32")
    assert ours.shape == theirs.shape
    assert all(0.0 <= score <= 1.0 for score in fold_scores(work, [job.roles["test"]] * 2, [ours, theirs]))


def test_the_engines_stretch_counts_the_images_it_learns():
    work = make_work("custom_cnn", 20, 32, batch_size=8)
    assert make_stretch(work, throughput_fold(work, 12))(2) == 24


def test_work_survives_its_file(tmp_path):
    work = make_work("unet", 6, 32, epochs=3, augmented=False)
    work.save(tmp_path / "work.npz")
    again = Work.load(tmp_path / "work.npz")
    for name, value in dataclasses.asdict(work).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def test_sides_take_turns_and_turns_to_begin():
    order = []
    ours, theirs = (lambda name=name: order.append(name) or 1.0 for name in "ab")
    assert take_turns(ours, theirs, 2) == ([1.0, 1.0], [1.0, 1.0])
    assert order == ["b", "a", "a", "b"]


def test_a_process_answers_each_request(tmp_path):
    ingest.make_varied(tmp_path, 30, rendered=2)
    for side in ("engine", "plain"):
        done = subprocess.run(
            [sys.executable, "-m", "bench.side", "ingest", tmp_path, side],
            input='{"cases": 30}\n',
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": "src:."},
            check=True,
        )
        ready, answer = (json.loads(line) for line in done.stdout.splitlines())
        assert ready == {"ready": ""}
        assert answer["images"] == 30


def test_the_memory_of_a_child_is_seen():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in process_tree(os.getpid())
        with watch(child.pid) as memory:
            while memory.rss < 1.0:
                pass
        assert memory.pss <= memory.rss


def test_without_a_card_the_gpu_benchmark_says_so(tmp_path):
    import typer
    from typer.testing import CliRunner

    from bench import gpu

    app = typer.Typer()
    app.command()(gpu.main)
    if not torch.cuda.is_available():
        result = CliRunner().invoke(app, ["--out", str(tmp_path)])
        assert result.exit_code == 2
        assert "no CUDA device" in result.output
    result = CliRunner().invoke(app, ["--device", "cpu", "--small", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    lines = json.loads((tmp_path / "bench-gpu.json").read_text())["lines"]
    assert {"gpu_stacked", "gpu_study", "gpu_top_01"} <= {line["key"] for line in lines}
