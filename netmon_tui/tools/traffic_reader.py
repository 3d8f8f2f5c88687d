"""Reads who talks from a capture file that may grow, with no more processor time than it is given.

What it cannot read in that time it samples, in blocks at even distances, and says so. The blocks begin where
``pcap_sync`` finds a record, which needs the packets' times to be near; where it finds none, it falls behind and
reads on from where it was.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from netmon_tui.domain.traffic import Traffic
from netmon_tui.tools.flow_counter import NEEDED, Counted, FlowCounter
from netmon_tui.tools.link_layers import link_type_name
from netmon_tui.tools.packet_flow import LAYOUTS
from netmon_tui.tools.pcap import RECORD_HEADER_SIZE
from netmon_tui.tools.pcap_layout import PcapngLayout, layout_of
from netmon_tui.tools.pcap_open import OpenPcap
from netmon_tui.tools.pcap_sync import HEAD_SIZE, TRUSTED_AFTER, finder_after
from netmon_tui.tools.traffic_tables import TrafficTables

CHUNK = 256 * 1024
"""Bytes counted at once, and of a block that stands for others: a millisecond."""
_MOST_FLOWS = 8_192
"""Flows that are counted before the tables take them."""
_LITTLE = 0.1
"""Part of what a look has read that may be left after it where reading keeps up."""
_FIRST_COST = 4e-9
"""Seconds of processor time for each byte, until it was measured."""


class TrafficReader(OpenPcap):
    """One capture file and what was counted of it; one thread at a time.

    Args:
        path: The file.
        growing: It is still being written: what is new may be sampled, and a half record at its end is no
            damage. May change later.
        tables: What is counted is added to these; by default to new ones.

    Raises:
        InvalidInput: Not a capture file of a kind that is stored.
        OSError: The file cannot be opened or read.
    """

    def __init__(
        self, path: str | Path, *, growing: bool = False, tables: TrafficTables | None = None
    ) -> None:
        super().__init__(path)
        self.growing = growing
        self._counter = FlowCounter(self.header)
        self._tables = TrafficTables() if tables is None else tables
        self._begin = self._end = self._size = len(self.layout.beginning)
        self._looked_at = 0
        """Bytes of the records that were counted."""
        self._cost = _FIRST_COST
        self._keeps_up = True
        self.damage = ""
        """Why nothing is read beyond some place in the file."""

    def advance(self, budget: float) -> bool:
        """Read what is new.

        Args:
            budget: Seconds of processor time to spend, about.

        Returns:
            Whether there is more that could be read at once.
        """
        self._size = os.fstat(self._fd).st_size
        if self._size < self._end and not self.damage:
            self.damage = "the file became shorter while it was read"
        if self.damage:
            return False
        began, before, start = time.thread_time(), self._looked_at, self._end
        if not (self.growing and self._cost * (self._size - self._end) > budget and self._sample(budget)):
            self._read_on(began + budget)
        left = self._size - self._end
        self._keeps_up = left <= max(CHUNK, (self._end - start) * _LITTLE)
        read, spent = self._looked_at - before, time.thread_time() - began
        if read > CHUNK:
            self._cost += (spent / read - self._cost) / 2
        return not self.growing and not self.damage and read > 0

    def snapshot(self, most: int) -> Traffic:
        """Return what was counted so far: the largest entries of each table, at most ``most`` of each."""
        done = self._end - self._begin
        return replace(
            self._tables.snapshot(most),
            sampled=done / self._looked_at if 0 < self._looked_at < done else 1.0,
            read=min(1.0, self._end / self._size) if self._size else 1.0,  # it may be cut to nothing
            keeps_up=self._keeps_up,
            damage=self.damage,
            unread="" if self.header.linktype in LAYOUTS else link_type_name(self.header.linktype),
        )

    def _read_on(self, deadline: float) -> None:
        """Count from where we are, at least one chunk, until nothing is left or the time is up."""
        while self._size - self._end >= RECORD_HEADER_SIZE:
            counted = self._count(self._end)
            self._looked_at += counted.end
            self._end += counted.end
            if counted.damage:
                self.damage = f"{counted.damage}: at byte {self._end}"
            if counted.damage or not counted.end or time.thread_time() > deadline:
                break
            if len(self._counter) > _MOST_FLOWS:
                self._tables.add(*self._counter.take())
        self._tables.add(*self._counter.take())

    def _count(self, begin: int) -> Counted:
        """Count the records that begin in the chunk at ``begin``, where one begins."""
        if isinstance(self.layout, PcapngLayout):
            return self._count_blocks(self.layout, begin)
        piece = self._piece(begin, CHUNK + NEEDED)
        if len(piece) < CHUNK + NEEDED:
            self._size = min(self._size, begin + len(piece))
            piece += bytes(NEEDED)
        return self._counter.count(piece, 0, self._size - begin)

    def _count_blocks(self, layout: PcapngLayout, begin: int) -> Counted:
        most = min(CHUNK + layout.largest_rest, self._size - begin)
        piece = self._piece(begin, most)
        if len(piece) < most:
            self._size = begin + len(piece)
        counted = self._count_piece(piece, 0, most)
        return counted if counted.end else Counted(0, layout.refusal(piece))

    def _count_piece(self, piece: bytes, start: int, room: int) -> Counted:
        """Count the records from one in a piece on; the arguments are as :meth:`FlowCounter.count` takes them."""
        if not isinstance(self.layout, PcapngLayout):
            return self._counter.count(piece, start, room)
        records, end = self.layout.as_records(piece[start:])
        self._counter.count(records + bytes(NEEDED), 0, len(records))
        return Counted(start + end, "")

    def _sample(self, budget: float) -> bool:
        """Count blocks that stand for all that is new; False, and nothing counted, when none could be."""
        new = self._size - self._end
        span = CHUNK + TRUSTED_AFTER
        blocks = min(int(budget / (self._cost * CHUNK)), new // (2 * span))
        if blocks < 1:
            return False
        self.layout = layout_of(self._fd)  # an interface may have been described since
        finder = finder_after(self.layout, os.pread(self._fd, HEAD_SIZE, self._end), time.time())
        if finder is None:
            return False
        looked_at, end = 0, self._end
        deadline = time.thread_time() + 2 * budget
        for number in range(1, blocks + 1):
            if time.thread_time() > deadline:
                break
            begin = self._end + new * number // blocks - span - NEEDED
            piece = self._piece(begin, span + NEEDED)
            start = finder.find(piece)
            if start is None:
                continue
            counted = self._count_piece(piece, start, self._size - begin)
            looked_at += counted.end - start
            end = begin + counted.end
        if not looked_at:
            return False
        self._tables.add(*self._counter.take(), weight=(end - self._end) / looked_at)
        self._looked_at += looked_at
        self._end = end
        return True
