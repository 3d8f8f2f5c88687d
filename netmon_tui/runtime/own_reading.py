"""Reading a capture ourselves, as tshark would: the same bytes, in a thread that ends when nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Protocol

from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.pcap_input import PcapInput, Source, moved_away

_PIECE = 1 << 18
"""Bytes read at once: a millisecond or two."""


class PieceReader(Protocol):
    """What takes a file piece by piece."""

    enough: bool
    """Whether it needs no more."""

    def take(self, piece: bytes) -> None:
        """Take the next bytes, cut anywhere."""


class OwnRun:
    """Reads a file from its beginning; use it once. Whoever is cancelled ends it.

    Args:
        source: What is read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stopped = threading.Event()
        self.progress = 0.0
        """How far it is, 0 to 1."""
        self.first = ""
        """Name of the file with the first packet that is read; empty before it is opened."""

    async def read(self, reader: PieceReader) -> None:
        """Hand over all bytes, or until the reader has enough.

        Raises:
            NotFound: The file is gone.
            ToolFailed: It cannot be read, or not all of it.
        """
        try:
            await asyncio.to_thread(self._read, reader)
        except FileNotFoundError as error:
            raise moved_away(error) from error
        except OSError as error:
            raise ToolFailed("the capture cannot be read", why=str(error)) from error
        finally:
            self._stopped.set()

    def _read(self, reader: PieceReader) -> None:
        # Opened and closed here, so that no descriptor is closed under a read that was given up.
        given = PcapInput(self._source)
        try:
            self.first = given.first
            while not (self._stopped.is_set() or reader.enough):
                piece = os.read(given.descriptor, _PIECE)
                if not piece:
                    given.require_whole()
                    return
                reader.take(piece)
                self.progress = given.progress
        finally:
            given.close()
