# make lab    read the workbook          make test   run every test
# make help   all commands

PYTHON ?= python3
# For example: make lab LAB_OPTIONS=--no-browser
LAB_OPTIONS ?=
# For example: make test PYTEST_OPTIONS="-m 'not slow'"
PYTEST_OPTIONS ?=

VENV := .venv
BIN := $(VENV)/bin
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
SETTINGS := widgets/jupyterlab_settings.json
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout=120
COMPILE := uv pip compile pyproject.toml -q --universal --python-version 3.11 --fork-strategy fewest --no-annotate --no-header

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1

.PHONY: help lab test bench notebooks lock upgrade lint clean
.DELETE_ON_ERROR:

help:
	@echo "make lab        read the workbook: installs what is needed, opens JupyterLab"
	@echo "make test       run every test and every notebook"
	@echo "make bench      measure speed"
	@echo "make notebooks  run all notebooks and refresh the numbers in their prose"
	@echo "make lint       check the style of the code"
	@echo "make lock       bring both requirements.txt in line with pyproject.toml"
	@echo "make upgrade    the same, with the newest versions"
	@echo "make clean      remove the environment and all caches; keeps my-work/"

lab: $(VENV)/.reader
	$(BIN)/jupyter lab --notebook-dir=. $(LAB_OPTIONS) notebooks/00_start_here.ipynb

# pytest's exit code is kept in a file, because make turns every failure into 2.
test: $(VENV)/.tests
	@mkdir -p tests/artefacts && rm -f tests/artefacts/exit-code
	$(BIN)/python -m pytest --benchmark-disable $(NBVAL) $(PYTEST_OPTIONS) tests $(NOTEBOOKS); \
	code=$$?; echo $$code > tests/artefacts/exit-code; exit $$code

bench: $(VENV)/.tests
	$(BIN)/python -m tests.bench.page
	$(BIN)/python -m tests.bench.survival_statistics

notebooks: $(VENV)/.tests
	$(BIN)/python -m widgets.publish.refresh

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# tests/requirements.txt holds only what requirements.txt does not.
# Versions stay as they are while pyproject.toml allows them; 'make upgrade' takes the newest.
lock: $(VENV)/.dev
	@mkdir -p build
	grep -v -e '^#' -e '^-' requirements.txt > build/reader.txt || true
	$(BIN)/$(COMPILE) $(LOCK_OPTIONS) -o build/reader.txt
	{ cat build/reader.txt; grep -v -e '^#' -e '^-' tests/requirements.txt || true; } > build/tests.txt
	$(BIN)/$(COMPILE) $(LOCK_OPTIONS) --extra tests -c build/reader.txt -o build/tests.txt
	{ echo "# What a reader needs, locked. Do not edit: change pyproject.toml, then run 'make lock', which runs"; \
	  echo "#   $(COMPILE)"; \
	  echo "# To install, run 'pip install -r requirements.txt' in this folder: '-e .' is the workbook itself."; \
	  echo "-e ."; cat build/reader.txt; } > requirements.txt
	{ echo "# What the tests need on top, locked. Do not edit: change pyproject.toml, then run 'make lock', which runs"; \
	  echo "#   $(COMPILE) --extra tests"; \
	  echo "# and leaves out what requirements.txt has. To install, run 'pip install -r tests/requirements.txt' in the folder above."; \
	  echo "-r ../requirements.txt"; grep -vxF -f build/reader.txt build/tests.txt; } > tests/requirements.txt

upgrade:
	$(MAKE) lock LOCK_OPTIONS=--upgrade

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .benchmarks tests/artefacts *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

# The environment. A stamp file in it is older than what it was made from when something changed.
$(BIN)/python:
	@command -v "$(PYTHON)" > /dev/null || { \
	  echo "Python was not found as '$(PYTHON)'. Install Python 3.11 or newer, or name it: make PYTHON=python3.12 ..."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1). Name a newer one: make PYTHON=python3.12 ..."; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2> /dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments (venv or ensurepip is missing). On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.reader: requirements.txt pyproject.toml $(SETTINGS) | $(BIN)/python
	$(BIN)/python -m pip install -q -r requirements.txt
	@touch $@

$(VENV)/.tests: tests/requirements.txt $(VENV)/.reader
	$(BIN)/python -m pip install -q -r tests/requirements.txt
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.tests
	$(BIN)/python -m pip install -q -e ".[dev]"
	@touch $@
