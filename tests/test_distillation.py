"""`Distiller`: its loss is the formula's, by PyTorch on transformers' outputs; and it trains."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from keras import ops

import tf_squeezebert
from tf_squeezebert.distillation import Distiller
from tf_squeezebert.finetuning import finetune

from . import toy
from .configs import random_inputs, small_config
from .reference import pair

pytestmark = pytest.mark.slow

T, SOFT, HIDDEN, ATTENTION = 3.0, 0.7, 0.5, 0.25


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return values[mask.bool()].mean()


def divergence(taught: torch.Tensor, got: torch.Tensor) -> torch.Tensor:
    """KL of logits [..., C], as torch has it: [...]."""
    taught, got = (F.log_softmax(logits / T, -1) for logits in (taught, got))
    return T**2 * F.kl_div(got, taught, reduction="none", log_target=True).sum(-1)


def layers_loss(taught, got, mask: torch.Tensor, layers: list[int]) -> torch.Tensor:
    """Of hidden states and attention, of transformers' outputs."""
    pairs = [(0, 0), *((i + 1, j + 1) for i, j in enumerate(layers))]
    hidden = [
        F.mse_loss(taught.hidden_states[j][mask.bool()], got.hidden_states[i][mask.bool()])
        for i, j in pairs
    ]
    attention = []
    for i, j in enumerate(layers):
        theirs, ours = (F.log_softmax(x, -1) for x in (taught.attentions[j], got.attentions[i]))
        kl = F.kl_div(ours, theirs, reduction="none", log_target=True).sum(-1).mean(1)  # [B, S]
        attention.append(masked_mean(kl, mask))
    return HIDDEN * sum(hidden) / len(hidden) + ATTENTION * sum(attention) / len(attention)


def soft_loss(name: str, taught, got, mask: torch.Tensor) -> torch.Tensor:
    if name.endswith("QuestionAnswering"):
        total = 0
        for side in ("start_logits", "end_logits"):
            theirs, ours = (x[side].masked_fill(mask == 0, -1e9) for x in (taught, got))
            total = total + divergence(theirs, ours).mean() / 2
        return total
    kl = divergence(taught.logits, got.logits)
    return masked_mean(kl, mask) if kl.shape == mask.shape else kl.mean()


LABELS = {
    "SqueezeBertForSequenceClassification": np.array([0, 2, 1, 2]),
    "SqueezeBertForTokenClassification": np.where(
        np.random.default_rng(0).random((4, 11)) < 0.5, 2, -100
    ),
    "SqueezeBertForMaskedLM": np.where(np.random.default_rng(1).random((4, 11)) < 0.5, 7, -100),
    "SqueezeBertForQuestionAnswering": {
        "start_positions": np.array([1, 0, 3, 2]),
        "end_positions": np.array([2, 0, 4, 2]),
    },
}


@pytest.mark.parametrize("name", LABELS)
def test_the_loss_is_the_formulas(name, tmp_path):
    labels = 2 if name.endswith("QuestionAnswering") else 3
    config = small_config(num_labels=labels, num_hidden_layers=2)
    theirs, student = pair(name, config, tmp_path / "student")
    their_teacher, teacher = pair(
        name, {**config, "num_hidden_layers": 4, "intermediate_size": 48}, tmp_path / "teacher", 1
    )
    distiller = Distiller(
        student,
        teacher,
        temperature=T,
        soft_weight=SOFT,
        hidden_weight=HIDDEN,
        attention_weight=ATTENTION,
    )
    distiller.compile()
    inputs, labels = random_inputs(config, (4, 11)), LABELS[name]

    tensors = {key: torch.from_numpy(x).long() for key, x in inputs.items()}
    named = labels if isinstance(labels, dict) else {"labels": labels}
    targets = {key: torch.from_numpy(x).long() for key, x in named.items()}
    asked = {"output_hidden_states": True, "output_attentions": True}
    with torch.no_grad():
        got = theirs(**tensors, **targets, **asked)
        taught = their_teacher(**tensors, **asked)
        mask = tensors["attention_mask"]
        want = (1 - SOFT) * got.loss + SOFT * soft_loss(name, taught, got, mask)
        want = want + layers_loss(taught, got, mask, layers=[1, 3])

    outputs = distiller(inputs, training=False)
    loss = distiller.compute_loss(inputs, labels, outputs, training=True)
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(float(want), rel=2e-5)
    plain = distiller.compute_loss(inputs, labels, outputs, training=False)
    assert float(ops.convert_to_numpy(plain)) == pytest.approx(float(got.loss), rel=1e-5)


def embedding_loss(taught, got, mask: torch.Tensor, pooling: str | None) -> torch.Tensor | float:
    if pooling is None:
        return 0.0
    of = {
        "cls": lambda x: x[:, 0],
        "mean": lambda x: (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True),
    }[pooling]
    ours, theirs = (F.normalize(of(x.last_hidden_state), dim=-1) for x in (got, taught))
    return F.mse_loss(ours, theirs, reduction="sum") / len(ours)


