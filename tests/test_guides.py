"""Each guide of docs/guides as a reader would follow it, on toy files and a toy model."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import sys
import textwrap
from pathlib import Path

import pytest

from tf_squeezebert import cli
from tf_squeezebert.squeeze import GROUPS

from . import toy
from .snippets import DOCS, snippets

pytestmark = pytest.mark.slow

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
# By guide the task of its files, and their names.
FILES = {
    "text-classification": [("sst2", "SST-2/{}.tsv"), ("classification", "{}.csv")],
    "token-classification": [("ner", "{}.conll")],
    "question-answering": [("qa", "{}.json")],
    "multiple-choice": [("choice", "{}.jsonl")],
    "masked-lm": [("mlm", "{}.txt")],
    "distillation": [("sst2", "{}.tsv")],
    "squeezing": [("sst2", "{}.tsv"), ("mlm", "texts.txt")],
    "pretraining": [("mlm", "{}.txt")],
    "vocabulary": [("mlm", "texts.txt"), ("mlm", "dev.txt")],
    "certificates": [("ner", "{}.conll")],
    "search": [("mlm", "texts.txt")],
    "scoring": [("classification", "reviews.csv")],
}
NEEDS = {"scoring": ("pyarrow", "ray.serve", "apache_beam")}
# Ray's and Beam's own warnings, and JAX's, if another test imported it, when they start a process
MARKS = {
    "scoring": pytest.mark.filterwarnings(
        *("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore:os.fork:RuntimeWarning")
    )
}
CHECKPOINTS = (
    "squeezebert/squeezebert-uncased",
    "squeezebert/squeezebert-mnli-headless",
    "bert-base-uncased",
    "sentence-transformers/all-MiniLM-L6-v2",
)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("guide", [pytest.param(x, marks=MARKS.get(x, ())) for x in FILES])
def test_the_guide_works(guide, tmp_path, monkeypatch, capsys):
    for package in NEEDS.get(guide, ()):
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    text = (GUIDES / f"{guide}.md").read_text(encoding="utf-8")
    for name in CHECKPOINTS:
        if name in text:
            groups = {} if name.startswith("squeezebert") else dict.fromkeys(GROUPS, 1)
            sizes = {"max_position_embeddings": 384, "vocab_size": toy.BERT_VOCAB_SIZE}
            toy.checkpoint(Path(name), vocab=toy.BERT_VOCAB, **sizes, **groups)
    for task, name in FILES[guide]:
        for part, seed in (("train", 1), ("dev", 2)):
            path = Path(name.format(part))
            path.parent.mkdir(exist_ok=True)
            shutil.move(toy.write(tmp_path / "toy", task, 16, seed), path)
    names, port = {}, free_port()
    for language, code in re.findall(r"```(python|console)\n(.*?)```", text, flags=re.DOTALL):
        code = code.replace(
            "serve.run(", f"serve.start(http_options={{'port': {port}}})\nserve.run("
        )
        code = code.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        if language == "python":
            exec(compile(code, f"{guide}.md", "exec"), names)
            continue
        for command in code.splitlines():
            program, *arguments = shlex.split(command.removeprefix("$ "))
            assert program == "tf-squeezebert"
            assert cli.main(arguments) == 0, (command, capsys.readouterr().err)
    if guide == "scoring":
        sys.modules["ray"].shutdown()


def free_port() -> int:
    """A port for a guide that serves at 8000."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_the_arithmetic_of_scale(capsys):
    page = DOCS / "scale.md"
    (code,) = snippets(page, "python")
    exec(compile(code, page.name, "exec"), {})
    printed = capsys.readouterr().out
    assert textwrap.indent(printed, "    ") in page.read_text(encoding="utf-8")


def test_every_guide_is_run_and_listed():
    elsewhere = {"distribution", "serving"}  # which other tests run
    names = {path.stem for path in GUIDES.glob("*.md")} - {"README"}
    assert names == set(FILES) | elsewhere
    listed = re.findall(r"\]\(([\w-]+)\.md\)", (GUIDES / "README.md").read_text())
    assert set(listed) == names
