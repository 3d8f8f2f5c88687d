"""Looking into capture files: windows of the packet list and the field tree of one packet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path

from netmon_tui.domain.display_filter import Offer, check_text, is_counted
from netmon_tui.domain.packet import PacketDetail
from netmon_tui.domain.packet_columns import Dissected, PacketColumns, PacketLine, said_line
from netmon_tui.domain.packet_find import FindIn, Wanted
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError, NotFound, ToolFailed, ToolMissing
from netmon_tui.runtime.display_filter import FilterRun, check_by_tshark
from netmon_tui.runtime.key_log import kept_keys
from netmon_tui.runtime.opened import opened
from netmon_tui.runtime.packet_dissector import PacketDissector
from netmon_tui.runtime.pcap_input import FilePart
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.capture_keys import CaptureKeys
from netmon_tui.services.capture_on_disk import OnDisk, on_disk
from netmon_tui.services.lost_files import no_file, require_files
from netmon_tui.services.packet_columns import PacketColumnService
from netmon_tui.services.packet_finding import PacketFinder
from netmon_tui.services.packet_marks import PacketMarkService
from netmon_tui.services.packet_rows import SLICE, PacketRows
from netmon_tui.services.set_filter import SetFilter
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.tools.file_set import file_gone, one_file, one_of, packet_files
from netmon_tui.tools.packet_parts import KNOWN_LINK_TYPES
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket

_KNOWN_BEFORE = 400
"""Packets: as many as a dissector of one packet knows."""
_MOST_WINDOWS = 20
"""Parts of a file that a dissector is shown one after the other, 0.1 s each, before it is shown the whole one."""
_LINE = ("source", "destination", "protocol", "length", "info")
"""What something is found in where it is looked for in lines."""
OF_WHOLE_FILE = "(whole file)"
"""What stands in place of a value that only a dissector of the whole file knows."""


class PacketList(PacketRows):
    """One open capture file with what dissects its packets.

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
        if numbers and (whole or len({number // _KNOWN_BEFORE for number in numbers}) > _MOST_WINDOWS):
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

    async def finder(self, wanted: Wanted, numbers: Sequence[int] | None = None) -> PacketFinder:
        """Return what finds packets by what is in them, among those of some numbers (ascending) or all that are
        indexed; raises InvalidInput for a pattern that cannot be understood.

        Lines are looked through in the words in which :meth:`worded` lists them.
        """
        columns = PacketColumns(_LINE, wanted.by_tshark)
        is_told = wanted.place is FindIn.LIST and await self._is_told(columns)
        told = partial(self._told, columns) if is_told else None
        return await self._alone(lambda: PacketFinder(self._index, wanted, numbers, told))

    async def _is_told(self, columns: PacketColumns) -> bool:
        """Whether the dissector is there and has to say something of lines of this file."""
        is_ours = not columns.by_tshark and self._index.header.linktype in KNOWN_LINK_TYPES
        if is_ours and not await self.has_keys():
            return False
        return bool(await asyncio.to_thread(find_tool, "sharkd"))

    async def _told(self, columns: PacketColumns, numbers: Sequence[int]) -> list[str]:
        lines = await self.lines(numbers, columns.keys)
        with suppress(ToolMissing, ToolFailed):  # then they are listed in our own words
            lines = await self.worded(lines, columns)
        return [" ".join(line.cells) for line in lines]

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

    # display filters

    async def check_filter(self, text: str) -> str:
        """Return a display filter without outer spaces.

        Raises:
            InvalidInput: It is wrong, in the dissector's words.
            ToolMissing: There is no dissector.
        """
        plain = check_text(text)
        if plain and not await self._dissector.check(plain):
            await asyncio.to_thread(check_by_tshark, plain)
        return plain

    async def complete_filter(self, beginning: str) -> list[Offer]:
        """Return names of fields that begin so, without a dot those of protocols; none without sharkd."""
        return await self._dissector.complete(beginning) if beginning else []

    async def has_keys(self) -> bool:
        """Return whether TLS keys are kept with the capture: then packets far before matter to a filter."""
        return bool(await asyncio.to_thread(kept_keys, self.path))

    def matching(self, text: str) -> FilterRun:
        """Return what finds the packets that meet a display filter, in the file as it is when that begins."""
        return FilterRun(self._index.path, text)

    async def matching_after(self, text: str, number: int) -> FilterRun:
        """Return what finds those among the packets that are indexed now and come after the one of a number.

        The dissector sees some packets before them too, of which it may have to put a message together.
        """
        return await self._alone(lambda: self._matching_part(text, number))

    def _matching_part(self, text: str, after: int) -> FilterRun:
        before, last = max(0, after - _KNOWN_BEFORE), self._index.count
        start = self._index.offset(before + 1) if before < last else self._index.end
        part = FilePart(self.path, start, self._index.end)
        return FilterRun(part, text, before=before, after=after, last=last)

    async def close(self) -> None:
        """End what dissects, and release the file."""
        await self._dissector.close()
        await super().close()


def _without(one: Dissected, hidden: Sequence[int]) -> Dissected:
    shown = (OF_WHOLE_FILE if at in hidden else value for at, value in enumerate(one.fields))
    return one._replace(fields=tuple(shown))


class PacketService:
    """Opens capture files for those who may see them.

    Args:
        captures, marks: Storage.
        columns: Which columns each user wants to see of them.
        keys: Their TLS keys.
    """

    def __init__(
        self,
        captures: CaptureRepository,
        marks: PacketMarkRepository,
        columns: PacketColumnService,
        keys: CaptureKeys,
    ) -> None:
        self._captures = captures
        self.marks = PacketMarkService(captures, marks)
        """The packets that users have marked."""
        self.columns = columns
        self.keys = keys

    async def open(self, actor: Actor, capture_id: int, file: str = "") -> PacketList:
        """Open a file of a capture, also while it runs.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            file: Its name, or its place in digits, from 1 for the oldest; empty for the newest.

        Raises:
            NotFound: No such capture, or not the actor's; or it has no such file.
            InvalidInput: It has no file yet, or it is no capture file.
        """
        return await opened(lambda: self._open(actor, capture_id, file), PacketList.close)

    def _open(self, actor: Actor, capture_id: int, file: str) -> PacketList:
        capture = self._captures.get(actor, capture_id)
        directory = self._captures.directory(capture_id)
        paths = require_files(capture, directory)
        path = one_of(paths, file)
        is_newest = path == paths[-1]  # the others are written to no more
        try:
            return PacketList(path, growing=is_newest and not capture.state.is_final)
        except FileNotFoundError as error:
            raise file_gone(path.name, packet_files(directory)) from error

    async def first_match(self, actor: Actor, capture_id: int, file: str, text: str) -> int:
        """Return the first packet of a file of a capture that meets a display filter; 0 when none does.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            file: As for :meth:`open`.
            text: The filter, which is right.

        Raises:
            NotFound: No such capture, or not the actor's; or it has no such file.
            ToolMissing, ToolFailed: It needs tshark, which must be able to read the file.
        """
        directory = await asyncio.to_thread(self._captures.directory, capture_id, actor)
        path = await asyncio.to_thread(one_file, directory, file)
        async with aclosing(FilterRun(path, text).numbers()) as batches:
            async for numbers in batches:
                if numbers:
                    return numbers[0]
        return 0

    async def filter_set(self, actor: Actor, capture_id: int, text: str, since: str = "") -> SetFilter:
        """Return what finds the packets of all files of a capture that meet a display filter, which is right.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            text: The filter.
            since: Name of the file from whose first packet it counts, where it does; empty for the oldest.

        Raises:
            NotFound: No such capture, or not the actor's; or a ring has deleted the file from which it counts.
            InvalidInput: It has no file yet; NotFound when it has none any more.
        """
        files = await self.file_set(actor, capture_id)
        if not files:
            capture = await asyncio.to_thread(self._captures.get, actor, capture_id)
            raise no_file(capture, await asyncio.to_thread(self._captures.directory, capture_id))
        return SetFilter(files, text, since)

    async def first_found(
        self, actor: Actor, capture_id: int, file: str, wanted: Wanted, text: str = ""
    ) -> int:
        """Return the first packet of a file in which something is found; 0 where it is in none.

        Args:
            actor: Who looks.
            capture_id: At which capture.
            file: As for :meth:`open`.
            wanted: What is looked for.
            text: A display filter, which is right, that the packet must meet too; empty for none.

        Raises:
            As :meth:`first_match`; InvalidInput for a pattern that cannot be understood.
        """
        opened = await self.open(actor, capture_id, file)
        try:
            while await opened.extend():
                pass
            numbers = await opened.matching(text).all() if text else None
            finder = await opened.finder(wanted, numbers)
            async with aclosing(finder.batches()) as batches:
                async for batch in batches:
                    if batch.matches:
                        return batch.matches[0].number
            return 0
        finally:
            await opened.close()

    async def file_set(self, actor: Actor, capture_id: int) -> tuple[Path, ...]:
        """Return the files that a capture has now, the oldest first; NotFound when it is not the actor's."""
        return (await self.on_disk(actor, capture_id)).files

    async def on_disk(self, actor: Actor, capture_id: int) -> OnDisk:
        """Return what a capture has on the disk now; NotFound when it is not the actor's."""
        return await asyncio.to_thread(self._on_disk, actor, capture_id)

    def _on_disk(self, actor: Actor, capture_id: int) -> OnDisk:
        return on_disk(self._captures.directory(capture_id, actor))

    async def check_filter(self, text: str) -> str:
        """Return a display filter without outer spaces, checked without a capture; raises as that of one."""
        plain = check_text(text)
        await asyncio.to_thread(check_by_tshark, plain)
        return plain
