"""Changes of a file: bytes and words that are set, taken out, doubled, or moved."""

from __future__ import annotations

import random

# What parsers stumble over: ends of ranges, JSON of odd kinds, and what a text must not hold.
_WORDS = (
    *(value.to_bytes(4, "little", signed=True) for value in (-1, 0, 1, 2**31 - 1, -(2**31))),
    *((2**63 - 1).to_bytes(8, "little"), b"\xff" * 8, b"\0" * 8),
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"[]", b"{}", b'""', b'"x"', b"0.5", b"9" * 40),
    *(
        b"\\ud800",
        b"\xff",
        b"\0",
        b"\x1b[2J",
        b"\r\n",
        b"\n\n",
        b"\t",
        b'"',
        b",",
        b":",
        b"\xef\xbb\xbf",
    ),
)


def mutate(content: bytes, seed: int) -> bytes:
    """A file with one to four changes, the same for a seed."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        content = chance.choice(_CHANGES)(content, chance)
    return content


def _place(content: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(content))
    return start, min(len(content), start + chance.choice((1, 1, 2, 4, 8, 32)))


def _set_byte(content: bytes, chance: random.Random) -> bytes:
    start, _ = _place(content, chance)
    return content[:start] + bytes([chance.randrange(256)]) + content[start + 1 :]


def _put_word(content: bytes, chance: random.Random) -> bytes:
    start, end = _place(content, chance)
    word = chance.choice(_WORDS)
    return content[:start] + word + content[chance.choice((start, end, start + len(word))) :]


def _replace_value(content: bytes, chance: random.Random) -> bytes:
    """Another value behind a colon or a comma: a change that parsers let through."""
    places = [i for i, x in enumerate(content) if x in b":,[\t"]
    if not places:
        return content
    start = chance.choice(places) + 1
    end = start
    while end < len(content) and content[end] not in b",]}\t\n":
        end += 1
    return content[:start] + chance.choice(_WORDS) + content[end:]


def _take_out(content: bytes, chance: random.Random) -> bytes:
    start, end = _place(content, chance)
    return content[:start] + content[end:]


def _double(content: bytes, chance: random.Random) -> bytes:
    start, end = _place(content, chance)
    return content[:end] + content[start:end] * chance.choice((1, 2, 30)) + content[end:]


def _move(content: bytes, chance: random.Random) -> bytes:
    (start, end), (to, _) = _place(content, chance), _place(content, chance)
    return content[:to] + content[start:end] + content[to:]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)[0]]


_CHANGES = (_set_byte, _put_word, _replace_value, _replace_value, _take_out, _double, _move, _cut)
