"""Addresses for others, by a key: prefix-preserving as in Crypto-PAn, with BLAKE2b in the place of AES.

Two addresses that share their first n bits share as many afterwards, and no two become one. Xu, Fan, Ammar and
Moon, "Prefix-Preserving IP Address Anonymization", ICNP 2002.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from hashlib import blake2b

_KEPT_ADDRESSES = 65_536
_KEPT_PREFIXES = 262_144
_SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff")
_IPV6_GROUP_MAC = b"\x33\x33"
_UNSPECIFIC = frozenset({bytes(4), b"\xff" * 4, bytes(16), bytes(15) + b"\1", bytes(6), b"\xff" * 6})
"""Addresses of nobody and of everybody, and IPv6's of whoever asks."""
_IPV4_MAPPED = bytes(10) + b"\xff\xff"
_LOOPBACK = 0x7F
_PUBLIC = 0xF000_0000
"""The mask of what stays of a public IPv4 address: its class."""
_INNER = (
    (0x0A00_0000, 8),
    (0xAC10_0000, 12),
    (0xC0A8_0000, 16),
    (0xA9FE_0000, 16),
    (0x6440_0000, 10),
    (_LOOPBACK << 24, 8),
    (0, 8),
)
"""Networks whose addresses stay within, by first address and bits: private (RFC 1918), link-local (RFC 3927),
shared by the customers of a provider (RFC 6598), loopback and "this network" (RFC 1122)."""


class AddressMapping:
    """Replaces addresses; the same by the same as long as it lives.

    Private, link-local and shared addresses stay so, in their network, and public ones stay public; of these some
    that share less than 16 bits may share still less afterwards. Loopback addresses stay what they are: every
    machine has the same. So do groups, except that IPv6's solicited-node groups, which tell an address, change
    with it. An IPv4 address within an IPv6 one (``::ffff:0:0/96``) becomes what it becomes alone.

    Args:
        key: 16 to 64 bytes; random when it is left out, so that nobody can undo it.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key or secrets.token_bytes(32)
        self.replace = lru_cache(_KEPT_ADDRESSES)(self._replace)
        """Return what stands for an address of 4, 6 or 16 bytes."""
        self._flip = lru_cache(_KEPT_PREFIXES)(self._decide)

    def _replace(self, address: bytes) -> bytes:
        if address in _UNSPECIFIC:
            return address
        if len(address) == 4:
            stays = address[0] >= 0xE0 or address[0] == _LOOPBACK
            return address if stays else self._replace_ipv4(address)
        if len(address) == 16:
            return self._replace_ipv6(address)
        if address[0] & 1:
            return self._replace_group_mac(address)
        return self._map(address, 0x0300_0000_0000)

    def _replace_ipv4(self, address: bytes) -> bytes:
        inner = _inner_prefix(address)
        kept = inner or _PUBLIC
        found = self._map(address, kept)
        # ends: a one-to-one mapping leads back to where it began, which is as it should be
        while found in _UNSPECIFIC or _inner_prefix(found) != inner:
            found = self._map(found, kept)
        return found

    def _replace_ipv6(self, address: bytes) -> bytes:
        if address[0] == 0xFF:
            is_solicited = address.startswith(_SOLICITED_NODE)
            return address[:13] + self._map(address[13:], 0) if is_solicited else address
        if address.startswith(_IPV4_MAPPED):
            return _IPV4_MAPPED + self.replace(address[12:])
        kept = 10 if address[0] >= 0xE0 else 3
        return self._map(address, ((1 << kept) - 1) << (128 - kept))

    def _replace_group_mac(self, address: bytes) -> bytes:
        if address.startswith(_IPV6_GROUP_MAC + b"\xff"):
            return address[:3] + self._map(address[3:], 0)
        return address

    def _map(self, address: bytes, kept: int) -> bytes:
        """Flip bits, each by the key and the bits before it; those of the mask ``kept`` stay."""
        bits, value = len(address) * 8, int.from_bytes(address, "big")
        flips = 0
        for place in range(bits - 1, -1, -1):
            if not kept >> place & 1:
                flips |= self._flip(bits, place, value >> (place + 1)) << place
        return (value ^ flips).to_bytes(len(address), "big")

    def _decide(self, bits: int, place: int, prefix: int) -> int:
        text = bytes((bits, place)) + prefix.to_bytes(16, "big")
        return blake2b(text, digest_size=1, key=self._key).digest()[0] & 1


def _inner_prefix(address: bytes) -> int:
    """Return the mask of the network that an IPv4 address stays in; 0 for a public one."""
    value = int.from_bytes(address, "big")
    for first, bits in _INNER:
        mask = (1 << 32) - (1 << (32 - bits))
        if value & mask == first:
            return mask
    return 0
