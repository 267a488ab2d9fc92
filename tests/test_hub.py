"""Models from the Hugging Face hub, played by a small server on loopback.

The client is a separate process, because huggingface_hub reads its environment when it is imported.
"""

import hashlib
import http.server
import json
import logging
import re
import shutil
import socket
import struct
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

import tf_squeezebert
from tf_squeezebert.convert import CheckpointError

from .configs import small_config
from .reference import reference

pytestmark = pytest.mark.slow

NAME = "SqueezeBertForSequenceClassification"
TEXT = "A text"
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "text", "A"]


def commit_of(revision: str) -> str:
    return hashlib.sha1(revision.encode()).hexdigest()


class Hub:
    """Serves `/{repo}/resolve/{revision}/{file}` from folders, one for each repo and revision."""

    def __init__(self):
        self.folders: dict[tuple[str, str], Path] = {}
        self.requests: list[str] = []
        self.broken: dict[str, str] = {}  # file name: how its download breaks off
        self.port = 0
        self.up()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, repo: str, folder: Path, revision: str = "main") -> str:
        self.folders[repo, revision] = self.folders[repo, commit_of(revision)] = folder
        return repo

    def up(self) -> None:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def unreachable(self):
        self.down()
        try:
            yield
        finally:
            self.up()

    @contextmanager
    def breaking(self, filename: str, how: str):
        self.broken[filename] = how
        try:
            yield
        finally:
            del self.broken[filename]


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self):
        self.hub.requests.append(f"{self.command} {self.path}")
        if self.path.startswith("/api/models/"):
            return self._describe(
                *re.split("/(?:revision|tree)/", self.path[len("/api/models/") :])
            )
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        revision, _, filename = rest.partition("/")
        commit = self._find(repo, revision)
        if commit is None:
            return None
        path = self.hub.folders[repo, revision] / filename
        if not path.is_file():
            return self._refuse("EntryNotFound", {"X-Repo-Commit": commit})
        if self.hub.broken.get(filename) == "error":
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return None
        content = path.read_bytes()
        self._head(
            HTTPStatus.OK,
            {
                "X-Repo-Commit": commit,
                "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
                "Content-Length": str(len(content)),
            },
        )
        return content

    def _find(self, repo, revision):
        """The commit of a revision; where there is none, it was refused."""
        revisions = {known for name, known in self.hub.folders if name == repo}
        if not revisions:
            return self._refuse("RepoNotFound")
        if revision not in revisions:
            return self._refuse("RevisionNotFound")
        return revision if len(revision) == 40 else commit_of(revision)

    def _describe(self, repo, revision="main"):
        """What the hub's API says of a repository, or of its files."""
        revision = revision.partition("?")[0]
        commit = self._find(repo, revision)
        if commit is None:
            return None
        files = sorted(self.hub.folders[repo, revision].iterdir())
        answer = {"id": repo, "sha": commit, "siblings": [{"rfilename": x.name} for x in files]}
        if "/tree/" in self.path:
            answer = [
                {"type": "file", "path": x.name, "size": x.stat().st_size, "oid": "0" * 40}
                for x in files
            ]
        content = json.dumps(answer).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        self._head(HTTPStatus.OK, headers)
        return content

    def do_GET(self):
        content = self.do_HEAD()
        if content is None:
            return
        how = self.hub.broken.get(self.path.rpartition("/")[2])
        self.wfile.write(content[: len(content) // 2] if how else content)
        if how == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.rfile.close()
            self.connection.close()

    def _refuse(self, code, headers=None):
        self._head(HTTPStatus.NOT_FOUND, {"X-Error-Code": code, **(headers or {})})

    def _head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args):
        pass


# ------------------------------------------------------------------ the client's process


def _do_not_wait() -> None:
    time.sleep = lambda seconds: None  # between the retries of huggingface_hub


def _logits(model) -> np.ndarray:
    return np.asarray(model(np.array([[2, 5, 6, 7, 3]], np.int32)))


def _load(path_or_id, **options) -> np.ndarray:
    return _logits(getattr(tf_squeezebert, NAME).from_pretrained(path_or_id, **options))


def _warnings_of_loading(path_or_id, **options) -> list[str]:
    """What huggingface_hub tells the user meanwhile."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger("huggingface_hub").addHandler(handler)
    try:
        _load(path_or_id, **options)
    finally:
        logging.getLogger("huggingface_hub").removeHandler(handler)
    return messages


def _load_and_tokenize(path_or_id, **options) -> list[int]:
    model = getattr(tf_squeezebert, NAME).from_pretrained(path_or_id, **options)
    return model.tokenizer(TEXT)["input_ids"]


def _tokenize(path_or_id, **options) -> list[int]:
    return tf_squeezebert.SqueezeBertTokenizer.from_pretrained(path_or_id, **options)(TEXT)[
        "input_ids"
    ]


def _read_config(path_or_id, **options) -> dict:
    return tf_squeezebert.SqueezeBertConfig.from_pretrained(path_or_id, **options).to_dict()


@pytest.fixture(scope="module")
def hub():
    hub = Hub()
    yield hub
    hub.down()


@pytest.fixture(scope="module")
def process(hub, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        patch.setenv("HF_HUB_OFFLINE", "0")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("HF_HUB_ETAG_TIMEOUT", "10")
        patch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "10")
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.delenv("HF_TOKEN", raising=False)
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=_do_not_wait) as pool:
            pool.submit(time.sleep, 0).result(timeout=120)
            yield pool


@pytest.fixture
def client(process, tmp_path):
    """Calls a function in the client's process, with a cache that is new in each test."""

    def call(function, path_or_id, **options):
        options.setdefault("cache_dir", tmp_path / "cache")
        return process.submit(function, path_or_id, **options).result(timeout=120)

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A published model: config.json, model.safetensors, and the tokenizer's files."""
    folder = tmp_path_factory.mktemp("model")
    reference(NAME, small_config()).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(TOKENS))
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    return folder


