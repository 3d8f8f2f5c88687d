"""What an import takes, and what a hostile document can take: ``python tests/bench/bench_import.py [FOLDER]``.

Every document goes through ``netmon-tui scan import`` in a process of its own, which may not have more than 2 GB of
address space; printed are its exit status, seconds, peak memory and the first line of what it said.

Measured on two busy cores (the 64 MB of hashing a password are in every peak; what is refused has exit 2)::

    gzip bomb of 4 GB             3.9 MB  exit 2   5 s  116 MB      100 MB attribute      exit 2   1 s  116 MB
    10 million unknown elements    40 MB  exit 2   4 s  116 MB      100 MB text           exit 2   1 s  116 MB
    1 million scaninfo             39 MB  exit 0   6 s  116 MB      1 million deep        exit 2   1 s  116 MB
    200,000 targets                85 MB  exit 0   3 s  116 MB      masscan, 300,000 lines  exit 0  10 s  116 MB
    300,000 prescripts             22 MB  exit 0   4 s  116 MB      65,536 hosts, 121 MB  exit 0  19 s  116 MB
    1 million hints                26 MB  exit 0  87 s  131 MB      10 million ports, 610 MB  exit 2  4 s  187 MB
    675,000 hosts, 1,021 MiB     1,070 MB  exit 0  99 s  121 MB      (the most that is taken; the database: 779 MB)
"""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.generate_nmap_xml import generate

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv/bin/netmon-tui"
MEASURED = Path(__file__).with_name("peak_memory.py")
HEAD = b'<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap">\n'
HOST = b'<host><status state="up"/><address addr="192.0.2.1" addrtype="ipv4"/>'
TAIL = b"</nmaprun>\n"
MEGABYTE = 1_000_000
ADDRESS_SPACE = 2 * 1024**3


def repeated(piece: bytes, times: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    """A document of one piece many times."""
    yield HEAD + before
    block = piece * 1000
    for _ in range(times // 1000):
        yield block
    yield after + TAIL


def masscan(lines: int) -> Iterator[bytes]:
    """All ports of a few hosts, one element each, in no order."""
    yield HEAD.replace(b'"nmap"', b'"masscan"')
    for n in range(lines):
        port, last = n * 40_503 % 65_536, n % 16
        yield (
            b'<host endtime="1"><address addr="192.0.2.%d" addrtype="ipv4"/><ports>'
            b'<port protocol="tcp" portid="%d"><state state="open" reason="syn-ack"/></port></ports></host>\r\n'
            % (last, port)
        )
    yield TAIL


def hints(count: int) -> Iterator[bytes]:
    """Answers to discovery, all different."""
    yield HEAD
    for n in range(count):
        yield (
            b'<hosthint><status state="up"/><address addr="10.%d.%d.%d" addrtype="ipv4"/></hosthint>\n'
            % (n >> 16 & 255, n >> 8 & 255, n & 255)
        )
    yield TAIL


PORT = b'<port protocol="tcp" portid="%d"><state state="open"/></port>'
DOCUMENTS: dict[str, Callable[[], Iterator[bytes]]] = {
    "10 million unknown elements": lambda: repeated(b"<x/>", 10_000_000),
    "1 million scaninfo": lambda: repeated(b'<scaninfo protocol="tcp" services="1"/>', 1_000_000),
    "200,000 targets of 400 characters": lambda: repeated(
        b'<target specification="%s"/>' % (b"t" * 400), 200_000
    ),
    "300,000 prescripts": lambda: repeated(
        b'<prescript><script id="a" output="b"><elem>c</elem></script></prescript>', 300_000
    ),
    "1 million hints": lambda: hints(300_000),
    "10 million ports in one host": lambda: repeated(
        PORT % 80, 10_000_000, HOST + b"<ports>", b"</ports></host>"
    ),
    "100 MB attribute": lambda: iter(
        [HEAD, b'<host comment="', *[b"A" * MEGABYTE] * 100, b'"></host>', TAIL]
    ),
    "100 MB text": lambda: iter([HEAD, b"<output>", *[b"A" * MEGABYTE] * 100, b"</output>", TAIL]),
    "1 million elements deep": lambda: repeated(b"<a>", 1_000_000),
    "masscan, 300,000 lines": lambda: masscan(300_000),
}


def write(path: Path, pieces: Iterator[bytes]) -> Path:
    """Write a document."""
    with path.open("wb") as file:
        file.writelines(pieces)
    return path


def bomb(path: Path) -> Path:
    """4 GB of XML in 4 MB."""
    with gzip.open(path, "wb", 9) as file:
        file.write(HEAD)
        for _ in range(4_000):
            file.write(b" " * MEGABYTE)
        file.write(TAIL)
    return path


def limited() -> None:
    """Bound the address space of a child."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def measure(name: str, path: Path, data: Path) -> None:
    """Import a document and print what it took."""
    options = ["--data-dir", str(data), "--user", "ada", "--password-file", str(data.parent / "password")]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(MEASURED), *options, "scan", "import", str(path)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
    )
    seconds, peak = time.perf_counter() - began, int(done.stdout.split()[-1]) / 1024
    said = done.stderr.strip().splitlines()
    size = path.stat().st_size / MEGABYTE
    words = said[0][:100] if said else ""
    print(f"{name:38} {size:7.1f} MB  exit {done.returncode}  {seconds:6.1f} s  {peak:5.0f} MB  {words}")


def main() -> None:
    """Measure everything."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as name:
        folder = Path(name)
        (folder / "password").write_text("walnut-koala-lantern\n")
        data = folder / "data"
        options = ["--data-dir", str(data), "--user", "ada", "--password-file", str(folder / "password")]
        subprocess.run([str(PROGRAM), *options, "user", "add", "ada"], check=True, capture_output=True)
        measure("gzip bomb of 4 GB", bomb(folder / "bomb.gz"), data)
        for title, pieces in DOCUMENTS.items():
            path = write(folder / "scan.xml", pieces())
            measure(title, path, data)
            path.unlink()
        generate(folder / "large.xml", 65_536)
        measure("65,536 hosts", folder / "large.xml", data)
        generate(folder / "large.xml", 675_000, 4)
        measure("675,000 hosts, just under the limit", folder / "large.xml", data)


if __name__ == "__main__":
    main()
