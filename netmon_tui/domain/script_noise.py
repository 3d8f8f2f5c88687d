"""What is known of the scripts that came with nmap when their outputs are compared: noise, and weight.

Nothing else in the comparison of scripts knows a script by its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from netmon_tui.domain.comparison import Change, Severity


class Noise(NamedTuple):
    """What of a script's output differs from run to run although nothing changed."""

    reason: str
    fields: frozenset[str] = frozenset()
    """Keys of its tables, and words that its lines begin with, in small letters; empty for all it says."""


def _noise(reason: str, *fields: str) -> Noise:
    return Noise(reason, frozenset(fields))


_CLOCK = _noise("it tells the time")
_COUNTERS = _noise("it tells how much there is to do at the moment")
_CHANCE = _noise("it tells measured times and numbers drawn by chance")
NOISE: Mapping[str, Noise] = {
    **dict.fromkeys(("clock-skew", "http-date", "ssl-date", "smb2-time", "rfc868-time", "daytime"), _CLOCK),
    **dict.fromkeys(("gpsd-info", "smb2-vuln-uptime", "uptime-agent-info"), _CLOCK),
    **dict.fromkeys(("mongodb-info", "membase-http-info", "ganglia-info", "gkrellm-info"), _COUNTERS),
    **dict.fromkeys(("snmp-interfaces", "snmp-netstat", "snmp-processes", "hddtemp-info"), _COUNTERS),
    **dict.fromkeys(("http-apache-server-status", "ntp-monlist", "quake1-info", "quake3-info"), _COUNTERS),
    **dict.fromkeys(("finger", "rusers", "smb-enum-sessions", "mqtt-subscribe"), _COUNTERS),
    **dict.fromkeys(("bitcoin-getaddr", "ventrilo-info"), _COUNTERS),
    **dict.fromkeys(("qscan", "http-chrono", "ipidseq", "path-mtu", "firewalk"), _CHANCE),
    **dict.fromkeys(("dns-random-srcport", "dns-random-txid"), _CHANCE),
    "fingerprint-strings": _noise("it repeats whole answers with the dates and cookies in them"),
    "bitcoin-info": _noise("time, and a number drawn by chance", "timestamp", "node id", "lastblock"),
    "dhcp-discover": _noise("how long the lease is", "ip address lease time", "renewal time value"),
    "http-auth": _noise("drawn by chance for each request", "nonce", "opaque"),
    "http-headers": _noise(
        "time, age and marks of one answer",
        *("date", "expires", "age", "set-cookie", "x-request-id", "x-timer", "x-runtime", "cf-ray"),
    ),
    "ajp-headers": _noise("time and cookies of one answer", "date", "expires", "set-cookie"),
    "http-security-headers": _noise("time of one answer", "expires"),
    "irc-info": _noise("how long, and how many are there", "uptime", "users", "lusers", "ops", "chans"),
    "ldap-rootdse": _noise("time, and a counter of changes", "currenttime", "highestcommittedusn"),
    "memcached-info": _noise(
        "time and counters",
        *("process id", "uptime", "server time", "current connections", "total connections"),
        *("used cpu (user)", "used cpu (system)"),
    ),
    "mysql-info": _noise("drawn by chance for each session", "thread id", "salt"),
    "ntp-info": _noise(
        "time and how well it is kept",
        *("receive time stamp", "reftime", "clock", "offset", "frequency", "jitter", "noise", "stability"),
        *("sys_jitter", "clk_jitter", "clk_wander", "wander", "rootdelay", "rootdisp", "peer", "tc", "mintc"),
    ),
    "openlookup-info": _noise("time, and the port that asked", "timestamp", "your address"),
    "rdp-ntlm-info": _noise("time of the host", "system_time"),
    "redis-info": _noise(
        "time and counters",
        *("process id", "used cpu (sys)", "used cpu (user)", "connected clients", "used memory"),
    ),
    "servicetags": _noise("time of the host", "timestamp"),
    "ssh-hostkey": _noise("its fingerprint says the same", "key"),
    "ssl-cert": _noise("its SHA-1 says the same", "pem", "md5"),
    "smb-os-discovery": _noise("time of the host", "date", "system time"),
    "snmp-info": _noise("seconds since the start", "snmpenginetime"),
    "snmp-sysdescr": _noise("time since the start", "system uptime"),
    "ubiquiti-discovery": _noise("time since the start", "uptime", "uptime_seconds"),
}
"""By the name of the script."""
_KEY = re.compile(r"\s*:|\s{2,}")
"""What ends the key of a line: a colon, or the gap before a column."""
LEFT_OUT = tuple(name for name, noise in NOISE.items() if not noise.fields)
"""Scripts that are not compared at all."""

TELLING: Mapping[str, tuple[str, ...]] = {
    "ssl-cert": ("subject.commonName", "issuer.commonName", "validity.notAfter", "sha1"),
    "ssh-hostkey": ("fingerprint",),
}
"""Which differing values are told first, where the order of the output is not that of what matters."""

SEVERITIES: Mapping[str, Severity] = {
    "ssh-hostkey": Severity.HIGH,  # another host answers, or somebody between
    "*-vuln-*": Severity.HIGH,  # these say something only of what is vulnerable
    "*-backdoor": Severity.HIGH,
    "ssl-heartbleed": Severity.HIGH,
    "ssl-*": Severity.MEDIUM,
    "sslv2*": Severity.MEDIUM,
    "ssh*": Severity.MEDIUM,
    "smb*": Severity.MEDIUM,
    "*-ntlm-info": Severity.MEDIUM,
    "*-anon": Severity.MEDIUM,
    "*-empty-password": Severity.MEDIUM,
    "*-brute": Severity.MEDIUM,
    "*-open-relay": Severity.MEDIUM,
    "*-open-proxy": Severity.MEDIUM,
    "dns-recursion": Severity.MEDIUM,
    "nfs-*": Severity.MEDIUM,
    "vulners": Severity.MEDIUM,
    "x11-access": Severity.MEDIUM,
}
"""By the name or a pattern, the first that fits; what is not named (``http-title``) is said in other words."""


@lru_cache(maxsize=1_024)
def severity_of(script: str, change: Change) -> Severity:
    """Return how much it matters that a script says something else; what it says no more matters less."""
    found = (weight for pattern, weight in SEVERITIES.items() if fnmatchcase(script, pattern))
    weight = next(found, Severity.INFO)
    if change is Change.REMOVED and weight is not Severity.INFO:
        return Severity.LOW
    return weight


def quiet_data(script: str, data: Any) -> Any:
    """Return structured output without its noise."""
    noise = NOISE.get(script)
    return data if noise is None else _without(data, noise.fields)


def _without(data: Any, fields: frozenset[str]) -> Any:
    if isinstance(data, list):
        return [_without(entry, fields) for entry in data]
    if isinstance(data, dict):
        return {key: _without(value, fields) for key, value in data.items() if key.lower() not in fields}
    return data


def quiet_lines(script: str, output: str) -> list[str]:
    """Return the lines of an output that say something, without noise and outer spaces."""
    noise = NOISE.get(script)
    lines = [line for line in map(str.strip, output.splitlines()) if line]
    if noise is None:
        return lines
    return [line for line in lines if _KEY.split(line, 1)[0].lower() not in noise.fields]
