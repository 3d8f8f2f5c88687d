"""``capture packets`` with places and columns, and ``capture columns``."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.runtime.tool_paths import find_tool
from tests.unit.cli.test_cli_display_filter import capture as capture_of_500
from tests.unit.services.test_sealed_packets import STATION, made
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import ANSWER

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]


capture = capture_of_500
"""The fixture."""


def numbers(admin: Any, capture: int, *words: object) -> list[int]:
    return [one["number"] for one in admin("capture", "packets", capture, *words, "--json").document]


PARTS: list[tuple[tuple[str, ...], Any]] = [
    (("--from", "490"), range(490, 501)),
    (("--from", "10", "--to", "12"), range(10, 13)),
    (("--from", "10", "--to", "+2"), range(10, 13)),
    (("--from", "50%", "--limit", "2"), (250, 251)),
    (("--to", "20", "--last", "3"), (18, 19, 20)),
    (("--last", "2"), (499, 500)),
    (("--from", "2023-11-14T22:13:20.000255Z", "--to", "2023-11-14T22:13:20.000301Z"), (6, 7)),
    (("--from", "2030-01-01"), ()),
    (("--to", "2000-01-01"), ()),
    (("--from", "400", "--to", "300"), ()),
]


def test_a_part_of_the_packets(admin: Any, capture: int) -> None:
    for words, expected in PARTS:
        assert numbers(admin, capture, *words) == list(expected), words


def test_a_filter_and_a_part_are_both_met(admin: Any, capture: int) -> None:
    dns = numbers(admin, capture, "--filter", "dns")
    assert numbers(admin, capture, "--filter", "dns", "--from", dns[2], "--to", dns[5]) == dns[2:6]
    assert numbers(admin, capture, "--filter", "dns", "--last", 2) == dns[-2:]


def test_columns_say_what_tshark_says(admin: Any, capture: int, home: Any) -> None:
    keys = "number,delta,since,source_mac,ttl,captured,protocol,dns.qry.name,udp.port"
    found = admin("capture", "packets", capture, "--columns", keys, "--by-tshark", "--json").document
    fields = ("frame.number", "frame.time_delta", "frame.time_relative", "eth.src", "ip.ttl", "frame.cap_len")
    fields += ("_ws.col.Protocol", "dns.qry.name", "udp.port")
    command = ["tshark", "-n", "-r", str(home / "made.pcap"), "-T", "fields"]
    command += [word for field in fields for word in ("-e", field)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    cut = {"frame.time_delta": 3, "frame.time_relative": 3}  # nanoseconds of a file that has none
    theirs = [
        [text[: len(text) - cut.get(field, 0)] for field, text in zip(fields, row.split("\t"), strict=True)]
        for row in told
    ]
    assert [list(one.values()) for one in found] == theirs
    assert list(found[0]) == keys.split(",")


def test_headings_are_the_same_whoever_chose_the_columns(admin: Any, capture: int) -> None:
    usual, chosen = (
        admin("capture", "packets", capture, "--limit", 1, *words).out.splitlines()[0].split()
        for words in ((), ("--columns", "number,protocol,udp.port"))
    )
    assert usual == ["NO", "TIME", "SOURCE", "DESTINATION", "PROTOCOL", "LENGTH", "INFO"]
    assert chosen == ["NO", "PROTOCOL", "udp.port"]


def test_the_time_of_a_packet_has_its_microseconds(admin: Any, capture: int) -> None:
    listed = admin("capture", "packets", capture, "--columns", "epoch", "--from", 6, "--limit", 1, "--json")
    parts = listed.document[0]["epoch"].partition(".")[2][:6]
    assert int(parts)
    (time,) = [
        row for row in admin("capture", "packet", capture, 6).out.splitlines() if row.startswith("time")
    ]
    assert f".{parts}" in time


def test_a_field_of_the_whole_file_is_not_made_up_of_a_part(admin: Any, capture: int) -> None:
    found = admin("capture", "packets", capture, "--columns", "tcp.stream", "--limit", 1, "--json").document
    assert found == [{"tcp.stream": "(whole file)"}]


def test_columns_are_chosen(admin: Any, capture: int) -> None:
    usual = list(PacketColumns().keys)
    assert admin("capture", "columns", "--json").document["keys"] == usual
    chosen = admin("capture", "columns", "--set", "number,ip.ttl", "--by-tshark", "--json").document
    assert (chosen["keys"], chosen["by_tshark"]) == (["number", "ip.ttl"], True)
    mine = admin("capture", "packets", capture, "--columns", "mine", "--limit", 1, "--json").document
    assert mine == [{"number": "1", "ip.ttl": "64"}]
    assert "ip.ttl" in admin("capture", "columns").out
    assert admin("capture", "columns", "--set", "usual", "--own", "--json").document["keys"] == usual


WRONG: list[tuple[tuple[Any, ...], str]] = [
    (("packets", 1, "--from", "somewhere"), "no place"),
    (("packets", 1, "--columns", "no.such.field"), "neither a field nor a protocol"),
    (("packets", 1, "--columns", "a b"), "is no column"),
    (("packets", 1, "--by-tshark"), "needs --columns"),
    (("columns", "--set", "number,number"), "already"),
]


def test_what_is_wrong_is_refused(admin: Any, capture: int) -> None:
    for words, said in WRONG:
        answer = admin("capture", *words)
        assert answer.code == 2 and said in answer.err and not answer.out, words


def imported(admin: Any, file: Path) -> int:
    """The number of a capture of a file."""
    assert admin("capture", "import", file).code == 0
    return int(admin("capture", "list", "--json").document[0]["id"])


def test_what_keys_open_is_listed_as_what_it_is_however_far_they_matter(admin: Any, home: Path) -> None:
    exchange, keys = encrypted(home)
    greeting, data = exchange.frames[:-2], exchange.frames[-2:]
    exchange.frames = [*greeting, *[frame for _ in range(1_500) for frame in exchange.frames[:1]], *data]
    (home / "made.pcap").write_bytes(exchange.data())
    capture = imported(admin, home / "made.pcap")
    assert admin("capture", "keys", capture, keys).code == 0
    found = admin("capture", "packets", capture, "--filter", "http", "--json").document
    assert [one["protocol"] for one in found] == ["HTTP", "HTTP"]
    assert found[0]["info"].startswith("GET ") and "200 OK" in found[1]["info"]


def test_a_packet_is_printed_with_what_was_decrypted_under_its_name(admin: Any, home: Path) -> None:
    exchange, keys = encrypted(home)
    capture = imported(admin, exchange.write(home / "made.pcap"))
    number, name = len(exchange.frames), f"Decrypted TLS ({len(ANSWER)} bytes)"
    assert name not in admin("capture", "packet", capture, number).out
    assert admin("capture", "packet", capture, number, "--json").document["sources"] == []
    assert admin("capture", "keys", capture, keys).code == 0
    lines = admin("capture", "packet", capture, number).out.splitlines()
    after = lines[lines.index(name) + 1 :]
    assert [line.split("  ")[0] for line in after] == ["0000", "0010", "0020"]
    assert after[0].endswith("HTTP/1.1 200 OK.") and after[2].endswith("hello")
    (source,) = admin("capture", "packet", capture, number, "--json").document["sources"]
    assert source == {"name": name, "bytes": ANSWER.hex(), "left_out": 0}


def test_every_list_of_packets_has_the_dissectors_words_of_foreign_links(admin: Any, home: Path) -> None:
    (home / "wifi.pcap").write_bytes(made(127))
    capture = imported(admin, home / "wifi.pcap")
    words = [
        admin("capture", "packets", capture, "--json").document[0],
        admin("capture", "matches", capture, "wlan", "--json").document[0],
        admin("capture", "find", capture, "home", "--json").document[0],
        admin("capture", "packet", capture, 1, "--json").document,
    ]
    for one in words:
        assert one["info"].startswith("Beacon frame") and one["source"] == STATION, one
