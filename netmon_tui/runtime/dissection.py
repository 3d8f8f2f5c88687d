"""The field tree of one packet: by tshark, through pyshark."""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import Any

from netmon_tui.domain.packet import Layer
from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.processes import nobodys_identity
from netmon_tui.tools.dissector import layers_from_pdml
from netmon_tui.tools.pcap import FileHeader, RawPacket, pack_record

DEADLINE = 20.0
"""Seconds for tshark, which takes a third of one."""


async def dissect_packet(raw: RawPacket, header: FileHeader, *, tshark: str) -> tuple[Layer, ...]:
    """Return the field tree of a packet as tshark sees it.

    tshark sees this packet alone, so nothing that needs others (reassembly, relative numbers) is in the tree.
    It reads from memory, never from a file, and never as root. Where it fails,
    :func:`netmon_tui.tools.packet_tree.describe` has a smaller tree.

    Args:
        raw: The packet.
        header: The header of its file.
        tshark: Absolute path.

    Raises:
        ToolFailed: tshark or pyshark failed, or did not end in time.
    """
    try:
        # In a thread, because the import reads a hundred files; OSError when the working directory is gone
        module = await asyncio.to_thread(importlib.import_module, "netmon_tui.runtime.pyshark_capture")
        pdml = await _describe_by_tshark(
            module.OnePacketCapture, header.data + pack_record(header, raw), tshark
        )
    except TimeoutError as error:
        raise ToolFailed("tshark could not dissect the packet", why=f"it took over {DEADLINE:g} s") from error
    except (OSError, ImportError) as error:
        raise ToolFailed("tshark could not dissect the packet", why=str(error)) from error
    return layers_from_pdml(pdml, number=raw.number, data=bytes(raw.data))


async def _describe_by_tshark(capture_class: type[Any], file: bytes, tshark: str) -> bytes:
    """Return the PDML of the only packet of a pcap file."""
    with os.fdopen(os.memfd_create("packet"), "w+b") as source:
        source.write(file)
        source.seek(0)
        capture = capture_class(source.fileno(), tshark, nobodys_identity())
        async with asyncio.timeout(DEADLINE):
            pdml: bytes = await capture.first_packet()
            return pdml
