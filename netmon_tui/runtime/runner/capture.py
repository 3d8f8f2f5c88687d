"""A capture: the packets of tcpdump or dumpcap moved from its pipe to the file, and its figures kept."""

from __future__ import annotations

import os
import signal
import time

from .counting import SummedCounter
from .record_walk import trim_to_whole_records
from .streams import NO_ROOM, PROGRESS, create_file, read_ready
from .tool import PIPE_BYTES, Tool

TYPE_CHECKING = False  # typing itself would cost 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOVES_AT_ONCE = 16
_PIECE = 65_536
FIGURES_PERIOD = 1.0
"""Seconds between questions for tcpdump's own figures."""
BLOCK_TIMEOUT = 1.0
"""Seconds after which the kernel hands tcpdump a block that is not full (TPACKET_V3, libpcap's default)."""
FLUSH_PATIENCE = BLOCK_TIMEOUT + 0.3
"""Seconds by which tcpdump has surely seen a packet."""
START_PATIENCE = 3.0
"""Seconds after which a tool that does not say "listening on" is believed to capture."""
_DUMPCAP = b"dumpcap: "
_OF_AN_INTERFACE = b"Packets received/dropped on interface "
_FIGURES = {"captured": "captured", "received by filter": "received", "dropped by kernel": "dropped"}


def parse_figures(line: bytes) -> dict[str, int]:
    """Return the figures in a line of stderr.

    tcpdump writes three in a line after SIGUSR1, one in each of its last lines. dumpcap writes ``Packets: 7`` again
    and again, and at its end ``Packets captured: 7`` and
    ``Packets received/dropped on interface 'lo': 7/2 (pcap:0/dumpcap:0/flushed:2/ps_ifdrop:0)``: what it has
    flushed came after the last packet that was asked for, and is no loss.
    """
    if line.startswith(b"Packets"):
        return _dumpcap_figures(line.decode("ascii", "replace"))
    figures = {}
    for part in line.decode("ascii", "replace").removeprefix("tcpdump: ").split(", "):
        number, _, words = part.partition(" ")
        name = _FIGURES.get(words.removeprefix("packets ").removeprefix("packet ").strip())
        if name and number.isdigit():
            figures[name] = int(number)
    return figures


def _dumpcap_figures(line: str) -> dict[str, int]:
    told, _, details = line.partition(" (pcap:")
    numbers = told.rpartition(": ")[2].strip().split("/")
    if not all(number.isdigit() for number in numbers):
        return {}
    if len(numbers) == 2:
        flushed = details.partition("flushed:")[2].partition("/")[0]
        dropped = int(numbers[1]) - (int(flushed) if flushed.isdigit() else 0)
        return {"received": int(numbers[0]), "dropped": max(0, dropped)}
    return {"captured": int(numbers[0])}


class PacketFile:
    """The file that the packets go to, without a copy through this process where the kernel can splice.

    Args:
        source: Non-blocking read end of the tool's stdout.
        directory: The job directory.
        name: Name of the file in it.
    """

    busy_bytes = PIPE_BYTES // 4
    """Less than this in the pipe is worth a pause."""

    def __init__(self, source: int, directory: str, name: str) -> None:
        self.source = source
        self.path = f"{directory}/{name}"
        self.bytes = 0
        self.overwritten = 0
        """Packets of files that a ring has deleted."""
        self.error: OSError | None = None
        """Why nothing more is written."""
        self._target = create_file(directory, name)
        self._step: Callable[[], int | None] = self._splice

    @property
    def files(self) -> int:
        """How many there are."""
        return 1

    @property
    def room(self) -> int:
        """Bytes that may be moved at once; 0 when the file is full."""
        return PIPE_BYTES

    def tick(self, now: float) -> None:
        """See to it several times a second."""

    def move(self) -> tuple[int, bool]:
        """Move what is in the pipe; return (bytes moved, whether more can come)."""
        total = 0
        for _ in range(_MOVES_AT_ONCE):
            if not self.room:
                return total, True
            moved = self._step()
            if not moved:
                return total, moved is None
            total += moved
            if moved < self.busy_bytes:
                break  # what has come meanwhile is worth no call of its own
        return total, True

    def _splice(self) -> int | None:
        """Move up to a pipe's content; 0 at the end, None when the pipe is empty."""
        try:
            flags = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE
            moved = os.splice(self.source, self._target, self.room, flags=flags)
        except BlockingIOError:
            return None
        except OSError as error:
            if not self.bytes and error.errno not in NO_ROOM:
                self._step = self._copy  # a file system that cannot splice
            else:
                self._give_up(error)
            return self._step()
        self.bytes += moved
        return moved

    def _copy(self) -> int | None:
        data = read_ready(self.source, min(self.room, _PIECE))
        if not data:
            return data if data is None else 0
        self._write(data)
        return len(data)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._target, data)
            self.bytes += written
            if written < len(data):
                self.bytes += os.write(self._target, data[written:])
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.error = error
        self._step = self._discard

    def _discard(self) -> int | None:
        data = read_ready(self.source, _PIECE)
        return data if data is None else len(data)

    def trim(self) -> int:
        """Cut the file to whole records and return how many there are."""
        records, self.bytes = trim_to_whole_records(self.path)
        return records


