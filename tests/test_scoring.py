"""`score`: every format against `predict`, resuming after kill -9, Ray, and what goes wrong."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tf_squeezebert import cli, convert, predict, score
from tf_squeezebert.files import one_run
from tf_squeezebert.pretrained import find_pretrained
from tf_squeezebert.scoring import job, parts, scoring
from tf_squeezebert.scoring.manifest import Manifest
from tf_squeezebert.scoring.process import Process
from tf_squeezebert.scoring.tables import open_table
from tf_squeezebert.tflite import Runtime

from .measures import assert_alike
from .tiers import some

ROOT = Path(__file__).parents[1]
SENTENCES = (ROOT / "examples" / "sentences.txt").read_text(encoding="utf-8").splitlines()
# What files have in their texts.
TEXTS = [
    *SENTENCES[:5],
    'He said "no", and left.',
    "Two lines:\nof one text.\n\nAnd a third.",
    "Windows\r\nlines, and old\rMac's.",
    "Grüße aus Tromsø, 東京 and 🎬!",
    '"',
    "\u2028 a\ttab, and 'quotes'",
    "",
]
FORMATS = ("csv", "tsv", "jsonl", "parquet")


@pytest.fixture(scope="module")
def sentiment() -> Runtime:
    return Runtime(find_pretrained("sentiment"))


def arrow():
    return pytest.importorskip("pyarrow", reason="Parquet files need pyarrow")


def parquet():
    return pytest.importorskip("pyarrow.parquet", reason="Parquet files need pyarrow")


def rows_of(texts: list[str]) -> list[dict]:
    return [{"id": str(i), "text": text, "note": f"no. {i}"} for i, text in enumerate(texts)]


def write(path: Path, rows: list[dict]) -> Path:
    """A table in the format of the path's suffix."""
    if path.suffix == ".parquet":
        parquet().write_table(arrow().Table.from_pylist(rows), path, row_group_size=7)
        return path
    with open(path, "w", encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        else:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerows([[*rows[0]], *(row.values() for row in rows)])
    return path


def read(path: Path) -> list[dict]:
    """The rows of a part, with the answer's fields as `predict` gives them."""
    if path.suffix == ".parquet":
        rows = parquet().read_table(path).to_pylist(maps_as_pydicts="strict")
    elif path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    else:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    typed = _typed if path.suffix in (".csv", ".tsv") else lambda name, value: value
    return [{k: typed(k, v) for k, v in row.items() if not _is_absent(k, v)} for row in rows]


def _is_absent(name: str, value: object) -> bool:
    return name.endswith("truncated") and value in (None, "")


def _typed(name: str, value: str) -> object:
    """A value of a CSV: JSON, but for what are texts."""
    texts = ("id", "note", "text", "pair", "question", "context", "label", "answer", "choice")
    return value if name in texts else json.loads(value)


def read_all(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("part-*")) for row in read(path)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# The rows


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("suffix", FORMATS)
def test_each_row_has_predicts_answer_beside_it(suffix, workers, sentiment, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "_TOGETHER", 2)
    rows = rows_of(TEXTS)
    path = write(tmp_path / f"in.{suffix}", rows)
    result = score("sentiment", path, tmp_path / "out", part_rows=5, workers=workers)
    got = read_all(tmp_path / "out")
    assert [list(row) for row in got] == [[*rows[0], "label", "score", "scores"]] * len(TEXTS)
    want = [{**row, **answer} for row, answer in zip(rows, predict(sentiment, TEXTS), strict=True)]
    assert_alike(got, want)
    counts = [len(read(path)) for path in result.parts]
    assert counts == [5, 5, 2]
    assert result[:3] == (12, 12, 0)
    assert names(tmp_path / "out") == ["_score.json", *(path.name for path in result.parts)]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("part_rows", "counts"), [(1, [1] * 12), (4, [4] * 3), (12, [12])])
def test_parts_have_the_rows_they_should(suffix, part_rows, counts, tmp_path):
    path = write(tmp_path / f"in.{suffix}", rows_of(TEXTS))
    score("sentiment", path, tmp_path / "out", part_rows=part_rows)
    found = sorted((tmp_path / "out").glob("part-*"))
    assert [path.name for path in found] == [f"part-{i:06d}.{suffix}" for i in range(len(counts))]
    assert [len(read(path)) for path in found] == counts
    assert [row["text"] for row in read_all(tmp_path / "out")] == TEXTS


