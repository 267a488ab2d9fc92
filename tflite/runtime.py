"""Runs a .tflite file of this package with LiteRT, without TensorFlow and Keras."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import os
import queue
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from ..config import SqueezeBertConfig
from ..files import named_in_utf8
from ..inputs import INPUTS, as_array, as_ids, as_mask
from ..tasks import Task, task_of
from ..terminal import one_line
from ..tokenizer import SqueezeBertTokenizer
from .bundle import read_bundle
from .golden import GOLDEN, SelfTest
from .gpu import Accelerated
from .model_check import open_model
from .own_graph import Signature, check_own
from .weight_cache import cached_weights

_Run = Callable[..., dict[str, np.ndarray]]  # from the inputs, by name, to the outputs
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# LiteRT ends the process if the system refuses it another thread.
MOST_THREADS = 256
EMULATED_HALF = "xnnpack-float16"
DELEGATES = ("xnnpack", EMULATED_HALF, "none", "gpu")
_RESOLVERS = {
    "xnnpack": OpResolverType.AUTO,
    "none": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


class Runtime:
    """A loaded .tflite file.

    Several threads may use it at once. Each call of the file takes one of the workers'
    interpreters, and waits if all are busy.

    Args:
        path: the file, as `tf_squeezebert.tflite.export` wrote it.
        num_threads: threads within one call of the file.
        workers: number of calls of the file that run at once. Each worker has an interpreter, with
            a copy of the encoder's weights.
        delegate: what runs the file: `"xnnpack"`, LiteRT's fast kernels for CPUs;
            `"xnnpack-float16"`, the same in float16, as phones compute files of the recipe fp16
            (x86 emulates it slowly, and is more exact in sums); `"none"`, LiteRT's other kernels,
            which are many times slower; or `"gpu"`, its GPU accelerator in float32, for files of
            fixed shapes, of which `target="gpu"` makes those that are right there. `fastest`
            chooses among all but `"xnnpack-float16"`.
        cache_dir: a folder in which XNNPACK keeps the weights in the layout that it computes with.
            A second start maps them instead of making them, and all workers and processes share
            them. Caches of older files stay until you delete them. Whoever can write there can
            change the answers. By default there is none.

    Attributes:
        config: the exported model's config, with the names of the labels.
        architecture: the exported model's class, for instance `"SqueezeBertModel"`.
        task: the file's task; see `tf_squeezebert.tasks`.
        workers: the number of workers.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a .tflite, or not one that this package exported; or `num_threads` or
            `workers` is below 1, or their product above 256; or the delegate can not run the file,
            or has no cache.
        OSError: `cache_dir` can not be written, or its disk is full.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        num_threads: int = 1,
        workers: int = 1,
        delegate: str = "xnnpack",
        cache_dir: str | os.PathLike | None = None,
    ):
        for name, count in (("num_threads", num_threads), ("workers", workers)):
            if not isinstance(count, int) or count < 1:
                raise ValueError(f"{name} must be a whole number of 1 or more, not {count!r}.")
        if num_threads * workers > MOST_THREADS:
            raise ValueError(
                f"num_threads times workers may be {MOST_THREADS} at most, not "
                f"{num_threads * workers}."
            )
        if delegate not in DELEGATES:
            raise ValueError(
                f"delegate {delegate!r} is unknown: choose one of {', '.join(DELEGATES)}."
            )
        if cache_dir is not None and delegate not in ("xnnpack", EMULATED_HALF):
            raise ValueError(
                f"The delegate {delegate!r} keeps no weights on the disk: leave out cache_dir, or "
                "choose 'xnnpack'."
            )
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"There is no file '{path}': check the path.")
        self._path = path
        self._bundle = read_bundle(path)
        self.config: SqueezeBertConfig = self._bundle.config
        self.architecture: str = self._bundle.architecture
        self._signatures = _check(path, self.config, self.architecture)
        if self.batch is None and self.length is None:
            self._refuse_compiled(delegate, cache_dir)
        self.task: Task = task_of(self.architecture, self.config)
        self.workers = workers
        # Last in, first out, so that a single caller always uses the same interpreter.
        self._idle: queue.LifoQueue[Mapping[str, _Run]] = queue.LifoQueue()
        for _ in range(workers):
            with self._cached_weights(delegate, cache_dir) as cache:
                self._idle.put(_open(path, num_threads, delegate, self._signatures, cache))
        _release_pages(path)

    def _refuse_compiled(self, delegate: str, cache_dir: str | os.PathLike | None) -> None:
        """Refuses what LiteRT's CompiledModel is needed for, which needs to know shapes."""
        if delegate == EMULATED_HALF or cache_dir is not None:
            way_out = "leave out cache_dir" if cache_dir is not None else "choose another delegate"
            raise ValueError(
                f"'{self._path}' has a free batch and a free length: {way_out}, or export it with "
                "batch=1."
            )

    def _cached_weights(
        self, delegate: str, folder: str | os.PathLike | None
    ) -> contextlib.AbstractContextManager[str]:
        if folder is None:
            return contextlib.nullcontext("")
        has_golden = GOLDEN in self._bundle.files
        return cached_weights(Path(folder), self._path, delegate, has_golden)

    @functools.cached_property
    def tokenizer(self) -> SqueezeBertTokenizer | None:
        """The tokenizer in the file; None if it was exported without one."""
        return self._bundle.tokenizer

    @property
    def batch(self) -> int | None:
        """The number of texts that one call of the file takes; None if it is free."""
        batch = self._signatures[0].batch
        return None if batch < 0 else batch

    @property
    def length(self) -> int | None:
        """The sequence length that the file was exported for, the longest of several; None if it
        is free."""
        return self.lengths[-1] if self.lengths else None

    @property
    def lengths(self) -> tuple[int, ...]:
        """The fixed sequence lengths of the file, in order; none if the length is free. A text is
        padded to the shortest that it fits into."""
        return tuple(x.length for x in self._signatures if x.length > 0)

    @property
    def max_length(self) -> int:
        """The length of the longest sequence that the file takes, in tokens."""
        return self.length or self.config.max_position_embeddings

    def __call__(self, inputs: Mapping[str, np.ndarray] | np.ndarray) -> dict[str, np.ndarray]:
        """Runs the file on texts, `batch` of them per call, with `workers` calls at once.

        Args:
            inputs: `input_ids`, integers [B, S], or [B, C, S] for multiple choice; or a dict with
                it and optionally `attention_mask`, of 0 and 1, and `token_type_ids`. If the file
                has a fixed batch or length, rows and positions are added as needed, and removed
                from its outputs.

        Returns:
            The outputs by name, float32, batched as the Keras model's: [B, ...], with the number
            of positions of the inputs.

        Raises:
            ValueError: an input is unknown or missing; shapes differ; ids are not of an integer
                dtype, or lie outside the vocabulary; the mask holds values other than 0 and 1, or
                only 0 in a row; or the sequence is too long.
        """
        ids, mask, types = self._checked(
            inputs if isinstance(inputs, Mapping) else {"input_ids": inputs}
        )
        rows = np.stack([ids, mask, types]).reshape(3, -1, ids.shape[-1])
        size = self.batch or rows.shape[1]
        results = self.map(
            self._run, [rows[:, start : start + size] for start in range(0, rows.shape[1], size)]
        )
        outputs = {name: np.concatenate([part[name] for part in results]) for name in results[0]}
        if self.task.has_choices:
            outputs["logits"] = outputs["logits"].reshape(ids.shape[:2])  # [B * C, 1] to [B, C]
        return outputs

    def self_test(self, rounds: int = 1) -> SelfTest:
        """Runs the golden examples that the file carries, and compares with the model's outputs.

        It tells whether this file, on this machine and with these settings, computes what the
        exported model does.

        Args:
            rounds: how often to run each example; every round must be right.

        Raises:
            ValueError: the file carries no golden examples, or damaged ones; or `rounds` is below
                1.
        """
        if not isinstance(rounds, int) or rounds < 1:
            raise ValueError(f"rounds must be a whole number of 1 or more, not {rounds!r}.")
        golden = self._bundle.golden
        if golden is None:
            raise ValueError(
                f"'{self._path}' carries no golden examples, by which a file can test itself: "
                "export it again, without golden=False."
            )
        try:
            return golden.run(self._run_example, rounds)
        except (ValueError, LookupError) as error:
            raise ValueError(
                f"The {GOLDEN} in '{self._path}' can not be run: export the file again "
                f"({one_line(error)})."
            ) from error

    def _run_example(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        if self.task.has_choices:
            inputs = {name: x[None] for name, x in inputs.items()}
        return self(inputs)

    def map(self, function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """`[function(item) for item in items]`, with one thread for each worker."""
        items = list(items)
        if min(self.workers, len(items)) < 2:
            return [function(item) for item in items]
        with ThreadPoolExecutor(self.workers) as threads:
            return list(threads.map(function, items))

    def _run(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Calls the file once, with ids, mask and types, [3, B, S]."""
        _, count, given = rows.shape
        size = self.batch or count
        signature = next((x for x in self._signatures if x.length >= given), self._signatures[0])
        length = max(signature.length, given)
        padded = np.pad(rows, ((0, 0), (0, size - count), (0, length - given)))
        runs = self._idle.get()
        try:
            outputs = runs[signature.name](**dict(zip(INPUTS, padded, strict=True)))
        except RuntimeError as error:
            raise ValueError(
                f"The file does not run {padded.shape[1]} texts of {padded.shape[2]} tokens, so it "
                f"is damaged: export it again ({one_line(error)})."
            ) from error
        finally:
            self._idle.put(runs)
        return {
            name: x[:count, :given] if self.task.is_by_position(name) else x[:count]
            for name, x in outputs.items()
        }

    def _checked(self, inputs: Mapping[str, Any]) -> list[np.ndarray]:
        """Ids, mask and types, int32, of one shape; refuses inputs that give wrong results."""
        unknown = [str(name) for name in inputs if name not in INPUTS]
        if unknown or inputs.get("input_ids") is None:
            given = f"Unknown input {', '.join(unknown)}" if unknown else "There are no input_ids"
            raise ValueError(f"{given}: a file takes {', '.join(INPUTS)}.")
        ids = as_array("input_ids", inputs["input_ids"])
        axes = ["batch", "length"]
        if self.task.has_choices:
            axes.insert(1, "choices")
        if ids.ndim != len(axes) or not ids.size:
            raise ValueError(
                f"Expected input_ids of shape [{', '.join(axes)}], got {list(ids.shape)}."
            )
        if ids.shape[-1] > self.max_length:
            raise ValueError(
                f"The input has {ids.shape[-1]} tokens, the file takes at most {self.max_length}: "
                "truncate it."
            )
        ids = as_ids("input_ids", ids, self.config.vocab_size, "vocab_size")
        mask, types = (inputs.get(name) for name in INPUTS[1:])
        mask = np.ones_like(ids) if mask is None else as_mask("attention_mask", mask)
        types = np.zeros_like(ids) if types is None else types
        types = as_ids("token_type_ids", types, self.config.type_vocab_size, "type_vocab_size")
        if not ids.shape == mask.shape == types.shape:
            shapes = ", ".join(str(list(x.shape)) for x in (ids, mask, types))
            raise ValueError(f"{', '.join(INPUTS)} must have the same shape, not {shapes}.")
        if not mask.any(axis=-1).all():
            raise ValueError(
                "A row of attention_mask is 0 everywhere, so there is nothing to attend to: leave "
                "out rows that are only padding."
            )
        return [ids, mask, types]


def _check(path: Path, config: SqueezeBertConfig, architecture: str) -> list[Signature]:
    """Checks the file before LiteRT opens it, and returns its signatures, the shortest first."""
    model = open_model(path)
    try:
        return check_own(model, config, architecture)
    except ValueError as error:
        raise ValueError(
            f"'{path}' was not exported by this package, or is damaged: export it again (it "
            f"{error})."
        ) from error


def _open(
    path: Path, num_threads: int, delegate: str, signatures: Iterable[Signature], cache: str = ""
) -> dict[str, _Run]:
    """Opens the file, ready to run, by signature; `cache` is the path of XNNPACK's weights."""
    try:
        with named_in_utf8(path) as name:
            if delegate == "gpu":
                return _accelerated(Accelerated(name, "GPU CPU"), signatures)
            if delegate == EMULATED_HALF or cache:
                half = delegate == EMULATED_HALF
                model = Accelerated(name, "CPU", num_threads, half, cache)
                return _accelerated(model, signatures)
            interpreter = Interpreter(
                name, num_threads=num_threads, experimental_op_resolver_type=_RESOLVERS[delegate]
            )
        interpreter.allocate_tensors()
        # The runners keep the interpreter alive.
        return {x.name: interpreter.get_signature_runner(x.name) for x in signatures}
    except (RuntimeError, TypeError, ValueError) as error:
        if delegate == "gpu":
            raise ValueError(
                f"No GPU of this machine runs '{path}': use another delegate, or a file that was "
                f'exported with target="gpu" ({one_line(error)}).'
            ) from error
        raise ValueError(
            f"'{path}' is damaged, LiteRT can not open it: export it again ({one_line(error)})."
        ) from error


def _accelerated(model: Accelerated, signatures: Iterable[Signature]) -> dict[str, _Run]:
    return {x.name: functools.partial(model, x.name) for x in signatures}


def _release_pages(path: Path) -> None:
    """Releases the file's pages from this process's memory; only on Linux.

    LiteRT maps the file, and XNNPACK has made a copy of the weights by now, so that these would
    count twice. Rows of embedding tables, which are still read from the file, are reloaded from
    the system's cache.
    """
    maps, name = Path("/proc/self/maps"), str(path.resolve())
    if not maps.is_file():
        return
    for line in maps.read_text(errors="surrogateescape").splitlines():
        span, access, *_ = line.split(maxsplit=2)
        if line.endswith(f" {name}") and access == "r--s":  # shared, read-only: nothing is lost
            start, end = (int(address, 16) for address in span.split("-"))
            size = ctypes.c_size_t(end - start)
            ctypes.CDLL(None).madvise(ctypes.c_void_p(start), size, mmap.MADV_DONTNEED)
