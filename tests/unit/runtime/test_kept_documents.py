"""Documents packed and read back: byte for byte, whatever happens on the way."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui.runtime.kept_documents import has_document, open_document, pack_document, plain_documents

CONTENT = b"".join(b'<host n="%d"/>\n' % number for number in range(100_000))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "scan.xml"
    path.write_bytes(CONTENT)
    return path


def read(path: Path) -> bytes:
    with open_document(path) as file:
        return file.read()


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_a_packed_document_reads_as_before(document: Path) -> None:
    assert pack_document(document)
    assert names(document) == ["scan.xml.gz"]
    assert read(document) == CONTENT
    assert has_document(document)
    assert (document.parent / "scan.xml.gz").stat().st_mode & 0o777 == 0o600
    assert (document.parent / "scan.xml.gz").stat().st_size * 5 < len(CONTENT)


def test_a_reader_goes_on_while_it_is_packed(document: Path) -> None:
    with open_document(document) as file:
        begin = file.read(100)
        pack_document(document)
        assert begin + file.read() == CONTENT


def test_nothing_is_there_to_pack(document: Path) -> None:
    document.unlink()
    assert not pack_document(document)
    assert names(document) == []
    with pytest.raises(FileNotFoundError):
        open_document(document)


def test_directories_are_no_documents(document: Path) -> None:
    (document.parent / "stage-1.xml").mkdir()
    (document.parent / "stage-2.xml").write_bytes(b"<nmaprun/>")
    assert plain_documents(document.parent) == [document, document.parent / "stage-2.xml"]
    assert plain_documents(document.parent / "deleted meanwhile") == []


def test_what_another_program_packs_is_left_to_it(document: Path) -> None:
    with (document.parent / "scan.xml.gz.tmp").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not pack_document(document)
    assert read(document) == CONTENT


def test_stopping_leaves_it_as_it_was(document: Path) -> None:
    asked = iter([False, False, True])
    assert not pack_document(document, lambda: next(asked))
    assert names(document) == ["scan.xml"]
    assert read(document) == CONTENT


def test_a_document_that_still_grows_is_left_alone(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def write_at_the_last_moment(descriptor: int) -> None:
        sync(descriptor)
        with document.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(os, "fsync", write_at_the_last_moment)
    assert not pack_document(document)
    assert names(document) == ["scan.xml"]
    assert read(document) == CONTENT + b"more"


def test_a_full_disk_leaves_the_document(document: Path) -> None:
    """In a process whose files may not grow: as a full disk, but for one process."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from netmon_tui.runtime.kept_documents import pack_document\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try: pack_document(Path(sys.argv[1]))\n"
        "except OSError as error: sys.exit(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(document)], check=False, timeout=60)
    assert done.returncode == errno.EFBIG
    assert names(document) == ["scan.xml"]
    assert document.read_bytes() == CONTENT


@pytest.mark.parametrize("step", ["fsync", "replace", "unlink"])
def test_a_crash_at_any_step_leaves_one_readable_document(document: Path, step: str) -> None:
    """The process is killed just before it syncs, renames or removes; then the next one does the rest."""
    code = (
        "import os, pathlib, signal, sys\n"
        "from netmon_tui.runtime.kept_documents import pack_document\n"
        "owner = os if sys.argv[2] == 'fsync' else pathlib.Path\n"
        "setattr(owner, sys.argv[2], lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))\n"
        "pack_document(pathlib.Path(sys.argv[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(document), step], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert read(document) == CONTENT
    pack_document(document)
    assert names(document) == ["scan.xml.gz"]
    assert read(document) == CONTENT