def test_a_part_of_large_rows_has_fewer(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "_MOST_BYTES", 300)
    rows = rows_of(["x" * 90] * 5 + ["y" * 500] + ["z" * 90] * 2)
    for suffix in FORMATS:
        out = tmp_path / suffix
        score("sentiment", write(tmp_path / f"in.{suffix}", rows), out)
        assert [row["text"] for row in read_all(out)] == [row["text"] for row in rows]
        counts = [len(read(path)) for path in sorted(out.glob("part-*"))]
        assert 1 in counts
        assert all(1 <= count <= 3 for count in counts)


def test_json_rows_keep_their_text(tmp_path):
    rows = ['{"id": 1.10, "n": 1e400, "text": "D\\u00fcll."}', ' {"text":"A joy.", "big":9e2 } ']
    path = tmp_path / "in.jsonl"
    path.write_text("\ufeff" + "\r\n\n".join(rows), encoding="utf-8")
    score("sentiment", path, tmp_path / "out")
    got = (tmp_path / "out" / "part-000000.jsonl").read_text(encoding="utf-8").splitlines()
    for row, line in zip(rows, got, strict=True):
        kept, _, answer = line.partition(', "label": ')
        assert kept == row.strip()[:-1].rstrip()
        assert answer.startswith(('"positive", "score": 0.', '"negative", "score": 0.'))


def test_csv_keeps_its_line_ends_and_loses_its_mark(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b'\xef\xbb\xbftext,n\r\n"A, ""b""\r\nc",1\r\n\r\nDull.,2\r\n')
    score("sentiment", path, tmp_path / "out")
    got = (tmp_path / "out" / "part-000000.csv").read_bytes()
    assert got.startswith(b'text,n,label,score,scores,truncated\r\n"A, ""b""\r\nc",1,')
    assert got.count(b"\r\n") == got.count(b"\n") == 4
    assert b"\r\nDull.,2,negative,0." in got


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_carriage_return_in_a_text_stays_in_quotes(end, tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(f'text,n{end}"An old\rMac",1{end}Dull.,2{end}'.encode())
    score("sentiment", path, tmp_path / "out")
    got = (tmp_path / "out" / "part-000000.csv").read_bytes().decode()
    assert got.startswith(f"text,n,label,score,scores,truncated{end}")
    assert [row["text"] for row in read_all(tmp_path / "out")] == ["An old\rMac", "Dull."]


def test_a_tsv_may_be_without_quotes(tmp_path, sentiment):
    texts = ['"Dull', 'a "', "b"]
    path = tmp_path / "in.tsv"
    path.write_text("text\tid\n" + "".join(f"{text}\t{i}\n" for i, text in enumerate(texts)))
    score("sentiment", path, tmp_path / "out", quotes=False)
    lines = (tmp_path / "out" / "part-000000.tsv").read_text().splitlines()[1:]
    got = [line.split("\t") for line in lines]
    assert [row[0] for row in got] == texts
    want = predict(sentiment, texts)
    assert [json.loads(row[4]) for row in got] == [pytest.approx(x["scores"]) for x in want]


def test_parquet_keeps_types_and_columns(tmp_path):
    pa, pq = arrow(), parquet()
    columns = {
        "text": pa.array(TEXTS[:3]).dictionary_encode(),
        "n": pa.array([1, None, 3], pa.uint8()),
        "when": pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
        "a.b": pa.array([[1], [], None], pa.list_(pa.int8())),
    }
    table = pa.table(columns).replace_schema_metadata({"made": "today"})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=2)
    (path,) = score("sentiment", tmp_path / "in.parquet", tmp_path / "out").parts
    got = pq.read_table(path)
    assert got.select([*columns]).cast(table.schema).equals(table)
    assert got.schema.metadata[b"made"] == b"today"
    assert got.schema.names == [*columns, "label", "score", "scores", "truncated"]
    assert parquet().read_table(tmp_path / "out").num_rows == 3  # the folder is one table


