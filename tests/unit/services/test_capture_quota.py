"""What runners of captures are told of the others of their owner."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.config import files
from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.domain.job import JobState
from netmon_tui.domain.schedule import Runner
from netmon_tui.errors import DiskFull
from netmon_tui.services import capture_quota
from netmon_tui.storage.capture_repository import CaptureRepository, Taken
from tests.unit.services.test_capture_catalogue import House, opened, pcap, raws
from tests.unit.services.tsharks import begin

FILE = pcap(raws())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = await opened(tmp_path, quota_bytes="1_000_000", keep_days="30")
    yield made
    await made.services.close()


def document(house: House) -> Path:
    return house.services.capturing.quota.document(house.ada.user_id)


def told(house: House) -> tuple[int, list[str]]:
    """The bytes that are kept, and which captures run."""
    said = json.loads(document(house).read_bytes())
    return said["kept_bytes"], said["running"]


async def test_whatever_comes_and_goes_is_told(house: House) -> None:
    number, _ = begin(house.services, house.ada)
    captures, running = CaptureRepository(house.services.database), [f"capture-{number}"]
    first = await house.take(FILE)
    assert told(house) == (len(FILE), running)
    await house.catalogue.import_stream(house.ada, io.BytesIO(FILE), "stdin", again=True)
    assert told(house) == (2 * len(FILE), running)
    part = await house.catalogue.slice(house.ada, first.id, PacketChoice(first=1))
    kept = 2 * len(FILE) + part.counters.bytes
    assert told(house) == (kept, running)
    whole = await house.catalogue.merge(house.ada, [first.id, part.id])
    assert told(house) == (kept + whole.counters.bytes, running)
    await house.services.capturing.delete(house.ada, whole.id)
    assert told(house) == (kept, running)
    old = datetime.now(UTC) - timedelta(days=31)
    captures.update(first.id, created=old, finished=old)
    assert await house.catalogue.delete_one_expired(Runner.WORKER)
    assert told(house) == (kept - len(FILE), running)


async def test_what_has_ended_without_a_file_is_kept(house: House) -> None:
    (number, _), (other, _) = (begin(house.services, house.ada) for _ in range(2))
    captures, tell = CaptureRepository(house.services.database), house.services.capturing.quota.tell
    captures.update(number, state=JobState.FAILED.value, bytes=300)
    tell(house.ada.user_id)
    assert told(house) == (300, [f"capture-{other}"])
    captures.update(other, state=JobState.FAILED.value)
    tell(house.ada.user_id)
    assert not document(house).exists(), "nobody reads it"


async def test_of_two_programs_that_tell_at_once_the_last_word_is_right(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota, taken_by = house.services.capturing.quota, CaptureRepository.taken_by
    begun: list[int] = []

    def overtaken(captures: CaptureRepository, owner_id: int) -> Taken:
        found = taken_by(captures, owner_id)
        if not begun:  # another one begins before this program writes what it has read
            begun.append(begin(house.services, house.ada)[0])
            quota.tell(owner_id)
        return found

    monkeypatch.setattr(CaptureRepository, "taken_by", overtaken)
    quota.tell(house.ada.user_id)
    assert told(house) == (0, [f"capture-{begun[0]}"])


async def test_a_disk_too_full_to_tell_it_takes_nothing_back(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begin(house.services, house.ada)
    first = await house.take(FILE)
    before = told(house)

    def refused(path: Path, data: bytes, mode: int = files.PRIVATE_FILE) -> None:
        raise DiskFull("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(capture_quota, "atomic_write", refused)
        await house.services.capturing.delete(house.ada, first.id)
        with pytest.raises(DiskFull, match="no space left"):  # one that begins would not know of the others
            house.services.capturing.quota.require_told(house.ada.user_id)
    assert told(house) == before
    assert "no space left" in caplog.text
    assert await house.services.capturing.count(house.ada) == 1, "the one that runs"


async def test_without_a_quota_nothing_is_written(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    try:
        number, _ = begin(house.services, house.ada)
        await house.take(FILE)
        assert not document(house).exists()
        document(house).write_text("of when there was one")
        await house.take(FILE, "again", again=True)
        assert told(house) == (2 * len(FILE), [f"capture-{number}"]), "a capture may have begun then"
    finally:
        await house.services.close()
