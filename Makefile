# make demo and make test are the whole set-up: each makes the environment first, if it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Airflow wants other versions of what kizuna uses, as it would where both are at work.
AIRFLOW := $(VENV)/airflow/.installed

# Two threads of two libraries fight each other: one each, unless a config says more.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export DO_NOT_TRACK = 1

.PHONY: demo test test-slow lint types imports fast audit docs mlflow clean

demo: $(STAMP)
	$(BIN)/kizuna demo

test: $(STAMP)
	@$(MAKE) --no-print-directory lint types imports fast

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

fast: $(STAMP)
	$(BIN)/pytest -n 2

test-slow: $(STAMP) $(AIRFLOW)
	sh tests/system_packages.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[spark]' kubernetes-validate
	$(BIN)/pytest -m slow -n 2 --dist loadfile

# Asks PyPI for known weaknesses of every pinned version. Strict: a version that the index knows nothing of fails, too,
# so that a mirror without advisories is not taken for a clean bill.
audit: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt 'pip-audit>=2.10'
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

docs: $(STAMP)
	$(BIN)/python -m docs.features.build
	$(BIN)/python -m docs.kpi.build

mlflow: $(STAMP)
	$(BIN)/mlflow ui --backend-store-uri sqlite:///kizuna-demo/mlflow.db --host 127.0.0.1 --port 5000

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kizuna needs Python 3.11 or newer; found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,postgres,s3,tune]'
	touch $(STAMP)

$(AIRFLOW): tests/deploy/airflow.txt $(STAMP)
	$(PYTHON) -m venv $(VENV)/airflow
	$(VENV)/airflow/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/deploy/airflow.txt
	touch $(AIRFLOW)

clean:
	rm -rf $(VENV) kizuna-demo
