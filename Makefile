# make lab         a virtual environment, the package, and JupyterLab on the tour
# make test        installs what is missing, a Chromium and a Node included, and runs every test, two at a time
# make extension   builds the JupyterLab extension and installs it; `lab` and `test` do this by themselves
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
# The tests bring a Node of their own into the environment.
WITH_NODE := PATH="$(abspath $(BIN)):$$PATH"
EXTENSION := $(shell git ls-files labextension 2>/dev/null || find labextension -name node_modules -prune -o -type f -print)
EXTENSION += dyn_explorer/kernel_listing.py notebooks/00_tour.ipynb hatch_build.py
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DELETE_ON_ERROR:
.PHONY: help lab test lint extension docs links gallery benchmarks clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "dyn_explorer needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/lab.stamp: pyproject.toml constraints.txt | $(BIN)/python
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(INSTALL) --editable '.[lab]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(BIN)/python
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(INSTALL) --editable '.[lab,docs,test]'
	@touch $@

$(VENV)/chromium.stamp: .ci/install-chromium $(VENV)/test.stamp
	.ci/install-chromium $(BIN)/python
	@touch $@

# Installing again copies what was built to where JupyterLab looks for it.
$(VENV)/extension.stamp: $(EXTENSION) | $(BIN)/python
	$(WITH_NODE) npm --prefix labextension ci --no-progress
	$(WITH_NODE) npm --prefix labextension run build
	$(WITH_NODE) $(INSTALL) --no-deps --editable .
	@touch $@

extension:
	@if $(WITH_NODE) command -v npm >/dev/null; then $(MAKE) --no-print-directory $(VENV)/extension.stamp; \
	  else echo "There is no Node here, so the JupyterLab extension is left out; the inspector works in cells."; fi

lab: $(VENV)/lab.stamp
	@$(MAKE) --no-print-directory extension \
	  || echo "The JupyterLab extension could not be built, for the reason above; the inspector works in cells."
	$(BIN)/dyn-explorer lab --to notebooks $(LAB_ARGS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: lint $(VENV)/chromium.stamp
	@$(MAKE) --no-print-directory $(VENV)/extension.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

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
	rm -rf $(VENV) dist build artifacts dyn_explorer/labextension labextension/lib labextension/node_modules .pytest_cache .hypothesis .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
