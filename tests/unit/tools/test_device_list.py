"""Lists of devices that people keep elsewhere, well made and not."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netmon_tui.domain.address import normalise_lladdr
from netmon_tui.domain.device import MarksChange
from netmon_tui.domain.device_list import BadEntry, ListedDevice
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import device_list
from netmon_tui.tools.device_list import LARGEST_LIST, read_devices

PRINTER = "b8:27:eb:12:34:56"


def said(text: str | bytes) -> list[tuple[int, str, MarksChange] | BadEntry]:
    data = text if isinstance(text, bytes) else text.encode()
    return [e if isinstance(e, BadEntry) else tuple(e) for e in read_devices(data).entries]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("lladdr,name,known\nB8-27-EB-12-34-56,hall,yes\n", MarksChange("hall", known=True)),
        ("known;name;mac\r\nno;hall;b827.eb12.3456\r\n", MarksChange("hall", known=False)),
        ("\ufeffMAC address\tIP\tHostname\tDescription\n8:0:20:1:2:3\t10.0.0.1\thall\tby the door\n", None),
        ('"hwaddr","description"\n"b827eb123456","a; b, ""c"""\n', MarksChange('a; b, "c"')),
        ("mac,hostname,approved,cluster\nb8:27:eb:12:34:56,,x,\n", MarksChange(known=True)),
        ("sep=;\r\nHostname;MAC\r\nhall;b8:27:eb:12:34:56\r\n", MarksChange("hall")),
        ("mac|name\n\n# of ada\nb8:27:eb:12:34:56|hall\n", MarksChange("hall")),
        (
            "devMac,devName,devOwner,devComments,devIsNew,devAlertDown\nb8:27:eb:12:34:56,(unknown),x,rack 2,0,1\n",
            MarksChange(note="rack 2", known=True, must_be_up=True),
        ),
        (
            "dev_MAC,dev_Name,dev_Comments,dev_NewDevice,dev_AlertDeviceDown\nb8:27:eb:12:34:56,nas,,1,0\n",
            MarksChange("nas", known=False, must_be_up=False),
        ),
    ],
    ids=[
        "own",
        "semicolons",
        "tabs",
        "quotes",
        "empty cells",
        "Excel",
        "bars",
        "NetAlertX",
        "older NetAlertX",
    ],
)
def test_csv_of_many_kinds(text: str, change: MarksChange | None) -> None:
    ((_, lladdr, found),) = said(text)
    if change is None:
        assert (lladdr, found) == ("08:00:20:01:02:03", MarksChange("hall", "by the door"))
    else:
        assert (lladdr, found) == (PRINTER, change)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings(encoding: str) -> None:
    ((_, _, change),) = said("mac,name\nb8:27:eb:12:34:56,Küche\n".encode(encoding))
    assert change.name == "Küche"


def test_lines_are_counted_as_an_editor_does() -> None:
    text = 'mac,name,known\n\nbogus,x,\nb8:27:eb:12:34:56,"two\nlines",\nb8:27:eb:12:34:57,y,perhaps\n,z,\n'
    first, printer, perhaps, empty = said(text)
    assert (first, printer[0], perhaps, empty) == (
        BadEntry(3, "'bogus' is no lladdr"),
        4,
        BadEntry(6, "'perhaps' is neither yes nor no"),
        BadEntry(7, "it has no lladdr"),
    )


def test_ethers_and_arp_dat() -> None:
    ethers = "# the office\n8:0:20:1:2:3  sun\nb8:27:eb:12:34:56 10.0.0.7 # by address\nzz sun\n"
    assert said(ethers) == [
        (2, "08:00:20:01:02:03", MarksChange("sun")),
        (3, PRINTER, MarksChange()),
        BadEntry(4, "'zz' is no lladdr"),
    ]
    arp = f"{PRINTER}\t10.0.0.1\t1700000000\tnew\teth0\n{PRINTER}\t10.0.0.2\t1600000000\told\teth0\n"
    assert said(arp) == [(1, PRINTER, MarksChange("new"))], "the latest line of a device counts"


def test_json_says_what_is_to_be_empty() -> None:
    document = [{"lladdr": PRINTER, "name": "", "known": None, "must_be_up": True}, 7, {"name": "x"}]
    assert said(json.dumps(document)) == [
        (1, PRINTER, MarksChange("", must_be_up=True)),
        BadEntry(2, "it is no object"),
        BadEntry(3, "it has no lladdr"),
    ]
    assert said(json.dumps({"devices": document[:1]}))[0][1] == PRINTER
    assert read_devices(b"[]").unit == "entry"


@pytest.mark.parametrize(
    "data",
    [b"", b"\n\n", b"name,note\nx,y\n", b"\x00\xff\x00", b"{", b'{"a": 1}', b"[" * 100_000, b"[1" + b"0" * 9_999],
    ids=["empty", "blank", "no lladdr", "binary", "broken", "no list", "deep", "long number"],
)  # fmt: skip
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(read_devices(data).entries)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="too large"):
        read_devices(bytes(LARGEST_LIST + 1))
    monkeypatch.setattr(device_list, "MOST_ENTRIES", 3)
    three = "mac,name\n" + f"{PRINTER},x\n" * 3
    assert len(said(three)) == 3
    with pytest.raises(InvalidInput, match="too long"):
        said(three + "bogus,x\n")


def test_a_cell_without_an_end_loses_nothing_in_silence() -> None:
    endless = '"' + "x" * 200_000 + "\n"
    found = said(f"mac,name\n{PRINTER},{endless}b8:27:eb:12:34:57,next\n")
    assert isinstance(found[0], BadEntry)
    assert "field larger than field limit" in found[0].why


cell = st.text(max_size=20) | st.sampled_from([PRINTER, "yes", "0", '"', "'=1", ";", "\r"])


@given(st.lists(st.lists(cell, max_size=4), max_size=5), st.sampled_from(",;\t|"))
@example([[PRINTER, '"']], ",")
def test_any_cells_are_taken_or_told(rows: list[list[str]], delimiter: str) -> None:
    text = delimiter.join(("mac", "name", "known")) + "\n" + "\n".join(delimiter.join(row) for row in rows)
    for entry in read_devices(text.encode("utf-8", "surrogatepass")).entries:
        assert entry.number > 1
        if isinstance(entry, ListedDevice):
            assert normalise_lladdr(entry.lladdr) == entry.lladdr
        else:
            assert entry.why


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        list(read_devices(data).entries)
    except InvalidInput as error:
        assert error.why or error.fix


scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just(PRINTER)


@given(
    st.lists(st.dictionaries(st.sampled_from(["mac", "name", "known", "note"]), scalar | st.lists(scalar)))
)
def test_any_json_is_taken_or_told(document: list[dict[str, object]]) -> None:
    assert len(said(json.dumps(document))) == len(document)
