"""``capture find``, ``mark`` and ``marks``."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.runtime.tool_paths import find_tool
from tests.bench.generate_pcap import generate

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("tshark"), reason="tshark is not installed")]


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "made.pcap"
    generate(path, 600)
    return path


@pytest.fixture
def capture(admin: Any, file: Path) -> int:
    """A capture of 600 packets that ada has imported."""
    (stored,) = admin("capture", "import", file, "--json").document
    return int(stored["id"])


def by_tshark(file: Path, text: str) -> list[int]:
    command = ["tshark", "-n", "-r", str(file), "-Y", text, "-T", "fields", "-e", "frame.number"]
    return [int(line) for line in subprocess.run(command, capture_output=True, text=True).stdout.split()]


@pytest.mark.parametrize(
    ("options", "filter"),
    [
        (("host7",), 'frame contains "host7"'),
        (("HOST7", "--ignore-case"), 'frame contains "host7"'),
        (("host[78]2.example", "--regex"), 'frame matches "host[78]2"'),
        (("68:6f 0x73 74 37 3?", "--hex"), 'frame contains "host7"'),
        (("time to live: 64", "--ignore-case", "--in", "tree"), "ip.ttl == 64"),
        (("Label Count: 3", "--in", "tree", "--filter", "frame.number > 300"), "dns && frame.number > 300"),
        (("DNS .* host7", "--regex", "--in", "list"), 'dns.qry.name contains "host7"'),
        (("host7", "--filter", "frame.number < 90"), 'frame.number < 90 && frame contains "host7"'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_packets_are_those_of_tshark(
    admin: Any, file: Path, capture: int, options: tuple[str, ...], filter: str
) -> None:
    expected = by_tshark(file, filter)
    found = [one["number"] for one in admin("capture", "find", capture, *options, "--json").document]
    assert found == expected and expected


def test_the_place_is_where_the_bytes_are(admin: Any, capture: int) -> None:
    first, *_ = admin("capture", "find", capture, "host7", "--json", "--limit", 1).document
    data = bytes.fromhex(admin("capture", "packet", capture, first["number"], "--json").document["bytes"])
    assert data[first["offset"] : first["offset"] + first["size"]] == b"host7"
    answer = admin("capture", "find", capture, "host7")
    assert str(first["number"]) in answer.out and "Standard query" in answer.out


def test_what_cannot_be_found(admin: Any, capture: int) -> None:
    assert admin("capture", "find", capture, "nowhere", "--json").document == []
    for words, said in (
        (("(a", "--regex"), "not valid"),
        (("xyz", "--hex"), "no row of bytes"),
        (("00", "--hex", "--in", "tree"), "in the bytes only"),
        (("00", "--hex", "--regex"), "not both"),
        (("a", "--filter", "dns =="), "Unexpected end of filter"),
    ):
        answer = admin("capture", "find", capture, *words)
        assert answer.code == 2 and said in answer.err and not answer.out


def test_marks_are_kept_and_sliced(admin: Any, capture: int) -> None:
    assert admin("capture", "mark", capture, 5, 9, 300, "--comment", "=look").code == 0
    assert admin("capture", "mark", capture, 9, "--off").code == 0
    marks = admin("capture", "marks", capture, "--json").document
    assert marks == [{"number": 5, "comment": "=look"}, {"number": 300, "comment": "=look"}]
    made = admin("capture", "slice", capture, "--marked", "--packets", "1-10", "--json").document
    assert made["packets"] == 1
    assert admin("capture", "mark", capture, 601).code == 2
    assert admin("capture", "mark", capture, 5, "--off", "--comment", "x").code == 2
    assert admin("capture", "marks", capture, "--clear", "--json").document == []
