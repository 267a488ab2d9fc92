"""`squeeze` of a BERT that has no names for its labels."""

from __future__ import annotations

import pytest

from tf_squeezebert import SqueezeBertForSequenceClassification
from tf_squeezebert.cli import main
from tf_squeezebert.convert import load_pretrained
from tf_squeezebert.squeeze import squeeze

from . import toy
from .configs import GROUP_NAMES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return {"train": toy.write(folder, "sst2", 32), "dev": toy.write(folder, "sst2", 8, seed=1)}


def unnamed(folder):
    """The folder of a BERT whose labels are LABEL_0 and LABEL_1."""
    groups = {f"{name}_groups": 1 for name in GROUP_NAMES}
    return toy.checkpoint(folder, "SqueezeBertForSequenceClassification", **groups)


def test_a_model_without_names_of_labels_is_told_the_way_out(files, tmp_path):
    with pytest.raises(ValueError, match=r"LABEL_1, those of sst2 negative, positive: pass the"):
        squeeze(unnamed(tmp_path / "bert"), tmp_path / "out", task="sst2", **files)


def test_a_head_that_was_never_trained_teaches_nothing(files, tmp_path):
    groups = {f"{name}_groups": 1 for name in GROUP_NAMES}
    bare = toy.checkpoint(tmp_path / "bert", "SqueezeBertModel", **groups)
    model = SqueezeBertForSequenceClassification.from_pretrained(bare)
    with pytest.raises(ValueError, match="was missing in the checkpoint and has not been trained"):
        squeeze(model, tmp_path / "out", task="sst2", labels=["negative", "positive"], **files)


@pytest.mark.parametrize("labels", [["negative"], ["positive", "positive"]])
def test_labels_are_equal_in_number_to_the_models(labels, files, tmp_path):
    with pytest.raises(ValueError, match="pass 2 different names"):
        squeeze(unnamed(tmp_path / "bert"), tmp_path / "out", task="sst2", labels=labels, **files)


@pytest.mark.usefixtures("eager")
def test_a_model_that_is_passed_keeps_its_names(files, tmp_path):
    model = load_pretrained(unnamed(tmp_path / "bert"))
    options = {"epochs": 1, "batch_size": 16, "max_length": 32, "verbose": 0}
    options |= {"labels": ["negative", "positive"], "groups": 2, "task": "sst2", **files}
    named = squeeze(model, tmp_path / "out", **options).model
    assert named.config.id2label == {0: "negative", 1: "positive"}
    assert model.config.id2label == {0: "LABEL_0", 1: "LABEL_1"}


@pytest.mark.usefixtures("eager")
def test_labels_can_be_named(files, tmp_path):
    unnamed(tmp_path / "bert")
    (tmp_path / "labels").write_text("negative\npositive\n")
    options = {"task": "sst2", "labels": tmp_path / "labels", "groups": 2, **files}
    options |= {"epochs": 1, "batch-size": 16, "max-length": 32}
    named = [str(x) for name, value in options.items() for x in (f"--{name}", value)]
    assert main(["squeeze", str(tmp_path / "bert"), str(tmp_path / "out"), *named]) == 0
    assert load_pretrained(tmp_path / "out").config.id2label == {0: "negative", 1: "positive"}
