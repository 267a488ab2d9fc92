"""Settings that must stand before TensorFlow, transformers and the hub client are imported."""

import gc
import itertools
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# JAX's programs are compiled once for all tests and their processes.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def pytest_collection_finish():
    """Takes what the imported frameworks made out of garbage collection: it stays anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def eager():
    """Has TensorFlow run its functions step by step: for a few steps, tracing them costs more."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def clock(monkeypatch):
    """A clock on which a second passes whenever it is looked at."""
    monkeypatch.setattr("time.monotonic", itertools.count(1000.0).__next__)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Reports travel between processes as UTF-8: names of files need not be."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
