# Suzuri. `make` alone prints the targets. Each sets up what it needs first:
# .venv, Python packages, Debian's packages (see CONTRIBUTING.md).

SHELL := /bin/bash
PY := .venv/bin/python
ARGS ?=
# Processes that tests run in, each file's in one of them. 0: in pytest itself, which a debugger needs.
JOBS ?= 2

# Another environment, activated or not, must not leak in.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PYTHONNOUSERSITE := 1

.PHONY: help demo test nightly lint format bench doctor setup requirements clean distclean
.DEFAULT_GOAL := help

help: ## print this
	@echo "usage: make TARGET [ARGS='...']"
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target text; do printf '  %-14s %s\n' $$target "$$text"; done

demo: ## run the tensor tile to power, performance and area, and a report
	@.ci/setup.sh run
	@.venv/bin/suzuri run rtl/tensor --skip-missing $(ARGS)

test: ## run the tests (ARGS="tests/engine -k cache")
	@.ci/setup.sh dev
	@$(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

nightly: ## run the tests, the long ones too
	@.ci/setup.sh dev
	@$(PY) -m pytest -n $(JOBS) --dist loadfile -m 'nightly or not nightly' $(ARGS)

lint: ## ruff, mypy, import contracts
	@.ci/setup.sh dev
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	.venv/bin/lint-imports

format: ## let ruff format and fix
	@.ci/setup.sh dev
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

bench: ## run the benchmarks
	@.ci/setup.sh dev
	@$(PY) -m benchmarks $(ARGS)

doctor: ## say what is installed, what is missing, and how to get it
	@.ci/setup.sh run
	@.venv/bin/suzuri doctor $(ARGS)

setup: ## set up only, all of it
	@.ci/setup.sh dev

requirements: ## rewrite requirements-dev.lock from what pyproject.toml allows
	@.ci/relock.sh

clean: ## remove what builds and tests leave in the checkout
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . \( -name .venv -o -name .git \) -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## that, and .venv
	@rm -rf .venv *.egg-info
