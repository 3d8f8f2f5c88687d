"""Display filters carried out by tshark: the numbers of the packets that meet one, as it finds them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from array import array
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.runtime.pcap_input import PcapInput
from netmon_tui.runtime.processes import ENVIRONMENT, PRLIMIT, nobodys_identity, run_checked
from netmon_tui.runtime.sharkd import SETPRIV
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.tools.pcap import make_header

_NUMBER_ALONE = 'gui.column.format:"No.","%m"'
"""A list with one column: twice as quick as ``-T fields``, which builds the tree of every packet."""
_PIECE = 1 << 18
"""Bytes read at once: what a quick tshark prints meanwhile."""
_GATHER_SECONDS = 0.05
"""Between two looks at what was printed, so that whoever shows it is told of many at a time."""
_ADDRESS_SPACE = 8 << 30
"""tshark keeps some 600 bytes of every packet."""
_CHECK_SECONDS = 5.0
_LONGEST_COMPLAINT = 4096
_NOISE = re.compile(r"Running as user .*|\s*\^?~*\s*")
_CUT_SHORT = "cut short in the middle of a packet"


def check_by_tshark(text: str) -> None:
    """Let tshark say whether a filter is right, on a file without packets; blocks for a third of a second.

    Raises:
        InvalidInput: It is wrong, in tshark's words.
        ToolMissing: There is no tshark.
    """
    argv = (require_tool("tshark"), "-n", "-Y", text, "-r", "-")
    child = run_checked(
        argv, timeout=_CHECK_SECONDS, cpu_seconds=5, input=make_header().data, memory_bytes=_ADDRESS_SPACE
    )
    if child.timed_out:
        raise InvalidInput("The filter takes too long to read", why=f"over {_CHECK_SECONDS:g} s")
    if child.returncode != 0:
        raise InvalidInput("The filter is not valid", why=_complaint(child.stderr, text))


class FilterRun:
    """One tshark that looks through a file, or a file set, for the packets that meet a filter.

    It reads the file as its stdin, so it needs no right to open anything, and is nobody where we are root. Whoever
    is cancelled, or closes the iterator, ends it.

    Args:
        source: The file, or the directory of a file set.
        text: The filter.
    """

    def __init__(self, source: Path, text: str) -> None:
        self._source = source
        self._text = text
        self._input: PcapInput | None = None

    @property
    def progress(self) -> float:
        """How far tshark has read, 0 to 1."""
        return self._input.progress if self._input else 0.0

    async def numbers(self) -> AsyncGenerator[list[int], None]:
        """Yield numbers of packets, from 1 and rising, some at a time.

        Raises:
            InvalidInput: tshark refuses the filter.
            ToolFailed: tshark ended badly.
            ToolMissing: There is no tshark.
        """
        tshark = await asyncio.to_thread(require_tool, "tshark")
        self._input = given = await asyncio.to_thread(PcapInput, self._source)
        try:
            process = await self._start(tshark, given.descriptor)
            complaint = asyncio.create_task(_last_words(process))
            try:
                async for numbers in _numbers(process):
                    yield numbers
                self._judge(await process.wait(), await complaint)
                given.require_whole()
            finally:
                await _end(process)
                complaint.cancel()
        finally:
            given.close()
            self._input = None

    async def _start(self, tshark: str, file: int) -> asyncio.subprocess.Process:
        limits = (PRLIMIT, f"--as={_ADDRESS_SPACE}", "--core=0", "--fsize=0", "--")
        command = (tshark, "-n", "-l", "-o", _NUMBER_ALONE, "-Y", self._text, "-r", "-")
        return await asyncio.create_subprocess_exec(
            *(*limits, SETPRIV, "--pdeathsig", "KILL", "--", *command),
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_PIECE,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            **nobodys_identity(),
        )

    def _judge(self, status: int, complaint: str) -> None:
        """Raise what a bad end means; a file that ends within a packet is no failure of tshark's."""
        if status == 0 or _CUT_SHORT in complaint:
            return
        why = _complaint(complaint, self._text) or f"it ended with status {status}"
        if self.progress:
            raise ToolFailed("tshark did not get to the end of the file", why=why)
        raise InvalidInput("The filter is not valid", why=why)


def shown_numbers(source: Path, text: str) -> array[int]:
    """Return the numbers of all packets that meet a filter, 8 bytes each; blocks for 20 s a million packets.

    For work that runs in a thread anyway.

    Raises:
        InvalidInput, ToolFailed, ToolMissing: As :meth:`FilterRun.numbers` does.
    """

    async def gather() -> array[int]:
        found = array("Q")
        async for numbers in FilterRun(source, text).numbers():
            found.extend(numbers)
        return found

    return asyncio.run(gather())


async def _numbers(process: asyncio.subprocess.Process) -> AsyncGenerator[list[int], None]:
    """Yield what tshark prints: a number a line."""
    assert process.stdout is not None
    rest, last = b"", 0
    while piece := await process.stdout.read(_PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        try:
            found = [int(line) for line in lines]
        except ValueError as error:
            raise ToolFailed("tshark printed something else than numbers", why=repr(lines[0][:60])) from error
        if found != sorted(found) or (found and found[0] <= last) or len(rest) > _LONGEST_COMPLAINT:
            raise ToolFailed("tshark printed something else than the numbers of packets")
        last = found[-1] if found else last
        yield found
        await asyncio.sleep(_GATHER_SECONDS)


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    kept = b""
    while piece := await process.stderr.read(_PIECE):
        kept = (kept + piece)[:_LONGEST_COMPLAINT]
    return kept.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _complaint(stderr: str, text: str) -> str:
    """Return what tshark says is wrong, without its greeting and without the filter and the mark under it."""
    lines = (line.removeprefix("tshark: ").strip() for line in stderr.split("\n"))
    return " ".join(line for line in lines if not _NOISE.fullmatch(line) and line != text.strip())
