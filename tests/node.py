"""Node and npm for tests, which are skipped where these are missing."""

from __future__ import annotations

import contextlib
import functools
import http.server
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

NO_NETWORK = r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT"
OLDEST_NODE = 20


def program(*names: str) -> str:
    """The path of the first of these that is installed, or the test is skipped."""
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"{' or '.join(names)} is not installed")
    if names == ("node",) and _version(path) < OLDEST_NODE:
        pytest.skip(f"node is older than version {OLDEST_NODE}")
    return path


@functools.cache
def _version(node: str) -> int:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.match(r"v(\d+)\.", shown)[1])


def chromium() -> str:
    """The path of Chromium, which Node drives, or the test is skipped."""
    program("node")
    return program("chromium", "chromium-browser", "google-chrome")


def install_packages(folder: Path) -> None:
    """Runs `npm ci` in a folder; the test is skipped if npm does not reach its registry."""
    command = [program("npm"), "ci", "--prefer-offline", "--fetch-retries=0", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if re.search(NO_NETWORK, done.stderr):
        pytest.skip("npm ci can not reach its registry")
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a site on this machine that serves a folder."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