# ------------------------------------------------------------------ what the hub serves


def shard(folder):
    reference(NAME, small_config()).save_pretrained(folder, max_shard_size="50KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1


def pickle(folder):
    reference(NAME, small_config()).config.save_pretrained(folder)
    torch.save(reference(NAME, small_config()).state_dict(), folder / "pytorch_model.bin")


@pytest.mark.parametrize("store", [None, shard, pickle])
def test_a_model_of_the_hub_is_that_of_the_folder(hub, client, folder, tmp_path, store):
    if store is not None:
        store(tmp_path)
    repo = hub.publish("someone/model", folder if store is None else tmp_path)
    np.testing.assert_array_equal(client(_load, repo), _load(folder))


def test_a_model_without_safetensors_is_not_a_reason_to_warn(hub, client, tmp_path):
    pickle(tmp_path)
    assert client(_warnings_of_loading, hub.publish("someone/model", tmp_path)) == []


def test_a_repository_without_owner(hub, client, folder):
    np.testing.assert_array_equal(client(_load, hub.publish("model", folder)), _load(folder))


def test_a_tokenizer_of_the_hub_is_that_of_the_folder(hub, client, folder):
    repo = hub.publish("someone/model", folder)
    assert client(_tokenize, repo) == client(_load_and_tokenize, repo) == _tokenize(folder)


def test_the_revision_is_honoured(hub, client, folder, tmp_path):
    reference(NAME, small_config(), seed=1).save_pretrained(tmp_path)
    hub.publish("someone/two", folder)
    hub.publish("someone/two", tmp_path, "v2")
    first, second = _load(folder), _load(tmp_path)
    assert np.abs(first - second).max() > 1e-3
    for revision, expected in {
        None: first,
        "main": first,
        "v2": second,
        commit_of("v2"): second,
    }.items():
        np.testing.assert_array_equal(client(_load, "someone/two", revision=revision), expected)


def test_the_cache_is_where_it_was_asked_for(hub, client, folder, tmp_path):
    client(_read_config, hub.publish("someone/model", folder), cache_dir=tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").rglob("config.json"))
    assert not (tmp_path / "cache").exists()


# ------------------------------------------------------------------ without the hub


@pytest.mark.parametrize("options", [{"local_files_only": True}, {}], ids=["local only", "as ever"])
@pytest.mark.parametrize("store", [None, shard, pickle])
def test_a_second_load_needs_no_hub(hub, client, folder, tmp_path, store, options):
    """Nor does its tokenizer, though nothing asked for one in the first load."""
    if store is not None:
        store(tmp_path)
        for name in ("vocab.txt", "tokenizer_config.json"):
            shutil.copy(folder / name, tmp_path)
    repo = hub.publish("someone/model", folder if store is None else tmp_path)
    client(_load, repo)
    with hub.unreachable():
        np.testing.assert_array_equal(client(_load, repo, **options), _load(folder))
        assert client(_load_and_tokenize, repo, **options) == _tokenize(folder)


def test_local_files_only_asks_nothing_of_the_hub(hub, client, folder):
    repo = hub.publish("someone/model", folder)
    client(_load, repo)
    hub.requests.clear()
    client(_load_and_tokenize, repo, local_files_only=True)
    assert hub.requests == []


def test_local_files_only_before_any_download(hub, client, folder):
    repo = hub.publish("someone/model", folder)
    with pytest.raises(
        FileNotFoundError,
        match=r"Files of 'someone/model' are not in the local cache, and local_files_only",
    ):
        client(_load, repo, local_files_only=True)


def test_local_files_only_after_half_a_download(hub, client, folder):
    repo = hub.publish("someone/model", folder)
    client(_read_config, repo)
    with pytest.raises(
        FileNotFoundError, match=r"Files of .* not in the local cache.*local_files_only"
    ):
        client(_load, repo, local_files_only=True)


# ------------------------------------------------------------------ what is missing


def test_a_missing_repository(client):
    with pytest.raises(FileNotFoundError, match="'no/such' is neither a file or folder here nor a"):
        client(_load, "no/such")


def test_a_missing_revision(hub, client, folder):
    repo = hub.publish("someone/model", folder)
    with pytest.raises(FileNotFoundError, match="'someone/model' on the hub has no revision 'v9'"):
        client(_load, repo, revision="v9")


@pytest.mark.parametrize("path", ["a/b/c", "no such model", "/no/such/model"])
def test_what_is_not_a_hub_id_is_not_asked_for(hub, client, path):
    hub.requests.clear()
    with pytest.raises(FileNotFoundError, match=f"no file or folder '{path}'.*not a hub id"):
        client(_load, path)
    assert hub.requests == []


@pytest.mark.parametrize("path", ["a--b/c", "-a/b", "a/b.", "../up"])
def test_what_the_hub_would_not_take_as_an_id(client, path):
    with pytest.raises(FileNotFoundError, match=f"'{path}' is neither a file or folder here nor"):
        client(_load, path)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["model.safetensors"], r"'someone/part' on the hub has no file config\.json"),
        (["config.json"], r"'someone/part' on the hub has none of model\.safetensors, .*index"),
    ],
)
def test_a_missing_file(hub, client, folder, tmp_path, files, says):
    (tmp_path / "part").mkdir()
    for name in files:
        shutil.copy(folder / name, tmp_path / "part")
    with pytest.raises(FileNotFoundError, match=says):
        client(_load, hub.publish("someone/part", tmp_path / "part"))


