"""Files that become captures, parts, merges, labels, exports and age, through the services."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gzip
import hashlib
import io
import os
import select
import shutil
import sqlite3
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.capture import Capture, CaptureFormat, CaptureLabels, CaptureOrigin, StartCapture
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.job import JobState
from netmon_tui.domain.schedule import Runner
from netmon_tui.domain.user import Actor, Role
from netmon_tui.domain.window import Window
from netmon_tui.errors import (
    AlreadyCaptured,
    DiskFull,
    InvalidInput,
    NetmonError,
    NotAllowed,
    NotFound,
    StorageError,
)
from netmon_tui.runtime import display_filter
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services import capture_catalogue, capture_drafts, transfers
from netmon_tui.services.capture_cutting import make_merge
from netmon_tui.services.capture_drafts import UNFINISHED, Room
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.transfers import write_new
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.storage.capture_catalogue import CaptureCatalogue, Expired
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.link_layers import _NAMES as LINK_TYPES
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcapng import begin_section, pack_block
from tests.unit.services.tsharks import processes_with, program, public
from tests.unit.tools.packet_samples import SAMPLES
from tests.unit.tools.test_packet_masking import A4, FRAMES
from tests.unit.tools.test_pcapng import block, interface, option, packet, section

__all__ = ["public"]

START = 1_700_000_000_000_000_000
QUOTA = 1_000_000
ALL = [*FRAMES.values(), *SAMPLES.values()]


def raws(frames: list[bytes] = ALL, start: int = START, step: int = 1_000_000) -> list[RawPacket]:
    return [RawPacket(n + 1, start + n * step, len(frame), frame) for n, frame in enumerate(frames)]


def pcap(found: list[RawPacket], linktype: int = 1, order: str = "<", *, nanoseconds: bool = False) -> bytes:
    header = make_header(linktype, byte_order=order, nanoseconds=nanoseconds)
    return header.data + b"".join(pack_record(header, raw) for raw in found)


def pcapng(found: list[RawPacket], linktype: int = 1) -> bytes:
    header = make_header(linktype, nanoseconds=True)
    return begin_section(header) + b"".join(pack_block(header, raw) for raw in found)


LARGE = raws([bytes(1000)] * 2_000)


class House:
    """Services with an administrator."""

    def __init__(self, services: Services, ada: Actor, folder: Path) -> None:
        self.services, self.ada, self.folder = services, ada, folder
        self.catalogue, self.jobs = services.catalogue, services.paths.jobs

    async def take(self, data: bytes, name: str = "a.pcap", **options: bool) -> Capture:
        (capture,) = await self.take_all(data, name, **options)
        return capture

    async def take_all(self, data: bytes, name: str = "a.pcap", **options: bool) -> list[Capture]:
        path = self.folder / name
        path.write_bytes(data)
        return await self.catalogue.import_file(self.ada, path, **options)

    def left(self) -> list[str]:
        """What is in the directory of jobs and is no capture's."""
        with sqlite3.connect(self.services.paths.data / "netmon.db") as connection:
            known = {row[0] for row in connection.execute("select directory from captures")}
        return [str(path) for path in self.jobs.iterdir() if str(path) not in known]

    def audit(self) -> list[tuple[str, str, str]]:
        with sqlite3.connect(self.services.paths.data / "netmon.db") as connection:
            query = (
                "select action, subject, detail from audit_events where action like 'capture.%' order by id"
            )
            return connection.execute(query).fetchall()

    async def user(self, name: str, role: Role) -> Actor:
        user = await self.services.accounts.add_user(self.ada, name, "walnut-koala-lantern", role=role)
        return Actor(user.id, user.name, user.role)


async def opened(folder: Path, **settings: str) -> House:
    flags = {f"captures.{key}": value for key, value in settings.items()}
    loaded = load_settings(environ={}, flags=flags)
    services = await asyncio.to_thread(open_services, loaded, find_paths(data_dir=folder / "data"))
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    return House(services, Actor(user.id, user.name, user.role), folder)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = await opened(tmp_path)
    yield made
    await made.services.close()