def test_names_of_columns_can_be_given(tmp_path, sentiment):
    rows = [{"label": "gold", "a": text, "b": "So they say."} for text in TEXTS]
    path = write(tmp_path / "in.jsonl", rows)
    options = {"text": "a", "text_pair": "b", "prefix": "our_"}
    score("sentiment", path, tmp_path / "out", **options)
    got = read_all(tmp_path / "out")
    want = predict(sentiment, TEXTS, ["So they say."] * len(TEXTS))
    assert_alike([{k[4:]: v for k, v in row.items() if k.startswith("our_")} for row in got], want)
    assert all(row["label"] == "gold" for row in got)


@pytest.mark.parametrize(
    ("suffix", "size"),
    some([("csv", 1_000_000), ("parquet", 1_000_000), ("jsonl", 10_000_000)], 2),
)
def test_long_texts_are_cut_with_one_warning(suffix, size, tmp_path, sentiment):
    rows = rows_of(["tea " * 600, "Tea.", "x" * size, "tea " * (size // 4)])
    path = write(tmp_path / f"in.{suffix}", rows)
    with pytest.warns(UserWarning, match="2 of 4 texts are longer than the 512 tokens") as warned:
        result = score("sentiment", path, tmp_path / "out", part_rows=2)
    assert len(warned) == 1
    assert result.truncated == 2
    got = read_all(tmp_path / "out")
    assert [row.get("truncated") for row in got] == [True, None, None, True]
    assert [row["text"] for row in got] == [row["text"] for row in rows]


# Tasks

# By architecture the columns of rows.
TASKS = {
    "SqueezeBertForSequenceClassification": {"text": TEXTS[:4], "pair": TEXTS[1:5]},
    "SqueezeBertForMaskedLM": {"text": ["a [MASK] film", "[MASK] and [MASK]", "the [MASK] ."]},
    "SqueezeBertForTokenClassification": {"text": [*TEXTS[:3], ""]},
    "SqueezeBertForQuestionAnswering": {"question": ["who ?", "where ?"], "context": TEXTS[2:4]},
    "SqueezeBertForMultipleChoice": {
        "text": TEXTS[:2],
        "choices": [["a", "b, c"], ["ü", '"', "good"]],
    },
    "SqueezeBertModel": {"text": TEXTS[:4]},
}
LABELS = {
    "single_label_classification": {"id2label": {0: "bad, or so", 1: "good"}},
    "multi_label_classification": {"id2label": {0: "rude", 1: "loud", 2: "ü"}},
    "regression": {"num_labels": 1},
}


def table(columns: dict[str, list], suffix: str) -> list[dict]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if suffix not in ("csv", "tsv"):
        return rows
    return [{k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* longer than the 40 tokens:UserWarning")
@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_answered_in_every_format(name, tmp_path):
    from . import toy

    columns = TASKS[name]
    forms = LABELS if name == "SqueezeBertForSequenceClassification" else {None: {}}
    for form, config in forms.items():
        more = {"problem_type": form} if form else {}
        model = toy.checkpoint(tmp_path / f"model_{form}", name, **config, **more)
        loaded = convert.load_pretrained(model)
        texts = list(columns.values())
        if "choices" in columns:
            want = [predict(loaded, text, *some) for text, some in zip(*texts, strict=True)]
        else:
            want = predict(loaded, *texts)
        for suffix in FORMATS:
            path = write(tmp_path / f"{form}.{suffix}", table(columns, suffix))
            out = tmp_path / f"{form}_{suffix}"
            pair = "pair" if "pair" in columns else None
            score(model, path, out, text_pair=pair, part_rows=2)
            got = [{k: v for k, v in row.items() if k not in columns} for row in read_all(out)]
            assert_alike(got, want)
            assert [[*row] for row in got] == [[*row] for row in want]


@pytest.mark.slow
def test_choices_and_words_are_read_from_lists_and_columns(tmp_path):
    from . import toy

    model = toy.checkpoint(tmp_path / "choice", "SqueezeBertForMultipleChoice")
    rows = [{"q": "which ?", "a": "good", "b": "bad", "c": text} for text in ("fair", "b", "")]
    path = write(tmp_path / "in.csv", rows)
    score(model, path, tmp_path / "out", text="q", text_pair=["a", "b", "c"])
    with open(tmp_path / "out" / "part-000000.csv", encoding="utf-8") as file:
        got = [json.loads(row["scores"]) for row in csv.DictReader(file)]
    loaded = convert.load_pretrained(model)
    assert_alike(got, [predict(loaded, *row.values())["scores"] for row in rows])
    path.write_text('text,choices\nwhich ?,"[""a"", 5]"\n')
    with pytest.raises(ValueError, match=r"in\.csv', line 2: choices holds 5, not a text"):
        score(model, path, tmp_path / "other")
    path.write_text("text,choices\nwhich ?,a or b\n")
    with pytest.raises(ValueError, match="line 2: holds 'a or b', not a list in JSON"):
        score(model, path, tmp_path / "other")

    model = toy.checkpoint(tmp_path / "ner", "SqueezeBertForTokenClassification")
    rows = [{"tokens": [*text.split(), "."]} for text in TEXTS[:3]]
    score(model, write(tmp_path / "in.jsonl", rows), tmp_path / "words", text="tokens")
    got = [row["words"] for row in read_all(tmp_path / "words")]
    want = predict(convert.load_pretrained(model), [row["tokens"] for row in rows])
    assert_alike(got, [answer["words"] for answer in want])


@pytest.mark.slow
def test_a_row_that_the_model_can_not_answer_is_named(tmp_path):
    from . import toy

    model = toy.checkpoint(tmp_path / "mlm", "SqueezeBertForMaskedLM")
    path = write(tmp_path / "in.jsonl", [{"text": x} for x in ("a [MASK]", "[MASK]", "none", "")])
    with pytest.raises(ValueError, match=r"in\.jsonl', line 3: The text 'none' has no \[MASK\]"):
        score(model, path, tmp_path / "out", part_rows=2)
    assert names(tmp_path / "out") == ["_score.json", "part-000000.jsonl"]
    with pytest.raises(ValueError, match="A Keras model takes one worker: export it"):
        score(model, path, tmp_path / "other", workers=2)


# Runs


def start(path: Path, out: Path, *options: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "tf_squeezebert", "score", path, out, "--model", "sentiment"]
    return subprocess.Popen(
        [*map(str, command), *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.002)


def finished(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}


@pytest.mark.parametrize("suffix", some(["csv", "parquet"], 1))
def test_what_is_killed_resumes_with_each_row_once(suffix, tmp_path, sentiment):
    texts = [f"{TEXTS[i % len(TEXTS)]} {i}" for i in range(600)]
    path, out = write(tmp_path / f"in.{suffix}", rows_of(texts)), tmp_path / "out"
    options = ("--part-rows", 2, "--workers", 2)
    before: dict[str, int] = {}
    for count in (20, 120):
        process = start(path, out, *options, *["--resume"] * (count > 20))
        wait_for(lambda count=count: len(finished(out)) >= count)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, process.communicate()
        process.communicate()
        now = finished(out)
        assert count <= len(now) < 300
        assert before.items() <= now.items()
        before = now
    process = start(path, out, *options, "--resume")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert err.splitlines()[-1].startswith("600 of 600 rows")
    assert before.items() <= finished(out).items()
    got = read_all(out)
    assert [row["text"] for row in got] == texts
    want = predict(sentiment, texts)
    assert [row["score"] for row in got] == pytest.approx([x["score"] for x in want], abs=1e-4)
    assert names(out) == ["_score.json", *(f"part-{i:06d}.{suffix}" for i in range(300))]


def test_a_run_that_is_whole_resumes_to_itself(tmp_path):
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    score("sentiment", path, out, resume=True)  # nothing to resume: it begins
    before = finished(out)
    seen = []
    progress = lambda done, total: seen.append((done, total))  # noqa: E731
    result = score("sentiment", path, out, workers=2, resume=True, progress=progress)
    assert result[:3] == (12, 0, 0)
    assert seen == [(12, 12)]
    assert finished(out) == before


def test_a_copy_of_the_rows_resumes(tmp_path):
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    first = score("sentiment", path, out, part_rows=5)
    first.parts[1].unlink()
    os.utime(path, ns=(1, 1))
    assert score("sentiment", path, out, part_rows=5, resume=True).answered == 5
    assert [row["text"] for row in read_all(out)] == TEXTS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prefix": "x_"}, "holds answers with prefix '', not 'x_': resume with"),
        ({"part_rows": 3}, "with part_rows 5, not 3"),
        ({"text": "note"}, "with text None, not 'note'"),
        ({"model": "other.tflite"}, "holds answers by another model"),
        ({"data": "in2.csv"}, "of other rows ('in2.csv' is another file, or was changed)"),
        ({"data": "in3.csv"}, "of other rows"),
        ({"resume": False}, "'out' holds answers: resume (--resume), or choose another folder"),
    ],
)
def test_another_run_is_not_resumed(change, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = rows_of(TEXTS)
    write(Path("in.csv"), rows)
    write(Path("in2.csv"), rows[1:])
    write(Path("in3.csv"), [*rows[:-1], {**rows[-1], "note": "no. 99"}])  # of the same size
    assert Path("in3.csv").stat().st_size == Path("in.csv").stat().st_size
    content = bytearray(find_pretrained("sentiment").read_bytes())
    content[len(content) // 2] ^= 1  # a weight
    Path("other.tflite").write_bytes(content)
    score("sentiment", "in.csv", "out", part_rows=5)
    before = finished(Path("out"))
    arguments = {"model": "sentiment", "data": "in.csv", "out": "out", "part_rows": 5}
    with pytest.raises(ValueError, match=re.escape(message)):
        score(**{**arguments, "resume": True, **change})
    assert finished(Path("out")) == before


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_part_is_whole_or_not_there(suffix, tmp_path, monkeypatch):
    path, out = write(tmp_path / f"in.{suffix}", rows_of(TEXTS)), tmp_path / "out"
    kind = type(open_table(path))
    whole = kind.write

    def stop(self, target, *arguments):
        whole(self, target, *arguments)
        if "000001" in target.name:
            os.truncate(target, target.stat().st_size // 2)
            raise KeyboardInterrupt

    monkeypatch.setattr(kind, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        score("sentiment", path, out, part_rows=5)
    assert names(out) == ["_score.json", f"part-000000.{suffix}"]


def test_two_runs_exclude_each_other(tmp_path):
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with one_run(out):
            inside.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(60)
    with pytest.raises(ValueError, match="Another run is going on in"):
        score("sentiment", path, out)
    leave.set()
    thread.join()
    score("sentiment", path, out)


def test_a_full_disk_keeps_the_parts_that_are_finished(tmp_path, monkeypatch, capsys):
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    replacing = job.replacing

    def fill(target):
        if target.name == "part-000002.csv":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return replacing(target)

    monkeypatch.setattr(job, "replacing", fill)
    arguments = ["score", str(path), str(out), "--model", "sentiment", "--part-rows", "3"]
    assert cli.main(arguments) == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last.endswith(
        "part-000002.csv: No space left on device: make room, and run again with --resume (the "
        "parts that are finished stay)."
    )
    assert names(out) == ["_score.json", "part-000000.csv", "part-000001.csv"]
    before = finished(out)
    monkeypatch.undo()
    assert cli.main([*arguments, "--resume"]) == 0
    assert before.items() <= finished(out).items()
    assert [row["text"] for row in read_all(out)] == TEXTS


def test_a_killed_worker_is_an_error_and_costs_no_row(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(scoring, "_TOGETHER", 2)
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    answer = Process.answer

    def kill(self, texts):
        if len(finished(out)) == 2:
            self._process.kill()
        return answer(self, texts)

    monkeypatch.setattr(Process, "answer", kill)
    arguments = ["score", path, out, "--model", "sentiment", "--part-rows", 2, "--workers", 2]
    arguments = [str(argument) for argument in arguments]
    assert cli.main(arguments) == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("tf-squeezebert: A worker was killed, perhaps for lack of memory: run ")
    before = finished(out)
    monkeypatch.undo()
    assert cli.main([*arguments, "--resume"]) == 0
    assert before.items() <= finished(out).items()
    assert [row["text"] for row in read_all(out)] == TEXTS


def test_rows_that_change_meanwhile_are_noticed(tmp_path, monkeypatch):
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    texts = job.Worker.texts

    def change(self, *arguments):
        write(path, rows_of(TEXTS[::-1]))
        return texts(self, *arguments)

    monkeypatch.setattr(job.Worker, "texts", change)
    with pytest.raises(ValueError, match=r"in\.csv' was changed while it was read: choose another"):
        score("sentiment", path, out, part_rows=2)


# Ray


def on_ray():
    pytest.importorskip("ray.data", reason="Ray is not installed")
    from tf_squeezebert.scoring import on_ray

    return on_ray


def actors(driver: int) -> set[int]:
    """The processes that answer parts, of a driver's Ray."""
    parents, found = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            if b"(_Actor)" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))

    def is_ours(process: int) -> bool:
        return process == driver or (process in parents and is_ours(parents[process]))

    return set(filter(is_ours, found))


@pytest.mark.thorough
@pytest.mark.slow
def test_killed_workers_of_ray_cost_no_row(tmp_path, sentiment):
    on_ray()
    texts = [f"{TEXTS[i % len(TEXTS)]} {i}" for i in range(800)]
    path, out = write(tmp_path / "in.jsonl", rows_of(texts)), tmp_path / "out"
    process = start(path, out, "--part-rows", 2, "--workers", 2, "--ray")
    killed = set()
    for count in (20, 120):
        wait_for(lambda count=count: len(finished(out)) >= count, 300)
        victim = min(actors(process.pid) - killed)
        os.kill(victim, signal.SIGKILL)
        killed.add(victim)
        assert len(finished(out)) < 400
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    lines = err.splitlines()
    assert lines[0].startswith("Checking the rows of")
    assert lines[-1].startswith("800 of 800 rows, ")
    assert all(line.split()[1:3] == ["of", "800"] for line in lines[1:])  # Ray says nothing
    got = read_all(out)
    assert [row["text"] for row in got] == texts
    want = predict(sentiment, texts)
    assert [row["score"] for row in got] == pytest.approx([x["score"] for x in want], abs=1e-4)
    assert names(out) == ["_score.json", *(f"part-{i:06d}.jsonl" for i in range(400))]


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.filterwarnings(
    # Ray's own, and JAX's, if another test imported it, whenever Ray starts a process
    *("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore:os.fork:RuntimeWarning")
)
def test_ray_finishes_what_threads_began(tmp_path):
    on_ray()
    path, out = write(tmp_path / "in.parquet", rows_of(TEXTS)), tmp_path / "out"
    first = score("sentiment", path, out, part_rows=1)
    before = finished(out)
    for missing in (2, 7):
        first.parts[missing].unlink()
        del before[first.parts[missing].name]
    seen = []
    progress = lambda *counts: seen.append(counts)  # noqa: E731
    result = score("sentiment", path, out, part_rows=1, ray="local", resume=True, progress=progress)
    assert result.answered == 2
    assert seen == [(10, 12), (11, 12), (12, 12)]
    assert before.items() <= finished(out).items()
    assert [row["text"] for row in read_all(out)] == TEXTS


def test_ray_that_does_not_start_is_one_sentence(tmp_path, monkeypatch):
    ray = on_ray()

    def fail(**options):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray.ray, "init", fail)
    path = write(tmp_path / "in.jsonl", rows_of(TEXTS))
    with pytest.raises(ConnectionError, match=r"Ray could not be started .* \(The current node"):
        score("sentiment", path, tmp_path / "out", ray="local")


def test_a_ray_worker_returns_its_errors(tmp_path, monkeypatch):
    module = on_ray()
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    score("sentiment", path, out)
    (part,) = Manifest.load(out).parts
    batch = {name: [value] for name, value in part._asdict().items()}
    arguments = job.Job(str(find_pretrained("sentiment")), path, out)
    actor = module._Actor(arguments, arguments.stamp())
    assert actor(batch) == {"rows": [12], "cut": [0], "error": [""], "errno": [0], "file": [""]}

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "part-000000.csv")

    (out / "part-000000.csv").unlink()
    monkeypatch.setattr(job, "replacing", fail)
    for missing, kind, message in (
        (None, OSError, "No space left on device: make room, and run again with --resume"),
        (out / "_score.json", ValueError, "_score.json': put the rows, the model and the folder"),
        (
            path,
            ValueError,
            r"in\.csv': put the rows, the model and the folder of answers on a file",
        ),
    ):
        if missing is not None:
            missing.unlink()
        result = {
            k: v[0]
            for k, v in module._Actor(arguments, (0, 0) if missing else arguments.stamp())(
                batch
            ).items()
        }
        with pytest.raises(kind, match=message):
            module._raise_error(result)


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("127.0.0.1:1", ConnectionError, "Ray can not be reached at 127.0.0.1:1 (Connection refu"),
        ("cluster", ValueError, "'cluster' is not an address: pass HOST:PORT, auto, or nothing"),
        ("silent", ConnectionError, "(no answer in 1 seconds)."),
    ],
)
def test_a_ray_that_is_not_there_is_an_error(address, kind, message, tmp_path, monkeypatch):
    module = on_ray()
    path, out = write(tmp_path / "in.csv", rows_of(TEXTS)), tmp_path / "out"
    with socket.create_server(("127.0.0.1", 0)) as server:
        if address == "silent":
            address = f"127.0.0.1:{server.getsockname()[1]}"
            monkeypatch.setattr(module, "_JOIN_SECONDS", 1)
            monkeypatch.setattr(module.ray, "init", lambda **_: time.sleep(2))
        with pytest.raises(kind, match=re.escape(message)):
            score("sentiment", path, out, ray=address)
    score("sentiment", path, out)  # nothing is in its way


# Mistakes

HEADER = "id,text\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "id,body\n1,a\n", "'a.csv' has no column text: name the columns of the texts "),
        ("a.csv", "id,body\n1,a\n", "there are id, body"),
        ("a.jsonl", '{"text": "a"}\n{"body": 1}\n', "'a.jsonl', line 2: there is no text, but bo"),
        ("a.jsonl", '{"text": null}\n', "line 1: text holds null, not a text: change it, or leav"),
        ("a.jsonl", '\n{"text": "a"}\n\n{"text": 5}\n', "'a.jsonl', line 4: text holds 5, not a"),
        ("a.jsonl", '{"text": "a"}\n{"text": "b"\n', "'a.jsonl', line 2 is not valid JSON"),
        ("a.jsonl", '{"text": "a"}\n["b"]\n', "line 2 should hold a JSON object"),
        ("a.jsonl", '{"text": "a", "text": "b"}\n', "line 1 names 'text' twice"),
        ("a.jsonl", '{"text": "a", "label": 1}\n', "line 1: there is label, and so has the answer"),
        ("a.csv", HEADER + '1,a\n2,"b\nc"\n3\n', "'a.csv', line 5: there are 1 columns, and 2 in"),
        ("a.csv", HEADER + "1,a,b\n", "line 2: there are 3 columns, and 2 in the header: quote"),
        (
            "a.csv",
            HEADER + '1,a\n2,"b\nc\n',
            "line 3 up to line 4, through a quote: unexpected end",
        ),
        ("a.csv", HEADER + '1,"a"b\n', "'a.csv', line 2: ',' expected after '\"'"),
        ("a.csv", "text,score\na,1\n", "'a.csv' has a column score, and so has the answer: choos"),
        ("a.csv", "text,x,x\na,1,2\n", "'a.csv' has two columns with the name 'x': rename one"),
        ("a.csv", HEADER, "'a.csv' holds no rows"),
        ("a.csv", "", "'a.csv' has no column text"),
        ("a.jsonl", "\n", "'a.jsonl' holds no rows"),
        ("a.csv", b"text\nS\xf8r\n", "'a.csv' is not in UTF-8: line 2 has other bytes"),
        ("a.csv", "text\na\0b\n", "'a.csv' is not in UTF-8: line 2 has NUL bytes"),
        ("a.csv", b"\x1f\x8b\x08", "'a.csv' is compressed with gzip: unpack it"),
        ("a.csv.gz", "text\na\n", "The suffix of 'a.csv.gz' tells no format: name the file .csv"),
        ("a.parquet", "PAR1", "'a.parquet' is not a Parquet file, or is damaged"),
        ("sub/a.csv", "text\na\n", "'sub/a.csv' is read, and lies in 'sub': choose another folder"),
        ("old/x.csv", "text\na\n", "'old' holds something else: choose another folder"),
    ],
)
def test_a_mistake_is_one_sentence(name, content, message, tmp_path, monkeypatch, capsys):
    """And is found before a row is answered."""
    if name.endswith(".parquet"):
        parquet()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job.Worker, "texts", None)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    out = {"sub": "sub", "old": "old"}.get(name[:3], "out")
    data = name
    if out == "old":
        data = write(Path("in.csv"), rows_of(TEXTS))
    assert cli.main(["score", str(data), out, "--model", "sentiment"]) == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("tf-squeezebert: ")
    assert message in last
    assert not Path("out").exists()


