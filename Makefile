# `make help` lists the targets. PYTHON is the interpreter the environment is made from (3.11 or newer).
PYTHON ?= python3
NAME ?= chowdhary2026
N ?= 5
ARGS ?=
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test lint study noise contrast coverage bench bench-gpu bench-keras lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 18

.venv/ready: requirements.lock
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock
	touch $@

repro: .venv/ready  ## run the pipeline: only what changed runs (makes .venv first)
	@[ -e .git ] || { echo "DVC needs a Git repository: 'git init' here first (a ZIP has none)"; exit 1; }
	@PYTHONPATH=src python stages/check.py --look
	@PYTHONPATH=src python -m busline.lock
	@dvc repro $(ARGS); code=$$?; PYTHONPATH=src python -m busline.lock --written && exit $$code

test: lint  ## lint, types and tests
	pytest --numprocesses auto --dist loadfile $(ARGS)

lint: .venv/ready  ## format check, lint, types and import layers
	ruff format --check .
	ruff check .
	mypy
	PYTHONPATH=src lint-imports --no-cache

study: .venv/ready  ## run a committed study: make study NAME=chowdhary2026 ARGS="-S cv.repeats=1"
	PYTHONPATH=src python -m busline.study $(NAME) $(ARGS)

noise: .venv/ready  ## what another seed of training changes: make noise N=5 ARGS="-S augmentation.active=[]"
	PYTHONPATH=src python -m busline.noise $(N) $(ARGS)

contrast: .venv/ready  ## what a change is worth, over cases and seeds: make contrast NAME=phantoms
	PYTHONPATH=src python -m busline.contrast $(NAME) $(ARGS)

coverage: .venv/ready  ## simulate intervals and tests with known truth: make coverage ARGS="--experiments 200"
	PYTHONPATH=src:. OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m bench.coverage $(ARGS)
	PYTHONPATH=src:. OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m bench.contrasts $(ARGS)

bench: .venv/ready  ## time the engine against a plain loop: make bench ARGS="--only mlp,custom_cnn --quick"
	PYTHONPATH=src:. python -m bench $(ARGS)

bench-gpu: .venv/ready  ## the same on a graphics card: make bench-gpu ARGS="--only stacked"
	PYTHONPATH=src:. python -m bench.gpu $(ARGS)

bench-keras: .venv-keras/ready  ## make .venv-keras, which the benchmark's comparison with Keras needs

.venv-keras/ready: .venv/ready bench/keras.txt
	$(PYTHON) -m venv .venv-keras
	$(BIN)/uv pip install --quiet --python .venv-keras/bin/python -r bench/keras.txt
	touch $@

lock: .venv/ready  ## pin the dependencies anew, with hashes and without addresses
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --upgrade pyproject.toml --group dev -o requirements.lock

clean:  ## remove everything that can be made anew, the cache excepted
	rm -rf .venv .venv-keras .mypy_cache .ruff_cache .pytest_cache data reports/pictures reports/report.html
