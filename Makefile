# Tasks of the project; `make help` lists them.
# PYTHON=python3.12 selects the interpreter; ARGS="…" is passed to the program.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.sim-sync-setup
JOBS  ?= 2
UV    ?= $(or $(wildcard $(BIN)/uv),uv)
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PIP   := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help setup demo test lint types check bench rates docs torture newest lock clean FORCE

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## create .venv with the pinned versions (most other targets do this automatically)

demo: $(STAMP) ## run the demo without an account: a month of runs from an embedded Sim API, and a cost report
	@$(BIN)/sim-sync demo $(ARGS)

test: $(STAMP) ## run the tests (ARGS="-k paused", JOBS=4)
	@$(BIN)/pytest -n $(JOBS) $(or $(ARGS),tests)

lint: $(STAMP) ## check rules and formatting with ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP) ## check types with mypy (strict)
	@$(BIN)/mypy

check: lint types test ## run lint, types and test

bench: $(STAMP) ## measure speed and memory; takes half an hour (ROUNDS=9, ARGS="noop", ARGS=--quick)
	@$(BIN)/python -m bench $(ARGS)

rates: $(STAMP) ## calculate how long first syncs take at each plan's rate limit (docs/rates.md)
	@$(BIN)/python -m bench.rates

docs: $(STAMP) ## generate docs/tables.md, the answers in README.md and docs/questions.md, the architecture diagram
	@$(BIN)/python -m pipelines.dictionary docs/tables.md
	@$(BIN)/python -m tests.helpers.questions
	@$(BIN)/python -m tests.helpers.architecture

torture: $(STAMP) ## kill hundreds of syncs, run them again, compare all tables (ARGS="--kills 600")
	@$(BIN)/python -m tests.torture $(ARGS)

newest: $(STAMP) ## run the core tests with the newest dlt that pyproject.toml allows (ARGS="dlt[duckdb]==1.31.0")
	@$(BIN)/python -m tests.helpers.newest_dlt $(ARGS)

lock: ## compile requirements.txt from pyproject.toml (ARGS=--upgrade for newer versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: run 'make setup' first, or install uv." >&2; exit 1; }
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --all-extras --group dev \
		--output-file requirements.txt $(ARGS) pyproject.toml
	@! grep -n '://' requirements.txt || { echo "requirements.txt must not name a host." >&2; exit 1; }

clean: ## remove caches and build output, but not .venv or databases
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -path "./.venv*" -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything is installed from requirements.txt: wheels only, checked by hash, including the build backend.
# A .venv whose interpreter no longer exists (for example after an upgrade) is created again.
$(STAMP): requirements.txt pyproject.toml $(if $(realpath $(BIN)/python),,FORCE)
	@if ! $(BIN)/python $(NEW_ENOUGH); then \
		for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
			if $$python $(NEW_ENOUGH); then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "sim-sync needs Python 3.11 or newer, and $(or $(PYTHON),python3) is missing or older." >&2; \
			echo "Install it (Debian 12 or newer: apt-get install python3 python3-venv), or set its path: make PYTHON=/path/to/python3.11" >&2; \
			exit 1; \
		fi; \
		if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "$$found cannot create virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
			exit 1; \
		fi; \
		$$found -m venv --clear $(VENV); \
	fi
	@echo "Installing the pinned versions into $(VENV) (once; a minute or two)" >&2
	@$(PIP) install --quiet --only-binary :all: --require-hashes --requirement requirements.txt
	@$(PIP) install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

FORCE:
