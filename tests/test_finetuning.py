"""`finetune`: every task learns; runs are reproducible, and go on after being killed."""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import transformers

import tf_squeezebert
from tf_squeezebert import evaluation, finetuning
from tf_squeezebert.data import read_glue
from tf_squeezebert.finetuning import finetune
from tf_squeezebert.json_files import parse_json
from tf_squeezebert.tasks import TASKS, is_better
from tf_squeezebert.training import on_task
from tf_squeezebert.training import run as training_run
from tf_squeezebert.training.folder import STATE_FILE
from tf_squeezebert.training.held_out import hold_out
from tf_squeezebert.training.state import read_progress

from . import toy
from .tiers import some

# Learns the toy files in seconds.
FAST = {"learning_rate": 1e-2, "batch_size": 16, "max_length": 32, "verbose": 0}
# One step an epoch, and no more than that where a run's end is all that matters.
ONE_STEP = {**FAST, "batch_size": 96}


def few_steps(test):
    """Marks a test of runs that are over before tracing them would pay."""
    return pytest.mark.slow(pytest.mark.usefixtures("eager")(test))


# What a model that has learnt nothing reaches at most, by the task's first metric.
CHANCE = {
    "sst2": 0.6,
    "mrpc": 0.7,
    "stsb": 0.3,
    "classification": 0.6,
    "regression": 0.5,
    "multilabel": 0.6,
    "ner": 0.5,
    "qa": 0.5,
    "choice": 0.5,
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return toy.checkpoint(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """By task its files to train and to measure on."""
    folder = tmp_path_factory.mktemp("files")
    return {
        task: (toy.write(folder, task, 96, seed=1), toy.write(folder, task, 30, seed=2))
        for task in toy.FILES
    }


@pytest.mark.slow
@pytest.mark.parametrize("task", some(toy.FILES, 5))
def test_every_task_is_learnt_and_comes_back_from_its_folder(task, bare, files, drawn, tmp_path):
    train, dev = files[task]
    out = tmp_path / "out"
    options = {"data_options": {"pack": False}} if task == "mlm" else {}
    result = finetune(bare, task, train, dev, out, epochs=6, **options, **FAST)
    metric = TASKS[task].metrics[0]
    assert next(iter(result.metrics)) == metric
    if task == "mlm":
        points = [point["val_perplexity"] for point in result.history if "val_loss" in point]
        assert min(points) == result.metrics["perplexity"] < toy.VOCAB_SIZE / 5
    else:
        assert result.metrics[metric] > CHANCE[task]
    # The folder's model is the one returned, and measures the same.
    again = type(result.model).from_pretrained(out)
    measured = evaluation.evaluate(again, dev, task, max_length=FAST["max_length"]).metrics
    assert measured == pytest.approx(result.metrics, abs=1e-6, rel=1e-4)
    theirs = TASKS[task].architecture
    assert type(getattr(transformers, theirs).from_pretrained(out)).__name__ == theirs
    saved = json.loads((out / "results.json").read_text())
    assert saved["metrics"] == result.metrics
    assert saved["options"]["learning_rate"] == FAST["learning_rate"]
    with open(out / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["epoch"]) == result.history[-1]["epoch"] == 6
    assert f"val_{metric}" in rows[0]
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert not (out / STATE_FILE).exists()


@few_steps
def test_labels_come_from_the_file_the_list_or_the_model(bare, files, tmp_path):
    train, dev = files["classification"]
    quick = {**ONE_STEP, "max_steps": 1}
    by_file = finetune(bare, "classification", train, dev, tmp_path / "a", **quick)
    assert by_file.model.config.id2label == {0: "bad", 1: "good"}
    named = finetune(
        bare, "classification", train, dev, tmp_path / "b", labels=["good", "bad"], **quick
    )
    assert named.model.config.id2label == {0: "good", 1: "bad"}
    model = named.model
    again = finetune(model, "classification", train, dev, tmp_path / "c", **quick)
    assert again.model is model, "trained in place"
    assert model.config.id2label == {0: "good", 1: "bad"}
    sst2 = finetune(bare, "sst2", *files["sst2"], tmp_path / "d", labels=["no", "yes"], **quick)
    assert sst2.model.config.id2label == {0: "no", 1: "yes"}
    assert sst2.model.config.problem_type == "single_label_classification"


@few_steps
def test_examples_may_be_a_list_and_dev_may_be_missing(bare, tmp_path):
    examples = [{"text": f"number {i}", "label": i % 3} for i in range(20)]
    labels = ["a", "b", "c"]
    result = finetune(
        bare, "classification", examples, None, tmp_path, labels=labels, epochs=1, **FAST
    )
    assert result.metrics == {}
    assert result.model.config.num_labels == 3
    assert (tmp_path / "model.safetensors").is_file()


@few_steps
def test_the_best_epoch_is_kept_and_patience_ends_the_run(bare, files, tmp_path, monkeypatch):
    """With scores made up: the second epoch is the best of those seen."""
    scores, weights = iter([0.5, 0.7, 0.6, 0.65, 0.9]), []

    def measured(model, dev, task, **options):
        weights.append(model.get_weights())
        return evaluation.Evaluation({"accuracy": next(scores)}, [], [], [])

    drawn, draw = [], training_run.draw_curves
    monkeypatch.setattr(
        training_run, "draw_curves", lambda *given: drawn.append(len(given[1])) or draw(*given)
    )
    monkeypatch.setattr(training_run, "_SECONDS_A_DRAWING", 1e6)
    monkeypatch.setattr(on_task, "evaluate", measured)
    result = finetune(bare, "sst2", *files["sst2"], tmp_path, epochs=5, patience=2, **ONE_STEP)
    assert drawn == [len(result.history)], "at the end alone, where the epochs are short"
    assert result.metrics == {"accuracy": 0.7}
    assert len(weights) == 4, "it stopped"
    for got, want in zip(result.model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(got, want)
    assert json.loads((tmp_path / "results.json").read_text())["best_epoch"] == 2


@few_steps
def test_a_metric_that_is_nan_is_null_in_the_results(bare, files, tmp_path, monkeypatch):
    def measured(model, dev, task, **options):
        return evaluation.Evaluation({"spearman": float("nan"), "pearson": 0.5}, [], [], [])

    monkeypatch.setattr(on_task, "evaluate", measured)
    finetune(bare, "stsb", *files["stsb"], tmp_path, epochs=1, **ONE_STEP)
    metrics = parse_json((tmp_path / "results.json").read_bytes())["metrics"]
    assert metrics == {"spearman": None, "pearson": 0.5}


class Machine(keras.callbacks.Callback):
    """A clock that only the steps of a run and its evaluations move.

    Attributes:
        now: the time.
        seconds: the seconds that each step takes.
        evaluations: the number of evaluations, each of three seconds.
        stop: the step after which the run is interrupted.
        rates: the learning rates after each step.
    """

    def __init__(self, monkeypatch):
        super().__init__()
        self.now, self.seconds, self.stop, self.rates = 1000.0, itertools.repeat(2.0), 0, []
        self.evaluations = 0
        evaluate = on_task.evaluate

        def measured(*given, **options):
            self.now += 3
            self.evaluations += 1
            return evaluate(*given, **options)

        monkeypatch.setattr(on_task, "evaluate", measured)
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def on_train_batch_begin(self, batch, logs=None):
        self.now += next(self.seconds)

    def on_train_batch_end(self, batch, logs=None):
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        self.rates.append(float(optimizer.learning_rate))
        if len(self.rates) == self.stop:
            raise KeyboardInterrupt


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


MINUTE = {**FAST, "epochs": 1_000_000, "minutes": 1.0}


def assert_took_a_minute(machine, folder) -> None:
    results = json.loads((folder / "results.json").read_text())
    assert 53 < results["seconds"] <= 60, "another step and its evaluation would not fit"
    assert results["steps"] == len(machine.rates)
    rates = machine.rates[np.argmax(machine.rates) :]
    assert max(rates) > 0.7 * FAST["learning_rate"]
    assert all(np.diff(rates) <= 0)
    assert rates[-1] == 0


@few_steps
@pytest.mark.parametrize(
    ("later", "precision"), some([(6.0, "float32"), (1.0, "float32"), (2.0, "mixed_float16")], 1)
)
def test_minutes_end_the_run_and_the_learning_rate(
    later, precision, bare, files, tmp_path, machine
):
    """Of a machine that becomes slower or faster, and evaluates in three seconds."""
    machine.seconds = itertools.chain([5.0], [2.0] * 8, itertools.repeat(later))
    options = {**MINUTE, "precision": precision, "callbacks": [machine]}
    result = finetune(bare, "sst2", *files["sst2"], tmp_path, **options)
    assert_took_a_minute(machine, tmp_path)
    assert machine.evaluations == 1 + np.ceil(len(machine.rates) / 6)
    rates = [point["learning_rate"] for point in result.history]
    assert rates == [machine.rates[int(point["step"]) - 1] for point in result.history]


@few_steps
def test_minutes_leave_room_for_dev_and_the_held_out_examples(bare, files, tmp_path, machine):
    options = {**MINUTE, "held_out": 0.1, "callbacks": [machine]}
    finetune(bare, "sst2", *files["sst2"], tmp_path, **options)
    assert_took_a_minute(machine, tmp_path)
    assert machine.evaluations == 2 + np.ceil(len(machine.rates) / 6) + 1


@few_steps
def test_minutes_are_those_of_all_parts_of_a_resumed_run(bare, files, tmp_path, machine):
    machine.stop = 9
    options = {**MINUTE, "save_steps": 1, "callbacks": [machine]}
    with pytest.raises(KeyboardInterrupt):
        finetune(bare, "sst2", *files["sst2"], tmp_path, **options)
    saved = read_progress(tmp_path / STATE_FILE)
    machine.stop, machine.now = 0, 5.0  # the clock of another machine
    del machine.rates[6 * saved["epoch"] + saved["step"] :]
    finetune(bare, "sst2", *files["sst2"], tmp_path, resume=True, **options)
    assert_took_a_minute(machine, tmp_path)


@few_steps
def test_one_step_is_trained_however_short_the_time_is(bare, files, tmp_path, machine):
    options = {**MINUTE, "minutes": 0.01, "callbacks": [machine]}
    result = finetune(bare, "sst2", *files["sst2"], tmp_path, **options)
    assert result.history[-1]["step"] == 1
    assert result.metrics


@few_steps
@pytest.mark.parametrize("usual", some([0.1, 0.0], 1))
def test_dropout_is_another_while_training_only(usual, bare, files, tmp_path):
    """Without any, other seeds of the masks make the same step."""
    models = []
    rates = dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob"), usual)
    for rate in (0.0, 0.0, 0.3):
        model = tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained(
            bare, id2label=dict(enumerate(TASKS["sst2"].labels)), **rates
        )
        model.set_weights(
            [np.full_like(w, 0.01 * (i % 5)) for i, w in enumerate(model.get_weights())]
        )
        for i, layer in enumerate(model._flatten_layers()):
            if isinstance(layer, keras.layers.Dropout):
                layer.seed_generator.state.assign([len(models), i])
        options = {**FAST, "dropout": rate, "max_steps": 2}
        finetune(model, "sst2", files["sst2"][0], None, tmp_path / str(len(models)), **options)
        assert {x.rate for x in model._flatten_layers() if hasattr(x, "rate")} == {usual}
        models.append(model.get_weights())
    alike = [all(np.array_equal(*pair) for pair in zip(models[0], m, strict=True)) for m in models]
    assert alike == [True, True, False]


@few_steps
def test_a_metric_that_is_nan_is_worse_than_any(bare, files, tmp_path, monkeypatch):
    scores = iter([float("nan"), 0.1, float("nan")])

    def measured(model, dev, task, **options):
        return evaluation.Evaluation({"spearman": next(scores)}, [], [], [])

    monkeypatch.setattr(on_task, "evaluate", measured)
    result = finetune(bare, "stsb", *files["stsb"], tmp_path, epochs=3, **ONE_STEP)
    assert result.metrics == {"spearman": 0.1}
    assert is_better("spearman", float("nan"), None), "the first is kept, whatever it is"
    assert is_better("perplexity", 2.0, 3.0)
    assert not is_better("f1", 2.0, 3.0)


@few_steps
def test_evaluations_within_an_epoch(bare, files, tmp_path, monkeypatch):
    scores, weights = iter([0.5, 0.9, 0.6]), []

    def measured(model, dev, task, **options):
        weights.append(model.get_weights())
        return evaluation.Evaluation({"accuracy": next(scores)}, [], [], [])

    monkeypatch.setattr(on_task, "evaluate", measured)
    result = finetune(bare, "sst2", *files["sst2"], tmp_path, epochs=1, eval_steps=2, **FAST)
    assert [point["step"] for point in result.history if "val_accuracy" in point] == [2, 4, 6]
    for got, want in zip(result.model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(got, want)
    assert json.loads((tmp_path / "results.json").read_text())["best_epoch"] == 4 / 6


@few_steps
def test_the_loss_in_the_history_is_that_of_the_batches(bare, files, tmp_path):
    losses = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            losses.append(logs["loss"])  # the epoch's mean so far

    options = {**FAST, "batch_size": 48, "epochs": 2, "callbacks": [Spy()]}
    result = finetune(bare, "sst2", files["sst2"][0], None, tmp_path, **options)
    assert [point["step"] for point in result.history] == [2, 4]
    assert [point["loss"] for point in result.history] == pytest.approx([losses[1], losses[3]])


# Examples that are held out


def test_examples_are_held_out_by_the_seed(files, tmp_path):
    reader = read_glue(files["sst2"][0], "sst2")
    whole = list(reader)
    parts = hold_out(reader, 0.25, seed=3)
    train, held = map(list, parts)
    assert (len(train), len(held)) == (72, 24)
    assert list(map(list, parts)) == [train, held], "the file is read again"
    assert sorted(map(str, train + held)) == sorted(map(str, whole))
    assert held != list(hold_out(reader, 0.25, seed=4)[1])
    listed = [{"text": str(i)} for i in range(96)]
    train, held = (list(part) for part in hold_out(listed, 0.25, seed=3))
    assert sorted(train + held, key=listed.index) == listed
    assert held == [x for x in listed if x in held], "in their order"
    assert {int(x["text"]) % 2 for x in held} == {0, 1}


@pytest.mark.parametrize(
    ("share", "count", "message"),
    [
        (0.1, 4, "held_out 0.1 of 4 examples leaves none to evaluate on: pass another share"),
        (0.9, 4, "held_out 0.9 of 4 examples leaves none to train on: pass another share"),
        (0.5, 1, "leaves none to"),
        (0.5, 0, "leaves none to"),
    ],
)
def test_both_parts_have_examples(share, count, message):
    with pytest.raises(ValueError, match=message):
        hold_out([{"text": "a"}] * count, share, seed=0)
    with pytest.raises(ValueError, match="can be read only once: pass a list or a reader"):
        hold_out(iter([{"text": "a"}] * 4), 0.5, seed=0)


@few_steps
@pytest.mark.parametrize("has_dev", [True, False])
def test_the_best_epoch_is_chosen_on_the_held_out_examples(
    has_dev, bare, files, tmp_path, monkeypatch
):
    """With scores made up: the second epoch is the best, and `dev` is used at the end alone."""
    scores, seen, weights = iter([0.5, 0.7, 0.6, 0.4]), [], []

    def measured(model, examples, task, **options):
        seen.append(list(examples))
        weights.append(model.get_weights())
        return evaluation.Evaluation({"accuracy": next(scores)}, [], [], [])

    monkeypatch.setattr(on_task, "evaluate", measured)
    train, dev = files["sst2"]
    options = {**ONE_STEP, "batch_size": 36, "epochs": 3, "held_out": 0.25}
    result = finetune(bare, "sst2", train, dev if has_dev else None, tmp_path, **options)
    held = list(hold_out(read_glue(train, "sst2"), 0.25, seed=0)[1])
    assert seen == [held] * 3 + [list(read_glue(dev, "sst2"))] * has_dev
    assert result.metrics == {"accuracy": 0.4 if has_dev else 0.7}
    points = [x for x in result.history if "val_accuracy" in x]
    assert [point["val_accuracy"] for point in points] == [0.5, 0.7, 0.6]
    assert [point["step"] for point in points] == [2, 4, 6], "72 examples an epoch"
    assert all(np.isfinite(point["val_loss"]) for point in points)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["metrics"] == result.metrics
    assert results["best_epoch"] == 2
    for other in weights[3:]:
        for got, want in zip(other, weights[1], strict=True):
            np.testing.assert_array_equal(got, want)


@few_steps
@pytest.mark.parametrize("task", ["stsb", "multilabel", "ner", "qa", "choice", "mlm"])
def test_examples_of_every_kind_of_task_can_be_held_out(task, bare, files, tmp_path):
    options = {**ONE_STEP, "epochs": 1, "held_out": 0.3}
    result = finetune(bare, task, *files[task], tmp_path, **options)
    dev = evaluation.evaluate(result.model, files[task][1], task, max_length=32).metrics
    assert result.metrics == pytest.approx(dev, rel=1e-4, abs=1e-6, nan_ok=True)
    assert f"val_{TASKS[task].metrics[0]}" in result.history[-1]


@few_steps
def test_held_out_examples_leave_enough_to_learn_from(bare, tmp_path):
    examples = [{"text": "a film", "label": int(i == 0)} for i in range(10)]
    seed = next(i for i in range(99) if examples[0] in hold_out(examples, 0.5, seed=i)[1])
    with pytest.raises(ValueError, match="All examples have the same label, 0"):
        finetune(bare, "sst2", examples, None, tmp_path, held_out=0.5, seed=seed, **FAST)


# Runs that are interrupted

RUN = {**FAST, "learning_rate": 3e-3, "epochs": 3, "save_steps": 2}
# Waits in the middle of the second of three epochs of six steps.
PROGRAM = """
import json, sys, time
import keras
from tf_squeezebert.finetuning import finetune
class Wait(keras.callbacks.Callback):
    left = 11
    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            print("waiting", flush=True)
            time.sleep(600)
model, train, dev, out, options = sys.argv[1:]
finetune(model, "sst2", train, dev, out, callbacks=[Wait()], **json.loads(options))
"""


@pytest.mark.thorough
@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_result_of_an_unbroken_one(bare, files, tmp_path):
    class Count(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1

    whole, broken, count = tmp_path / "whole", tmp_path / "broken", Count()
    inputs = bare, "sst2", *files["sst2"]
    command = [sys.executable, "-c", PROGRAM, bare, *files["sst2"], broken, json.dumps(RUN)]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout.readline() == "waiting\n"
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    progress = read_progress(broken / STATE_FILE)
    assert (progress["epoch"], progress["step"]) == (1, 4)

    finetune(*inputs, whole, **RUN)
    finetune(*inputs, broken, resume=True, callbacks=[count], **RUN)
    assert count.steps == 2 + 6, "it did not begin anew"
    for name in ("model.safetensors", "history.csv", "config.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name
    results = [json.loads((folder / "results.json").read_text()) for folder in (whole, broken)]
    assert results[0]["metrics"] == results[1]["metrics"]
    print(
        f"\nkilled in step 11 of 18, resumed at step 10: {results[1]['metrics']}, equal to the byte"
    )


@few_steps
def test_a_run_broken_at_an_epochs_end_goes_on(bare, files, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    options = {**ONE_STEP, "epochs": 2}
    with pytest.raises(KeyboardInterrupt):
        finetune(bare, "sst2", *files["sst2"], tmp_path / "a", callbacks=[Stop()], **options)
    resumed = finetune(bare, "sst2", *files["sst2"], tmp_path / "a", resume=True, **options)
    whole = finetune(bare, "sst2", *files["sst2"], tmp_path / "b", **options)
    assert resumed.metrics == whole.metrics
    for got, want in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.fixture(scope="module")
def stopped(bare, files, tmp_path_factory):
    """The folder of a run that was interrupted in its fourth step of six."""

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                raise KeyboardInterrupt

    out, options = tmp_path_factory.mktemp("stopped"), {**FAST, "save_steps": 2}
    with pytest.raises(KeyboardInterrupt):
        finetune(bare, "sst2", *files["sst2"], out, callbacks=[Stop()], **options)
    return out


@pytest.fixture
def interrupted(stopped, tmp_path):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 8}, "steps 6, not 12"),
        ({"learning_rate": 1e-3}, "learning_rate 0.01, not 0.001"),
        ({"task": "classification"}, "task sst2, not classification"),
        ({"hidden_size": 96}, "hidden_size 48, not 96"),
        ({"held_out": 0.1}, "held_out 0.0, not 0.1"),
    ],
)
def test_another_run_is_not_resumed(change, message, interrupted, bare, files, tmp_path_factory):
    task = change.pop("task", "sst2")
    if "hidden_size" in change:
        folder = tmp_path_factory.mktemp("other")
        bare = toy.checkpoint(folder, embedding_size=96, **change)
        change = {}
    before = (interrupted / STATE_FILE).read_bytes()
    with pytest.raises(
        ValueError, match=f"holds a run with {message}: resume it with the arguments"
    ):
        finetune(
            bare, task, *files[task], interrupted, resume=True, save_steps=2, **{**FAST, **change}
        )
    assert (interrupted / STATE_FILE).read_bytes() == before


@few_steps
def test_a_folder_with_a_run_is_not_overwritten(interrupted, bare, files, tmp_path_factory):
    with pytest.raises(ValueError, match="holds an unfinished run: resume it, or choose another"):
        finetune(bare, "sst2", *files["sst2"], interrupted, **FAST)
    finetune(bare, "sst2", *files["sst2"], interrupted, resume=True, save_steps=2, **FAST)
    for resume, error in ((False, ValueError), (True, FileNotFoundError)):
        with pytest.raises(error, match="holds a finished run"):
            finetune(bare, "sst2", *files["sst2"], interrupted, resume=resume, **FAST)
    with pytest.raises(FileNotFoundError, match="holds no run to resume"):
        finetune(bare, "sst2", *files["sst2"], tmp_path_factory.mktemp("new"), resume=True, **FAST)


@few_steps
def test_a_run_of_other_data_or_models_is_not_resumed(interrupted, bare, files, tmp_path_factory):
    train, dev = files["sst2"]
    folder = tmp_path_factory.mktemp("others")
    other_text = text(folder, train.read_text().replace("lovely", "bright"), "other.tsv")
    weights, vocabulary, teacher = (folder / name for name in ("weights", "vocabulary", "teacher"))
    model = tf_squeezebert.SqueezeBertModel.from_pretrained(bare)
    model.pooler.bias.assign(np.ones(model.pooler.bias.shape))
    model.save_pretrained(weights)
    shutil.copytree(bare, vocabulary)
    lines = (vocabulary / "vocab.txt").read_text().splitlines()
    lines[-2:] = lines[:-3:-1]
    (vocabulary / "vocab.txt").write_text("\n".join(lines) + "\n")
    (vocabulary / "tokenizer.json").unlink()
    toy.checkpoint(teacher, TASKS["sst2"].architecture, id2label={0: "0", 1: "1"})
    before = (interrupted / STATE_FILE).read_bytes()
    for given, message in (
        ({"train": other_text}, "other training examples"),
        ({"dev": other_text}, "other dev examples"),
        ({"dev": None}, "other dev examples"),
        ({"model": weights}, "another model"),
        ({"model": vocabulary}, "a model with another tokenizer"),
        ({"teacher": teacher}, "another teacher, or none"),
        ({"columns": {"text": "x"}}, "text None, not x"),
    ):
        given = {"model": bare, "train": train, "dev": dev, **given}
        options = {"task": "sst2", "resume": True, "save_steps": 2, **FAST}
        with pytest.raises(
            ValueError, match=f"holds a run with {message}: resume it with the arguments"
        ):
            finetune(out=interrupted, **given, **options)
    assert (interrupted / STATE_FILE).read_bytes() == before
    # The same under other names is the same.
    shutil.copytree(bare, folder / "same")
    same = text(folder, train.read_text(), "same.tsv")
    finetune(folder / "same", "sst2", same, dev, interrupted, resume=True, save_steps=2, **FAST)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"not a state"])
def test_a_damaged_state_is_refused(damage, interrupted, bare, files):
    """More of them: test_training_state.py."""
    (interrupted / STATE_FILE).write_bytes(damage)
    with pytest.raises(ValueError, match="is damaged or holds no training run: delete it to start"):
        finetune(bare, "sst2", *files["sst2"], interrupted, resume=True, save_steps=2, **FAST)


@few_steps
def test_a_metric_that_is_nan_may_be_resumed(bare, files, tmp_path, monkeypatch):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def measured(model, dev, task, **options):
        return evaluation.Evaluation({"accuracy": float("nan")}, [], [], [])

    monkeypatch.setattr(on_task, "evaluate", measured)
    options = {**ONE_STEP, "epochs": 2}
    with pytest.raises(KeyboardInterrupt):
        finetune(bare, "sst2", *files["sst2"], tmp_path, callbacks=[Stop()], **options)
    result = finetune(bare, "sst2", *files["sst2"], tmp_path, resume=True, **options)
    assert np.isnan(result.metrics["accuracy"])
    assert json.loads((tmp_path / "results.json").read_text())["metrics"] == {"accuracy": None}


# What is looked at before anything is loaded


@pytest.fixture
def nothing_loaded(monkeypatch):
    def fail(*arguments):
        raise AssertionError("it went on")

    monkeypatch.setattr(finetuning, "_model", fail)


def test_what_is_read_is_not_written_over(nothing_loaded, bare, files, tmp_path):
    train, dev = files["sst2"]
    (tmp_path / "link").symlink_to(bare)
    before = {path: path.read_bytes() for path in (train, dev, *bare.iterdir())}
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(train, run / "history.csv")
    for model, teacher, examples, out in (
        (bare, None, train, bare),
        (bare, None, train, bare.parent / "x" / ".." / bare.name),
        (bare, None, train, tmp_path / "link"),
        (bare / "model.safetensors", None, train, bare),
        (bare, None, train, bare / "run"),
        ("owner/name", bare, train, bare),
        (bare, None, run / "history.csv", run),
        (bare, None, train, train),
        (bare, None, train, train / "out"),
    ):
        with pytest.raises(ValueError, match="is read, and would be overwritten: choose another"):
            finetune(model, "sst2", examples, dev, out, teacher=teacher, **FAST)
    assert before == {path: path.read_bytes() for path in (train, dev, *bare.iterdir())}


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
def test_a_folder_that_can_not_be_written_is_found_out_first(
    number, nothing_loaded, bare, files, tmp_path, monkeypatch
):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkdtemp", fail)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        finetune(bare, "sst2", *files["sst2"], tmp_path / "new", **FAST)
    assert str(tmp_path / "new") in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_disk_with_too_little_room_is_found_out_before_training(files, tmp_path, monkeypatch):
    bare = toy.checkpoint(tmp_path / "bare", vocab=toy.BERT_VOCAB, vocab_size=toy.BERT_VOCAB_SIZE)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10_000_000))
    with pytest.raises(OSError, match=r"\d+ MB are needed, and 10 MB are free"):
        finetune(bare, "sst2", *files["sst2"], tmp_path / "new", **FAST)
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


@few_steps
def test_two_runs_in_one_folder_exclude_each_other(bare, files, tmp_path):
    caught = []

    class Begin(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            def other():
                with pytest.raises(
                    ValueError, match=r"Another run is going on.*\(process \d+"
                ) as e:
                    finetune(bare, "sst2", *files["sst2"], tmp_path, resume=True, **FAST)
                caught.append(e)

            thread = threading.Thread(target=other)
            thread.start()
            thread.join()

    options = {**ONE_STEP, "max_steps": 1}
    finetune(bare, "sst2", *files["sst2"], tmp_path, callbacks=[Begin()], **options)
    assert caught
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@few_steps
def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_state(bare, files, tmp_path):
    class Break(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 4:
                kernel = self.model.classifier.kernel
                kernel.assign(np.full(kernel.shape, np.nan, "float32"))

    with pytest.raises(
        FloatingPointError,
        match=r"diverged at step 5: the loss is nan.*holds the state as of step 4",
    ):
        finetune(bare, "sst2", *files["sst2"], tmp_path, callbacks=[Break()], save_steps=2, **FAST)
    assert read_progress(tmp_path / STATE_FILE)["step"] == 4


@few_steps
def test_weights_that_are_not_numbers_are_not_saved(bare, files, tmp_path):
    """A gradient may break them in a step whose own loss is fine."""

    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise AssertionError("it went on")

        def on_train_batch_begin(self, batch, logs=None):
            if batch == 4:
                momentum = self.model.optimizer.variables[-1]
                momentum.assign(np.full(momentum.shape, np.inf, "float32"))

    with pytest.raises(FloatingPointError, match=r"is not a finite number any more.* as of step 4"):
        finetune(bare, "sst2", *files["sst2"], tmp_path, callbacks=[Break()], save_steps=1, **FAST)


# Mistakes


def text(folder, content: str, name: str = "file.csv"):
    path = folder / name
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("task", "content", "message"),
    [
        ("sst2", "sentence\tlabel\nA\t1\nB\t1\n", "All examples have the same label, 1, so there"),
        ("regression", "text,label\nA,1\nB,1\n", "All examples have the same label, 1.0"),
        ("ner", "Ann\tO\nruns\tO\n\n", "All examples have the same label, O"),
        ("sst2", "", "has no column label, sentence"),
        ("sst2", "sentence\tlabel\n", "holds no examples"),
        ("classification", "", "has no column label, text"),
        ("classification", "review,label\nA,1\n", "has no column text"),
        ("sst2", "sentence\tlabel\nA\t1\nB\t2\n", "line 3: '2' is not one of 0, 1"),
        ("ner", "", "holds no examples"),
        ("mlm", "\n\n", "holds no examples"),
        ("choice", "", "holds no examples"),
        ("qa", "", "is not in SQuAD's format"),
        (
            "qa",
            toy.json.dumps(
                {"data": [{"paragraphs": [{"context": "A b.", "qas": [
                    {"id": "1", "question": "Why?", "answers": [], "is_impossible": True}
                ]}]}]}
            ),
            "None of the questions has an answer",
        ),
    ],
)  # fmt: skip
def test_files_from_which_nothing_can_be_learnt(task, content, message, bare, tmp_path):
    path = text(tmp_path, content, "file.jsonl" if task == "choice" else "file.csv")
    with pytest.raises(ValueError, match=message):
        finetune(bare, task, path, None, tmp_path / "out", **FAST)
    assert not (tmp_path / "out").exists()


def test_labels_outside_the_models_are_named(bare, tmp_path):
    examples = [{"text": f"number {i}", "label": i} for i in range(4)]
    with pytest.raises(
        ValueError, match=r"Example 4: the label 3 is not one of the model's 3, 0 to 2"
    ):
        finetune(bare, "classification", examples, None, tmp_path, labels=["a", "b", "c"], **FAST)
    words = [{"tokens": ["a", "b"], "ner_tags": [0, -1]}]
    with pytest.raises(ValueError, match="Example 1: the label -1 is not one of the model's 2"):
        finetune(bare, "ner", words, None, tmp_path, labels=["O", "B-x"], **FAST)


@few_steps
def test_contexts_and_questions_that_are_too_long(bare, files, tmp_path):
    context = "a film . " * 30 + "it was seen in rome ."
    answer = {"text": "rome", "answer_start": context.index("rome")}
    example = {"question": "where ?", "context": context}
    examples = [{**example, "answers": {k: [v] for k, v in answer.items()}}] * 4
    # Longer than the model: windows.
    result = finetune(bare, "qa", examples, None, tmp_path / "a", epochs=1, **FAST)
    assert result.history[-1]["step"] > 1
    with pytest.raises(ValueError, match="max_length 64 is more than the model's 40 tokens"):
        finetune(bare, "qa", examples, None, tmp_path, **{**FAST, "max_length": 64})
    long = [{**examples[0], "question": "where " * 40}]
    with pytest.raises(ValueError, match=r"The question 'where .* leave room for the context"):
        finetune(bare, "qa", long, None, tmp_path, **FAST)
    cut = [{**examples[0], "answers": {"text": [context[:-2]], "answer_start": [0]}}]
    with pytest.raises(ValueError, match="No window of the contexts holds a complete answer"):
        finetune(bare, "qa", cut, None, tmp_path, **FAST)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"warmup": 2.0}, "warmup"),
        ({"optimizer": "sgd"}, "sgd"),
        ({"labels": ["a", "a"]}, "labels must be distinct, not a, a"),
        ({"labels": ["a", "b", "c"]}, "sst2 has 2 labels, and 3 are named"),
        ({"labels": ["Positive", "Negative"]}, "those of sst2 in the order Negative, Positive"),
        ({"task": "sst5"}, "'sst5' is unknown: choose one of cola"),
        ({"task": "qa", "labels": ["a"]}, "qa has no labels: leave"),
    ],
)
def test_options_that_are_wrong(options, message, bare, files, tmp_path):
    options = {**FAST, **options}
    task = options.pop("task", "sst2")
    train, dev = files.get(task, files["sst2"])
    with pytest.raises(ValueError, match=message):
        finetune(bare, task, train, dev, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    with pytest.raises(TypeError, match="learning_rat"):
        finetune(bare, "sst2", train, dev, tmp_path, learning_rat=1)


def test_models_that_do_not_go_with_the_task(bare, files, tmp_path):
    with pytest.raises(FileNotFoundError):
        finetune(tmp_path / "none", "sst2", *files["sst2"], tmp_path, **FAST)
    model = tf_squeezebert.SqueezeBertForMaskedLM.from_pretrained(bare)
    with pytest.raises(ValueError, match="needs a SqueezeBertForSequenceClassification, not a"):
        finetune(model, "sst2", *files["sst2"], tmp_path, labels=["a", "b"], **FAST)
    model = tf_squeezebert.SqueezeBertForSequenceClassification.from_pretrained(bare)
    with pytest.raises(
        ValueError, match="The model's labels are LABEL_0, LABEL_1, the task's a, b"
    ):
        finetune(model, "sst2", *files["sst2"], tmp_path, labels=["a", "b"], **FAST)
    model.tokenizer = None
    with pytest.raises(ValueError, match="came without a tokenizer"):
        finetune(model, "sst2", *files["sst2"], tmp_path, **FAST)
    assert list(tmp_path.iterdir()) == []
