"""Settings that must stand before TensorFlow, transformers and the hub client are imported."""

import contextlib
import gc
import itertools
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Tests run in a process for each core; more threads would only wait for each other.
for _threads in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# JAX's programs run for a moment: they are compiled quickly rather than well, and once for all
# tests and their processes.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def pytest_collection_finish():
    """Takes what the imported frameworks made out of garbage collection: it stays anyway."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def run_eagerly():
    """Has TensorFlow run its functions step by step: for a few steps, tracing them costs more."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def eager():
    """Such steps in a test."""
    with run_eagerly():
        yield


@pytest.fixture(scope="session", autouse=True)
def undrawn():
    """Has runs draw no curves, which takes a third of the time of a few steps."""
    run = sys.modules.get("tf_squeezebert.training.run")
    with pytest.MonkeyPatch.context() as patch:
        if run is not None:  # tests that do not train do not import it
            patch.setattr(run, "draw_curves", lambda path, history, metric: None)
        yield


@pytest.fixture
def drawn(monkeypatch):
    """Has runs draw their curves after all."""
    from tf_squeezebert.training import curves

    monkeypatch.setattr("tf_squeezebert.training.run.draw_curves", curves.draw_curves)


@pytest.fixture
def clock(monkeypatch):
    """A clock on which a second passes whenever it is looked at."""
    monkeypatch.setattr("time.monotonic", itertools.count(1000.0).__next__)


# Processor seconds that a test may take in `make check`, its fixtures included.
QUICK = 10
_STARTED = pytest.StashKey[float]()


def _processor_seconds() -> float:
    """Of this process, and of those that it has waited for."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.stash[_STARTED] = _processor_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """A test is in the quick tier unless it is marked: one that is not quick has to be."""
    seconds = _processor_seconds() - item.stash[_STARTED]
    yield
    if item.config.option.markexpr.startswith("not slow") and seconds > QUICK:
        pytest.fail(
            f"It took {seconds:.1f} s of processor time, and `make check` is for tests of less "
            f"than {QUICK}: mark it with pytest.mark.slow.",
            pytrace=False,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Reports travel between processes as UTF-8: names of files need not be."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
