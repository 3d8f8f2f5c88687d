"""Reports for people and JSON lines: what they say, and that no host can say it in its own markup."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from netmon_tui.domain.host import (
    ExtraPorts,
    Hop,
    Host,
    HostAddress,
    HostLine,
    OsMatch,
    Port,
    Script,
    Service,
)
from netmon_tui.domain.host_documents import host_document
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.security.hostile_text import clean, clean_block
from netmon_tui.tools.scan_report_facts import TextGates
from netmon_tui.tools.scan_report_html import scan_to_html
from netmon_tui.tools.scan_report_json import scan_to_json, scan_to_json_lines
from netmon_tui.tools.scan_report_markdown import scan_to_markdown

GATES = TextGates(clean, clean_block)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCAN = Scan(
    7, "office", ("192.0.2.0/24",), "", "-sV", ("nmap", "-sV", "192.0.2.0/24"), JobState.COMPLETED, 1, "ada",
    NOON, NOON, NOON, hosts_up=1, hosts_down=1, ports_open=1, warnings=("slow",),
)  # fmt: skip


def host_saying(text: str) -> Host:
    """A host that says the same wherever a host can say something."""
    service = Service(text, text, text, text, text, "probed", 10, (text,))
    return Host(
        "192.0.2.1",
        "up",
        text,
        addresses=(HostAddress("192.0.2.1", "ipv4"), HostAddress("02:00:00:00:00:01", "mac", text)),
        hostnames=((text, "PTR"),),
        ports=(Port(80, "tcp", "open", text, 64, service, (Script("http-title", text),)),),
        extraports=(ExtraPorts("closed", 999, ((text, 999),)),),
        scripts=(Script(text, text),),
        os=(OsMatch(text, 96, (text,)),),
        hops=(Hop(1, "192.0.2.254", text, 0.25),),
        distance=1,
        uptime=60,
    )


def line_of(host: Host) -> HostLine:
    name = host.hostnames[0][0] if host.hostnames else ""
    system = host.os[0].name if host.os else ""
    return HostLine(0, host.address, host.status, name, host.lladdr, host.vendor, system, 1, False, False)


Report = Callable[..., Iterator[str]]


def report(writer: Report, *hosts: Host, scan: Scan = SCAN, chosen: int | None = None) -> str:
    return "".join(writer(scan, map(line_of, hosts), hosts, GATES, chosen))


# --- HTML ---


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and the text in each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.ends: list[str] = []
        self.others: list[str] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def shape(text: str) -> tuple[object, ...]:
    scan = replace(SCAN, name=text, targets=(text,), warnings=(text,), error=text)
    page = Page(report(scan_to_html, host_saying(text), scan=scan))
    return page.tags, page.ends, page.others, page.open


HOSTILE = [
    "</pre><script>alert(1)</script>", "</td></tr></table>", '"><img src=x onerror=alert(1)>', "<!-- ", "]]>",
    "a|b", "`x`", "``` \n```\n# title", "\\", "\\|", "a\\`b|c", "|||", "```", "[x](javascript:alert(1))",
    "www.example.com http://example.com a@example.com", "<b>&amp;&lt;</b>", "&#60;b&#62;", "***bold***",
    "\n\n# head\n\n- item\n", "![x](http://example.com/x.png)", "~~~\nx", "| --- |", "=cmd|'/c calc'!A1",
    "\x1b[2J\x9b31m", "\u202egnp.exe", "\u2028<p>", "<a href='x'>", "{{x}}", "$x$", ":smile:", "\r\n<p>", " ` ",
]  # fmt: skip
ANY_TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.text(alphabet="|`\\<>&\"'#*_-~[]()!:/.w \n\ra1", max_size=30),
)


@given(ANY_TEXT.filter(lambda text: clean(text).strip() != ""))
def test_no_host_adds_an_element_to_the_page(text: str) -> None:
    assert shape(text) == shape("plain")


@pytest.mark.parametrize("text", HOSTILE)
def test_the_page_shows_what_the_gate_lets_through(text: str) -> None:
    texts = Page(report(scan_to_html, host_saying(text))).texts
    assert "".join(texts["pre"]).count(clean_block(text.strip("\r\n"))) >= 2
    assert clean(text) in texts["td"]
    page = report(scan_to_html, host_saying(text))
    assert all(character.isprintable() or character == "\n" for character in page)


def test_the_page_fetches_and_runs_nothing() -> None:
    page = Page(report(scan_to_html, host_saying("http://example.com/x.png")))
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "svg"}
    attributes = [(name, value or "") for _, found in page.tags for name, value in found]
    assert all(value.startswith("#") for name, value in attributes if name in ("href", "src"))
    assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]
    style = "".join(page.texts["style"])
    assert "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style and "@media print" in style


def test_the_table_of_hosts_leads_to_those_that_are_up() -> None:
    hosts = (Host("192.0.2.1", "up"), Host("192.0.2.2", "down"), Host("fe80::1%eth0", "up"))
    tags = Page(report(scan_to_html, *hosts)).tags
    links = [dict(found)["href"] for tag, found in tags if tag == "a" and dict(found)["href"] != "#top"]
    assert links == [f"#{dict(found)['id']}" for tag, found in tags if tag == "section"]
    assert len(links) == 2


def test_the_page_says_what_is_known() -> None:
    texts = Page(report(scan_to_html, host_saying("seen"), chosen=1)).texts
    facts = dict(zip(texts["dt"], [text for text in texts["dd"] if text.strip()], strict=True))
    assert facts["Command"] == "nmap -sV 192.0.2.0/24"
    assert (facts["Hosts"], facts["Open ports"], facts["Selection"]) == ("1 up, 1 down", "1", "1 host")
    assert (facts["System"], facts["Uptime"]) == ("seen (96 %) seen", "about 60 s")
    assert {"80/tcp", "open", "seen/seen", "192.0.2.254", "0.25 ms"} <= set(texts["td"])
    assert "80/tcp http-title" in texts["h3"]


# --- Markdown ---

READERS = (MarkdownIt("commonmark").enable("table"), MarkdownIt("gfm-like"))
"""Without and with links made of what only looks like one."""


def blocks(document: str, reader: MarkdownIt) -> list[tuple[str, str, tuple[str, ...]]]:
    """Types of all tokens, with those inside lines; spans of code and characters count as text."""
    found = []
    for token in reader.parse(document):
        inside = sorted(
            {child.type for child in token.children or ()} - {"text", "code_inline", "text_special"}
        )
        found.append((token.type, token.tag, tuple(inside)))
    return found


def markdown_saying(text: str) -> str:
    scan = replace(SCAN, name=text, targets=(text,), warnings=(text,), error=text)
    return report(scan_to_markdown, host_saying(text), scan=scan)


@given(ANY_TEXT.filter(lambda text: clean(text).strip() != ""))
def test_no_host_adds_markdown(text: str) -> None:
    for reader in READERS:
        assert blocks(markdown_saying(text), reader) == blocks(markdown_saying("plain"), reader)


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_what_the_gate_lets_through(text: str) -> None:
    tokens = READERS[1].parse(markdown_saying(text))
    lines = ["".join(child.content for child in token.children or ()) for token in tokens]
    assert clean(text) in lines
    fences = [token.content for token in tokens if token.type == "fence"]
    assert fences == [clean_block(text.strip("\r\n")) + "\n"] * 2


def test_markdown_says_what_is_known() -> None:
    document = report(scan_to_markdown, host_saying("seen"), Host("192.0.2.2", "down"), chosen=2)
    lines = document.splitlines()
    assert lines[0] == "# Scan 7"
    assert "- Command: `nmap -sV 192.0.2.0/24`" in lines
    assert "- Selection: `2 hosts`" in lines
    assert "| `192.0.2.2` |  | `down` |  |  |  | `1` |" in lines
    assert "| `80/tcp` | `open` | `seen` | `seen/seen` | `seen` | `seen` | `seen seen` |" in lines
    assert [line for line in lines if line.startswith("## ")] == ["## Hosts", "## `192.0.2.1`"]


# --- JSON ---


def test_json_lines_are_hosts_of_a_scan() -> None:
    hosts = [host_saying(text) for text in HOSTILE]
    lines = list(scan_to_json_lines(SCAN, hosts))
    assert all(line.count("\n") == 1 and line.isascii() for line in lines)
    assert [json.loads(line) for line in lines] == [
        {"scan": 7, **json.loads(json.dumps(host_document(host)))} for host in hosts
    ]


def test_json_without_hosts_is_whole() -> None:
    assert json.loads("".join(scan_to_json(SCAN, [])))["hosts"] == []


@pytest.mark.parametrize("writer", [scan_to_html, scan_to_markdown])
def test_hosts_are_taken_one_at_a_time(writer: Report) -> None:
    taken: list[int] = []

    def hosts() -> Iterator[Host]:
        for number in range(3):
            taken.append(number)
            yield Host(f"198.51.100.{number}", "up")

    parts = writer(SCAN, iter(()), hosts(), GATES, None)
    next(part for part in parts if "198.51.100.0" in part)
    assert taken == [0]
