"""Small configurations, and inputs for them: without PyTorch, which takes seconds to import."""

from __future__ import annotations

import numpy as np

# Those first that differ most: in the width of the outputs, their axes and their number.
CLASSES = (
    "SqueezeBertModel",
    "SqueezeBertForMaskedLM",
    "SqueezeBertForMultipleChoice",
    "SqueezeBertForQuestionAnswering",
    "SqueezeBertForSequenceClassification",
    "SqueezeBertForTokenClassification",
)
SMALL = {
    "vocab_size": 99,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 40,
    "embedding_size": 48,
}
# q, k, v, post_attention, intermediate, output
GROUPS = {"fours": (4, 4, 4, 1, 4, 4), "mixed": (2, 4, 1, 3, 6, 2), "ones": (1, 1, 1, 1, 1, 1)}
# Layers of different shapes: heads that cross the borders of groups, a single head, and a last
# layer whose groups differ.
PER_LAYER = {
    0: {"num_attention_heads": 3, "intermediate_size": 48, "post_attention_groups": 3},
    1: {"num_attention_heads": 1, "q_groups": 1, "k_groups": 1, "v_groups": 1},
    3: {
        "num_attention_heads": 2,
        "q_groups": 1,
        "k_groups": 2,
        "v_groups": 1,
        "intermediate_size": 144,
        "output_groups": 6,
    },
}
GROUP_NAMES = ("q", "k", "v", "post_attention", "intermediate", "output")


def small_config(groups: str = "fours", **values) -> dict:
    names = [f"{name}_groups" for name in GROUP_NAMES]
    return {**SMALL, **dict(zip(names, GROUPS[groups], strict=True)), **values}


def shaped_config(**values) -> dict:
    """Four layers, of which only one has the shape of the config."""
    return small_config(num_hidden_layers=4, per_layer_config=PER_LAYER, **values)


def random_inputs(
    config: dict, shape: tuple[int, ...], seed: int = 0, padded: bool = True
) -> dict[str, np.ndarray]:
    """Ids, segments and a mask of the shape [B, S] or [B, C, S]; rows padded to random lengths."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, config.get("vocab_size", 30522), shape, dtype=np.int32)
    types = rng.integers(0, 2, shape, dtype=np.int32)
    mask = np.ones(shape, np.int32)
    if padded:
        lengths = rng.integers(1, shape[-1] + 1, shape[:-1])
        mask = (np.arange(shape[-1]) < lengths[..., None]).astype(np.int32)
    return {"input_ids": ids * mask, "token_type_ids": types * mask, "attention_mask": mask}
