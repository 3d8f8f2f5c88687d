import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.errors import ToolFailed
from netmon_tui.runtime import dissection
from netmon_tui.runtime.dissection import dissect_packet
from netmon_tui.tools.packet_tree import describe
from netmon_tui.tools.pcap import RawPacket, make_header
from tests.unit.tools import packet_samples as samples

TSHARK = shutil.which("tshark") or ""
HEADER = make_header()
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not TSHARK, reason="tshark is not installed")]


def packet(name, number=41):
    data = samples.SAMPLES[name]
    return RawPacket(number, 1_700_000_000_123_456_789, len(data), data)


def flat(fields):
    for field in fields:
        yield field
        yield from flat(field.fields)


@pytest.fixture
def public():
    """A directory that also nobody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        path.chmod(0o755)
        yield path


def program(directory, text):
    """Return a program called tshark that does something else, run by a Python that nobody may use."""
    path = directory / "tshark"
    path.write_text(f"#!/usr/bin/env -S python3 -I\n{text}\n")
    path.chmod(0o755)
    return str(path)


async def test_the_tree_of_a_dns_response():
    raw = packet("dns response")
    layers = {layer.name: layer for layer in await dissect_packet(raw, HEADER, tshark=TSHARK)}
    assert list(layers) == ["frame", "eth", "ip", "udp", "dns"]
    assert layers["ip"].label == "Internet Protocol Version 4, Src: 192.0.2.1, Dst: 192.0.2.2"
    ttl = next(field for field in layers["ip"].fields if field.name == "ip.ttl")
    assert (ttl.label, ttl.value, ttl.offset, ttl.size) == ("Time to Live: 64", "64", 22, 1)
    answers = next(field for field in layers["dns"].fields if field.label == "Answers")
    assert [inner.name for inner in answers.fields[1].fields][:2] == ["dns.resp.name", "dns.resp.type"]
    addresses = [field for field in flat(answers.fields) if field.name in ("dns.a", "dns.aaaa")]
    assert [field.value for field in addresses] == ["192.0.2.1", "2001:db8::1"]
    assert raw.data[addresses[0].offset :][: addresses[0].size] == samples.IP_A


async def test_the_packet_keeps_its_number_and_time():
    frame = (await dissect_packet(packet("ping", 990_000), HEADER, tshark=TSHARK))[0]
    values = {field.name: field.value for field in frame.fields}
    assert values["frame.number"] == "990000" and values["frame.time_epoch"].startswith("1700000000.123456")
    assert frame.label.startswith("Frame 990000: ")
    assert "frame.time_delta" not in values


@pytest.mark.parametrize("name", ["arp request", "tcp syn", "ping6", "tls client", "vlan", "ipv6 fragment"])
async def test_the_built_in_tree_agrees_with_tshark(name):
    raw = packet(name)
    theirs = [f for layer in await dissect_packet(raw, HEADER, tshark=TSHARK) for f in flat(layer.fields)]
    places = {(field.name, field.offset, field.size) for field in theirs}
    ours = [
        field
        for layer in describe(raw, 1)
        if layer.name not in ("frame", "data", "icmp")
        for field in layer.fields
    ]
    unknown = {(f.name, f.offset, f.size) for f in ours} - places
    assert not unknown and len(ours) > 3


async def test_every_field_lies_in_the_packet():
    for name in ("tls server", "http request", "dhcp ack", "stp"):
        raw = packet(name)
        for layer in await dissect_packet(raw, HEADER, tshark=TSHARK):
            for field in flat(layer.fields):
                assert field.offset == -1 or 0 <= field.offset <= field.offset + field.size <= raw.captured


async def test_packets_of_any_link_type_and_shape():
    for header, data in (
        (make_header(276), bytes(30)),
        (make_header(1, byte_order=">"), b""),
    ):
        layers = await dissect_packet(RawPacket(1, 0, 60, data), header, tshark=TSHARK)
        assert layers[0].name == "frame"


async def test_what_is_hostile_stays_text():
    request = samples.tcp(
        40000, 80, 0x18, b"GET /\x1b[31m<field/name='x'>]]>&amp; HTTP/1.1\r\nA: \x00\xff\x01\r\n\r\n"
    )
    data = samples.ethernet(0x0800, samples.ip4(6, request))
    layers = await dissect_packet(RawPacket(1, 0, len(data), data), HEADER, tshark=TSHARK)
    uri = next(f.value for layer in layers for f in flat(layer.fields) if f.name == "http.request.uri")
    assert "<field/name='x'>]]>&amp;" in uri


async def test_tshark_is_started_without_our_environment_and_rights(public, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".config/wireshark").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LD_PRELOAD_NOT", "x")
    (tmp_path / "config.ini").write_text("[tshark]\ntshark_path = /nonexistent\n")
    monkeypatch.chdir(tmp_path)
    report = """import os, sys
