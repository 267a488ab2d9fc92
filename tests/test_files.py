"""Files that are written whole or not at all, by one writer, beside others, or killed."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tf_squeezebert import files
from tf_squeezebert.files import (
    MODEL_FILES,
    check_folder_writable,
    check_writable,
    finish_save,
    one_run,
    reading,
    replacing,
    replacing_files,
    replacing_folder,
    require_apart,
    write_tensors,
    write_text,
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def run_script(script: str, *arguments, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


@pytest.fixture(autouse=True)
def closed():
    """No test leaves a file open."""
    before = len(os.listdir("/dev/fd"))
    yield
    assert len(os.listdir("/dev/fd")) <= before


# ------------------------------------------------------------------ one file


def test_a_file_is_written_beside_the_old_one_and_moved(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    before = os.stat(path).st_ino
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old", "written in place"
        assert temporary.suffix == ".txt"
        assert os.stat(temporary).st_dev == os.stat(path).st_dev
    assert path.read_text() == "new"
    assert os.stat(path).st_ino != before
    assert names(tmp_path) == {"file.txt"}


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_what_was_there(error, old, tmp_path):
    path = tmp_path / "file.txt"
    if old is not None:
        path.write_text(old)

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert names(tmp_path) == ({"file.txt"} if old else set())
    assert old is None or path.read_text() == old
    if isinstance(error, OSError):
        assert caught.value.filename == str(path)


def test_nobody_can_plant_a_link_for_the_temporary_file(tmp_path):
    """Neither guess its name nor enter its folder."""
    seen = set()
    for _ in range(20):
        with replacing(tmp_path / "file.txt") as temporary:
            outer = next(p for p in temporary.parents if p.parent == tmp_path)
            assert stat.S_IMODE(outer.stat().st_mode) == 0o700
            assert str(os.getpid()) not in str(outer.relative_to(tmp_path))
            seen.add(outer.name)
    assert len(seen) == 20


def test_a_planted_link_or_pipe_is_left_alone(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file.txt").write_text("theirs")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in (".tf_squeezebert-aaaaaaaa.tmp", f".{os.getpid()}.file.txt"):
        (folder / name).symlink_to(victim, target_is_directory=True)
    os.mkfifo(folder / ".tf_squeezebert-bbbbbbbb.tmp")
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for the pipe's other end"))
    signal.alarm(20)
    try:
        write_text(folder / "file.txt", "ours")
    finally:
        signal.alarm(0)
    assert (victim / "file.txt").read_text() == "theirs"
    assert (folder / "file.txt").read_text() == "ours"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_an_old_files_mode_is_kept(mode, tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    path.chmod(mode)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_mode_of_any_other(tmp_path):
    (tmp_path / "other").touch()
    write_tensors(tmp_path / "new", {"a": np.zeros(3)}, {})  # whose own mode is 0600
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_is_replaced_and_its_file_stays(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_text(link, "new")
    assert (link.read_text(), link.is_symlink(), target.read_text()) == ("new", False, "old")


def test_the_file_is_on_the_disk_before_it_is_moved(tmp_path, monkeypatch):
    calls = []

    def record(name, function):
        def call(*arguments, **options):
            calls.append(name)
            return function(*arguments, **options)

        monkeypatch.setattr(os, name, call)

    for name in ("fsync", "replace"):
        record(name, getattr(os, name))
    write_text(tmp_path / "file.txt", "new")
    assert calls == ["fsync", "replace", "fsync"]


def test_a_folder_is_on_the_disk_before_it_is_moved(tmp_path, monkeypatch):
    synced, rename = [], os.rename
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
    monkeypatch.setattr(os, "rename", lambda *paths: synced.append("move") or rename(*paths))
    with replacing_folder(tmp_path / "new", "mark") as place:
        put(place, {"mark": ""})
        put(place / "part", {"file": ""})
    written = {path.stat().st_ino for path in (tmp_path / "new", *(tmp_path / "new").rglob("*"))}
    assert written <= set(synced[: synced.index("move")])
    assert synced[-1] == tmp_path.stat().st_ino


@pytest.mark.parametrize(
    "error", [OSError("in words alone"), FileNotFoundError(errno.ENOENT, "No such file", "other")]
)
def test_an_error_that_is_not_the_files_stays_what_it_is(error, tmp_path):
    with pytest.raises(type(error)) as caught, replacing(tmp_path / "file"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("path", ["/dev/null", "/dev/stdout", "/dev/new.txt", "folder", "pipe"])
def test_what_is_not_a_regular_file_is_not_replaced(path, tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for function in (check_writable, lambda p: write_text(p, "text")):
        with pytest.raises(ValueError, match=r"is a folder|is not a regular file"):
            function(tmp_path / path)
    assert names(tmp_path) == {"folder", "pipe"}


def test_threads_that_write_one_file_leave_it_whole(tmp_path):
    path = tmp_path / "file.txt"
    texts = [str(i) * 100_000 for i in range(8)]

    def write(text):
        for _ in range(20):
            write_text(path, text)

    threads = [threading.Thread(target=write, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert names(tmp_path) == {"file.txt"}


@pytest.mark.parametrize("write", ["text", "tensors", "zip", "picture"])
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_the_old_one(write, tmp_path):
    """A limit of a file's size stands for the disk's."""
    path = tmp_path / "file.png"
    path.write_text("old")
    process = run_script(
        """
        import resource, signal, sys
        import numpy as np
        from tf_squeezebert import files
        from tf_squeezebert.training import curves
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        from matplotlib.figure import Figure
        from tf_squeezebert.tflite.bundle import attach_files
        path, write = sys.argv[1:]
        history = [{"epoch": i / 9, "loss": 1 / (1 + i)} for i in range(99)]
        def attach():
            with files.replacing(path) as temporary:
                temporary.write_bytes(bytes(7000))
                attach_files(temporary, {"vocab.txt": bytes(70000)})
        writers = {
            "text": lambda: files.write_text(path, "new" * 9999),
            "tensors": lambda: files.write_tensors(path, {"a": np.zeros(9999)}, {}),
            "zip": attach,
            "picture": lambda: curves.draw_curves(path, history, "accuracy"),
        }
        Figure().savefig("/dev/null", format="png")  # reads fonts, and writes its cache of them
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        try:
            writers[write]()
        except OSError as error:
            print(type(error).__name__, error.errno, error.filename)
        """,
        path,
        write,
    )
    assert process.communicate()[0] == f"OSError {errno.EFBIG} {path}\n"
    assert path.read_text() == "old"
    assert names(tmp_path) == {"file.png"}


def test_a_path_that_can_not_be_written_is_found_out_before(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "new", tmp_path / "file" / "a" / "new"):
        with pytest.raises(NotADirectoryError) as caught:
            check_writable(path)
        assert caught.value.filename == str(tmp_path / "file")
    with pytest.raises(OSError, match="File name too long"):
        check_writable(tmp_path / ("x" * 300))
    with pytest.raises(OSError, match=r"No space left on device: 9\d* MB are needed, and \d+ MB "):
        check_writable(tmp_path / "new", 9 * 10**20)
    check_writable(tmp_path / "a" / "b" / "new", 1000)
    assert names(tmp_path) == {"file"}, "it leaves nothing"


def test_room_is_measured_and_tried(tmp_path, monkeypatch):
    """Some disks say that they are full only when what was written is to be kept."""
    for free in (0, 1000):  # with 0 free there may still be room for root
        usage = shutil._ntuple_diskusage(2000, 2000 - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        check_writable(tmp_path / "new")
        check_writable(tmp_path / "new", free)
        with pytest.raises(OSError, match="No space left on device: "):
            check_writable(tmp_path / "new", free + 1)

    def fail(_):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="quota exceeded") as caught:
        check_writable(tmp_path / "new")
    assert caught.value.filename == str(tmp_path / "new")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_takes_no_file_is_found_out_before(number, tmp_path, monkeypatch):
    def fail(path, *_):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(files.tempfile, "mkdtemp", lambda *_: fail("x"))
    with pytest.raises(OSError, match=re.escape(os.strerror(number))):
        check_writable(tmp_path / "new")


def test_a_folder_that_can_not_hold_a_run_is_found_out_before(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "run" / "history.csv").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "none")
    for path, names_, message in (
        (tmp_path / "file", (), "is a file: pass a folder"),
        (tmp_path / "run", ("history.csv",), "history.csv' is a folder"),
    ):
        with pytest.raises(ValueError, match=message):
            check_folder_writable(path, names_)
    for path in (tmp_path / "file" / "new", tmp_path / "link", tmp_path / "link" / "a", "/proc/x"):
        with pytest.raises(OSError, match=r"\[Errno \d+\]"):
            check_folder_writable(path)
    assert names(tmp_path) == {"file", "run", "link"}


@pytest.mark.parametrize("write", ["file", "files", "run"])
def test_folders_that_were_made_for_nothing_go(write, tmp_path):
    folder = tmp_path / "a" / "b"
    writers = {
        "file": lambda: replacing(folder / "file"),
        "files": lambda: replacing_files(folder, MODEL_FILES),
        "run": lambda: one_run(folder),
    }
    with pytest.raises(KeyboardInterrupt), writers[write]():
        raise KeyboardInterrupt
    assert not names(tmp_path)


@pytest.mark.parametrize("system", ["this", "without an exchange", "where it fails"])
def test_a_folder_replaces_an_older_one_of_its_kind(system, tmp_path, monkeypatch):
    if system != "this":
        exchange = {"renameat2": lambda *_: -1} if system == "where it fails" else {}
        monkeypatch.setattr(files.ctypes, "CDLL", lambda *_: SimpleNamespace(**exchange))
    for number in range(3):
        with replacing_folder(tmp_path / "a" / "1", "mark") as place:
            put(place, {"mark": f"{number}", f"only {number}": ""})
            assert number == 0 or (tmp_path / "a" / "1" / "mark").read_text() == f"{number - 1}"
    assert get(tmp_path / "a" / "1") == {"mark": "2", "only 2": ""}
    assert names(tmp_path / "a") == {"1"}
    with (
        pytest.raises(ValueError, match="holds something else"),
        replacing_folder(tmp_path, "mark"),
    ):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(ValueError, match="is a file"),
        replacing_folder(tmp_path / "file", "mark"),
    ):
        pass


# ------------------------------------------------------------------ a model's files

OLD = {name: f"old {name}" for name in MODEL_FILES}
NEW = {name: f"new {name}" for name in ("model.safetensors", "config.json", "vocab.txt")}
README = {"README.md": "a user's"}


def put(folder: Path, contents: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text)


def get(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def save(folder: Path, contents: dict[str, str]) -> None:
    with replacing_files(folder, MODEL_FILES) as place:
        for name, text in contents.items():
            write_text(place / name, text)


def test_a_models_files_replace_another_models_and_leave_a_users(tmp_path):
    put(tmp_path, {**OLD, **README})
    (tmp_path / "config.json").chmod(0o640)
    save(tmp_path, NEW)
    assert get(tmp_path) == {**NEW, **README}, "no file of the old model's vocabulary is left"
    assert stat.S_IMODE((tmp_path / "config.json").stat().st_mode) == 0o640
    save(tmp_path / "a" / "b", NEW)
    assert get(tmp_path / "a" / "b") == NEW


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space"), KeyboardInterrupt()])
def test_a_failed_save_leaves_the_old_model(error, tmp_path):
    put(tmp_path, OLD)

    def fail():
        with replacing_files(tmp_path, MODEL_FILES) as place:
            write_text(place / "config.json", "new")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert get(tmp_path) == OLD


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_folder_in_a_files_place_is_found_out_before(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match=rf"{name}' is a folder"):
        save(tmp_path, NEW)
    assert names(tmp_path) == {name}
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ValueError, match="is a file: pass a folder"):
        save(file, NEW)


# Runs `work` in children that kill themselves before the first, second, ... of their operations.
KILL = '''
import os, shutil, signal, sys
from pathlib import Path
from tests.test_files import NEW, OLD, README, get, put, save
from tf_squeezebert.files import finish_save, write_text
OPERATIONS = "chmod fsync mkdir open remove rename replace rmdir unlink".split()

def is_killed(number, work):
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = iter(range(number, -1, -1))
    def killing(function):
        def call(*arguments, **options):
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)
        return call
    for name in OPERATIONS:
        setattr(os, name, killing(getattr(os, name)))
    try:
        work()
    finally:
        os._exit(0)

def get_files(folder):
    """Without the folders that a killed writer left."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}

