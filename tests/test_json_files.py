"""JSON of others: what is read, and each budget's sentence."""

import json

import pytest

from tf_squeezebert.json_files import MAX_BYTES, parse_json, read_json


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"text": "悪い \U0001f600", "numbers": [1, -2.5, 1e-12, 10**30], "flags": [True, None]},
        {"": {"a": [{"b": [[]]}]}},
    ],
    ids=str,
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_json_writes_is_read(tmp_path, value, mark, ascii_only):
    content = mark + json.dumps(value, ensure_ascii=ascii_only).encode()
    (tmp_path / "config.json").write_bytes(content)
    assert parse_json(content) == read_json(tmp_path / "config.json") == value


BAD = {
    "nothing": (b"", "is not valid JSON: Expecting value: line 1"),
    "half an object": (b'{"a": ', "is not valid JSON"),
    "two objects": (b"{} {}", "is not valid JSON: Extra data"),
    "a list": (b"[1, 2]", "should hold a JSON object, and holds a list"),
    "null": (b"null", "should hold a JSON object, and holds a NoneType"),
    "Latin-1": ('{"a": "schön"}'.encode("latin-1"), "is not UTF-8 text"),
    "a surrogate in UTF-8": (b'{"a": "\xed\xa0\x80"}', "is not UTF-8 text"),
    "half a pair": (rb'{"a": "\uD83D"}', "holds half a surrogate pair"),
    "half a pair in a key": (rb'{"\ude00": 1}', "holds half a surrogate pair"),
    "NaN": (b'{"a": NaN}', "holds NaN, which is not JSON"),
    "infinity": (b'{"a": [-Infinity]}', "holds -Infinity, which is not JSON"),
    "a key twice": (b'{"a": {"size": 1, "size": 1}}', "names 'size' twice"),
    "a number of 5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "holds a number of 5000 digits"),
    "lists 65 deep": (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "nests more than 64 levels"),
    "objects 65 deep": (b'{"a":' * 64 + b"{}" + b"}" * 64, "nests more than 64 levels"),
    "lists 100,000 deep": (b'{"a":' + b"[" * 100_000, "nests more than 64 levels"),
    "objects 100,000 deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nests more than 64"),
    "too many bytes": (b'{"a": "' + b"x" * MAX_BYTES + b'"}', f"is longer than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_refused(tmp_path, kind):
    content, says = BAD[kind]
    with pytest.raises(ValueError, match=rf"^{says}"):
        parse_json(content)
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^'.*index\.json' {says}"):
        read_json(tmp_path / "index.json")


def test_64_levels_are_read():
    parse_json(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")


def test_a_smaller_budget():
    assert parse_json(b'{"a": 1}', max_bytes=8) == {"a": 1}
    with pytest.raises(ValueError, match="is longer than 7 bytes"):
        parse_json(b'{"a": 1}', max_bytes=7)


def test_a_file_that_never_ends_is_not_read_to_its_end(tmp_path):
    (tmp_path / "config.json").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="is longer than 1024 bytes"):
        read_json(tmp_path / "config.json", max_bytes=1024)
