"""How often words occur in a language: from files, or from the package wordfreq."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable

from ..data.readers import brief, read_lines, read_text

# The separators of columns, of which a file's lines have the first that they hold.
_SEPARATORS = ("\t", " ", ",")


def read_frequencies(path: str | os.PathLike) -> dict[str, float]:
    """Reads a list of words, each with its count or its frequency.

    A line ends in a word and its number, with a tab, a space or a comma between them: "der 4417" of
    FrequencyWords, "101 <tab> der <tab> 4417" of the Leipzig Corpora Collection, "der,0.033" of a
    table. A first line that names the columns is skipped.

    Args:
        path: the file, in UTF-8.

    Returns:
        The numbers by word; those of a word that occurs twice are added up.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not as described, or there are none.
    """
    words: dict[str, float] = {}
    for number, line in read_lines(path):
        stripped = line.strip()
        if not stripped:
            continue
        separator = next((x for x in _SEPARATORS if x in stripped), None)
        *others, last = stripped.rsplit(separator, 2) if separator else (stripped,)
        count = _count(last)
        if not others or count is None:
            if number == 1:
                continue
            raise ValueError(
                f"'{path}', line {number}: {brief(stripped)} is not a word and its count: write "
                "lines like 'der 4417'."
            )
        word = others[-1].strip()
        words[word] = words.get(word, 0.0) + count
    if not sum(words.values()):
        raise ValueError(f"'{path}' holds no words with counts: write lines like 'der 4417'.")
    return words


def read_sources(
    texts: Iterable[str | os.PathLike] = (),
    languages: Iterable[str] = (),
    frequencies: Iterable[str | os.PathLike] = (),
) -> dict[str, list[str] | dict[str, float]]:
    """Reads what a vocabulary is chosen by, each by its name.

    Args:
        texts: files of texts, one per line.
        languages: as for `language_frequencies`.
        frequencies: files as for `read_frequencies`.

    Raises:
        FileNotFoundError, ValueError, ImportError: as those functions do, or a file is empty.
    """
    return {
        **{str(path): [example["text"] for example in read_text(path)] for path in texts},
        **{f"words of {language}": language_frequencies(language) for language in languages},
        **{str(path): read_frequencies(path) for path in frequencies},
    }


def _count(value: str) -> float | None:
    """A number of 0 or more; None for anything else."""
    try:
        count = float(value)
    except ValueError:
        return None
    return count if 0 <= count < math.inf else None


def language_frequencies(language: str) -> dict[str, float]:
    """The frequencies of a language's words, by the package wordfreq (Speer, 2022).

    Args:
        language: its code, such as "de".

    Returns:
        The words that occur at least once in a million, with their frequencies.

    Raises:
        ImportError: wordfreq is not installed.
        ValueError: it does not have the language.
    """
    try:
        import wordfreq
    except ImportError as error:
        raise ImportError(
            "Words of languages need wordfreq, which is not installed: pip install "
            '"tf-squeezebert[languages]", or pass lists of words as frequencies (--frequencies).'
        ) from error
    known = wordfreq.available_languages("small")
    if language not in known:
        raise ValueError(
            f"wordfreq has no words of the language {language!r}: choose one of "
            f"{', '.join(sorted(known))}, or pass a list of words as frequencies (--frequencies)."
        )
    return wordfreq.get_frequency_dict(language, "small")
