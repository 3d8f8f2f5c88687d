"""What is wrong with the files of a capture, and where: tools that refuse one say only what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.counted import counted
from netmon_tui.errors import NetmonError, ToolFailed
from netmon_tui.services.kept_index import open_index
from netmon_tui.tools.file_set import sizes_of
from netmon_tui.tools.pcap_files import end_of_records
from netmon_tui.tools.pcap_index import PacketIndex


def damage_of(paths: Sequence[Path], *, growing: bool = False) -> str:
    """Return what is wrong with the first file that is damaged, and where; empty when we find nothing.

    Blocks: each file is read to its end, or to where the damage is.

    Args:
        paths: The files.
        growing: Half a record at the end is none: the rest of it is to come.
    """
    for path in paths:
        try:
            with open_index(path, growing=growing) as index:
                damage = _of_index(index)
        except NetmonError as error:
            damage = str(error)
        except OSError:  # a ring deletes files
            continue
        if damage:
            return f"{path.name}: {damage}" if len(paths) > 1 else damage
    return ""


def missing_from(capture: Capture, source: Path) -> str:
    """Return how many packets are left of a capture that has ended, where its files became shorter, and why.

    Empty while all its bytes are there. Blocks: what became shorter is read.

    Args:
        capture: As it was stored.
        source: Its directory, or one of its files.
    """
    if not capture.state.is_final:
        return ""
    sizes = {path.name: size for path, size in sizes_of(source).items()}
    known = [one for one in capture.packet_files if source.is_dir() or Path(one.path).name == source.name]
    short = [one for one in known if sizes.get(Path(one.path).name, 0) < one.bytes]
    if not short:
        return ""
    directory = source if source.is_dir() else source.parent
    there = [directory / name for name in (Path(one.path).name for one in short) if name in sizes]
    left = sum(one.packets for one in known if one not in short) + sum(map(_whole_packets, there))
    stored = sum(one.packets for one in known)
    words = f"only {left:,} of the {counted(stored, 'packet', f'{stored:,}')}"
    return ": ".join(filter(None, (f"{words} of capture {capture.id} are left", damage_of(there))))


def whole_ends(capture: Capture, directory: Path) -> dict[int, int]:
    """Return where each file of a capture that has ended ends, by its number, where any of them became shorter.

    That is after the last whole packet; 0 without one, as long as another file has one. Empty while all bytes are
    there. Blocks: what became shorter is read.

    Args:
        capture: As it was stored.
        directory: Its directory.

    Raises:
        InvalidInput: No file has a packet, and the newest not even what a capture file begins with.
    """
    sizes = sizes_of(directory)
    known = {one.name: one.bytes for one in capture.packet_files} if capture.state.is_final else {}
    short = {path for path, size in sizes.items() if size < known.get(path.name, 0)}
    if not short:
        return {}
    ends = {path: _end_of_packets(path) if path in short else size for path, size in sizes.items()}
    if not any(ends.values()):
        newest = next(reversed(sizes))
        ends[newest] = end_of_records(newest)
    return {file_number(path.name) or 0: end for path, end in ends.items()}


def _end_of_packets(path: Path) -> int:
    try:
        with open_index(path, growing=True) as index:
            index.extend()
            return index.end if index.count else 0
    except (NetmonError, OSError):
        return 0


def _whole_packets(path: Path) -> int:
    try:
        with open_index(path) as index:
            index.extend()
            return index.count
    except (NetmonError, OSError):
        return 0


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


def with_place(error: ToolFailed, paths: Sequence[Path], *, growing: bool) -> ToolFailed:
    """Return how a tool failed on some files with what is wrong with them, where we find something; blocks."""
    why = "; ".join(filter(None, (error.why, damage_of(paths, growing=growing))))
    return ToolFailed(error.what, why=why, fix=error.fix)
