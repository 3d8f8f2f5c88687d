"""Some hosts of an nmap document: the rest stays byte for byte, whatever the pieces are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from netmon_tui.domain.scan import HostFound
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_xml import NmapXmlParser
from netmon_tui.tools.nmap_xml_selection import keep_hosts

DATA = Path(__file__).parents[2] / "data" / "nmap"
SAMPLES = sorted([*DATA.glob("*.xml"), *DATA.glob("greppable/*.xml")])
HOST = re.compile(rb"<host[ >].*?</host>\n?", re.DOTALL)
HINT = re.compile(rb"<hosthint.*?</hosthint>\n?", re.DOTALL)


def kept(document: bytes, chosen: set[int], size: int = 1 << 20) -> bytes:
    pieces = (document[at : at + size] for at in range(0, len(document), size))
    return b"".join(keep_hosts(pieces, chosen))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_all_hosts_are_the_document(path: Path) -> None:
    document = path.read_bytes()
    assert kept(document, set(range(1_000))) == HINT.sub(b"", document)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_no_host_leaves_the_rest(path: Path) -> None:
    document = path.read_bytes()
    assert kept(document, set()) == HINT.sub(b"", HOST.sub(b"", document))


MANY = (
    b'<?xml version="1.0"?>\n<!-- <host> --><nmaprun scanner="nmap" args="a &lt;host>" start="1">\n'
    + b"".join(
        b'<host><status state="up" reason="x" reason_ttl="0"/><address addr="192.0.2.%d" addrtype="ipv4"/>'
        b'<hostscript><script id="s" output="&lt;/host>"/></hostscript><!-- </host> -->\n</host>\n' % number
        for number in range(9)
    )
    + b'<host/>\n<runstats><finished time="1" exit="success"/><hosts up="9" down="0" total="9"/></runstats>\n'
    b"</nmaprun>\n"
)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_pieces_of_any_size(size: int) -> None:
    document = kept(MANY, {2, 5, 8}, size)
    assert [one.get("addr") for one in ET.fromstring(document).iter("address")] == [
        "192.0.2.2",
        "192.0.2.5",
        "192.0.2.8",
    ]
    assert document == kept(MANY, {2, 5, 8})
    assert b"<host/>" in kept(MANY, {9}, size)


def test_positions_are_those_of_the_parser() -> None:
    parser = NmapXmlParser()
    for event in parser.feed(MANY):
        if isinstance(event, HostFound):
            assert event.host.address.encode() in kept(MANY, {event.ordinal})


@pytest.mark.parametrize("document", [b"<a><host></a>", "<nmaprun/>".encode("utf-16"), b"no"])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidInput):
        kept(document, {0})