@pytest.mark.parametrize(
    ("layers", "taught_by", "pooling"),
    [(None, [1, 3], None), ([0, 2], [0, 2], "mean"), (None, [1, 3], "cls")],
)
def test_bare_models_compare_layers_and_embeddings(layers, taught_by, pooling, tmp_path):
    config, name = small_config(num_hidden_layers=2), "SqueezeBertModel"
    theirs, student = pair(name, config, tmp_path / "student")
    deeper = {**config, "num_hidden_layers": 4}
    their_teacher, teacher = pair(name, deeper, tmp_path / "teacher", 1)
    weights = {"hidden_weight": HIDDEN, "attention_weight": ATTENTION}
    distiller = Distiller(student, teacher, layers=layers, pooling=pooling, **weights)
    distiller.compile()
    inputs = random_inputs(config, (4, 11))
    tensors = {key: torch.from_numpy(x).long() for key, x in inputs.items()}
    asked = {"output_hidden_states": True, "output_attentions": True}
    with torch.no_grad():
        got, taught = (model(**tensors, **asked) for model in (theirs, their_teacher))
        mask = tensors["attention_mask"]
        want = layers_loss(taught, got, mask, taught_by)
        want = float(want + embedding_loss(taught, got, mask, pooling))
    for training in (True, False):
        outputs = distiller(inputs, training=False)
        loss = distiller.compute_loss(inputs, np.zeros(4), outputs, training=training)
        assert float(ops.convert_to_numpy(loss)) == pytest.approx(want, rel=2e-5)


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_soft_labels_that_are_not_a_distribution(problem, tmp_path):
    config = small_config(num_labels=3, num_hidden_layers=1, problem_type=problem)
    name = "SqueezeBertForSequenceClassification"
    theirs, student = pair(name, config, tmp_path / "student")
    their_teacher, teacher = pair(name, config, tmp_path / "teacher", 1)
    distiller = Distiller(
        student, teacher, temperature=T, soft_weight=1.0, hidden_weight=0, attention_weight=0
    )
    distiller.compile()
    inputs, labels = random_inputs(config, (4, 11)), np.ones((4, 3), "float32")
    tensors = {key: torch.from_numpy(x).long() for key, x in inputs.items()}
    with torch.no_grad():
        got, taught = theirs(**tensors).logits, their_teacher(**tensors).logits
        if problem == "regression":
            want = F.mse_loss(got, taught)
        else:
            want = T**2 * F.binary_cross_entropy_with_logits(got / T, torch.sigmoid(taught / T))
    loss = distiller.compute_loss(inputs, labels, distiller(inputs), training=True)
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(float(want), rel=1e-5)


def test_a_student_follows_its_teacher(tmp_path):
    """And the teacher stays as it is."""
    bare = toy.checkpoint(tmp_path / "bare")
    train, dev = (toy.write(tmp_path, "sst2", 96, seed) for seed in (1, 2))
    fast = {"learning_rate": 1e-2, "batch_size": 16, "max_length": 32, "verbose": 0}
    teacher = finetune(bare, "sst2", train, dev, tmp_path / "teacher", epochs=5, **fast).model
    before = teacher.get_weights()
    other = toy.checkpoint(tmp_path / "other", num_hidden_layers=1)
    soft = {"hidden_weight": 0.0, "attention_weight": 0.0, "soft_weight": 1.0}
    student = finetune(
        other, "sst2", train, dev, tmp_path / "student", teacher=teacher, epochs=5, **soft, **fast
    )
    assert student.metrics["accuracy"] > 0.8
    for got, want in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)
    assert len(student.model.transformer.blocks) == 1
    folder = tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained(
        tmp_path / "student"
    )
    assert folder.config.num_hidden_layers == 1


NAME = "SqueezeBertForSequenceClassification"


def make(name: str = NAME, **config):
    config = small_config(**{"num_hidden_layers": 1, **config})
    return getattr(tf_squeezebert, name)(tf_squeezebert.SqueezeBertConfig(**config))


def test_nothing_is_learnt_from_the_answers_of_a_head_that_was_never_trained(tmp_path):
    folder = toy.checkpoint(tmp_path, "SqueezeBertModel")
    loaded = getattr(tf_squeezebert, NAME).from_pretrained(folder)
    student = make(vocab_size=toy.VOCAB_SIZE)
    with pytest.raises(ValueError, match="was missing in the checkpoint and has not been trained"):
        Distiller(student, loaded)
    assert Distiller(student, loaded, soft_weight=0).hidden_weight == 1  # its body was trained
    loaded.mark_trained()
    assert Distiller(student, loaded)


def test_weights_default_to_what_sizes_allow():
    alike = Distiller(make(), make(num_hidden_layers=2))
    assert (alike.hidden_weight, alike.attention_weight) == (1, 1)
    wider = {"hidden_size": 96, "embedding_size": 96}
    other = Distiller(make(), make(**wider, num_attention_heads=8))
    assert (other.hidden_weight, other.attention_weight) == (0, 0)
    shallower = Distiller(make(num_hidden_layers=2), make())
    assert (shallower.hidden_weight, shallower.attention_weight) == (0, 0)


@pytest.mark.parametrize(
    ("teacher", "options", "message"),
    [
        ({"name": "SqueezeBertForMaskedLM"}, {}, "The teacher is a SqueezeBertForMaskedLM and the"),
        ({"vocab_size": 98}, {}, "teacher's vocab_size is 98, the student's 99"),
        ({"num_labels": 3}, {}, "teacher's id2label is .*LABEL_2"),
        ({"problem_type": "multi_label_classification"}, {}, "problem_type is multi_label"),
        (
            {"hidden_size": 96, "embedding_size": 96},
            {"hidden_weight": 1.0},
            "equal hidden_size, but the student has 48 in 1 layers, the teacher 96 in 1: pass",
        ),
        ({"num_attention_heads": 12}, {"attention_weight": 1.0}, "equal num_attention_heads"),
        ({}, {"temperature": 0}, "temperature must be above 0, not 0"),
        ({}, {"soft_weight": 1.5}, "soft_weight must lie in 0 to 1"),
        ({}, {"hidden_weight": -1.0}, "hidden_weight must be 0 or more"),
    ],
)
def test_pairs_that_can_not_be_compared(teacher, options, message):
    with pytest.raises(ValueError, match=message):
        Distiller(make(), make(**teacher), **options)
