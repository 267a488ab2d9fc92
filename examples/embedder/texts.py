"""The unlabelled sentences that embedder.tflite learns from.

    python examples/embedder/texts.py FOLDER [FILE ...] > sentences.txt

FOLDER is a folder into which Debian packages were unpacked (embedder.sh does it). Sentences are
taken from WordNet, from the fortunes, and from all HTML pages, which are manuals in English; also
from the descriptions of all packages that apt knows. FILE is plain text, or JSON in the form of
SQuAD, of which contexts and questions are taken. Each sentence is written once, in a random order
that is always the same. What is taken from where is printed to stderr.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_WORDS = range(4, 61)
_BLOCKS = {"p", "li", "dd", "dt", "td", "th", "div", "h1", "h2", "h3", "h4", "br", "title"}
_SKIPPED = {"script", "style", "pre", "code", "head"}


def main() -> None:
    folder, *files = map(Path, sys.argv[1:])
    found: dict[str, None] = {}
    for name, texts in (
        ("WordNet", wordnet(folder)),
        ("fortunes", fortunes(folder)),
        ("HTML", html_pages(folder)),
        ("package descriptions", descriptions()),
        *((path.name, read(path)) for path in files),
    ):
        before = len(found)
        found.update(dict.fromkeys(filter(is_sentence, texts)))
        print(f"{name}: {len(found) - before:,} sentences", file=sys.stderr)
    ordered = sorted(found)
    random.Random(0).shuffle(ordered)
    sys.stdout.write("".join(f"{sentence}\n" for sentence in ordered))


def is_sentence(text: str) -> bool:
    """Whether a text is of words, and neither a fragment nor a paragraph."""
    letters = sum(character.isalpha() or character == " " for character in text)
    return len(text.split()) in _WORDS and letters >= 0.85 * len(text) and text.isprintable()


def split(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+(?=[A-Z\"'])", " ".join(text.split()))


def wordnet(folder: Path) -> Iterator[str]:
    """The definitions, and the examples of usage, which stand in quotation marks."""
    for path in sorted(folder.rglob("wordnet/data.*")):
        for line in path.read_text(encoding="utf-8", errors="ignore").splitlines():
            gloss = line.partition(" | ")[2]
            yield from (example.strip() for example in re.findall(r'"([^"]+)"', gloss))
            yield from (part.strip() for part in re.sub(r'"[^"]*"?', "", gloss).split(";"))


def fortunes(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("games/fortunes/*")):
        if path.is_file() and not path.suffix:
            for saying in path.read_text(encoding="utf-8", errors="ignore").split("\n%\n"):
                yield from split(saying)


def html_pages(folder: Path) -> Iterator[str]:
    for path in sorted({*folder.rglob("*.html")}):
        if not re.search(r"/(?!en)[a-z]{2}(-[A-Z]{2})?/", str(path)):  # other languages
            page = _Page()
            page.feed(path.read_text(encoding="utf-8", errors="ignore"))
            for block in page.blocks:
                yield from split(block)


class _Page(HTMLParser):
    """A page's text by paragraphs."""

    def __init__(self):
        super().__init__()
        self.blocks = [""]
        self._skipped = 0

    def handle_starttag(self, tag, attrs):
        self._skipped += tag in _SKIPPED
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag):
        self._skipped -= tag in _SKIPPED and self._skipped > 0
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_data(self, data):
        if not self._skipped:
            self.blocks[-1] += data


def descriptions() -> Iterator[str]:
    """The one line about each Debian package."""
    known = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
    for line in known.decode("utf-8", errors="ignore").splitlines():
        if line.startswith("Description: "):
            yield line.removeprefix("Description: ")


def read(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        for line in text.splitlines():
            yield from split(line)
        return
    for article in json.loads(text)["data"]:
        for paragraph in article["paragraphs"]:
            yield from split(paragraph["context"])
            yield from (asked["question"].strip() for asked in paragraph["qas"])


if __name__ == "__main__":
    main()
