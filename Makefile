# A newcomer needs Python 3.10-3.13 and make: `make demo`, `make test`. PYTHON=python3.12 picks another interpreter.
PYTHON ?= python3
VENV := .venv
RUN := runs/demo
# Test processes. One for each core, four at most: each loads TensorFlow and takes about 1 GB.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))

# One worker takes a whole test file: what a file trains or exports for its tests is made once.
PYTEST = $(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: demo quick test test-slow lint clean

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) else f"remi_tf needs Python 3.10 to 3.13, $(PYTHON) is {v[0]}.{v[1]}: set PYTHON, as in make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet -r requirements.txt
	$(VENV)/bin/python -m pip install --quiet --no-deps -e .
	@touch $@

demo: $(VENV)/.installed
	$(VENV)/bin/python data/prepare.py --source synthetic --output data/synthetic --overwrite
	$(VENV)/bin/python train.py --dataset synthetic --model_type SA --remi --run_dir $(RUN) --overwrite
	$(VENV)/bin/python evaluate.py --run_dir $(RUN)
	$(VENV)/bin/python export.py --run_dir $(RUN)
	$(VENV)/bin/python recommend.py --run_dir $(RUN) --history "c1i3,c1i5,c4i2,c1i9,c4i7" --top_n 10

lint: $(VENV)/.installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The loop while you work: everything but the tests that train, export, serve or start processes.
quick: lint
	$(PYTEST) -m "not slow and not trains"

test: lint
	$(PYTEST)

test-slow: $(VENV)/.installed
	$(VENV)/bin/python -m pytest -m slow

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
