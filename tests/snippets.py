"""The code blocks of the documents, for tests that compile or run them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SEARCH = DOCS / "guides" / "search.md"
QUERIES = ["Where is the library?", "It rains.", ""]


def snippets(page: Path, language: str) -> list[str]:
    """The blocks of a page in a language, in order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def make_index(model: Path) -> Callable[[str], list[tuple[str, float]]]:
    """Follows the guide to search in the current folder, with some sentences and a model.

    Returns:
        A function that searches in Python: the texts and their scores.
    """
    shutil.copy(model, "sentences.tflite")
    shutil.copy(ROOT / "examples" / "sentences.txt", "texts.txt")
    names: dict = {}
    for snippet in snippets(SEARCH, "python"):
        code = snippet.replace('("texts.txt")', '("texts.txt", "sentences.tflite")')
        exec(compile(code, SEARCH.name, "exec"), names)
    return lambda query: [(hit.passage.text, hit.score) for hit in names["index"].search(query)]
