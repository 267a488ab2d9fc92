"""What a squeezed model is to be like, as `squeeze` was asked, and the student that is made so."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..config import SqueezeBertConfig
from ..metrics import FALLING
from ..models import SqueezeBertPreTrainedModel, transformer_of
from ..tasks import find_task
from ..training.digests import digest_data
from .calibration import Calibration, Text
from .fitting import hidden_error
from .foresight import Chosen, choose_shape
from .frequencies import read_sources
from .frontier import copy_frontier
from .plan import Plan, chosen_in
from .promise import Promise
from .regrouping import Regrouping
from .student import keep_positions, make_student
from .teacher import copy_model, in_precision
from .vocabulary import trim_vocabulary

_GROUPS = 4  # unless others are asked for


class Made(NamedTuple):
    """A student before its training.

    Attributes:
        student: the student.
        teacher: the BERT, with the student's positions and word pieces, its channels reordered.
        layers: indices of the teacher's layers that the student has.
        order: the new order of the channels.
        chosen: the shape that was chosen for a promise; None without one.
        texts: those that the student was fitted to, in random order.
    """

    student: SqueezeBertPreTrainedModel
    teacher: SqueezeBertPreTrainedModel
    layers: list[int]
    order: Regrouping
    chosen: Chosen | None
    texts: list[Text]

    def in_precision(self, precision: str) -> Made:
        """The same with models that compute in this precision."""
        student, teacher = (in_precision(x, precision) for x in (self.student, self.teacher))
        student.tokenizer = transformer_of(student).tokenizer = teacher.tokenizer
        return self._replace(student=student, teacher=teacher)

    def error(self) -> float:
        """Of the student's hidden states, on the texts of the fit."""
        ours, theirs = transformer_of(self.student), transformer_of(self.teacher)
        return hidden_error(ours, theirs, Calibration(self.teacher, self.texts))


@dataclasses.dataclass(frozen=True)
class Form:
    """What a student is to be like; the fields are arguments of `squeeze`."""

    groups: int | Sequence[int] | None
    layers: int | Sequence[int] | None
    promise: Promise | None
    shape_of: str | os.PathLike | None
    positions: int | None
    vocab_size: int | None
    vocab_from: Sequence[str | os.PathLike]
    languages: Sequence[str]
    frequencies: Sequence[str | os.PathLike]

    @property
    def files(self) -> list[str | os.PathLike]:
        """The files that the word pieces are chosen by."""
        return [*self.vocab_from, *self.frequencies]

    def check(self, task: str | None, measured: bool) -> None:
        """Refuses fields that contradict each other, or the task.

        Args:
            task: the task, if there is one.
            measured: whether there are examples to measure its metric on.

        Raises:
            ValueError: they do.
        """
        if self.promise is None:
            if self.shape_of is not None:
                raise ValueError(
                    "shape_of needs the promise that the file is to keep: pass it too."
                )
            return
        if (self.groups, self.layers) != (None, None):
            raise ValueError("A promise chooses groups and layers: leave these out.")
        if self.promise.min_metric is None:
            return
        if task is None or not measured:
            raise ValueError("min_metric needs a task and dev: pass both.")
        metric = find_task(task).metrics[0]
        if metric in FALLING:
            raise ValueError(
                f"min_metric is for metrics that rise, not for {metric}: leave it out."
            )

    def identity(self, config: SqueezeBertConfig) -> dict[str, Any]:
        """What a resumed run must have in common.

        Args:
            config: of the BERT.

        Raises:
            ValueError: `shape_of` has no shape for it.
        """
        return {
            "groups": _GROUPS if self.groups is None else self.groups,
            "layers": self.layers,
            "promise": self.promise and dataclasses.asdict(self.promise),
            "shape_of": self.shape_of and str(chosen_in(Path(self.shape_of), config)),
            "positions": self.positions,
            "vocab_size": self.vocab_size,
            "vocabulary": [*map(digest_data, self.files), *self.languages],
        }

    def make(
        self,
        teacher: SqueezeBertPreTrainedModel,
        sample: Sequence[Text],
        folder: Path,
        plan: Plan | None,
        seed: int,
    ) -> Made:
        """Makes the student, and reorders the teacher's channels.

        Args:
            teacher: the BERT.
            sample: texts that decide the word pieces, the shape and the fit.
            folder: of the run; gets the frontier if a shape is chosen for a promise.
            plan: that of the run, if it is resumed.
            seed: of the order of the texts.

        Raises:
            ValueError: as `squeeze` does.
        """
        if self.positions is not None:
            teacher = keep_positions(teacher, self.positions)
        sources = read_sources(self.vocab_from, self.languages, self.frequencies).values()
        trimmed = bool(sources) or self.vocab_size is not None
        if trimmed:
            teacher = trim_vocabulary(teacher, *(sources or [sample]), size=self.vocab_size)
        texts = [sample[i] for i in np.random.default_rng(seed).permutation(len(sample))]
        chosen = plan.chosen if plan else self._choose(teacher, texts, folder, trims=not trimmed)
        shape: dict[str, Any] = {"layers": self.layers}
        shape["groups"] = _GROUPS if self.groups is None else self.groups
        if chosen is not None:
            shape = {"layers": chosen.layers, "sizes": chosen.sizes}
            if chosen.vocab_size < teacher.config.vocab_size:
                teacher = trim_vocabulary(teacher, sample, size=chosen.vocab_size)
        student, layers, order = make_student(teacher, texts, order=plan and plan.order, **shape)
        assert order is not None, "make_student reorders unless told otherwise"
        return Made(student, teacher, layers, order, chosen, texts)

    def _choose(
        self, teacher: SqueezeBertPreTrainedModel, texts: list[Text], folder: Path, *, trims: bool
    ) -> Chosen | None:
        """The shape for the promise, searched for or taken from another run."""
        if self.promise is None:
            return None
        if self.shape_of is not None:
            chosen = chosen_in(Path(self.shape_of), teacher.config)
            copy_frontier(Path(self.shape_of), folder)
            return chosen
        # A copy, whose channels are reordered to and fro.
        copy = copy_model(teacher, teacher.config, teacher.dtype_policy)
        return choose_shape(copy, texts, self.promise, folder, trims=trims)
