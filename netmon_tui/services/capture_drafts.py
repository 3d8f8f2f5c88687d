"""Captures in the making, and those that go: a directory is that of a whole capture, or marked, or gone."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from netmon_tui.config.files import PRIVATE_DIRECTORY, PRIVATE_FILE, explain, private_opener
from netmon_tui.domain.byte_count import byte_count
from netmon_tui.domain.capture_files import CAPTURE_NAME, CaptureFile, file_name
from netmon_tui.errors import DiskFull
from netmon_tui.services.capture_quota import Allowance
from netmon_tui.services.kept_index import keep_index
from netmon_tui.services.result_files import is_ours
from netmon_tui.services.stopping import Stop
from netmon_tui.tools.pcap_cut import Piece
from netmon_tui.tools.pcap_files import sha256_of
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.pcap_layout import RecordLayout

_CAPTURES = "capture-"
_PREFIX = f"{_CAPTURES}made-"
UNFINISHED = "unfinished"
"""Name of the file that says of a directory that it is a draft, or going. What has none is never deleted: whether
this database knows a directory says little, as another one may, or this one by another path."""
_LOOK_BYTES = 16 << 20
"""So much is written from one look at the free space to the next."""


class Room:
    """What one piece of work may write: of the free space some must stay, and its user has a quota.

    Args:
        directory: Where it is written.
        floor: Bytes that must stay free.
        allowance: What the user may still store.
        stop: Whether the work is to stop.
    """

    def __init__(self, directory: Path, floor: int, allowance: Allowance, stop: Stop) -> None:
        self._directory = directory
        self._floor = floor
        self.allowance = allowance
        self.stop = stop
        self._left = 0

    def spend(self, count: int) -> None:
        """Say that so many bytes are about to be written.

        Raises:
            DiskFull: Too few would stay free, or they are more than the user may store.
            Stopped: The work is to stop.
        """
        self.stop.check()
        self.allowance.spend(count)
        self._left -= count
        if self._left >= 0:
            return
        status = os.statvfs(self._directory)
        free = status.f_bavail * status.f_frsize
        if free - count < self._floor:
            raise self._refusal(count, free)
        self._left = min(_LOOK_BYTES, max(0, free - count - self._floor))

    def _refusal(self, count: int, free: int) -> DiskFull:
        why, fix = (
            f"at least {byte_count(count)} more are needed and {byte_count(free)} are free",
            "free some space",
        )
        if self._floor:
            why += f", of which {byte_count(self._floor)} must stay so"
            fix += ", or lower captures.free_space_floor_bytes"
        return DiskFull(f"no space left to write {self._directory}", why=why, fix=fix)


class Draft:
    """One directory.

    Args:
        path: Of the directory.
        room: What may be written.
    """

    def __init__(self, path: Path, room: Room) -> None:
        self.path = path
        self._room = room
        self.is_stored = False
        """Set when the catalogue has it; without that it is deleted."""

    @property
    def stop(self) -> Stop:
        """Whether the work on it is to stop."""
        return self._room.stop

    @property
    def pcap(self) -> Path:
        """The file of packets, where it is classic pcap."""
        return self.path / CAPTURE_NAME

    def write(self, name: str, pieces: Iterable[bytes]) -> CaptureFile:
        """Write a new file, onto the disk, and return what it is; its packets are not counted."""
        digest, size, path = hashlib.sha256(), 0, self.path / name
        with open(path, "xb", opener=private_opener) as file:
            for piece in pieces:
                self._room.spend(len(piece))
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            _sync(file)
        return CaptureFile(str(path), size, 0, digest.hexdigest())

    def write_packets(self, layout: RecordLayout, pieces: Iterable[Piece]) -> CaptureFile:
        """Write the file of packets and return what it is."""
        count = 0

        def parts() -> Iterator[bytes]:
            nonlocal count
            yield layout.beginning
            for piece in pieces:
                count += piece.packets
                yield piece.records

        name = file_name(numbered=False, pcapng=bool(layout.interfaces))
        written = self.write(name, parts())
        return CaptureFile(written.path, written.bytes, count, written.sha256)

    def link(self, name: str, other: Path) -> CaptureFile:
        """Give a file of another draft a name here, too; it counts for each capture that has it."""
        path, size = self.path / name, other.stat().st_size
        self._room.allowance.spend(size)
        path.hardlink_to(other)
        return CaptureFile(str(path), size, 0, sha256_of(path))

    def open_pcap(self) -> BinaryIO:
        """Return the pcap file, new and open for writing; :meth:`spend` goes before what is written."""
        return open(self.pcap, "xb", opener=private_opener)

    def spend(self, count: int) -> None:
        """Say that so many bytes are about to be written; raises as :meth:`Room.spend`."""
        self._room.spend(count)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def times_of(path: Path) -> tuple[float, float] | None:
    """Return the POSIX times of the first and the last packet of a whole pcap file; None without packets.

    Its index, which is made for that, is kept.
    """
    with PacketIndex(path) as index:
        index.extend()
        keep_index(index)
        return index.first_and_last_time()


class Drafts:
    """Makes drafts and deletes captures, and clears away what programs left that died.

    Args:
        jobs: Directory of the job directories.
        floor: Bytes that must stay free.
        is_stored: Whether the catalogue has a capture in a directory of this name.
    """

    def __init__(self, jobs: Path, floor: int, is_stored: Callable[[str], bool]) -> None:
        self._jobs = jobs
        self._floor = floor
        self._is_stored = is_stored

    def room(self, allowance: Allowance, stop: Stop) -> Room:
        """Return what may be written into the directory of jobs."""
        return Room(self._jobs, self._floor, allowance, stop)

    @contextmanager
    def open(self, room: Room) -> Iterator[Draft]:
        """Make a directory that is deleted again unless it was stored; errors of the system are explained.

        Raises:
            DiskFull, StorageError: As they say.
        """
        path = self._jobs / f"{_PREFIX}{secrets.token_hex(6)}"
        try:
            self.clear_away()
            path.mkdir(mode=PRIVATE_DIRECTORY)
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise explain(error, path) from error
        draft = Draft(path, room)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (path / UNFINISHED).touch(PRIVATE_FILE)  # once it is locked: with this alone it is a dead one's
            yield draft
        except OSError as error:
            raise explain(error, path) from error
        finally:
            _end(path, is_stored=draft.is_stored)
            os.close(lock)

    def discard(self, path: Path, forget: Callable[[], bool]) -> bool:
        """Delete the directory of a capture after its rows; whoever is killed in between leaves it marked.

        One that is not among ours stays: the database is a copy, and the files are the original's.

        Args:
            path: The directory.
            forget: Deletes the rows, and says whether it did: if not, the directory stays, too.

        Returns:
            What ``forget`` returned.
        """
        if not is_ours(path, self._jobs):
            return forget()
        forgotten = False
        with ExitStack() as held:
            with suppress(OSError):  # without the directory, or room for a mark, there are still the rows
                lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                held.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX)
                (path / UNFINISHED).touch(PRIVATE_FILE)
            try:
                forgotten = forget()
            finally:
                _end(path, is_stored=not forgotten)
        return forgotten

    def clear_away(self) -> None:
        """Delete the marked directories that no program holds and no capture has: what a killed program left."""
        for mark in self._jobs.glob(f"{_CAPTURES}*/{UNFINISHED}"):
            path = mark.parent
            try:
                lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                continue  # gone meanwhile
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if mark.exists():  # it may have been stored just before the lock was let go
                    _end(path, is_stored=self._is_stored(path.name))
            except BlockingIOError:
                continue
            finally:
                os.close(lock)


def _end(draft: Path, *, is_stored: bool) -> None:
    """Make a draft the directory of a capture, or delete it, its mark last: without that it would stay."""
    with suppress(OSError):
        if not is_stored:
            for path in draft.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name != UNFINISHED:
                    path.unlink()
        (draft / UNFINISHED).unlink(missing_ok=True)
        if not is_stored:
            draft.rmdir()
