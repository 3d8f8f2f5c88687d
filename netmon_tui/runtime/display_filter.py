"""Display filters carried out by tshark: the numbers of the packets that meet one, as it finds them."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

from netmon_tui.domain.display_filter import placed, refusal
from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.runtime.key_log import kept_keys
from netmon_tui.runtime.pcap_input import FilePart
from netmon_tui.runtime.processes import run_checked
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.runtime.tshark import ADDRESS_SPACE, TsharkRun, complaint_of
from netmon_tui.tools.pcap import make_header
from netmon_tui.tools.tshark_statistics import key_options

_NUMBER_ALONE = 'gui.column.format:"No.","%m"'
"""A list with one column: twice as quick as ``-T fields``, which builds the tree of every packet."""
_GATHER_SECONDS = 0.05
"""Between two looks at what was printed, so that whoever shows it is told of many at a time."""
_CHECK_SECONDS = 5.0
_CHECK_EVERY_SECONDS = 0.2
"""Between two looks whether somebody still waits for all of them."""
_LONGEST_NUMBER = 20
"""Digits."""


def check_by_tshark(text: str) -> None:
    """Let tshark say whether a filter is right, on a file without packets; blocks for a third of a second.

    Raises:
        InvalidInput: It is wrong, in tshark's words.
        ToolMissing: There is no tshark.
    """
    argv = (require_tool("tshark"), "-n", "-Y", text, "-r", "-")
    child = run_checked(
        argv, timeout=_CHECK_SECONDS, cpu_seconds=5, input=make_header().data, memory_bytes=ADDRESS_SPACE
    )
    if child.timed_out:
        raise InvalidInput("The filter takes too long to read", why=f"over {_CHECK_SECONDS:g} s")
    if child.returncode != 0:
        raise placed(refusal(complaint_of(child.stderr, [text])), text)


class FilterRun:
    """One tshark that looks through a file, a part of one, or a file set for the packets that meet a filter.

    It gets the TLS keys that are kept with the capture.

    Whoever is cancelled, or closes the iterator, ends it.

    Args:
        source: What it looks through.
        text: The filter.
        before: How many packets of the file stand before the part.
        after: Number of the packet after which they are wanted: those before it are there to be known only.
        last: Number of the last packet of the part.
    """

    def __init__(
        self, source: Path | FilePart, text: str, *, before: int = 0, after: int = 0, last: int = 0
    ) -> None:
        self.last = last
        """Number of the last packet of the part; 0 when all of a file is looked through."""
        self._run = TsharkRun(source, filters=[text])
        self._path = source.path if isinstance(source, FilePart) else source
        self._text = text
        self._before = before
        self._after = after

    @property
    def progress(self) -> float:
        """How far tshark has read, 0 to 1."""
        return self._run.progress

    async def all(self) -> array[int]:
        """Return the numbers of all of them, 8 bytes each; raises as :meth:`numbers`."""
        found = array("Q")
        async with aclosing(self.numbers()) as batches:
            async for numbers in batches:
                found.extend(numbers)
        return found

    async def numbers(self) -> AsyncGenerator[list[int], None]:
        """Yield numbers of packets of the file, from 1 and rising, some at a time.

        Raises:
            InvalidInput: tshark refuses the filter.
            ToolFailed: The file cannot be read, or tshark ended badly, or hangs.
            ToolMissing: There is no tshark.
        """
        tshark = await asyncio.to_thread(require_tool, "tshark")
        keys = await asyncio.to_thread(kept_keys, self._path)
        command = (tshark, "-n", "-l", "-o", _NUMBER_ALONE, "-Y", self._text, "-r", "-")
        rest, last = b"", 0
        async with aclosing(self._run.pieces(lambda path: (*command, *key_options(path)), keys)) as pieces:
            async for piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                found = _numbers(lines, last)
                if len(rest) > _LONGEST_NUMBER:
                    raise ToolFailed("tshark printed something else than numbers", why=repr(rest[:60]))
                last = found[-1] if found else last
                numbers = (number + self._before for number in found)
                yield [number for number in numbers if number > self._after]
                await asyncio.sleep(_GATHER_SECONDS)


def shown_numbers(source: Path, text: str, check: Callable[[], None]) -> array[int]:
    """Return the numbers of all packets that meet a filter; blocks for 20 s a million packets.

    For work that runs in a thread anyway.

    Args:
        source: What is looked through.
        text: The filter.
        check: Called all the while; what it raises ends tshark.

    Raises:
        InvalidInput, ToolFailed, ToolMissing: As :meth:`FilterRun.numbers` does.
    """
    return asyncio.run(_checked(FilterRun(source, text).all(), check))


async def _checked(work: Coroutine[Any, Any, array[int]], check: Callable[[], None]) -> array[int]:
    """Do something to its end, unless a check in between raises."""
    working = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([working], timeout=_CHECK_EVERY_SECONDS))[0]:
            check()
        return working.result()
    finally:
        working.cancel()
        await asyncio.wait([working])


def _numbers(lines: list[bytes], last: int) -> list[int]:
    """Return the numbers that lines have, one each, which rise from the last one before."""
    try:
        found = [int(line) for line in lines]
    except ValueError as error:
        raise ToolFailed("tshark printed something else than numbers", why=repr(lines[0][:60])) from error
    if found != sorted(found) or (found and found[0] <= last):
        raise ToolFailed("tshark printed something else than the numbers of packets")
    return found
