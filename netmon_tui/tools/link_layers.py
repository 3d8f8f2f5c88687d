"""Link-layer header types: numbers as pcap files carry them, names as tcpdump takes and prints them.

Numbers and names are those of https://www.tcpdump.org/linktypes.html and ``pcap_datalink_val_to_name(3)``.
"""

from __future__ import annotations

NULL = 0
ETHERNET = 1
PPP = 9
PPP_SERIAL = 50
RAW = 101
C_HDLC = 104
LOOP = 108
LINUX_SLL = 113
IPV4 = 228
IPV6 = 229
LINUX_SLL2 = 276

_NAMES = {
    NULL: "NULL",
    ETHERNET: "EN10MB",
    6: "IEEE802",
    7: "ARCNET",
    8: "SLIP",
    PPP: "PPP",
    10: "FDDI",
    PPP_SERIAL: "PPP_SERIAL",
    51: "PPP_ETHER",
    RAW: "RAW",
    C_HDLC: "C_HDLC",
    105: "IEEE802_11",
    107: "FRELAY",
    LOOP: "LOOP",
    LINUX_SLL: "LINUX_SLL",
    117: "PFLOG",
    119: "PRISM_HEADER",
    127: "IEEE802_11_RADIO",
    129: "ARCNET_LINUX",
    138: "APPLE_IP_OVER_IEEE1394",
    143: "DOCSIS",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4",
    201: "BLUETOOTH_HCI_H4_WITH_PHDR",
    220: "USB_LINUX_MMAPPED",
    227: "CAN_SOCKETCAN",
    IPV4: "IPV4",
    IPV6: "IPV6",
    230: "IEEE802_15_4_NOFCS",
    231: "DBUS",
    239: "NFLOG",
    240: "NETANALYZER",
    247: "INFINIBAND",
    249: "USBPCAP",
    253: "NETLINK",
    254: "BLUETOOTH_LINUX_MONITOR",
    271: "VSOCK",
    LINUX_SLL2: "LINUX_SLL2",
}

_LARGEST_PACKET = 262_144
"""libpcap's MAXIMUM_SNAPLEN."""
_LARGEST_BUS_MESSAGE = 128 * 1024 * 1024
_BUSES = frozenset({186, 189, 220, 231, 249, 266, 279})
"""USB, D-Bus and EBHSCR, for which libpcap allows records of 128 MiB."""


def link_type_name(number: int) -> str:
    """Return tcpdump's name of a link type (``EN10MB``), or ``LINKTYPE_<number>`` for one we do not know."""
    return _NAMES.get(number, f"LINKTYPE_{number}")


def largest_packet(number: int) -> int:
    """Return how many bytes one record may have, as libpcap bounds them; more is damage."""
    return _LARGEST_BUS_MESSAGE if number in _BUSES else _LARGEST_PACKET
