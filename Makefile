# make demo     train a classifier of handwritten digits; installs what it needs into .venv
# make test     everything that is checked: ruff, mypy, the whole test suite
# make lint     ruff and mypy alone
# make bench    time kdsl beside the frameworks that are installed (BENCH_FLAGS: see benchmarks/README.md)
# make clean    remove .venv, caches and what the demo built

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# Compiled kernels stay inside the checkout, and the tests share them.
export NUMBA_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache/numba
export KDSL_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache/modules
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint bench clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.demo
	$(BIN)/kdsl build models/digits.kmodel
	$(BIN)/kdsl train models/digits.kmodel --data sklearn:digits
	@echo
	@echo "What was trained is models/digits.py, made from models/digits.kmodel: open both."

# pytest comes last: its summary is the closing line.
test: lint
	$(BIN)/pytest -n 2 --dist loadfile $(PYTEST_FLAGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.demo
	$(BIN)/python -m benchmarks $(BENCH_FLAGS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "kdsl needs Python 3.10 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp says what .venv holds, so that only the first run installs.
$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "Installing kdsl and scikit-learn into $(VENV) (once; about 200 MB with NumPy, SciPy and Numba) ..."
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing kdsl and its development tools into $(VENV) (once) ..."
	$(BIN)/python -m pip install --quiet --editable '.[demo,dev]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis models/*.py benchmarks/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
