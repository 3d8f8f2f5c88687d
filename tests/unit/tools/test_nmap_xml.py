"""The XML parser: what it reads, in what pieces, from what kind of file."""

from __future__ import annotations

import importlib.util
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon_tui.domain.host import ExtraPorts, Hop, HostAddress, OsMatch
from netmon_tui.domain.scan import (
    HostFound,
    HostHinted,
    PhaseBegan,
    PhaseEnded,
    PhaseProgress,
    RunScript,
    ScanEvent,
    ScanFinished,
    ScanInfo,
    ScanStarted,
)
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import nmap_xml
from netmon_tui.tools.nmap_xml import NmapXmlParser, close_truncated

DATA = Path(__file__).parents[2] / "data" / "nmap"
SAMPLES = sorted(DATA.glob("*.xml"))
FULL = (DATA / "full.xml").read_bytes()
ROOT = b'<nmaprun scanner="nmap" args="nmap" start="1" version="7.93">'
HOST = (
    b'<host><status state="up" reason="r" reason_ttl="0"/>\n'
    b'<address addr="192.0.2.%d" addrtype="ipv4"/>\n</host>\n'
)


def read(*pieces: bytes) -> list[ScanEvent]:
    parser = NmapXmlParser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.close()


def read_until_error(*pieces: bytes) -> tuple[list[ScanEvent], InvalidInput]:
    parser = NmapXmlParser()
    events: list[ScanEvent] = []
    with pytest.raises(InvalidInput) as caught:
        for piece in pieces:
            events += parser.feed(piece)
        events += parser.close()
        parser.close()
    return events, caught.value


def hosts(events: list[ScanEvent]) -> list[str]:
    return [event.host.address for event in events if isinstance(event, HostFound)]


def with_ports(ports: bytes) -> bytes:
    head = b'<host><status state="up"/><address addr="192.0.2.1" addrtype="ipv4"/>'
    return ROOT + head + b"<ports>" + ports + b"</ports></host>" + HOST % 2 + b"</nmaprun>"


def test_everything_of_the_full_sample_is_read() -> None:
    events = read(FULL)
    assert events[0] == ScanStarted(
        "nmap", 'nmap -A -v "192.0.2.0/29"', 1_700_000_000.0, "7.94", format="1.05"
    )
    assert ScanInfo("udp", "udp", 2, "53,123") in events
    assert PhaseBegan("ARP Ping Scan", 1_700_000_001.0) in events
    assert PhaseProgress("SYN Stealth Scan", 0.4, None, 1_700_000_003.0) in events
    assert PhaseProgress("SYN Stealth Scan", 38.54, 4.0, 1_700_000_004.0) in events
    assert PhaseEnded("SYN Stealth Scan", 1_700_000_008.0, "3000 total ports") in events
    assert [(e.stage, e.script.id) for e in events if isinstance(e, RunScript)] == [
        ("pre", "broadcast-ping"),
        ("post", "ssh-hostkey"),
    ]
    hint = next(event.host for event in events if isinstance(event, HostHinted))
    assert hint.address == "192.0.2.1" and hint.partial and hint.lladdr == "02:00:00:00:00:0a"
    assert events[-1] == ScanFinished(1_700_000_061.0, 61.0, "Nmap done", "success", "", 3, 1, 4)