def kills(work, prepare, check):
    number = 0
    while True:
        folder = Path(sys.argv[1]) / str(number)
        prepare(folder)
        killed = is_killed(number, lambda: work(folder))
        check(folder)
        shutil.rmtree(folder)
        if not killed:
            return number
        number += 1
'''


def run_kills(tmp_path: Path, script: str) -> int:
    process = run_script(KILL + textwrap.dedent(script), tmp_path, cwd=Path(__file__).parents[1])
    printed, _ = process.communicate()
    assert process.returncode == 0
    return int(printed)


def test_a_writer_killed_at_any_operation_leaves_a_whole_file(tmp_path):
    number = run_kills(
        tmp_path,
        """
        def check(folder):
            assert (folder / "file.txt").read_text() in ("old", "new"), folder
            write_text(folder / "file.txt", "next")
            assert get(folder) == {"file.txt": "next"}, folder

        print(kills(
            lambda folder: write_text(folder / "file.txt", "new"),
            lambda folder: put(folder, {"file.txt": "old"}),
            check,
        ))
        """,
    )
    assert number >= 8, "it was killed at each"


@pytest.mark.parametrize("write", ["tensors", "zip", "history", "folder"])
def test_every_writer_killed_at_any_operation_leaves_the_old_or_the_new(write, tmp_path):
    number = run_kills(
        tmp_path,
        f"""
        import numpy as np
        from tf_squeezebert import files
        from tf_squeezebert.training import curves
        from tf_squeezebert.tflite.bundle import attach_files

        def attach(path):
            with files.replacing(path) as temporary:
                temporary.write_bytes(bytes(100))
                attach_files(temporary, {{"vocab.txt": b"a"}})

        def replace(path):
            with files.replacing_folder(path, "mark") as place:
                put(place, {{"mark": "new", "other": "new"}})

        write = {{
            "tensors": lambda path: files.write_tensors(path, {{"a": np.ones(9)}}, {{}}),
            "zip": attach,
            "history": lambda path: curves.write_history(path, [{{"loss": 1.0}}]),
            "folder": replace,
        }}["{write}"]

        def prepare(folder):
            put(folder, {{}})
            if "{write}" == "folder":
                put(folder / "x", {{"mark": "old"}})
            else:
                put(folder, {{"x": "old"}})

        def content(folder):
            path = folder / "x"
            return get(path) if path.is_dir() else path.read_bytes()

        def check(folder):
            assert content(folder) in allowed, folder
            write(folder / "x")
            assert content(folder) == allowed[1], folder
            assert [path.name for path in folder.iterdir()] == ["x"], folder

        example = Path(sys.argv[1]) / "example"
        prepare(example)
        allowed = [content(example)]
        write(example / "x")
        allowed.append(content(example))
        print(kills(lambda folder: write(folder / "x"), prepare, check))
        """,
    )
    assert number >= 8, "it was killed at each"


def test_a_save_killed_at_any_operation_leaves_one_model_whole(tmp_path):
    number = run_kills(
        tmp_path,
        """
        seen = set()

        def check(folder):
            others = get_files(folder)
            if "config.json" in others:  # other readers take it for a model
                assert others in ({**OLD, **README}, {**NEW, **README}), others
            else:
                assert len({text.split()[0] for text in others.values()} - {"a"}) <= 1, others
            shutil.copytree(folder, str(folder) + "b")
            finish_save(folder)
            whole = get_files(folder)
            assert whole in ({**OLD, **README}, {**NEW, **README}), whole
            seen.add(whole["config.json"])
            again = Path(str(folder) + "b")
            save(again, OLD)  # the next writer, whom no reader came before
            assert get(again) == {**OLD, **README}, again
            shutil.rmtree(again)

        print(kills(
            lambda folder: save(folder, NEW),
            lambda folder: put(folder, {**OLD, **README}),
            check,
        ))
        assert seen == {OLD["config.json"], NEW["config.json"]}
        """,
    )
    assert number >= 40, "it was killed at each"


def test_finishing_a_save_may_be_killed_too(tmp_path):
    number = run_kills(
        tmp_path,
        """
        def prepare(folder):
            put(folder, {**OLD, **README})
            put(folder / ".tf_squeezebert-saved", NEW)
            for name in set(OLD) - set(NEW):
                (folder / ".tf_squeezebert-saved" / name).mkdir()

        def check(folder):
            finish_save(folder)
            assert get(folder) == {**NEW, **README}

        print(kills(finish_save, prepare, check))
        """,
    )
    assert number >= 15, "it was killed at each"


def test_savers_at_once_leave_one_model_whole_and_readers_see_no_mix(tmp_path):
    put(tmp_path, dict.fromkeys(MODEL_FILES, "0"))
    script = """
    import sys
    from pathlib import Path
    from tests.test_files import save
    from tf_squeezebert.files import MODEL_FILES
    for _ in range(25):
        save(Path(sys.argv[1]), {name: sys.argv[2] for name in MODEL_FILES})
    """
    savers = [run_script(script, tmp_path, i, cwd=Path(__file__).parents[1]) for i in (1, 2)]
    threads = [
        threading.Thread(
            target=lambda text=text: [
                save(tmp_path, dict.fromkeys(MODEL_FILES, text)) for _ in range(25)
            ]
        )
        for text in ("3", "4")
    ]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads) or any(s.poll() is None for s in savers):
        with reading(tmp_path):
            texts = [(tmp_path / name).read_text() for name in MODEL_FILES]
        assert len(set(texts)) == 1, texts
        seen += 1
    assert [saver.communicate() and saver.returncode for saver in savers] == [0, 0]
    assert seen > 2
    assert len(set(get(tmp_path).values())) == 1
    assert names(tmp_path) == set(MODEL_FILES)


def test_a_save_that_can_not_be_finished_is_an_error(tmp_path, monkeypatch):
    put(tmp_path, OLD)
    put(tmp_path / ".tf_squeezebert-saved", NEW)

    def fail(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "unlink", fail)
    with pytest.raises(OSError, match=r"saving was interrupted.*Read-only file system"):
        finish_save(tmp_path)
    monkeypatch.undo()
    finish_save(tmp_path)
    assert get(tmp_path) == {**OLD, **NEW}


def test_a_committed_folder_brings_a_models_files_alone(tmp_path):
    """It may have come with a download."""
    folder, other = tmp_path / "folder", tmp_path / "other"
    put(folder, README)
    put(folder / ".tf_squeezebert-saved", {"README.md": "theirs", "run.sh": "x", **NEW})
    finish_save(folder)
    assert get(folder) == {**README, **NEW}
    put(other, NEW)
    (folder / ".tf_squeezebert-saved").symlink_to(other)
    finish_save(folder)
    assert get(other) == NEW


# ------------------------------------------------------------------ runs


def test_runs_in_one_folder_exclude_each_other(tmp_path):
    folder = tmp_path / "new" / "run"
    caught = []

    def other():
        with (
            pytest.raises(ValueError, match="Another run is going on in") as error,
            one_run(folder),
        ):
            pass
        caught.append(error)

    with one_run(folder):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert caught
        with one_run(folder / ".." / "run"):  # a part of it
            pass
        (tmp_path / "link").symlink_to(folder)
        with one_run(tmp_path / "link"):
            pass
        process = run_script(
            """
            import sys
            from tf_squeezebert.files import one_run
            try:
                with one_run(sys.argv[1]):
                    print("ran")
            except ValueError as error:
                print(error)
            """,
            folder,
        )
        said, _ = process.communicate()
        assert re.search(
            rf"Another run is going on in .*\(process {os.getpid()} on .+\): wait", said
        )
    assert names(tmp_path) == {"link"}, "nothing is left of a run that wrote nothing"
    with one_run(folder):
        write_text(folder / "a", "b")
    assert get(folder) == {"a": "b"}


def test_a_killed_run_keeps_nobody_out(tmp_path):
    process = run_script(
        """
        import sys, time
        from tf_squeezebert.files import one_run
        with one_run(sys.argv[1]):
            print("running", flush=True)
            time.sleep(600)
        """,
        tmp_path,
    )
    process.stdout.readline()
    with pytest.raises(ValueError, match="Another run"), one_run(tmp_path):
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with one_run(tmp_path):
        pass
    assert not names(tmp_path)


def test_a_run_whose_folder_is_removed_meanwhile_ends_as_any(tmp_path):
    with one_run(tmp_path / "run"):
        shutil.rmtree(tmp_path / "run")
    assert not names(tmp_path)


def test_a_run_that_ends_as_another_begins_takes_the_lock_with_it(tmp_path, monkeypatch):
    flock, ended = files.fcntl.flock, []

    def end_first(lock, operation):
        flock(lock, operation)
        if not ended:
            ended.extend(tmp_path.iterdir())
            ended[0].unlink()

    monkeypatch.setattr(files.fcntl, "flock", end_first)
    with one_run(tmp_path):
        assert list(tmp_path.iterdir()) == ended, "the lock is on the file that others find"
    assert not names(tmp_path)


# ------------------------------------------------------------------ sources


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "model"
    put(folder, {**OLD, **README, "pytorch_model.bin": "", "x.tflite": "", "data.tsv": ""})
    (folder / "part").mkdir()
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "same.json").hardlink_to(folder / "config.json")
    (tmp_path / "data.tsv").touch()
    (tmp_path / "data2.tsv").hardlink_to(tmp_path / "data.tsv")
    return folder


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("model", "model"),
        ("model/", "model"),
        ("model/../model", "model"),
        ("none/../model", "model"),
        ("link", "model"),
        ("model", "link"),
        ("model/part", "model"),
        ("model/new", "link"),
        ("link/new", "model"),
        *((f"model/{name}", "model") for name in (*MODEL_FILES, "README.md", "pytorch_model.bin")),
        ("link/config.json", "model"),
        ("model", "model/pytorch_model.bin"),
        ("link", "model/model.safetensors"),
        ("model/config.json", "model/pytorch_model.bin"),
        ("same.json", "model/config.json"),
        ("model/MODEL.safetensors", "model"),  # the same file on some systems
    ],
)
def test_a_models_own_files_are_not_written_over(target, source, model, tmp_path):
    before = get(model / "part") if source == "model/part" else names(model)
    with pytest.raises(ValueError, match="is read, and would be overwritten"):
        require_apart(tmp_path / target, [None, "owner/name", object(), tmp_path / source])
    assert before == names(model)


def test_a_model_in_memory_is_where_it_came_from(model, tmp_path):
    class Loaded:
        _source = model

    require_apart(tmp_path / "new", [Loaded()])
    with pytest.raises(ValueError, match="is read, and would be overwritten"):
        require_apart(tmp_path / "link", [Loaded()])


@pytest.mark.parametrize("target", ["data.tsv", "data2.tsv", "model/../data.tsv"])
def test_data_are_not_written_over(target, model, tmp_path):
    with pytest.raises(ValueError, match=r"data\.tsv' is read, and would be overwritten"):
        require_apart(tmp_path / target, files=[tmp_path / "data.tsv"])


def test_a_runs_files_are_not_its_data(tmp_path):
    put(tmp_path, {"history.csv": ""})
    with pytest.raises(ValueError, match=r"history\.csv' is read"):
        require_apart(tmp_path, files=[tmp_path / "history.csv"])


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("new", "model"),
        ("model/x.tflite", "model"),
        ("model/new.keras", "model"),
        ("model/answers.jsonl", "model"),
        ("modelled", "model"),
        (".", "model"),
        ("data.tsv", "model"),
        ("new", "sentiment"),
    ],
)
def test_other_places_may_be_written(target, source, model, tmp_path):
    require_apart(tmp_path / target, [tmp_path / source], [tmp_path / "model" / "data.tsv"])


def test_data_may_lie_in_the_folder_of_a_run(model, tmp_path):
    require_apart(tmp_path, files=[tmp_path / "data.tsv"])


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_moment_of_making_a_file_leaves_nothing(number, tmp_path, monkeypatch):
    make = tempfile.mkdtemp

    def make_and_signal(*arguments):
        folder = make(*arguments)
        os.kill(os.getpid(), number)
        return folder

    def end(*_):
        raise SystemExit(128 + number)

    before = signal.signal(number, end)
    monkeypatch.setattr(tempfile, "mkdtemp", make_and_signal)
    try:
        with pytest.raises(SystemExit), replacing(tmp_path / "a.txt"):
            pytest.fail("the signal was lost")
        assert signal.getsignal(number) is end
    finally:
        signal.signal(number, before)
    assert not list(tmp_path.iterdir())


def test_a_signal_in_the_moment_of_removing_leaves_nothing(tmp_path, monkeypatch):
    """Its handler raises there, in the middle of it."""
    remove, errors = shutil.rmtree, [KeyboardInterrupt()]

    def remove_or_raise(*arguments, **options):
        if errors:
            raise errors.pop()
        remove(*arguments, **options)

    monkeypatch.setattr(shutil, "rmtree", remove_or_raise)
    with pytest.raises(KeyboardInterrupt):
        check_writable(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


def test_a_file_is_made_in_another_thread_too(tmp_path):
    def write():
        with replacing(tmp_path / "a.txt") as path:
            path.write_text("a")

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert (tmp_path / "a.txt").read_text() == "a"
