"""One display filter over all files of a capture: its matches in one list, as tshark finds them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from netmon_tui.domain.display_filter import needs_all
from netmon_tui.domain.set_matches import MOST_MATCHES, SetMatches
from netmon_tui.errors import InvalidInput, NetmonError, NotFound, ToolFailed
from netmon_tui.runtime.display_filter import FilterRun
from netmon_tui.runtime.key_log import kept_keys
from netmon_tui.services.kept_index import count_packets
from netmon_tui.tools.file_set import packet_files

Found = tuple[Path, Sequence[int]]
"""A file, and numbers of packets in it."""


class SetFilter:
    """Looks through files one after the other, so that tshark never holds more than one of them.

    A filter for which packets far before matter, such as ``tcp.stream == 3``, and one that reads what kept TLS keys
    decrypt, makes tshark read all files as the one capture that they are: streams and numbers count through them,
    and it takes some 600 bytes for each packet.

    Args:
        files: The files, the oldest first.
        text: The filter, which is right.
        since: Name of the file from whose first packet it counts, where it does; empty for the oldest.

    Raises:
        NotFound: The ring has deleted that file.
    """

    def __init__(self, files: Sequence[Path], text: str, since: str = "") -> None:
        if since and needs_all(text) and files[0].name != since:
            raise NotFound(
                f"{text} means other packets now: the ring has deleted those from which it counts",
                fix="ask the analysis once more",
            )
        self._files = files
        self.text = text
        """The filter."""
        self.since = since
        """As it was given."""
        self.matches = SetMatches()
        """What :meth:`run` has found so far."""
        self.place = 0
        """Which file is looked through, from 1; 0 before the first, and when all are read as one."""
        self.missed = 0
        """Files that a ring deleted before they were looked through."""
        self.ended = ""
        """Why it ended early, in words; empty while it runs and when it came to its end."""
        self.is_done = False
        """Whether it has ended, however."""
        self._run: FilterRun | None = None

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    @property
    def newest(self) -> str:
        """The name of the newest file."""
        return self._files[-1].name

    @property
    def progress(self) -> float:
        """How far tshark has read the file, or all where they are read as one, 0 to 1."""
        return self._run.progress if self._run is not None else 0.0

    async def run(self) -> None:
        """Gather the matches, up to so many as are kept; whoever is cancelled ends it."""
        try:
            async with aclosing(self.batches()) as batches:
                async for path, numbers in batches:
                    self.matches.add(path, numbers)
                    if len(self.matches) >= MOST_MATCHES:
                        self.ended = f"more than {MOST_MATCHES:,} matches"
                        break
        except asyncio.CancelledError:
            self.ended = "stopped"
            raise
        except (NetmonError, OSError) as error:
            self.ended = str(error)
        finally:
            self.is_done = True

    async def batches(self) -> AsyncGenerator[Found, None]:
        """Yield what meets the filter, file by file and rising.

        Raises:
            InvalidInput: tshark refuses the filter, or the ring deleted files that are read as one.
            ToolMissing, ToolFailed: It needs tshark, which must be able to read the files.
        """
        has_keys = bool(await asyncio.to_thread(kept_keys, self._files[0]))
        as_one = len(self._files) > 1 and (has_keys or needs_all(self.text))
        async with aclosing(self._as_one() if as_one else self._one_by_one()) as batches:
            async for batch in batches:
                yield batch

    async def _one_by_one(self) -> AsyncGenerator[Found, None]:
        for place, path in enumerate(self._files, 1):
            self.place = place
            self._run = FilterRun(path, self.text)
            try:
                async with aclosing(self._run.numbers()) as batches:
                    async for numbers in batches:
                        if numbers:
                            yield path, numbers
            except (NotFound, ToolFailed):
                if await asyncio.to_thread(path.exists):
                    raise
                self.missed += 1  # the ring was quicker

    async def _as_one(self) -> AsyncGenerator[Found, None]:
        directory = self._files[0].parent
        ends: list[int] = []
        self._run = FilterRun(directory, self.text)
        async with aclosing(self._run.numbers()) as batches:
            async for numbers in batches:
                ends = ends or await asyncio.to_thread(self._ends, directory)
                for found in _by_file(self._files, ends, numbers):
                    yield found

    def _ends(self, directory: Path) -> list[int]:
        """Return how many packets there are up to the end of each file that tshark may read, but the last."""
        now = packet_files(
            directory
        )  # tshark began with the oldest before this, and with no newer one than these
        if now[:1] != list(self._files[:1]):
            raise _deleted()
        self._files = now
        ends = [0]
        try:
            for path in now[:-1]:
                ends.append(ends[-1] + count_packets(path))
        except FileNotFoundError:
            raise _deleted() from None
        return ends


def _deleted() -> InvalidInput:
    return InvalidInput("the ring deleted packets while they were read", fix="look once more")


def _by_file(files: Sequence[Path], ends: Sequence[int], numbers: Sequence[int]) -> list[Found]:
    """Return packets that are numbered through all files by file, numbered in it."""
    found: list[Found] = []
    starts = [bisect_right(numbers, end) for end in ends]
    for path, before, start, stop in zip(files, ends, starts, [*starts[1:], len(numbers)], strict=True):
        part = numbers[start:stop]
        if part:
            found.append((path, [number - before for number in part]))
    return found
