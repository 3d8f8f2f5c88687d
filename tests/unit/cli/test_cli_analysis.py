"""``capture analyse`` and ``capture follow`` on a capture whose counts are known."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.user import Actor, Role
from netmon_tui.services.container import open_services
from tests.unit.services.tsharks import keep
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import ANSWER, BINARY, HOSTILE, exchanges

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")]


@pytest.fixture
def capture(admin, home: Path) -> str:
    """The exchanges, as a capture of ada's."""
    services = open_services(load_settings(environ={}), find_paths(data_dir=home / "data"), reading=False)
    number = keep(services, Actor(1, "ada", Role.ADMIN), exchanges().data())
    asyncio.run(services.close())
    return str(number)


def test_a_table_and_the_same_as_json(admin, capture: str) -> None:
    text = admin("capture", "analyse", capture, "conversations:tcp")
    assert text.code == 0, text.err
    heading, *lines = text.out.splitlines()
    assert heading.split()[:7] == ["STREAM", "A", "A_PORT", "B", "B_PORT", "PACKETS", "BYTES"]
    assert [line.split()[0] for line in lines][:1] == ["1"], "the number that follow asks for"
    assert not re.search(r"\d[eE]-\d", text.out), "a time with an exponent"
    document = admin("capture", "analyse", capture, "conversations:tcp", "--json").document
    assert document["question"] == "conversations:tcp" and document["notes"] == []
    first = document["rows"][0]
    assert (first["a_port"], first["packets"], first["retransmissions"], first["stream"]) == (40002, 10, 2, 1)
    assert first["filter"] == "tcp.stream == 1"


def test_the_questions_are_those_of_the_installed_tshark(admin) -> None:
    listed = {one["question"] for one in admin("capture", "questions", "--json").document}
    assert {"flow", "conversations:sll", "srt:scsi", "ip:directions"} <= listed
    assert "endpoints:mptcp" in admin("capture", "questions").out


def test_limits_of_a_question(admin, capture: str) -> None:
    rows = admin("capture", "analyse", capture, "hierarchy", "--filter", "udp", "--json").document["rows"]
    assert (rows[0]["protocol"], rows[0]["packets"], rows[1]["depth"]) == ("eth", 2, 1)
    options = ("--interval", "1", "--series", "udp", "--series", "tcp", "--json")
    (row,) = admin("capture", "analyse", capture, "io", *options).document["rows"]
    assert (row["packets"], row["packets_1"], row["packets_2"]) == (20, 2, 18)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("analyse", "1", "gossip"), "there is no question"),
        (("analyse", "1", "dns", "--filter", "no.such == 1"), "no.such"),
        (("analyse", "1", "dns", "--interval", "2"), "only the I/O graph"),
        (("analyse", "1", "dns", "--keys", "/etc/hostname"), "no TLS keys"),
        (("follow", "1", "sip", "0"), "sip"),
        (("follow", "1", "tcp", "-1"), "-1"),
    ],
)
def test_what_is_wrong_is_refused(admin, capture: str, arguments: tuple[str, ...], said: str) -> None:
    answer = admin("capture", *arguments)
    assert (answer.code, answer.out) == (2, "") and said in answer.err


def test_what_is_not_there_is_not_found(admin, capture: str) -> None:
    assert admin("capture", "analyse", "99", "dns").code == 1
    answer = admin("capture", "follow", capture, "tcp", "9")
    assert answer.code == 1 and "no tcp stream 9" in answer.err


def test_a_stream_as_text_passes_the_gate(admin, capture: str) -> None:
    answer = admin("capture", "follow", capture, "tcp", "1")
    lines = answer.out.split("\n")
    assert lines[0].startswith("> GET /\\x1b]0;owned\\x07[red]x[/red]\\u202e HTTP/1.1")
    assert "< HTTP/1.1 200 OK" in lines and "< hello" in lines
    assert "\x1b" not in answer.out and "192.0.2.80:80" in answer.err
    server = admin("capture", "follow", capture, "tcp", "1", "--side", "server").out
    assert "GET" not in server and "hello" in server


def test_a_stream_as_bytes(admin, capture: str) -> None:
    answer = admin("capture", "follow", capture, "udp", "0", "--format", "hex", "--side", "server")
    assert answer.out.split("\n")[0].startswith("< 000000  00 01 02 03")


def test_raw_is_byte_for_byte(admin, capture: str) -> None:
    for stream, side, wanted in (
        (("tcp", "0"), "server", ANSWER),
        (("udp", "0"), "server", BINARY),
        (("udp", "0"), "client", HOSTILE.encode()),
    ):
        options = ("--format", "raw", "--side", side)
        command = [sys.executable, "-m", "netmon_tui", "capture", "follow", capture, *stream, *options]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        assert done.stdout == wanted


def test_others_see_nothing(admin, program, capture: str, password_file: Path) -> None:
    added = admin("--password-file", password_file, "user", "add", "bo", "--role", "operator")
    answer = program("--user", "bo", "--password-file", password_file, "capture", "analyse", capture, "dns")
    assert answer.code in (1, 6) and not answer.out, added.err


def test_keys_are_kept_and_removed(admin, capture: str, tmp_path: Path) -> None:
    made, file = encrypted(tmp_path)
    pcap = made.write(tmp_path / "tls.pcap")
    number = admin("capture", "import", pcap, "--json").document[0]["id"]
    assert admin("capture", "keys", number, file).out.strip() == f"1 TLS key kept with capture {number}"
    answer = admin("capture", "follow", number, "tls", "0")
    assert answer.out.split("\n")[0] == "> GET /index.html HTTP/1.1"
    assert admin("capture", "keys", number).out.startswith("1 TLS key ")
    assert admin("capture", "keys", number, file, "--remove").code == 2
    assert admin("capture", "keys", number, "--remove").out.startswith("0 TLS keys ")
    assert admin("capture", "keys", number, "--remove").code == 1
    assert admin("capture", "keys", capture, "/etc/hostname").code == 2
