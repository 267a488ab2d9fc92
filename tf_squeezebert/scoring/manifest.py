"""The manifest of a folder of answers: what they were made of, and the parts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.checks import brief
from ..files import is_own_name, write_text
from ..json_files import read_json
from ..version import __version__
from .job import Job, digest_file
from .parts import Part

# Programs that read a folder of parts leave out files whose names begin so.
MANIFEST = "_score.json"
_MOST_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a folder of answers was made of.

    Attributes:
        size, modified: the stamp of the file of rows.
        rows: the digest of the file of rows.
        model: the digest of the model.
        options: those of `Job.options`.
        parts: all parts, finished or not.
    """

    size: int
    modified: int
    rows: str
    model: str
    options: Mapping[str, Any]
    parts: Sequence[Part]

    def save(self, folder: Path) -> None:
        written = {**dataclasses.asdict(self), "version": __version__}
        write_text(folder / MANIFEST, json.dumps(written))

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """The manifest in a folder; None if there is none.

        Raises:
            ValueError: it is damaged.
        """
        path = folder / MANIFEST
        if not path.exists():
            return None
        values = read_json(path, _MOST_BYTES)
        try:
            values["parts"] = [Part(*map(int, part)) for part in values["parts"]]
            return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls)})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"'{path}' is damaged: choose another folder.") from error

    def check_same(self, job: Job, model: str) -> None:
        """Refuses to resume with other rows, another model or other options.

        Raises:
            ValueError: they differ; the message says in what.
        """
        options = json.loads(json.dumps(job.options()))
        differing = [name for name in options if options[name] != self.options.get(name)]
        if model != self.model:
            difference = "by another model"
        elif differing:
            name = differing[0]
            theirs, ours = (brief(x.get(name)) for x in (self.options, options))
            difference = f"with {name} {theirs}, not {ours}"
        elif not self._is_of(job):
            difference = f"of other rows ('{job.data}' is another file, or was changed)"
        else:
            return
        raise ValueError(
            f"'{job.out}' holds answers {difference}: resume with the arguments it was begun with, "
            "or choose another folder."
        )

    def _is_of(self, job: Job) -> bool:
        stamp = job.stamp()
        # A copy has another time.
        return stamp == (self.size, self.modified) or (
            stamp[0] == self.size and digest_file(job.data) == self.rows
        )


def check_folder(folder: Path, resume: bool) -> Manifest | None:
    """The manifest of a folder to resume; None for a folder to begin with.

    Raises:
        ValueError: it holds something else, or answers that are not to be resumed.
    """
    manifest = Manifest.load(folder)
    if not resume and [path.name for path in folder.iterdir() if not is_own_name(path.name)] == [
        MANIFEST
    ]:
        return None  # a run that failed before its first part
    if manifest is not None and not resume:
        raise ValueError(f"'{folder}' holds answers: resume (--resume), or choose another folder.")
    if manifest is None and any(not is_own_name(path.name) for path in folder.iterdir()):
        raise ValueError(f"'{folder}' holds something else: choose another folder.")
    return manifest
