# The five words that everything starts with. `make help` says what each does.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup test fault nightly run bench docs lint lock clean

help:
	@echo "make run     a server with demo accounts, all its data under ./demo/"
	@echo "make test    every test; installs what they need (as root, on Debian)"
	@echo "make fault   a server killed a hundred times under load; FAULT_SEED=N takes a seed again"
	@echo "make nightly what takes too long for every change: fault, and ten minutes of soak"
	@echo "make setup   .venv/ with the locked dependencies and Pyrite itself"
	@echo "make bench   Pyrite beside Prosody and ejabberd, one JSON object a line"
	@echo "make docs    the documentation as a site, in ./site/"
	@echo "make lint    ruff and mypy"

setup:
	@PYTHON="$(PYTHON)" tools/setup

test:
	@PYTHON="$(PYTHON)" tools/setup test
	$(BIN)/python -m pytest $(ARGS)

fault: setup
	FAULT_KILLS=$${FAULT_KILLS:-100} $(BIN)/python -m pytest -s tests/fault $(ARGS)

nightly: fault
	@PYTHON="$(PYTHON)" tools/setup bench
	$(BIN)/python -m bench --scenario soak --server pyrite --check

run: setup
	@exec $(BIN)/pyrite demo

bench:
	@PYTHON="$(PYTHON)" tools/setup bench
	@exec $(BIN)/python -m bench $(ARGS)

docs: setup
	$(BIN)/python tools/site.py
	$(BIN)/zensical build --strict --clean

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(wildcard src bench examples/*/src tools/*.py)

lock:
	uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra dev --no-header -q pyproject.toml -o requirements.lock
	echo gssapi | uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header -q -c requirements.lock - -o requirements-kerberos.lock

clean:
	rm -rf .venv .backports site build dist .mypy_cache .ruff_cache .hypothesis
