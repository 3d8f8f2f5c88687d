"""What is asked of a sharkd about packets, and its answers as our own values."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from netmon_tui.domain.packet import ByteSource, Layer
from netmon_tui.domain.packet_columns import Dissected
from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.sharkd import Sharkd
from netmon_tui.tools.pcap import RawPacket
from netmon_tui.tools.sharkd import (
    USUAL_COLUMNS,
    USUAL_ENDS,
    USUAL_INFO,
    USUAL_PROTOCOL,
    column_parameters,
    fields_of,
    layers_of,
    shifted_info,
    sources_of,
)


class Dissection(NamedTuple):
    """The field tree of a packet, and who made it of what."""

    layers: tuple[Layer, ...]
    dissector: str
    """``sharkd`` or ``tshark``."""
    window: tuple[int, int] | None
    """First and last packet that it knew; None for the whole file."""
    sources: tuple[ByteSource, ...] = ()
    """Further bytes of the packet, which tshark does not tell."""


async def tree_in_whole(whole: Sharkd, raw: RawPacket) -> Dissection:
    """Return the field tree of a packet from a sharkd that knows the whole file; raises ToolFailed."""
    return await _tree(whole, raw, skipped=0, window=None)


async def tree_in_window(sharkd: Sharkd, window: tuple[int, int], raw: RawPacket) -> Dissection:
    """Return the field tree of a packet from a sharkd that knows a window, given by its first and last packet."""
    return await _tree(sharkd, raw, skipped=window[0] - 1, window=window)


async def _tree(
    sharkd: Sharkd, raw: RawPacket, *, skipped: int, window: tuple[int, int] | None
) -> Dissection:
    # with bytes, for those of further sources come with those of the packet only
    reply = await sharkd.ask("frame", frame=raw.number - skipped, proto=True, bytes=True)
    return await asyncio.to_thread(_dissection, reply, raw.captured, skipped, window)


def _dissection(reply: Any, captured: int, skipped: int, window: tuple[int, int] | None) -> Dissection:
    sources = sources_of(reply)
    alone = window is not None
    layers = layers_of(reply, skipped=skipped, captured=captured, alone=alone, sources=sources)
    return Dissection(layers, "sharkd", window, sources)


async def list_columns(
    sharkd: Sharkd, skip: int, skipped: int, fields: Sequence[str], most: int
) -> dict[int, Dissected]:
    """Return the columns of some packets that sharkd knows, by their numbers in the file.

    Args:
        sharkd: What has loaded it.
        skip: Packets of the file before the first that is asked for.
        skipped: Packets of the file before the first that sharkd knows.
        fields: Names of fields.
        most: Packets.

    Raises:
        ToolFailed: It could not do it, or has other columns.
    """
    part = {"limit": most} | ({"skip": skip - skipped} if skip > skipped else {})
    usual = fields_of(await sharkd.ask("frames", **part), skipped=skipped)
    found: dict[int, tuple[str, ...]] = {}
    if fields:
        reply = await sharkd.ask("frames", **part, **column_parameters(fields))
        found = fields_of(reply, fields, skipped=skipped, numbering=await sharkd.numbering(fields))
    if any(len(cells) != USUAL_COLUMNS for cells in usual.values()):
        raise ToolFailed("sharkd has other columns than the usual ones")
    return {
        number: Dissected(
            cells[USUAL_PROTOCOL],
            shifted_info(cells[USUAL_INFO], skipped),
            found.get(number, ()),
            *cells[USUAL_ENDS],
        )
        for number, cells in usual.items()
    }
