"""Reads who talks from several capture files, one after the other, into the same tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netmon_tui.domain.traffic import Traffic
from netmon_tui.tools.traffic_reader import TrafficReader
from netmon_tui.tools.traffic_tables import TrafficTables


class TrafficFiles:
    """Some capture files and what was counted of them; one thread at a time.

    Args:
        paths: The files, the oldest first; more than one only where none grows.
        growing: As for :class:`~netmon_tui.tools.traffic_reader.TrafficReader`.

    Raises:
        InvalidInput: The first is not a capture file of a kind that is stored.
        OSError: It cannot be opened or read.
    """

    def __init__(self, paths: Sequence[Path], *, growing: bool = False) -> None:
        self.paths = tuple(paths)
        self._sizes = [path.stat().st_size for path in self.paths] if len(self.paths) > 1 else [1]
        self._tables = TrafficTables()
        self._place = 0
        self._reader = TrafficReader(self.paths[0], growing=growing, tables=self._tables)
        self._damage = ""

    def advance(self, budget: float, *, growing: bool) -> bool:
        """Read what is new.

        Args:
            budget: Seconds of processor time to spend, about.
            growing: Whether the file is still being written.

        Returns:
            Whether there is more that could be read at once.

        Raises:
            InvalidInput, OSError: As when one begins, of the next file.
        """
        deadline = time.thread_time() + budget
        self._reader.growing = growing
        while (left := deadline - time.thread_time()) > 0:
            if self._reader.advance(left):
                continue
            if self._place + 1 == len(self.paths):
                return False
            self._go_on()
        return True

    def _go_on(self) -> None:
        """Turn to the next file, also behind one that is damaged."""
        self._damage = self._damage or self._damage_here()
        following = TrafficReader(self.paths[self._place + 1], tables=self._tables)
        self._reader.close()
        self._reader, self._place = following, self._place + 1

    def _damage_here(self) -> str:
        damage, several = self._reader.damage, len(self.paths) > 1
        return f"{self.paths[self._place].name}: {damage}" if damage and several else damage

    def snapshot(self, most: int) -> Traffic:
        """Return what was counted so far: the largest entries of each table, at most ``most`` of each."""
        traffic = self._reader.snapshot(most)
        before, here = sum(self._sizes[: self._place]), self._sizes[self._place]
        return replace(
            traffic,
            read=(before + here * traffic.read) / (sum(self._sizes) or 1),
            damage=self._damage or self._damage_here(),
        )

    def close(self) -> None:
        """Let go of the file that is read; a second call does nothing."""
        self._reader.close()
