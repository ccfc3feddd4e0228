# Everything a person or CI runs. Each target installs what it needs first: a clone and
# `python3` (3.11 or newer, with the venv module) are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := generic kubeapi extensions aggregator trikube examples bench tests tools
# One worker for each core of this machine; tests of one file stay together and share its servers.
WORKERS ?= auto
PYTEST_ARGS ?=
UP_ARGS ?=
BENCH_ARGS ?=
LOCK_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo up test check lint format bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with everything in it, kubectl and etcd included

demo: $(STAMP) ## the tour: three servers, kubectl, a custom resource, an aggregated API server
	@$(BIN)/trikube demo

up: $(STAMP) ## run the control plane in the foreground (UP_ARGS="--data-dir ...")
	@$(BIN)/trikube up $(UP_ARGS)

test: $(STAMP) ## the whole test suite (PYTEST_ARGS="-k name", WORKERS=0 for one process)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: $(STAMP) ## lint, formatting, types, import rules
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo

lint: check ## the same as check

format: $(STAMP) ## rewrite the sources as ruff likes them
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(STAMP) ## start the server as a user would and measure it
	@$(BIN)/python -m bench $(BENCH_ARGS)

lock: $(BIN)/uv ## resolve the dependencies again (LOCK_ARGS=--upgrade for newer versions)
	$(LOCK) --group bootstrap --output-file constraints-bootstrap.txt
	$(LOCK) pyproject.toml --extra dev --group bootstrap --output-file constraints.txt

clean: ## remove .venv and every cache
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Universal: one file for every platform and Python. Hashes, no comments, no index: it names no host.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url $(LOCK_ARGS)

# pip fetches uv, ten times quicker than itself at the rest, and setuptools, which builds the one
# source distribution and this project: build isolation would fetch an unlocked one.
$(BIN)/uv: constraints-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'trikube needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'this Python has no venv module: on Debian or Ubuntu, apt-get install python3-venv' >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $<
	@touch $@

# install, not sync: what a developer added by hand stays. uv reads neither pip's settings nor, unless
# told, the system's certificates: a mirror or a certificate that pip works with must do for it too.
pip_setting = $$($(BIN)/pip config list 2>/dev/null | sed -nE "s/^(:env:|global|install)\.$(1)='(.*)'$$/\2/p" | head -n 1)
SYSTEM_CERTS := /etc/ssl/certs/ca-certificates.crt

$(STAMP): pyproject.toml constraints.txt $(BIN)/uv
	@index="$${UV_DEFAULT_INDEX:-$(call pip_setting,index-url)}"; \
	cert="$${SSL_CERT_FILE:-$(call pip_setting,cert)}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	if [ -n "$$cert" ]; then export SSL_CERT_FILE="$$cert"; \
	elif [ -s $(SYSTEM_CERTS) ]; then export UV_SYSTEM_CERTS="$${UV_SYSTEM_CERTS:-1}"; fi; \
	set -ex; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-build-isolation -r constraints.txt; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
	  --config-setting editable_mode=compat --editable .
	@touch $@
