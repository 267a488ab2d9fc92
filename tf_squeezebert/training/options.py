"""The options of training, for Python and the command line alike."""

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

    epochs: int = _option(3, "passes over the examples", 1)
    max_steps: int = _option(0, "batches after which to stop, whatever epochs says; 0: never")
    minutes: float = _option(0.0, "that the run may take; the steps are as many as fit; 0: any")
    batch_size: int = _option(32, "examples a batch", 1)
    learning_rate: float = _option(5e-5, "the highest, after the warm-up")
    optimizer: str = _option("adamw", "adamw or lamb", choices=("adamw", "lamb"))
    warmup: float = _option(0.1, "share of the steps over which the learning rate rises", most=1)
    weight_decay: float = _option(0.01, "of all weights but biases and layer norms")
    clip_norm: float = _option(1.0, "the most that the gradients' global norm may be; 0 for any")
    layer_decay: float = _option(
        1.0, "factor of the learning rate from a layer to the one below", most=1
    )
    dropout: float | None = _option(None, "rate of all dropout (default: the model's own)", most=1)
    accumulate: int = _option(1, "batches whose gradients make one step", 1)
    max_length: int = _option(0, "tokens a row (default: 128, for qa 384)")
    eval_steps: int = _option(0, "batches between evaluations, besides those of the epochs' ends")
    patience: int = _option(0, "evaluations without a better one after which to stop; 0: never")
    seed: int = _option(0, "of the order, masks, dropout and new weights", most=2**32 - 1)
    save_steps: int = _option(500, "steps between saves of the run's state", 1)
    precision: str = _option(
        "float32",
        "mixed_bfloat16 trains faster where the processor has it",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    temperature: float = _option(2.0, "with a teacher: of the soft labels", 1e-3)
    soft_weight: float = _option(
        0.9, "with a teacher: of its labels, 1 - this of the true ones", most=1
    )
    hidden_weight: float | None = _option(None, "with a teacher: of its hidden states")
    attention_weight: float | None = _option(None, "with a teacher: of its attention")

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
            raise ValueError("dropout must be less than 1, which leaves nothing.")


# What `squeeze` does otherwise, where nothing is said.
SQUEEZING = {"learning_rate": 5e-4, "batch_size": 64, "dropout": 0.0, "soft_weight": 1.0}
