"""A data directory that is moved or copied takes its scans and captures along."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.schedule import Runner
from netmon_tui.domain.user import Actor
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.database import Database
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record

SCAN = (Path(__file__).parents[2] / "data/nmap/full.xml").read_bytes()
PASSWORD = "walnut-koala-lantern"


def capture_file() -> bytes:
    header = make_header(1)
    frame = bytes(60)
    return header.data + pack_record(header, RawPacket(1, 1_700_000_000_000_000_000, len(frame), frame))


@asynccontextmanager
async def opened(data: Path, *, keep_days: str = "0") -> AsyncIterator[tuple[Services, Actor]]:
    settings = load_settings(environ={}, flags={"captures.keep_days": keep_days})
    services = await asyncio.to_thread(open_services, settings, find_paths(data_dir=data))
    try:
        yield services, await services.accounts.login("ada", PASSWORD)
    finally:
        await services.close()


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data directory with one scan and one capture."""
    made, capture, scan = tmp_path / "data", tmp_path / "a.pcap", tmp_path / "a.xml"
    capture.write_bytes(capture_file())
    scan.write_bytes(SCAN)
    services = await asyncio.to_thread(open_services, load_settings(environ={}), find_paths(data_dir=made))
    user = await services.accounts.create_first_admin("ada", PASSWORD)
    ada = Actor(user.id, user.name, user.role)
    await services.catalogue.import_file(ada, capture)
    await services.transfers.import_scan(ada, scan)
    await services.close()
    return made


async def add_old_capture(data: Path, tmp_path: Path) -> None:
    """Give a data directory a second capture, which is too old."""
    async with opened(data) as (services, ada):
        await services.catalogue.import_file(ada, tmp_path / "a.pcap", again=True)
    with closing(sqlite3.connect(data / "netmon.db")) as connection, connection:
        connection.execute("update captures set created = 1e9, finished = 1e9 where id = 2")


def directories(data: Path) -> set[Path]:
    """Where the database says that results are."""
    with closing(sqlite3.connect(data / "netmon.db")) as connection:
        query = "select directory from captures union select directory from scans union select directory from jobs"
        return {Path(row[0]).parent for row in connection.execute(query)}


async def is_whole(services: Services, ada: Actor, out: Path) -> bool:
    """Whether both can be read from their files."""
    await services.catalogue.export(ada, 1, out, PacketChoice(), ExportForm())
    xml = b"".join(await services.transfers.scan_chunks(ada, 1, "xml"))
    return out.read_bytes() == capture_file() and xml == SCAN


async def test_a_moved_data_directory_has_its_scans_and_captures(data: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / "netmon.db")) as connection, connection:
        connection.execute(  # jobs have directories of their own
            "insert into jobs (kind, subject_id, owner_id, state, command, directory, machine, created, pid,"
            " start_ticks, boot_id, error, lease_holder) select 'capture', 1, owner_id, 'completed', '[]',"
            " directory, '', created, 0, 0, '', '', '' from captures"
        )
    data.rename(tmp_path / "moved")
    async with opened(tmp_path / "moved") as (services, ada):
        assert await is_whole(services, ada, tmp_path / "out.pcap")
        assert directories(tmp_path / "moved") == {tmp_path / "moved" / "jobs"}
        await services.capturing.delete(ada, 1)
        await services.scans.delete(ada, 1)
    assert not list((tmp_path / "moved" / "jobs").iterdir()) and not data.exists()


async def test_what_is_deleted_in_a_copy_stays_in_the_original(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "copy")
    async with opened(tmp_path / "copy") as (services, ada):
        await services.capturing.delete(ada, 1)
        await services.scans.delete(ada, 1)
    async with opened(data) as (services, ada):
        assert await is_whole(services, ada, tmp_path / "out.pcap")


async def test_a_copy_of_the_database_alone_deletes_no_files_of_the_original(
    data: Path, tmp_path: Path
) -> None:
    await add_old_capture(data, tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(data / "netmon.db", copy)
    async with opened(copy, keep_days="1") as (services, ada):
        assert await services.catalogue.delete_one_expired(Runner.WORKER)
        await services.capturing.delete(ada, 1)
        await services.scans.delete(ada, 1)
        assert not await services.capturing.count(ada) and not await services.scans.count(ada)
    async with opened(data) as (services, ada):
        assert await is_whole(services, ada, tmp_path / "out.pcap")
        await services.catalogue.export(ada, 2, tmp_path / "other.pcap", PacketChoice(), ExportForm())


async def test_a_copy_of_the_database_alone_packs_no_documents_of_the_original(
    data: Path, tmp_path: Path
) -> None:
    plain, copy = data / "jobs" / "scan-1" / "more.xml", tmp_path / "copy"
    plain.write_bytes(SCAN)
    copy.mkdir()
    shutil.copy(data / "netmon.db", copy)
    async with opened(copy) as (services, _):
        services.keeper.pack_soon()
        await asyncio.to_thread(services.keeper.close, patience=60)
    assert plain.read_bytes() == SCAN


async def test_what_is_deleted_by_another_way_to_the_same_directory_is_gone(
    data: Path, tmp_path: Path
) -> None:
    await add_old_capture(data, tmp_path)
    (tmp_path / "way").symlink_to(tmp_path)
    async with opened(tmp_path / "way" / "data", keep_days="1") as (services, ada):
        assert await services.catalogue.delete_one_expired(Runner.WORKER)
        await services.capturing.delete(ada, 1)
        await services.scans.delete(ada, 1)
    assert not list((data / "jobs").iterdir())


async def test_what_is_not_here_or_the_same_by_another_way_is_left_as_it_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    shutil.rmtree(tmp_path / "data" / "jobs" / "scan-1")
    written: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", lambda _, work: written.append(work))
        for place in (data, tmp_path / "way" / "data"):
            services = await asyncio.to_thread(
                open_services, load_settings(environ={}), find_paths(data_dir=place), reading=False
            )
            await services.close()
    assert not written
    assert directories(data) == {data / "jobs"}
