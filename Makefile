# make app     start the app            make test   every check and every test
# make lint    checks without tests     make demo   make the demo shop again     make clean

SHELL := /bin/bash
PORT ?= 8501
PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
BIN := .venv/bin

APP_FILES := requirements.txt constraints.txt
DEV_FILES := $(APP_FILES) requirements-dev.txt

# One thread a process, and waiting threads sleep: the processes run side by side.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export OMP_WAIT_POLICY := PASSIVE
export TOKENIZERS_PARALLELISM := false

DIGEST = $(PYTHON) -c 'import hashlib, sys; \
	files = b"".join(open(name, "rb").read() for name in sys.argv[1:]); \
	print(hashlib.sha256(sys.version.encode() + files).hexdigest())'

# A dropped connection must not cost the whole installation: three tries. What is done is kept.
INSTALL = install() { local try; for try in 1 2 3; do \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 10 \
	--constraint constraints.txt --requirement "$$1" && return 0; done; return 1; }; install

.PHONY: help app test lint demo clean env env-dev

help:
	@sed -n '1,2s/^\# //p' Makefile

app: env
	exec $(BIN)/streamlit run app.py --server.port $(PORT)

test: lint
	$(BIN)/python -m pytest -n 2

lint: env-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: env
	$(BIN)/python -m mmrec_core demo --out data/demo
	$(BIN)/python -m mmrec_core ship

# Leaves data/uploads and data/store alone: they are yours.
clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is kept while the requirement files are those it was made from.
env:
	@set -eu; want=$$($(DIGEST) $(APP_FILES)); \
	if [ "$$(cat .venv/app.sha256 2>/dev/null || true)" != "$$want" ]; then \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) \
			and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'; \
		echo "Installing what the app needs into .venv (some minutes, once) ..."; \
		$(PYTHON) -m venv --clear .venv; \
		$(INSTALL) requirements.txt; \
		echo "$$want" > .venv/app.sha256; \
	fi

env-dev: env
	@set -eu; want=$$($(DIGEST) $(DEV_FILES)); \
	if [ "$$(cat .venv/dev.sha256 2>/dev/null || true)" != "$$want" ]; then \
		echo "Installing what the tests need into .venv ..."; \
		$(INSTALL) requirements-dev.txt; \
		echo "$$want" > .venv/dev.sha256; \
	fi
