"""What a dissector says of the packets of an open capture file: the fields of one, and the words of lines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from netmon_tui.domain.display_filter import is_counted
from netmon_tui.domain.packet import PacketDetail
from netmon_tui.domain.packet_columns import Dissected, PacketColumns, PacketLine, said_line
from netmon_tui.errors import NetmonError, NotFound, ToolFailed, ToolMissing
from netmon_tui.runtime.key_log import kept_keys
from netmon_tui.runtime.packet_dissector import PacketDissector
from netmon_tui.services.packet_rows import SLICE, PacketRows
from netmon_tui.tools.file_set import file_gone, packet_files
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket

KNOWN_BEFORE = 400
"""Packets: as many as a dissector of one packet knows."""
_MOST_WINDOWS = 20
"""Parts of a file that a dissector is shown one after the other, 0.1 s each, before it is shown the whole one."""
OF_WHOLE_FILE = "(whole file)"
"""What stands in place of a value that only a dissector of the whole file knows."""


class DissectedPackets(PacketRows):
    """The rows of an open capture file, and the dissector that says what is in them.

    Args:
        path: The file.
        growing: As for the rows.
    """

    def __init__(self, path: Path, *, growing: bool = False) -> None:
        super().__init__(path, growing=growing)
        self._dissector = PacketDissector(path, lambda: self._index.layout, self._cut)
        self._hopeless = -1
        """Bytes of records with which the whole file could not be loaded."""

    async def warm_up(self) -> None:
        """Start what dissects packets, so that the first detail need not wait for that."""
        await self._dissector.warm_up()

    async def sketch(self, number: int) -> PacketDetail:
        """Return one packet (from 1) at once, with the few fields we decode ourselves; NotFound without it."""
        raw = await self._alone(lambda: self._index.read(number))
        return self._built_in(raw)

    async def detail(self, number: int) -> PacketDetail:
        """Return one packet, counted from 1: fields by sharkd or tshark where there is one, else our own few.

        Raises:
            NotFound: The file has no such packet.
        """
        raw = await self._alone(lambda: self._find(number))
        try:
            layers, dissector, window, sources = await self._dissector.dissect(raw)
        except (NetmonError, OSError):
            return self._built_in(raw)  # a dissector that fails is no reason to show nothing
        if window == (1, self.count) and self.complete and not self.growing:
            window = None
        summary = summarise(raw, self._index.header.linktype)
        return PacketDetail(summary, layers, bytes(raw.data), dissector, window, sources)

    def _find(self, number: int) -> RawPacket:
        while number > self._index.count and self._index.extend(SLICE):
            pass
        if not 1 <= number <= self._index.count:
            raise NotFound(f"no packet {number}: the file has {self._index.count}")
        return self._index.read(number)

    async def dissected(self, number: int, fields: Sequence[str]) -> dict[int, Dissected]:
        """Return what the dissector says of a packet, and of those near it, in a list.

        Fields that depend on what the dissector knows are not told before it knows the whole file.

        Raises:
            ToolMissing, ToolFailed: There is no sharkd, or it could not do it.
            NotFound: There is no such packet.
        """
        raw = await self._alone(lambda: self._index.read(number))
        found = await self._dissector.columns(raw, fields)
        hidden = [at for at, field in enumerate(fields) if is_counted(field)]
        if self.knows_whole or not hidden:
            return found
        return {number: _without(one, hidden) for number, one in found.items()}

    async def worded(
        self, lines: Sequence[PacketLine], columns: PacketColumns, *, whole: bool = False
    ) -> list[PacketLine]:
        """Return lines with chosen columns, with what only the dissector can say of them.

        Args:
            lines: The lines.
            columns: Theirs.
            whole: Let it see the whole file: what opens a packet may stand far before it. It does so, too, where
                the lines are so far apart that to show it what is around each of them would take longer.

        Raises:
            As :meth:`dissected` does, where that is asked for: lines that are only sealed stay so without sharkd.
        """
        is_asked = bool(columns.fields) or columns.by_tshark
        numbers = [one.summary.number for one in lines if is_asked or one.is_sealed]
        if numbers and (whole or len({number // KNOWN_BEFORE for number in numbers}) > _MOST_WINDOWS):
            await self._try_whole()
        said: dict[int, Dissected] = {}
        found: list[PacketLine] = []
        for one in lines:
            number = one.summary.number
            if (is_asked or one.is_sealed) and number not in said:
                try:
                    said = await self.dissected(number, columns.fields)
                except (ToolMissing, ToolFailed):
                    if is_asked:
                        raise
                    return [*found, *lines[len(found) :]]
            found.append(said_line(columns, one, said[number]) if number in said else one)
        return found

    async def _try_whole(self) -> None:
        """Let the dissector see the whole file if it can; a file that it could not load is not tried twice."""
        if self._hopeless == self._index.end:
            return  # it sees what is near
        try:
            await self.load_whole()
        except NetmonError:
            self._hopeless = self._index.end

    def _built_in(self, raw: RawPacket) -> PacketDetail:
        linktype, alone = self._index.header.linktype, (raw.number, raw.number)
        layers = describe(raw, linktype)
        return PacketDetail(summarise(raw, linktype), layers, bytes(raw.data), "built-in", alone)

    async def _cut(self, first: int, after: int, most: int) -> Sequence[RawPacket]:
        return await self._alone(lambda: self._window_of(first, after, most))

    def _window_of(self, first: int, after: int, most: int) -> Sequence[RawPacket]:
        last = min(after - 1, self._index.count)
        if first > last or self._index.offset(last) - self._index.offset(first) > most:
            return []
        return self._index.window(first, last + 1)

    # the whole file

    @property
    def knows_whole(self) -> bool:
        """Whether the dissector has loaded the whole file, as it was then."""
        return self._dissector.knows_whole

    @property
    def whole_progress(self) -> float:
        """How far the dissector has loaded the whole file, 0 to 1."""
        return self._dissector.progress

    async def load_whole(self) -> None:
        """Let the dissector load the whole file, so that it counts streams and joins packets over all of it.

        It takes 700 MB and 20 s to two minutes for a million packets; whoever is cancelled stops it.

        Raises:
            ToolMissing: sharkd is not installed.
            ToolFailed: It cannot load the file.
            DiskFull: There is no room for the copy that it reads.
        """
        while await self.extend():
            pass
        try:
            await self._dissector.load_whole(self._index.end, self.count)
        except FileNotFoundError as error:
            raise file_gone(self.path.name, packet_files(self.path.parent)) from error

    async def has_keys(self) -> bool:
        """Return whether TLS keys are kept with the capture: then packets far before matter to a filter."""
        return bool(await asyncio.to_thread(kept_keys, self.path))

    async def close(self) -> None:
        """End what dissects, and release the file."""
        await self._dissector.close()
        await super().close()


def _without(one: Dissected, hidden: Sequence[int]) -> Dissected:
    shown = (OF_WHOLE_FILE if at in hidden else value for at, value in enumerate(one.fields))
    return one._replace(fields=tuple(shown))
