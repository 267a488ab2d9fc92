"""Writes a page for each command, from its --help: python docs/make_cli_pages.py"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from tf_squeezebert import cli

FOLDER = Path(__file__).parent / "cli"


def pages() -> dict[str, str]:
    """The content of each page, by the file's name."""
    os.environ["COLUMNS"] = "100"
    names = [verb.__name__.rpartition(".")[2].replace("_", "-") for verb in cli.VERBS]
    index = _page("tf-squeezebert", _help())
    index += "\n" + "\n".join(f"- [{name}]({name}.md)" for name in names) + "\n"
    return {
        "README.md": index,
        **{f"{name}.md": _page(f"tf-squeezebert {name}", _help(name)) for name in names},
    }


def _page(title: str, text: str) -> str:
    return f"# {title}\n\n```text\n{text.rstrip()}\n```\n"


def _help(*command: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        cli.main([*command, "--help"])
    return printed.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in pages().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
