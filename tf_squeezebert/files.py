"""Writing that leaves the old files whole when it is interrupted, and what may not be written over.

Locks are flock(2): they end with their process, however it ends. Where a file system has none (for
folders, NFS), writers do without: each file is still whole, and what killed writers left stays.
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
# Weights in another form (shards, pytorch_model.bin) are not among them: this package and
# transformers read model.safetensors first.
MODEL_FILES = ("model.safetensors", *TOKENIZER_FILES, CONFIG_FILE)
# What training writes into a folder besides.
RUN_FILES = ("training.safetensors", "results.json", "history.csv", "curves.png", "squeeze.json")
_RESULTS = (".jsonl", ".keras", ".tflite")  # suffixes of what may lie in a model's folder, too

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
    """Gives a temporary path, moved onto `path` once the block ends without an error.

    The temporary file lies beside `path`, in a folder that only its owner may enter, and has the
    same name: some writers choose the format by the suffix. It is on the disk before it is moved.
    The folder of `path` is made if need be; an old file's mode is kept; of a symbolic link as
    `path` the link is replaced, and the file that it names stays as it was. Nothing is left behind
    when the block fails; what a killed process left is removed by the next writer in the folder.

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
    """`replacing` for a whole folder, which the block makes.

    Args:
        path: the folder.
        mark: the name of a file by which an old folder is known as one of the same kind. It is
            replaced, with all that it holds.

    Raises:
        ValueError: `path` is a file, or a folder that holds something else.
        OSError: it can not be written; the error names `path`.
    """
    path = Path(path)
    _require_folder(path)
    if path.is_dir() and any(path.iterdir()) and not (path / mark).is_file():
        raise ValueError(f"'{path}' holds something else already: give a new name.")
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


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_tensors(
    path: str | os.PathLike, tensors: Mapping[str, Any], metadata: Mapping[str, str]
) -> None:
    """Writes NumPy arrays in safetensors' format, whole or not at all."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    with replacing(path) as temporary:
        try:
            save_file(dict(tensors), temporary, metadata=dict(metadata))
        except SafetensorError as error:
            # The Rust library's errors are an OSError's, in words.
            found = re.search(r"\(os error (\d+)\)", str(error))
            if found is None:
                raise OSError(f"'{path}' could not be written: {error}.") from error
            raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from error


def check_writable(path: str | os.PathLike, size: int = 0) -> None:
    """Raises before long work what `replacing` would raise after it, and leaves nothing behind.

    Args:
        path: the file that is to be written.
        size: bytes that will be needed, at least.

    Raises:
        ValueError, OSError: as `replacing` does; or there is less room than `size`.
    """
    path = Path(path)
    _require_file(path)
    # Of a link that leads nowhere, the folder itself can not be made.
    above = next(p for p in path.parents if os.path.lexists(p))
    with _naming(path), _place_in(above) as place:
        trial = place / path.name
        trial.write_bytes(bytes(4096))  # a folder alone may fit on a disk that is full
        _sync(trial)
        free = shutil.disk_usage(place).free
        if free < size:
            needed = f"{size / 1e6:.0f} MB are needed, and {free / 1e6:.0f} MB are free"
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: {needed}", str(path))


def check_folder_writable(
    folder: str | os.PathLike, names: Collection[str] = (), size: int = 0
) -> None:
    """`check_writable` for a folder, and for files in it.

    Raises:
        ValueError, OSError: as `check_writable` does; or `folder` is a file.
    """
    folder = Path(folder)
    _require_folder(folder)
    for name in names:
        _require_file(folder / name)
    check_writable(folder / CONFIG_FILE, size)


# A model's files


@contextmanager
def replacing_files(folder: str | os.PathLike, names: Collection[str]) -> Iterator[Path]:
    """Gives an empty folder, whose files replace those of `names` once the block ends.

    They do so together or not at all: the temporary folder is renamed, which commits them, and its
    files are moved. If that is interrupted, the next reader or writer of this package finishes it,
    and others see no mix of old and new: config.json goes first and comes last. A file of `names`
    that the block did not write is removed from `folder`, since it would be another model's. Other
    files stay.

    Args:
        folder: made if need be.
        names: some of `MODEL_FILES`.

    Raises:
        ValueError: `folder` is a file, or one of `names` in it a folder.
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
                (place / name).mkdir()  # in a file's place it says that the file goes
        _sync_folder(place)
        with _locked(folder, fcntl.LOCK_EX):
            _move_committed(folder)  # of a writer that was killed
            os.rename(place, folder / _COMMITTED)
            _sync_folder(folder)
            _move_committed(folder)


@contextmanager
def named_in_utf8(path: str | os.PathLike) -> Iterator[str]:
    """Gives a file's path, or where that is not UTF-8, which some libraries ask for, a link's."""
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
    """Keeps `replacing_files` from a folder while its files are read: they are of one model."""
    while True:
        finish_save(folder)
        with _locked(folder, fcntl.LOCK_SH):
            if not _is_committed(folder):
                yield
                return


def finish_save(folder: str | os.PathLike) -> None:
    """Finishes a save that was committed and then interrupted, if there is one.

    Raises:
        OSError: it can not be finished.
    """
    if not _is_committed(folder):
        return
    try:
        with _locked(folder, fcntl.LOCK_EX):
            _move_committed(folder)
    except OSError as error:
        raise OSError(
            f"'{folder}' holds a model whose saving was interrupted, and that can not be finished "
            f"({error.strerror}): make the folder writable."
        ) from error


def _is_committed(folder: str | os.PathLike) -> bool:
    committed = Path(folder) / _COMMITTED
    return committed.is_dir() and not committed.is_symlink()


