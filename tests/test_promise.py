"""`squeeze` to a promise: smaller layers, their errors and costs, the search, and what is kept."""

from __future__ import annotations

import itertools
import json
import shutil

import keras
import numpy as np
import pytest

from tf_squeezebert import predict
from tf_squeezebert.config import GROUPS, LayerSizes, SqueezeBertConfig
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.evaluation import evaluate
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.models import transformer_of
from tf_squeezebert.squeeze import (
    Promise,
    find_regrouping,
    form,
    make_student,
    measuring,
    sensitivity,
    squeeze,
)
from tf_squeezebert.squeeze.calibration import Calibration
from tf_squeezebert.squeeze.costs import Costs, Probe, cortex_a76
from tf_squeezebert.squeeze.fitting import hidden_error
from tf_squeezebert.squeeze.search import Depth, Limits, Search
from tf_squeezebert.squeeze.sensitivity import Cut, cuts_of, divides, sensitivities
from tf_squeezebert.squeeze.student import keep_positions
from tf_squeezebert.tflite import Runtime

from . import toy
from .conftest import run_eagerly
from .measures import keras_outputs
from .test_squeeze import dense_model, sentences

pytestmark = pytest.mark.slow

MINILM = LayerSizes(384, 32, 12, 1536, 1, 1, 1, 1, 1, 1)


# Smaller layers


def model_with_idle_units():
    """A BERT of 4 heads and 96 intermediate channels a layer, 2 and 48 of which do nothing."""
    model = dense_model(num_hidden_layers=2)
    idle = []
    for i, block in enumerate(transformer_of(model).blocks):
        heads, channels = [i, 3], np.random.default_rng(i).permutation(96)[:48]
        after, projection = np.array(block.post_attention.kernel), np.array(block.projection.kernel)
        after.reshape(4, 12, 48)[heads] = 0
        projection[0, channels] = 0
        block.post_attention.kernel.assign(after)
        block.projection.kernel.assign(projection)
        idle.append((set(heads), set(channels.tolist())))
    return model, idle


def test_units_that_contribute_least_come_last():
    model, idle = model_with_idle_units()
    small = {
        i: model.config.layer_sizes(i)._replace(num_attention_heads=2, intermediate_size=48)
        for i in range(2)
    }
    order = find_regrouping(transformer_of(model), Calibration(model, sentences(40)), small)
    for i, (heads, channels) in enumerate(idle):
        assert set(order.heads[i, 2:].tolist()) == heads
        assert set(order.intermediates[i, 48:].tolist()) == channels


@pytest.mark.parametrize("regrouped", [{}, {"q_groups": 1, "intermediate_groups": 1}])
def test_a_model_without_its_idle_units_computes_the_same(regrouped):
    model, _ = model_with_idle_units()
    sizes = [
        model.config.layer_sizes(i)._replace(
            num_attention_heads=2, intermediate_size=48, **regrouped
        )
        for i in range(2)
    ]
    student, kept, _ = make_student(model, sentences(60), sizes=sizes, fitted=False)
    assert kept == [0, 1]
    assert student.config.per_layer_config[1]["num_attention_heads"] == 2
    inputs = model.tokenizer(sentences(5, seed=9), padding=True, return_tensors="np")
    want, got = (keras_outputs(x, inputs)["logits"] for x in (model, student))
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_the_fit_makes_up_for_units_that_are_missing():
    model = dense_model(num_hidden_layers=2)
    texts, errors = sentences(100), {}
    sizes = [
        model.config.layer_sizes(i)._replace(
            num_attention_heads=2, intermediate_size=24, output_groups=2
        )
        for i in range(2)
    ]
    for fitted in (True, False):
        student, _, _ = make_student(model, texts, sizes=sizes, fitted=fitted)
        errors[fitted] = hidden_error(
            transformer_of(student), transformer_of(model), Calibration(model, sentences(50, 5))
        )
    assert errors[True] < 0.8 * errors[False]


def test_a_model_of_fewer_positions_computes_the_same(tmp_path):
    model = dense_model()
    shorter = keep_positions(model, 12)
    inputs = model.tokenizer(
        sentences(5), padding=True, truncation=True, max_length=12, return_tensors="np"
    )
    for name, value in keras_outputs(model, inputs).items():
        np.testing.assert_array_equal(keras_outputs(shorter, inputs)[name], value)
    assert shorter.tokenizer.model_max_length == shorter.config.max_position_embeddings == 12
    shorter.save_pretrained(tmp_path)
    assert load_pretrained(tmp_path).tokenizer.model_max_length == 12
    for count, message in ((41, "at most the model's 40"), (1, "must be 2 or more")):
        with pytest.raises(ValueError, match=message):
            keep_positions(model, count)


