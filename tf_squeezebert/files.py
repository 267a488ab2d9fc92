"""Writes files so that an interruption leaves the old ones whole; refuses to overwrite others.

Locks are flock(2): they end with their process, however it ends. On a file system without locks
(such as NFS, for folders), writers do without: each file is still whole, but the temporary files of
killed writers stay.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import re
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CONFIG_FILE = "config.json"
TOKENIZER_FILES = (
    "added_tokens.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
# Weights in other formats (shards, pytorch_model.bin) are not listed: this package and
# transformers read model.safetensors first.
MODEL_FILES = ("model.safetensors", *TOKENIZER_FILES, CONFIG_FILE)
# What training also writes into a folder.
RUN_FILES = (
    *("training.safetensors", "results.json", "history.csv", "curves.png"),
    *("squeeze.json", "frontier.json", "frontier.png", "model.tflite"),  # of `squeeze`
)
_RESULTS = (".jsonl", ".keras", ".tflite")  # suffixes of other files allowed in a model's folder

_PREFIX = ".tf_squeezebert-"
_SUFFIX = ".tmp"
_LEFTOVER = re.compile(re.escape(_PREFIX) + "[a-z0-9_]{8}" + re.escape(_SUFFIX))
_COMMITTED = _PREFIX + "saved"
_LOCK_FILE = _PREFIX + "run"
_runs = threading.local()
_AT_CWD, _RENAME_EXCHANGE = -100, 2  # of renameat2(2)


# One file


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path, which is moved to `path` when the block ends without an error.

    The temporary file lies beside `path`, in a folder that only its owner may enter, and has the
    same name, since some writers choose the format by the suffix. It is synced to the disk before
    it is moved. The folder of `path` is made if it does not exist, and an old file's mode is kept.
    If `path` is a symbolic link, the link is replaced, and the file that it points to stays as it
    was. If the block fails, nothing is left behind; the next writer in the folder removes what a
    killed process left.

    Raises:
        ValueError: `path` is a folder, a device or a pipe.
        OSError: it can not be written; the error names `path`.
    """
    path = Path(path)
    _require_file(path)
    with _naming(path), _made(path.parent):
        finish_save(path.parent)
        with _place_in(path.parent) as place:
            temporary = place / path.name
            temporary.touch()
            mode = temporary.stat().st_mode  # some writers make files that only their owner reads
            yield temporary
            temporary.chmod(mode)
            _keep_mode(path, temporary)
            _sync(temporary)
            os.replace(temporary, path)
            _sync_folder(path.parent)


@contextmanager
def replacing_folder(path: str | os.PathLike, mark: str) -> Iterator[Path]:
    """Like `replacing`, for a whole folder, which the block makes.

    Args:
        path: the folder.
        mark: the name of a file that identifies an old folder as one of the same kind. Such a
            folder is replaced, with all that it holds.

    Raises:
        ValueError: `path` is a file, or a folder that holds something else.
        OSError: it can not be written; the error names `path`.
    """
    path = Path(path)
    _require_folder(path)
    if path.is_dir() and any(path.iterdir()) and not (path / mark).is_file():
        raise ValueError(f"'{path}' already holds something else: choose a new name.")
    with _naming(path), _made(path.parent), _place_in(path.parent) as place:
        temporary = place / path.name
        yield temporary
        for path_in_it in (temporary, *temporary.rglob("*")):
            _sync(path_in_it)
        if path.is_dir():
            _exchange(temporary, path)
        else:
            os.rename(temporary, path)
        _sync_folder(path.parent)


