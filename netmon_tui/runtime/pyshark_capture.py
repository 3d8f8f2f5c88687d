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
from typing import Any

from pyshark.capture.capture import Capture, StopCapture, TSharkCrashException
from pyshark.tshark.output_parser.tshark_xml import TsharkXmlParser

from netmon_tui.errors import ToolFailed

_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "WIRESHARK_CONFIG_DIR": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "XDG_DATA_HOME": "/nonexistent",
}
"""No personal plugins, preferences or profiles, whoever we are."""
_LARGEST_TREE = 32 * 1024 * 1024
"""Bytes of PDML that are believed for one packet."""
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
        if len(data) > _LARGEST_TREE:
            raise ToolFailed(
                "tshark's description of the packet is too long", why=f"over {_LARGEST_TREE} bytes"
            )
        found: tuple[bytes | None, bytes] = super()._extract_packet_from_data(data, got_first_packet)
        return found

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
        except TSharkCrashException as error:
            raise ToolFailed("tshark could not dissect the packet", why=str(error)) from error
        finally:
            await self.close_async()
        if not found:
            raise ToolFailed("tshark did not describe the packet", why=self._last_error_line or "")
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
        self._created_new_process(list(argv), process)
        self._create_stderr_handling_task(process.stderr)
        _limit(process.pid)
        return process

    def _setup_tshark_output_parser(self) -> _PdmlParser:
        return _PdmlParser()


def _limit(pid: int) -> None:
    """Bound what the child may use; from outside, as code between fork and exec is unsafe beside threads."""
    for limit, value in _LIMITS.items():
        try:
            resource.prlimit(pid, limit, (value, value))
        except (ProcessLookupError, PermissionError):
            return  # gone already, or not ours to limit: the deadline is left
