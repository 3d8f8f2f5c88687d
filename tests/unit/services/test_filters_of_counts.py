"""The filter of each line of a count finds as many packets as were counted, by the tshark there is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import SERVICES, TREES, AnalysisRow, Asked, find_question
from netmon_tui.tools.tshark_statistics import reader_for
from tests.unit.services.made_scans import Store
from tests.unit.services.tsharks import keep
from tests.unit.tools.called_services import called_services

TSHARK = shutil.which("tshark") or ""
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not TSHARK, reason="tshark is not installed")]
TWICE = {f"no. of {part}" for part in ("questions", "answers", "authorities", "additionals")}
"""Means of DNS answers: they count those twice whose query was seen, so that no filter finds as many."""
BEGIN = "http://www.example.test/index.html"
"""Where a sequence begins is counted with it."""


def found_by(path: Path, filters: list[str]) -> list[int]:
    """Return how many packets meet each filter, in one run."""
    asked = Asked(find_question("io"), series=tuple(filters))
    command = [TSHARK, "-n", "-q", "-r", path, "-z", ",".join(("io", "stat", "0", "frame", *filters))]
    reader = reader_for(asked)
    reader.take(subprocess.run(command, capture_output=True, check=True).stdout)
    (row,) = reader.answer().rows
    return [int(count or 0) for count in row.cells[4::2]]


ADDRESSES = {name for name in TREES if name.startswith("ip")}
MEASURED = {f"srt:{name}" for name in SERVICES if not name.startswith("icmp")}


@pytest.mark.parametrize(
    ("names", "refused"), [(sorted((TREES.keys() - ADDRESSES) | MEASURED), True), (sorted(ADDRESSES), False)]
)
async def test_the_filter_of_every_count_finds_what_was_counted(
    store: Store, tmp_path: Path, names: list[str], refused: bool
) -> None:
    made = called_services(refused=refused)
    capture = keep(store.services, store.ada, made.data())
    counted: list[tuple[str, AnalysisRow]] = []
    for name in names:
        answer = await store.services.analysis.ask(store.ada, capture, Asked(find_question(name)))
        counted += [(name, row) for row in answer.rows]
    assert {row.cells[0] for _, row in counted if not row.filter} == (TWICE if "dns" in names else set())
    counted = [(name, row) for name, row in counted if row.filter]
    found = found_by(made.write(tmp_path / "made.pcap"), [row.filter for _, row in counted])
    wrong = [
        (name, row.cells[:2], row.filter, number)
        for (name, row), number in zip(counted, found, strict=True)
        if number != row.cells[1] and row.cells[0] != BEGIN
    ]
    assert len(counted) > 10 and not wrong
    if refused:
        measured = ("srt:rpc", "srt:dcerpc", "srt:scsi")
        assert {row.cells[0] for name, row in counted if name in measured} == {
            "portmap v2: NULL",
            "nfs v3: NULL",
            "LookupHandleFree",
            "scsi_sbc: Read(10)",
        }
