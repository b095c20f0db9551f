# make lab         a virtual environment, the package, and JupyterLab on the tour
# make test        installs what is missing, a Chromium included, and runs every test, two at a time
# make docs        builds the documentation in build/docs
# make gallery     takes the README's pictures anew, from the real widget
# make links       asks the network whether every external link leads somewhere
# make benchmarks  runs every benchmark, one after the other
# make clean       removes all that these made
#
# PYTHON      the interpreter that makes the environment (3.11 or newer)
# PYTEST_ARGS passed to pytest, as in `make test PYTEST_ARGS="tests/demo -x"`
# LAB_ARGS    passed to `dyn-explorer lab`, as in `make lab LAB_ARGS=--no-browser`

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DELETE_ON_ERROR:
.PHONY: help lab test lint docs links gallery benchmarks clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "dyn_explorer needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/lab.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[lab]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[lab,docs,test]'
	@touch $@

$(VENV)/chromium.stamp: .ci/install-chromium $(VENV)/test.stamp
	.ci/install-chromium $(BIN)/python
	@touch $@

lab: $(VENV)/lab.stamp
	$(BIN)/dyn-explorer lab --to notebooks $(LAB_ARGS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: lint $(VENV)/chromium.stamp
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

docs: $(VENV)/test.stamp
	$(BIN)/python docs/build.py
	@echo "open build/docs/index.html"

links: $(VENV)/test.stamp
	$(BIN)/python docs/build.py --links

gallery: $(VENV)/chromium.stamp
	$(BIN)/python docs/make_gallery.py

benchmarks: $(VENV)/chromium.stamp
	set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

clean:
	rm -rf $(VENV) dist build artifacts .pytest_cache .hypothesis .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
