"""One host out of what the stages say of it, and the frame of the document that it stands in."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPEN = ("open", "open|filtered")
_DETECTED = (
    "os",
    "distance",
    "uptime",
    "tcpsequence",
    "ipidsequence",
    "tcptssequence",
    "hostscript",
    "trace",
)
"""Elements of a host that only the last stage finds."""


def address_of(host: ElementTree.Element) -> str:
    """The IP address of a ``<host>``."""
    found = host.find("address")
    return "" if found is None else found.get("addr", "")


def state_of(element: ElementTree.Element) -> str:
    """The state of a ``<port>`` or the status of a ``<host>``."""
    found = element.find("state" if element.tag == "port" else "status")
    return "" if found is None else found.get("state", "")


def open_ports(host: ElementTree.Element) -> list[tuple[str, int]]:
    """(protocol, number) of what is or may be open."""
    ports = host.iterfind("ports/port")
    return [
        (port.get("protocol", ""), int(port.get("portid", "0"))) for port in ports if state_of(port) in OPEN
    ]


def closed_port(host: ElementTree.Element, asked: str) -> int:
    """Return the number of a closed TCP port, which tells much of an operating system; 0 when none is known.

    Args:
        host: With its ports.
        asked: The TCP ports of the scan, as ``<scaninfo>`` has them.
    """
    listed: set[int] = set()
    for port in host.iterfind("ports/port"):
        number = int(port.get("portid", "0"))
        listed.add(number)
        if state_of(port) == "closed" and port.get("protocol") == "tcp":
            return number
    others = [extra.get("state") for extra in host.iterfind("ports/extraports")]
    if others != ["closed"]:
        return 0
    bounds = (part.partition("-") for part in asked.split(",") if part)
    numbers = (number for low, _, high in bounds for number in range(int(low), int(high or low) + 1))
    return next((number for number in numbers if number not in listed), 0)


def joined(
    scanned: ElementTree.Element,
    discovered: ElementTree.Element | None,
    detected: ElementTree.Element | None,
) -> bytes:
    """Return one ``<host>``.

    Args:
        scanned: Of the port scan; becomes part of the result.
        discovered: Of the host discovery: why it is up, its names.
        detected: Of the detection: what listens on the open ports, what system it is, the way to it.
    """
    if discovered is not None:
        _take_discovery(scanned, discovered)
    if detected is not None:
        _take_detection(scanned, detected)
    times = scanned.find("times")
    if times is not None:  # its place is at the end
        scanned.remove(times)
        scanned.append(times)
    return serialised(scanned)


def serialised(element: ElementTree.Element) -> bytes:
    """Return an element as a line of the document."""
    element.tail = "\n"
    # As text first: to bytes, ElementTree encodes every word by itself.
    return ElementTree.tostring(element, encoding="unicode").encode()


def _take_discovery(host: ElementTree.Element, discovered: ElementTree.Element) -> None:
    _take_attribute(host, discovered, "starttime")
    _replace(host, discovered, "status")
    _replace(host, discovered, "hostnames")


def _take_detection(host: ElementTree.Element, detected: ElementTree.Element) -> None:
    _take_attribute(host, detected, "endtime")
    _take_ports(host, detected)
    if host.find("hostnames") is None:
        _replace(host, detected, "hostnames")
    for name in _DETECTED:
        _replace(host, detected, name)


def _take_attribute(host: ElementTree.Element, source: ElementTree.Element, name: str) -> None:
    value = source.get(name)
    if value:
        host.set(name, value)


def _take_ports(host: ElementTree.Element, detected: ElementTree.Element) -> None:
    """Let the detection speak of open ports; what it says of others is only what it met on its way."""
    ports = host.find("ports")
    found = {_key(port): port for port in detected.iterfind("ports/port") if state_of(port) in OPEN}
    if ports is None:
        return
    for index, port in enumerate(list(ports)):
        better = found.get(_key(port)) if port.tag == "port" and state_of(port) in OPEN else None
        if better is not None:
            ports[index] = better


def _key(port: ElementTree.Element) -> tuple[str | None, str | None]:
    return port.get("protocol"), port.get("portid")


def _replace(host: ElementTree.Element, source: ElementTree.Element, name: str) -> None:
    new = source.find(name)
    if new is None:
        return
    old = host.find(name)
    if old is None:
        host.append(new)
    else:
        host[list(host).index(old)] = new


def head(root: Mapping[str, str], arguments: str) -> bytes:
    """Return everything up to and with ``<nmaprun>``: that of the first nmap, with the whole scan's command."""
    attributes = {**root, "args": arguments}
    words = " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n<nmaprun {words}>\n'.encode()


def foot(begun: float, counts: tuple[int, int], error: str) -> bytes:
    """Return everything from ``<runstats>`` on.

    Args:
        begun: POSIX time.
        counts: Hosts up and down.
        error: What went wrong; empty for success.
    """
    now, (up, down) = time.time(), counts
    said = time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(now))
    total, elapsed = up + down, f"{now - begun:.2f}"
    summary = f"Nmap done at {said}; {total} IP addresses ({up} hosts up) scanned in {elapsed} seconds"
    ending = f'exit="error" errormsg={_quoted(error)}' if error else 'exit="success"'
    return (
        f'<runstats><finished time="{int(now)}" timestr={_quoted(said)} summary={_quoted(summary)} '
        f'elapsed="{elapsed}" {ending}/><hosts up="{up}" down="{down}" total="{total}"/>\n'
        "</runstats>\n</nmaprun>\n"
    ).encode()


def _quoted(value: str) -> str:
    return f'"{html.escape(value)}"'  # xml.sax.saxutils would import urllib: 25 ms


def progress(task: str, percent: float, elapsed: float) -> bytes:
    """Return a ``<taskprogress>`` of a stage, with the rest of its time from the part that is done."""
    now = int(time.time())
    left = int(elapsed * (100.0 - percent) / percent)
    return (
        f'<taskprogress task={_quoted(task)} time="{now}" percent="{percent:.2f}" '
        f'remaining="{left}" etc="{now + left}"/>\n'
    ).encode()


def port_list(ports: Iterable[tuple[str, int]]) -> str:
    """Return ports as ``-p`` takes them: ``T:22,80-82,U:53``."""
    letters = {"tcp": "T", "udp": "U", "sctp": "S"}
    by_protocol: dict[str, list[int]] = {}
    for protocol, number in sorted(set(ports)):
        by_protocol.setdefault(letters[protocol], []).append(number)
    return ",".join(f"{letter}:{_ranges(numbers)}" for letter, numbers in by_protocol.items())


def _ranges(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
