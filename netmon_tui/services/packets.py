"""Opening the capture files of users, and finding packets in all files of a capture."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

from netmon_tui.domain.display_filter import check_text
from netmon_tui.domain.packet_find import Wanted
from netmon_tui.domain.user import Actor
from netmon_tui.runtime.display_filter import FilterRun, check_by_tshark
from netmon_tui.runtime.opened import opened
from netmon_tui.services.capture_keys import CaptureKeys
from netmon_tui.services.capture_on_disk import OnDisk, on_disk
from netmon_tui.services.lost_files import no_file, require_files
from netmon_tui.services.packet_columns import PacketColumnService
from netmon_tui.services.packet_list import PacketList
from netmon_tui.services.packet_marks import PacketMarkService
from netmon_tui.services.set_filter import SetFilter
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.tools.file_set import file_gone, one_file, one_of, packet_files


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
