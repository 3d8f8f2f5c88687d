"""A capture of an HTTP answer in several TCP segments."""

from __future__ import annotations

from tests.unit.tools.exchanges import ACK, PUSH, REQUEST, SYN, Made

SEGMENT = 600
BODY = b'{"word": "%s"}' % (b"walnut koala " * 100)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
MESSAGE = HEAD % len(BODY) + BODY


def reassembled(message: bytes = MESSAGE, segment: int = SEGMENT) -> Made:
    """Return a request and its answer, of which the last packet has the end."""
    made, ports, client, server = Made(), (40001, 80), 1000, 5000
    made.tcp(ports, SYN, (client, 0))
    made.tcp(ports, SYN | ACK, (server, client + 1), back=True)
    made.tcp(ports, ACK, (client + 1, server + 1))
    made.tcp(ports, PUSH, (client + 1, server + 1), REQUEST)
    for start in range(0, len(message), segment):
        numbers = server + 1 + start, client + 1 + len(REQUEST)
        made.tcp(ports, PUSH, numbers, message[start : start + segment], back=True)
    return made
