"""A short cut for the hosts that make scans large: those that look exactly as nmap writes them.

expat calls Python for each of the 64 tags of a host with five ports; here a few regular expressions take a
whole host, in less than half the time. They accept a narrow form (attributes in nmap's order, plain ASCII,
the references nmap uses, no operating system, no path) and every host that deviates in one byte goes through
expat instead: `read_plain_host` returns None. What it does return is what expat would have led to, and a
test holds the two against each other.
"""

from __future__ import annotations

import re
from typing import Any

from netmon_tui.domain.host import ExtraPorts, Host, HostAddress, Port, PortDetail, RoundTrip, Script, Service
from netmon_tui.tools import nmap_attributes as read
from netmon_tui.tools.nmap_attributes import RefusedValue
from netmon_tui.tools.nmap_elements import MAX_TEXT, Entry, structure

_MAX_TABLES = 16
"""Deepest nesting of tables here; deeper ones are expat's."""

_REFERENCES = {
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "quot": '"',
    "apos": "'",
    "#xa": "\n",
    "#xd": "\r",
    "#x9": "\t",
}
_REFERENCE = re.compile(r"&([a-z0-9#]+);")
_ESCAPED = f"&(?:{'|'.join(_REFERENCES)});"
_VALUE = rf'[^"<&\x00-\x1f\x7f]*+(?:{_ESCAPED}[^"<&\x00-\x1f\x7f]*+)*+'
_TEXT = rf"[^<>&\x00-\x08\x0b-\x1f\x7f]*+(?:{_ESCAPED}[^<>&\x00-\x08\x0b-\x1f\x7f]*+)*+"
_STATE = r"(?:open|closed|filtered)(?:\|filtered)?|unfiltered"


def _optional(name: str) -> str:
    """The pattern of an attribute that may be missing."""
    return rf'(?: {name}="({_VALUE})")?'


_HEAD = re.compile(
    r'<host(?: starttime="([0-9]{1,15})" endtime="([0-9]{1,15})")?>'
    rf'<status state="(up|down)" reason="({_VALUE})" reason_ttl="([0-9]{{1,3}})"/>\n'
)
_ADDRESS = re.compile(
    rf'<address addr="([0-9A-Fa-f:.]+)" addrtype="(ipv4|ipv6|mac)"{_optional("vendor")}/>\n'
)
_NAMES = re.compile(r"<hostnames>\n")
_NAME = re.compile(rf'<hostname name="({_VALUE})" type="(user|PTR)"/>\n')
_NAMES_END = re.compile(r"</hostnames>\n")
_PORTS = re.compile(r"<ports>")
_EXTRAPORTS = re.compile(rf'<extraports state="({_STATE})" count="([0-9]{{1,9}})">\n')
_EXTRAREASONS = re.compile(
    rf'<extrareasons reason="({_VALUE})" count="([0-9]{{1,9}})"'
    rf"{_optional('proto')}{_optional('ports')}/>\n"
)
_EXTRAPORTS_END = re.compile(r"</extraports>\n")
_PORT = re.compile(
    r'<port protocol="(tcp|udp|sctp|ip)" portid="([0-9]{1,5})">'
    rf'<state state="({_STATE})" reason="({_VALUE})" reason_ttl="([0-9]{{1,3}})"'
    rf"{_optional('reason_ip')}/>"
    rf'(?:<service name="({_VALUE})"'
    + "".join(map(_optional, ("product", "version", "extrainfo", "hostname", "ostype", "devicetype")))
    + rf"{_optional('servicefp')}{_optional('tunnel')}"
    + r' method="(table|probed)" conf="([0-9]{1,2})"'
    + rf"(?:/>|>((?:<cpe>{_TEXT}</cpe>)*+)</service>))?(</port>\n)?"
)
_CPE = re.compile(r"<cpe>([^<]*)</cpe>")
_SCRIPT = re.compile(rf'<script id="({_VALUE})" output="({_VALUE})"(?:/>|(>))')
_DATA = re.compile(
    rf'[ \n]*+(?:<elem(?: key="({_VALUE})")?>({_TEXT})(</elem>)'
    rf'|<table(?: key="({_VALUE})")?(>)|(</table>)|(</script>))'
)
_PORT_END = re.compile(r"</port>\n")
_PORTS_END = re.compile(r"</ports>\n")
_HOST_SCRIPTS = re.compile(r"<hostscript>")
_HOST_SCRIPTS_END = re.compile(r"</hostscript>\n?")
_TIME = '"(-?[0-9]{1,15})"'
_END = re.compile(rf"(?:<times srtt={_TIME} rttvar={_TIME} to={_TIME}/>\n)?</host>")
_new = tuple.__new__


class _NotPlain(Exception):
    """The host deviates from the narrow form."""


def read_plain_host(block: bytes) -> Host | None:
    """Read ``<host ...>`` to ``</host>``; None when expat has to."""
    if len(block) > MAX_TEXT:
        return None
    try:
        return _Reader(block.decode("ascii")).host()
    except (UnicodeDecodeError, _NotPlain, RefusedValue):
        return None


