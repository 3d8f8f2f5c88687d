"""The XML parser against python-nmap and libnmap, on everything those carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nmap
import pytest
from libnmap.parser import NmapParser

from netmon_tui.domain.host import Host, Port
from netmon_tui.domain.scan import HostFound, ScanFinished, ScanInfo, ScanStarted
from netmon_tui.tools.nmap_xml import NmapXmlParser, close_truncated

DATA = Path(__file__).parents[2] / "data" / "nmap"
SAMPLES = sorted(DATA.glob("*.xml"))
by_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)


def events_of(path: Path) -> list[Any]:
    parser = NmapXmlParser()
    return parser.feed(path.read_bytes()) + parser.close()


def hosts_of(path: Path) -> list[Host]:
    return [event.host for event in events_of(path) if isinstance(event, HostFound)]


def python_nmap(path: Path) -> dict[str, Any]:
    scanner = nmap.PortScanner.__new__(nmap.PortScanner)  # its __init__ would look for nmap
    return scanner.analyse_nmap_xml_scan(path.read_text())  # type: ignore[no-any-return]


@by_sample
def test_python_nmap_sees_the_same_hosts(path: Path) -> None:
    theirs, ours = python_nmap(path)["scan"], hosts_of(path)
    assert set(theirs) == {host.address for host in ours}
    for host in ours:
        their = theirs[host.address]
        assert their["status"] == {"state": host.status, "reason": host.reason}
        assert {kind: text.lower() for kind, text in their["addresses"].items()} == {
            one.kind: one.address for one in host.addresses
        }
        assert list(their["vendor"].values()) == [one.vendor for one in host.addresses if one.vendor]
        names = [(one["name"], one["type"]) for one in their["hostnames"] if one["name"]]
        assert names == list(host.hostnames)
        assert [(one["id"], one["output"]) for one in their.get("hostscript", [])] == [
            s[:2] for s in host.scripts
        ]
        assert int(their.get("uptime", {}).get("seconds", 0)) == (host.uptime or 0)
        assert [(one["name"], int(one["accuracy"])) for one in their.get("osmatch", [])] == [
            m[:2] for m in host.os
        ]


@by_sample
def test_python_nmap_sees_the_same_ports(path: Path) -> None:
    theirs = python_nmap(path)["scan"]
    for host in hosts_of(path):
        their = theirs[host.address]
        listed = {(name, number) for name in ("tcp", "udp", "sctp", "ip") for number in their.get(name, {})}
        assert listed == {(port.protocol, port.number) for port in host.ports}
        for port in host.ports:
            compare_port(port, their[port.protocol][port.number])


def compare_port(port: Port, their: dict[str, Any]) -> None:
    assert (their["state"], their["reason"]) == (port.state, port.reason)
    assert their.get("script", {}) == {script.id: script.output for script in port.scripts}
    if port.service is not None:
        for key in ("name", "product", "version", "extrainfo"):
            assert their[key] == getattr(port.service, key)
        assert int(their["conf"]) == port.service.confidence
        assert their["cpe"] == (port.service.cpe[-1] if port.service.cpe else "")


@by_sample
def test_python_nmap_sees_the_same_run(path: Path) -> None:
    theirs, events = python_nmap(path)["nmap"], events_of(path)
    finished = next(event for event in events if isinstance(event, ScanFinished))
    counts = {key: int(theirs["scanstats"][key + "hosts"]) for key in ("up", "down", "total")}
    assert counts == {"up": finished.hosts_up, "down": finished.hosts_down, "total": finished.hosts_total}
    assert float(theirs["scanstats"]["elapsed"]) == finished.elapsed
    assert theirs["command_line"] == next(event.args for event in events if isinstance(event, ScanStarted))
    for info in (event for event in events if isinstance(event, ScanInfo)):
        assert theirs["scaninfo"][info.protocol] == {"method": info.type, "services": info.services}


@by_sample
def test_libnmap_sees_the_same(path: Path) -> None:
    report, ours = NmapParser.parse_fromfile(str(path)), hosts_of(path)
    assert [their.address for their in report.hosts] == [host.address for host in ours]
    for their, host in zip(report.hosts, ours, strict=True):
        assert (their.status, their.mac.lower(), their.vendor) == (host.status, host.lladdr, host.vendor)
        assert their.hostnames == [name for name, _ in host.hostnames]
        assert (their.distance or None, their.uptime or None) == (host.distance or None, host.uptime)
        assert [one["id"] for one in their.scripts_results] == [script.id for script in host.scripts]
        compare_extraports(their, host)
        if host.os:
            matches = their.os.osmatches
            assert [(one.name, one.accuracy) for one in matches] == [match[:2] for match in host.os]
            assert [sorted(one.get_cpe()) for one in matches] == [sorted(match.cpe) for match in host.os]
        for service, port in zip(their.services, host.ports, strict=True):
            compare_service(service, port)


def compare_extraports(their: Any, host: Host) -> None:
    # libnmap keeps the last extraports of a host only
    if host.extraports:
        last = host.extraports[-1]
        attributes = their.extraports_state["state"]  # all of them, whatever its name says
        assert (attributes["state"], int(attributes["count"])) == last[:2]
        reasons = [(one["reason"], int(one["count"])) for one in their.extraports_reasons]
        assert reasons == list(last.reasons)


def compare_service(their: Any, port: Port) -> None:
    assert (their.port, their.protocol, their.state) == (port.number, port.protocol, port.state)
    assert (their.reason, int(their.reason_ttl)) == (port.reason, port.reason_ttl)
    assert [(s["id"], s["output"]) for s in their.scripts_results] == [script[:2] for script in port.scripts]
    for their_script, script in zip(their.scripts_results, port.scripts, strict=True):
        if isinstance(script.data, dict) and all(isinstance(value, str) for value in script.data.values()):
            assert their_script["elements"] == script.data
    if port.service is not None:
        assert their.service == port.service.name
        assert their.tunnel == port.service.tunnel
        assert [cpe.cpestring for cpe in their.cpelist] == list(port.service.cpe)
        keys = {"product": "product", "version": "version", "extrainfo": "extrainfo", "ostype": "ostype"}
        keys |= {"devicetype": "devicetype", "hostname": "hostname", "method": "method"}
        for key, ours in keys.items():
            assert their.service_dict.get(key, "") == getattr(port.service, ours)


def test_a_truncated_document_can_be_read_by_others() -> None:
    xml = (DATA / "full.xml").read_bytes()
    for at in (10, 400, xml.index(b"</host>") + 30, xml.rindex(b"</host>") + 20):
        whole = close_truncated(xml[:at])
        assert len(NmapParser.parse_fromstring(whole.decode()).hosts) == xml[:at].count(b"</host>")
        ElementTree.fromstring(whole)
