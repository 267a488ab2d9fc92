"""Makes a smaller model from a BERT, with its weights."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence

from keras import ops

from ..config import GROUPS, LayerSizes, SqueezeBertConfig
from ..distillation import spread_layers
from ..models import SqueezeBertPreTrainedModel, transformer_of
from ..ranges import check_number
from ..tasks import require_tokenizer
from .calibration import Calibration, Text
from .fitting import cut_weights, fit_groups
from .regrouping import Regrouping, find_regrouping, regroup


def make_student(
    teacher: SqueezeBertPreTrainedModel,
    texts: Sequence[Text],
    *,
    groups: int | Sequence[int] = 4,
    layers: int | Sequence[int] | None = None,
    sizes: Sequence[LayerSizes] | None = None,
    order: Regrouping | None = None,
    regrouped: bool = True,
    fitted: bool = True,
    max_tokens: int = 20_000,
) -> tuple[SqueezeBertPreTrainedModel, list[int], Regrouping | None]:
    """Makes a grouped model from a BERT, with its weights, to be distilled from it.

    Args:
        teacher: the BERT, whose channels are reordered too.
        texts: the texts by which the order is chosen and the weights are fitted.
        groups: one number for all projections except the one after attention, which stays whole,
            as in SqueezeBERT; or six, in the order of `GROUPS`.
        layers: the number of layers to keep, evenly spaced; or their indices, counted from 0.
        sizes: of each layer that is kept, in place of groups; it may have fewer heads and
            intermediate channels than the teacher's, and then keeps those that contribute most.
        order: the new order, if it is known already.
        regrouped: whether to reorder the channels.
        fitted: whether to fit the weights; otherwise only the blocks on the diagonal of the
            teacher's weights are kept.
        max_tokens: the number of tokens of the texts to use.

    Returns:
        The student, the indices of the teacher's layers that it has, and the order.

    Raises:
        ValueError: as `squeeze` does.
    """
    total = teacher.config.num_hidden_layers
    if isinstance(layers, int):
        kept = spread_layers(layers, total)
    else:
        kept = list(range(total) if layers is None else layers)
    if not kept or kept != sorted(set(kept) & set(range(total))):
        raise ValueError(
            f"layers must be some of the model's {total} in ascending order, not {layers}."
        )
    if sizes is None:
        sizes = [teacher.config.layer_sizes(i)._replace(**_numbers(groups)) for i in kept]
    config = _config_of(teacher.config, sizes)
    calibration = Calibration(teacher, texts, max_tokens=max_tokens)
    if regrouped:
        if order is None:
            wanted = dict(zip(kept, sizes, strict=True))
            order = find_regrouping(transformer_of(teacher), calibration, wanted)
        regroup(teacher, order)
    student = _cut(teacher, config, kept)
    if fitted:
        fit_groups(transformer_of(student), transformer_of(teacher), kept, calibration)
    return student, kept, order


def keep_positions(model: SqueezeBertPreTrainedModel, count: int) -> SqueezeBertPreTrainedModel:
    """Makes a model that takes shorter texts, of up to `count` tokens, and computes the same.

    Raises:
        ValueError: the model has fewer positions, or the number is less than 2.
    """
    most = model.config.max_position_embeddings
    check_number("positions", count, least=2)
    if count > most:
        raise ValueError(f"positions must be at most the model's {most}, not {count}.")
    config = SqueezeBertConfig.from_dict(model.config.to_dict(), max_position_embeddings=count)
    shorter = type(model)(config, dtype=model.dtype_policy)
    for variable, source in zip(shorter.variables, model.variables, strict=True):
        variable.assign(ops.convert_to_numpy(source)[: variable.shape[0]])
    with tempfile.TemporaryDirectory() as folder:
        require_tokenizer(model).save_pretrained(folder)
        shorter.tokenizer = type(require_tokenizer(model)).from_pretrained(
            folder, model_max_length=count
        )
    return shorter


def _numbers(groups: int | Sequence[int]) -> dict[str, int]:
    if isinstance(groups, int):
        groups = [1 if name == "post_attention_groups" else groups for name in GROUPS]
    if len(groups) != len(GROUPS):
        raise ValueError(f"groups must be one number or {len(GROUPS)}, not {len(groups)}.")
    return dict(zip(GROUPS, groups, strict=True))


def _config_of(config: SqueezeBertConfig, sizes: Sequence[LayerSizes]) -> SqueezeBertConfig:
    """The config with layers of these sizes; the groups that most have are those of all."""
    common = {
        name: Counter(getattr(x, name) for x in sizes).most_common(1)[0][0] for name in GROUPS
    }
    different = {i: x.for_config() for i, x in enumerate(sizes)}
    changes = {**common, "num_hidden_layers": len(sizes), "per_layer_config": different}
    return SqueezeBertConfig.from_dict(config.to_dict(), **changes)


def _cut(
    teacher: SqueezeBertPreTrainedModel, config: SqueezeBertConfig, kept: Sequence[int]
) -> SqueezeBertPreTrainedModel:
    """A model with the teacher's weights, as far as its layers and their sizes keep them."""
    student = type(teacher)(config)
    blocks = transformer_of(teacher).blocks
    dropped = {id(v) for i, block in enumerate(blocks) if i not in kept for v in block.variables}
    left = [variable for variable in teacher.variables if id(variable) not in dropped]
    cut_weights(student.variables, left)
    return student