# What cuts hurt


def test_cuts_leave_sizes_that_groups_divide():
    cuts = cuts_of(MINILM)
    assert {cut.names[0] for cut in cuts} == {
        "num_attention_heads",
        "intermediate_size",
        *GROUPS,
    } - {"k_groups", "v_groups"}
    assert [cut.value for cut in cuts if cut.names == ("num_attention_heads",)] == [
        9,
        6,
        4,
        3,
        2,
        1,
    ]
    assert all(divides(cut.of(MINILM)) for cut in cuts)
    assert Cut(("q_groups", "k_groups", "v_groups"), 4).of(MINILM)[4:7] == (4, 4, 4)


def test_a_cut_of_idle_units_hurts_nothing_and_others_do():
    model, _ = model_with_idle_units()
    calibration, judged = (Calibration(model, sentences(30, seed)) for seed in (0, 5))
    errors = sensitivities(model, calibration, judged)
    of_heads = {cut.value: x for cut, x in errors[0].items() if cut.names[0] == _HEADS}
    assert of_heads[2] < 1e-6 < of_heads[1]
    of_width = {cut.value: x for cut, x in errors[1].items() if cut.names[0] == _WIDTH}
    assert of_width[64] < 1e-6 < of_width[32]
    of_groups = [x for cut, x in errors[1].items() if cut.names == ("output_groups",)]
    assert 1e-6 < of_groups[0] < of_groups[1]


_HEADS, _WIDTH = "num_attention_heads", "intermediate_size"


def test_the_error_of_a_cut_is_that_of_a_model_with_it(monkeypatch):
    """A student whose only cut it is has less, as its other projections are fitted too."""
    model = dense_model(num_hidden_layers=2)
    calibration = Calibration(model, sentences(60))
    cut = Cut(("output_groups",), 2)
    monkeypatch.setattr(sensitivity, "cuts_of", lambda sizes: [cut])
    errors = sensitivities(model, calibration, calibration)
    sizes = [model.config.layer_sizes(0), cut.of(model.config.layer_sizes(1))]
    student, _, _ = make_student(model, sentences(60), sizes=sizes)
    error = hidden_error(transformer_of(student), transformer_of(model), calibration)
    assert 0.5 * errors[1][cut] < error < errors[1][cut]  # the others make up for a part


# What shapes cost


# By benchmarks/arm_instructions.py, of int8 files whose counts the prices were not fitted to: the
# heads, width and groups of layers of 384 channels; whether the head reads the first position only;
# the tokens of a text; and M instructions for it.
COUNTED = [
    ([(12, 1536, 1, 1, 1, 1)] * 6, True, 25, 31.95),
    (
        [(x, y, 1, 1, 1, 1) for x, y in ((4, 384), (4, 256), (4, 128), (1, 128), (12, 1152))],
        True,
        25,
        6.63,
    ),
    ([(6, 512, 2, 1, 4, 4)] * 2 + [(12, 768, 4, 1, 1, 2)], True, 25, 3.307),
    ([(12, 384, 4, 2, 2, 8)] * 3, False, 25, 5.011),
    ([(3, 256, 1, 1, 1, 1), (9, 640, 1, 1, 2, 1)], False, 60, 11.249),
    ([(12, 1536, 8, 1, 8, 8)] * 4, True, 60, 17.862),
]


@pytest.mark.parametrize(("layers", "reads_first", "tokens", "counted"), COUNTED)
def test_costs_are_what_was_counted(layers, reads_first, tokens, counted):
    shapes = {
        i: {
            "num_attention_heads": heads,
            "intermediate_size": width,
            **dict.fromkeys(("q_groups", "k_groups", "v_groups"), attention),
            "post_attention_groups": after,
            "intermediate_groups": intermediate,
            "output_groups": output,
        }
        for i, (heads, width, attention, after, intermediate, output) in enumerate(layers)
    }
    config = SqueezeBertConfig(
        **dict.fromkeys(GROUPS, 1),
        hidden_size=384,
        num_attention_heads=12,
        intermediate_size=1536,
        num_hidden_layers=len(layers),
        per_layer_config=shapes,
    )
    costs = cortex_a76()
    assert costs.error < 0.07
    assert costs.of(config, reads_first, tokens) == pytest.approx(counted, rel=0.04)


