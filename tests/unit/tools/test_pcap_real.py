"""A real capture of a known exchange, in a network namespace of its own, read by our reader and by tshark."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from netmon_tui.domain.capture import StartCapture
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.tcpdump import build_command, complaint

TOOLS = ("tcpdump", "tshark", "unshare", "ip")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]
ALONE = (
    ["unshare", "--net"]
    if os.geteuid() == 0
    else ["unshare", "--user", "--map-root-user", "--map-auto", "--net"]
)
"""With all users mapped, because tcpdump leaves root for another one."""
EACH_ALONE = ("-o", "tcp.desegment_tcp_streams:FALSE")
"""As our list does: else tshark tells an answer at the segment that ends it, and where it is cut is chance."""
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]

EXCHANGE = """
import json, re, signal, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
path, command = sys.argv[1], sys.argv[2:]
with open(path, "wb") as file:
    tcpdump = subprocess.Popen(command, stdout=file, stderr=subprocess.PIPE, text=True)
words = tcpdump.stderr.readline()
while tcpdump.poll() is None and "listening on" not in words:
    words += tcpdump.stderr.readline()
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
        receiver.bind((address, 40001))
        for number in range(5):
            sender.sendto(b"x" * number, (address, 40001))
    with socket.create_server((address, 40080), family=family) as server:
        client = socket.create_connection((address, 40080))
        connection, _ = server.accept()
        client.sendall(b"GET /a HTTP/1.1\\r\\n\\r\\n")
        connection.recv(100)
        client.close()
        connection.recv(100)
        connection.close()
captured = 0
while tcpdump.poll() is None and captured < 2 * (5 + 3 + 2 + 3):  # datagrams; handshake, request, end at the least
    tcpdump.send_signal(signal.SIGUSR1)
    line = tcpdump.stderr.readline()
    words += line
    captured = int((re.search(r"(\\d+) packets? captured", line) or [0, captured])[1])
tcpdump.send_signal(signal.SIGINT)
print(json.dumps(words + tcpdump.communicate()[1]))
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    """The file of the exchange and what tcpdump said."""
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("user and network namespaces cannot be made here")
    path = tmp_path_factory.mktemp("real") / "a.pcap"
    command = build_command(shutil.which("tcpdump"), StartCapture("lo"), "udp or tcp")
    argv = [*ALONE, sys.executable, "-c", EXCHANGE, str(path), *command]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout)


def test_the_file_has_what_tcpdump_counted(capture):
    path, words = capture
    with PacketIndex(path) as index:
        index.extend()
        captured, dropped = (
            int(re.findall(rf"(\d+) packets? {what}", words)[-1])
            for what in ("captured", "dropped by kernel")
        )
        assert (index.count, dropped) == (captured, 0)
        assert "link-type EN10MB" in words and index.header.linktype_name == "EN10MB"
        assert index.damage == "" and complaint(words) == ""


def test_the_exchange_is_all_there(capture):
    with PacketIndex(capture[0]) as index:
        index.extend()
        lines = [summarise(raw, index.header.linktype) for raw in index.packets()]
    datagrams = [line for line in lines if line.protocol == "UDP"]
    for address in ("127.0.0.1", "::1"):
        mine = [line for line in datagrams if line.source == line.destination == address]
        assert [line.info.partition(" Len=")[2] for line in mine] == list("01234")
        requests = [line for line in lines if line.protocol == "HTTP" and line.source == address]
        assert [line.info for line in requests] == ["GET /a HTTP/1.1"]
    assert (
        sum("[SYN]" in line.info for line in lines) == sum("[SYN, ACK]" in line.info for line in lines) == 2
    )


def test_the_list_is_that_of_tshark(capture):
    found = subprocess.run(
        ["tshark", "-n", *EACH_ALONE, "-t", "e", "-T", "tabs", "-r", capture[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [[cell.strip() for cell in row.split("\t")] for row in found.stdout.splitlines()]
    with PacketIndex(capture[0]) as index:
        index.extend()
        lines = [summarise(raw, index.header.linktype) for raw in index.packets()]
    for line, (number, time, source, _, destination, protocol, length, _) in zip(lines, rows, strict=True):
        assert (line.number, line.source, line.destination) == (int(number), source, destination)
        assert (line.protocol, line.length) == (protocol, int(length))
        assert line.time == pytest.approx(float(time), abs=1e-6)
