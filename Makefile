# The two commands: `make demo` and `make test`. Each sets up what it needs in .venv.
#
#   TORCH_INDEX=  another package index for torch, e.g. https://download.pytorch.org/whl/cpu (no CUDA libraries)
#   PIP_ARGS=     passed to pip, e.g. --no-index --find-links wheels
#   LANDING=      a folder of your own films, for demo and ui
#   SEED=         which sample titles are rendered (demo), or which data are drawn (bench)
#   NAME=         which benchmark to run (bench)
#   JOBS=         processes that run tests (test, test-all)

SHELL := /bin/bash
PYTHON ?= python3
SEED ?= 1
JOBS ?= 2
BIN := .venv/bin
INSTALLED := .venv/installed

ifdef LANDING
# films of your own live in a home of their own, one for each folder, also when MEDIAML_HOME is exported
export MEDIAML_LANDING := $(shell realpath -ms -- "$(LANDING)")
LANDING_HASH := $(shell printf %s "$(MEDIAML_LANDING)" | sha256sum | cut -c1-8)
export MEDIAML_HOME := $(CURDIR)/data/films/$(shell basename -- "$(MEDIAML_LANDING)")-$(LANDING_HASH)
SAMPLES := --no-samples
endif
export MEDIAML_HOME ?= $(CURDIR)/data
export DAGSTER_HOME := $(MEDIAML_HOME)/dagster
export DAGSTER_DISABLE_TELEMETRY := 1
export HF_HUB_OFFLINE ?= 1

.PHONY: install demo ui test test-all lint bench system

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
ifdef TORCH_INDEX
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt --index-url $(TORCH_INDEX) torch
else
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt torch
endif
	$(BIN)/python -m pip install -q $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	touch $(INSTALLED)

# films land, match cuts come out
demo: $(INSTALLED)
	$(BIN)/mediaml demo --seed $(SEED) $(SAMPLES)

# the Dagster UI with daemon, sensors and automation, on this machine only
ui: $(INSTALLED)
	$(BIN)/mediaml ui

test: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# also the slow suites, and those that need a browser or Ceph
test-all: lint
	mkdir -p benchmarks/out
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m '' --junitxml benchmarks/out/junit.xml

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks $(NAME) --seed $(SEED)

# Debian packages that only the full test suite needs; demo and test need none
system:
	@echo chromium chromium-driver ceph-common ceph-mon ceph-osd radosgw

