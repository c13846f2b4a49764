# What a person does with a clone of Tellback. `make` alone tells what there is.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
DATA   ?= .cache/demo
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq

# Recipes run in one shell each, and stop at the first thing that fails.
.ONESHELL:
SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.PHONY: help demo test bench fmt clean

help:
	@echo "make demo          start a server filled with ninety days of a made-up firm, on 127.0.0.1:8321"
	@echo "make demo PORT=N   on another port"
	@echo "make demo ONCE=1   fill one, print its answers, end"
	@echo "make test          set up what the tests need and run them all"
	@echo "make bench         measure the client's cost per call and the server's rate, beside their peers"
	@echo "make fmt           format the code"
	@echo "make clean         remove .venv, .cache (the demo's data too) and what building left"

demo: $(VENV)/.server
	@exec $(BIN)/tellback demo $(if $(ONCE),--once,--data $(DATA)) $(if $(PORT),--port $(PORT))

test: $(VENV)/.test node_modules/.stamp
	@scripts/system-packages
	scripts/foreign-environment mitosheet > /dev/null
	scripts/foreign-environment jupyter > /dev/null
	export PATH="$(CURDIR)/$(BIN):$$PATH"
	ruff check
	ruff format --check
	mypy
	lint-imports
	pytest $(ARGS)

bench: $(VENV)/.bench
	@for table in benchmarks/*.py; do
		echo "$$table"
		$(BIN)/python "$$table"
	done

fmt: $(VENV)/.test
	@$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) .cache node_modules build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -rf src/tellback/server/web/static/vendor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say which set of pins the environment holds; a changed pin installs anew.
$(VENV)/bin/python:
	@command -v $(PYTHON) > /dev/null || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian the package python3-venv makes this work."; exit 1; }

# Without build isolation, so that what builds is pinned by hash as well.
$(VENV)/.server: requirements/build.txt requirements/server.txt pyproject.toml package-lock.json | $(VENV)/bin/python
	@echo "Installing tellback[server] into $(VENV) ..."
	$(PIP) install --require-hashes --requirement requirements/build.txt
	$(PIP) install --require-hashes --requirement requirements/server.txt
	$(PIP) install --no-build-isolation --no-deps --editable .
	touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.server
	@echo "Installing what the tests need into $(VENV) ..."
	$(PIP) install --require-hashes --requirement requirements/test.txt
	touch $@

# Sentry and OpenTelemetry, beside which `make bench` measures; the tests do without them.
$(VENV)/.bench: requirements/bench.txt $(VENV)/.test
	@echo "Installing what the benchmarks need into $(VENV) ..."
	$(PIP) install --require-hashes --requirement requirements/bench.txt
	touch $@

# axe-core, for the browser tests; by the npm of the build requirement, so that the machine needs no Node.
node_modules/.stamp: package-lock.json | $(VENV)/.server
	$(BIN)/python hatch_build.py --tests
	touch $@
