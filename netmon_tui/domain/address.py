"""IP addresses and link-layer addresses: parsing, normal forms and order."""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from functools import lru_cache

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_LLADDR_SPELLINGS = re.compile(
    r"[0-9a-f]{2}([:\- ])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}"  # most systems; with spaces: dumps
    r"|(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}"  # BSD, macOS, ethers(5): without leading zeros
    r"|[0-9a-f]{4}([.-])[0-9a-f]{4}\2[0-9a-f]{4}"  # Cisco; Huawei and H3C
    r"|[0-9a-f]{6}-[0-9a-f]{6}|[0-9a-f]{12}"  # HP
)


class Family(StrEnum):
    """Address family, spelled as the command line promises it."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


def parse_ip(text: str) -> IPAddress | None:
    """Return the address that ``text`` spells, or None.

    Strict: no leading zeros (nmap reads ``0177.0.0.1`` as 177.0.0.1, libc as 127.0.0.1), no shortened
    forms, and a zone (``%eth0``) only on IPv6.
    """
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def plain_address(text: str) -> str:
    """Return an address without its zone, and one of IPv4 that IPv6 carries (``::ffff:192.0.2.7``) as IPv4."""
    parsed = parse_ip(text.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed or text)


def address_sort_key(text: str) -> tuple[int, int, str]:
    """Return a key that orders addresses by family, then number; anything else comes last, by text."""
    parsed = parse_ip(text)
    return (9, 0, text) if parsed is None else (parsed.version, int(parsed), text)


@lru_cache(maxsize=16_384)
def packed_sort_key(text: str) -> bytes:
    """Return an address as bytes that sort as the addresses do: version byte, then 16 bytes big-endian.

    Stored beside the text, so that a database orders hosts by number without knowing addresses.
    Text that is no address sorts after all addresses.
    """
    parsed = parse_ip(text)
    if parsed is None:
        return b"\xff" + text.encode("utf-8", "replace")[:32]
    return bytes([parsed.version]) + int(parsed).to_bytes(16, "big")


def normalise_lladdr(text: str) -> str | None:
    """Return a 48-bit MAC in any common spelling as ``aa:bb:cc:dd:ee:ff``, or None."""
    lowered = text.strip().lower()
    if not _LLADDR_SPELLINGS.fullmatch(lowered):
        return None
    octets = lowered.split(":")
    digits = (
        "".join(octet.zfill(2) for octet in octets) if len(octets) == 6 else re.sub(r"[. -]", "", lowered)
    )
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def is_private_lladdr(lladdr: str) -> bool:
    """Whether the locally-administered bit is set: a randomised, virtual or otherwise made-up MAC."""
    try:
        return bool(int(lladdr[:2], 16) & 0x02)
    except ValueError:
        return False


def eui64_address(network: IPNetwork, lladdr: str) -> str | None:
    """Return the address that a MAC has in an IPv6 network of 64 bits (RFC 4291, appendix A), or None.

    Hosts that make up their addresses otherwise (RFC 7217, RFC 8981) do not answer to it.
    """
    normal = normalise_lladdr(lladdr)
    if normal is None or (network.version, network.prefixlen) != (6, 64):
        return None
    octets = bytes.fromhex(normal.replace(":", ""))
    if octets[0] & 1 or not any(octets):
        return None  # a group's, or nobody's
    identifier = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return str(network[int.from_bytes(identifier, "big")])
