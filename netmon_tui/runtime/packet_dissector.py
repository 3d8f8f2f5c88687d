"""The field trees of one capture file's packets: by a sharkd that stays, on a few hundred packets at a time.

Loading a whole file takes sharkd 17 seconds for a million packets, and starting tshark takes a third of a second
for each packet. A window of some hundred packets takes sharkd a twentieth of a second, and then a packet half a
millisecond.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from netmon_tui.domain.display_filter import Offer, placed
from netmon_tui.domain.packet_columns import Dissected
from netmon_tui.errors import InvalidInput, NetmonError, ToolFailed, ToolMissing
from netmon_tui.runtime.dissection import dissect_packet
from netmon_tui.runtime.key_log import KeptKeys
from netmon_tui.runtime.opened import opened
from netmon_tui.runtime.sharkd import Sharkd
from netmon_tui.runtime.sharkd_answers import Dissection, list_columns, tree_in_whole, tree_in_window
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.runtime.whole_file import open_for_child, part_read
from netmon_tui.tools.pcap import RawPacket
from netmon_tui.tools.pcap_layout import RecordLayout, layout_for
from netmon_tui.tools.sharkd import offers_of

SERVED = 400
"""Packets that are dissected from one window."""
RUN_UP = 200
"""Packets before them that sharkd knows, too, so that most answers know their questions."""
_LARGEST_WINDOW = 32 << 20
"""Bytes; of larger packets a window holds one."""
_PATIENCE = 3
"""Windows on which sharkd may fail before it is not asked any more."""
_CLOSED = "the capture is closed"
_UNKNOWN_INTERFACE = "unknown"
"""Name of that of packets whose own is not described, in a damaged file."""
Cut = Callable[[int, int, int], Awaitable[Sequence[RawPacket]]]
"""Returns the packets from one number (from 1) up to and without another, as far as there are any; none when they
have more bytes than the third."""
Result = TypeVar("Result")


class _Window(NamedTuple):
    """What the sharkd of windows has loaded."""

    first: int
    last: int


class PacketDissector:
    """Dissects packets of one file; starts what it needs when it is first asked, and is closed with the file.

    Whoever is cancelled leaves the question to its end: a sharkd of whom nobody waits for an answer would give it
    to the next question.

    Args:
        path: The file.
        layout: Of its packets.
        cut: Reads packets of it.
    """

    def __init__(self, path: Path, layout: RecordLayout, cut: Cut) -> None:
        self._path = path
        self._header = layout.header
        self._interfaces = len(layout.interfaces)
        # sharkd reads no further than to a packet of an interface that is not described
        others = (_UNKNOWN_INTERFACE,) if layout.interfaces else ()
        self._layout = layout_for(layout.header, (*layout.interfaces, *others))
        self._cut = cut
        self._lock = asyncio.Lock()
        self._sharkd: Sharkd | None = None
        self._window: _Window | None = None
        self._memory = -1
        """Descriptor of the window's bytes."""
        self._whole: Sharkd | None = None
        self._whole_file = -1
        self._loading: Sharkd | None = None
        self._failed: set[int] = set()
        """First packets of windows on which sharkd failed twice."""
        self._keys, self._whole_keys = KeptKeys(path), KeptKeys(path)
        """What the sharkd of windows and that of the whole file were given."""
        self._closed = False

    # packets

    async def warm_up(self) -> None:
        """Start sharkd, so that the first packet need not wait for that; where there is none, nothing happens."""
        with suppress(NetmonError, OSError):
            await self._alone(self._running())

    async def dissect(self, raw: RawPacket) -> Dissection:
        """Return the field tree of a packet.

        Raises:
            ToolMissing: There is neither sharkd nor tshark.
            ToolFailed: Neither could do it.
        """
        await self._look_at_keys()
        if self._whole is not None and raw.number <= self._whole.frames:
            with suppress(NetmonError):
                return await self._alone(self._in_whole(lambda whole: tree_in_whole(whole, raw)))
        with suppress(NetmonError, OSError):
            window = self._in_served(raw, lambda served: self._in_window(raw, served))
            return await self._alone(window)
        tshark = await asyncio.to_thread(find_tool, "tshark")
        if tshark is None:
            raise ToolMissing("tshark is not installed")
        layers = await dissect_packet(raw, self._header, tshark=tshark)
        return Dissection(layers, "tshark", (raw.number, raw.number))

    async def _in_whole(self, work: Callable[[Sharkd], Awaitable[Result]]) -> Result:
        """Do something with the sharkd of the whole file, which is given up when that fails."""
        if self._whole is None:  # given up while we waited for our turn
            raise ToolFailed("the whole file is not loaded any more")
        try:
            return await work(self._whole)
        except ToolFailed:
            await self._drop_whole()
            raise

    async def _in_served(self, raw: RawPacket, work: Callable[[int], Awaitable[Result]]) -> Result:
        """Do something with the window of a packet, unless that has failed too often."""
        served = (raw.number - 1) // SERVED * SERVED + 1
        if served in self._failed or len(self._failed) >= _PATIENCE:
            raise ToolFailed("sharkd has failed here before")
        try:
            return await self._asked_twice(lambda: work(served))
        except ToolFailed:
            self._failed.add(served)
            raise

    async def _asked_twice(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do something with sharkd, and once more with a new one when that one fails."""
        try:
            return await work()
        except ToolFailed:
            await self._drop_sharkd()
        try:
            return await work()
        except ToolFailed:
            await self._drop_sharkd()
            raise

    async def _in_window(self, raw: RawPacket, served: int) -> Dissection:
        sharkd, window = await self._loaded(raw, served)
        return await tree_in_window(sharkd, window, raw)

    async def _loaded(self, raw: RawPacket, served: int) -> tuple[Sharkd, _Window]:
        sharkd, window = await self._running(), self._window
        if window is None or not _serves(window, raw.number, served):
            window = await self._load_window(sharkd, raw, served)
        return sharkd, window

    async def columns(self, raw: RawPacket, fields: Sequence[str]) -> dict[int, Dissected]:
        """Return what sharkd says of a packet, and of those near it, in a list.

        Raises:
            ToolMissing, ToolFailed: There is no sharkd, or it could not do it.
        """
        await self._look_at_keys()
        if self._whole is not None and raw.number <= self._whole.frames:
            skip = (raw.number - 1) // SERVED * SERVED
            with suppress(ToolFailed):  # a window knows it, too
                return await self._alone(
                    self._in_whole(lambda whole: list_columns(whole, skip, 0, fields, SERVED))
                )
        return await self._alone(
            self._in_served(raw, lambda served: self._window_columns(raw, served, fields))
        )

    async def _window_columns(
        self, raw: RawPacket, served: int, fields: Sequence[str]
    ) -> dict[int, Dissected]:
        sharkd, window = await self._loaded(raw, served)
        skip = raw.number - 1 if window.first == window.last else served - 1
        return await list_columns(sharkd, skip, window.first - 1, fields, SERVED)

    async def _load_window(self, sharkd: Sharkd, raw: RawPacket, served: int) -> _Window:
        first = max(1, served - RUN_UP)
        packets = await self._cut(first, served + SERVED, _LARGEST_WINDOW) or [raw]
        self._window = None
        await asyncio.to_thread(self._write_window, packets)
        await sharkd.load(self._memory)
        if sharkd.frames != len(packets):
            await sharkd.close()
            raise ToolFailed("sharkd read another number of packets", why=f"{sharkd.frames}")
        self._window = _Window(packets[0].number, packets[-1].number)
        return self._window

    def _write_window(self, packets: Sequence[RawPacket]) -> None:
        known = (raw._replace(interface=min(raw.interface, self._interfaces)) for raw in packets)
        data = self._layout.beginning + b"".join(map(self._layout.pack, known))
        os.ftruncate(self._memory, 0)
        os.pwrite(self._memory, data, 0)

    # filters

    async def check(self, text: str) -> bool:
        """Return whether sharkd is there to say that a display filter is right.

        Raises:
            InvalidInput: The filter is wrong, in sharkd's words.
        """
        try:
            await self._alone(self._asked_twice(lambda: self._asked("check", filter=text)))
        except InvalidInput as error:
            raise placed(error, text) from error
        except (NetmonError, OSError):
            return False
        return True

    async def complete(self, beginning: str) -> list[Offer]:
        """Return names that begin so, without a dot those of protocols; none where there is no sharkd."""
        try:
            return offers_of(
                await self._alone(self._asked_twice(lambda: self._asked("complete", field=beginning)))
            )
        except (NetmonError, OSError):
            return []

    async def _asked(self, method: str, **parameters: object) -> Any:
        return await (await self._running()).ask(method, **parameters)

    # the whole file

    @property
    def knows_whole(self) -> bool:
        """Whether the whole file, as it was then, is loaded."""
        return self._whole is not None

    @property
    def progress(self) -> float:
        """How far the whole file is loaded, 0 to 1."""
        if self._loading is None or self._whole_file < 0:
            return 0.0
        return part_read(self._loading.pid, self._whole_file)

    async def load_whole(self, size: int, packets: int) -> None:
        """Load the whole file; whoever is cancelled stops that. Packets are dissected meanwhile as before.

        Args:
            size: Bytes of whole records.
            packets: How many they are.

        Raises:
            ToolMissing: There is no sharkd.
            ToolFailed: It cannot load the file, or not to its end.
            DiskFull: There is no room for the copy that sharkd reads as nobody.
        """
        if self._whole is not None or self._loading is not None:
            return
        path = await asyncio.to_thread(_require_sharkd)
        file = await opened(lambda: open_for_child(self._path, size), os.close)
        try:
            loading = await self._start(path, file, self._whole_keys)
        except BaseException:
            os.close(file)
            raise
        self._loading, self._whole_file = loading, file
        try:
            await loading.load(file, None)
            if self._closed:
                raise ToolFailed(_CLOSED)
            if loading.frames < packets:
                why = f"it read {loading.frames} of {packets} packets"
                raise ToolFailed("sharkd did not get to the end of the file", why=why)
            self._whole = loading
        finally:
            self._loading = None
            if self._whole is None:
                await loading.close()
                await self._drop_whole()

    async def _drop_whole(self) -> None:
        # Both at once: whoever does not wait for the one may load the next meanwhile.
        whole, file, self._whole, self._whole_file = self._whole, self._whole_file, None, -1
        if file >= 0:
            os.close(file)
        if whole is not None:
            await whole.close()

    # beginning and end

    async def _running(self) -> Sharkd:
        if self._closed:
            raise ToolFailed(_CLOSED)
        if self._sharkd is None:
            path = await asyncio.to_thread(_require_sharkd)
            if self._memory < 0:
                self._memory = os.memfd_create("packets")
            self._sharkd = await self._start(path, self._memory, self._keys)
        return self._sharkd

    async def _start(self, path: str, file: int, keys: KeptKeys) -> Sharkd:
        """Start a sharkd with the keys of now; one that is there after :meth:`close` is ended at once."""
        sharkd = await Sharkd.start(path, [file], await asyncio.to_thread(keys.take))
        if self._closed:
            await sharkd.close()
            raise ToolFailed(_CLOSED)
        return sharkd

    async def _look_at_keys(self) -> None:
        """End every sharkd that has other TLS keys than are kept now."""
        if self._sharkd is not None and self._keys.have_changed():
            await self._alone(self._drop_sharkd())
        if self._whole is not None and self._whole_keys.have_changed():
            await self._alone(self._drop_whole())

    async def _drop_sharkd(self) -> None:
        sharkd, self._sharkd, self._window = self._sharkd, None, None
        if sharkd is not None:
            await sharkd.close()

    async def close(self) -> None:
        """End what was started."""
        self._closed = True
        for sharkd in (self._loading, self._sharkd):
            if sharkd is not None:  # whoever waits for its answer gets none
                await sharkd.close()
        async with self._lock:
            await self._drop_sharkd()
            await self._drop_whole()
            if self._memory >= 0:
                os.close(self._memory)
                self._memory = -1

    async def _alone(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do one thing at a time, to its end."""
        doing = asyncio.ensure_future(_locked(self._lock, work))
        doing.add_done_callback(_look_at)
        return await asyncio.shield(doing)


async def _locked(lock: asyncio.Lock, work: Coroutine[Any, Any, Result]) -> Result:
    async with lock:
        return await work


def _look_at(done: asyncio.Future[Any]) -> None:
    """See how something ended for which nobody may wait any more: asyncio would complain about an error."""
    if not done.cancelled():
        done.exception()


def _serves(window: _Window, number: int, served: int) -> bool:
    """Whether a window is the one for a packet: what a packet's tree says must not depend on the way to it."""
    alone = window.first == window.last == number
    return alone or (window.first == max(1, served - RUN_UP) and number <= window.last)


def _require_sharkd() -> str:
    path = find_tool("sharkd")
    if path is None:
        raise ToolMissing("sharkd is not installed", fix="apt install wireshark-common")
    return path