def test_every_field_of_the_full_host_is_filled() -> None:
    found = [event for event in read(FULL) if isinstance(event, HostFound)]
    assert [event.ordinal for event in found] == [0, 1, 2, 3]
    host = found[0].host
    assert host.addresses == (
        HostAddress("192.0.2.1", "ipv4"),
        HostAddress("02:00:00:00:00:0a", "mac", "Example & Söhne"),
    )
    assert host.hostnames == (("gw.example", "user"), ("router.example", "PTR"))
    assert host.extraports == (
        ExtraPorts(
            "closed", 996, (("reset", 990), ("host-prohibited", 6)), (("tcp", "1-21"), ("tcp", "400-405"))
        ),
        ExtraPorts("filtered", 2, (("no-response", 2),), (("tcp", "998-999"),)),
    )
    assert host.os[0] == OsMatch(
        "Linux 5.0 - 5.14",
        97,
        ("cpe:/o:linux:linux_kernel:5", "cpe:/h:asus:rt", "cpe:/o:asus:x"),
        (("general purpose", "Linux", "Linux", "5.X", 97), ("WAP", "Asus", "embedded", "", 97)),
        68_063,
    )
    assert host.os[1] == OsMatch("Linux 4.15", 91, line=68_000)
    assert host.hops == (Hop(1, "198.51.100.1", "hop.example", 0.5), Hop(2, "192.0.2.1", "", None))
    assert (host.distance, host.uptime, host.started, host.finished) == (
        1,
        123_456,
        1_700_000_001.0,
        1_700_000_060.0,
    )
    assert [script.id for script in host.scripts] == ["smb-os-discovery", "clock-skew"]
    assert found[1].host.timed_out and found[2].host.status == "down"
    assert found[3].host.address == "2001:db8::5" and found[3].host.ports[0].protocol == "sctp"


def test_every_field_of_a_port_is_filled() -> None:
    host = next(event.host for event in read(FULL) if isinstance(event, HostFound))
    ssh, https, dns, rpc = host.ports
    assert (ssh.number, ssh.protocol, ssh.state, ssh.reason, ssh.reason_ttl) == (
        22,
        "tcp",
        "open",
        "syn-ack",
        64,
    )
    assert ssh.service is not None and ssh.service._asdict() == {
        "name": "ssh",
        "product": "OpenSSH",
        "version": "9.2p1 Debian 2+deb12u2",
        "extrainfo": "protocol 2.0",
        "tunnel": "",
        "method": "probed",
        "confidence": 10,
        "cpe": ("cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:linux:linux_kernel"),
        "hostname": "gw",
        "ostype": "Linux",
        "devicetype": "router",
    }
    assert ssh.scripts[0].data == [
        {"type": "ecdsa-sha2-nistp256", "bits": "256"},
        {"type": "ssh-ed25519", "bits": "256"},
    ]
    assert https.service is not None and https.service.tunnel == "ssl"
    assert https.scripts[0] == ("http-title", 'a < b & "c" [/]', None)
    assert https.scripts[1].data == {
        "subject": {"commonName": "gw"},
        "validity": {"notAfter": "2030-01-01T00:00:00"},
        "pem": "-----BEGIN\n",
        "4": "loose",
    }
    assert dns.state == "open|filtered"
    assert rpc.service is not None and rpc.service.version == "2-4"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_the_pieces_do_not_matter(path: Path, data: st.DataObject) -> None:
    xml = path.read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(xml)), max_size=12)))
    pieces = [xml[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(xml)], strict=True)]
    assert read(*pieces) == read(xml)


def test_single_bytes_give_the_same_events() -> None:
    assert read(*[FULL[at : at + 1] for at in range(len(FULL))]) == read(FULL)


@given(st.integers(0, len(FULL)))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_anywhere_delivers_its_whole_hosts(at: int) -> None:
    parser = NmapXmlParser()
    events = parser.feed(FULL[:at]) + parser.close()
    assert len(hosts(events)) == FULL[:at].count(b"</host>")
    assert parser.finished == (at >= FULL.rindex(b"</nmaprun>") + len(b"</nmaprun>"))
    assert events == read(FULL)[: len(events)]


