"""The structure of nmap's XML: which element holds which, and when a host is whole.

The format is nmap.dtd's. A start tag only puts its attributes away; values are built at end tags, from
functions of `nmap_attributes`. A host with a refused value is left out and its reason kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pyexpat import XMLParserType
from typing import Any

from netmon_tui.domain.host import ExtraPorts, Host, OsMatch, Port, Script
from netmon_tui.domain.scan import HostFound, HostHinted, RunScript, ScanEvent, ScreenOutput
from netmon_tui.tools import nmap_attributes as read
from netmon_tui.tools.nmap_attributes import Attributes, RefusedValue

MAX_TEXT = 65_536
"""Longest text kept of one script or element, in characters: the rest is cut."""
MAX_REASONS = 100
"""So many reasons are kept for hosts that were left out; the count goes on."""

Entry = tuple[str | None, Any]
"""A value of a script's structured output with its key, or None where it has none."""

_new = tuple.__new__


class ScriptReader:
    """``<script>``, ``<table>`` and ``<elem>``: output of NSE, as text and as data.

    Args:
        kept: Attributes of the latest elements by name.
        begin_text: Starts collecting characters.
        end_text: Ends that and returns them.
    """

    def __init__(
        self,
        kept: dict[str, Attributes],
        begin_text: Callable[[Attributes], None],
        end_text: Callable[[], str],
    ) -> None:
        self._kept = kept
        self._begin_text = begin_text
        self._end_text = end_text
        self._key: str | None = None
        self._entries: list[Entry] = []
        self._tables: list[tuple[str | None, list[Entry]]] = []
        self.scripts: list[Script] = []

    def taken(self) -> tuple[Script, ...]:
        """The scripts since the last call."""
        if not self.scripts:
            return ()
        scripts = tuple(self.scripts)
        self.scripts.clear()
        return scripts

    def begin_elem(self, attributes: Attributes) -> None:
        """Note the key and wait for the text."""
        self._key = attributes.get("key")
        self._begin_text(attributes)

    def end_elem(self) -> None:
        """Put the text into the innermost table."""
        self._entries.append((self._key, self._end_text()))

    def begin_table(self, attributes: Attributes) -> None:
        """Open a table in the innermost one."""
        self._tables.append((attributes.get("key"), self._entries))
        self._entries = []

    def end_table(self) -> None:
        """Put the table into the one around it."""
        if self._tables:
            data = structure(self._entries)
            key, self._entries = self._tables.pop()
            self._entries.append((key, data))

    def end_script(self) -> None:
        """Complete a script."""
        attributes = self._kept.get("script", {})
        data = None
        if self._entries:
            data = structure(self._entries)
            self._entries = []
        self._tables.clear()
        output = attributes.get("output", "")[:MAX_TEXT]
        self.scripts.append(_new(Script, (attributes.get("id", ""), output, data)))


def structure(entries: list[Entry]) -> Any:
    """Structured script output as a dict where there are keys, else as a list.

    In a mixture, values without a key get their place as one, counted from 1 as Lua does.
    """
    if all(key is None for key, _ in entries):
        return [value for _, value in entries]
    return {str(place) if key is None else key: value for place, (key, value) in enumerate(entries, 1)}


