# Thin: each target calls one script. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup test lint types demo demo-clean portal interop bench requirements mutants lock reference \
        bundle bundle-test clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup:  ## create .venv and install what requirements/lock.txt pins (nothing to do: half a second)
	@$(PYTHON) tools/bootstrap.py

test: lint types  ## lint, types, then every test: what CI runs
	@$(RUN) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup  ## ruff: rules and formatting
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check --quiet .

types: setup  ## mypy, strict on the packages
	@$(RUN) -m mypy --no-error-summary

demo: setup  ## the example city through Airflow's real scheduler, then a summary
	@$(VENV)/bin/yishu demo $(ARGS)

demo-clean: setup  ## stop the demo and remove what it made
	@$(VENV)/bin/yishu demo --clean

portal: setup  ## the portal's pages, with invented accounts
	@$(VENV)/bin/yishu portal --demo $(ARGS)

interop: setup  ## unmodified clients of others read what Yishu publishes, and must agree
	@$(RUN) interop/run.py $(ARGS)

bench: setup  ## every benchmark, by the rules of bench/README.md
	@$(RUN) bench/run.py $(ARGS)

requirements: setup  ## requirement id -> tests that cite it; fails on a done id without one
	@$(RUN) tools/requirements.py

mutants: setup  ## apply each kept breaking patch; fails if the tests let one survive
	@$(RUN) tools/mutants.py $(ARGS)

reference: setup  ## write the generated pages of docs/reference
	@$(RUN) tools/reference.py

lock: setup  ## resolve requirements/*.in again into the lock files
	@$(RUN) tools/lock.py

bundle: setup  ## one archive that installs without a network, in dist/
	@$(RUN) tools/bundle.py build

bundle-test: bundle  ## install that archive in an empty folder with networking off
	@$(RUN) tools/bundle.py test

clean:  ## remove caches and dist/ (.venv and var/ stay)
	@rm -rf dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
