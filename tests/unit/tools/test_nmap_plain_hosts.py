"""The short cut for plain hosts against expat: the same host, or none."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netmon_tui.domain.host import Host
from netmon_tui.domain.scan import HostFound
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import nmap_plain_hosts
from netmon_tui.tools.nmap_xml import NmapXmlParser

DATA = Path(__file__).parents[2] / "data" / "nmap"
BLOCKS = [
    block
    for path in sorted(DATA.glob("*.xml"))
    for block in re.findall(rb"<host[ >].*?</host>", path.read_bytes(), re.DOTALL)
]
PLAIN = b"""<host starttime="1700000001" endtime="1700000060">\
<status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="192.0.2.1" addrtype="ipv4"/>
<address addr="02:00:00:00:00:0A" addrtype="mac" vendor="A &amp; B"/>
<hostnames>
<hostname name="gw.example" type="user"/>
</hostnames>
<ports><extraports state="closed" count="996">
<extrareasons reason="reset" count="990" proto="tcp" ports="1-21"/>
</extraports>
<port protocol="tcp" portid="22"><state state="open" reason="syn-ack" reason_ttl="64" reason_ip="192.0.2.1"/>\
<service name="ssh" product="OpenSSH" version="9.2" extrainfo="p 2.0" hostname="gw" ostype="Linux" \
devicetype="router" servicefp="SF-Port22&quot;" tunnel="ssl" method="probed" conf="10">\
<cpe>cpe:/a:openbsd</cpe><cpe>cpe:/o:&lt;x&gt;</cpe></service><script id="a" output="&#xa;  x"><table key="t">
<elem key="k">v &amp; w
</elem>
<elem></elem>
</table>
<elem>loose</elem>
</script><script id="b" output=""/></port>
<port protocol="udp" portid="53"><state state="open|filtered" reason="no-response" reason_ttl="0"/></port>
</ports>
<hostscript><script id="c" output="d"/></hostscript>
<times srtt="500" rttvar="120" to="100000"/>
</host>"""


def by_expat(block: bytes) -> Host | None:
    """The host as expat alone reads it; None when there is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netmon_tui.tools.nmap_xml.read_plain_host", lambda _: None)
        parser = NmapXmlParser()
        try:
            events = parser.feed(b"<nmaprun>" + block + b"</nmaprun>") + parser.close()
            parser.close()
        except InvalidInput:
            return None
    return next((event.host for event in events if isinstance(event, HostFound)), None)


def same_or_none(block: bytes) -> None:
    host = nmap_plain_hosts.read_plain_host(block)
    assert host is None or host == by_expat(block)


def test_a_plain_host_is_read_and_is_what_expat_reads() -> None:
    host = nmap_plain_hosts.read_plain_host(PLAIN)
    assert host is not None and host == by_expat(PLAIN)
    assert host.ports[0].scripts[0].data == {"t": {"k": "v & w\n", "2": ""}, "2": "loose"}
    assert host.ports[0].service is not None and host.ports[0].service.cpe[1] == "cpe:/o:<x>"


@pytest.mark.parametrize("block", BLOCKS)
def test_hosts_of_the_samples_are_the_same(block: bytes) -> None:
    same_or_none(block)


def test_no_fewer_hosts_of_the_samples_are_plain() -> None:
    read = [nmap_plain_hosts.read_plain_host(block) for block in BLOCKS]
    assert sum(host is not None for host in read) >= 7


_PIECES = [
    b"",
    b" ",
    b"\n",
    b"\t",
    b"&",
    b"&amp;",
    b"&#x41;",
    b"&#0;",
    b'"',
    b"<",
    b">",
    b"]]>",
    b"/",
    b"\xc3\xa9",
    b"\x01",
]
_PIECES += [
    b"0",
    b"99999",
    b"-",
    b"<!-- -->",
    b"<![CDATA[x]]>",
    b"<?x?>",
    b"<elem>",
    b"</elem>",
    b"</table>",
    b"\r\n",
]
_PIECES += [
    b"<table>",
    b'<script id="" output="">',
    b"</script>",
    b"</port>\n",
    b"</host>",
    b"open",
    b' a="b"',
    b"\x7f",
]


@given(st.integers(0, len(PLAIN)), st.integers(0, 30), st.sampled_from(_PIECES))
@settings(max_examples=1_500, deadline=None)
def test_a_changed_host_is_the_same_or_not_plain(at: int, cut: int, piece: bytes) -> None:
    same_or_none(PLAIN[:at] + piece + PLAIN[at + cut :])


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_lines_in_another_order_are_the_same_or_not_plain(data: st.DataObject) -> None:
    lines = PLAIN.splitlines(keepends=True)
    taken = data.draw(st.lists(st.integers(1, len(lines) - 2), max_size=len(lines)))
    same_or_none(b"".join([lines[0], *(lines[at] for at in taken), lines[-1]]))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_text_in_a_value_is_the_same_or_not_plain(text: str) -> None:
    value = escape(text, {'"': "&quot;", "\n": "&#xa;"}).encode()
    same_or_none(PLAIN.replace(b"OpenSSH", value).replace(b"loose", value))


def test_long_hosts_are_left_to_expat() -> None:
    assert nmap_plain_hosts.read_plain_host(PLAIN.replace(b"OpenSSH", b"x" * 70_000)) is None


def test_a_time_that_nmap_did_not_keep_is_none() -> None:
    timeless = re.sub(rb'(start|end)time="[0-9]+"', rb'\1time="0"', PLAIN)
    host = nmap_plain_hosts.read_plain_host(timeless)
    assert host is not None and host == by_expat(timeless)
    assert (host.started, host.finished) == (None, None)