class Capture:
    """Watches tcpdump: its figures, the kernel's, and when it may be stopped without losing a packet."""

    def __init__(self, spec: dict[str, Any], tool: Tool, directory: str) -> None:
        self._programs = spec["counter_programs"]
        self._interfaces = spec["counter_interface"].split(",")
        self._tool = tool
        self._counters: list[SummedCounter] = []
        self._figures = {"captured": 0, "received": 0, "dropped": 0}
        self._of_interfaces = {"received": 0, "dropped": 0}
        self._final: set[str] = set()
        self._packets = 0
        self._begun = time.monotonic()
        self._asked = 0.0
        self._changed = self._begun
        self._unflushed = False
        self._goal = -1
        self._drain_since = 0.0
        self.listening = False
        """Whether the tool has said so, or must be capturing by now."""
        self.complaint = ""
        """What dumpcap complained of last, which it may do and end as if all were well."""
        self.file = _open_file(tool.stdout, directory, spec)

    # --- what tcpdump says ---------------------------------------------------------------------------

    def hear(self, line: bytes) -> bool:
        """Take a line of stderr; False for figures of the moment, which are not kept."""
        if line.startswith(_DUMPCAP):
            self.complaint = line.removeprefix(_DUMPCAP).decode("utf-8", "replace").strip()
        if (b"listening on" in line or line.startswith(b"File: -")) and not self.listening:
            self._begin()
        figures = parse_figures(line)
        if line.startswith(_OF_AN_INTERFACE):  # dumpcap's last words: a line for each
            figures = {name: sum_ + figures.get(name, 0) for name, sum_ in self._of_interfaces.items()}
            self._of_interfaces = figures
        self._figures |= figures
        if line.startswith(PROGRESS):
            self._figures["received"] = self._figures["captured"]
            return False
        if len(figures) == 1:
            self._final |= figures.keys()
        return len(figures) < len(_FIGURES)

    def _begin(self) -> None:
        """Count from here on: tcpdump says it listens when its filter is in place."""
        self.listening = True
        for name, program in self._programs:
            try:
                self._counters.append(SummedCounter(name, program, self._interfaces))
            except OSError:
                # No CAP_NET_RAW: tcpdump's own figures have to do. One socket less would miscount the rest.
                self._stop_counting()
                return

    def _stop_counting(self) -> None:
        for counter in self._counters:
            counter.close()
        self._counters = []

    # --- several times a second ----------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Read the kernel's counts, and ask tcpdump once a second when there is news."""
        if not self.listening and (self.file.bytes or now - self._begun > START_PATIENCE):
            self._begin()
        self.file.tick(now)
        packets = self._count()
        if packets != self._packets:
            self._packets, self._changed, self._unflushed = packets, now, True
        if now - self._asked >= FIGURES_PERIOD and self._has_news(now):
            self._ask(now)
        if self._unflushed and now - self._changed > FLUSH_PATIENCE:
            self._flush()

    def _count(self) -> int:
        counts = [counter.poll() for counter in self._counters]
        return counts[0] if counts else self._figures["captured"]

    def _has_news(self, now: float) -> bool:
        return not self._counters or now - self._changed < FLUSH_PATIENCE + FIGURES_PERIOD

    def _ask(self, now: float) -> None:
        # Its handler is set some time after it has started, and without one the signal would kill it.
        if self.listening and self._tool.catches(signal.SIGUSR1):
            self._asked = now
            self._tool.signal(signal.SIGUSR1)

    def _flush(self) -> None:
        """Have tcpdump write its buffer, so that a reader of the file sees every packet.

        Only in a silence longer than the kernel holds packets back: tcpdump 4.99 flushes inside its signal
        handler, and to interrupt its writing with that would damage the file.
        """
        self._unflushed = False
        if self._tool.catches(signal.SIGUSR2):
            self._tool.signal(signal.SIGUSR2)

    # --- the end -------------------------------------------------------------------------------------

    def is_drained(self, now: float) -> bool:
        """Whether tcpdump has seen every packet that had come when this was first asked.

        On SIGINT tcpdump leaves the kernel's last block unread, up to a second of packets, so it is asked
        for its figures until they reach the count, at most as long as the kernel may hold a block back.
        """
        if self._goal < 0:
            self._goal = self._count() - self._figures["dropped"] if self._counters else 1 << 62
            self._drain_since = now
        if not self.listening or now - self._drain_since > FLUSH_PATIENCE:
            return True
        self._ask(now)
        return self._figures["captured"] >= self._goal

    def finish(self, *, clean: bool) -> None:
        """Close the books: the count of packets is from here on that of the records in the files.

        Args:
            clean: Whether the tool ended by itself or obeyed SIGINT or SIGTERM.
        """
        self._count()
        whole = clean and self.file.error is None and "captured" in self._final
        self._packets = self._figures["captured"] - self.file.overwritten if whole else self.file.trim()

    def counters(self) -> dict[str, Any]:
        """Return the fields of :class:`netmon_tui.domain.job.CaptureCounters`."""
        return {
            "packets": self._packets,
            "bytes": self.file.bytes,
            **self._figures,
            "protocols": [[counter.name, counter.count] for counter in self._counters[1:]],
            "files": self.file.files,
            "overwritten": self.file.overwritten,
        }

    @staticmethod
    def is_figures(line: str) -> bool:
        """Whether a line of stderr is one of the ordinary ones: no reason for a failure."""
        ordinary = "listening on" in line or line.startswith(("File: ", "Capturing on "))
        return ordinary or bool(parse_figures(line.encode()))


def _open_file(source: int, directory: str, spec: dict[str, Any]) -> PacketFile:
    name, rotation = spec["capture_file"], spec["rotation"]
    if not (rotation["file_bytes"] or rotation["file_seconds"]):
        return PacketFile(source, directory, name)
    from .rotation import RotatedFile  # only for captures over several files

    return RotatedFile(source, directory, name, rotation)