def test_a_models_cost_is_the_sum_of_its_parts():
    costs = cortex_a76()
    narrow = MINILM._replace(num_attention_heads=3, intermediate_size=256, output_groups=4)
    config = SqueezeBertConfig(
        **dict.fromkeys(GROUPS, 1),
        hidden_size=384,
        num_attention_heads=12,
        intermediate_size=1536,
        num_hidden_layers=2,
        per_layer_config={
            1: {name: getattr(narrow, name) for name in (_HEADS, _WIDTH, "output_groups")}
        },
    )
    parts = [costs.rest(384, True, 30)]
    for sizes, queries in ((MINILM, 30), (narrow, 1)):
        parts += [costs.attention(sizes, 30, queries), costs.feed_forward(sizes, queries)]
    assert costs.of(config, True, 30) == pytest.approx(sum(parts))
    assert costs.of(config, False, 30) > costs.of(config, True, 30)


def test_prices_are_found_from_costs():
    """Costs made of known prices are foreseen for other shapes."""
    known = cortex_a76()
    rng, probes = np.random.default_rng(0), []
    for _ in range(60):
        sizes = MINILM._replace(
            num_attention_heads=int(rng.integers(1, 13)),
            intermediate_size=int(64 * rng.integers(1, 24)),
            q_groups=1,
            output_groups=int(rng.choice([1, 2, 4])),
            intermediate_groups=int(rng.choice([1, 2, 4])),
        )
        layers, tokens = (sizes,) * int(rng.integers(1, 4)), int(rng.integers(8, 64))
        first = bool(rng.integers(2))
        cost = known.rest(384, first, tokens)
        for i in range(len(layers)):
            queries = 1 if first and i == len(layers) - 1 else tokens
            cost += known.attention(sizes, tokens, queries) + known.feed_forward(sizes, queries)
        probes.append(Probe(layers, first, tokens, cost))
    found = Costs("M", probes)
    assert found.error < 1e-3
    assert found.attention(MINILM, 20, 20) == pytest.approx(
        known.attention(MINILM, 20, 20), rel=0.01
    )


# The search


class Sums:
    """Costs that are easy to see through: heads, and a hundredth of the width; less of both if a
    single position asks. Groups of the attention make a file smaller, and not faster."""

    def attention(self, sizes, tokens, queries):
        return sizes.num_attention_heads * (0.75 if queries == 1 else 1)

    def feed_forward(self, sizes, queries):
        width = sizes.intermediate_size / 100 / sizes.output_groups
        return width * (0.5 if queries == 1 else 1)

    def rest(self, hidden, reads_first, tokens):
        return 1.0


def small_search(seed: int, *, reads_first: bool):
    rng = np.random.default_rng(seed)
    ladders = {
        ("num_attention_heads",): (6, 3),
        ("q_groups", "k_groups", "v_groups"): (2,),
        ("intermediate_size",): (768, 384),
        ("output_groups",): (4,),
    }
    cuts = {
        i: {
            Cut(names, value): error
            for names, values in ladders.items()
            for value, error in zip(values, np.cumsum(rng.random(len(values))), strict=True)
        }
        for i in range(2)
    }
    depths = [Depth((0, 1), 0.0), Depth((1,), float(rng.random()))]
    given = {"reads_first": reads_first, "tokens": 25}
    return cuts, depths, Search([MINILM] * 2, cuts, depths, Sums(), **given)


@pytest.mark.parametrize("seed", range(8))
def test_the_search_finds_what_trying_everything_finds(seed):
    reads_first = seed % 2 == 0
    cuts, depths, search = small_search(seed, reads_first=reads_first)
    every = []  # error, cost and megabytes of all 2 x (3 x 2 x 3 x 2) choices
    for depth in depths:
        of_layers = []
        for i in depth.layers:
            by_names = {}
            for cut, error in cuts[i].items():
                by_names.setdefault(cut.names, [(None, 0.0)]).append((cut, error))
            of_layers.append(list(itertools.product(*by_names.values())))
        for chosen in itertools.product(*of_layers):
            error, cost, size = depth.error, 1.0, 0
            for i, combination in enumerate(chosen, 1):
                sizes, queries = MINILM, 1 if reads_first and i == len(chosen) else 25
                for cut, more in combination:
                    sizes, error = cut.of(sizes) if cut else sizes, error + more
                cost += Sums().attention(sizes, 25, queries) + Sums().feed_forward(sizes, queries)
                for inputs, outputs, groups in sizes.projections():
                    size += inputs * outputs // groups + 8 * outputs
                size += 16 * 384 + 30_000
            every.append((error, cost, size / 1e6))
    of_size = (Limits(1.0, None), Limits(0.8, 1e3))
    for limits in (Limits(None, 20.0), Limits(None, 9.0), Limits(1.5, 14.0), *of_size):
        best = min(
            (
                error
                for error, cost, size in every
                if cost <= (limits.cost or 1e9) and size <= (limits.megabytes or 1e9)
            ),
            default=None,
        )
        found = search.best(limits)
        if best is None:
            assert not found
            continue
        assert all(limits.allow(point) for point in found)
        assert found[0].error <= best + 0.15  # between the rates, a little may be lost
        assert found[0].error >= best - 1e-9


