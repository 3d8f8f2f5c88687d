"""The kernel's neighbour table, read and followed over rtnetlink without polling.

One socket carries both the dumps and the events, so that the kernel itself keeps them in order. A socket that
lost messages (ENOBUFS) is thrown away, and a new one starts with a full dump: no row can be stale.
Reading needs no privileges.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import AsyncGenerator
from typing import Self

from netmon_tui.domain.neighbour import Neighbour, NeighbourLimits
from netmon_tui.errors import NetmonError, PrivilegeMissing
from netmon_tui.runtime.neighbour_table import Resync, TableChange, TableReader
from netmon_tui.tools.rtnetlink import GROUPS
from netmon_tui.tools.rtnetlink_limits import LimitsAnswer, limits_request, read_limits

RECEIVE_BUFFER = 16 * 1024 * 1024
"""Bytes of socket buffer asked for: holds tens of thousands of events while the program is busy."""
_SO_RCVBUFFORCE = 33
"""asm-generic/socket.h; goes beyond net.core.rmem_max and needs CAP_NET_ADMIN."""
_DATAGRAM = 256 * 1024
"""The kernel makes dump datagrams of at most 32 KiB; a link with hundreds of virtual functions is larger."""
_WAKE_BYTES = 128 * 1024
"""Read at most so much before other tasks get their turn: about 1,500 entries, 5 ms."""
_BUSY = 8
"""Changes of one wake-up, from which on the next ones are let gather for a while: to wake up for each is dear."""
_GATHER_SECONDS = 0.1
_DUMP_SECONDS = 10.0


class NeighbourMonitor:
    """Follows the neighbour table: ``async with NeighbourMonitor() as monitor``, then ``monitor.batches()``.

    Args:
        receive_buffer: Bytes of socket buffer; as much of it as the kernel grants.
    """

    def __init__(self, *, receive_buffer: int = RECEIVE_BUFFER) -> None:
        self._receive_buffer = receive_buffer
        self._socket: socket.socket | None = None
        self._reader: TableReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._scratch = bytearray(_DATAGRAM)
        self.losses = 0
        """How often the kernel had to drop events, each followed by a Resync."""

    async def __aenter__(self) -> Self:
        """Open the socket and ask for the table.

        Raises:
            PrivilegeMissing: netlink sockets are forbidden here.
            NetmonError: the kernel refused for another reason.
        """
        self._open()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._close()

    def _open(self) -> None:
        try:
            self._socket = _open_socket(GROUPS, self._receive_buffer)
            self._reader = TableReader(self._socket.send)
            self._reader.start()
        except OSError as error:
            self._close()
            raise _refusal(error) from error

    def _close(self) -> None:
        if self._socket is not None:
            if self._waiter is not None:
                self._waiter.get_loop().remove_reader(self._socket)
                _wake(self._waiter)
            self._socket.close()
        self._socket = self._reader = None

    def refresh(self) -> None:
        """Ask for a full dump: a Resync follows.

        Raises:
            NetmonError: the kernel refused.
        """
        if self._reader is not None:
            try:
                self._reader.start()
            except OSError as error:
                raise _refusal(error) from error

    async def batches(self) -> AsyncGenerator[list[TableChange], None]:
        """Yield what changed, one list per wake-up, oldest first; the first begins with a Resync.

        For one consumer. A slow one costs no memory: the kernel's buffer fills, and a Resync follows the loss.
        Ends when the monitor is closed.

        Raises:
            NetmonError: the socket failed.
        """
        while self._socket is not None:
            await self._readable(self._socket)
            batch = self._drain()
            if batch:
                yield batch
            if len(batch) >= _BUSY:
                await asyncio.sleep(_GATHER_SECONDS)

    async def _readable(self, source: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        loop.add_reader(source, _wake, self._waiter)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if self._socket is source:
                loop.remove_reader(source)

    def _drain(self) -> list[TableChange]:
        """Read what is there, but not for longer than other tasks can wait."""
        batch: list[TableChange] = []
        taken = 0
        while taken < _WAKE_BYTES and self._socket is not None and self._reader is not None:
            try:
                datagram, event = _receive(self._socket, self._scratch)
                batch += self._reader.receive(datagram, event=event)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise _refusal(error) from error
                self.losses += 1
                self._close()
                self._open()
                break
            taken += len(datagram)
        return batch


def dump_neighbours() -> list[Neighbour]:
    """Return the neighbour table as it is now; as :func:`dump_table`."""
    return dump_table().neighbours


def dump_table() -> Resync:
    """Return the neighbour table as it is now, with the ages. Blocks: 10,000 entries take some 20 ms.

    Raises:
        PrivilegeMissing: netlink sockets are forbidden here.
        NetmonError: the kernel refused, or changed the table faster than it could be read.
    """
    try:
        with _open_socket(0, RECEIVE_BUFFER) as source:
            return _dump(source)
    except OSError as error:
        raise _refusal(error) from error


def dump_limits() -> list[NeighbourLimits]:
    """Return the limits of the neighbour tables. Blocks for less than a millisecond.

    Raises:
        PrivilegeMissing: netlink sockets are forbidden here.
        NetmonError: the kernel refused.
    """
    answer, scratch = LimitsAnswer(), bytearray(_DATAGRAM)
    try:
        with _open_socket(0, _DATAGRAM) as source:
            source.settimeout(_DUMP_SECONDS)
            source.send(limits_request(1))
            while not answer.done:
                read_limits(answer, _receive(source, scratch)[0])
        if answer.error:
            raise OSError(answer.error, os.strerror(answer.error))
    except OSError as error:
        raise _refusal(error) from error
    return answer.found


def _dump(source: socket.socket) -> Resync:
    reader = TableReader(source.send)
    reader.start()
    scratch = bytearray(_DATAGRAM)
    deadline = time.monotonic() + _DUMP_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        source.settimeout(left)
        datagram, event = _receive(source, scratch)
        for change in reader.receive(datagram, event=event):
            if isinstance(change, Resync):
                return change
    raise TimeoutError(errno.ETIMEDOUT, "it changed faster than it could be read")


def _open_socket(groups: int, receive_buffer: int) -> socket.socket:
    """Return a non-blocking rtnetlink socket that is subscribed to the groups."""
    source = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    try:
        source.setblocking(False)
        _enlarge(source, receive_buffer)
        source.bind((0, groups))
    except OSError:
        source.close()
        raise
    return source


def _enlarge(source: socket.socket, size: int) -> None:
    """Set the receive buffer; without CAP_NET_ADMIN the kernel silently grants at most net.core.rmem_max."""
    try:
        source.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except PermissionError:
        source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def _receive(source: socket.socket, scratch: bytearray) -> tuple[bytes, bool]:
    """Return the next datagram of the kernel and whether it came by multicast, as events do.

    What another process sends (root can) is passed over.
    """
    while True:
        size, (port, groups) = source.recvfrom_into(
            scratch, 0, socket.MSG_TRUNC
        )  # the size it had, cut or not
        if size > len(scratch):
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        if port == 0:
            return bytes(memoryview(scratch)[:size]), groups != 0


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _refusal(error: OSError) -> NetmonError:
    if isinstance(error, PermissionError):
        return PrivilegeMissing(
            "the kernel's neighbour table may not be read",
            why=str(error.strerror),
            fix="allow netlink sockets (AF_NETLINK) in the sandbox or service that runs this program",
        )
    return NetmonError(
        "the kernel's neighbour table cannot be read",
        why=str(error.strerror or error),
        fix="try again; ip neigh should show the same trouble",
    )
