"""A network of a thousand hosts behind a line with delay and loss, for measuring scans (needs root).

::

    unshare --net python -m tests.bench.wide_network DELAY_MS LOSS_PERCENT COMMAND...

Runs the command in a network namespace whose only way out leads to 10.99.0.0/22, where every address has TCP
22 (SSH banner), 80 and 8080 (HTTP, silent until asked) open and all else closed. Without delay and loss the
way is a veth pair; with them it is two TUN devices and this process between them, because kernels for virtual
machines often lack netem. Scanner and targets must be in different namespaces: in one, every target has a
source address of its own and nmap scans them one by one.
"""

from __future__ import annotations

import asyncio
import collections
import ctypes
import fcntl
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time

NETWORK = "10.99.0.0/22"
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_QUEUE = 100_000
_HTTP = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _tun() -> int:
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH", b"wide", _IFF_TUN | _IFF_NO_PI))
    return descriptor


async def _ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
    await _until_closed(reader, writer)


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        if await reader.readuntil(b"\r\n"):
            writer.write(_HTTP)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass
    writer.close()


async def _until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.read(4096):
            pass
    except ConnectionError:
        pass
    writer.close()


async def _serve(ready: int) -> None:
    for port, handler in ((22, _ssh), (80, _http), (8080, _http)):
        await asyncio.start_server(handler, "0.0.0.0", port, backlog=4096)
    os.write(ready, b".")
    await asyncio.Event().wait()


def _become_targets(channel: socket.socket, *, delayed: bool) -> None:
    """The other side, in a namespace of its own."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if delayed:
        tun = _tun()
        socket.send_fds(channel, [b"tun"], [tun])
    else:
        channel.send(b"veth")
    channel.recv(8)  # the other side has made or moved the link
    _ip("link", "set", "lo", "up")
    _ip("link", "set", "wide", "up")
    _ip("address", "add", "10.98.0.2/30", "dev", "wide")
    _ip("route", "add", "local", NETWORK, "dev", "lo")
    asyncio.run(_serve(channel.fileno()))


def _carry(descriptors: tuple[int, int], delay: float, loss: float) -> None:
    """Carry packets between the two ends for ever, each so many seconds late (half a round trip)."""
    queues: list[collections.deque[tuple[float, bytes]]] = [collections.deque(), collections.deque()]
    chance = random.Random(7)
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    while True:
        now = time.monotonic()
        due = min((queue[0][0] for queue in queues if queue), default=now + 1)
        poll.poll(max(0.0, due - now) * 1000)
        for source, queue, sink in zip(descriptors, queues, descriptors[::-1], strict=True):
            _read_all(source, queue, delay, loss, chance)
            now = time.monotonic()
            while queue and queue[0][0] <= now:
                os.write(sink, queue.popleft()[1])


def _read_all(
    source: int,
    queue: collections.deque[tuple[float, bytes]],
    delay: float,
    loss: float,
    chance: random.Random,
) -> None:
    for _ in range(256):
        try:
            packet = os.read(source, 65_536)
        except BlockingIOError:
            return
        if chance.random() >= loss and len(queue) < _QUEUE:
            queue.append((time.monotonic() + delay, packet))


def _fork(work: object, *arguments: object, **named: object) -> int:
    pid = os.fork()
    if not pid:
        try:
            work(*arguments, **named)  # type: ignore[operator]
        finally:
            os._exit(1)
    return pid


def main() -> int:
    """Build the network, run the command in it, return its exit status."""
    delay, loss, command = float(sys.argv[1]) / 1000, float(sys.argv[2]) / 100, sys.argv[3:]
    delayed = bool(delay or loss)
    ours, theirs = socket.socketpair()
    children = [_fork(_become_targets, theirs, delayed=delayed)]
    try:
        _ip("link", "set", "lo", "up")
        if delayed:
            _, descriptors, _, _ = socket.recv_fds(ours, 16, 1)
            children.append(_fork(_carry, (_tun_here := _tun(), descriptors[0]), delay / 2, loss))
            os.close(_tun_here)
        else:
            ours.recv(16)
            _ip("link", "add", "wide", "type", "veth", "peer", "name", "wide", "netns", str(children[0]))
        ours.send(b"go")
        _ip("link", "set", "wide", "up")
        _ip("address", "add", "10.98.0.1/30", "dev", "wide")
        _ip("route", "add", NETWORK, "via", "10.98.0.2", *([] if not delayed else ["dev", "wide"]))
        ours.recv(1)
        return subprocess.run(command, check=False).returncode
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
