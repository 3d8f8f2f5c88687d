"""The tool's output: copied to files up to a bound, and listened to for its last words."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_BYTES = 64 << 20
"""Bytes of stdout and of stderr that are kept; what comes after them is counted."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors that mean a full disk."""
PROGRESS = b"Packets: "
"""How dumpcap begins its count, each time in one piece after a carriage return."""
_PIECE = 65_536
_LONGEST_LINE = 4096


def create_file(directory: str, name: str) -> int:
    """Create a file of our own in the job directory and return its descriptor."""
    return os.open(f"{directory}/{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)


class KeptStream:
    """Copies a pipe to a file until it is :data:`KEPT_BYTES` long, then drains it.

    Args:
        source: Non-blocking read end.
        target: Descriptor of the file.
        refused: Called once when the file cannot be written any more.
    """

    def __init__(self, source: int, target: int, refused: Callable[[OSError], None]) -> None:
        self.source = source
        self._target = target
        self._refused = refused
        self._room = KEPT_BYTES
        self.lost = 0
        """Bytes that were not kept."""

    def move(self) -> bool:
        """Copy what there is, at most one piece. False at the end of the stream."""
        data = read_ready(self.source, _PIECE)
        if data:
            self.keep(data)
        return data != b""

    def keep(self, data: bytes) -> None:
        """Write to the file what still fits."""
        part = data[: self._room]
        try:
            written = os.write(self._target, part) if part else 0
        except OSError as error:
            written, self._room = 0, 0
            self._refused(error)
        self._room -= min(written, self._room)
        self.lost += len(data) - written


class ErrorStream(KeptStream):
    """The tool's stderr: kept, and cut into lines.

    Args:
        source, target, refused: As for :class:`KeptStream`.
        listener: Is handed every line; returns False for one that need not be kept.
        rewrites: Whether the tool is dumpcap, which writes its count over itself.
    """

    def __init__(
        self,
        source: int,
        target: int,
        refused: Callable[[OSError], None],
        listener: Callable[[bytes], bool] = lambda line: True,
        *,
        rewrites: bool = False,
    ) -> None:
        super().__init__(source, target, refused)
        self._rewrites = rewrites
        self._listener = listener
        self._begun = b""
        self._last: list[bytes] = []

    def move(self) -> bool:
        """Read what there is and hand on its whole lines. False at the end of the stream."""
        data = read_ready(self.source, _PIECE)
        if data is None:
            return True
        whole = self._begun + data
        *lines, rest = (whole.replace(b"\r", b"\n") if self._rewrites else whole).split(b"\n")
        if rest and (not data or len(rest) > _LONGEST_LINE or (self._rewrites and rest.startswith(PROGRESS))):
            lines, rest = [*lines, rest], b""
        self._begun = rest
        self._take(lines)
        return data != b""

    def _take(self, lines: list[bytes]) -> None:
        kept = [line for line in lines if self._listener(line)]
        if kept:
            self.keep(b"\n".join(kept) + b"\n")
            self._last = [*self._last, *(line[:_LONGEST_LINE] for line in kept if line.strip())][-8:]

    def last_words(self, *, ignored: Callable[[str], bool] = lambda line: False) -> str:
        """Return the last line that says something, or an empty string."""
        lines = [line.decode("utf-8", "replace").strip()[:500] for line in self._last]
        # nmap's last line after an error is QUITTING!, and tcpdump may repeat the cause in brackets.
        dull = [line == "QUITTING!" or line.startswith("(") or ignored(line) for line in lines]
        telling = [line for line, is_dull in zip(lines, dull, strict=True) if not is_dull]
        return telling[-1] if telling else ""

    def speaks_of_memory(self) -> bool:
        """Whether the last lines complain about memory that could not be had."""
        text = b" ".join(self._last).lower()
        return b"memory" in text or b"alloc" in text


def read_ready(descriptor: int, size: int) -> bytes | None:
    """Read from a non-blocking descriptor: None when there is nothing, empty at the end."""
    try:
        return os.read(descriptor, size)
    except BlockingIOError:
        return None
