"""pyshark's capture on one packet, tamed: no temporary file, an environment of our own, and no root.

Imported only when a packet is looked at, for pyshark takes a third of a second. pyshark itself would inherit
our environment (tshark runs ``init.lua`` from ``$HOME``), read ``./config.ini`` to find tshark, and look for
the file by name, so its step that starts tshark is replaced here; hence pyshark < 0.7 in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pyshark.capture.capture import Capture, StopCapture, TSharkCrashException
from pyshark.tshark.output_parser.tshark_xml import TsharkXmlParser

from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.processes import end_process

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "WIRESHARK_CONFIG_DIR": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "XDG_DATA_HOME": "/nonexistent",
}
"""No personal plugins, preferences or profiles, whoever we are."""
_LARGEST_TREE = 8 * 1024 * 1024
"""Bytes of PDML that are believed for one packet."""
_PIECE = TsharkXmlParser.DEFAULT_BATCH_SIZE
"""Bytes that pyshark adds at a time."""
_BEGIN, _END = b"<packet>", b"</packet>"
_LONGEST_COMPLAINT = 4096
_LIMITS = {
    resource.RLIMIT_CPU: 20,
    resource.RLIMIT_AS: 4 * 1024**3,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
}


class _PdmlParser(TsharkXmlParser):  # type: ignore[misc]
    """pyshark's reader of tshark's output, that hands on the XML of a packet as it is."""

    def _extract_packet_from_data(
        self, data: bytes, got_first_packet: bool = True
    ) -> tuple[bytes | None, bytes]:
        """Return the first packet's element and what follows it; pyshark would search all of it every time."""
        if len(data) > _LARGEST_TREE:
            raise ToolFailed(
                "tshark's description of the packet is too long", why=f"over {_LARGEST_TREE} bytes"
            )
        end = data.find(_END, max(len(data) - _PIECE - len(_END), 0))
        if end < 0:
            return None, data
        end += len(_END)
        return data[data.find(_BEGIN) : end], data[end:]

    def _parse_single_packet(self, packet: bytes) -> bytes:
        return packet


class OnePacketCapture(Capture):  # type: ignore[misc]
    """A capture of the first packet of an open file.

    Args:
        source: Descriptor of a pcap file, at its beginning. tshark inherits it as its stdin, so it needs no
            right to open anything.
        tshark: Absolute path.
        identity: Further arguments for the child: user and groups to become.
    """

    def __init__(self, source: int, tshark: str, identity: Mapping[str, Any]) -> None:
        super().__init__(eventloop=asyncio.get_running_loop(), tshark_path=tshark)
        self._source = source
        self._identity = identity
        self._last_words = ""

    async def first_packet(self) -> bytes:
        """Return the PDML element of the first packet.

        Raises:
            ToolFailed: tshark ended badly, described no packet, or described it at absurd length.
            OSError: tshark could not be started.
        """
        found: list[bytes] = []

        def keep(packet: bytes) -> None:
            found.append(packet)
            raise StopCapture

        try:
            await self.packets_from_tshark(keep)
        finally:
            await self.close_async()
        if not found:
            raise ToolFailed("tshark did not describe the packet", why=self._last_words)
        return found[0]

    async def _get_tshark_process(
        self, packet_count: int | None = None, stdin: Any = None
    ) -> asyncio.subprocess.Process:
        """Start tshark; pyshark calls this."""
        argv = (self.tshark_path, "-l", "-n", "-T", "pdml", "-r", "-")
        zone = {"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=self._source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**_ENVIRONMENT, **zone},
            cwd="/",
            start_new_session=True,
            **self._identity,
        )
        with suppress(TSharkCrashException):  # one that is gone already is read as any other
            self._created_new_process(list(argv), process)
        self._create_stderr_handling_task(process.stderr)
        _limit(process.pid)
        return process

    async def _cleanup_subprocess(self, process: asyncio.subprocess.Process) -> None:
        """End tshark; pyshark waits only a second, and raises when the status is not to its liking."""
        await end_process(process)

    async def _handle_process_stderr_forever(self, stderr: asyncio.StreamReader) -> None:
        """Keep tshark's last words; pyshark fails on long lines and on bytes that are not UTF-8."""
        kept = b""
        while piece := await stderr.read(65_536):
            kept = (kept + piece)[-_LONGEST_COMPLAINT:]
        lines = kept.decode("utf-8", "replace").split("\n")
        self._last_words = next((line for line in reversed(lines) if line.strip()), "")

    def _setup_tshark_output_parser(self) -> _PdmlParser:
        return _PdmlParser()


def _limit(pid: int) -> None:
    """Bound what the child may use; from outside, as code between fork and exec is unsafe beside threads."""
    for limit, value in _LIMITS.items():
        try:
            resource.prlimit(pid, limit, (value, value))
        except (ProcessLookupError, PermissionError):
            return  # gone already, or not ours to limit: the deadline is left
