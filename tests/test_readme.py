"""The README's snippets and commands, run in order as a reader would."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import transformers

from tf_squeezebert import cli

from . import toy
from .configs import GROUP_NAMES, small_config
from .reference import reference

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VOCAB = Path(__file__).parent / "fixtures" / "vocab.txt"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_every_snippet_and_command_works(tmp_path, monkeypatch, capsys):
    """With a small checkpoint in the place of the one that the README names."""
    monkeypatch.chdir(tmp_path)
    config = small_config(vocab_size=30522)
    reference("SqueezeBertForMaskedLM", config).save_pretrained("squeezebert/squeezebert-uncased")
    transformers.BertTokenizer(str(VOCAB)).save_pretrained("squeezebert/squeezebert-uncased")
    dense = dict.fromkeys((f"{name}_groups" for name in GROUP_NAMES), 1)
    toy.checkpoint(Path("bert-base-uncased"), **dense)

    for part, seed in (("train", 1), ("dev", 2)):
        toy.write(tmp_path, "sst2", 16, seed).rename(f"{part}.tsv")
    shutil.copy(ROOT / "examples" / "sentences.txt", tmp_path)

    names, printed = {}, ""
    snippets = blocks("python")
    assert len(snippets) == 5
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), names)
    assert Path("reviews.tflite").stat().st_size > 0
    assert Path("serving/reviews/1/saved_model.pb").is_file()
    opens_in_mediapipe("reviews.tflite")
    loaded = transformers.AutoModelForSequenceClassification.from_pretrained("reviews")
    assert loaded.config.id2label == {0: "bad", 1: "good"}

    for line in "".join(blocks("console")).splitlines():
        if not line.startswith("$ "):
            assert f"{line}\n" in printed, "what the command before prints"
            continue
        program, *arguments = shlex.split(line.removeprefix("$ "))
        assert program == "tf-squeezebert"
        assert cli.main(arguments) == 0, line
        printed = capsys.readouterr().out
        if arguments[:2] == ["predict", "reviews.tflite"]:
            assert re.search(r"label: (good|bad)", printed)


def opens_in_mediapipe(path: str) -> None:
    """As the first snippet of each platform's page does."""
    text_tasks = pytest.importorskip("mediapipe.tasks.python.text")
    with text_tasks.TextClassifier.create_from_model_path(path) as classifier:
        (head,) = classifier.classify("A film to see twice.").classifications
        assert {x.category_name for x in head.categories} == {"bad", "good"}


def test_its_files_are_there():
    for path in re.findall(r"`(tests/\S+\.py)`|python (benchmarks/\S+\.py)", README):
        assert (ROOT / "".join(path)).is_file(), path


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("clients/*.md")]
DOCUMENTS += [*ROOT.glob("clients/*/*.md"), *ROOT.glob("examples/*.md")]


def anchors(page: Path) -> set[str]:
    """The parts of a page that a link can name, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", x.lower()).replace(" ", "-") for x in headings}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        path, _, part = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not part or part in anchors(target), link


def test_its_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_package_states_the_versions_that_the_readme_states():
    setup = (ROOT / "setup.cfg").read_text()
    (tensorflow, keras) = re.search(r"TensorFlow (\S+) to \S+ and Keras (\S+) to", README).groups()
    assert f"tensorflow>={tensorflow}" in setup
    assert f"keras>={keras}" in setup
