"""One rtnetlink socket for requests that the kernel answers with one message each."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

ANSWER_SECONDS = 5.0
"""The kernel answers within the call itself; more is a fault."""
_DATAGRAM = 64 * 1024
_SOL_NETLINK = 270
_CAP_ACK, _EXT_ACK = 10, 11
"""linux/netlink.h: an acknowledgement does not repeat the request; errors come with words."""


class KernelLine:
    """``with KernelLine() as line: line.ask(request)``. Blocks for less than a millisecond a request."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._sequence = 0

    def __enter__(self) -> Self:
        try:
            self._socket.settimeout(ANSWER_SECONDS)
            for option in (_CAP_ACK, _EXT_ACK):
                with suppress(OSError):  # kernels before 4.12: the errno alone has to do
                    self._socket.setsockopt(_SOL_NETLINK, option, 1)
            self._socket.bind((0, 0))
        except OSError:
            self._socket.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def next_sequence(self) -> int:
        """Return the number of the next request."""
        self._sequence += 1
        return self._sequence

    def ask(self, request: bytes) -> bytes:
        """Send a request and return the kernel's answer to it.

        What another process sends (root can) is passed over.

        Raises:
            OSError: the socket failed, or nothing came.
        """
        self._socket.send(request)
        while True:
            datagram, _, flags, (port, _groups) = self._socket.recvmsg(_DATAGRAM)
            if flags & socket.MSG_TRUNC:
                raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
            if port == 0 and datagram[8:12] == request[8:12]:
                return datagram
