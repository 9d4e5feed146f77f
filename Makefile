# Everything from a fresh machine with Python 3.11+, python3-venv and make.
# What is installed already and has not changed is left alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# Tests mostly wait for Label Studio: more of them than cores run side by side.
JOBS ?= 3

# Label Studio's dependencies clash with ours: it gets an environment of its own.
LABEL_STUDIO_VERSION := 1.23.2
ifdef DUBITO_LABEL_STUDIO_VENV
LABEL_STUDIO_VENV := $(DUBITO_LABEL_STUDIO_VENV)
LABEL_STUDIO_READY :=
else
LABEL_STUDIO_VENV := .venv-label-studio
LABEL_STUDIO_READY := .venv-label-studio/label-studio-$(LABEL_STUDIO_VERSION)
endif

.DEFAULT_GOAL := help
.PHONY: help demo run test lint clean

help: ## say what there is
	@echo "make …"
	@sed -n 's/^\([a-z]*\):.*## /  \1	/p' $(MAKEFILE_LIST)

demo: $(VENV)/dubito $(LABEL_STUDIO_READY) ## try it: Dubito and a Label Studio with a sample project
	@exec $(BIN)/dubito demo --label-studio-venv "$(LABEL_STUDIO_VENV)"

run: $(VENV)/dubito ## start Dubito alone
	@exec $(BIN)/dubito serve

test: $(VENV)/test $(LABEL_STUDIO_READY) ## run all tests (PYTEST="-k words" runs some)
	@DUBITO_LABEL_STUDIO_VENV="$(abspath $(LABEL_STUDIO_VENV))" $(BIN)/python -m pytest \
	    -n $(JOBS) --dist loadfile $(PYTEST)

lint: $(VENV)/test ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean: ## remove what make installed, and all caches; the demo's data in .dubito stays
	rm -rf $(VENV) .venv-label-studio .cache build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/dubito: pyproject.toml constraints.txt | $(VENV)/made
	@echo "Installing Dubito …"
	@$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e .
	@touch $@

$(VENV)/test: pyproject.toml constraints.txt | $(VENV)/made
	@echo "Installing Dubito and what its tests need …"
	@$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e ".[test]"
	@touch $(VENV)/dubito $@

$(VENV)/made:
	$(CHECK_PYTHON)
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

.venv-label-studio/label-studio-$(LABEL_STUDIO_VERSION):
	$(CHECK_PYTHON)
	@echo "Installing Label Studio in an environment of its own (1 GB, some minutes) …"
	@$(PYTHON) -m venv --clear .venv-label-studio
	@.venv-label-studio/bin/python $(PIP_INSTALL) label-studio==$(LABEL_STUDIO_VERSION)
	@touch $@

define CHECK_PYTHON
@command -v "$(PYTHON)" >/dev/null \
  || { echo "There is no $(PYTHON) here: install Python 3.11 or newer." >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "$$($(PYTHON) --version) is too old, Dubito needs 3.11 or newer:" \
    "make … PYTHON=python3.12 names another one." >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
  || { echo "$(PYTHON) cannot make virtual environments:" \
    "install python3-venv (apt install python3-venv)." >&2; exit 1; }
endef
