"""What is wrong is refused with a reason; nothing is started, written or lost."""

from __future__ import annotations

import gzip
import os
import pty
import re
import socket
import sqlite3
import struct
import subprocess
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.program import PROGRAM, Answer, Site
from tests.lab.hosts import HOSTILE_TEXTS
from tests.lab.network import ROOT

Program = Callable[..., Answer]
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
FULL = (ROOT / "tests/data/nmap/full.xml").read_bytes()
MEGABYTES = 10_000_000

REFUSED_OPTIONS = [
    "-oN x", "-oX x", "-oG x", "-oA x", "-oS x", "-oNx", "-iL x", "-iLx", "-iR 5", "--script x", "--script=./x",
    "--script /tmp/x.nse", "--script +x", "--script 'not x'", "--script-args-file x", "--script-updatedb",
    "--datadir .", "--servicedb x", "--versiondb x", "--resume x", "--stylesheet x", "--append-output",
    "--excludefile x", "--interactive", "--privileged", "-", "--", "x", "10.0.0.1", "-p 22;id", "-p $(id)",
    "-p 22|id", "-p 22`id`", "-p 22\n-oN x", "-p\n22 -oN x", "-p 22\0", "-p 22 'open", "-p 99999", "-T9",
    "-sS -oN x", "-e ../lo", "--reso x", "-F-oNx", "\x1b[2J", "-p 22\udcff", "-p " + "1," * (MEGABYTES // 2),
]  # fmt: skip
REFUSED_TARGETS = [
    "-oN", "-iL", "--resume", "-", "--script=x", "", " ", "127.0.0.1 -oN x", "127.0.0.1\n-oN", "127.0.0.1\0",
    "127.0.0.1\udcff", ";id", "$(id)", "`id`", "|id", "a&b", "'", "~root", "../x", "/etc/passwd", "*", "@x",
    "http://127.0.0.1/", "0177.0.0.1", "127.1", "0x7f000001", "2130706433", "10.0.0.0/8", "::/64", "10.0.0.300",
    "10.0.0.9-1", "fe80::1%lo;id", "\x1b]0;x\x07", "-oN/x", "a" * 300 + ".test", "A" * MEGABYTES,
]  # fmt: skip
REFUSED_FILTERS = [
    "tcp; id", "-w x", "-w", "tcp\0", "tcp and", "(((((", "port 99999", "portt 5", "\x1b[2J", "tcp \udcff",
    "a" * MEGABYTES, "`id`",
]  # fmt: skip
REFUSED_INTERFACES = [
    "nosuch0", "-w", "--", "1", "../lo", "lo;id", "TCP@1.2.3.4:9", "rpcap://x", "x" * 16, "", "lo\0", "lo\n",
    "\x1b[2J", "lo\udcff", "x" * MEGABYTES,
]  # fmt: skip


def is_quiet(text: str) -> bool:
    """Whether nothing in it can rule a terminal or lie about the order of letters."""
    return not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def counts(data: Path) -> dict[str, int]:
    """How many rows there are of everything that a scan or a capture consists of."""
    tables = ("scans", "hosts", "addresses", "ports", "scripts", "jobs", "captures", "capture_files")
    with sqlite3.connect(data / "netmon.db") as connection:
        return {table: connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}


def assert_refused(answer: Answer, data: Path, code: int = 2) -> None:
    """It said why in a line or two, and did nothing."""
    assert answer.code == code, answer.err[:2000]
    assert answer.out == ""
    assert answer.err.strip()
    assert is_quiet(answer.err), ascii(answer.err[:2000])
    assert len(answer.err) < 2500
    assert set(counts(data).values()) == {0}
    assert list((data / "jobs").glob("*")) == []
    assert {entry.name for entry in data.parent.iterdir()} == {"data"}


@pytest.mark.parametrize("options", REFUSED_OPTIONS, ids=lambda text: ascii(text[:20]))
def test_options_that_are_refused(program: Program, data: Path, options: str) -> None:
    assert_refused(program("scan", "run", f"--args={options}", "--", "127.0.0.1"), data)


@pytest.mark.parametrize("target", REFUSED_TARGETS, ids=lambda text: ascii(text[:20]))
def test_targets_that_are_refused(program: Program, data: Path, target: str) -> None:
    assert_refused(program("scan", "run", "--args=-sT -p 9", "--", target), data)
    assert_refused(program("scan", "run", "--args=-sT -p 9", "--dry-run", "--", target), data)


@pytest.mark.lab
@ROOT_ONLY
@pytest.mark.parametrize("text", REFUSED_FILTERS, ids=lambda text: ascii(text[:20]))
def test_filters_that_are_refused(program: Program, data: Path, text: str) -> None:
    assert_refused(program("capture", "run", "lo", f"--filter={text}"), data)


@pytest.mark.lab
@ROOT_ONLY
def test_a_filter_that_takes_too_long(program: Program, data: Path) -> None:
    before = os.times()
    answer = program("capture", "run", "lo", "--filter", " or ".join(f"port {n}" for n in range(1, 401)))
    assert_refused(answer, data)
    assert "long" in answer.err
    assert os.times().children_user - before.children_user < 5, "its own bound is 3 s of processor time"


@pytest.mark.lab
@ROOT_ONLY
@pytest.mark.parametrize("name", REFUSED_INTERFACES, ids=lambda text: ascii(text[:20]))
def test_interfaces_that_are_refused(program: Program, data: Path, name: str) -> None:
    assert_refused(program("capture", "run", "--", name), data)


@pytest.mark.parametrize(
    "limits", [["--packets=-1"], ["--size=x"], ["--duration=0"], ["--snaplen=0"]], ids=str
)
def test_limits_that_are_refused(program: Program, data: Path, limits: list[str]) -> None:
    assert_refused(program("capture", "run", "lo", *limits), data)


# --- documents ---


def document(
    *hosts: str, head: str = "", tail: str = '<runstats><finished time="1" exit="success"/></runstats>'
) -> str:
    """An nmap document of these host elements."""
    begin = f'<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap" {head}>\n'
    return f"{begin}{''.join(hosts)}{tail}</nmaprun>"


def host(address: str = "192.0.2.1", kind: str = "ipv4", inside: str = "") -> str:
    """A host element."""
    return f'<host><status state="up"/><address addr="{address}" addrtype="{kind}"/>{inside}</host>\n'


def ports(product: str) -> str:
    """A ports element with one service of this product."""
    service = f'<service name="http" product="{product}"/>'
    return f'<ports><port protocol="tcp" portid="80"><state state="open"/>{service}</port></ports>'


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><nmaprun scanner="&c;">' + host() + "</nmaprun>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a SYSTEM "file:///etc/passwd">]><nmaprun scanner="nmap">'
    + host(inside=ports("&a;"))
    + "</nmaprun>"
)
FOREIGN_DOCUMENTS = {
    "empty": b"",
    "blank": b"  \n" * 100,
    "text": b"Starting Nmap 7.93 ...",
    "zeros": bytes(5000),
    "html": b"<html><body>nmaprun</body></html>",
    "other root": b"<?xml version='1.0'?><nmaprunner></nmaprunner>",
    "other root after comment": b"<!-- <nmaprun> --><scan/>",
    "no hosts, cut in a tag": b"<nmaprun scanner=",
    "laughs": LAUGHS.encode(),
    "external entity": OUTSIDE.encode(),
    "external DTD": b'<!DOCTYPE nmaprun SYSTEM "http://192.0.2.1/x.dtd"><nmaprun><host></nmaprun>',
    "UTF-16": document(host()).encode("utf-16"),
    "deep": b"<nmaprun>" + b"<a>" * 100_000,
    "long attribute": document(head=f'args="{"A" * 20_000_000}"').encode(),
    "long tag without end": b"<nmaprun args='" + b"A" * 20_000_000,
    "damaged gzip": gzip.compress(FULL)[:-100],
    "gzip of nothing": gzip.compress(b""),
    "gzip's first bytes": b"\x1f\x8b",
}