def test_the_nearest_is_named_if_nothing_is_small_enough():
    *_, search = small_search(0, reads_first=True)
    assert not search.best(Limits(None, 0.5))
    nearest = search.least(Limits(None, 0.5))
    assert nearest.layers == (1,)
    assert nearest.cost == pytest.approx(1 + 3 * 0.75 + 3.84 / 4 * 0.5)
    assert [x.cost for x in search.best(Limits(None, nearest.cost))] == [nearest.cost]
    smallest = search.least(Limits(1e-3, None))
    assert search.best(Limits(smallest.megabytes, None))[0].megabytes == smallest.megabytes


# Promises


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "needs max_mb, max_ms or max_minstr"),
        ({"min_metric": 0.9}, "needs max_mb, max_ms or max_minstr"),
        ({"max_mb": 0}, "max_mb must be 1e-06 or more"),
        ({"max_mb": float("nan")}, "max_mb must"),
        ({"max_mb": "6"}, "max_mb must be a number"),
        ({"max_ms": 1, "max_minstr": 2}, "pass one of them"),
        ({"max_mb": 1, "device": "pixel"}, "device must be one of cortex-a76, this"),
        ({"max_ms": 1, "device": "cortex-a76"}, "max_ms is not of the device cortex-a76"),
        ({"max_minstr": 1, "device": "this"}, "max_minstr is not of the device this"),
        ({"max_mb": 1, "tokens": 1}, "tokens must be 2 or more"),
        ({"max_mb": 1, "min_metric": "much"}, "min_metric must be a fraction .* not 'much'"),
        ({"max_mb": 1, "min_metric": "98x"}, "min_metric must be a fraction"),
        ({"max_mb": 1, "min_metric": float("nan")}, "min_metric must be a fraction"),
    ],
)
def test_promises_that_mean_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        Promise(**options)


def test_a_least_metric_is_a_fraction_or_a_share():
    assert Promise(max_mb=1, min_metric=0.88).least_metric(0.5) == 0.88
    assert Promise(max_mb=1, min_metric="0.88").least_metric(0.5) == 0.88
    assert Promise(max_mb=1, min_metric="0.98x").least_metric(0.5) == 0.49
    assert Promise(max_mb=1).least_metric(0.5) is None


# A promise from beginning to end


# Two steps an epoch, and texts of two batches: each more takes a second or two of every promise.
FAST = {"learning_rate": 3e-3, "batch_size": 32, "epochs": 2, "verbose": 0}
NAMES = {0: "negative", 1: "positive"}


@pytest.fixture(scope="module")
def eager():
    """As the fixture of all tests, for this module's fixtures too."""
    with run_eagerly():
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return {
        name: toy.write(folder, "sst2", rows, seed)
        for name, rows, seed in (("train", 66, 1), ("dev", 24, 2))
    }


@pytest.fixture(scope="module")
def teacher(files, eager, tmp_path_factory):
    """The folder of a BERT that has learnt something of the toy reviews."""
    out = tmp_path_factory.mktemp("teacher") / "out"
    model = dense_model(num_hidden_layers=2, id2label=NAMES)
    finetune(model, "sst2", files["train"], files["dev"], out, **FAST)
    return out


def promised(teacher, files, out, promise, **options):
    options = {**FAST, "task": "sst2", "train": files["train"], "dev": files["dev"], **options}
    return squeeze(teacher, out, promise=promise, **options)


