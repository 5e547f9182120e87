# Everything starts from nothing but make, a shell and Python 3.11 or later.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The oldest supported Python on PATH runs the tool; uv finds others for what needs them
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin

# Under pyenv only the selected versions answer; select all that are installed, so that uv sees them
ifndef PYENV_VERSION
PYENV_VERSION := $(shell command -v pyenv >/dev/null 2>&1 && { pyenv version-name 2>/dev/null; pyenv versions --bare 2>/dev/null; } | grep -v -e '/' -e '^system$$' | awk '!seen[$$0]++' | paste -sd: -)
endif
ifneq ($(PYENV_VERSION),)
export PYENV_VERSION
endif

.PHONY: help
help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(VENV)/ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(VENV)/ready ## make the environment for everything below

.PHONY: demo
demo: setup ## build examples/spectra and show what it made
	@bash examples/demo.sh

.PHONY: demo-rollout
demo-rollout: setup ## roll examples/spectra out, to a stand-in of AWS on this machine
	@$(BIN)/python examples/rollout.py

.PHONY: demo-example
demo-example: setup
	@$(BIN)/python -m $(EXAMPLE) $(ARGS)

.PHONY: system
system:
	@bash .ci/system

.PHONY: test
test: setup system ## pass every test, those on real packages of the index included
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

.PHONY: test-fast
test-fast: setup ## the tests that need no network
	$(BIN)/python -m pytest -n auto -m "not journey and not slow" $(ARGS)

EXAMPLES ?= examples/spectra/tests examples/galerly/tests

.PHONY: test-examples
test-examples: setup ## the tests of the two applications: built, run, deployed, broken on purpose (network)
	$(BIN)/python -m pytest -n auto --dist loadfile $(EXAMPLES) $(ARGS)

.PHONY: test-container
test-container: setup ## build and import in an image, by podman; .ci/container-image makes the image, once
	$(BIN)/python -m pytest -m container $(ARGS)

.PHONY: lint
lint: setup ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: setup ## rewrite the code as ruff wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: setup ## the documentation, strictly, into build/site/
	$(BIN)/python docs/pages.py
	NO_MKDOCS_2_WARNING=1 "$$($(BIN)/python -c 'from tests.tools import python_tools; print(python_tools("docs"))')/mkdocs" build --strict --quiet

.PHONY: recordings
recordings: setup system ## what the pages and the README show of lamella, made anew (network)
	$(BIN)/python docs/record.py
	$(BIN)/python docs/printed.py

.PHONY: bench
bench: setup ## measure speed and memory beside the other tools, on the two real dependency sets
	$(BIN)/python bench/run.py $(ARGS)

.PHONY: requirements
requirements: setup ## pin the development environment anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	    pyproject.toml --group dev --extra uv --output-file requirements/dev.txt

.PHONY: clean
clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build examples/*/dist