def is_own_name(name: str) -> bool:
    """Whether a file or folder of that name is a temporary one, or a lock, of this module's."""
    return name.startswith(_PREFIX)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file in UTF-8, either whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_tensors(
    path: str | os.PathLike, tensors: Mapping[str, Any], metadata: Mapping[str, str]
) -> None:
    """Writes NumPy arrays in safetensors' format, either whole or not at all."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    with replacing(path) as temporary:
        try:
            save_file(dict(tensors), temporary, metadata=dict(metadata))
        except SafetensorError as error:
            # The Rust library reports an OSError as text.
            found = re.search(r"\(os error (\d+)\)", str(error))
            if found is None:
                raise OSError(f"'{path}' could not be written: {error}.") from error
            raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from error


def check_writable(path: str | os.PathLike, size: int = 0) -> None:
    """Raises, before long work, what `replacing` would raise after it, and leaves nothing behind.

    Args:
        path: the file that is to be written.
        size: the least number of bytes that will be needed.

    Raises:
        ValueError, OSError: as `replacing` does, or if there is less room than `size`.
    """
    path = Path(path)
    _require_file(path)
    # A broken link among the parents counts as one: no folder can be made in its place.
    above = next(p for p in path.parents if os.path.lexists(p))
    with _naming(path), _place_in(above) as place:
        trial = place / path.name
        trial.write_bytes(bytes(4096))  # a folder alone may still fit on a full disk
        _sync(trial)
        free = shutil.disk_usage(place).free
        if free < size:
            needed = f"{size / 1e6:.0f} MB are needed, and {free / 1e6:.0f} MB are free"
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {needed}", str(path))


def check_folder_writable(
    folder: str | os.PathLike, names: Collection[str] = (), size: int = 0
) -> None:
    """Like `check_writable`, for a folder and for files in it.

    Raises:
        ValueError, OSError: as `check_writable` does, or if `folder` is a file.
    """
    folder = Path(folder)
    _require_folder(folder)
    for name in names:
        _require_file(folder / name)
    check_writable(folder / CONFIG_FILE, size)


# A model's files


@contextmanager
def replacing_files(folder: str | os.PathLike, names: Collection[str]) -> Iterator[Path]:
    """Gives an empty folder, whose files replace those in `names` when the block ends.

    They are replaced together or not at all: renaming the temporary folder commits them, and then
    its files are moved. If that is interrupted, the next reader or writer of this package finishes
    it, and other programs do not see a mix of old and new files: config.json is removed first and
    written last. A file in `names` that the block did not write is removed from `folder`, since it
    would belong to another model. Other files stay.

    Args:
        folder: made if it does not exist.
        names: a subset of `MODEL_FILES`.

    Raises:
        ValueError: `folder` is a file, or one of `names` in it is a folder.
        OSError: the files can not be written.
    """
    folder = Path(folder)
    _require_folder(folder)
    for name in names:
        _require_file(folder / name)
    with _naming(folder), _made(folder), _place_in(folder) as place:
        yield place
        for name in names:
            if (place / name).exists():
                _keep_mode(folder / name, place / name)
            else:
                (place / name).mkdir()  # a folder in place of a file marks that file for removal
        _sync_folder(place)
        with _locked(folder, fcntl.LOCK_EX):
            _move_committed(folder)  # files of a writer that was killed
            os.rename(place, folder / _COMMITTED)
            _sync_folder(folder)
            _move_committed(folder)


@contextmanager
def named_in_utf8(path: str | os.PathLike) -> Iterator[str]:
    """Gives a file's path or, if that is not UTF-8, as some libraries require, a link's."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / "file"
            link.symlink_to(Path(path).absolute())
            yield str(link)
    else:
        yield str(path)


@contextmanager
def reading(folder: str | os.PathLike) -> Iterator[None]:
    """Holds off `replacing_files` while a folder is read, so that its files are of one model."""
    while True:
        finish_save(folder)
        with _locked(folder, fcntl.LOCK_SH):
            if not _is_committed(folder):
                yield
                return


def finish_save(folder: str | os.PathLike) -> None:
    """Finishes a save that was committed and then interrupted, if there is one.

    Raises:
        OSError: the save can not be finished.
    """
    if not _is_committed(folder):
        return
    try:
        with _locked(folder, fcntl.LOCK_EX):
            _move_committed(folder)
    except OSError as error:
        raise OSError(
            f"'{folder}' holds a model whose saving was interrupted, and it can not be finished "
            f"({error.strerror}): make the folder writable."
        ) from error


