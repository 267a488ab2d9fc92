"""The options of training, for Python and for the command line."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..ranges import MOST, check_number


def _option(
    default: Any,
    text: str,
    least: float = 0,
    most: float = MOST,
    choices: tuple[str, ...] | None = None,
) -> Any:
    """A field, whose type is its default's, or float or None."""
    limits = {"least": least, "most": most}
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices, **limits})


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How to train; the command line has an option for each field, of the same name."""

    epochs: int = _option(3, "number of passes over the examples", 1)
    max_steps: int = _option(
        0, "number of batches after which training stops, overriding epochs; 0: no limit"
    )
    minutes: float = _option(
        0.0, "time limit in minutes, within which the learning rate falls to 0; 0: no limit"
    )
    batch_size: int = _option(32, "examples per batch", 1)
    learning_rate: float = _option(5e-5, "peak learning rate, after the warm-up")
    optimizer: str = _option("adamw", "optimizer: adamw or lamb", choices=("adamw", "lamb"))
    warmup: float = _option(
        0.1, "fraction of the steps during which the learning rate rises", most=1
    )
    weight_decay: float = _option(0.01, "weight decay of all weights except biases and layer norms")
    clip_norm: float = _option(1.0, "largest global norm of the gradients; 0: no limit")
    layer_decay: float = _option(
        1.0, "factor by which the learning rate falls from each layer to the one below", most=1
    )
    dropout: float | None = _option(
        None, "rate of all dropout (default: that of the model's config)", most=1
    )
    accumulate: int = _option(1, "number of batches whose gradients are added up for a step", 1)
    max_length: int = _option(0, "most tokens per row (default: 128; for qa, 384)")
    eval_steps: int = _option(0, "batches between evaluations; 0: evaluate after each epoch only")
    patience: int = _option(
        0, "stop after this number of evaluations without an improvement; 0: never"
    )
    held_out: float = _option(
        0.0, "share of the training examples held back to choose the best epoch on", most=1
    )
    seed: int = _option(
        0, "seed of the order and choice of examples, masks, dropout, new weights", most=2**32 - 1
    )
    save_steps: int = _option(500, "batches between saves of the state of the run", 1)
    precision: str = _option(
        "float32",
        "precision of the computation; mixed_bfloat16 is faster on processors that support it",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    table_precision: str = _option(
        "float32",
        "precision that the word embeddings will have in a file, for which they are trained: int4 "
        "for its recipe int4-tables",
        choices=("float32", "int8", "int4"),
    )
    temperature: float = _option(2.0, "with a teacher: temperature of the soft labels", 1e-3)
    soft_weight: float = _option(
        0.9, "with a teacher: weight of its labels; the true labels have the rest", most=1
    )
    hidden_weight: float | None = _option(
        None, "with a teacher: weight of its hidden states (default: 1 if sizes allow)"
    )
    attention_weight: float | None = _option(
        None, "with a teacher: weight of its attention (default: 1 if sizes allow)"
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value, limits = getattr(self, field.name), field.metadata
            if limits["choices"] is not None:
                if value not in limits["choices"]:
                    shown = ", ".join(limits["choices"])
                    raise ValueError(f"{field.name} must be one of {shown}, not {value!r}.")
            elif value is not None or field.default is not None:
                whole = isinstance(field.default, int)
                check_number(field.name, value, limits["least"], limits["most"], whole)
        if self.dropout == 1:
            raise ValueError("dropout must be less than 1, since 1 would drop everything.")
        if self.held_out == 1:
            raise ValueError("held_out must be less than 1, since 1 would leave no examples.")


# Defaults of `squeeze` that differ.
SQUEEZING = {"learning_rate": 5e-4, "batch_size": 64, "dropout": 0.0, "soft_weight": 1.0}
