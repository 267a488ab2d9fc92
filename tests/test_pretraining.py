"""Pretraining: phases, sentence order, and going on."""

from __future__ import annotations

import json
import random

import keras
import numpy as np
import pytest
import torch
import transformers
from keras import ops

import tf_squeezebert
from tf_squeezebert import data
from tf_squeezebert.pretraining import SqueezeBertForPreTraining, pretrain

from . import toy
from .configs import small_config

pytestmark = pytest.mark.slow

SMALL = {"num_hidden_layers": 1, "vocab_size": toy.VOCAB_SIZE}
FAST = {"batch_size": 8, "learning_rate": 5e-3, "verbose": 0}


def config(**values):
    return tf_squeezebert.SqueezeBertConfig(**small_config(**SMALL, **values))


@pytest.fixture(scope="module")
def tokenizer():
    return tf_squeezebert.SqueezeBertTokenizer(toy.VOCAB, model_max_length=40)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = random.Random(0)
    lines = []
    for _ in range(300):
        lines.append(" then ".join(f"a {rng.choice(toy.GOOD)} film" for _ in range(4)) + " .")
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(lines))
    return path


def test_phases_learn_and_leave_a_masked_lm(text, tokenizer, tmp_path):
    result = pretrain(
        config(),
        [text],
        text,
        tmp_path,
        phases=((16, 60), (32, 20)),
        tokenizer=tokenizer,
        sentence_order=True,
        **{**FAST, "optimizer": "adamw", "learning_rate": 1e-2},
    )
    first, second = (
        json.loads((tmp_path / length / "results.json").read_text()) for length in ("16", "32")
    )
    assert (first["steps"], second["steps"]) == (60, 20)
    assert second["metrics"]["perplexity"] < toy.VOCAB_SIZE / 4
    assert (
        "val_order_logits_order_accuracy"
        in (tmp_path / "32" / "history.csv").read_text().splitlines()[0]
    )
    # transformers has it as a masked LM.
    theirs = transformers.SqueezeBertForMaskedLM.from_pretrained(tmp_path / "32").eval()
    ids = np.array([tokenizer("a [MASK] film")["input_ids"]])
    with torch.no_grad():
        want = theirs(torch.from_numpy(ids)).logits.numpy()
    got = ops.convert_to_numpy(result.model(ids)["logits"])
    np.testing.assert_allclose(got, want, atol=1e-4)
    # And the layer that tells the order comes back.
    again = SqueezeBertForPreTraining.from_pretrained(tmp_path / "32")
    np.testing.assert_array_equal(again.order.kernel, result.model.order.kernel)


