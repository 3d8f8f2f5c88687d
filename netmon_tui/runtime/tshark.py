"""One tshark over one capture file, as nobody where we are root, bounded in memory, processor time and patience."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.runtime.pcap_input import PcapInput
from netmon_tui.runtime.processes import ENVIRONMENT, PRLIMIT, nobodys_identity
from netmon_tui.runtime.sharkd import SETPRIV
from netmon_tui.tools.tshark_lines import LineReader

STALL_SECONDS = 60.0
"""So long without having read or said anything, and it hangs."""
LARGEST_KEYS = 16 << 20
"""Bytes of a file of TLS keys."""
_ADDRESS_SPACE = 8 << 30
"""tshark keeps some 600 bytes of every packet."""
_CPU_SECONDS = 3_600
_PIECE = 1 << 18
_LONGEST_COMPLAINT = 4_096
_REFUSED = re.compile(r'Filter ".*" is invalid')
"""Statistics say so, not all of them with a bad status; ``-Y`` is read before the file is."""
_CUT_SHORT = "cut short in the middle of a packet"
_NOISE = re.compile(r"Running as user .*|.*\[\w+ (?:CRITICAL|WARNING)\].*|\s*\^?~*\s*")


class TsharkRun:
    """Lets tshark read a file from its beginning; use it once. Whoever is cancelled ends it.

    Args:
        source: The file, or the directory of a file set. tshark gets it as its stdin, so it needs no right to open
            anything.
        reader: Takes the output, in a thread.
        filtered: Whether a display filter is among its arguments, which it may refuse before it reads.
        stall_seconds: Patience with a tshark that neither reads nor says anything.
    """

    def __init__(
        self,
        source: Path,
        reader: LineReader,
        *,
        filtered: bool = False,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._source = source
        self._filtered = filtered
        self._reader = reader
        self._stall = stall_seconds
        self._input: PcapInput | None = None
        self.cut_short = False
        """Whether the file ended within a packet, as one does that grows."""

    @property
    def progress(self) -> float:
        """How far tshark has read, 0 to 1."""
        return self._input.progress if self._input else 0.0

    async def run(self, command: Callable[[str], tuple[str, ...]], keys: bytes = b"") -> None:
        """Run tshark to its end, or until the reader has enough.

        Args:
            command: Makes the command, given the path under which tshark finds the keys (empty without any).
            keys: TLS keys, which tshark gets as a file without a name.

        Raises:
            InvalidInput: tshark refuses the filter.
            ToolFailed: It ended badly, or hangs.
            OSError: The file cannot be read.
        """
        self._input = given = await asyncio.to_thread(PcapInput, self._source)
        kept = _unnamed(keys) if keys else -1
        try:
            argv = command(f"/proc/self/fd/{kept}" if keys else "")
            process = await self._start(argv, given, (kept,) if keys else ())
            await self._follow(process, given)
        finally:
            given.close()
            if kept >= 0:
                os.close(kept)
            self._input = None

    async def _start(
        self, argv: tuple[str, ...], given: PcapInput, handed: tuple[int, ...]
    ) -> asyncio.subprocess.Process:
        limits = (f"--as={_ADDRESS_SPACE}", f"--cpu={_CPU_SECONDS}", "--core=0", "--fsize=0")
        return await asyncio.create_subprocess_exec(
            *(PRLIMIT, *limits, "--", SETPRIV, "--pdeathsig", "KILL", "--", *argv),
            stdin=given.descriptor,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            pass_fds=handed,
            **nobodys_identity(),
        )

    async def _follow(self, process: asyncio.subprocess.Process, given: PcapInput) -> None:
        complaint = asyncio.create_task(_last_words(process))
        try:
            await self._read(process, given)
            if not self._reader.enough:
                self._judge(await process.wait(), await complaint, given)
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            while process.stdout is not None and await process.stdout.read(_PIECE):
                pass  # what is left in the pipe: a process is not taken to have ended before its end is read
            await process.wait()
            complaint.cancel()

    async def _read(self, process: asyncio.subprocess.Process, given: PcapInput) -> None:
        assert process.stdout is not None
        seen = -1
        while not self._reader.enough:
            try:
                piece = await asyncio.wait_for(process.stdout.read(_PIECE), self._stall)
            except TimeoutError:
                if given.position == seen:
                    why = f"it has read and said nothing for {self._stall:g} s"
                    raise ToolFailed("tshark hangs and was ended", why=why) from None
                seen = given.position
                continue
            if not piece:
                return
            await asyncio.to_thread(self._reader.take, piece)

    def _judge(self, status: int, complaint: str, given: PcapInput) -> None:
        """Raise what a bad end means; a file that ends within a packet is no failure of tshark's."""
        given.require_whole()
        self.cut_short = _CUT_SHORT in complaint
        why = " ".join(_said(complaint))
        refused = next((words for words in (why, self._reader.beginning) if _REFUSED.search(words)), "")
        if self._filtered and (refused or (status > 0 and not given.position)):
            raise InvalidInput("tshark does not take the filter", why=refused or why)
        if status == 0 or self.cut_short:
            return
        if status < 0:
            raise ToolFailed("tshark was ended", why=f"by signal {-status}: {signal.strsignal(-status)}")
        why = why or f"it ended with status {status}"
        raise ToolFailed("tshark did not get to the end of the file", why=why)


def read_keys(path: Path) -> bytes:
    """Return a file of TLS keys, as SSLKEYLOGFILE names one (blocking).

    Raises:
        InvalidInput: It cannot be read, is too large, or is none.
    """
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(LARGEST_KEYS + 1)
    except (OSError, RuntimeError) as error:
        raise InvalidInput(f"the TLS keys cannot be read from {path}", why=str(error)) from error
    if len(data) > LARGEST_KEYS:
        raise InvalidInput(f"{path} is too large for TLS keys", why=f"over {LARGEST_KEYS:,} bytes")
    if not re.search(rb"^[A-Z_0-9]+ [0-9a-fA-F]+ [0-9a-fA-F]+\s*$", data, re.MULTILINE):
        raise InvalidInput(
            f"{path} has no TLS keys", fix="name a file that a program wrote for SSLKEYLOGFILE"
        )
    return data


def _unnamed(data: bytes) -> int:
    """Return a descriptor of a file without a name that the child can open again."""
    descriptor = os.memfd_create("keys", 0)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    return descriptor


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    kept = b""
    while piece := await process.stderr.read(_PIECE):
        kept = (kept + piece)[:_LONGEST_COMPLAINT]
    return kept.decode("utf-8", "replace")


def _said(complaint: str) -> list[str]:
    """Return what tshark says is wrong, without its greeting and the mark under a filter."""
    lines = (line.removeprefix("tshark: ").strip() for line in complaint.split("\n"))
    return [line for line in lines if not _NOISE.fullmatch(line)]
