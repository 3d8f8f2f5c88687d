"""Reads who talks from several capture files, one after the other, into the same tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netmon_tui.domain.traffic import Traffic
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.traffic_reader import TrafficReader
from netmon_tui.tools.traffic_tables import TrafficTables


class TrafficFiles:
    """Some capture files and what was counted of them; one thread at a time.

    Args:
        paths: The files, the oldest first; more than one only where none grows.
        growing: As for :class:`~netmon_tui.tools.traffic_reader.TrafficReader`.

    Raises:
        InvalidInput: None is a capture file of a kind that is stored.
        OSError: One cannot be opened or read.
    """

    def __init__(self, paths: Sequence[Path], *, growing: bool = False) -> None:
        self.paths = tuple(paths)
        self._sizes = [path.stat().st_size for path in self.paths] if len(self.paths) > 1 else [1]
        self._tables = TrafficTables()
        self._damage = ""
        self._place, self._reader = self._open(0, growing=growing)

    def advance(self, budget: float, *, growing: bool) -> bool:
        """Read what is new.

        Args:
            budget: Seconds of processor time to spend, about.
            growing: Whether the file is still being written.

        Returns:
            Whether there is more that could be read at once.

        Raises:
            OSError: The next file cannot be opened or read.
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
        try:
            place, following = self._open(self._place + 1)
        except InvalidInput:
            self._place = len(self.paths) - 1
            return
        self._reader.close()
        self._place, self._reader = place, following

    def _open(self, place: int, *, growing: bool = False) -> tuple[int, TrafficReader]:
        """Begin with the first file from a place on that is one; those before are told as damage.

        A killed capture may leave a file without a header: that is no reason to hide the others.
        """
        while True:
            path = self.paths[place]
            try:
                return place, TrafficReader(path, growing=growing, tables=self._tables)
            except InvalidInput as error:
                self._damage = self._damage or f"{path.name}: {error.why or error.what}"
                place += 1
                if place == len(self.paths):
                    raise

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