@pytest.mark.parametrize("name", FOREIGN_DOCUMENTS)
def test_documents_that_are_refused(
    program: Program, data: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = tmp_path_factory.mktemp("import") / "scan.xml"
    path.write_bytes(FOREIGN_DOCUMENTS[name])
    began = time.process_time()
    answer = program("scan", "import", path)
    assert time.process_time() - began < 10
    assert "root:" not in answer.err
    assert_refused(answer, data)


@pytest.mark.parametrize(("kind", "code"), [("directory", 2), ("fifo", 2), ("missing", 1), ("socket", 2)])
def test_files_that_are_none(
    program: Program, data: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, code: int
) -> None:
    path = tmp_path_factory.mktemp("import") / "scan.xml"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    answer = program("scan", "import", path, "--json")
    assert (answer.code, answer.out) == (code, "[]\n")
    assert set(counts(data).values()) == {0}


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_document_cut_anywhere(
    program: Program, data: Path, tmp_path_factory: pytest.TempPathFactory, tenths: int
) -> None:
    path = tmp_path_factory.mktemp("import") / "scan.xml"
    path.write_bytes(FULL[: len(FULL) * tenths // 10])
    answer = program("scan", "import", path, "--json")
    whole = re.findall(
        rb'<host[ >](?:(?!</host>).)*?state="up".*?addr="(.*?)".*?</host>', path.read_bytes(), re.S
    )
    if answer.code == 2:
        assert not whole
        assert set(counts(data).values()) == {0}
        return
    scan = answer.document[0]
    assert (answer.code, scan["state"]) == (0, "interrupted")
    assert scan["error"]
    hosts = program("scan", "show", "1", "--json").document["hosts"]
    assert [one["address"] for one in hosts if not one["partial"]] == [address.decode() for address in whole]
    exported = program("scan", "export", "1", "--format", "xml")
    assert exported.out.rstrip().endswith("</nmaprun>")


def test_times_and_numbers_out_of_the_world(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "huge.xml"
    inside = '<uptime seconds="999999999999999"/><distance value="255"/>'
    one = host(inside=inside).replace(
        "<host>", '<host starttime="999999999999999" endtime="999999999999999">'
    )
    tail = (
        '<finished time="999999999999999" elapsed="1" exit="success"/><hosts up="999999999999999" total="1"/>'
    )
    tail = f"<runstats>{tail}</runstats>"
    path.write_text(document(one, head='start="999999999999999"', tail=tail))
    assert program("scan", "import", path, "--json").code == 0
    assert program("scan", "show", "1").code == 0
    assert program("scan", "list").code == 0
    assert program("scan", "export", "1", "--format", "json").code == 0


@pytest.mark.parametrize("encoding", ["iso-8859-1", "us-ascii", "windows-1252", "x-unknown", "none"])
def test_other_encodings(program: Program, data: Path, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "scan.xml"
    text = document(host(inside=ports("caf\u00e9")), host("192.0.2.2"))
    if encoding != "none":
        text = text.replace('version="1.0"', f'version="1.0" encoding="{encoding}"')
    path.write_bytes(text.encode("latin-1"))
    answer = program("scan", "import", path, "--json")
    if answer.code == 0:
        hosts = program("scan", "show", "1", "--json").document["hosts"]
        found = [p["service"]["product"] for h in hosts for p in h["ports"]]
        assert found == ["caf\u00e9"]
    else:
        assert answer.code == 2
        assert set(counts(data).values()) == {0}
        assert list((data / "jobs").glob("*")) == []


def test_addresses_that_are_options(program: Program, data: Path, tmp_path: Path) -> None:
    names = ("-oN/x", "--script=x", "-iL", "192.0.2.1 -oN x", "$(id)", "192.0.2.9")
    path = tmp_path / "scan.xml"
    refused = host(
        inside='<ports><port protocol="tcp" portid="99999999999"><state state="open"/></port></ports>'
    )
    path.write_text(document(*map(host, names), refused, host("-oN/x", "ipv6"), host("fe80::1%-oN", "ipv6")))
    scan = program("scan", "import", path, "--json").document[0]
    assert len(scan["warnings"]) >= len(names)
    stored = [one["address"] for one in program("scan", "show", "1", "--json").document["hosts"]]
    assert "192.0.2.9" in stored
    assert set(stored) <= {"192.0.2.9", "fe80::1%-oN"}
    for address in stored:
        answer = program("scan", "run", "--dry-run", "--json", "--", address)
        assert answer.code in (0, 2)
        if answer.code == 0:
            command = answer.document["command"]
            assert [word for word in command[command.index("--") + 1 :] if word.startswith("-")] == []
    assert not (tmp_path / "x").exists()


# --- hostile text ---

FORMULAS = ("=cmd|'/c calc'!A1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\uff1d1+1")
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def hostile(program: Program, tmp_path: Path) -> Program:
    """A program with a scan whose every text means harm."""
    kept = [text for text in HOSTILE_TEXTS if not re.search("[\x00-\x1f]", text)]
    quoted = [
        text.replace("&", "&amp;").replace("'", "&apos;").replace("<", "&lt;").replace("\t", "&#9;")
        for text in (*kept, "\u2028line", "e" + "\u0301" * 300, "A" * 1_000_000, "&#10;next", *FORMULAS)
    ]
    hosts = [
        host(
            f"192.0.2.{number}",
            inside=f'<hostnames><hostname name="{text}" type="PTR"/></hostnames>'
            + ports(text).replace(
                "</port>", f'<script id="{text[:50]}" output="{text[:50]}&#10;{text[:50]}"/></port>'
            ),
        )
        for number, text in enumerate(quoted, 1)
    ]
    path = tmp_path / "\x1b]0;owned\x07[@click=app.quit]\u202e\udcff\nx.xml"
    path.write_text(document(*hosts, head=f'args="{kept[0]}"'), "utf-8")
    answer = program("scan", "import", path)
    assert answer.code == 0, answer.err
    assert is_quiet(answer.out + answer.err)
    return program


TABLES = ["scan list", "scan show 1", "job list", "audit list", "scan import /nonexistent/\x1b[2J\u202e"]


@pytest.mark.parametrize("command", TABLES)
def test_tables_are_quiet(hostile: Program, command: str) -> None:
    answer = hostile(*command.split(" ", 2))
    assert answer.out or answer.err
    assert is_quiet(answer.out + answer.err)
    as_json = hostile(*command.split(" ", 2), "--json")
    assert as_json.out.isascii()
    assert is_quiet(as_json.out + as_json.err)


def test_tables_are_quiet_on_a_terminal(hostile: Program, data: Path) -> None:
    for command in ("scan show 1", "audit list", "scan export 1 --format xml"):
        printed = on_a_terminal(command.split(), data)
        assert printed.count("\n") > 1, command
        assert is_quiet(SGR.sub("", printed).replace("\r\n", "\n")), command


def on_a_terminal(arguments: list[str], data: Path) -> str:
    """What the program writes to a terminal."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [str(PROGRAM), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "NETMON_TUI_DATA_DIR": str(data)},
    ) as process:
        os.close(slave)
        printed = b""
        while piece := read_terminal(master):
            printed += piece
        os.close(master)
        assert process.wait() == 0, printed
    return printed.decode()


def read_terminal(master: int) -> bytes:
    """The next bytes; empty when the other side has closed it."""
    try:
        return os.read(master, 65_536)
    except OSError:
        return b""


def test_csv_is_no_formula(hostile: Program) -> None:
    import csv

    answer = hostile("scan", "export", "1", "--format", "csv")
    cells = [cell for row in csv.reader(answer.out.splitlines()[1:]) for cell in row]
    assert is_quiet(answer.out.replace("\r\n", "\n"))
    assert not [cell for cell in cells if cell.lstrip().startswith(tuple("=+-@\uff1d"))]
    assert sum(cell.startswith("'") for cell in cells) == 2 * len(FORMULAS)


@pytest.mark.parametrize("form", ["md", "html", "gnmap"])
def test_reports_are_quiet(hostile: Program, form: str) -> None:
    answer = hostile("scan", "export", "1", "--format", form)
    assert answer.code == 0
    assert is_quiet(answer.out.replace("\t", ""))


def test_json_goes_around(hostile: Program) -> None:
    answer = hostile("scan", "export", "1", "--format", "json")
    assert answer.out.isascii()
    products = [p["service"]["product"] for h in answer.document["hosts"] for p in h["ports"]]
    assert set(FORMULAS) - {"\t=1+1"} <= set(products)


# --- captures that are damaged ---


def damages(whole: bytes) -> dict[str, bytes]:
    """A file of ten packets, damaged in many ways."""
    cut = {f"cut at {size}": whole[:size] for size in (0, 1, 10, 23, 24, 30, 40)}
    last = {f"last {size} bytes gone": whole[:-size] for size in (1, 40, 60, 100, 150, 250)}
    lengths = struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    return cut | last | {
        "no magic": b"\xff" * 24 + whole[24:],
        "text": b"hello\n" * 100,
        "pcapng": b"\x0a\x0d\x0d\x0a" + whole[4:],
        "endless first record": whole[:24] + lengths + whole[40:],
        "endless record at the end": whole + lengths,
        "strange link type": whole[:20] + b"\xff\xff\xff\x0f" + whole[24:],
        "absurd snap length": whole[:16] + b"\xff\xff\xff\xff" + whole[20:],
        "absurd time": whole[:24] + b"\xff" * 8 + whole[32:],
        "zero length records": whole[:24] + bytes(16) * 1000,
        "noise": whole[:40] + bytes(range(256)) * 20,
    }  # fmt: skip


@pytest.mark.lab
@ROOT_ONLY
def test_damaged_captures(site: Site, program: Program) -> None:
    running = site.start("capture", "run", "eth0", "--filter", "udp port 7", "--packets", "10")
    assert running.stderr and "runs on" in running.stderr.readline()
    site.lab.udp_exchange(5)
    running.communicate(timeout=30)
    path = site.directory("capture", 1).path / "capture.pcap"
    whole = path.read_bytes()
    assert len(program("capture", "packets", "1", "--json").document) == 10
    for name, content in damages(whole).items():
        path.write_bytes(content)
        for command in (
            ["packets", "1"],
            ["packets", "1", "--json"],
            ["packet", "1", "1"],
            ["packet", "1", "10"],
        ):
            answer = program("capture", *command)
            assert answer.code in (0, 1, 2), (name, command, answer)
            assert "unexpected" not in answer.err, (name, command, answer)
            assert is_quiet(answer.out + answer.err), (name, command)
            assert answer.code == 0 or answer.err, (name, command)


# --- tools that are missing ---


def without(*tools: str) -> list[str]:
    """Words that start a program for which there are no such tools."""
    hide = " && ".join([*(f"mount --bind /dev/null /usr/bin/{tool}" for tool in tools), 'exec "$@"'])
    return ["unshare", "--mount", "sh", "-c", hide, "sh"]


@pytest.mark.lab
@ROOT_ONLY
def test_without_nmap(site: Site) -> None:
    before = without("nmap")
    answer = site.run("scan", "run", "10.77.0.10", "--args", "-p 80", before=before)
    assert (answer.code, answer.out) == (3, "")
    assert "nmap is not installed" in answer.err and "apt install nmap" in answer.err
    assert set(counts(site.data).values()) == {0}
    captured = site.run("capture", "run", "eth0", "--duration", "0.2", "--json", before=before).document
    assert captured["state"] == "completed"
    assert "nmap" in site.run("doctor", before=before).out


@pytest.mark.lab
@ROOT_ONLY
def test_without_tcpdump(site: Site) -> None:
    before = without("tcpdump")
    answer = site.run("capture", "run", "eth0", "--duration", "1", before=before)
    assert (answer.code, answer.out) == (3, "")
    assert "tcpdump is not installed" in answer.err
    assert set(counts(site.data).values()) == {0}
    scan = site.run("scan", "run", "10.77.0.10", "--args", "-n -p 80", "--json", before=before).document
    assert (scan["state"], scan["ports_open"]) == ("completed", 1)


@pytest.mark.lab
@ROOT_ONLY
def test_without_tshark(site: Site) -> None:
    running = site.start("capture", "run", "eth0", "--filter", "udp port 7", "--packets", "2")
    assert running.stderr and "runs on" in running.stderr.readline()
    site.lab.udp_exchange(1)
    running.communicate(timeout=30)
    answer = site.run("capture", "packet", "1", "1", before=without("tshark", "sharkd"))
    assert answer.code == 0
    assert "built-in" in answer.out
