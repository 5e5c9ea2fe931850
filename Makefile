# The two commands of the README are `make demo` and `make test`; each does all its own set-up.
# Nothing need be installed but Python 3.11+ with venv, make and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests start hundreds of processes; each must find its modules compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test lint types unit wheel docs bench soak mutate serve lock clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)  ## make .venv with the pinned dependencies

demo: $(READY)  ## the whole flow against the sandbox, offline, in under a minute
	$(BIN)/crossborder demo

test: $(READY)  ## lint, types, tests, the installed wheel, the docs' examples
	$(MAKE) --no-print-directory -j 2 --output-sync=target lint types wheel
	$(MAKE) --no-print-directory unit
	$(MAKE) --no-print-directory docs

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not slow" --ignore=tests/wheel --ignore=tests/docs

wheel: $(READY)
	$(BIN)/python tools/test_wheel.py

docs: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/docs

bench: $(READY)  ## throughput against named baselines, in one run
	$(BIN)/python -m benchmarks.run

soak: $(READY)  ## the long suites: many kills, many seeds, large files
	$(BIN)/python -m pytest -m slow -n 2

mutate: $(READY)  ## how many planted faults in rules/ and codes/ the tests notice
	$(BIN)/python tools/mutate.py --least 90

serve: $(READY)  ## the HTTP service for partners on this machine
	$(BIN)/crossborder serve

lock:  ## resolve the pinned dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --group test --group lint --group build --group mutate --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
