"""What a run of `squeeze` decided at its start: kept in its folder, to resume by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..config import SqueezeBertConfig
from ..files import write_text
from ..json_files import read_json
from ..ranges import check_number
from ..training.identity import check_identity
from .foresight import Chosen
from .regrouping import Regrouping

PLAN_FILE = "squeeze.json"


class Plan(NamedTuple):
    """A run's decisions.

    Attributes:
        order: of the teacher's channels, heads and intermediate channels.
        chosen: the shape that was chosen for a promise; None without one.
        minutes: what its time limit left for training; 0: no limit.
        identity: what a resumed run must have in common with it.
    """

    order: Regrouping
    chosen: Chosen | None
    minutes: float
    identity: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        named = self.order._asdict()
        order = {name: np.asarray(value).tolist() for name, value in named.items()}
        plan = {"order": order, "minutes": self.minutes, "identity": self.identity}
        plan["chosen"] = self.chosen and self.chosen._asdict()
        write_text(folder / PLAN_FILE, json.dumps(plan, default=str) + "\n")

    @classmethod
    def read(cls, folder: Path, identity: Mapping[str, Any], config: SqueezeBertConfig) -> Plan:
        """Reads what `write` wrote.

        Raises:
            FileNotFoundError: there is nothing to resume.
            ValueError: it is damaged, or belongs to other data, another model, or other options.
        """
        path = folder / PLAN_FILE
        if not path.is_file():
            raise FileNotFoundError(f"'{folder}' holds no {PLAN_FILE} to resume: squeeze again.")
        try:
            plan = read_json(path)
            order = Regrouping(**{name: np.array(value) for name, value in plan["order"].items()})
            check_number("minutes", plan["minutes"], whole=False)
            _check_order(order, config)
            chosen = Chosen.read(plan["chosen"]) if plan.get("chosen") else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"'{path}' is damaged: delete it, and squeeze the model again."
            ) from error
        check_identity(plan.get("identity"), identity, folder)
        return cls(order, chosen, plan["minutes"], plan["identity"])


def chosen_in(folder: Path, config: SqueezeBertConfig) -> Chosen:
    """The shape that was chosen for a promise in a folder.

    Raises:
        ValueError: none was, or it was made of another BERT.
    """
    path = folder / PLAN_FILE
    try:
        chosen = Chosen.read(read_json(path)["chosen"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{folder}' has no {PLAN_FILE} with a shape that was chosen for a promise: name a "
            "folder that was squeezed to one."
        ) from error
    sizes = config.layer_sizes(0)
    if (
        max(chosen.layers) >= config.num_hidden_layers
        or chosen.vocab_size > config.vocab_size
        or {x.hidden_size for x in chosen.sizes} != {sizes.hidden_size}
        or {x.head_size for x in chosen.sizes} != {sizes.head_size}
    ):
        raise ValueError(
            f"The shape in '{folder}' was chosen for another BERT, whose sizes differ: leave out "
            "shape_of."
        )
    return chosen


def _check_order(order: Regrouping, config: SqueezeBertConfig) -> None:
    """Refuses an order that does not contain each channel, head and intermediate channel once."""
    layers = config.num_hidden_layers
    shapes = {
        "channels": (config.hidden_size,),
        "heads": (layers, config.num_attention_heads),
        "intermediates": (layers, config.intermediate_size),
    }
    for name, value in order._asdict().items():
        every = np.broadcast_to(np.arange(shapes[name][-1]), shapes[name])
        if value.dtype.kind != "i" or not np.array_equal(np.sort(value), every):
            raise ValueError(f"{name} is not a permutation.")
