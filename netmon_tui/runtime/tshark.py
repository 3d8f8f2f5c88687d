"""One tshark over one capture file, as nobody where we are root, bounded in memory, processor time and patience."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise

from netmon_tui.domain.display_filter import placed, refusal
from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.key_log import unnamed
from netmon_tui.runtime.opened import opened
from netmon_tui.runtime.pcap_input import PcapInput, Source, moved_away
from netmon_tui.runtime.processes import ENVIRONMENT, PRLIMIT, end_process, nobodys_identity
from netmon_tui.runtime.sharkd import SETPRIV
from netmon_tui.tools.tshark_lines import LineReader

STALL_SECONDS = 60.0
"""So long without having read or said anything, and it hangs."""
ADDRESS_SPACE = 8 << 30
"""tshark keeps some 600 bytes of every packet."""
_CPU_SECONDS = 3_600
_PIECE = 1 << 18
"""Bytes read at once: what a quick tshark prints meanwhile."""
_LONGEST_COMPLAINT = 4_096
_REFUSED = re.compile(r'Filter ".*" is invalid')
"""Statistics say so, not all of them with a bad status; ``-Y`` is read before the file is."""
_CUT_SHORT = "cut short in the middle of a packet"
_NOISE = re.compile(r"Running as user .*|.*\[\w+ (?:CRITICAL|WARNING)\].*|\s*\^?~*\s*")
Command = Callable[[str], tuple[str, ...]]
"""Makes a command, given the path under which tshark finds the keys (empty without any)."""


class TsharkRun:
    """Lets tshark read a file from its beginning; use it once. Whoever is cancelled ends it.

    Args:
        source: What it reads. tshark gets it as its stdin, so it needs no right to open anything.
        filters: The display filters among its arguments, which it may refuse before it reads.
        stall_seconds: Patience with a tshark that neither reads nor says anything.
    """

    def __init__(
        self, source: Source, *, filters: Sequence[str] = (), stall_seconds: float = STALL_SECONDS
    ) -> None:
        self._source = source
        self._filters = tuple(filter(None, filters))
        self._stall = stall_seconds
        self._input: PcapInput | None = None
        self._part = 0.0
        self._beginning = b""
        self.first = ""
        """Name of the file with the first packet that is read; empty before it is opened."""
        self.cut_short = False
        """Whether the file ended within a packet, as one does that grows."""

    @property
    def progress(self) -> float:
        """How far tshark has read, 0 to 1."""
        if self._input is not None:
            self._part = self._input.progress
        return self._part

    async def read(self, command: Command, reader: LineReader, keys: bytes = b"") -> None:
        """Run tshark to its end, or until the reader, which works in a thread, has enough.

        Raises:
            As :meth:`pieces`.
        """
        async with aclosing(self.pieces(command, keys)) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(reader.take, piece)
                if reader.enough:
                    break

    async def pieces(self, command: Command, keys: bytes = b"") -> AsyncGenerator[bytes, None]:
        """Yield what tshark prints, cut anywhere; whoever closes this before its end ends tshark.

        Args:
            command: Makes the command.
            keys: TLS keys, which tshark gets as a file without a name.

        Raises:
            InvalidInput: tshark refuses the filter.
            NotFound: The file is gone.
            ToolFailed: The file cannot be read, or tshark ended badly, or hangs.
        """
        kept = -1
        try:
            self._input = given = await opened(lambda: _input_of(self._source), PcapInput.close)
            self.first = given.first
            kept = await opened(lambda: unnamed(keys), os.close) if keys else -1
            argv = command(f"/proc/self/fd/{kept}" if keys else "")
            process = await self._start(argv, given, (kept,) if keys else ())
            async with aclosing(self._followed(process, given)) as pieces:
                async for piece in pieces:
                    yield piece
        except OSError as error:  # not readable, or no room for another process
            raise ToolFailed("tshark cannot read the capture", why=str(error)) from error
        finally:
            self._close(kept)

    def _close(self, kept: int) -> None:
        if self._input is not None:
            self._part = self.progress
            self._input.close()
            self._input = None
        if kept >= 0:
            os.close(kept)

    async def _start(
        self, argv: tuple[str, ...], given: PcapInput, handed: tuple[int, ...]
    ) -> asyncio.subprocess.Process:
        limits = (f"--as={ADDRESS_SPACE}", f"--cpu={_CPU_SECONDS}", "--core=0", "--fsize=0")
        return await asyncio.create_subprocess_exec(
            *(PRLIMIT, *limits, "--", SETPRIV, "--pdeathsig", "KILL", "--", *argv),
            stdin=given.descriptor,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_PIECE,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            pass_fds=handed,
            **nobodys_identity(),
        )

    async def _followed(
        self, process: asyncio.subprocess.Process, given: PcapInput
    ) -> AsyncGenerator[bytes, None]:
        complaint = asyncio.create_task(_last_words(process))
        try:
            while piece := await self._next(process, given):
                self._beginning = self._beginning or piece[:_LONGEST_COMPLAINT]
                yield piece
            self._judge(await process.wait(), await complaint, given)
        finally:
            await end_process(process)
            complaint.cancel()

    async def _next(self, process: asyncio.subprocess.Process, given: PcapInput) -> bytes:
        assert process.stdout is not None
        seen = -1
        while True:
            try:
                return await asyncio.wait_for(process.stdout.read(_PIECE), self._stall)
            except TimeoutError:
                if given.position == seen:
                    why = f"it has read and said nothing for {self._stall:g} s"
                    raise ToolFailed("tshark hangs and was ended", why=why) from None
                seen = given.position

    def _judge(self, status: int, complaint: str, given: PcapInput) -> None:
        """Raise what a bad end means; a file that ends within a packet is no failure of tshark's."""
        given.require_whole()
        self.cut_short = _CUT_SHORT in complaint
        why = complaint_of(complaint, self._filters)
        first_line = self._beginning.partition(b"\n")[0].decode("utf-8", "replace")
        refused = next((words for words in (why, first_line) if _REFUSED.search(words)), "")
        if self._filters and (refused or (status > 0 and not given.position)):
            error = refusal(refused or why)  # of several, tshark does not say which one it refuses
            raise placed(error, self._filters[0]) if len(self._filters) == 1 else error
        if status == 0 or self.cut_short:
            return
        if status < 0:
            raise ToolFailed("tshark was ended", why=f"by signal {-status}: {signal.strsignal(-status)}")
        why = why or f"it ended with status {status}"
        raise ToolFailed("tshark did not get to the end of the file", why=why)


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    kept = b""
    while piece := await process.stderr.read(_PIECE):
        kept = (kept + piece)[:_LONGEST_COMPLAINT]
    return kept.decode("utf-8", "replace")


def complaint_of(stderr: str, filters: Sequence[str] = ()) -> str:
    """Return what tshark says is wrong, without its greeting and without the filters and the marks under them."""
    lines = [line.removeprefix("tshark: ").strip() for line in stderr.split("\n")]
    marked = {line for line, below in pairwise(lines) if below.startswith("^")}  # ours may be a part of it
    known = {text.strip() for text in filters} | marked
    return " ".join(line for line in lines if not _NOISE.fullmatch(line) and line not in known)


def _input_of(source: Source) -> PcapInput:
    try:
        return PcapInput(source)
    except FileNotFoundError as error:
        raise moved_away(error) from error
