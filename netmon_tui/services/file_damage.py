"""What is wrong with the files of a capture, and where: tools that refuse one say only what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netmon_tui.errors import NetmonError, ToolFailed
from netmon_tui.services.kept_index import open_index
from netmon_tui.tools.pcap_index import PacketIndex


def damage_of(paths: Sequence[Path]) -> str:
    """Return what is wrong with the first file that is damaged, and where; empty when we find nothing.

    Blocks: each file is read to its end, or to where the damage is.
    """
    for path in paths:
        try:
            with open_index(path) as index:
                damage = _of_index(index)
        except NetmonError as error:
            damage = str(error)
        except OSError:  # a ring deletes files
            continue
        if damage:
            return f"{path.name}: {damage}" if len(paths) > 1 else damage
    return ""


def _of_index(index: PacketIndex) -> str:
    index.extend()
    described = len(index.layout.interfaces)
    if index.damage or not described:
        return index.damage
    # of a packet of an interface that is not described we show all but that; tshark ends there
    other = next((raw for raw in index.packets() if raw.interface >= described), None)
    if other is None:
        return ""
    place = f"packet {other.number} at byte {index.offset(other.number)}"
    return f"{place} is of interface {other.interface}, which is not described"


def with_place(error: ToolFailed, paths: Sequence[Path]) -> ToolFailed:
    """Return how a tool failed on some files with what is wrong with them, where we find something; blocks."""
    why = "; ".join(filter(None, (error.why, damage_of(paths))))
    return ToolFailed(error.what, why=why, fix=error.fix)
