"""Network interfaces, their addresses and gateways: the one importer of ``netifaces``.

The package is ``netifaces2``, whose answers differ from those of netifaces 0.11: masks are called ``mask``,
link addresses are under AF_PACKET, and labels (``eth0:1``) are interfaces.
Flags and hardware types are asked of the kernel and not read from /sys, which shows the interfaces of the
network namespace that it was mounted in and not of the one that the program runs in.

All functions block (gateways start ``ip``, some 10 ms): call them in a thread.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from netmon_tui.domain.address import Family, parse_ip
from netmon_tui.domain.neighbour import Interface, InterfaceAddress
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.proc_net import rows
from netmon_tui.runtime.runner.identity import stat_fields
from netmon_tui.runtime.tool_paths import find_tool

ANY_INTERFACE = "any"
"""libpcap's name for all interfaces together."""
_SIOCGIFFLAGS, _SIOCGIFHWADDR = 0x8913, 0x8927
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING, _IFF_NOARP = 0x1, 0x8, 0x40, 0x80
_UP = _IFF_UP | _IFF_RUNNING
_ETHERNET = 1
"""ARPHRD_ETHER of linux/if_arp.h: also wireless and bridges."""
_RTF_GATEWAY = 0x2
_WIDEST_PREFIX = 16
"""A suggested network has at most 65,536 addresses: nmap's ``-sn`` takes minutes for more."""
_LINKTYPES = {1: "EN10MB", 772: "EN10MB", 65534: "RAW", 768: "RAW", 769: "RAW", 776: "RAW", 519: "RAW",
              801: "IEEE802_11", 802: "PRISM_HEADER", 803: "IEEE802_11_RADIO"}  # fmt: skip
"""DLT names by ARPHRD type (linux/if_arp.h), as libpcap's pcap-linux.c maps them."""
_COOKED = "LINUX_SLL"
"""What libpcap takes for interfaces of all other types."""


class SshSession(NamedTuple):
    """The connection that the user sits at."""

    client: str
    client_port: int
    server: str
    server_port: int


class Counters(NamedTuple):
    """What went through an interface since it exists."""

    rx_packets: int
    rx_bytes: int
    tx_packets: int
    tx_bytes: int


def list_interfaces() -> list[Interface]:
    """Return the interfaces in the kernel's order.

    Raises:
        NetmonError: the kernel does not tell.
    """
    names = _names()
    labels = _labels(names)
    gateways = default_gateways()
    found = (_interface(name, labels.get(name, []), gateways.get(name, ())) for name in names)
    return [interface for interface in found if interface is not None]


def default_gateways() -> dict[str, tuple[str, ...]]:
    """Return the addresses of the default gateways by interface.

    What netifaces says is completed from /proc: it gives up when ``ip`` fails for one family, and does not
    call the hops of a multipath route defaults.
    """
    gateways: dict[str, dict[str, None]] = {}
    for name, address in [*_netifaces_gateways(), *_routes_ipv4(), *_routes_ipv6()]:
        if parse_ip(address) is not None:
            gateways.setdefault(name, {})[address] = None
    return {name: tuple(addresses) for name, addresses in gateways.items()}


def gateways_in_routes() -> set[tuple[str, str]]:
    """Return (interface, address) of the default gateways by /proc alone: no program is started for it."""
    found = (*_routes_ipv4(), *_routes_ipv6())
    return {(name, address) for name, address in found if parse_ip(address) is not None}


def local_networks() -> list[str]:
    """Return the IPv4 networks that are worth a scan, such as ``192.0.2.0/24``.

    Those of interfaces that are up, without loopback, single addresses, link-local and networks wider than /16.
    """
    networks = (
        ipaddress.ip_interface(f"{address.address}/{address.prefix}").network
        for interface in list_interfaces()
        if interface.up and not interface.loopback
        for address in interface.addresses
        if address.family is Family.IPV4 and _WIDEST_PREFIX <= address.prefix < 32
    )
    return list(dict.fromkeys(str(network) for network in networks if not network.is_link_local))


def interface_linktype(name: str) -> str:
    """Return the DLT name that a capture will most probably have; empty for an unknown interface."""
    if name == ANY_INTERFACE:
        return "LINUX_SLL2"
    hardware = _ask_kernel(name, _SIOCGIFHWADDR) if name in _names() else None
    return "" if hardware is None else _LINKTYPES.get(hardware, _COOKED)


def is_up(name: str) -> bool:
    """Whether an interface is there, switched on and connected."""
    return (_ask_kernel(name, _SIOCGIFFLAGS) or 0) & _UP == _UP


def interface_counters() -> dict[str, Counters]:
    """Return the counters of all interfaces."""
    return dict(rows("dev", _counters, head=2))


def _counters(words: list[str]) -> tuple[str, Counters]:
    name, _, figures = " ".join(words).rpartition(":")
    numbers = [int(figure) for figure in figures.split()]
    return name, Counters(numbers[1], numbers[0], numbers[9], numbers[8])


def session_environment() -> Mapping[str, str]:
    """Return the environment that names the SSH session we are used through.

    Ours, or the nearest ancestor's where sudo or su has emptied ours; ours when nobody names one.
    """
    pid, environ = os.getpid(), dict(os.environ)
    while "SSH_CONNECTION" not in environ:
        fields = stat_fields(pid)
        pid = int(fields[1]) if fields else 0
        if pid <= 1:
            return os.environ
        environ = _environment_of(pid)
    return environ


