# The commands a person needs; `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
export HF_HUB_OFFLINE = 1

.PHONY: help run test check bench slow web clean
.DEFAULT_GOAL := help

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: $(VENV)/.run  ## install, then make a picture with the bundled model
	$(BIN)/nodegraph run workflows/text_to_image.json

test: $(VENV)/.dev  ## install what tests need, then run them
	$(BIN)/python -m pytest -m "not slow and not gpu" --numprocesses auto --dist loadfile

slow: $(VENV)/.dev  ## the tests that take long
	$(BIN)/python -m pytest -m "slow and not gpu"

check: $(VENV)/.dev  ## formatting, lint and types; of the editor too, where npm is
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	sh web/scripts/check.sh

bench: $(VENV)/.dev  ## every benchmark; takes minutes
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

web:  ## build the editor into web/dist; needs Node 20 or newer
	cd web && npm ci --no-audit --no-fund && npm run build

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --config-settings editable_mode=compat --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --config-settings editable_mode=compat --editable '.[dev]'
	touch $@
