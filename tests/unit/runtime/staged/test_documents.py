"""How the documents of the stages are cut and joined."""

from __future__ import annotations

import gzip
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.runtime.staged.batches import Batch, Batches
from netmon_tui.runtime.staged.elements import Document, Element, Splitter, read_whole
from netmon_tui.runtime.staged.hosts import Spool
from netmon_tui.runtime.staged.joining import closed_port, joined, open_ports, port_list
from netmon_tui.runtime.staged.plan import Plan
from netmon_tui.runtime.staged.result import Result

RECORDED = sorted((Path(__file__).parents[3] / "data" / "nmap").glob("*.xml"))


def canonical(content: bytes | str) -> str:
    return ElementTree.canonicalize(
        content.decode() if isinstance(content, bytes) else content, strip_text=True
    )


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
@given(data=st.data())
def test_a_document_cut_anywhere_gives_its_elements(path: Path, data: st.DataObject) -> None:
    document = path.read_bytes()
    cuts = data.draw(st.lists(st.integers(0, len(document)), max_size=12).map(sorted))
    splitter = Splitter()
    found = [
        element
        for begin, end in zip([0, *cuts], [*cuts, len(document)], strict=True)
        for element in splitter.feed(document[begin:end])
    ]
    root = ElementTree.fromstring(document)
    assert splitter.root == dict(root.attrib)
    assert [element.name for element in found] == [child.tag for child in root]
    assert [canonical(element.content) for element in found] == [
        canonical(ElementTree.tostring(child)) for child in root
    ]


def test_a_document_is_read_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "stage.xml"
    document = Document(path)
    assert list(document.more()) == []
    with path.open("wb") as file:
        file.write(b'<nmaprun scanner="nmap"><scaninfo type="syn"/><host><sta')
        file.flush()
        assert [element.name for element in document.more()] == ["scaninfo"]
        file.write(b'tus state="up"/></host>')
        file.flush()
        assert [element.content for element in document.more()] == [b'<host><status state="up"/></host>']
    assert document.root == {"scanner": "nmap"}


@pytest.mark.parametrize("packed", [False, True])
def test_what_breaks_off_gives_what_is_whole(tmp_path: Path, packed: bool) -> None:
    content = b"<nmaprun><host><status/></host><host><sta"
    path = tmp_path / ("stage.xml.gz" if packed else "stage.xml")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert [element.name for element in read_whole(path, lambda root: None)] == ["host"]


@given(st.sets(st.tuples(st.sampled_from(["tcp", "udp"]), st.integers(0, 65_535)), min_size=1, max_size=60))
def test_ports_are_written_as_nmap_reads_them(ports: set[tuple[str, int]]) -> None:
    read, protocol = set(), ""
    for part in port_list(ports).split(","):
        if part[1:2] == ":":
            protocol, part = {"T": "tcp", "U": "udp"}[part[0]], part[2:]
        low, _, high = part.partition("-")
        read |= {(protocol, number) for number in range(int(low), int(high or low) + 1)}
    assert read == ports


SCANNED = """<host starttime="2"><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/>
<ports><extraports state="closed" count="3"/>
<port protocol="tcp" portid="22"><state state="open"/><service name="ssh" method="table"/></port>
<port protocol="tcp" portid="25"><state state="filtered"/></port></ports><times srtt="1"/></host>"""
DISCOVERED = """<host starttime="1"><status state="up" reason="echo-reply"/>
<address addr="192.0.2.1" addrtype="ipv4"/><hostnames><hostname name="gw" type="PTR"/></hostnames></host>"""
DETECTED = """<host endtime="9"><status state="up" reason="user-set"/><address addr="192.0.2.1" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="22"><state state="open"/>
<service name="ssh" product="OpenSSH" method="probed"/></port>
<port protocol="tcp" portid="25"><state state="open"/></port>
<port protocol="tcp" portid="80"><state state="closed"/></port>
</ports><os><osmatch name="Linux"/></os><hostscript><script id="x"/></hostscript></host>"""


