"""File sets: the files of one capture in their directory, and reading them as the one file that they make.

A file set may grow while it is read, and lose its oldest files. What its writer promises: a file appears with its
header, and once the next one has appeared it no longer changes. What it had of a record that was not whole then
stands at the beginning of the next.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from netmon_tui.domain.capture_files import file_number, in_order
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.tools.pcap_files import end_of_records
from netmon_tui.tools.pcap_layout import layout_of
from netmon_tui.tools.pcap_open import open_packets

_PIECE = 1 << 20
"""Bytes read at once."""
_EVERYTHING: Mapping[int, int] = {}


def packet_files(directory: Path) -> list[Path]:
    """Return the files in a directory that have the packets of its capture, in order; none when it has none."""
    try:
        return [directory / name for name in in_order(path.name for path in directory.iterdir())]
    except (FileNotFoundError, NotADirectoryError):
        return []


def files_of(source: Path) -> list[Path]:
    """Return the files with packets, in order, of a directory; of a file that is named, this one."""
    return packet_files(source) if source.is_dir() else [source]


def sizes_of(source: Path) -> dict[Path, int]:
    """Return the files with packets, in order, with their bytes; without those that a ring deletes just now."""
    return {path: status.st_size for path, status in statuses_of(source).items()}


def statuses_of(source: Path) -> dict[Path, os.stat_result]:
    """Do as :func:`sizes_of`, with all that the system says of the files."""
    statuses = {}
    for path in files_of(source):
        with suppress(FileNotFoundError):
            statuses[path] = path.stat()
    return statuses


def one_file(directory: Path, which: str) -> Path:
    """Return a file of a set by its name, or by its place in digits, from 1 for the oldest; empty is the newest.

    Raises:
        InvalidInput: There is no file at all.
        NotFound: There is no such file, or the ring has deleted it.
    """
    return one_of(packet_files(directory), which)


def one_of(paths: Sequence[Path], which: str) -> Path:
    """Return one of the files of a set, which are in order; as :func:`one_file`."""
    if not paths:
        raise InvalidInput("the capture has no file", why="nothing was written yet")
    places = dict(zip((str(place) for place in range(1, len(paths) + 1)), paths, strict=True))
    found = (places | {path.name: path for path in paths} | {"": paths[-1]}).get(which)
    if found is None and 0 < (file_number(which) or 0) < (file_number(paths[0].name) or 0):
        raise file_gone(which, paths)
    if found is None:
        raise NotFound(f"the capture has no file {which}", why=f"it has {len(paths)} now")
    return found


def file_gone(name: str, paths: Sequence[Path]) -> NotFound:
    """Return the error for a file that was there, of a set of which these are left, in order."""
    left = f"choose another file: the oldest is {paths[0].name} now" if paths else ""
    return NotFound(f"the file {name} is gone", why="the ring, or another program, deleted it", fix=left)


class FileSetReader:
    """Reads a file set from its oldest packet on, as one pcap file, as far as it is written.

    Args:
        directory: Where the files are.
        ends: Where to stop in files, by their numbers, and after the last of these altogether. A file that ends at
            0 is passed over; what it begins with stands in the next one as well.

    Raises:
        NotFound: There is none.
    """

    def __init__(self, directory: Path, ends: Mapping[int, int] = _EVERYTHING) -> None:
        self._directory = directory
        self._ends = ends
        self._last = max(ends, default=sys.maxsize)
        self._descriptor = -1
        self._number = 0
        self._at = 0
        self.path = directory
        """The file that is being read."""
        self.missed = 0
        """Files that the ring deleted before they were read."""
        if not self._open_next():
            raise NotFound(f"there is no capture file in {directory}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def read(self, most: int = _PIECE) -> bytes:
        """Return the next bytes; none when all are read that there are now.

        Raises:
            InvalidInput: The ring deleted a file of which only a part of a packet was read.
        """
        while not (data := self._next(most)):
            if not self._go_on():
                return b""
        self._at += len(data)
        return data

    def _next(self, most: int) -> bytes:
        data = os.pread(self._descriptor, self._room(most), self._at)
        # What is cut off a file at that moment reads as zeros, and the file is shorter by then.
        return data[: max(0, os.fstat(self._descriptor).st_size - self._at)]

    def pieces(self) -> Iterator[bytes]:
        """Yield what there is."""
        while data := self.read():
            yield data

    def _room(self, most: int) -> int:
        if self._number > self._last:
            return 0
        return min(most, max(0, self._ends.get(self._number, sys.maxsize) - self._at))

    def _go_on(self) -> bool:
        """Turn to the next file, if there is one and this one is read to its end."""
        is_over = self._number >= self._last and not self._room(1)
        if is_over or not self._numbers():
            return False
        size = min(os.fstat(self._descriptor).st_size, self._ends.get(self._number, sys.maxsize))
        if self._at < size:
            return True  # it got longer before the next one began
        before, ahead = self._number, self._at - size
        if not self._open_next(ahead=ahead):
            return False
        missed = sum(map(self._is_wanted, range(before + 1, self._number)))
        if missed:
            self.missed += missed
            if ahead:
                raise InvalidInput("the ring deleted packets while they were read", fix="read it once more")
        return True

    def _open_next(self, ahead: int | None = None) -> bool:
        """Turn to the next file: to its first byte, or so many bytes behind what every file begins with."""
        while numbers := self._numbers():
            number, path = numbers[0]
            try:
                opened = open_packets(path)
            except FileNotFoundError:
                continue  # the ring was quicker
            self.close()
            self._descriptor, self._number, self.path = opened, number, path
            self._at = 0 if ahead is None else len(layout_of(opened).beginning) + ahead
            return True
        return False

    def _numbers(self) -> list[tuple[int, Path]]:
        """Return the files after this one."""
        found = [(file_number(path.name) or 0, path) for path in packet_files(self._directory)]
        return [(number, path) for number, path in found if number > self._number and self._is_wanted(number)]

    def _is_wanted(self, number: int) -> bool:
        return self._ends.get(number) != 0


def whole_packets(directory: Path) -> Iterator[bytes]:
    """Yield a file set that is being written as one pcap file that ends with a whole packet.

    Raises:
        NotFound: There is no file.
        InvalidInput: It has not even a header yet; or the ring deleted packets while they were read.
    """
    newest = packet_files(directory)[-1:]
    with FileSetReader(
        directory, {file_number(path.name) or 0: end_of_records(path) for path in newest}
    ) as reader:
        yield from reader.pieces()