facts = sorted(os.environ), os.environ["HOME"], os.getuid(), os.getgroups(), os.getcwd(), sys.argv[1:]
sys.stderr.write(repr(facts))
"""
    with pytest.raises(ToolFailed) as caught:
        await dissect_packet(packet("ping"), HEADER, tshark=program(public, report))
    names, seen_home, user, groups, directory, arguments = eval(caught.value.why)
    expected = {
        "PATH",
        "HOME",
        "LC_ALL",
        "TZ",
        "WIRESHARK_CONFIG_DIR",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "LC_CTYPE",
    }
    assert set(names) <= expected and seen_home == "/nonexistent" and directory == "/"
    assert user != 0 and (os.geteuid() != 0 or groups == [])
    assert arguments == ["-l", "-n", "-T", "pdml", "-r", "-"]


async def test_lua_of_the_home_directory_does_not_run(tmp_path, monkeypatch):
    written = tmp_path / "written"
    configuration = tmp_path / ".config" / "wireshark"
    configuration.mkdir(parents=True)
    (configuration / "init.lua").write_text(f'io.open("{written}", "w"):write("x")\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(configuration))
    tmp_path.chmod(0o777)
    assert await dissect_packet(packet("ping"), HEADER, tshark=TSHARK)
    assert not written.exists()


@pytest.mark.parametrize(
    "text",
    [
        "raise SystemExit(3)",
        "raise SystemExit(0)",
        "print('<packet><proto name=\"x\"></packet>')",
        "import sys; sys.stderr.buffer.write(b'\\xff\\xfe' * 90000); sys.exit(2)",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
async def test_a_dissector_that_fails_is_a_tool_that_failed(public, text):
    with pytest.raises(ToolFailed):
        await dissect_packet(packet("ping"), HEADER, tshark=program(public, text))


async def test_a_dissector_that_is_gone_before_it_is_noted_is_a_tool_that_failed(public, monkeypatch):
    start = asyncio.create_subprocess_exec

    async def start_and_see_it_end(*argv: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*argv, **options)
        while process.returncode is None:
            await asyncio.sleep(0.01)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start_and_see_it_end)
    with pytest.raises(ToolFailed, match="did not describe"):
        await dissect_packet(packet("ping"), HEADER, tshark=program(public, "raise SystemExit(3)"))


async def test_no_tshark_is_a_tool_that_failed():
    with pytest.raises(ToolFailed):
        await dissect_packet(packet("ping"), HEADER, tshark="/nonexistent/tshark")


FOR_EVER = "import os, sys, time\nsys.stderr.write('started\\n')\nwhile True: time.sleep(60)"
FLOOD = "import sys\nwhile True: sys.stdout.write('<packet>' + 'x' * 100000)"


def children():
    found = subprocess.run(
        ["ps", "-ww", "-o", "pid=,stat=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return [row for row in found.stdout.splitlines() if "/tshark" in row]


async def test_a_dissector_that_never_ends_is_killed(public, monkeypatch):
    monkeypatch.setattr(dissection, "DEADLINE", 0.5)
    with pytest.raises(ToolFailed, match=r"over 0\.5 s"):
        await dissect_packet(packet("ping"), HEADER, tshark=program(public, FOR_EVER))
    assert children() == []


async def test_a_dissector_that_never_stops_talking_is_killed(public):
    with pytest.raises(ToolFailed, match="too long"):
        await dissect_packet(packet("ping"), HEADER, tshark=program(public, FLOOD))
    assert children() == []


async def test_a_link_type_that_tshark_does_not_know():
    with pytest.raises(ToolFailed, match="4000"):
        await dissect_packet(RawPacket(1, 0, 60, b"x"), make_header(4000), tshark=TSHARK)


async def test_whoever_stops_waiting_leaves_nothing_behind(public):
    tshark = program(public, FOR_EVER)
    task = asyncio.create_task(dissect_packet(packet("ping"), HEADER, tshark=tshark))
    async with asyncio.timeout(30):
        while not children():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []


async def test_no_descriptor_is_left_open():
    await dissect_packet(packet("ping"), HEADER, tshark=TSHARK)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        await dissect_packet(packet("ping"), HEADER, tshark=TSHARK)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