def test_one_host_out_of_three_stages() -> None:
    stages = [ElementTree.fromstring(text) for text in (SCANNED, DISCOVERED, DETECTED)]
    host = ElementTree.fromstring(joined(*stages))
    assert (host.get("starttime"), host.get("endtime")) == ("1", "9")
    assert [child.tag for child in host] == [
        "status",
        "address",
        "ports",
        "hostnames",
        "os",
        "hostscript",
        "times",
    ]
    assert host.find("status").get("reason") == "echo-reply"  # type: ignore[union-attr]
    states = {p.get("portid"): p.find("state").get("state") for p in host.iter("port")}  # type: ignore[union-attr]
    assert states == {"22": "open", "25": "filtered"}  # of others than open ports the detection says nothing
    assert host.find("ports/port/service").get("product") == "OpenSSH"  # type: ignore[union-attr]
    assert host.find("ports/extraports") is not None


def test_a_port_that_is_closed_when_it_is_asked_stays_as_it_was_found() -> None:
    detected = DETECTED.replace('portid="22"><state state="open"/>', 'portid="22"><state state="closed"/>')
    host = ElementTree.fromstring(
        joined(ElementTree.fromstring(SCANNED), None, ElementTree.fromstring(detected))
    )
    assert open_ports(host) == [("tcp", 22)]


@pytest.mark.parametrize(
    ("state", "asked", "closed"),
    [
        ("closed", "22,25,80-81", 80),
        ("filtered", "22,25,80-81", 0),
        ("closed", "22,25", 0),
        ("closed", "", 0),
    ],
)
def test_a_closed_port_is_one_that_was_asked_for(state: str, asked: str, closed: int) -> None:
    host = ElementTree.fromstring(SCANNED.replace('extraports state="closed"', f'extraports state="{state}"'))
    assert closed_port(host, asked) == closed


def plan(**changes: object) -> Plan:
    values: dict[str, object] = dict.fromkeys(Plan._fields, ())
    values |= {"addresses": 4, "every_host": False, "closed_port": False}
    return Plan(**(values | {"parallel": 4, "batch": 64, "slow_micros": 1} | changes))  # type: ignore[arg-type]


def batches(folder: Path, **changes: object) -> Batches:
    scanned = Spool(folder)
    for number in range(1, 5):
        scanned.keep(f"192.0.2.{number}", SCANNED.replace("192.0.2.1", f"192.0.2.{number}").encode())
    scanned.keep("192.0.2.9", SCANNED.replace('state="open"', 'state="closed"').encode())
    return Batches(plan(**changes), Spool(folder), scanned, list(scanned), parallel=2)


def test_hosts_without_open_ports_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    assert batches(tmp_path).total == 4
    assert batches(tmp_path, every_host=True).total == 5


def test_hosts_are_shared_among_the_nmaps(tmp_path: Path) -> None:
    assert [len(batch.hosts) for batch in batches(tmp_path).waiting] == [2, 2]
    assert [len(batch.hosts) for batch in batches(tmp_path, batch=1).waiting] == [1, 1, 1, 1]


def test_a_batch_gets_its_open_ports_and_a_closed_one_where_that_helps(tmp_path: Path) -> None:
    one = Batch(["192.0.2.1"])
    assert batches(tmp_path).ports(one, {"tcp": "22,25,80"}) == "T:22"
    assert batches(tmp_path, closed_port=True).ports(one, {"tcp": "22,25,80"}) == "T:22,80"


def test_a_batch_is_tried_twice(tmp_path: Path) -> None:
    waiting = batches(tmp_path)
    waiting.give_back(["192.0.2.1"], 2)
    assert waiting.waiting[-1] == Batch(["192.0.2.1"], 2)
    waiting.give_back(["192.0.2.1"], 3)
    assert waiting.lost == ["192.0.2.1"]


def test_what_a_script_says_of_the_whole_scan_stands_once(tmp_path: Path) -> None:
    result = Result(tmp_path / "scan.xml", "nmap")
    said = b'<postscript><script id="ssh-hostkey" output="same key"/></postscript>'
    other = b'<postscript><script id="ssh-hostkey" output="other key"/></postscript>'
    for content in (said, other, said):
        result.copy(Element("postscript", content))
    result.break_off()
    assert (tmp_path / "scan.xml").read_bytes().splitlines() == [said, other]
