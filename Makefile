# Everything a checkout needs, with git, make and Python 3.11 or newer only. `make demo` is the place to start.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help demo run test retest lint format bench soak screenshots lock clean

help:
	@echo "make demo         set everything up and open the program on the embedded server (no key, no network)"
	@echo "make run          open the program with your own settings"
	@echo "make test         set everything up and run the tests"
	@echo "make retest       run those that failed last time again, one after the other"
	@echo "make lint         formatting, lint, types, import contracts"
	@echo "make bench        the figures, as a table and as JSON"
	@echo "make soak         ten minutes of a conversation whose connection is lost every 20 s"
	@echo "make screenshots  draw the pictures in docs/ anew"
	@echo "make lock         resolve requirements.lock anew"

# The lock has hashes, so what is installed here is what was tested.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "azrt-tui needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 demo")'
	@echo "Setting up $(VENV) (once; about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	@$(BIN)/azrt-tui demo

run: $(READY)
	@$(BIN)/azrt-tui

# Most tests wait for a socket, a terminal or a sound device. Those with sound run one after the other in one process.
test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

retest: $(READY)
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m tests.bench

soak: $(READY)
	$(BIN)/python -m tests.bench soak

screenshots: $(READY)
	$(BIN)/python -m tests.screenshots

lock: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --output-file requirements.lock --quiet

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .import_linter_cache snapshot_report.html