def _is_committed(folder: str | os.PathLike) -> bool:
    committed = Path(folder) / _COMMITTED
    return committed.is_dir() and not committed.is_symlink()


def _move_committed(folder: str | os.PathLike) -> None:
    """Moves a committed save's files to their places; those already moved are not touched again."""
    if not _is_committed(folder):
        return
    folder = Path(folder)
    committed = folder / _COMMITTED
    names = [name for name in MODEL_FILES if os.path.lexists(committed / name)]
    for name in reversed(names):
        (folder / name).unlink(missing_ok=True)
    for name in names:
        if not (committed / name).is_dir():
            os.replace(committed / name, folder / name)
    _sync_folder(folder)
    shutil.rmtree(committed)


# Runs


@contextmanager
def one_run(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other runs out of a folder until the block ends, or until the process is killed.

    The folder is made if it does not exist, and removed at the end if it is still empty. The same
    thread may begin another run in the folder, as a part of its run.

    Raises:
        ValueError: another run uses the folder, or it is a file.
        OSError: it can not be written.
    """
    folder = Path(folder)
    _require_folder(folder)
    made = _make(folder)
    held = _runs.__dict__.setdefault("folders", set())
    real = folder.resolve()
    if real in held:
        yield
        return
    try:
        lock = _lock_run(folder)
        held.add(real)
        try:
            yield
        finally:
            held.remove(real)
            (real / _LOCK_FILE).unlink(missing_ok=True)
            os.close(lock)
    finally:
        _remove_empty(made)


def _lock_run(folder: Path) -> int:
    path = folder / _LOCK_FILE
    while True:
        with _naming(folder):
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 200).decode(errors="replace")
            os.close(lock)
            raise ValueError(
                f"Another run is going on in '{folder}'{holder and f' ({holder})'}: wait until it "
                "ends, or choose another folder."
            ) from None
        except OSError:
            return lock  # a file system without locks
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                with suppress(OSError):  # if the disk is full, the lock still holds
                    os.ftruncate(lock, 0)
                    os.write(lock, f"process {os.getpid()} on {platform.node()}".encode())
                return lock
        os.close(lock)  # the lock of a run that ended, and removed it, in between


# Sources


def require_apart(
    target: str | os.PathLike, models: Iterable[Any] = (), files: Iterable[Any] = ()
) -> None:
    """Refuses to overwrite what is read, however its path is spelled.

    Args:
        target: the file or folder to be written.
        models: folders or weights files of models that are read; or models in memory, for which
            the place that they were loaded from counts. Anything that is not a path here (None, a
            hub id) is ignored.
        files: other files that are read.

    Raises:
        ValueError: one of these would be overwritten.
    """
    target = Path(target)
    models = [getattr(model, "_source", None) or model for model in models]
    models = [Path(model) for model in models if _is_here(model)]
    # A weights file is read together with the config.json and vocabulary beside it.
    beside = [model.with_name(name) for model in models if model.is_file() for name in MODEL_FILES]
    sources = [*models, *beside, *(Path(file) for file in files if _is_here(file))]
    for source in sources:
        if source.exists() and _overwrites(target, source):
            raise ValueError(
                f"'{source}' is read, and would be overwritten: choose another place than "
                f"'{target}'."
            )


def _is_here(source: Any) -> bool:
    return isinstance(source, (str, os.PathLike)) and os.path.exists(source)


def _overwrites(target: Path, source: Path) -> bool:
    # Folders that do not exist yet but are followed by ".." will be made.
    place = Path(os.path.realpath(target))
    if place.exists() and place.samefile(source):
        return True
    # Compared by their inode: on some systems a folder's name can also be spelled in capitals.
    if any(parent.exists() and parent.samefile(source) for parent in place.parents):
        # The target lies in a model's folder.
        if place.exists():
            return place.is_dir() or target.suffix not in _RESULTS
        return not target.suffix or target.name.lower() in MODEL_FILES
    is_written = source.name in (*MODEL_FILES, *RUN_FILES)
    return is_written and place.is_dir() and source.parent.samefile(place)


# Helpers


def _make(folder: Path) -> list[Path]:
    """Makes a folder with its parents; returns those that were made, the innermost first."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    with _naming(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            _remove_empty(made)
            raise
    return made


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Makes a folder for a block; if the block fails, every folder that was made is removed."""
    made = _make(folder)
    try:
        yield
    except BaseException:
        _remove_empty(made)
        raise


def _require_file(path: Path) -> None:
    """Refuses a path that can not be replaced by a file."""
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise ValueError(f"'{path}' is a folder: pass a file's name.")
    # In /dev a link such as stdout may lead to a regular file.
    is_device = path.parent.resolve() == Path(os.devnull).parent
    if (mode is not None and not stat.S_ISREG(mode)) or is_device:
        raise ValueError(f"'{path}' is not a regular file: pass the name of one, or a new name.")


def _require_folder(folder: Path) -> None:
    mode = _mode(folder)
    if mode is not None and not stat.S_ISDIR(mode):
        raise ValueError(f"'{folder}' is a file: pass a folder.")


def _mode(path: Path) -> int | None:
    """The mode of what a path leads to, in one system call; None if nothing is there.

    One call, because others may replace the file meanwhile.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turns an OSError that names a temporary file, or no file, into one that names `path`."""
    try:
        yield
    except OSError as error:
        if not error.errno or (error.filename and _PREFIX not in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def _place_in(folder: Path) -> Iterator[Path]:
    """A folder inside a temporary one, whose lock shows that its writer is alive."""
    _remove_leftovers(folder)
    with contextlib.ExitStack() as stack:
        with _signals_waiting():  # so that everything made is also removed
            outer, lock = _make_outer(folder)
            stack.callback(os.close, lock)
            for _ in range(2):  # if a signal's handler raises in the first
                stack.callback(shutil.rmtree, outer, ignore_errors=True)
        place = outer / "files"  # which writers may lock as well
        place.mkdir()
        yield place


@contextmanager
def _signals_waiting() -> Iterator[None]:
    """Delays SIGINT and SIGTERM, whose handlers may raise anywhere, until the block has ended.

    Handlers run in the main thread, so that in other threads there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    handlers = {x: signal.getsignal(x) for x in (signal.SIGINT, signal.SIGTERM)}
    for number in handlers:
        signal.signal(number, lambda number, frame: caught.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for late in caught:
            signal.raise_signal(late)


def _make_outer(folder: Path) -> tuple[Path, int]:
    while True:
        outer = Path(tempfile.mkdtemp(_SUFFIX, _PREFIX, folder))
        with suppress(FileNotFoundError):
            lock = os.open(outer, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if outer.exists():
                return outer, lock
            os.close(lock)
        # Another writer removed it as a leftover before it was locked.


def _remove_leftovers(folder: Path) -> None:
    for name in filter(_LEFTOVER.fullmatch, os.listdir(folder)):
        with suppress(OSError):  # it is a link, another user's, or in use
            lock = os.open(folder / name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder / name)
            finally:
                os.close(lock)


@contextmanager
def _locked(folder: str | os.PathLike, operation: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        with suppress(OSError):  # its permissions or its file system do not allow a lock
            lock = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, lock)
            fcntl.flock(lock, operation)
        yield


def _keep_mode(old: Path, new: Path) -> None:
    with suppress(FileNotFoundError):
        new.chmod(old.stat().st_mode & 0o777)


def _exchange(new: Path, old: Path) -> None:
    """Swaps two folders: atomically on Linux, in two steps elsewhere."""
    with suppress(AttributeError):
        rename = ctypes.CDLL(None).renameat2
        if rename(_AT_CWD, os.fsencode(new), _AT_CWD, os.fsencode(old), _RENAME_EXCHANGE) == 0:
            return
    aside = new.with_name(f"{new.name}-old")
    os.rename(old, aside)
    os.rename(new, old)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    """Syncs a folder's names to the disk, if the file system can do that."""
    with suppress(OSError):
        _sync(path)
