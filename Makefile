# Everything a person or CI does here. Needs make and Python 3.11 or newer; `make help` lists the goals.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The distribution's own first: it gets security updates, and is built with the optimisations that make everything a
# quarter quicker, which a Python compiled by hand often lacks. Then those on the PATH.
CANDIDATES := /usr/bin/python3 python3 python3.13 python3.12 python3.11
# make would take a comma in a function's argument for the end of it.
, := ,
can = $(strip $(foreach candidate,$(2),$(shell $(candidate) -c $(1) >/dev/null 2>&1 && echo $(candidate))))
NEW_ENOUGH := $(call can,'import sys; sys.exit(sys.version_info < (3$(,) 11))',$(CANDIDATES))
PYTHON ?= $(firstword $(call can,'import ensurepip$(,) venv',$(NEW_ENOUGH)) $(NEW_ENOUGH))
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml
# What `make run` needs beside what a server of its own does.
EXTRAS := --extra build --extra embedded --extra assets --extra payments
# Where nothing may keep compiled modules, every process compiles all of them again.
unexport PYTHONDONTWRITEBYTECODE
# make's own `-j` would start tests, servers and builds in each other's way.
.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(RUNTIME) ## Set everything up and run the product (PORT=8000, QIKBIZ_HOME=var)
	@exec $(BIN)/qikbiz up

.PHONY: setup
setup: $(RUNTIME) $(DEV) ## Make the virtual environment with all tools

.PHONY: assets
assets: $(RUNTIME) ## Build the front-end packages (skipped when up to date)
	@$(BIN)/python -m provisioning.assets build

.PHONY: wheel
wheel: assets ## Make what a server installs: dist/ with the wheel, the built front-end files in it, and its locks
	@rm -rf dist
	@$(BIN)/python -m hatchling build -t wheel
	@cp requirements.txt requirements-payments.txt dist/

.PHONY: test
test: $(DEV) assets ## Run every test on throw-away servers
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder --write-results

.PHONY: proofs
proofs: $(DEV) assets ## Run only the tests behind the promises and keep their results for /promises
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder -m promise --write-results

.PHONY: check
check: $(DEV) ## Lint, formatting, types, import rules, templates, known weaknesses of packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	$(BIN)/djlint platform --lint --quiet
	$(BIN)/python -m provisioning.advisories check
	$(BIN)/python -m provisioning.sbom

.PHONY: fmt
fmt: $(DEV) ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(DEV) assets ## Measure against the peers and print the table
	@$(BIN)/python -m tests.bench

.PHONY: head-script
head-script: $(RUNTIME) ## Render the tenant migrations to the script that new tenants get
	@$(BIN)/python -m provisioning.render

.PHONY: first-version
first-version: $(RUNTIME) ## Write migration 0001 anew from the models; only before the first release
	@$(BIN)/python -m provisioning.render --first

.PHONY: lock
lock: $(BIN)/uv ## Pin the newest allowed versions of all packages with their hashes
	$(COMPILE) --upgrade --output-file requirements.txt
	$(COMPILE) --upgrade --extra payments --constraint requirements.txt --output-file requirements-payments.txt
	$(COMPILE) --upgrade $(EXTRAS) --constraint requirements-payments.txt --output-file requirements-run.txt
	$(COMPILE) --upgrade $(EXTRAS) --extra dev --constraint requirements-run.txt --output-file requirements-dev.txt

.PHONY: advisories
advisories: $(DEV) ## Ask anew for the known weaknesses of the pinned packages (needs a way to osv.dev)
	@$(BIN)/python -m provisioning.advisories refresh

.PHONY: sbom
sbom: $(RUNTIME) ## List every pinned package in build/sbom.cdx.json (CycloneDX)
	@$(BIN)/python -m provisioning.sbom

.PHONY: clean
clean: ## Remove what was built; the data in var/ stays
	rm -rf $(VENV) node_modules build dist platform/qikbiz/web/static/dist bench-results.json test-artifacts
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "QikBiz needs Python 3.11 or newer; none was found. Name one with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements-run.txt pyproject.toml | $(BIN)/python
	@echo "Installing the pinned packages ..."
	@$(PIP) install --require-hashes --requirement requirements-run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q config platform provisioning tenants workers
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo "Installing the pinned development tools ..."
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

$(BIN)/uv: | $(BIN)/python
	@test -x $@ || $(PIP) install uv