@pytest.mark.usefixtures("eager")
def test_a_broken_run_goes_on_in_its_phase(text, tokenizer, tmp_path):
    class Stop(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == 7:
                raise KeyboardInterrupt

    options = {
        "phases": ((16, 5), (32, 4)),
        "tokenizer": tokenizer,
        "sentence_order": True,
        "save_steps": 2,
        **FAST,
    }
    with pytest.raises(KeyboardInterrupt):
        pretrain(config(), [text], None, tmp_path / "a", callbacks=[Stop()], **options)
    # Its first phase is finished, which a second on something else must not follow.
    other = tmp_path / "other.txt"
    other.write_text(text.read_text().replace("film", "play"))
    for change, message in (
        ({"texts": [other]}, "other training examples"),
        ({"dev": text}, "other dev examples"),
        ({"model": config(hidden_dropout_prob=0.5)}, "hidden_dropout_prob 0.1, not 0.5"),
        ({"learning_rate": 1e-3}, "learning_rate 0.005, not 0.001"),
        ({"phases": ((16, 6), (32, 4))}, "max_steps 5, not 6"),
        ({"sentence_order": False}, "sentence_order True, not False"),
    ):
        given = {"model": config(), "texts": [text], "dev": None, "out": tmp_path / "a"}
        with pytest.raises(ValueError, match=f"16' holds a run with {message}: resume it with the"):
            pretrain(**{**given, **options, **change}, resume=True)
    resumed = pretrain(config(), [text], None, tmp_path / "a", resume=True, **options)
    whole = pretrain(config(), [text], None, tmp_path / "b", **options)
    assert resumed.history == whole.history
    results = json.loads((tmp_path / "a" / "32" / "results.json").read_text())
    assert (results["options"]["optimizer"], results["options"]["warmup"]) == ("lamb", 0.28)
    for got, want in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    with pytest.raises(FileNotFoundError, match="holds a finished run, and nothing to resume"):
        pretrain(config(), [text], None, tmp_path / "a", resume=True, **options)


def test_texts_are_swapped_whole(text, tokenizer):
    """Each row is the text in its order, or its two parts in the other."""
    plain, pairs = (
        data.make_dataset(
            data.read_text(text),
            tokenizer,
            "fill-mask",
            max_length=length,
            shuffle=False,
            mlm_probability=0.0,
            **options,
        )
        for length, options in ((31, {}), (32, {"sentence_order": True}))
    )
    stream = [row[1:-1] for inputs, _ in plain for row in _unmasked(inputs)]
    seen = set()
    rows = (
        row
        for inputs, labels in pairs
        for row in zip(
            _unmasked(inputs),
            inputs["token_type_ids"].numpy(),
            labels["order"].numpy(),
            strict=True,
        )
    )
    for want, (ids, types, swapped) in zip(stream, rows, strict=True):
        assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        (sep,) = np.flatnonzero(np.array(ids[:-1]) == tokenizer.sep_token_id)
        assert types[: len(ids)].tolist() == [0] * (sep + 1) + [1] * (len(ids) - sep - 1)
        first, second = ids[1:sep], ids[sep + 1 : -1]
        got = np.array([*second, *first] if swapped else [*first, *second])
        # At least one word a row is masked, or something else.
        assert np.mean(got == want) > 0.7
        seen.add(int(swapped))
    assert seen == {0, 1}


def _unmasked(inputs) -> list[np.ndarray]:
    return [
        ids[: mask.sum()]
        for ids, mask in zip(
            inputs["input_ids"].numpy(), inputs["attention_mask"].numpy(), strict=True
        )
    ]


@pytest.mark.usefixtures("eager")
def test_mistakes(text, tokenizer, tmp_path):
    one = {"phases": ((16, 1),), "tokenizer": tokenizer, **FAST}
    with pytest.raises(ValueError, match="pass a tokenizer"):
        pretrain(config(), [text], None, tmp_path, **FAST)
    with pytest.raises(ValueError, match="Do not pass epochs, max_length: `phases` sets"):
        pretrain(config(), [text], None, tmp_path, tokenizer=tokenizer, epochs=1, max_length=16)
    with pytest.raises(ValueError, match="holds out no texts: pass a file of them as dev"):
        pretrain(config(), [text], None, tmp_path, held_out=0.1, **one)
    with pytest.raises(FileNotFoundError):
        pretrain(config(), [tmp_path / "none"], None, tmp_path, **one)
    empty = tmp_path / "empty.txt"
    empty.touch()
    with pytest.raises(ValueError, match=r"empty\.txt' holds no examples"):
        pretrain(config(), [text, empty], None, tmp_path / "a", **one)
    for phases, message in (
        ([(0, 5)], "A phase's tokens must be 1 or more, not 0"),
        ([(16, 0)], "A phase's batches must be 1 or more, not 0"),
        ([(16, 1), (16, 2)], "Each phase needs a different length"),
        ([(16, 1), (64, 1)], "max_length 64 is more than the model's 40 tokens"),
    ):
        with pytest.raises(ValueError, match=message):
            pretrain(config(), [text], None, tmp_path / "never", **{**one, "phases": phases})
    with pytest.raises(FileNotFoundError, match="never' holds no run to resume"):
        pretrain(config(), [text], None, tmp_path / "never", **one, resume=True)
    assert not (tmp_path / "never").exists()
    later = tmp_path / "later"
    (later / "16").mkdir(parents=True)
    (later / "16" / "results.json").touch()
    with pytest.raises(ValueError, match="16' holds a finished run: choose another folder"):
        pretrain(config(), [text], None, later, **{**one, "phases": ((8, 1), (16, 1))})
    assert [path.name for path in later.iterdir()] == ["16"]
    with pytest.raises(ValueError, match="max_length 128 is more than the model's 40 tokens"):
        pretrain(config(), [text], None, tmp_path / "a", tokenizer=tokenizer, **FAST)


@pytest.mark.thorough
def test_half_precision_scales_the_loss(text, tokenizer, tmp_path):
    """As in fine-tuning: without, small gradients would be 0 in float16."""
    options = {**FAST, "precision": "mixed_float16"}
    result = pretrain(
        config(), [text], None, tmp_path, phases=((16, 2),), tokenizer=tokenizer, **options
    )
    assert result.model.compute_dtype == "float16"
    assert isinstance(result.model.optimizer, keras.optimizers.LossScaleOptimizer)
