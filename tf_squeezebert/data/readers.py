"""Readers: they yield the examples of a file, one at a time."""

from __future__ import annotations

import csv
import math
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..json_files import parse_json
from .checks import brief, check_question

_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile("([BIESLU])-(.*)")
# The first bytes of files that are not text in UTF-8.
_FORMS = {
    b"\xff\xfe": "text in UTF-16: save it in UTF-8",
    b"\xfe\xff": "text in UTF-16: save it in UTF-8",
    b"\x1f\x8b": "compressed with gzip: unpack it",
    b"PK\x03\x04": "a zip archive: unpack it, or save the table as CSV",
    b"PAR1": "a Parquet file: save the table as JSON lines",
}

Path = str | os.PathLike
Labels = Sequence[str] | type[float] | None


class GlueTask(NamedTuple):
    """A GLUE task, and the layout of its files.

    Attributes:
        texts: the name of the text's column, or the names of the two texts' columns.
        label: name of the label's column.
        metrics: the task's metrics, the main one first.
        labels: labels as the files write them, in the order of their ids; None for scores.
        columns: all column names, if the file has no header.
        label_names: names for labels that are numbers in the files, as in the datasets library.
    """

    texts: tuple[str, ...]
    label: str
    metrics: tuple[str, ...] = ("accuracy",)
    labels: tuple[str, ...] | None = ("0", "1")
    columns: tuple[str, ...] | None = None
    label_names: tuple[str, ...] | None = None


_ENTAILMENT = ("entailment", "not_entailment")
# As the GLUE benchmark distributes them (Wang et al., 2018, https://gluebenchmark.com).
GLUE_TASKS = {
    "cola": GlueTask(
        ("sentence",),
        "label",
        ("matthews",),
        columns=("source", "label", "mark", "sentence"),
        label_names=("unacceptable", "acceptable"),
    ),
    "mnli": GlueTask(
        ("sentence1", "sentence2"),
        "gold_label",
        labels=("entailment", "neutral", "contradiction"),
    ),
    "mrpc": GlueTask(
        ("#1 String", "#2 String"),
        "Quality",
        ("f1", "accuracy"),
        label_names=("not_equivalent", "equivalent"),
    ),
    "qnli": GlueTask(("question", "sentence"), "label", labels=_ENTAILMENT),
    "qqp": GlueTask(
        ("question1", "question2"),
        "is_duplicate",
        ("f1", "accuracy"),
        label_names=("not_duplicate", "duplicate"),
    ),
    "rte": GlueTask(("sentence1", "sentence2"), "label", labels=_ENTAILMENT),
    "sst2": GlueTask(("sentence",), "label", label_names=("negative", "positive")),
    "stsb": GlueTask(("sentence1", "sentence2"), "score", ("spearman", "pearson"), labels=None),
    "wnli": GlueTask(
        ("sentence1", "sentence2"), "label", label_names=("not_entailment", "entailment")
    ),
}


# Readers


