"""What a tool reads as its stdin: a capture file, or a file set as the one file that it makes."""

from __future__ import annotations

import fcntl
import io
import os
import struct
import termios
import threading
from pathlib import Path

from netmon_tui.domain.capture_files import file_number
from netmon_tui.errors import InvalidInput, NetmonError, ToolFailed
from netmon_tui.tools.file_set import End, FileSetReader, sizes_of


class PcapInput:
    """A descriptor to start a child with, and how far the child has read.

    A file is handed over as it is: the child's stdin and our descriptor are one open file, with one position. The
    files of a set go through a pipe, into which a thread puts them.

    Args:
        source: A file, or the directory of a file set.

    Raises:
        NotFound: The file set has no file.
        OSError: It cannot be opened.
    """

    def __init__(self, source: Path) -> None:
        sizes = sizes_of(source)
        self._size = 0
        self._written = -1
        """Bytes put into the pipe; -1 where there is none."""
        self._trouble: NetmonError | OSError | None = None
        if not source.is_dir() or len(sizes) == 1:
            self.descriptor = os.open(next(iter(sizes), source), os.O_RDONLY | os.O_CLOEXEC)
            return
        newest = next(reversed(sizes))
        reader = FileSetReader(source, End(file_number(newest.name) or 0, sizes[newest]))
        self.descriptor, end = os.pipe2(os.O_CLOEXEC)
        self._size, self._written = sum(sizes.values()), 0
        threading.Thread(target=self._feed, args=(reader, end), daemon=True).start()

    def _feed(self, reader: FileSetReader, end: int) -> None:
        with os.fdopen(
            end, "wb", buffering=0
        ) as pipe:  # closed last: whoever sees its end asks what went wrong
            try:
                with reader:
                    self._write(reader, pipe)
            except BrokenPipeError:
                return  # whoever read has had enough
            except (NetmonError, OSError) as error:
                self._trouble = error

    def _write(self, reader: FileSetReader, pipe: io.FileIO) -> None:
        for piece in reader.pieces():
            view = memoryview(piece)
            while view:
                done = pipe.write(view) or 0
                self._written += done
                view = view[done:]
        if reader.missed:
            raise InvalidInput("the ring deleted packets while they were read", fix="read it once more")

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
            raise ToolFailed("the files of the capture could not all be read", why=str(self._trouble))

    def close(self) -> None:
        """Let go of it, which ends the thread."""
        os.close(self.descriptor)