def test_a_missing_shard(hub, client, tmp_path):
    shard(tmp_path)
    lost = max(tmp_path.glob("model-*.safetensors"))
    lost.unlink()
    with pytest.raises(FileNotFoundError, match=f"'someone/part' on the hub has no .*{lost.name}"):
        client(_load, hub.publish("someone/part", tmp_path))


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("{}", "is damaged"),
        ('{"weight_map": {"a": 3}}', "is damaged"),
        ('{"weight_map": {"a": "../config.json"}}', "refused: it names a file in another folder"),
    ],
)
def test_a_damaged_index(hub, client, folder, tmp_path, index, says):
    shutil.copy(folder / "config.json", tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(CheckpointError, match=says):
        client(_load, hub.publish("someone/damaged", tmp_path))


@pytest.mark.parametrize("shard", ["*", "*.dat", "[a-z]*.dat", ""])
def test_an_index_fetches_what_it_names_and_nothing_else(hub, client, folder, tmp_path, shard):
    shutil.copy(folder / "config.json", tmp_path)
    (tmp_path / "other.dat").write_bytes(b"large")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    hub.requests.clear()
    with pytest.raises((FileNotFoundError, CheckpointError)):
        client(_load, hub.publish("someone/patterns", tmp_path))
    assert not [request for request in hub.requests if "other.dat" in request]


# ------------------------------------------------------------------ what breaks


@pytest.mark.parametrize("how", ["closed", "reset", "error"])
@pytest.mark.parametrize("store", [None, shard])
def test_a_broken_download_can_be_repeated(hub, client, folder, tmp_path, store, how):
    if store is not None:
        store(tmp_path)
    repo = hub.publish("someone/model", folder if store is None else tmp_path)
    filename = max(path.name for path in hub.folders[repo, "main"].glob("*.safetensors"))
    with hub.breaking(filename, how), pytest.raises(ConnectionError) as caught:
        client(_load, repo)
    message = str(caught.value)
    assert "There is no folder 'someone/model' here, and its files could not be f" in message
    assert "\n" not in message
    assert not list((tmp_path / "cache").rglob("*.incomplete"))
    np.testing.assert_array_equal(client(_load, repo), _load(folder))


def test_a_hub_that_cannot_be_reached(hub, client, folder):
    repo = hub.publish("someone/model", folder)
    with hub.unreachable(), pytest.raises(ConnectionError, match=r"could not be .*check the path"):
        client(_load, repo)
    np.testing.assert_array_equal(client(_load, repo), _load(folder))


def test_a_hub_that_is_switched_off(folder, monkeypatch):
    """Here, where tests/conftest.py has set HF_HUB_OFFLINE."""
    with pytest.raises(ConnectionError, match=r"could not be .*HF_HUB_OFFLINE"):
        _load("someone/model")


def test_a_cache_that_cannot_be_written_is_not_the_networks_fault(hub, client, folder, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OSError, match="cache") as caught:
        client(_load, hub.publish("someone/model", folder))
    assert not isinstance(caught.value, ConnectionError)


def test_the_index_of_a_model_in_shards_is_json(tmp_path):
    """What `shard` serves is what the hub does."""
    shard(tmp_path)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"].values()) == {p.name for p in tmp_path.glob("model-*")}
