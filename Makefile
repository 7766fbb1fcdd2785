# make lab        JupyterLab on the first notebook          LAB_ARGS="--no-browser"
# make test       lint, types, all tests, all notebooks     DEVICE=cuda  JOBS=4
# make format     format and sort imports
# make notebooks  execute the notebooks and store their outputs
# make course     notebooks, solutions, pages and plans    COURSE_ARGS="--only 03,09"
# make address    tell Binder and Colab where this is          URL=https://github.com/OWNER/NAME
#
# PYTHON=python3.12 names the Python that .venv is made with (3.11 or newer).

PYTHON ?= python3
JOBS ?= 2
LAB_ARGS ?=
COURSE_ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python
INPUTS := pyproject.toml constraints.txt

ifdef DEVICE
export ELECTRA_LAB_DEVICE := $(DEVICE)
endif

# Tests and notebooks run JOBS at a time; more threads than cores make each of them slower.
ONE_THREAD := OMP_NUM_THREADS=1

# A .venv whose Python is gone (an upgrade took it away) is made anew, with all that was in it.
ifeq ($(wildcard $(PY)),)
$(shell rm -f $(VENV)/.notebooks-installed $(VENV)/.test-installed)
endif

.PHONY: help lab test format notebooks course address

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n 1,8p

lab: $(VENV)/.notebooks-installed
	$(PY) -m electra_lab lab $(LAB_ARGS)

test: $(VENV)/.test-installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(ONE_THREAD) $(PY) -m pytest -n $(JOBS) --dist loadfile tests
	$(ONE_THREAD) $(PY) -m pytest -n $(JOBS) --dist loadfile --nbval --nbval-current-env \
		--nbval-cell-timeout=300 --nbval-sanitize-with=tests/notebooks/sanitize.cfg notebooks

format: $(VENV)/.test-installed
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

notebooks: $(VENV)/.test-installed
	ELECTRA_LAB_DEVICE=cpu $(PY) tests/notebooks/store_outputs.py
	$(PY) -m ruff format notebooks

course: $(VENV)/.notebooks-installed
	$(PY) -m electra_lab course --output build/course $(COURSE_ARGS)

address: $(VENV)/.notebooks-installed
	$(PY) binder/address.py $(URL)

# A stamp is older than its inputs when they changed: then, and only then, pip is asked again.
$(VENV)/.notebooks-installed: $(INPUTS) | $(PY)
	$(PY) -m pip install -c constraints.txt -e ".[notebooks]"
	@touch $@

$(VENV)/.test-installed: $(INPUTS) | $(PY)
	$(PY) -m pip install -c constraints.txt -e ".[notebooks,test]"
	@touch $@ $(VENV)/.notebooks-installed

$(PY):
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON). Name a Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "electra_lab needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) -V 2>&1`." \
			"Name another: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) could not make $(VENV); on Debian and Ubuntu it needs the package" \
			"python3-venv."; exit 1; }