def _resolved(text: str) -> str:
    """Text with its references replaced."""
    return _REFERENCE.sub(lambda found: _REFERENCES[found[1]], text) if "&" in text else text


def _port(groups: tuple[str, ...], scripts: tuple[Script, ...], *, escaped: bool) -> Port:
    """A port from the groups of `_PORT`."""
    cpe = tuple(_CPE.findall(groups[17])) if groups[17] else ()
    if escaped:
        groups, cpe = tuple(map(_resolved, groups)), tuple(map(_resolved, cpe))
    protocol, number, state, reason, ttl, reason_ip, name, product, version, extrainfo = groups[:10]
    hostname, ostype, devicetype, fingerprint, tunnel, method, confidence = groups[10:17]
    service = None
    if confidence:
        told = (name, product, version, extrainfo, tunnel, method, read.SMALL_NUMBERS[confidence])
        service = _new(Service, (*told, cpe, hostname, ostype, devicetype))
    numbers = read.PORT_NUMBERS[number], read.SMALL_NUMBERS[ttl]
    detail = None
    if reason_ip or fingerprint:
        detail = PortDetail(reason_ip=reason_ip, fingerprint=fingerprint)
    return _new(Port, (numbers[0], protocol, state, reason, numbers[1], service, scripts, detail))


class _Reader:
    """Walks through one host, from pattern to pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _found(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Step over the pattern, if it comes next."""
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return match

    def _need(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if not match:
            raise _NotPlain
        self._at = match.end()
        return match

    def host(self) -> Host:
        """The host; raises unless the text is one from its first to its last character."""
        started, finished, state, reason, ttl = self._need(_HEAD).groups()
        addresses = self._addresses()
        host = Host(
            read.first_ip(addresses),
            state,
            _resolved(reason),
            read.small(ttl),
            addresses,
            self._hostnames() if self._found(_NAMES) else (),
            started=read.moment(started or ""),
            finished=read.moment(finished or ""),
        )
        if self._found(_PORTS):
            host.extraports = self._extraports()
            host.ports = self._ports()
            self._need(_PORTS_END)
        if self._found(_HOST_SCRIPTS):
            host.scripts = self._scripts()
            self._need(_HOST_SCRIPTS_END)
        times = self._need(_END).groups()
        if times[0]:
            host.round_trip = _new(RoundTrip, map(int, times))
        if self._at != len(self._text):
            raise _NotPlain
        return host

    def _addresses(self) -> tuple[HostAddress, ...]:
        found = []
        while match := self._found(_ADDRESS):
            text, kind, vendor = match.groups("")
            found.append(read.address({"addr": text, "addrtype": kind, "vendor": _resolved(vendor)}))
        return tuple(found)

    def _hostnames(self) -> tuple[tuple[str, str], ...]:
        found = []
        while match := self._found(_NAME):
            found.append((_resolved(match[1]), match[2]))
        self._need(_NAMES_END)
        return tuple(found)

    def _extraports(self) -> tuple[ExtraPorts, ...]:
        found = []
        while match := self._found(_EXTRAPORTS):
            reasons, where = [], []
            while reason := self._found(_EXTRAREASONS):
                reasons.append((_resolved(reason[1]), int(reason[2])))
                if reason[4] is not None:
                    where.append((_resolved(reason[3] or ""), _resolved(reason[4])))
            self._need(_EXTRAPORTS_END)
            places = tuple(where) if len(where) == len(reasons) else ()
            found.append(_new(ExtraPorts, (match[1], int(match[2]), tuple(reasons), places)))
        return tuple(found)

    def _ports(self) -> tuple[Port, ...]:
        text, match = self._text, _PORT.match
        ports = []
        while found := match(text, self._at):
            self._at = found.end()
            groups = found.groups("")
            scripts: tuple[Script, ...] = ()
            if not groups[-1]:
                scripts = self._scripts()
                self._need(_PORT_END)
            ports.append(_port(groups, scripts, escaped="&" in found[0]))
        return tuple(ports)

    def _scripts(self) -> tuple[Script, ...]:
        found = []
        while match := self._found(_SCRIPT):
            data = self._data() if match[3] else None
            found.append(_new(Script, (_resolved(match[1]), _resolved(match[2]), data)))
        return tuple(found)

    def _data(self) -> Any:
        """Structured output up to the end of the script; None when there is none."""
        entries: list[Entry] = []
        tables: list[tuple[str | None, list[Entry]]] = []
        while True:
            key, text, is_elem, table_key, is_table, ends_table, ends_script = self._need(_DATA).groups()
            if is_elem:
                entries.append((key and _resolved(key), _resolved(text)))
            elif is_table and len(tables) < _MAX_TABLES:
                tables.append((table_key and _resolved(table_key), entries))
                entries = []
            elif ends_table and tables:
                data = structure(entries)
                outer, entries = tables.pop()
                entries.append((outer, data))
            elif ends_script and not tables:
                return structure(entries) if entries else None
            else:
                raise _NotPlain
