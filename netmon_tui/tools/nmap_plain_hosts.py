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

from netmon_tui.domain.host import ExtraPorts, Host, HostAddress, Port, Script, Service
from netmon_tui.tools import nmap_attributes as read
from netmon_tui.tools.nmap_attributes import RefusedValue
from netmon_tui.tools.nmap_elements import MAX_TEXT, Entry, structure

_MAX_TABLES = 16
"""Deepest nesting of tables here; deeper ones are expat's."""

_REFERENCES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "#xa": "\n", "#xd": "\r", "#x9": "\t"}
_REFERENCE = re.compile(r"&([a-z0-9#]+);")
_ESCAPED = f"&(?:{'|'.join(_REFERENCES)});"
_VALUE = rf'[^"<&\x00-\x1f\x7f]*+(?:{_ESCAPED}[^"<&\x00-\x1f\x7f]*+)*+'
_TEXT = rf"[^<>&\x00-\x08\x0b-\x1f\x7f]*+(?:{_ESCAPED}[^<>&\x00-\x08\x0b-\x1f\x7f]*+)*+"
_STATE = r"(?:open|closed|filtered)(?:\|filtered)?|unfiltered"


def _optional(name: str, *, kept: bool = True) -> str:
    """The pattern of an attribute that may be missing."""
    return rf'(?: {name}="({_VALUE})")?' if kept else rf'(?: {name}="{_VALUE}")?'


_HEAD = re.compile(
    r'<host starttime="([0-9]{1,15})" endtime="([0-9]{1,15})">'
    rf'<status state="(up|down|unknown|skipped)" reason="({_VALUE})" reason_ttl="([0-9]{{1,3}})"/>\n'
)
_ADDRESS = re.compile(rf'<address addr="([0-9A-Fa-f:.]+)" addrtype="(ipv4|ipv6|mac)"{_optional("vendor")}/>\n')
_NAMES = re.compile(r"<hostnames>\n")
_NAME = re.compile(rf'<hostname name="({_VALUE})" type="(user|PTR)"/>\n')
_NAMES_END = re.compile(r"</hostnames>\n")
_PORTS = re.compile(r"<ports>")
_EXTRAPORTS = re.compile(rf'<extraports state="({_STATE})" count="([0-9]{{1,9}})">\n')
_EXTRAREASONS = re.compile(
    rf'<extrareasons reason="({_VALUE})" count="([0-9]{{1,9}})"'
    rf"{_optional('proto', kept=False)}{_optional('ports', kept=False)}/>\n"
)
_EXTRAPORTS_END = re.compile(r"</extraports>\n")
_PORT = re.compile(
    r'<port protocol="(tcp|udp|sctp|ip)" portid="([0-9]{1,5})">'
    rf'<state state="({_STATE})" reason="({_VALUE})" reason_ttl="([0-9]{{1,3}})"{_optional("reason_ip", kept=False)}/>'
    rf'(?:<service name="({_VALUE})"'
    + "".join(_optional(name) for name in ("product", "version", "extrainfo", "hostname", "ostype", "devicetype"))
    + rf"{_optional('servicefp', kept=False)}{_optional('tunnel')}"
    + rf' method="(table|probed)" conf="([0-9]{{1,2}})"(?:/>|>((?:<cpe>{_TEXT}</cpe>)*+)</service>))?'
    + r"(</port>\n)?"
)
_CPE = re.compile(r"<cpe>([^<]*)</cpe>")
_SCRIPT = re.compile(rf'<script id="({_VALUE})" output="({_VALUE})"(/?)>')
_DATA = re.compile(
    rf'\n?(?:<elem(?: key="({_VALUE})")?>({_TEXT})(</elem>)|<table(?: key="({_VALUE})")?(>)|(</table>)|(</script>))'
)
_PORT_END = re.compile(r"</port>\n")
_TAIL = re.compile(
    r"</ports>\n(?:<times srtt=\"-?[0-9]+\" rttvar=\"-?[0-9]+\" to=\"-?[0-9]+\"/>\n)?</host>"
)