def _move_committed(folder: str | os.PathLike) -> None:
    """Moves a committed save's files to their places; those moved before are not touched again."""
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
    """Keeps other runs out of a folder until the block ends; a killed run keeps nobody out.

    The folder is made if need be, and removed at the end if it is still empty. Within a run its
    own thread may begin another in the same folder, as a part of it.

    Raises:
        ValueError: another run has the folder; or it is a file.
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
                f"Another run is going on in '{folder}'{holder and f' ({holder})'}: wait for its "
                "end, or give another folder."
            ) from None
        except OSError:
            return lock  # a file system without locks
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                with suppress(OSError):  # a disk may be full: the lock holds all the same
                    os.ftruncate(lock, 0)
                    os.write(lock, f"process {os.getpid()} on {platform.node()}".encode())
                return lock
        os.close(lock)  # of a run that ended, and removed it, in between


# Sources


def require_apart(
    target: str | os.PathLike, models: Iterable[Any] = (), files: Iterable[Any] = ()
) -> None:
    """Refuses to write over what is read, whatever its path is spelled like.

    Args:
        target: the file or folder to be written.
        models: folders, or weights files, of models that are read; or models in memory, which
            are where they came from. What is not a path here (None, a hub id) is passed over.
        files: other files that are read.

    Raises:
        ValueError: one of these would be overwritten.
    """
    target = Path(target)
    models = [getattr(model, "_source", None) or model for model in models]
    models = [Path(model) for model in models if _is_here(model)]
    # Beside a weights file its config.json and vocabulary are read.
    beside = [model.with_name(name) for model in models if model.is_file() for name in MODEL_FILES]
    sources = [*models, *beside, *(Path(file) for file in files if _is_here(file))]
    for source in sources:
        if source.exists() and _overwrites(target, source):
            raise ValueError(
                f"'{source}' is read, and would be written over: give another place than "
                f"'{target}'."
            )


def _is_here(source: Any) -> bool:
    return isinstance(source, (str, os.PathLike)) and os.path.exists(source)


def _overwrites(target: Path, source: Path) -> bool:
    # Where folders that are not there yet are followed by "..", they will be made.
    place = Path(os.path.realpath(target))
    if place.exists() and place.samefile(source):
        return True
    # By their numbers: on some systems a folder's name can be spelt in capitals, too.
    if any(parent.exists() and parent.samefile(source) for parent in place.parents):
        # In a model's folder.
        if place.exists():
            return place.is_dir() or target.suffix not in _RESULTS
        return not target.suffix or target.name.lower() in MODEL_FILES
    is_written = source.name in (*MODEL_FILES, *RUN_FILES)
    return is_written and place.is_dir() and source.parent.samefile(place)


# Parts of the above


def _make(folder: Path) -> list[Path]:
    """Makes a folder if need be; returns those that were made, the innermost first."""
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
    """Makes a folder for a block, which leaves none that it made where it fails."""
    made = _make(folder)
    try:
        yield
    except BaseException:
        _remove_empty(made)
        raise


def _require_file(path: Path) -> None:
    """Refuses a path whose content a file can not replace."""
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise ValueError(f"'{path}' is a folder: give a file's name.")
    # In /dev a link such as stdout may lead to a regular file.
    is_device = path.parent.resolve() == Path(os.devnull).parent
    if (mode is not None and not stat.S_ISREG(mode)) or is_device:
        raise ValueError(f"'{path}' is not a regular file: give the name of one, or a new name.")


def _require_folder(folder: Path) -> None:
    mode = _mode(folder)
    if mode is not None and not stat.S_ISDIR(mode):
        raise ValueError(f"'{folder}' is a file: pass a folder.")


def _mode(path: Path) -> int | None:
    """What a path leads to, by one look, for others may replace it meanwhile; None for nothing."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """An OSError of a temporary file, or of no named one, becomes one of `path`."""
    try:
        yield
    except OSError as error:
        if not error.errno or (error.filename and _PREFIX not in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def _place_in(folder: Path) -> Iterator[Path]:
    """A folder in a temporary one, whose lock says that its writer lives."""
    _remove_leftovers(folder)
    with contextlib.ExitStack() as stack:
        with _signals_waiting():  # so that what is made is also removed
            outer, lock = _make_outer(folder)
            stack.callback(os.close, lock)
            stack.callback(shutil.rmtree, outer, ignore_errors=True)
        place = outer / "files"  # which writers may lock in their turn
        place.mkdir()
        yield place


@contextmanager
def _signals_waiting() -> Iterator[None]:
    """Lets SIGINT and SIGTERM, whose handlers may raise anywhere, wait until the block has ended.

    Handlers run in the main thread: in others there is nothing to do.
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
        # Another writer took it for a leftover before it was locked.


def _remove_leftovers(folder: Path) -> None:
    for name in filter(_LEFTOVER.fullmatch, os.listdir(folder)):
        with suppress(OSError):  # a link, another user's, or in use
            lock = os.open(folder / name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder / name)
            finally:
                os.close(lock)


@contextmanager
def _locked(folder: str | os.PathLike, operation: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        with suppress(OSError):  # its rights, or its file system, allow none
            lock = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, lock)
            fcntl.flock(lock, operation)
        yield


def _keep_mode(old: Path, new: Path) -> None:
    with suppress(FileNotFoundError):
        new.chmod(old.stat().st_mode & 0o777)


def _exchange(new: Path, old: Path) -> None:
    """Two folders change places: at once on Linux, elsewhere one after the other."""
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
    """Brings names to the disk, where the file system can do that."""
    with suppress(OSError):
        _sync(path)
