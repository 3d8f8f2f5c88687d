"""Documents that mean to fill the memory: what an import takes does not grow with them, and nothing is left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.test_bad_input import counts, is_quiet
from tests.lab.network import ROOT

MEASURED = ROOT / "tests/bench/peak_memory.py"

HEAD = b'<?xml version="1.0"?>\n<nmaprun scanner="nmap">\n'
HOST = b'<host><status state="up"/><address addr="192.0.2.1" addrtype="ipv4"/>'
HINT = b'<hosthint><status state="up"/><address addr="10.%d.%d.%d" addrtype="ipv4"/></hosthint>\n'
MORE = 70_000
"""Kilobytes that a hostile document may take more than a small one."""

DOCUMENTS = {
    "scaninfo": HEAD + b'<scaninfo type="syn" protocol="tcp" services="1-9"/>' * 500_000,
    "prescripts": HEAD + b'<prescript><script id="a" output="b"/></prescript>' * 250_000,
    "targets": HEAD + b'<target specification="%s" status="skipped"/>' % (b"t" * 1_000) * 60_000,
    "hints": HEAD + b"".join(HINT % (n >> 16, n >> 8 & 255, n & 255) for n in range(150_000)),
    "ports": HEAD + HOST + b'<ports><port protocol="tcp" portid="8"><state state="open"/></port>' * 100_000,
    "one attribute": HEAD + b'<host comment="%s"/>' % (b"A" * 100_000_000),
    "one text": HEAD + b"<output>%s</output>" % (b"A" * 100_000_000),
}


def import_and_measure(data: Path, content: bytes) -> tuple[int, str, int]:
    """Import a document in a process of its own; return its status, what it said, and its peak in kilobytes."""
    path = data.parent / "scan.xml"
    path.write_bytes(content)
    environment = {**os.environ, "NETMON_TUI_DATA_DIR": str(data)}
    argv = [sys.executable, str(MEASURED), "scan", "import", str(path)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=120)
    path.unlink()
    return done.returncode, done.stderr, int(done.stdout.split()[-1])


@pytest.fixture(scope="module")
def small(data_of_ada: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Kilobytes that a refused document of one line takes."""
    folder = tmp_path_factory.mktemp("small")
    subprocess.run(["cp", "-r", str(data_of_ada), str(folder / "data")], check=True)
    code, _, peak = import_and_measure(folder / "data", HEAD + b"<a>" * 100)
    assert code == 2
    return peak


@pytest.mark.parametrize("name", DOCUMENTS)
def test_memory_does_not_grow_with_the_document(data: Path, small: int, name: str) -> None:
    code, said, peak = import_and_measure(data, DOCUMENTS[name])
    assert peak - small < MORE, f"{peak - small} kB more, {said}"
    assert code in (0, 2) and is_quiet(said)
    assert re.fullmatch(r"netmon-tui: .*\n(  .*\n)?", said) if code else not said
    if code:
        assert set(counts(data).values()) == {0}
        assert list((data / "jobs").iterdir()) == []