def _environment_of(pid: int) -> dict[str, str]:
    """Return the environment a process was started with; nothing when it is gone or not ours to see."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in entries)
    return {name: value for name, _, value in pairs}


def ssh_session(environ: Mapping[str, str]) -> SshSession | None:
    """Return the SSH connection that ``SSH_CONNECTION`` names, or None without a valid one."""
    match environ.get("SSH_CONNECTION", "").split():
        case [client, client_port, server, server_port]:
            ports = [_port(client_port), _port(server_port)]
            if parse_ip(client) and parse_ip(server) and all(ports):
                return SshSession(client, ports[0], server, ports[1])
    return None


def _port(text: str) -> int:
    """Return a port number, 0 for anything else."""
    port = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
    return port if port < 65536 else 0


def _names() -> list[str]:
    try:
        return [name for _, name in socket.if_nameindex()]
    except OSError as error:
        raise NetmonError("the network interfaces cannot be listed", why=str(error.strerror)) from error


def _ask_kernel(name: str, request: int) -> int | None:
    """Return the 16-bit answer to an interface request, or None when the interface is gone."""
    question = struct.pack("16s24x", os.fsencode(name)[:15])
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
            answer = fcntl.ioctl(asking, request, question)
    except OSError:
        return None
    return int(struct.unpack_from("=H", answer, 16)[0])


def _interface(name: str, labels: Iterable[str], gateways: tuple[str, ...]) -> Interface | None:
    """Return an interface, or None when it has just gone."""
    flags = _ask_kernel(name, _SIOCGIFFLAGS)
    if flags is None:
        return None
    lladdr, addresses = "", []
    for label in (name, *labels):
        for family, entries in _netifaces().ifaddresses(label).items():
            if family == socket.AF_PACKET:
                lladdr = lladdr or entries[0].get("addr", "").lower()
            else:
                addresses += [found for entry in entries if (found := _address(entry)) is not None]
    return Interface(
        name=name,
        lladdr=lladdr,
        addresses=tuple(sorted(addresses, key=lambda address: address.family)),
        up=flags & _UP == _UP,
        loopback=bool(flags & _IFF_LOOPBACK),
        gateways=gateways,
        resolves=not flags & (_IFF_LOOPBACK | _IFF_NOARP) and _ask_kernel(name, _SIOCGIFHWADDR) == _ETHERNET,
    )


def _address(entry: Mapping[str, str]) -> InterfaceAddress | None:
    """Return an address of netifaces, or None for one of another family."""
    address = parse_ip(entry.get("addr", "").partition("%")[0])
    if address is None:
        return None
    mask = parse_ip(entry.get("mask", entry.get("netmask", "")).partition("/")[0])
    prefix = int(mask).bit_count() if mask is not None else address.max_prefixlen
    return InterfaceAddress(str(address), prefix, Family.IPV4 if address.version == 4 else Family.IPV6)


def _netifaces() -> Any:
    """Return the package; imported late, as it takes 13 ms."""
    import netifaces

    return netifaces


def _labels(names: list[str]) -> dict[str, list[str]]:
    """Return the labels (``eth0:1``) that netifaces lists as interfaces, by the interface they belong to."""
    labels: dict[str, list[str]] = {}
    for label in sorted(set(_netifaces().interfaces()) - set(names)):
        labels.setdefault(label.partition(":")[0], []).append(label)
    return labels


def _netifaces_gateways() -> list[tuple[str, str]]:
    """Return the default gateways as (interface, address); none when netifaces cannot make sense of ``ip``.

    Its ``gateways()`` would run whatever the caller's PATH has as ``which`` and ``ip``, so it gets a path from us.
    """
    tool = find_tool("ip")
    if tool is None:
        return []
    from netifaces.routes import routes_parse_ip_tool

    try:
        table = routes_parse_ip_tool(tool)
    except (RuntimeError, OSError, ValueError, LookupError):
        return []
    return [(name, address) for routes in table.values() for address, name, *default in routes if default]


def _routes_ipv4() -> Iterator[tuple[str, str]]:
    """Yield the IPv4 default gateways as (interface, address)."""
    return (gateway for gateway in rows("route", _gateway_ipv4, head=1) if gateway is not None)


def _gateway_ipv4(words: list[str]) -> tuple[str, str] | None:
    name, destination, gateway, flags, *rest = words
    if int(destination, 16) == int(rest[3], 16) == 0 and int(flags, 16) & _RTF_GATEWAY:
        return name, socket.inet_ntoa(int(gateway, 16).to_bytes(4, sys.byteorder))
    return None


def _routes_ipv6() -> Iterator[tuple[str, str]]:
    """Yield the IPv6 default gateways as (interface, address)."""
    return (gateway for gateway in rows("ipv6_route", _gateway_ipv6) if gateway is not None)


def _gateway_ipv6(words: list[str]) -> tuple[str, str] | None:
    _, prefix, _, _, gateway, _, _, _, flags, name = words
    if prefix == "00" and int(flags, 16) & _RTF_GATEWAY:
        return name, socket.inet_ntop(socket.AF_INET6, bytes.fromhex(gateway))
    return None
