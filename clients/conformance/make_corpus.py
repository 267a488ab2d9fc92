"""Makes the conformance corpus, which holds every client to the answers of this package.

    python clients/conformance/make_corpus.py [PART ...]

PART is unicode, tokens, answers or models; all of them are made by default. README.md describes
the files. Tokens that differ from those of transformers, or of rules.py, are an error.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
MOST_BYTES = 5_000_000


def make_unicode() -> None:
    import unicode_tables

    path = FOLDER / "unicode.json"
    assigned = json.loads(path.read_text(encoding="utf-8"))["assigned"]
    found = unicode_tables.tables(assigned)
    lines = ",\n".join(f"{json.dumps(name)}: {_packed(value)}" for name, value in found.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8", newline="\n")


def make_tokens() -> None:
    import tokens
    from texts import all_texts, every_character

    assigned = json.loads((FOLDER / "unicode.json").read_text(encoding="utf-8"))["assigned"]
    folder = FOLDER / "tokenizers"
    shutil.rmtree(folder, ignore_errors=True)
    texts = tokens.tokenizers_of([*all_texts(assigned), *every_character(assigned)])
    tokens.write_tokenizers(folder, texts)
    _write_lines("tokens.jsonl", tokens.token_lines(folder, texts))
    _write_lines("codepoints.jsonl", tokens.code_point_lines(folder, assigned))


def make_answers() -> None:
    import answers

    _write_lines("answers.jsonl", answers.answer_lines(FOLDER / "tokenizers"))


def make_models() -> None:
    import models

    folder = FOLDER / "models"
    shutil.rmtree(folder, ignore_errors=True)
    models.write_models(folder)
    _write_lines("models.jsonl", models.model_lines(folder))


PARTS = {
    "unicode": make_unicode,
    "tokens": make_tokens,
    "answers": make_answers,
    "models": make_models,
}


def _packed(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _write_lines(name: str, lines: Iterable[dict[str, Any]]) -> None:
    path = FOLDER / name
    written = [_packed(line) for line in lines]
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8", newline="\n")
    size = path.stat().st_size
    print(f"{name}: {len(written):,} lines, {size / 1e6:.2f} MB")
    if size > MOST_BYTES:
        raise ValueError(f"{name} has {size:,} bytes, over {MOST_BYTES:,}: leave out lines.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}: choose from {', '.join(PARTS)}")
    for part in arguments.parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
