"""A capture of HTTP inside TLS, and its keys: a session of two ends in memory, without a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from tests.unit.tools.exchanges import ACK, ANSWER, PUSH, REQUEST, SYN, Made

_ANONYMOUS = "AECDH-AES128-SHA:@SECLEVEL=0"


def encrypted(directory: Path) -> tuple[Made, Path]:
    """Return a session in which a request is answered, and the file of its keys."""
    keys = directory / "keys.log"
    client, to_client, to_server = _end(ssl.PROTOCOL_TLS_CLIENT, server=False, keys=keys)
    server, from_client, from_server = _end(ssl.PROTOCOL_TLS_SERVER, server=True, keys=None)
    made, numbers = Made(), [101, 501]
    made.tcp((40001, 443), SYN, (100, 0))
    made.tcp((40001, 443), SYN | ACK, (500, 101), back=True)

    def carry(out: ssl.MemoryBIO, into: ssl.MemoryBIO, side: int) -> None:
        if data := out.read():
            made.tcp((40001, 443), PUSH, (numbers[side], numbers[1 - side]), data, back=bool(side))
            numbers[side] += len(data)
            into.write(data)

    greeting = [client, server]
    while greeting:
        for end in list(greeting):
            try:
                end.do_handshake()
                greeting.remove(end)
            except ssl.SSLWantReadError:
                pass
            carry(to_server, from_client, 0)
            carry(from_server, to_client, 1)
    client.write(REQUEST)
    carry(to_server, from_client, 0)
    server.write(ANSWER)
    carry(from_server, to_client, 1)
    return made, keys


def _end(kind: int, *, server: bool, keys: Path | None) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """Return one end, with what it reads and what it writes."""
    context = ssl.SSLContext(kind)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(_ANONYMOUS)
    if keys is not None:
        context.keylog_filename = str(keys)
    reads, writes = ssl.MemoryBIO(), ssl.MemoryBIO()
    return context.wrap_bio(reads, writes, server_side=server), reads, writes
