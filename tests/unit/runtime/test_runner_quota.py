"""What a runner counts as taken of its owner's quota."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from netmon_tui.runtime.runner import quota
from netmon_tui.runtime.runner.quota import Quota

WHOLE = 1_000


class Jobs:
    """A directory of job directories, of which ``capture-1`` is ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.document = path / "quota-1.json"

    def has(self, capture: int, size: int, name: str = "capture.pcap") -> Path:
        file = self.path / f"capture-{capture}" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(size))
        return file

    def tell(self, kept: int, *running: int) -> None:
        draft = self.document.with_suffix(".draft")
        draft.write_text(json.dumps({"kept_bytes": kept, "running": [f"capture-{n}" for n in running]}))
        draft.replace(self.document)

    def quota(self, whole: int = WHOLE) -> Quota:
        spec = {"limits": {"quota_bytes": whole}, "quota_document": str(self.document)}
        return Quota(spec, str(self.path / "capture-1"))

    def left(self) -> int:
        """What ours may have, as a runner that begins now finds."""
        found = self.quota()
        return next((own for own in range(WHOLE + 1) if found.is_used_up(own, float(own))), WHOLE)


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr(quota, "_REST", 0)
    return Jobs(tmp_path)


def test_the_others_count_as_they_are_on_the_disk(jobs: Jobs) -> None:
    assert jobs.left() == WHOLE, "nobody has said anything"
    jobs.has(1, 300)
    jobs.tell(100, 1, 2)
    assert jobs.left() == 900, "what ours has is in its own count, and the other has no directory yet"
    jobs.has(2, 200)
    assert jobs.left() == 700
    jobs.has(3, 50, "capture-000001.pcapng")
    assert jobs.left() == 700, "it is among those that are kept"
    jobs.tell(100, 1, 2, 3)
    assert jobs.left() == 650, "one that began later"
    oldest = jobs.has(3, 60, "capture-000002.pcapng").with_name("capture-000001.pcapng")
    assert jobs.left() == 590
    oldest.unlink()
    assert jobs.left() == 640, "what a ring deletes comes back"
    jobs.tell(300, 1, 3)
    assert jobs.left() == 640, "one that ended keeps what it has"
    jobs.tell(0, 1, 3)
    assert jobs.left() == 940, "what is deleted comes back"


def test_what_has_no_packets_takes_nothing(jobs: Jobs) -> None:
    jobs.tell(0, 2)
    for name in ("capture.pcap.index", "next.part", "status.json", "stderr", "tls-keys.log"):
        jobs.has(2, 100, name)
    assert jobs.left() == WHOLE


def test_it_is_used_up_once_others_have_taken_what_was_left(jobs: Jobs) -> None:
    ours = jobs.quota()
    jobs.tell(0, 1, 2)
    jobs.has(2, 100)
    assert not ours.is_used_up(400, 1.0)
    assert not ours.is_reached(899)
    assert ours.is_reached(900)
    jobs.has(2, 700)
    assert not ours.is_used_up(900, 2.0), "it gets no packets, and is left alone"
    assert ours.is_used_up(901, 3.0)
    jobs.has(2, 0)
    assert not ours.is_reached(950), "before it stops it looks whether that is still so"
    assert not ours.is_reached(999)
    assert ours.is_reached(1_000)


def test_many_files_are_looked_at_less_often(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "_REST", 1_000_000)
    ours = jobs.quota()
    jobs.tell(0, 2)
    jobs.has(2, 100)
    begun = time.monotonic()
    assert not ours.is_used_up(1, begun)
    jobs.has(2, WHOLE)
    assert not ours.is_used_up(2, begun + 1e-3)
    assert ours.is_used_up(2, begun + 1e9)


def test_a_document_that_is_gone_or_damaged_leaves_the_last_one(jobs: Jobs) -> None:
    ours = jobs.quota()
    jobs.tell(500)
    assert not ours.is_used_up(1, 1.0)
    for now, damage in enumerate((b"", b'{"kept_bytes": 900', b"\xff", b"[]", b'{"kept_bytes": 900}'), 2):
        jobs.document.write_bytes(damage)
        assert not ours.is_reached(499)
        assert not ours.is_used_up(1 + now, now)
        assert ours.is_reached(500)
    jobs.document.unlink()
    assert ours.is_used_up(501, 8.0)
    jobs.tell(100)
    os.utime(jobs.document)
    assert not ours.is_used_up(502, 9.0)


def test_without_a_quota_nothing_is_read(jobs: Jobs) -> None:
    jobs.tell(10**9)
    ours = jobs.quota(0)
    assert not ours.is_reached(1) and not ours.is_used_up(2, 1.0)


def test_a_program_that_tells_of_no_document_has_its_own_quota_kept(tmp_path: Path) -> None:
    of_an_older_one = Quota({"limits": {"quota_bytes": WHOLE}}, str(tmp_path / "capture-1"))
    assert not of_an_older_one.is_reached(WHOLE - 1) and of_an_older_one.is_reached(WHOLE)