class NmapElements:
    """What has been read of the elements that are still open, and the events that are complete.

    Args:
        expat: Its handler of characters is set while text is wanted: most of the text is line ends.
    """

    def __init__(self, expat: XMLParserType) -> None:
        self.events: list[ScanEvent] = []
        self.ordinal = 0
        """Host elements that are complete."""
        self.refused: list[str] = []
        self.refused_count = 0
        self.kept: dict[str, Attributes] = {}
        """Attributes of the latest element of each name that is not in `takes`."""
        self._expat = expat
        self._text: list[str] = []
        self._add_text = self._text.append
        self._cpe: list[str] = []
        self._scripts = ScriptReader(self.kept, self._begin_text, self._end_text)
        self._host_scripts: tuple[Script, ...] = ()
        self._ports: list[Port] = []
        self._extraports: list[ExtraPorts] = []
        self._matches: list[OsMatch] = []
        self._host: Attributes = {}
        self._leaves: dict[str, list[Attributes]] = {name: [] for name in _LEAVES}
        self._bad = ""
        self._masscan = False
        self.takes: dict[str, Callable[[Attributes], object]] = self._start_tags()
        """What to do with the attributes of an element, by name."""
        self.ends: dict[str, Callable[[], None]] = self._end_tags()
        """What to do at an end tag, by name."""

    def _start_tags(self) -> dict[str, Callable[[Attributes], object]]:
        return {
            **{name: found.append for name, found in self._leaves.items()},
            "host": self._begin_host,
            "hosthint": self._begin_host,
            "cpe": self._begin_text,
            "output": self._begin_text,
            "elem": self._scripts.begin_elem,
            "table": self._scripts.begin_table,
            "nmaprun": self._begin_run,
            "scaninfo": lambda attributes: self.events.append(read.scan_info(attributes)),
            "verbose": lambda attributes: self.events.append(read.talkativeness("verbose", attributes)),
            "debugging": lambda attributes: self.events.append(read.talkativeness("debugging", attributes)),
            "target": lambda attributes: self.events.append(read.target_skipped(attributes)),
            "taskbegin": lambda attributes: self.events.append(read.phase_began(attributes)),
            "taskprogress": lambda attributes: self.events.append(read.phase_progress(attributes)),
            "taskend": lambda attributes: self.events.append(read.phase_ended(attributes)),
        }

    def _end_tags(self) -> dict[str, Callable[[], None]]:
        return {
            "cpe": self._end_cpe,
            "output": self._end_output,
            "elem": self._scripts.end_elem,
            "table": self._scripts.end_table,
            "script": self._scripts.end_script,
            "port": self._end_port,
            "extraports": self._end_extraports,
            "osmatch": self._end_osmatch,
            "hostscript": self._end_hostscript,
            "prescript": partial(self._end_runscript, "pre"),
            "postscript": partial(self._end_runscript, "post"),
            "hosthint": self._end_hosthint,
            "host": self._end_host,
            "runstats": self._end_runstats,
        }

    def _begin_run(self, attributes: Attributes) -> None:
        self._masscan = attributes.get("scanner") == "masscan"
        self.events.append(read.scan_started(attributes))

    def _begin_text(self, _: Attributes) -> None:
        self._text.clear()
        self._expat.CharacterDataHandler = self._add_text

    def _end_text(self) -> str:
        self._expat.CharacterDataHandler = None
        return "".join(self._text)[:MAX_TEXT]

    def _begin_host(self, attributes: Attributes) -> None:
        """Begin with a clean slate, whatever came before."""
        self._host = attributes
        self._host_scripts = ()
        self._ports = []
        self._extraports = []
        self._matches = []
        self._bad = ""
        self._scripts.taken()
        self._cpe.clear()
        for found in self._leaves.values():
            found.clear()

    def _end_cpe(self) -> None:
        self._cpe.append(self._end_text())

    def _end_output(self) -> None:
        self.events.append(ScreenOutput(self._end_text()))

    def _end_port(self) -> None:
        scripts = self._scripts.taken() if self._scripts.scripts else ()
        try:
            if self._masscan:
                scripts += read.banners(self.kept)
            if not (self._masscan and read.is_ping(self.kept)):
                self._ports.append(read.port(self.kept, self._cpe, scripts))
        except RefusedValue as error:
            self._bad = self._bad or str(error)
        self._cpe.clear()
        self.kept.clear()

    def _end_extraports(self) -> None:
        reasons = self._leaves["extrareasons"]
        try:
            self._extraports.append(read.extraports(self.kept.get("extraports", {}), reasons))
        except RefusedValue as error:
            self._bad = self._bad or str(error)
        reasons.clear()

    def _end_osmatch(self) -> None:
        classes = self._leaves["osclass"]
        self._matches.append(read.os_match(self.kept.get("osmatch", {}), classes, tuple(self._cpe)))
        classes.clear()
        self._cpe.clear()

    def _end_hostscript(self) -> None:
        self._host_scripts += self._scripts.taken()

    def _end_runscript(self, stage: str) -> None:
        self.events += [RunScript(stage, script) for script in self._scripts.taken()]

    def _end_host(self) -> None:
        host = self._built("host")
        if host is not None:
            self.events.append(HostFound(host, self.ordinal))
        self.ordinal += 1

    def add_host(self, host: Host) -> None:
        """Take a host that was read elsewhere."""
        self.events.append(HostFound(host, self.ordinal))
        self.ordinal += 1

    def _end_hosthint(self) -> None:
        host = self._built("hint of a host")
        if host is not None:
            host.partial = True
            self.events.append(HostHinted(host))

    def _built(self, what: str) -> Host | None:
        """The host, or None when one of its values is refused."""
        try:
            if self._bad:
                raise RefusedValue(self._bad)
            return self._build()
        except RefusedValue as error:
            self.refused_count += 1
            if len(self.refused) < MAX_REASONS:
                self.refused.append(f"{what} {self.ordinal + 1}: {error}")
            return None
        finally:
            self.kept.clear()

    def _build(self) -> Host:
        leaves = self._leaves
        given = leaves["address"]
        if self._masscan:
            given = list(map(read.as_masscan_means, given))
        addresses = tuple([read.address(one) for one in given])
        status = leaves["status"][0] if leaves["status"] else _ANSWERED if self._masscan else {}
        state = status.get("state", "unknown")
        if state not in read.HOST_STATES:
            raise RefusedValue(f"a host cannot be {state[:20]!a}")
        attributes = self._host
        host = Host(
            read.first_ip(addresses),
            state,
            status.get("reason", ""),
            read.small(status.get("reason_ttl", "0")),
            addresses,
            tuple([(one.get("name", ""), one.get("type", "")) for one in leaves["hostname"]]),
            tuple(self._ports),
            tuple(self._extraports),
            self._host_scripts,
            tuple(self._matches),
            started=read.moment(attributes.get("starttime", "")),
            finished=read.moment(attributes.get("endtime", "")),
            timed_out=attributes.get("timedout") == "true",
        )
        if "comment" in attributes:
            host.comment = attributes["comment"]
        if leaves["times"]:
            host.round_trip = read.round_trip(leaves["times"][0])
        self._add_system(host)
        self._add_path(host)
        return host

    def _add_system(self, host: Host) -> None:
        """Add what ``-O`` found."""
        leaves = self._leaves
        if leaves["uptime"]:
            uptime = leaves["uptime"][0]
            host.uptime, host.last_boot = read.whole(uptime.get("seconds", "")), uptime.get("lastboot", "")
        if leaves["portused"]:
            host.os_ports = tuple(map(read.os_port, leaves["portused"]))
        if leaves["osfingerprint"]:
            host.os_fingerprints = tuple([one.get("fingerprint", "") for one in leaves["osfingerprint"]])
        host.sequences = tuple(
            [read.sequence_test(kind, leaves[name][0]) for name, kind in _SEQUENCES.items() if leaves[name]]
        )

    def _add_path(self, host: Host) -> None:
        """Add how far away it is, and what is between."""
        leaves = self._leaves
        if leaves["distance"]:
            host.distance = read.small(leaves["distance"][0].get("value", ""))
        if leaves["smurf"]:
            host.smurf_responses = read.whole(leaves["smurf"][0].get("responses", ""))
        if leaves["trace"]:
            trace = leaves["trace"][0]
            host.trace_protocol = trace.get("proto", "")
            host.trace_port = read.signed(trace.get("port", ""))
        if leaves["hop"]:
            host.hops = tuple(read.hop(one) for one in leaves["hop"])

    def _end_runstats(self) -> None:
        if "finished" in self.kept:
            self.events.append(read.scan_finished(self.kept["finished"], self.kept.get("hosts", {})))


_ANSWERED = {"state": "up"}
"""masscan gives no status: it writes who answered."""
_SEQUENCES = {"tcpsequence": "tcp", "ipidsequence": "ipid", "tcptssequence": "tcpts"}
_LEAVES = (
    "address",
    "status",
    "hostname",
    "extrareasons",
    "osclass",
    "hop",
    "distance",
    "uptime",
    "tcpsequence",
    "ipidsequence",
    "tcptssequence",
    "portused",
    "osfingerprint",
    "smurf",
    "trace",
    "times",
)
"""Elements that may come several times or anywhere in a host: their attributes are collected."""
