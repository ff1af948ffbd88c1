# The developer's interface. `make help` lists it; `make demo` is the tour, `make test` the proof.
# Everything is installed into .venv, from requirements.lock, and only when that changed.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.synced
UV      = $(shell command -v uv || echo $(BIN)/uv)
# Many tests wait, for a process or a moment: a worker more than there are cores (two more took a twelfth longer). The
# fast ones only compute.
CORES   := $(shell nproc 2>/dev/null || echo 1)
WORKERS ?= $(shell echo $$(($(CORES) + 1)))
# Where Python may not keep compiled bytecode (containers set that), each of the many processes that a test or the demo
# starts compiles jax and all else anew: three seconds in place of one.
unexport PYTHONDONTWRITEBYTECODE
LOCK   := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit thorough explore check format bench docs screenshots golden lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install what requirements.lock says

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	  echo "Trainshed needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "  → name one that is: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON)' cannot make virtual environments." >&2; \
	  echo "  → install its venv module (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## the whole main job on real data in about four minutes, then the terminal UI on it
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/trainshed demo; else $(BIN)/trainshed demo --headless; fi

test: $(STAMP) ## all tests
	@$(BIN)/python -m pytest -q -n $(WORKERS)

unit: $(STAMP) ## the fast tests, of functions and of the record and the lake, in less than a minute
	@$(BIN)/python -m pytest -q -n $(CORES) -m "not slow" tests/unit

thorough: $(STAMP) ## all tests, with as many kills, promotions and pairs of keys as were promised, and the summer of the demo
	@TRAINSHED_THOROUGH=1 $(BIN)/python -m pytest -q -n $(WORKERS) --timeout=3600

explore: $(STAMP) ## the properties alone, on examples they have not met, and ten times as many
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m hypothesis --hypothesis-profile=explore --timeout=3600

check: $(STAMP) ## formatting, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## put the formatting right
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## all benchmarks, one JSON object each
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --require-hashes --requirement requirements-bench.lock
	@for script in benchmarks/[a-z]*.py; do echo "$$script"; $(BIN)/python $$script || exit 1; done

docs: $(STAMP) ## write docs/reference from the code
	@$(BIN)/python docs/generate.py

golden: $(STAMP) ## write a checkpoint and a version for later releases to read
	@$(BIN)/python -m tests.golden.write

screenshots: $(STAMP) ## pictures of the terminal UI, taken from the demo
	@folder=$$(mktemp -d) && $(BIN)/trainshed demo --headless --dir $$folder/flights \
	  && $(BIN)/trainshed up --detach --project $$folder/flights \
	  && { $(BIN)/python docs/screenshots.py $$folder/flights; status=$$?; } \
	  ; $(BIN)/trainshed down --project $$folder/flights; rm -rf $$folder; exit $$status

lock: $(STAMP) ## resolve the dependencies anew
	@$(UV) pip compile pyproject.toml $(LOCK) --extra demo --extra postgres --group dev --output-file requirements.lock
	@$(UV) pip compile pyproject.toml $(LOCK) --extra demo --extra postgres --group dev --group bench \
	  --constraint requirements.lock --output-file requirements-bench.lock
	@$(UV) pip compile pyproject.toml $(LOCK) --extra demo --extra postgres --group dev --extra cuda --extra tpu \
	  --constraint requirements.lock --output-file requirements-accelerators.lock
	@for target in container lambda; do $(UV) pip compile assets/export/$$target/requirements.in $(LOCK) \
	  --constraint requirements.lock --output-file assets/export/$$target/requirements.lock || exit 1; done

clean: ## remove .venv and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