# --- import ---


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_classic_file_is_kept_byte_for_byte(
    house: House, order: str, nanoseconds: bool, packed: bool
) -> None:
    data = pcap(raws(step=1_000_001), order=order, nanoseconds=nanoseconds)
    capture = await house.take(gzip.compress(data) if packed else data)
    assert Path(capture.files[0].path).read_bytes() == data
    assert capture.files[0].sha256 == hashlib.sha256(data).hexdigest()
    assert (capture.counters.packets, capture.counters.bytes) == (len(ALL), len(data))
    assert (capture.state, capture.error, capture.linktype) == (JobState.COMPLETED, "", "EN10MB")
    assert (capture.origin, capture.lineage, capture.name) == (
        CaptureOrigin.IMPORT,
        "import of a.pcap",
        "a.pcap",
    )
    assert capture.first_packet == datetime.fromtimestamp(START // 10**9, UTC)
    assert house.audit() == [("capture.import", "capture 1", "a.pcap")]
    assert len(capture.files) == 1 and not house.left()
    assert os.stat(capture.files[0].path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("linktype", LINK_TYPES)
async def test_every_link_type_is_imported(house: House, linktype: int) -> None:
    for data in (pcap(raws(), linktype), pcapng(raws(), linktype)):
        capture = await house.take(data)
        assert (capture.linktype, capture.counters.packets) == (LINK_TYPES[linktype], len(ALL))


@pytest.mark.parametrize("packed", [False, True])
async def test_pcapng_becomes_classic_pcap_and_is_kept_beside_it(house: House, packed: bool) -> None:
    data = pcapng(raws(step=1))
    given = gzip.compress(data) if packed else data
    capture = await house.take(given, "a.pcapng")
    converted, original = capture.files
    assert Path(converted.path).read_bytes() == pcap(raws(step=1), nanoseconds=True)
    assert Path(original.path).read_bytes() == given
    assert original.path.endswith("original.pcapng.gz" if packed else "original.pcapng")


async def test_several_link_types_become_several_captures(house: House) -> None:
    data = (
        section()
        + interface(1, option(2, b"eth0") + option(9, b"\x06"))
        + interface(113, option(2, b"\x1b[31many") + option(9, b"\x09"))
        + interface(1, option(2, b"eth1") + option(9, b"\x09"))
        + packet(0, 1_000_000, b"a" * 20)
        + packet(1, 2_000_000_003, b"b" * 20)
        + packet(2, 3_000_000_007, b"c" * 20)
    )
    one, other = await house.take_all(data, "mixed.pcapng")
    assert [(c.name, c.linktype, c.counters.packets) for c in (one, other)] == [
        ("mixed.pcapng EN10MB", "EN10MB", 2),
        ("mixed.pcapng LINUX_SLL", "LINUX_SLL", 1),
    ]
    assert one.interface == "eth0, \\x1b[31many, eth1"
    expected = [RawPacket(1, 10**9, 20, b"a" * 20), RawPacket(2, 3_000_000_007, 20, b"c" * 20)]
    assert Path(one.files[0].path).read_bytes() == pcap(expected, nanoseconds=True)
    assert [Path(c.files[1].path).read_bytes() for c in (one, other)] == [data, data]
    await house.services.capturing.delete(house.ada, one.id)
    assert Path(other.files[1].path).read_bytes() == data
    with pytest.raises(AlreadyCaptured) as caught:
        await house.take(data)
    assert caught.value.capture_ids == (other.id,)


async def test_what_only_pcapng_can_tell_is_kept_beside_the_packets_or_told(house: House) -> None:
    def commented(number: int, comment: str) -> bytes:
        fields = struct.pack("<IIIII", number, 0, 5, 3, 3) + b"abc\0"
        return block(6, fields + option(1, comment.encode()) + option(0, b""))

    def secrets(kind: int, data: bytes) -> bytes:
        return block(10, struct.pack("<II", kind, len(data)) + data)

    capture = await house.take(
        section()
        + interface(1, option(2, b"eth0"))
        + interface(1, option(2, b"eth1"))
        + secrets(0x544C534B, b"CLIENT_RANDOM 01 02")
        + packet(0, 5, b"abc")
        + commented(1, "a retry\x1b[2J?")
        + secrets(0x544C534B, b"CLIENT_RANDOM 03 04\n")
        + secrets(0x57474B4C, b"wireguard")
        + commented(0, "x" * 300)
    )
    told = "2 packet comments became marks; its TLS keys are kept; 1 block of other secrets left out"
    assert capture.note == f"{told}; which of 2 interfaces a packet is of only the original tells"
    marks = {
        mark.number: mark.comment for mark in await house.services.packets.marks.marks(house.ada, capture.id)
    }
    assert marks == {2: "a retry\\x1b[2J?", 3: "x" * 199 + "…"}
    kept = Path(capture.files[0].path).with_name("tls-keys.log")
    assert kept.read_bytes() == b"CLIENT_RANDOM 01 02\nCLIENT_RANDOM 03 04\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not (await house.take(pcapng(raws()))).note


async def test_the_same_file_is_recognised_however_it_comes(house: House) -> None:
    data = pcap(raws())
    capture = await house.take(data)
    for again in (
        house.take(data, "b.pcap"),
        house.take(gzip.compress(data)),
        house.catalogue.import_stream(house.ada, io.BytesIO(data), "stdin"),
    ):
        with pytest.raises(AlreadyCaptured, match="is capture 1 already"):
            await again
    made = await house.catalogue.slice(house.ada, capture.id, PacketChoice(last=2))
    with pytest.raises(AlreadyCaptured, match="is capture 2 already"):
        await house.take(Path(made.files[0].path).read_bytes())
    assert (await house.take(data, again=True)).id == 3
    eve = await house.user("eve", Role.OPERATOR)
    (hers,) = await house.catalogue.import_file(eve, house.folder / "a.pcap")
    assert (hers.id, hers.owner) == (4, "eve")
    assert not house.left()


@pytest.mark.parametrize("kind", ["pcap", "pcap.gz", "pcapng"])
async def test_cut_at_every_byte_what_is_whole_is_kept_and_the_damage_told(house: House, kind: str) -> None:
    some = raws(ALL[:3])
    make = pcapng if kind == "pcapng" else pcap
    whole = make(some)
    data = gzip.compress(whole) if kind == "pcap.gz" else whole
    ends = [len(make(some[:n])) for n in range(4)]
    for cut in range(len(data)):
        there = len(zlib.decompressobj(31).decompress(data[:cut])) if kind == "pcap.gz" else cut
        before = len(house.audit())
        try:
            capture = await house.take(data[:cut], again=True)
        except InvalidInput as error:
            assert len(house.audit()) == before and (error.why or error.fix)
            assert there < ends[1]
            continue
        kept = capture.counters.packets
        assert Path(capture.files[0].path).read_bytes() == pcap(some[:kept], nanoseconds=kind == "pcapng")
        assert kept == max(0, sum(end <= there for end in ends) - 1)
        clean_end = kind != "pcap.gz" and cut in (*ends, 28)
        assert (capture.state is JobState.COMPLETED) is clean_end, cut
        assert clean_end or ("byte" in capture.error or "gzip" in capture.error)
        if not clean_end:
            assert Path(capture.files[-1].path).read_bytes() == data[:cut]
    assert not house.left()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no pcap or pcapng file"),
        (b"<?xml version='1.0'?>" + bytes(40), "is no pcap or pcapng file"),
        (gzip.compress(b"hello" * 20, mtime=0), "is no pcap or pcapng file"),
        (b"\x34\xcd\xb2\xa1" + bytes(40), "Kuznetzov.*editcap"),
        (pcap(raws())[:30], "packet 1 at byte 24 is cut"),
        (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 9, 0, -1)), "version 9"),
        (
            section()
            + b"".join(interface(n) for n in range(20))
            + b"".join(packet(n, 1, b"a") for n in range(20)),
            "more than 16 link types",
        ),
    ],
    ids=["empty", "XML", "a packed text", "Kuznetzov", "cut", "version", "link types"],
)
async def test_what_is_refused_leaves_nothing(house: House, data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await house.take(data)
    assert __import__("re").search(words, str(caught.value)), str(caught.value)
    assert not house.left() and not house.audit()


async def test_a_source_that_cannot_be_read_is_told_as_that(house: House) -> None:
    for path in (Path("/proc/self/mem"), house.folder / ("x" * 300)):
        with pytest.raises(InvalidInput, match=f"{path.name} cannot be read"):
            await house.catalogue.import_file(house.ada, path)
    ours, theirs = os.openpty()
    os.close(theirs)
    with open(ours, "rb") as stream, pytest.raises(InvalidInput, match="stdin cannot be read"):
        await house.catalogue.import_stream(house.ada, stream, "stdin")
    assert not house.left()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("passes", [1, 2])
async def test_a_disk_that_fails_while_it_is_read_is_told_as_that(
    house: House, monkeypatch: pytest.MonkeyPatch, packed: bool, passes: int
) -> None:
    path, data = house.folder / "a.pcap", gzip.compress(pcap(raws())) if packed else pcap(raws())
    path.write_bytes(data)
    really_open = Path.open

    class Failing(io.BytesIO):
        """A file on a disk that fails when it is read for the nth time from its beginning to its end."""

        ends = 0

        def read(self, size: int | None = -1, /) -> bytes:
            if found := super().read(size):
                return found
            self.ends += 1
            if self.ends == passes:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return b""

    def open_it(self: Path, mode: str) -> object:
        return Failing(data) if self == path else really_open(self, mode)

    monkeypatch.setattr(Path, "open", open_it)
    with pytest.raises(InvalidInput, match=r"a\.pcap cannot be read: Input/output error"):
        await house.catalogue.import_file(house.ada, path)
    assert not house.left()


async def test_a_stream_is_stored_like_a_file(house: House) -> None:
    (capture,) = await house.catalogue.import_stream(house.ada, io.BytesIO(pcapng(raws())), "stdin")
    assert (capture.name, capture.counters.packets) == ("stdin", len(ALL))


async def test_what_a_killed_program_left_is_cleared_away_and_what_is_used_is_not(house: House) -> None:
    capture = await house.take(pcap(raws()))
    kept = Path(capture.files[0].path).parent
    dead, held, strange = (house.jobs / f"capture-made-{name}" for name in ("dead", "held", "strange"))
    for path in (dead, held, strange):
        path.mkdir()
        (path / "capture.pcap").write_bytes(b"half")
    for path in (dead, held, kept):  # a program that is killed may have stored what it made
        (path / UNFINISHED).touch()
    lock = os.open(held, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    await house.take(pcap(raws()[:1]))
    os.close(lock)
    assert [path.exists() for path in (dead, held, strange, kept)] == [False, True, True, True]
    assert sorted(path.name for path in kept.iterdir()) == ["capture.pcap"]


async def test_what_is_stored_outlives_the_way_to_it_and_the_database(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    house = await opened(tmp_path / "link")
    first = await house.take(pcap(raws()))
    part, _ = await cut(house, first, PacketChoice(first=1, last=2))
    both = await house.catalogue.merge(house.ada, [first.id, part.id])
    names = {Path(one.files[0].path).parent.name for one in (first, part, both)}
    await house.services.close()

    async def still_there(data: Path) -> set[str]:
        """Which of them are left when one more file has come in, long after."""
        for path in (data / "jobs").iterdir():
            os.utime(path, (0, 0))
        services = await asyncio.to_thread(
            open_services, load_settings(environ={}), find_paths(data_dir=data)
        )
        (tmp_path / "b.pcap").write_bytes(pcap(raws()[:1]))
        await services.catalogue.import_file(house.ada, tmp_path / "b.pcap", again=True)
        await services.close()
        return names & {path.name for path in (data / "jobs").iterdir()}

    assert await still_there(tmp_path / "real" / "data") == names, "without the symbolic link"
    (tmp_path / "real").rename(tmp_path / "moved")
    assert await still_there(tmp_path / "moved" / "data") == names, "in another place"
    with sqlite3.connect(tmp_path / "moved" / "data" / "netmon.db") as connection:
        connection.execute("delete from captures")
    assert await still_there(tmp_path / "moved" / "data") == names, "with an older copy of the database"


async def test_the_free_space_floor_holds_and_nothing_is_left(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    house = await opened(tmp_path, free_space_floor_bytes=str(free * 2))
    try:
        for data in (pcap(raws()), pcapng(raws()), gzip.compress(pcap(raws()))):
            with pytest.raises(
                DiskFull, match=r"must stay so .free some space, or lower captures\.free_space"
            ):
                await house.take(data)
        with pytest.raises(DiskFull):
            await house.catalogue.import_stream(house.ada, io.BytesIO(pcap(raws())), "stdin")
        with pytest.raises(
            DiskFull, match=r"less than [\d,.]+ MiB are free: [\d,.]+ MiB .*captures\.free_space"
        ):
            await house.services.capturing.start(house.ada, StartCapture("lo"))
        assert await house.services.capturing.count(house.ada) == 0
        assert not house.left() and not house.audit()
    finally:
        await house.services.close()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pcap.gz", gzip.compress(pcap(LARGE))),
        ("a.pcapng", pcapng(LARGE[:600])),
        ("a.pcap", pcap(LARGE[:600])[:-1]),
    ],
    ids=["packed", "kept beside what it became", "kept beside what could be read"],
)
async def test_the_quota_holds_for_what_a_file_becomes(tmp_path: Path, name: str, data: bytes) -> None:
    house = await opened(tmp_path, quota_bytes=str(QUOTA))
    try:
        assert len(data) < QUOTA
        with pytest.raises(DiskFull, match="quota of your captures is used up"):
            await house.take(data, name)
        with pytest.raises(DiskFull, match="quota of your captures is used up"):
            await house.catalogue.import_stream(house.ada, io.BytesIO(data), name)
        assert not house.left() and not house.audit()
        assert (await house.services.capturing.quota.usage(house.ada)).used == 0
    finally:
        await house.services.close()


async def test_the_quota_holds_for_each_capture_of_a_file(tmp_path: Path) -> None:
    house = await opened(tmp_path, quota_bytes=str(QUOTA))
    packets = b"".join(packet(number, n, bytes(1000)) for n in range(200) for number in (0, 1))
    data = section() + interface(1) + interface(113) + packets
    try:
        assert 2 * len(data) < QUOTA < 3 * len(data)
        with pytest.raises(DiskFull, match="quota of your captures is used up"):
            await house.take_all(data, "a.pcapng")
        assert not house.left()
    finally:
        await house.services.close()


async def test_the_quota_holds_for_parts_and_merges(tmp_path: Path) -> None:
    house = await opened(tmp_path, quota_bytes=str(QUOTA))
    try:
        one = await house.take(pcap(LARGE[:300]))
        other = await house.take(pcap(LARGE[:400]), "b.pcap")
        await cut(house, one, PacketChoice(first=1, last=100))
        for work in (
            house.catalogue.slice(house.ada, other.id, PacketChoice(first=1, last=390)),
            house.catalogue.merge(house.ada, [one.id, other.id]),
        ):
            with pytest.raises(DiskFull, match="quota of your captures is used up"):
                await work
        assert not house.left()
    finally:
        await house.services.close()


# --- whoever waited is gone ---


@asynccontextmanager
async def waited_for() -> AsyncIterator[None]:
    """Wait at the end until every thread that was begun meanwhile has done what it does."""
    loop, pool = asyncio.get_running_loop(), ThreadPoolExecutor()
    loop.set_default_executor(pool)
    yield
    pool.shutdown()
    loop.set_default_executor(ThreadPoolExecutor())


async def cancelled(working: asyncio.Task[object], may_go_on: threading.Event) -> None:
    working.cancel()
    for _ in range(10):  # turns of the loop in which that arrives
        await asyncio.sleep(0)
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.mark.parametrize("kind", ["pcap", "pcapng", "slice", "merge"])
async def test_what_nobody_waits_for_is_not_stored(
    house: House, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    one, other = await house.take(pcap(raws())), await house.take(pcap(raws()[:3]), "b.pcap")
    begun, may_go_on = threading.Event(), threading.Event()
    spend = Room.spend

    def spend_slowly(room: Room, count: int) -> None:
        begun.set()
        may_go_on.wait(60)
        spend(room, count)

    monkeypatch.setattr(Room, "spend", spend_slowly)
    async with waited_for():
        work = {
            "pcap": lambda: house.take(pcap(raws()[:2])),
            "pcapng": lambda: house.take(pcapng(raws()), "a.pcapng"),
            "slice": lambda: cut(house, one, PacketChoice(first=2)),
            "merge": lambda: house.catalogue.merge(house.ada, [one.id, other.id]),
        }[kind]
        working = asyncio.ensure_future(work())
        await asyncio.to_thread(begun.wait, 60)
        await cancelled(working, may_go_on)
    assert not house.left() and len(house.audit()) == 2


async def test_a_file_that_nobody_waits_for_is_not_written(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, out = await house.take(pcap(raws())), house.folder / "out.pcap"
    begun, may_go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> Iterator[bytes]:
        yield b"first"
        begun.set()
        may_go_on.wait(60)
        yield b"last"

    monkeypatch.setattr(capture_catalogue, "export_chunks", slowly)
    async with waited_for():
        export = house.catalogue.export(house.ada, capture.id, out, PacketChoice(first=2))
        working = asyncio.ensure_future(export)
        await asyncio.to_thread(begun.wait, 60)
        await cancelled(working, may_go_on)
    assert [path.name for path in house.folder.iterdir() if "out" in path.name] == []


@pytest.mark.parametrize("kind", ["slice", "export"])
async def test_what_nobody_waits_for_ends_its_display_filter(
    house: House, public: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    capture, out = await house.take(pcap(raws())), house.folder / "out.pcap"
    tshark = program(public, "import time\ntime.sleep(600)")
    monkeypatch.setattr(display_filter, "require_tool", lambda name: tshark)
    choice = PacketChoice(filter="udp")
    work = {
        "slice": lambda: house.catalogue.slice(house.ada, capture.id, choice),
        "export": lambda: house.catalogue.export(house.ada, capture.id, out, choice),
    }[kind]
    async with asyncio.timeout(30):
        working = asyncio.ensure_future(work())
        while not processes_with(tshark):
            await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.wait([working])
    assert working.cancelled() and not processes_with(tshark)
    assert not house.left() and len(house.audit()) == 1
    assert [path.name for path in house.folder.iterdir() if "out" in path.name or "part" in path.name] == []


async def test_a_silent_pipe_that_nobody_waits_for_is_left_and_not_stored(house: House) -> None:
    data = pcap(raws())
    ours, theirs = os.pipe()
    async with waited_for():
        with open(ours, "rb") as stream:
            working = asyncio.ensure_future(house.catalogue.import_stream(house.ada, stream, "stdin"))
            os.write(theirs, data[:100])
            while select.select([ours], [], [], 0)[0]:
                await asyncio.sleep(0.01)
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(working, 60)
            os.write(theirs, data[100:])
            os.close(theirs)
            assert stream.read() == data[100:], "nobody has read it"
    assert not house.left() and not house.audit()


# --- parts ---


async def cut(house: House, capture: Capture, choice: PacketChoice) -> tuple[Capture, bytes]:
    made = await house.catalogue.slice(house.ada, capture.id, choice)
    return made, Path(made.files[0].path).read_bytes()


async def test_a_part_has_its_lineage_and_the_packets_that_were_chosen(house: House) -> None:
    found = raws()
    capture = await house.take(pcap(found))
    await house.catalogue.label(house.ada, capture.id, CaptureLabels(name="office"))
    since = datetime.fromtimestamp(found[4].nanoseconds / 1e9, UTC)
    until = datetime.fromtimestamp(found[8].nanoseconds / 1e9, UTC)
    made, data = await cut(house, capture, PacketChoice(first=3, last=9))
    assert data == pcap(found[2:9])
    told = (1,), "slice of capture 1: packets 3 to 9", "office, packets 3 to 9"
    assert (made.parents, made.lineage, made.name) == told
    assert (made.owner, made.counters.packets, made.state) == ("ada", 7, JobState.COMPLETED)
    assert house.audit()[-1] == ("capture.slice", "capture 2", "of capture 1: packets 3 to 9")
    made, data = await cut(house, capture, PacketChoice(since=since, until=until))
    assert data == pcap(found[4:9])
    made, data = await cut(house, capture, PacketChoice(numbers=[2, 5, 6], numbers_are='shown by "dns"'))
    assert data == pcap([found[1], found[4], found[5]])
    assert made.source == 'shown by "dns"'
    await house.services.capturing.delete(house.ada, capture.id)
    assert (await house.services.capturing.get(house.ada, made.id)).parents == (1,)


@pytest.mark.parametrize("make", [pcap, pcapng])
async def test_jumbo_frames_come_in_and_are_cut_whole(house: House, make: Callable[..., bytes]) -> None:
    head = bytes.fromhex("020000000002020000000001") + b"\x88\xb5"
    frames = [
        head + bytes([number]) * (size - len(head)) for number, size in enumerate((9_000, 9_216, 65_549))
    ]
    capture = await house.take(make(raws(frames)), f"jumbo.{make.__name__}")
    assert capture.packets == 3
    part, written = await cut(house, capture, PacketChoice(first=2, last=3))
    assert part.packets == 2
    assert written.endswith(frames[2]) and frames[1] in written and frames[0] not in written


async def test_hosts_and_conversations_in_both_directions_and_in_vlans(house: House) -> None:
    names = list(FRAMES)
    capture = await house.take(pcap(raws(list(FRAMES.values()))))
    made, _ = await cut(house, capture, PacketChoice(hosts=("10.1.2.3", "10.1.9.77")))
    with_both = (
        "udp",
        "tcp",
        "mptcp",
        "record route",
        "vlan",
        "icmp error",
        "icmp redirect",
        "ip6 in ip",
        "ip in ip",
    )
    assert made.counters.packets == len([*with_both, "unknown protocol"])
    assert made.source == "host 10.1.2.3 and 10.1.9.77"
    made, data = await cut(house, capture, PacketChoice(conversation=names.index("udp") + 1))
    chosen = [raw for raw, name in zip(raws(list(FRAMES.values())), names, strict=True)
              if name in ("udp", "vlan", "record route")]  # fmt: skip
    assert data == pcap(chosen)
    made, _ = await cut(house, capture, PacketChoice(hosts=("52:54:00:aa:bb:cc",)))
    assert made.counters.packets == len(FRAMES)
    with pytest.raises(InvalidInput, match="no IP or MAC address"):
        await cut(house, capture, PacketChoice(hosts=("10.1.2",)))
    with pytest.raises(NotFound):
        await cut(house, capture, PacketChoice(conversation=999))


@pytest.mark.skipif(find_tool("tshark") is None, reason="tshark is not installed")
async def test_a_display_filter_chooses_and_a_wrong_one_is_refused(house: House) -> None:
    capture = await house.take(pcap(raws(list(FRAMES.values()))))
    made, data = await cut(house, capture, PacketChoice(filter="arp || vlan", first=2))
    names = list(FRAMES)
    assert data == pcap([raws(list(FRAMES.values()))[names.index("vlan")]])
    assert made.source == "packets from 2, display filter arp || vlan"
    for text in ("no such field ==", "ip.addr == ", "-h", "x\ny"):
        with pytest.raises(InvalidInput, match=r"filter (is not valid|has a character)"):
            await cut(house, capture, PacketChoice(filter=text))
    assert not house.left()


async def test_a_choice_that_leaves_nothing_makes_nothing(house: House) -> None:
    capture = await house.take(pcap(raws()))
    for choice in (
        PacketChoice(first=999),
        PacketChoice(hosts=("203.0.113.99",)),
        PacketChoice(first=5, last=4),
    ):
        with pytest.raises(InvalidInput):
            await cut(house, capture, choice)
        with pytest.raises(InvalidInput):
            await house.catalogue.export(house.ada, capture.id, house.folder / "out.pcap", choice)
    assert not house.left() and not (house.folder / "out.pcap").exists()


# --- merges ---


async def test_a_merge_is_in_time_order_and_says_of_what(house: House) -> None:
    even, odd = raws(step=2_000), raws(start=START + 1_000, step=2_000)
    one, other = await house.take(pcap(even)), await house.take(pcap(odd), "b.pcap")
    made = await house.catalogue.merge(house.ada, [other.id, one.id], name="both")
    expected = sorted([*even, *odd], key=lambda raw: raw.nanoseconds)
    assert Path(made.files[0].path).read_bytes() == pcap(expected)
    assert (made.parents, made.lineage, made.name) == ((2, 1), "merge of captures 2 and 1", "both")
    assert house.audit()[-1] == ("capture.merge", "capture 3", "of captures 2 1")
    cooked = await house.take(pcap(raws(), 113), "c.pcap")
    with pytest.raises(InvalidInput, match="EN10MB and LINUX_SLL cannot be merged"):
        await house.catalogue.merge(house.ada, [one.id, cooked.id])
    with pytest.raises(InvalidInput, match="1 capture cannot"):
        await house.catalogue.merge(house.ada, [one.id, one.id])
    assert not house.left()


@pytest.mark.parametrize(
    ("filters", "merged"), [(("tcp", "udp"), "tcp + udp"), (("tcp", ""), ""), (("tcp", "tcp"), "tcp")]
)
async def test_a_merge_has_filters_only_where_all_of_them_had_one(
    house: House, filters: tuple[str, str], merged: str
) -> None:
    capture = await house.take(pcap(raws()))
    pair = [(replace(capture, filter=text), Path(capture.files[0].path).parent) for text in filters]
    draft: Any = SimpleNamespace(path=house.folder, write_packets=lambda *_: capture.files[0])
    assert make_merge(pair, draft, "").filter == merged


# --- exports ---


async def test_a_name_that_no_file_can_have_is_told(house: House) -> None:
    capture = await house.take(pcap(raws()))
    with pytest.raises(InvalidInput, match=r"cannot write .*: File name too long"):
        await house.catalogue.export(house.ada, capture.id, house.folder / ("x" * 300))
    longest = house.folder / ("x" * 255)
    await house.catalogue.export(house.ada, capture.id, longest)
    assert longest.read_bytes() == pcap(raws())


def test_a_second_export_to_a_name_leaves_the_first_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def chunks() -> Iterator[bytes]:
        yield b"first"
        assert write_new(out, [b"second"]) == out

    with pytest.raises(InvalidInput, match="out exists"):
        write_new(out, chunks())
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and out.read_bytes() == b"second"

    def refused() -> Iterator[bytes]:
        yield b"first"
        with pytest.raises(InvalidInput):
            write_new(other, failing())
        yield b", whole"

    def failing() -> Iterator[bytes]:
        yield b"second"
        raise InvalidInput("no packet is chosen")

    other = tmp_path / "other"
    assert write_new(other, refused()).read_bytes() == b"first, whole"


WRITE = """
import pathlib, sys
from netmon_tui.services.transfers import write_new
def chunks():
    yield bytes(1 << 20)
    print("written", flush=True)
    sys.stdin.read()
write_new(pathlib.Path(sys.argv[1]), chunks())
"""


def test_a_program_killed_while_it_exports_leaves_nothing_in_the_directory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout and program.stdout.readline() == b"written\n"
        program.kill()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_mounted", [True, False])
def test_where_no_file_can_be_without_a_name_an_export_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_mounted: bool
) -> None:
    if is_mounted:
        monkeypatch.setattr(
            os, "O_TMPFILE", os.O_DIRECTORY
        )  # what a system that knows no such file makes of it
    else:
        monkeypatch.setattr(transfers, "_OPENED", tmp_path / "no proc")
    assert write_new(tmp_path / "out", [b"whole"]).read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_that_cannot_be_given_its_name_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(StorageError, match="cannot write"):
        write_new(tmp_path / "out", [b"whole"])
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(find_tool("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("form", ["pcap", "pcapng", "pcap.gz", "pcapng.gz"])
async def test_exports_of_every_form_come_back_the_same(house: House, form: str) -> None:
    capture = await house.take(pcap(raws()))
    path = await house.catalogue.export(
        house.ada, capture.id, house.folder / f"out.{form}", PacketChoice(first=2), ExportForm(form)
    )
    assert path.stat().st_mode & 0o777 == 0o600
    back = await house.take(path.read_bytes(), "back")
    # microseconds come back as nanoseconds from pcapng: our reader always writes the finer clock
    assert Path(back.files[0].path).read_bytes() == pcap(raws()[1:], nanoseconds="ng" in form)
    with pytest.raises(InvalidInput, match="exists"):
        await house.catalogue.export(house.ada, capture.id, path, form=ExportForm(form))
    with pytest.raises(InvalidInput, match="no format"):
        await house.catalogue.export(house.ada, capture.id, house.folder / "x", form=ExportForm("snoop"))


async def test_an_anonymised_export_has_other_addresses_and_no_payload(house: House) -> None:
    capture = await house.take(pcap(raws()))
    form = ExportForm("pcap", anonymise=True)
    path = await house.catalogue.export(house.ada, capture.id, house.folder / "anonymous.pcap", form=form)
    data = path.read_bytes()
    assert A4 not in data and b"HTTP" not in data
    assert house.audit()[-1][2] == "all packets as pcap, anonymised"
    assert "ports" in " ".join(form.remarks())
    wireless = await house.take(pcap(raws(), 127), "wireless.pcap")
    with pytest.raises(InvalidInput, match="cannot be anonymised"):
        await house.catalogue.export(house.ada, wireless.id, house.folder / "no.pcap", form=form)
    assert not (house.folder / "no.pcap").exists()


# --- labels and the list ---


async def test_labels_are_changed_found_and_audited(house: House) -> None:
    one, two = await house.take(pcap(raws())), await house.take(pcap(raws()[:2]), "b.pcap")
    labels = CaptureLabels(
        name=" the office ", note="line one\nline\x1b two", add_tags=("Web", "dns"), kept=True
    )
    changed = await house.catalogue.label(house.ada, one.id, labels)
    assert (changed.name, changed.tags, changed.kept) == ("the office", ("dns", "web"), True)
    assert changed.note == "line one\nline\\x1b two"
    changed = await house.catalogue.label(
        house.ada, one.id, CaptureLabels(add_tags=("slow",), remove_tags=("dns",))
    )
    assert (changed.tags, changed.name) == (("slow", "web"), "the office")
    assert house.audit()[-1] == ("capture.label", "capture 1", "+slow, -dns")
    capturing = house.services.capturing
    for text, expected in {
        "tag:web": [1], "tag:we": [], "!tag:web": [2], "owner:ada tag:slow": [1], "owner:bo": [],
        'name:"the off"': [1], "note:two": [1], "office !slow": [], "b.pcap": [2], "state:completed": [2, 1],
        "!office": [2], "slo": [1], "": [2, 1], "interface:eth0": [],
    }.items():  # fmt: skip
        found = [capture.id for capture in await capturing.find(house.ada, Window(text=text))]
        assert found == expected, text
        assert await capturing.count(house.ada, text) == len(expected)
    assert [c.id for c in await capturing.find(house.ada, Window(sort="name"))] == [two.id, one.id]
    for wrong in (
        CaptureLabels(add_tags=("two words",)),
        CaptureLabels(add_tags=tuple(f"t{n}" for n in range(40))),
        CaptureLabels(name="x" * 121),
        CaptureLabels(note="x" * 4_001),
    ):
        with pytest.raises(InvalidInput):
            await house.catalogue.label(house.ada, one.id, wrong)
    assert (await capturing.get(house.ada, one.id)).tags == ("slow", "web")


@pytest.mark.parametrize(
    "labels", [CaptureLabels(note="x"), CaptureLabels(add_tags=("web",)), CaptureLabels()]
)
async def test_what_is_deleted_while_it_is_labelled_leaves_no_event(
    house: House, labels: CaptureLabels
) -> None:
    capture = await house.take(pcap(raws()))
    await house.services.capturing.delete(house.ada, capture.id)
    event = NewEvent("capture.label", house.ada, "", "note")
    with pytest.raises(NotFound):
        CaptureCatalogue(house.services.database).label(capture.id, labels, event)
    assert house.audit()[-1][0] == "capture.delete"


async def test_others_and_viewers_change_and_make_nothing(house: House) -> None:
    mine = await house.take(pcap(raws()))
    bo, eve = await house.user("bo", Role.OPERATOR), await house.user("eve", Role.VIEWER)
    catalogue, out = house.catalogue, house.folder / "out.pcap"
    for actor, error in ((bo, NotFound), (eve, NetmonError)):
        for attempt in (
            catalogue.label(actor, mine.id, CaptureLabels(note="x")),
            catalogue.slice(actor, mine.id, PacketChoice(last=1)),
            catalogue.merge(actor, [mine.id, mine.id + 1]),
            catalogue.export(actor, mine.id, out, PacketChoice(last=1)),
        ):
            with pytest.raises(error):
                await attempt
    with pytest.raises(NotAllowed):
        await catalogue.import_file(eve, house.folder / "a.pcap")
    assert not out.exists() and not house.left()


# --- age ---


async def test_what_is_older_than_is_kept_is_deleted_with_an_audit_row(tmp_path: Path) -> None:
    house = await opened(tmp_path, keep_days="30")
    try:
        captures = CaptureRepository(house.services.database)
        ids = [(await house.take(pcap(raws()), f"{n}", again=True)).id for n in range(4)]
        old = datetime.now(UTC) - timedelta(days=31)
        for capture_id in ids[:3]:
            captures.update(capture_id, created=old, finished=old)
        captures.update(ids[2], state=JobState.RUNNING.value)
        await house.catalogue.label(house.ada, ids[1], CaptureLabels(kept=True))
        gone = Path((await house.services.capturing.get(house.ada, ids[0])).files[0].path)
        await house.services.rounds.go_once(Runner.WORKER)
        left = [capture.id for capture in await house.services.capturing.find(house.ada)]
        assert left == [ids[3], ids[2], ids[1]]
        assert not gone.parent.exists()
        (row,) = [row for row in house.audit() if row[0] == "capture.expire"]
        assert row[1] == f"capture {ids[0]}"
    finally:
        await house.services.close()


@pytest.fixture
async def house_with_an_old_one(tmp_path: Path) -> AsyncIterator[House]:
    """A house that keeps captures for a month, and one from before."""
    made = await opened(tmp_path, keep_days="30")
    capture = await made.take(pcap(raws()))
    old = datetime.now(UTC) - timedelta(days=31)
    CaptureRepository(made.services.database).update(capture.id, created=old, finished=old)
    (Path(capture.files[0].path).parent / "home" / "tcpdump").mkdir(parents=True)
    yield made
    await made.services.close()


async def test_what_is_marked_to_be_kept_at_the_last_moment_is_kept(
    house_with_an_old_one: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, find = house_with_an_old_one, CaptureCatalogue.find_one_older
    (capture,) = await house.services.capturing.find(house.ada)

    def found_and_then_marked(repository: CaptureCatalogue, before: datetime) -> Expired | None:
        found = find(repository, before)
        repository.label(
            capture.id, CaptureLabels(kept=True), NewEvent("capture.label", house.ada, "", "kept")
        )
        return found

    with monkeypatch.context() as patch:
        patch.setattr(CaptureCatalogue, "find_one_older", found_and_then_marked)
        assert not await house.catalogue.delete_one_expired(Runner.WORKER)
    assert (await house.services.capturing.get(house.ada, capture.id)).kept
    left = {path.name for path in Path(capture.files[0].path).parent.iterdir()}
    assert left == {"capture.pcap", "home"}
    assert "capture.expire" not in [row[0] for row in house.audit()]


class Killed(BaseException):
    """What no code outlives."""


def killed(*_: object, **__: object) -> None:
    """End like a program that is killed."""
    raise Killed


async def test_a_program_killed_while_it_deletes_leaves_a_capture_that_can_be_deleted_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = await house.take(pcap(raws()))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(Killed):
            await house.services.capturing.delete(house.ada, capture.id)
    assert not house.left() and list(house.jobs.iterdir())
    await house.services.capturing.delete(house.ada, capture.id)
    assert not list(house.jobs.iterdir())
    assert not await house.services.capturing.count(house.ada)


@pytest.mark.parametrize("after", ["the mark", "the rows"])
async def test_a_program_killed_while_it_deletes_what_is_too_old_leaves_nothing_that_stays(
    house_with_an_old_one: House, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    house = house_with_an_old_one
    (capture,) = await house.services.capturing.find(house.ada)
    with monkeypatch.context() as patch:
        patch.setattr(capture_drafts, "_end", killed)
        if after == "the mark":
            patch.setattr(CaptureCatalogue, "delete", killed)
        with pytest.raises(Killed):
            await house.catalogue.delete_one_expired(Runner.WORKER)
    assert Path(capture.files[0].path).is_file()
    assert await house.services.capturing.count(house.ada) == (after == "the mark")
    while await house.catalogue.delete_one_expired(Runner.WORKER):
        pass
    assert not list(house.jobs.iterdir())
    assert not await house.services.capturing.count(house.ada)
    assert [row[0] for row in house.audit()].count("capture.expire") == 1


async def test_nothing_is_deleted_by_itself(house: House) -> None:
    capture = await house.take(pcap(raws()))
    old = datetime.now(UTC) - timedelta(days=9_999)
    CaptureRepository(house.services.database).update(capture.id, created=old, finished=old)
    await house.services.rounds.go_once(Runner.WORKER)
    assert await house.services.capturing.count(house.ada) == 1


# --- files that became shorter since they were stored ---


async def test_what_is_made_of_a_file_that_became_shorter_says_what_is_left(
    house: House, tmp_path: Path
) -> None:
    whole, other = await house.take(pcap(LARGE)), await house.take(pcap(raws()), "b.pcap")
    file = Path(whole.files[0].path)
    os.truncate(file, 20_000)
    records = pcap(LARGE[:19])
    told = (
        "only 19 of the 2,000 packets of capture 1 are left: "
        f"packet 20 at byte {len(records)} is cut: only {20_000 - len(records)} of its bytes are in the file"
    )
    assert await house.catalogue.missing(house.ada, whole.id) == told
    made, data = await cut(house, whole, PacketChoice(first=10))
    assert made.note == told and data == pcap(LARGE[9:19])
    merged = await house.catalogue.merge(house.ada, [whole.id, other.id])
    assert merged.note == told and merged.counters.packets == 19 + len(ALL)
    written = await house.catalogue.export(house.ada, whole.id, tmp_path / "out.pcap")
    assert written.read_bytes() == records, "whole packets only"
    with await house.services.transfers.read_capture(house.ada, whole.id) as reader:
        assert b"".join(reader.pieces()) == records
    os.truncate(file, 7)
    assert (await house.catalogue.missing(house.ada, whole.id)).startswith("only 0 of the 2,000 packets")
    assert not await house.catalogue.missing(house.ada, other.id)
    assert not (await cut(house, other, PacketChoice(first=2)))[0].note


async def test_a_copy_that_cannot_hold_the_interfaces_of_packets_says_so(house: House) -> None:
    captures = CaptureRepository(house.services.database)
    request = StartCapture("eth0,lo", format=CaptureFormat.PCAPNG)
    number = captures.create(house.ada, request, filter="", jobs=house.jobs)
    directory = captures.directory(number)
    directory.mkdir()
    (directory / "capture.pcapng").write_bytes(pcapng(raws()))
    captures.update(number, state=JobState.COMPLETED.value)
    missing = house.catalogue.missing
    for form in ("pcap", "pcap.gz"):
        assert (
            await missing(house.ada, number, into=form) == "of which interface a packet is only pcapng tells"
        )
    for form in ("", "pcapng", "pcapng.gz"):
        assert not await missing(house.ada, number, into=form)
    assert not await missing(house.ada, (await house.take(pcap(raws()))).id, into="pcap")
