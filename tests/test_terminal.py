"""What others wrote, where a terminal or a log shows it."""

from __future__ import annotations

import json

import pytest

from tf_squeezebert.terminal import json_line, printable

HOSTILE = "\x1b]0;title\x07 \r \n \x00 \x7f \x9b31m \u202e \u2066 \u2028 \ud800 \udcff"


def test_what_a_terminal_obeys_is_escaped():
    shown = printable(HOSTILE)
    assert shown.isprintable()
    assert shown.startswith(r"\x1b]0;title\x07 \r \n \x00 \x7f \x9b31m \u202e \u2066 \u2028 \ud800")


def test_text_of_every_script_stays_as_it_is():
    text = "S\u00f8r\tकथा שלום \u200fمن\u200cسم\u200e 👩\u200d🔬 東京"
    assert printable(text) == text


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", None, "ascii", "latin-1", "cp1252"])
def test_json_is_exact_in_every_encoding(encoding):
    value = {HOSTILE: [HOSTILE, "👩 S\u00f8r 東京", 0.1]}
    line = json_line(value, encoding)
    assert json.loads(line) == value
    assert line.isprintable()
    line.encode(encoding or "utf-8")


def test_what_json_lacks_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        json_line({"score": float("nan")})