def test_a_host_is_delivered_with_its_last_byte() -> None:
    parser = NmapXmlParser()
    parser.feed(ROOT)
    assert parser.feed((HOST % 1).rstrip()[:-1]) == []
    assert hosts(parser.feed(b">")) == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"hello", "malformed in line 1"),
        (b"<html></html>", "not nmap XML"),
        (b'<!DOCTYPE nmaprun [<!ENTITY a "b">]>' + ROOT, "entities"),
        (b'<!DOCTYPE nmaprun [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]>' + ROOT, "entities"),
        (b'<!DOCTYPE nmaprun [<!ATTLIST host a CDATA "b">]>' + ROOT, "entities"),
        (ROOT + b"<a>" * 100_000, "nested"),
        (ROOT + b"<script>" + b"<table>" * 50, "nested"),
        (ROOT + b'<host a="' + b"x" * 3_000_000, "tag"),
        (ROOT + b"<x>" + b"text " * 8_000_000, "part"),
        (ROOT + b"</nmaprun><more/>", "malformed"),
        (b"\xff\xfe" + ROOT, "malformed"),
    ],
    ids=["text", "html", "entity", "parameter", "default", "deep", "tables", "tag", "part", "junk", "bom"],
)
def test_bad_documents_are_refused_at_once(xml: bytes, reason: str) -> None:
    began = time.thread_time()
    _, error = read_until_error(xml)
    assert reason in error.what
    assert time.thread_time() - began < 5


def test_a_fault_loses_nothing_before_it_and_names_its_line() -> None:
    xml = ROOT + b"\n" + HOST % 1 + HOST % 2 + b"<a></b>\n" + HOST % 3
    for pieces in ([xml], [xml[at : at + 7] for at in range(0, len(xml), 7)]):
        events, error = read_until_error(*pieces)
        assert hosts(events) == ["192.0.2.1", "192.0.2.2"]
        assert "line 8" in error.what and "mismatched" in error.why


def test_a_fault_is_reported_again() -> None:
    parser = NmapXmlParser()
    for call in (lambda: parser.feed(b"<html>"), lambda: parser.feed(FULL), parser.close):
        with pytest.raises(InvalidInput):
            call()


@pytest.mark.parametrize(
    "address",
    [
        b'addr="-oN/tmp/x" addrtype="ipv4"',
        b'addr="192.0.2.01" addrtype="ipv4"',
        b'addr="192.0.2.256" addrtype="ipv4"',
        b'addr="192.0.2.1\xd9\xa1" addrtype="ipv4"',
        b'addr="2001:db8::1" addrtype="ipv4"',
        b'addr="192.0.2.1" addrtype="ipv6"',
        b'addr="192.0.2.1" addrtype="phone"',
        b'addr="02:00:00:00:00:0g" addrtype="mac"',
        b'addr="02:00:00:00:00:0a" addrtype="mac"',
        b'addrtype="ipv4"',
    ],
)
def test_a_host_with_a_bad_address_is_left_out_and_the_rest_goes_on(address: bytes) -> None:
    parser = NmapXmlParser()
    bad = b'<host><status state="up" reason="r" reason_ttl="0"/>\n<address ' + address + b"/>\n</host>\n"
    events = parser.feed(ROOT + HOST % 1 + bad + HOST % 2 + b"</nmaprun>") + parser.close()
    assert [(e.host.address, e.ordinal) for e in events if isinstance(e, HostFound)] == [
        ("192.0.2.1", 0),
        ("192.0.2.2", 2),
    ]
    assert parser.refused_count == len(parser.refused) == 1
    assert parser.refused[0].startswith("host 2: ")


@pytest.mark.parametrize(
    "ports",
    [
        b'<port protocol="tcp" portid="99999999999"><state state="open"/></port>',
        b'<port protocol="tcp" portid="65536"><state state="open"/></port>',
        b'<port protocol="tcp" portid="-1"><state state="open"/></port>',
        b'<port protocol="tcp" portid="\xd9\xa1"><state state="open"/></port>',
        b'<port protocol="tcp"><state state="open"/></port>',
        b'<port protocol="tcp" portid="1"/>',
        b'<port protocol="tcp" portid="1"><state state="&lt;b&gt;"/></port>',
        b'<port protocol="--script" portid="1"><state state="open"/></port>',
        b'<port protocol="tcp" portid="1"><state state="open" reason_ttl="999"/></port>',
        b'<port protocol="tcp" portid="1"><state state="open"/><service name="a" conf="x"/></port>',
        b'<port protocol="tcp" portid="1"><port protocol="tcp" portid="2"><state state="open"/></port></port>',
        b'<extraports state="ajar" count="1"/>',
    ],
)
def test_a_host_with_a_bad_port_is_left_out(ports: bytes) -> None:
    parser = NmapXmlParser()
    events = parser.feed(with_ports(ports)) + parser.close()
    assert hosts(events) == ["192.0.2.2"]
    assert parser.refused_count == 1