def test_a_parquet_row_without_a_text_is_named(tmp_path):
    pa, pq = arrow(), parquet()
    for texts, where in (
        (["a"] * 9 + [None], "row 10: text holds null"),
        ([5, 6], "row 1: text holds 5"),
    ):
        pq.write_table(pa.table({"text": texts}), tmp_path / "in.parquet", row_group_size=4)
        with pytest.raises(ValueError, match=rf"in\.parquet', {where}, not a text"):
            score("sentiment", tmp_path / "in.parquet", tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "none.csv"}, "No such file"),
        ({"data": "folder.csv"}, "is not a regular file"),
        ({"model": "none.tflite"}, "There is no file 'none.tflite'"),
        ({"workers": 0}, "workers must be in [1, 256] and part_rows 1 or more, not 0 and 10000"),
        ({"part_rows": 0}, "not 1 and 0"),
        ({"quotes": False}, "'in.csv' is not a TSV, and needs its quotes: leave out --no-quotes"),
        ({"text_pair": "text"}, "The column 'text' is named twice"),
        ({"text_pair": ["a", "b"]}, "takes one column for the pair, not 2"),
        ({"out": "in.csv"}, "'in.csv' is read, and lies in 'in.csv'"),
        ({"out": "held.txt"}, "'held.txt' is a file: pass a folder"),
        ({"model": "out/sentiment.tflite"}, "'out/sentiment.tflite' is read, and lies in 'out'"),
        ({"ray": "local", "model": "folder"}, "Ray's workers run .tflite files: export 'folder'"),
    ],
)
def test_wrong_arguments_are_refused(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("in.csv"), rows_of(TEXTS))
    Path("held.txt").write_text("held")
    Path("folder.csv").mkdir()
    if "out/" in options.get("model", ""):
        Path("out").mkdir()
        Path("out/sentiment.tflite").write_bytes(b"x")
    arguments = {"model": "sentiment", "data": "in.csv", "out": "out", **options}
    with pytest.raises((ValueError, OSError), match=re.escape(message)):
        score(**arguments)
    assert Path("held.txt").read_text() == "held"


