"""What a tool reads as its stdin: a capture file, a part of one, or a file set as the one file that it makes."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from netmon_tui.domain.capture_files import file_number
from netmon_tui.errors import InvalidInput, NetmonError, NotFound, ToolFailed
from netmon_tui.tools.file_set import FileSetReader, sizes_of
from netmon_tui.tools.pcap_index import became_shorter
from netmon_tui.tools.pcap_layout import layout_of
from netmon_tui.tools.pcap_open import open_packets

_PIECE = 1 << 20
"""Bytes read at once."""


class FilePart(NamedTuple):
    """Whole packets of a file that follow one another, which are read as a file of their own."""

    path: Path
    start: int
    """Offset of the first packet, in bytes."""
    end: int
    """Offset behind the last one."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the file's header, then the packets.

        Raises:
            InvalidInput: The file became shorter.
            OSError: It cannot be read.
        """
        with os.fdopen(open_packets(self.path), "rb") as file:
            yield layout_of(file.fileno()).beginning
            file.seek(self.start)
            left = self.end - self.start
            while left:
                piece = file.read(min(_PIECE, left))
                if not piece:
                    raise became_shorter(self.path)
                yield piece
                left -= len(piece)


class FileSet(NamedTuple):
    """A file set of which not all is read: half a packet within would take what follows along."""

    directory: Path
    ends: Mapping[int, int]
    """Where each file ends, by its number; one that ends at 0 is passed over."""


Source = Path | FilePart | FileSet
"""A file, the directory of a file set, or a part of either."""


class PcapInput:
    """A descriptor to start a child with, and how far the child has read.

    A file is handed over as it is: the child's stdin and our descriptor are one open file, with one position. A
    part and the files of a set go through a pipe, into which a thread puts them.

    Args:
        source: What to hand over.

    Raises:
        NotFound: The file set has no file.
        InvalidInput: Something else took the place of the file.
        OSError: It cannot be opened.
    """

    def __init__(self, source: Source) -> None:
        self._size = 0
        """Bytes that go through the pipe, but for what files begin with: of a part that is not counted, of a set
        for each file."""
        self._written = -1
        """Bytes put into the pipe; -1 where there is none."""
        self._trouble: NetmonError | OSError | None = None
        self.first = ""
        """Name of the file with the first packet."""
        if isinstance(source, FilePart):
            self.first = source.path.name
            self._open_pipe(source.pieces(), source.end - source.start)
            return
        if isinstance(source, FileSet):
            self._open_set(FileSetReader(source.directory, source.ends), sum(source.ends.values()))
            return
        sizes = sizes_of(source)
        if not source.is_dir() or len(sizes) == 1:
            path = next(iter(sizes), source)
            self.descriptor, self.first = open_packets(path), path.name
            return
        newest = next(reversed(sizes), None)
        if newest is None:
            raise NotFound(f"there is no capture file in {source}")
        reader = FileSetReader(source, {file_number(newest.name) or 0: sizes[newest]})
        self._open_set(reader, sum(sizes.values()))

    def _open_set(self, reader: FileSetReader, size: int) -> None:
        self.first = reader.path.name
        self._open_pipe(_whole_set(reader), size)

    def _open_pipe(self, pieces: Iterator[bytes], size: int) -> None:
        self.descriptor, end = os.pipe2(os.O_CLOEXEC)
        self._size, self._written = size, 0
        threading.Thread(target=self._feed, args=(pieces, end), daemon=True).start()

    def _feed(self, pieces: Iterator[bytes], end: int) -> None:
        with os.fdopen(
            end, "wb", buffering=0
        ) as pipe:  # closed last: whoever sees its end asks what went wrong
            try:
                self._write(pieces, pipe)
            except BrokenPipeError:
                return  # whoever read has had enough
            except (NetmonError, OSError) as error:
                self._trouble = error

    def _write(self, pieces: Iterator[bytes], pipe: io.FileIO) -> None:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                done = pipe.write(view) or 0
                self._written += done
                view = view[done:]

    @property
    def position(self) -> int:
        """How many bytes the child has read."""
        if self._written < 0:
            return os.lseek(self.descriptor, 0, os.SEEK_CUR)
        waiting: int = struct.unpack("i", fcntl.ioctl(self.descriptor, termios.FIONREAD, bytes(4)))[0]
        return max(0, self._written - waiting)

    @property
    def progress(self) -> float:
        """How far the child has read, 0 to 1."""
        size = self._size if self._written >= 0 else os.fstat(self.descriptor).st_size
        return min(1.0, self.position / size) if size else 1.0

    def require_whole(self) -> None:
        """Raise ToolFailed when not all could be handed over."""
        if self._trouble is not None:
            raise ToolFailed("the packets of the capture could not all be read", why=str(self._trouble))

    def close(self) -> None:
        """Let go of it, which ends the thread."""
        os.close(self.descriptor)


def _whole_set(reader: FileSetReader) -> Iterator[bytes]:
    with reader:
        yield from reader.pieces()
    if reader.missed:
        raise InvalidInput("the ring deleted packets while they were read", fix="read it once more")


def moved_away(error: FileNotFoundError) -> NotFound:
    """Return the error for a file that was there; its path comes last, for a small screen shows the beginning."""
    return NotFound(
        "the file is gone", why=f"another program, or the ring, moved or deleted {error.filename}"
    )