def test_the_state_of_one_port_does_not_reach_the_next() -> None:
    one = b'<port protocol="tcp" portid="1"><state state="open"/><service name="a"/></port>'
    parser = NmapXmlParser()
    assert hosts(parser.feed(with_ports(one + b'<port protocol="tcp" portid="2"></port>'))) == ["192.0.2.2"]
    assert "state" in parser.refused[0]


def test_what_looks_like_a_host_but_is_none_is_not_delivered() -> None:
    host = HOST % 1
    for wrapped in (b"<!-- " + host + b" -->", b"<![CDATA[" + host + b"]]>", b"<?pi " + host + b"?>"):
        for size in (1, 7, 4096):
            xml = ROOT + wrapped + HOST % 2 + b"</nmaprun>"
            assert hosts(read(*[xml[at : at + size] for at in range(0, len(xml), size)])) == ["192.0.2.2"]


def test_long_values_are_cut() -> None:
    long = b"x" * 300_000
    script = b'<script id="s" output="' + long + b'"><elem key="k">' + long + b"</elem></script>"
    service = b'<service name="n" product="' + long + b'"/>'
    port = b'<port protocol="tcp" portid="1"><state state="open"/>' + service + script + b"</port>"
    found = next(event.host.ports[0] for event in read(with_ports(port)) if isinstance(event, HostFound))
    assert found.service is not None
    assert (
        len(found.service.product)
        == len(found.scripts[0].output)
        == len(found.scripts[0].data["k"])
        == 65_536
    )


def test_reasons_are_bounded_but_counted() -> None:
    parser = NmapXmlParser()
    bad = b'<host><address addr="x" addrtype="ipv4"/></host>'
    parser.feed(ROOT + bad * 1_000)
    assert parser.refused_count == 1_000 and len(parser.refused) == 100


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_short_cut_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = read(path.read_bytes())
    monkeypatch.setattr(nmap_xml, "read_plain_host", lambda block: None)
    assert read(path.read_bytes()) == events


@given(st.integers(0, len(FULL)))
@settings(max_examples=60, deadline=None)
def test_a_truncated_document_is_made_whole(at: int) -> None:
    whole = close_truncated(FULL[:at])
    parser = NmapXmlParser()
    events = parser.feed(whole) + parser.close()
    assert parser.finished
    assert hosts(events) == hosts(read(FULL[:at]))
    finished = at >= FULL.index(b"</runstats>") + len(b"</runstats>")
    assert any(isinstance(event, ScanFinished) for event in events) == finished


def test_a_whole_document_is_not_changed() -> None:
    assert close_truncated(FULL) == FULL


def test_a_tag_with_brackets_in_its_values_is_not_cut_in_the_middle() -> None:
    xml = b'<nmaprun args="a > b"><verbose level=">1"/>\n<host><ad'
    assert close_truncated(xml) == b'<nmaprun args="a > b"><verbose level=">1"/>\n</nmaprun>\n'


def test_only_nmap_documents_are_made_whole() -> None:
    for xml in (b"<html><body>", ROOT.decode().encode("utf-16"), ROOT + b"<a></b>"):
        with pytest.raises(InvalidInput):
            close_truncated(xml)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "bench" / "generate_nmap_xml.py"
    spec = importlib.util.spec_from_file_location("generate_nmap_xml", path)
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    generator.generate(tmp_path / "scan.xml", 1_500)
    parser, found, peaks = NmapXmlParser(), 0, []
    tracemalloc.start()
    with (tmp_path / "scan.xml").open("rb") as file:
        while piece := file.read(65_536):
            found += len(hosts(parser.feed(piece)))
            peaks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert found == 1_500 and not parser.refused
    assert peaks[-1] < peaks[len(peaks) // 4] + 200_000