def test_what_is_missing_names_the_extra(tmp_path):
    """In a process that does not find these packages."""
    program = (
        "import sys; sys.modules |= dict.fromkeys(['pyarrow', 'ray', 'apache_beam'])\n"
        "from tf_squeezebert import cli\n"
        "cli.main(['score', 'in.parquet', 'out', '--model', 'sentiment'])\n"
        "cli.main(['score', 'in.csv', 'out', '--model', 'sentiment', '--ray'])\n"
        "import tf_squeezebert.beam"
    )
    write(tmp_path / "in.csv", rows_of(TEXTS))
    (tmp_path / "in.parquet").write_bytes(b"PAR1")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    for package, extra in (("pyarrow", "parquet"), ("Ray", "ray"), ("Apache Beam", "beam")):
        message = f'needs {package}, which is not installed: pip install "tf-squeezebert[{extra}]".'
        assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_progress_is_one_line_on_a_terminal_and_lines_elsewhere(capsys, monkeypatch, clock):
    from tf_squeezebert.cli.score import _ProgressLine

    for is_terminal in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal)
        line = _ProgressLine()
        for done in range(50, 101):
            line(done * 100, 10_000)
        line.end()
        err = capsys.readouterr().err
        shown = err.split("\r")[1:] if is_terminal else err.splitlines()
        assert len(shown) == (51 if is_terminal else 2)
        assert "7,900 of 10,000 rows, 100 rows a second, 0:00:21 left" in err
        assert shown[-1].strip() == "10,000 of 10,000 rows, 100 rows a second"
