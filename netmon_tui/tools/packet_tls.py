"""TLS records in the packet list: what each is, and the server name a client asks for (RFC 8446, 6066)."""

from __future__ import annotations

import struct

from netmon_tui.tools.packet_line import Line, text, u16

_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_RECORDS = {20: "Change Cipher Spec", 21: "Alert", 22: "Handshake", 23: "Application Data"}
_HANDSHAKES = {
    0: "Hello Request", 1: "Client Hello", 2: "Server Hello", 4: "New Session Ticket",
    8: "Encrypted Extensions", 11: "Certificate", 12: "Server Key Exchange", 13: "Certificate Request",
    14: "Server Hello Done", 15: "Certificate Verify", 16: "Client Key Exchange", 20: "Finished",
}  # fmt: skip
_SERVER_NAME = 0
_SUPPORTED_VERSIONS = 43
_LARGEST_RECORD = 16_384 + 2_048
_MOST_RECORDS = 8


def tls(line: Line, data: bytes) -> bool:
    """Decode the TLS records that begin in a segment; False when the first is none."""
    at = 0
    words: list[str] = []
    version = _VERSIONS.get(u16(data, 1))
    while len(data) - at >= 5 and len(words) < _MOST_RECORDS:
        kind, size = data[at], u16(data, at + 3)
        if kind not in _RECORDS or u16(data, at + 1) not in _VERSIONS or size > _LARGEST_RECORD:
            break
        body = data[at + 5 : at + 5 + size]
        word, newer = _record(kind, body)
        words.append(word)
        version = newer or version
        at += 5 + size
    if not words or version is None:
        return False
    line.protocol, line.info = version, ", ".join(words)
    return True


def _record(kind: int, body: bytes) -> tuple[str, str | None]:
    """Return what a record is called, and the version a server agrees on in it."""
    if kind != 22 or len(body) < 4:
        return _RECORDS[kind], None
    name = _HANDSHAKES.get(body[0])
    if name is None or int.from_bytes(body[1:4], "big") > _LARGEST_RECORD:
        return "Encrypted Handshake Message", None
    if body[0] not in (1, 2):
        return name, None
    extensions = _extensions(body, client=body[0] == 1)
    # A client only offers versions, so its hello has the record's; a server's choice may hide in an extension
    version = None
    if body[0] == 2 and len(body) >= 6:
        chosen = extensions.get(_SUPPORTED_VERSIONS, b"")
        version = _VERSIONS.get(u16(chosen, 0) if len(chosen) == 2 else u16(body, 4))
    asked = extensions.get(_SERVER_NAME, b"")
    return (f"{name} (SNI={text(asked[5:])})" if len(asked) > 5 else name), version


def _extensions(body: bytes, *, client: bool) -> dict[int, bytes]:
    """Return the extensions of a hello by number, as far as they are there."""
    try:
        at = 38 + 1 + body[38]
        if client:
            at += 2 + u16(body, at)
            at += 1 + body[at]
        else:
            at += 3
        end = min(at + 2 + u16(body, at), len(body))
    except (IndexError, struct.error):
        return {}
    at += 2
    found: dict[int, bytes] = {}
    while at + 4 <= end:
        kind, size = u16(body, at), u16(body, at + 2)
        found[kind] = body[at + 4 : min(at + 4 + size, end)]
        at += 4 + size
    return found