@pytest.fixture(scope="module")
def few_cuts(eager):
    """Fewer cuts: all of them take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sensitivity, "_SHARES", (0.5, 0.25))
        patch.setattr(sensitivity, "_NUMBERS_OF_GROUPS", (2,))
        yield


@pytest.fixture(scope="module")
def kept(teacher, files, few_cuts, tmp_path_factory):
    out = tmp_path_factory.mktemp("kept") / "out"
    promise = Promise(max_mb=0.12, max_minstr=0.35, min_metric="0.5x", tokens=12)
    return out, promise, promised(teacher, files, out, promise)


def test_a_file_keeps_its_promise(kept, teacher, files):
    out, promise, result = kept
    path = out / "model.tflite"
    assert path.stat().st_size <= 120_000
    config = result.model.config
    assert cortex_a76().of(config, True, promise.tokens) * (1 + cortex_a76().error) <= 0.35
    metric, teachers = (
        evaluate(x, files["dev"], "sst2").metrics["accuracy"]
        for x in (Runtime(path), load_pretrained(teacher))
    )
    assert metric >= 0.5 * teachers
    frontier = json.loads((out / "frontier.json").read_text("utf-8"))
    assert frontier["reached"]["metric"] == pytest.approx(metric)
    assert frontier["reached"]["teacher_metric"] == pytest.approx(teachers)
    assert frontier["reached"]["megabytes"] == path.stat().st_size / 1e6
    chosen = [x for x in frontier["shapes"] if x["chosen"]]
    assert len(chosen) == 1
    assert chosen[0]["layers"] == config.num_hidden_layers
    assert len(frontier["shapes"]) >= 2
    errors = [x["error"] for x in frontier["shapes"] if not x["chosen"]]
    assert errors == sorted(errors, reverse=True)
    assert (out / "frontier.png").read_bytes().startswith(b"\x89PNG")


def test_a_promised_model_can_be_loaded_and_exported_again(kept, tmp_path):
    out, _, result = kept
    model = load_pretrained(out)
    assert model.config == result.model.config
    text = sentences(1)[0]
    assert predict(model, text)["label"] == predict(Runtime(out / "model.tflite"), text)["label"]


@pytest.fixture
def no_search(monkeypatch):
    monkeypatch.delattr(form, "choose_shape")


@pytest.mark.usefixtures("no_search")
def test_a_run_with_a_promise_is_resumed_with_its_shape(kept, teacher, files, tmp_path):
    """Killed in training, it goes on with the shape of its plan, to the same weights."""
    whole, promise, result = kept

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    same = {"shape_of": whole}  # what the search would find
    with pytest.raises(KeyboardInterrupt):
        promised(teacher, files, tmp_path, promise, callbacks=[Stop()], **same)
    other = Promise(max_mb=0.13, max_minstr=0.35, tokens=12)
    with pytest.raises(ValueError, match="promise"):
        promised(teacher, files, tmp_path, other, resume=True, **same)
    again = promised(teacher, files, tmp_path, promise, resume=True, **same)
    for got, want in zip(again.model.get_weights(), result.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.thorough
@pytest.mark.usefixtures("no_search")
def test_the_shape_of_another_run_is_taken(kept, teacher, files, tmp_path):
    """With another seed, and other texts before the task, for one epoch instead of two."""
    whole, promise, result = kept
    texts = {"texts": sentences(40), "text_epochs": 1}
    other = promised(teacher, files, tmp_path, promise, shape_of=whole, seed=5, **texts)
    assert other.model.config == result.model.config
    assert json.loads((tmp_path / "texts" / "results.json").read_text("utf-8"))["steps"] == 2
    theirs, ours = (
        json.loads((folder / "frontier.json").read_text("utf-8")) for folder in (whole, tmp_path)
    )
    assert ours["shapes"] == theirs["shapes"]
    assert ours["reached"] != theirs["reached"]
    assert (tmp_path / "model.tflite").stat().st_size <= 120_000


def test_folders_without_a_shape_for_the_bert(kept, teacher, files, tmp_path):
    whole, promise, _ = kept
    for folder in (teacher, tmp_path / "none"):
        with pytest.raises(ValueError, match=r"has no squeeze\.json with a shape"):
            promised(teacher, files, tmp_path / "out", promise, shape_of=folder)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    shutil.copy(whole / "squeeze.json", damaged)
    (damaged / "frontier.json").write_text("[]")
    with pytest.raises(ValueError, match=r"frontier\.json' is missing or damaged"):
        promised(teacher, files, tmp_path / "other", promise, shape_of=damaged)
    small = dense_model(num_hidden_layers=1, hidden_size=24, embedding_size=24, id2label=NAMES)
    with pytest.raises(ValueError, match="chosen for another BERT"):
        promised(small, files, tmp_path / "out", promise, shape_of=whole)
    with pytest.raises(ValueError, match="shape_of needs the promise"):
        promised(teacher, files, tmp_path / "out", None, shape_of=whole)
    with pytest.raises(ValueError, match="passes over texts: pass these too"):
        promised(teacher, files, tmp_path / "out", promise, shape_of=whole, text_epochs=1)


@pytest.mark.usefixtures("few_cuts")
def test_a_promise_that_nothing_keeps_names_the_nearest(files, tmp_path):
    bert = dense_model(num_hidden_layers=1, id2label=NAMES)
    with pytest.raises(ValueError, match=r"No shape keeps 0\.01 MB.*The nearest, 1 layer"):
        promised(bert, files, tmp_path / "out", Promise(max_mb=0.01))


@pytest.mark.usefixtures("few_cuts")
def test_a_metric_that_is_not_reached_says_what_it_would_need(files, tmp_path):
    header, *rows = files["dev"].read_text("utf-8").splitlines()
    dev = tmp_path / "dev.tsv"  # half of whose labels are wrong, of each class
    rows = [row[:-1] + str((int(row[-1]) + (i % 4 < 2)) % 2) for i, row in enumerate(rows)]
    dev.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    bert = dense_model(num_hidden_layers=1, id2label=NAMES)
    promise = Promise(max_mb=0.1, min_metric=0.9)
    with pytest.raises(ValueError, match=r"less than 90\.00 .* Train for more epochs"):
        promised(bert, files, tmp_path / "out", promise, dev=dev, epochs=1)
    assert (tmp_path / "out" / "model.tflite").is_file()


@pytest.mark.usefixtures("few_cuts")
def test_texts_alone_make_a_model_of_a_size(tmp_path):
    model = dense_model("SqueezeBertModel", num_hidden_layers=1)
    promise, texts = Promise(max_mb=0.1), sentences(64)
    squeeze(model, tmp_path / "out", promise=promise, texts=texts, **{**FAST, "epochs": 1})
    assert (tmp_path / "out" / "model.tflite").stat().st_size <= 100_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": 4}, "A promise chooses groups and layers"),
        ({"layers": 2}, "A promise chooses groups and layers"),
        ({"dev": None, "promise": Promise(max_mb=1, min_metric=0.9)}, "min_metric needs a task"),
        ({"task": "mlm", "promise": Promise(max_mb=1, min_metric=0.9)}, "metrics that rise"),
    ],
)
def test_arguments_that_contradict_a_promise(options, message, teacher, files, tmp_path):
    options = {"promise": Promise(max_mb=1), **options}
    with pytest.raises(ValueError, match=message):
        promised(teacher, files, tmp_path / "out", options.pop("promise"), **options)


def test_too_few_texts(teacher, files, tmp_path):
    rows = files["train"].read_text("utf-8").splitlines()
    few = tmp_path / "few.tsv"
    few.write_text("\n".join(rows[:5]) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="tokens, and to fit weights of 48 channels"):
        promised(teacher, files, tmp_path / "out", Promise(max_mb=1), train=few, held_out=0.0)


def test_one_class(teacher, files, tmp_path):
    rows = [x for x in files["train"].read_text("utf-8").splitlines() if not x.endswith("1")]
    one = tmp_path / "one.tsv"
    one.write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="label"):
        promised(teacher, files, tmp_path / "out", Promise(max_mb=1), train=one)
    assert not (tmp_path / "out" / "frontier.json").exists()


# Costs of this machine


def test_times_are_measured_once(monkeypatch, tmp_path):
    """In a cache folder: by their number, since times are not the same twice."""
    times = []

    def timed(path, tokens):
        times.append(path.stat().st_size)
        return times[-1] / 1e5  # larger files take longer

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(measuring, "time_file", timed)
    monkeypatch.setattr(measuring, "_PROBES", 2)
    config = dense_model(num_hidden_layers=1).config
    costs = measuring.measured_costs(config, True, 12)
    assert len(times) == 2
    assert costs.unit == "ms"
    again = measuring.measured_costs(config, True, 12)
    assert len(times) == 2
    assert again.of(config, True, 12) == costs.of(config, True, 12) > 0
    monkeypatch.delattr(measuring, "time_file")
    with pytest.raises(NameError, match="time_file"):  # texts of other lengths are timed again
        measuring.measured_costs(config, True, 20)


def test_a_file_is_timed(kept):
    out, *_ = kept
    assert 0 < measuring.time_file(out / "model.tflite", 12) < 1000