class Examples:
    """The examples of one or more files; each iteration reads the files again.

    Iterating raises a FileNotFoundError if there is no such file, and a ValueError that names the
    file and the line (for SQuAD, the question's id) if a row is wrong. A pipe can be read only
    once.
    """

    def __init__(self, paths: Sequence[Path], read: Callable[[Path], Iterator[dict[str, Any]]]):
        self.paths = tuple(paths)
        self._read = read
        self._begun = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._begun:
            check_repeatable(*self.paths)
        self._begun = True
        for path in self.paths:
            empty = True
            for example in self._read(path):
                empty = False
                yield example
            if empty:
                raise ValueError(f"'{path}' holds no examples.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, map(str, self.paths)))})"


def check_repeatable(*paths: Path) -> None:
    """Refuses a pipe, which can be read only once.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is a pipe.
    """
    for path in paths:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            raise ValueError(
                f"'{path}' is a pipe, which can be read only once: write the examples to a file."
            )


def read_glue(path: Path, task: str, labelled: bool = True) -> Examples:
    """Reads a GLUE file: tab-separated columns, without quoting.

    Args:
        path: the file.
        task: one of `GLUE_TASKS`. Labels become ids in the task's order, or scores.
        labelled: False reads the texts alone, as for GLUE's test files.
    """
    if task not in GLUE_TASKS:
        raise ValueError(f"Task {task!r} is unknown: choose one of {', '.join(GLUE_TASKS)}.")
    glue = GLUE_TASKS[task]
    texts, labels = glue.texts, [glue.label] if labelled else []
    convert = _text_example(
        *texts,
        label=glue.label if labelled else None,
        labels=float if glue.labels is None else glue.labels,
    )
    form: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    needed = (*texts, *labels)
    return Examples([path], lambda p: _csv_rows(p, needed, task, convert, glue.columns, **form))


def read_csv(
    path: Path,
    text: str = "text",
    text_pair: str | None = None,
    label: str | Sequence[str] | None = "label",
    labels: Labels = None,
    delimiter: str = ",",
) -> Examples:
    """Reads a file of comma-separated values, whose first line names the columns.

    Args:
        path: the file.
        text, text_pair: the text's column, and that of the second text, if there is one.
        label: the label's column; or a list of columns of 0 or 1, one for each label that may
            apply; None to read texts without labels.
        labels: the label names in the order of their ids; `float` if labels are scores; None to
            keep the labels as they are written, see `label_names`.
        delimiter: the separator of columns.
    """
    texts = (text,) if text_pair is None else (text, text_pair)
    columns = [label] if isinstance(label, str) else list(label or ())
    if len(set(columns)) < len(columns):
        raise ValueError(f"label must name each column once, not {', '.join(columns)}.")
    convert = _text_example(*texts, label=label, labels=labels)
    form: dict[str, Any] = {"delimiter": delimiter, "strict": True}
    return Examples([path], lambda p: _csv_rows(p, (*texts, *columns), "read_csv", convert, **form))


def read_jsonl(
    path: Path,
    text: str = "text",
    text_pair: str | None = None,
    label: str | None = "label",
    labels: Labels = None,
) -> Examples:
    """Reads a file with one JSON object per line; the arguments are those of `read_csv`, for keys.

    A label that is a list of names becomes 0 or 1 for each of `labels`.
    """
    texts = (text,) if text_pair is None else (text, text_pair)
    convert = _text_example(*texts, label=label, labels=labels)
    return Examples([path], lambda p: _json_rows(p, convert))


def read_conll(
    path: Path, labels: Sequence[str] | None = None, token_column: int = 0, tag_column: int = -1
) -> Examples:
    """Reads a file of words, one per line, with tags in another column.

    Blank lines separate sentences, and tabs or spaces separate columns.
    Tags in the forms IOB1, BIO, BIOES and BILOU become BIO; others, such as parts of speech, stay
    as they are.

    Args:
        path: the file.
        labels: the tag names (in BIO) in the order of their ids; None to keep names.
        token_column, tag_column: the columns of words and tags, counted from 0, or from -1 at the
            end.
    """
    ids = None if labels is None else {name: i for i, name in enumerate(labels)}
    # The number of columns needed to have both.
    least = max(2, *(x + 1 if x >= 0 else -x for x in (token_column, tag_column)))

    def sentence(rows: list[tuple[int, list[str]]], path: Path) -> dict[str, Any]:
        tags = _as_bio([columns[tag_column] for _, columns in rows])
        for (line, _), tag in zip(rows, tags, strict=True):
            if tag.endswith("-") and _TAG.fullmatch(tag):
                raise ValueError(f"'{path}', line {line}: {tag!r} lacks the kind of entity.")
            if ids is not None and tag not in ids:
                raise ValueError(f"'{path}', line {line}: {tag!r} is not one of {', '.join(ids)}.")
        tokens = [columns[token_column] for _, columns in rows]
        return {"tokens": tokens, "ner_tags": tags if ids is None else [ids[tag] for tag in tags]}

    def read(path: Path) -> Iterator[dict[str, Any]]:
        rows: list[tuple[int, list[str]]] = []
        width, separator = 0, ""  # of the first line; 0 and "" until then
        for line, content in read_lines(path):
            # Split at tabs and spaces only: a word may contain other whitespace characters.
            stripped = content.strip(" \t\r\n")
            if not stripped or re.split("[ \t]", stripped)[0] == "-DOCSTART-":
                if rows:
                    yield sentence(rows, path)
                rows = []
                continue
            separator = separator or ("\t" if "\t" in content else " +")
            columns = re.split(separator, content.strip(" \r\n"))
            if len(columns) < least or len(columns) != (width or len(columns)) or not all(columns):
                expected = f"{width} columns, as above" if width else f"{least} columns or more"
                raise ValueError(f"'{path}', line {line}: {brief(stripped)}: expected {expected}.")
            width = len(columns)
            rows.append((line, columns))
        if rows:
            yield sentence(rows, path)

    return Examples([path], read)


def read_squad(path: Path) -> Examples:
    """Reads a JSON file in the format of SQuAD v1.1 or v2.0; it is read into memory as a whole.

    A question without an answer has empty lists of `answers`.
    """

    def read(path: Path) -> Iterator[dict[str, Any]]:
        content = "".join(line for _, line in read_lines(path)).encode()
        try:
            squad = parse_json(content, len(content))
        except ValueError as error:
            raise ValueError(f"'{path}' is not in SQuAD's format: it {error}.") from error
        try:
            paragraphs = [p for article in squad["data"] for p in article["paragraphs"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"'{path}' is not in SQuAD's format: {_said(error)}.") from error
        ids = set()
        for number, paragraph in enumerate(paragraphs, 1):
            for i, question in enumerate(_listed(paragraph, "qas", f"paragraph {number}", path), 1):
                place = f"'{path}', paragraph {number}, question {i}"
                if isinstance(question, Mapping) and isinstance(question.get("id"), (str, int)):
                    place = f"'{path}', question {str(question['id'])[:60]}"
                example = _converted(_question, (paragraph, question), place)
                if example["id"] in ids:
                    raise ValueError(f"{place}: an earlier question has the same id.")
                ids.add(example["id"])
                yield example

    return Examples([path], read)


def read_swag(path: Path) -> Examples:
    """Reads a SWAG CSV file; each choice is the second sentence's beginning and an ending."""
    endings = [f"ending{i}" for i in range(4)]
    ids = _label_reader(("0", "1", "2", "3"))

    def convert(row: Mapping[str, str]) -> dict[str, Any]:
        choices = [f"{row['sent2']} {row[ending]}".strip() for ending in endings]
        return {"text": row["sent1"], "choices": choices, "label": ids(row["label"])}

    columns = ("sent1", "sent2", *endings, "label")
    return Examples([path], lambda p: _csv_rows(p, columns, "SWAG", convert, strict=True))


def read_commonsense_qa(path: Path) -> Examples:
    """Reads a CommonsenseQA file of JSON lines."""

    def convert(row: Mapping[str, Any]) -> dict[str, Any]:
        question = row["question"]
        labels = [_text(choice, "label") for choice in question["choices"]]
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ValueError(f"the choices are {', '.join(labels)}: expected at least two")
        return {
            "text": _text(question, "stem"),
            "choices": [_text(choice, "text") for choice in question["choices"]],
            "label": _label_reader(labels)(row["answerKey"]),
        }

    return Examples([path], lambda p: _json_rows(p, convert))


def read_text(*paths: Path) -> Examples:
    """Reads files of plain text: each line that is not blank is a text."""

    def read(path: Path) -> Iterator[dict[str, Any]]:
        for _, line in read_lines(path):
            if text := line.strip():
                yield {"text": text}

    return Examples(paths, read)


def label_names(examples: Iterable[Mapping[str, Any]]) -> list[str]:
    """The labels that occur in a reader's examples, sorted; for tags, "O" comes first.

    The reader must have been called without `labels`.
    """
    names: set[str] = set()
    for example in examples:
        found = example["ner_tags"] if "ner_tags" in example else example["label"]
        names.update(map(str, found if isinstance(found, list) else [found]))
    return sorted(names, key=lambda name: (name != "O", name))


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file, with their line ends, and their numbers.

    Raises:
        OSError: there is no such file, or it can not be read.
        ValueError: it is neither a file nor a pipe, or not text in UTF-8.
    """
    # Half of the files that Windows programs write, and GLUE's MRPC, begin with a byte order mark.
    with open(
        path, encoding="utf-8-sig", errors="surrogateescape", newline="", opener=_open_file
    ) as file:
        for number, line in enumerate(file, 1):
            if "\0" in line or (not line.isascii() and _SURROGATE.search(line)):
                raise ValueError(f"'{path}' is {other_form(number, line)}.")
            yield number, line


def _open_file(path: Path, flags: int) -> int:
    """Opens a file or a pipe, without waiting for the pipe's other end."""
    without_waiting = getattr(os, "O_NONBLOCK", 0)
    number = os.open(path, flags | without_waiting)
    mode = os.fstat(number).st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        os.close(number)
        raise ValueError(f"'{path}' is a device: pass a file.")
    if without_waiting:
        os.set_blocking(number, True)
    return number


def other_form(number: int, line: str) -> str:
    """What kind of file it is, if a line is not text in UTF-8."""
    start = line[:4].encode(errors="surrogateescape") if number == 1 else b""
    for beginning, form in _FORMS.items():
        if start.startswith(beginning):
            return form
    return f"not in UTF-8: line {number} has {'NUL' if chr(0) in line else 'other'} bytes"


def _csv_rows(
    path: Path,
    needed: Sequence[str],
    who: str,
    convert: Callable,
    columns: Sequence[str] | None = None,
    **form: Any,
) -> Iterator[dict[str, Any]]:
    """The examples of a table; `columns` names the columns of a file without a header."""
    rows = _records(path, **form)
    if columns is None:
        _, columns = next(rows, (1, []))
    if missing := sorted(set(needed) - set(columns)):
        raise ValueError(f"'{path}' has no column {', '.join(missing)}, which {who} needs.")
    if twice := [name for name in needed if columns.count(name) > 1]:
        raise ValueError(f"'{path}', line 1: two columns have the name {twice[0]}.")
    for line, fields in rows:
        place = f"'{path}', line {line}"
        row = dict(zip(columns, fields, strict=False))
        if any(not row.get(name) for name in needed):
            raise ValueError(f"{place}: a text or its label is missing.")
        if len(fields) != len(columns):
            other = "more" if len(fields) > len(columns) else "fewer"
            raise ValueError(f"{place}: there are {other} columns than in the header.")
        yield _converted(convert, (row,), place)


def _records(path: Path, **form: Any) -> Iterator[tuple[int, list[str]]]:
    """The non-blank rows of a table, and the line where each begins."""
    reader = csv.reader((line for _, line in read_lines(path)), **form)
    begins = 1
    try:
        for fields in reader:
            if fields:
                yield begins, fields
            begins = reader.line_num + 1  # a quoted text may span several lines
    except csv.Error as error:
        until = f" up to line {reader.line_num}, through a quote" * (reader.line_num > begins)
        raise ValueError(f"'{path}', line {begins}{until}: {error}.") from error


def _json_rows(path: Path, convert: Callable) -> Iterator[dict[str, Any]]:
    for number, line in read_lines(path):
        if line.strip():
            place, content = f"'{path}', line {number}", line.strip().encode()
            try:
                row = parse_json(content, len(content))
            except ValueError as error:
                raise ValueError(f"{place} {error}.") from error
            yield _converted(convert, (row,), place)


def _converted(convert: Callable, arguments: tuple, place: str) -> Any:
    """Converts a row; an error names its place."""
    try:
        return convert(*arguments)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{place}: {_said(error)}.") from error


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error}"
    if isinstance(error, (TypeError, AttributeError)):
        return "the JSON has an unexpected structure"
    return str(error).rstrip(".")


def _text_example(
    text: str, text_pair: str | None = None, *, label: str | Sequence[str] | None, labels: Labels
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function that makes an example from a row."""
    read_label, applies = _label_reader(labels), _label_reader(("0", "1"))

    def convert(row: Mapping[str, Any]) -> dict[str, Any]:
        example: dict[str, Any] = {"text": _text(row, text)}
        if text_pair is not None:
            example["text_pair"] = _text(row, text_pair)
        if isinstance(label, str):
            example["label"] = read_label(row[label])
        elif label is not None:
            example["label"] = [float(applies(row[name])) for name in label]
        return example

    return convert


def _text(row: Mapping[str, Any], name: str) -> str:
    if not isinstance(row[name], str):
        raise ValueError(f"{name} is {brief(row[name])}, not a text")
    return row[name]


def _label_reader(labels: Labels) -> Callable[[Any], Any]:
    """A function from a name to its id, a score to a number, or a list of names to 0 and 1."""
    if isinstance(labels, type):
        return _score
    ids = None if labels is None else {str(name): i for i, name in enumerate(labels)}

    def read(value: Any) -> Any:
        names = [_label(name) for name in (value if isinstance(value, list) else [value])]
        if ids is None:
            return value
        for name in names:
            if name not in ids:
                raise ValueError(f"{brief(name)} is not one of {', '.join(ids)}")
        if isinstance(value, list):
            return [float(name in names) for name in ids]
        return ids[names[0]]

    return read


def _label(value: Any) -> str:
    """A label's name, which may be a whole number."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"the label {brief(value)} is neither a name nor a whole number")
    name = str(value)
    if name != name.strip() or not name:
        raise ValueError(f"the label {brief(name)} is empty, or has spaces around it")
    return name


def _score(value: Any) -> float:
    try:
        score = math.nan if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError):
        score = math.nan
    if not math.isfinite(score):
        raise ValueError(f"{brief(value)} is not a number")
    return score


def _as_bio(tags: list[str]) -> list[str]:
    """A sentence's tags in BIO, from any of the forms."""
    result: list[str] = []
    previous: tuple[str, str | None] = "O", None
    for tag in tags:
        match = _TAG.fullmatch(tag)
        prefix, kind = match.groups() if match else ("O", None)
        # An I or E without a beginning before it starts an entity, as in IOB1.
        begins = prefix in "BSU" or previous[0] in "OELSU" or kind != previous[1]
        result.append(f"{'B' if begins else 'I'}-{kind}" if match else tag)
        previous = prefix, kind
    return result


def _listed(parent: Any, name: str, place: str, path: Path) -> list:
    if not isinstance(parent, Mapping) or not isinstance(parent.get(name), list):
        raise ValueError(f"'{path}', {place}: there is no list of {name}.")
    return parent[name]


def _question(paragraph: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
    impossible = question.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise ValueError(f"is_impossible is {brief(impossible)}, not true or false")
    answers = question.get("answers", []) if impossible else question["answers"]
    if impossible and answers:
        raise ValueError("is_impossible is true, but there are answers")
    if not isinstance(question["id"], (str, int)):
        raise ValueError(f"the id is {brief(question['id'])}, not a text")
    example = {
        "id": question["id"],
        "question": _text(question, "question").strip(),
        "context": _text(paragraph, "context"),
        "answers": {
            name: [answer[name] for answer in answers] for name in ("text", "answer_start")
        },
    }
    check_question(example)
    return example
