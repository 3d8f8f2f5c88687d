"""Vendor look-ups in files of both formats, and in this machine's own."""

import random
from pathlib import Path

import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.oui import NMAP_FILES, WIRESHARK_FILES, VendorTable

MANUF = """\
# a comment\twith a tab
00:00:00\t00:00:00\tOfficially Xerox
00:1B:C5\tIEEERegi\tIEEE Registration Authority
00:1B:C5:00:00:00/36\tConvergi\tConverging Systems Inc.
00:1B:C5:00:50:00/36\tPrivate
8C:1F:64:00:00:00/28\tBlock\tA Block
B8-27-EB\tRaspberr\tRaspberry Pi Foundation
00:00:18\tWebsterC\tWebster Computer Corporation\t# Appletalk/Ethernet Gateway
02:07:01\tRacalDat\tRacal-Datacom
00:AA:BB\tHostile\t\x1b[31mred\x07
nonsense
/24\tnothing
"""
NMAP = "# $Id$\n00000C Cisco Systems\nB827EB Raspberry Pi (nmap)\n0055DA0 Shinko\n70B3D5123 Thirty-six\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[Path]]:
    (tmp_path / "manuf").write_text(MANUF)
    (tmp_path / "nmap").write_text(NMAP)
    return {
        "wireshark_files": [tmp_path / "missing", tmp_path / "manuf"],
        "nmap_files": [tmp_path / "nmap", tmp_path / "missing"],
    }


@pytest.mark.parametrize(
    ("lladdr", "vendor"),
    [
        ("00:1b:c5:00:01:02", "Converging Systems Inc."),
        ("00:1b:c5:00:5f:ff", "Private"),
        ("00:1b:c5:99:00:00", "IEEE Registration Authority"),
        ("8c:1f:64:0f:ff:ff", "A Block"),
        ("8c:1f:64:10:00:00", ""),
        ("b8:27:eb:12:34:56", "Raspberry Pi Foundation"),
        ("00:00:0c:01:02:03", "Cisco Systems"),
        ("00:55:da:0f:00:00", "Shinko"),
        ("70:b3:d5:12:3a:bc", "Thirty-six"),
        ("70:b3:d5:12:4a:bc", ""),
        ("00:00:18:00:00:01", "Webster Computer Corporation"),
        ("00:aa:bb:00:00:01", "\x1b[31mred\x07"),
        ("02:07:01:00:00:01", ""),
        ("00:00:00:00:00:00", ""),
        ("f0:f0:f0:f0:f0:f0", ""),
        ("", ""),
        ("nothing", ""),
    ],
)
def test_longest_prefix(files: dict[str, list[Path]], lladdr: str, vendor: str) -> None:
    assert VendorTable(**files).lookup(lladdr) == vendor


def test_files_are_read_at_the_first_look_up_and_counted(files: dict[str, list[Path]]) -> None:
    table = VendorTable(**files)
    assert table.counts == {24: 0, 28: 0, 36: 0}
    table.lookup("00:00:0c:01:02:03")
    assert table.counts == {24: 7, 28: 2, 36: 3}


def test_the_users_file_comes_first(files: dict[str, list[Path]], tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("b8.27.eb mine\n00:00:0C:00:00:00/36\tours\n")
    table = VendorTable(own, extra_lines=["B8:27:EB\ttshark\ttshark"], **files)
    assert table.lookup("b8:27:eb:12:34:56") == "mine"
    assert table.lookup("00:00:0c:00:01:02") == "ours"
    assert table.lookup("00:00:0c:01:02:03") == "Cisco Systems"


def test_lines_of_tshark_stand_in_for_its_file(files: dict[str, list[Path]]) -> None:
    lines = [
        "B8:27:EB            \tRaspberryPiF\tRaspberry Pi by tshark",
        "8C:1F:64:F0:00:00/28\tShort\tTwenty-eight",
    ]
    table = VendorTable(extra_lines=iter(lines), wireshark_files=[], nmap_files=files["nmap_files"])
    assert table.lookup("b8:27:eb:12:34:56") == "Raspberry Pi by tshark"
    assert table.lookup("8c:1f:64:f1:00:00") == "Twenty-eight"


def test_without_files_nothing_is_known() -> None:
    table = VendorTable(wireshark_files=[], nmap_files=[])
    assert table.lookup("b8:27:eb:12:34:56") == ""
    assert table.counts == {24: 0, 28: 0, 36: 0}


def test_a_users_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        VendorTable(tmp_path / "absent").lookup("b8:27:eb:12:34:56")


@pytest.mark.skipif(
    not (WIRESHARK_FILES[0].exists() and NMAP_FILES[0].exists()),
    reason="Wireshark's or nmap's file is not installed",
)
def test_this_machines_files_agree_with_a_plain_reading() -> None:
    table = VendorTable()
    wireshark = [
        line.split("\t")
        for line in WIRESHARK_FILES[0].read_text("utf-8", "replace").splitlines()
        if line and not line.startswith("#")
    ]
    for prefix, short, *long in random.Random(7).sample(wireshark, 3000):
        digits = (prefix.partition("/")[0] + ":ff:ff:ff").lower()[:17]
        if digits[1] not in "2367abef":
            found = table.lookup(digits)
            assert found == (long or [short])[0].strip() or len(prefix) == 8
            assert found
    counts = table.counts
    assert counts[24] >= 36_000 and counts[28] >= 5_000 and counts[36] >= 10_000
