"""What the hosts of the lab say: a small asyncio handler for each behaviour named in :mod:`tests.lab.hosts`.

Standard library only; all hosts are served by one process and one event loop (the holder).
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import cast

from tests.lab.hosts import DOMAIN, HOSTILE_NAME, HOSTILE_TEXTS, HOSTILE_TITLE, Host

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[bytes, Iterable[Host]], bytes]
"""A datagram and the hosts of the lab in, the answer out."""

PATIENCE = 60.0
"""Seconds after which a connection that says nothing is closed."""

MEGABYTE_LINE = b"220 " + b"A" * 1_000_000 + b"\r\n"
ENDLESS_CHUNK = b"0123456789abcdef" * 256
ENDLESS_PAUSE = 0.01
"""Seconds between two chunks of the endless service: about 400 kB/s, endless all the same."""


async def _banner(text: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks first, refuses the first thing it hears and hangs up, so that ``nmap -sV`` need not wait."""
    writer.write(text)
    await writer.drain()
    if await asyncio.wait_for(reader.read(65536), PATIENCE):
        writer.write(b"500 unknown command\r\n")
        await writer.drain()


async def _http(head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request, one page, closed; what is no request is refused at once."""
    request = await asyncio.wait_for(reader.read(65536), PATIENCE)
    if not request.startswith((b"GET ", b"HEAD ", b"OPTIONS ")):
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        return
    length = str(len(body)).encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: " + length + b"\r\nConnection: close\r\n\r\n"
    )
    writer.write(body)
    await writer.drain()


async def _silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Reads what comes and never says a word."""
    while await reader.read(65536):
        pass


async def _endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends until the other side is gone."""
    while True:
        writer.write(ENDLESS_CHUNK)
        await writer.drain()
        await asyncio.sleep(ENDLESS_PAUSE)


def _page(title: str, encoding: str = "utf-8") -> bytes:
    return f"<html><head><title>{title}</title></head><body>lab</body></html>\n".encode(encoding)


_HOSTILE_HEAD = f"Server: {HOSTILE_TEXTS[0]}{HOSTILE_TEXTS[5]}\r\nContent-Type: text/html\r\n".encode()
_HOSTILE_LINES = "".join(f"220-{text}\r\n" for text in HOSTILE_TEXTS).encode() + b"220 end\r\n"
_PLAIN_HEAD = b"Server: nginx/1.22.1\r\nContent-Type: text/html\r\n"

STREAMS: dict[str, Handler] = {
    "ssh": partial(_banner, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
    "ftp": partial(_banner, b"220 (vsFTPd 3.0.3)\r\n"),
    "smtp": partial(_banner, b"220 mail.lab.test ESMTP Postfix\r\n"),
    "http": partial(_http, _PLAIN_HEAD, _page("The lab's front page")),
    "http-new": partial(_http, _PLAIN_HEAD, _page("Another front page")),
    "silent": _silent,
    "endless": _endless,
    "hostile-lines": partial(_banner, _HOSTILE_LINES),
    "hostile-ssh": partial(_banner, f"SSH-2.0-{''.join(HOSTILE_TEXTS)}\r\n".encode()),
    "hostile-http": partial(_http, _HOSTILE_HEAD, _page(HOSTILE_TITLE)),
    "megabyte-line": partial(_banner, MEGABYTE_LINE),
}


async def serve_stream(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Runs one connection to its end; a scanner that hangs up in mid-sentence is the ordinary case."""
    try:
        await handler(reader, writer)
    except (OSError, TimeoutError):
        pass  # reset, or nobody spoke
    finally:
        writer.close()


def _echo(data: bytes, _hosts: Iterable[Host]) -> bytes:
    return data


# --- the resolver: RFC 1035, one question, A / AAAA / PTR ---

_A, _PTR, _AAAA = 1, 12, 28
_NOT_IMPLEMENTED = 0x8004
_NAME_ERROR = 0x8583  # response, authoritative, recursion desired and available, NXDOMAIN
_NO_ERROR = 0x8580
_POINTER_TO_QUESTION = b"\xc0\x0c"


def _labels(data: bytes, at: int) -> tuple[list[bytes], int]:
    """The labels of the name at an offset, and the offset behind it; a question is never compressed."""
    labels = []
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return labels, at + 1


def _encoded(labels: Iterable[bytes]) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _reverse_labels(address: str) -> list[bytes]:
    return ipaddress.ip_address(address).reverse_pointer.encode().split(b".")


def host_labels(host: Host) -> list[bytes]:
    """The name of a host; the attacker's is hostile, as raw bytes."""
    first = HOSTILE_NAME if host.address == "10.77.0.12" else host.name.encode()
    return [first, *DOMAIN.encode().split(b".")]


def _record_data(kind: int, wanted: list[bytes], host: Host) -> bytes | None:
    """The answer this host gives to a question, or None if the question is not about it."""
    if kind == _PTR and wanted in (_reverse_labels(host.address), _reverse_labels(host.address6)):
        return _encoded(host_labels(host))
    if wanted != [host.name.encode(), *DOMAIN.encode().split(b".")] or kind not in (_A, _AAAA):
        return None
    return ipaddress.ip_address(host.address if kind == _A else host.address6).packed


def _dns(data: bytes, hosts: Iterable[Host]) -> bytes:
    """Answers one question; what is no query (nmap's status request) gets "not implemented"."""
    if len(data) < 17 or data[2] & 0x78:
        return data[:2].ljust(2, b"\0") + struct.pack(">HHHHH", _NOT_IMPLEMENTED, 0, 0, 0, 0)
    wanted, end = _labels(data, 12)
    kind, _class = struct.unpack_from(">HH", data, end)
    wanted = [label.lower() for label in wanted]
    found = next((rdata for host in hosts if (rdata := _record_data(kind, wanted, host)) is not None), None)
    question = data[12 : end + 4]
    if found is None:
        return data[:2] + struct.pack(">HHHHH", _NAME_ERROR, 1, 0, 0, 0) + question
    head = data[:2] + struct.pack(">HHHHH", _NO_ERROR, 1, 1, 0, 0)
    return head + question + _POINTER_TO_QUESTION + struct.pack(">HHIH", kind, 1, 60, len(found)) + found


DATAGRAMS: dict[str, Answer] = {"echo": _echo, "dns": _dns}


class DatagramService(asyncio.DatagramProtocol):
    """Answers every datagram with what its function makes of it; says nothing to one that cannot be read."""

    def __init__(self, answer: Answer, hosts: Callable[[], Iterable[Host]]) -> None:
        self._answer = answer
        self._hosts = hosts
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        try:
            answer = self._answer(data, self._hosts())
        except (IndexError, struct.error):
            return  # a question cut in the middle
        self._transport.sendto(answer, addr)
