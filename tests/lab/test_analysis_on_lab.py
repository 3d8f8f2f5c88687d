"""Real exchanges on the lab's network, captured and analysed: what is counted is what was sent."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.lab.network import Lab
from tests.lab.test_cli_on_lab import Program, data_of_ada, program, until

__all__ = ["data_of_ada", "program"]
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="tcpdump cannot change its user in a user namespace"),
    pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed"),
]
WEB, NAMES = "10.77.0.10", "10.77.0.13"
_ASK = """
import http.client, socket, struct, sys
web, names, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in range(count):
    connection = http.client.HTTPConnection(web, 80, timeout=20)
    connection.request("GET", f"/page-{number}")
    sys.stdout.buffer.write(connection.getresponse().read())
    connection.close()
labels = b"".join(bytes([len(label)]) + label.encode() for label in "10.0.77.10.in-addr.arpa".split("."))
question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">xHH", 12, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.settimeout(20)
    sender.sendto(question, (names, 53))
    sender.recv(2000)
"""


def test_http_and_dns_are_counted_as_they_were_sent(program: Program, lab: Lab) -> None:
    wanted = f"(tcp port 80 and host {WEB}) or (udp and host {NAMES})"
    program("capture", "run", "eth0", "--filter", wanted, "--detach")

    def listens() -> bool:
        lab.udp_exchange(1)
        return bool(program.json("capture", "show", "1")["packets"])

    until(listens, "tcpdump listens")
    done = lab.run(["python3", "-c", _ASK, WEB, NAMES, "3"], timeout=90)
    assert done.returncode == 0, done.stderr
    until(lambda: program.json("capture", "show", "1")["bytes"], "packets are in the file")
    running = program.json("capture", "talkers", "1", "--top", "9")
    assert running["sampled"] == 1 and running["notes"] == []
    program("capture", "stop", "1")
    packets = program.json("capture", "show", "1")["packets"]

    def rows(question: str, *options: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = program.json("capture", "analyse", "1", question, *options)["rows"]
        return found

    counted = program.json("capture", "talkers", "1")
    assert counted["packets"] == packets >= running["packets"] and counted["read"] == 1
    (web,) = (one for one in counted["conversations"] if one["server"] == WEB)
    assert web["service"]["port"] == 80
    conversations = rows("conversations:tcp")
    assert web["sent_packets"] + web["received_packets"] == sum(
        int(str(row["packets"])) for row in conversations
    )
    assert [row["b"] for row in conversations] == [WEB] * 3
    assert sum(int(str(row["packets"])) for row in (*conversations, *rows("conversations:udp"))) == packets
    assert all(row["rtt"] and not row["retransmissions"] for row in conversations)
    requests = [row["item"] for row in rows("http:requests") if "page" in str(row["item"])]
    assert sorted(map(str, requests)) == ["/page-0", "/page-1", "/page-2"]
    dns = {row["item"]: row["count"] for row in rows("dns")}
    assert (dns["Total Packets"], dns["Query"], dns["Response"]) == (2, 1, 1)
    server = program("capture", "follow", "1", "http", "0", "--side", "server")
    assert done.stdout.strip().splitlines()[0] in server
    assert sum(int(str(row["packets"])) for row in rows("io", "--interval", "10")) == packets


SECRET = "the walnut is in the lantern"
_TLS = """
import socket, ssl, sys, threading
chain, keys, secret = sys.argv[1:]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(chain)
client = ssl._create_unverified_context()
client.keylog_filename = keys
listener = socket.create_server(("127.0.0.1", 4433))

def serve():
    with server.wrap_socket(listener.accept()[0], server_side=True) as connection:
        connection.sendall(connection.recv(100).upper())

threading.Thread(target=serve).start()
with client.wrap_socket(socket.create_connection(("127.0.0.1", 4433))) as connection:
    connection.sendall(secret.encode())
    print(connection.recv(100).decode())
"""
_KNOCK = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl, which makes the certificate, is missing")
def test_tls_is_read_with_the_keys_of_its_client_and_not_without(
    program: Program, lab: Lab, tmp_path: Path
) -> None:
    chain, keys = tmp_path / "chain.pem", tmp_path / "keys.log"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab", "-keyout", "-"]
    chain.write_text(lab.run(make, check=True).stdout)
    program("capture", "run", "lo", "--filter", "tcp port 4433 or udp port 9", "--detach")

    def listens() -> bool:
        lab.run(["python3", "-c", _KNOCK], check=True)
        return bool(program.json("capture", "show", "1")["packets"])

    until(listens, "tcpdump listens")
    done = lab.run(["python3", "-c", _TLS, str(chain), str(keys), SECRET], timeout=60)
    assert done.stdout.strip() == SECRET.upper(), done.stderr
    program("capture", "stop", "1")
    follow, with_keys = ("capture", "follow", "1", "tls", "0"), ("--keys", str(keys))
    both = program(*follow, *with_keys)
    assert both.splitlines() == [f"> {SECRET}", f"< {SECRET.upper()}"]
    server = program(*follow, "--side", "server", "--format", "raw", *with_keys)
    assert server == SECRET.upper()
    assert program(*follow, code=1) == ""
