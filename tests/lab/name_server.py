"""A name server of a few lines for tests: answers reverse questions on 127.0.0.1:53 from a list.

``python -m tests.lab.name_server LOG ADDRESS=NAME...``: every question's name is a line of LOG; an address with
no name after ``=`` gets no answer at all, one that is not listed does not exist.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from pathlib import Path

_HEADER = struct.Struct("!HHHHHH")
_PTR, _IN = 12, 1


def question_of(datagram: bytes) -> tuple[str, bytes]:
    """Return the name asked for, and the question as bytes."""
    labels, at = [], _HEADER.size
    while length := datagram[at]:
        labels.append(datagram[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels).lower(), datagram[_HEADER.size : at + 5]


def answer_to(datagram: bytes, name: str | None) -> bytes:
    """Return the answer with a name, or that there is none."""
    number, _, _, _, _, _ = _HEADER.unpack_from(datagram)
    _, question = question_of(datagram)
    flags = 0x8580 if name else 0x8583
    head = _HEADER.pack(number, flags, 1, int(bool(name)), 0, 0)
    if not name:
        return head + question
    labels = b"".join(bytes([len(label)]) + label for label in name.encode("latin-1").split(b".")) + b"\0"
    return head + question + struct.pack("!HHHIH", 0xC00C, _PTR, _IN, 60, len(labels)) + labels


def serve(log: Path, names: dict[str, str]) -> None:
    """Answer for ever."""
    by_question = {ipaddress.ip_address(address).reverse_pointer: name for address, name in names.items()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.bind(("127.0.0.1", 53))
        log.touch()
        while True:
            datagram, sender = source.recvfrom(4096)
            asked, _ = question_of(datagram)
            with log.open("a") as file:
                file.write(f"{asked}\n")
            name = by_question.get(asked)
            if name != "":
                source.sendto(answer_to(datagram, name), sender)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), dict(pair.split("=", 1) for pair in sys.argv[2:]))
