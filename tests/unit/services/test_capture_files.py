"""Captures of several files, and the quota, through the services."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.capture_files import NUMBERED_NAME
from netmon_tui.domain.job import EndReason, JobState, Rotation
from netmon_tui.domain.packet_mark import PacketMark
from netmon_tui.domain.user import Actor
from netmon_tui.errors import DiskFull, InvalidInput, NotFound, ToolFailed
from netmon_tui.runtime.pcap_input import PcapInput
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services import capture_catalogue, capture_cutting, packet_marks, packets
from netmon_tui.services.capture_cutting import _Source
from netmon_tui.services.capture_stock import take_stock
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.file_set import files_of, one_file
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_cut import Cut
from netmon_tui.ui.screens.captures import packets_of
from tests.unit.services.test_filters_of_counts import found_by
from tests.unit.services.tsharks import begin, make_ring
from tests.unit.tools.test_packet_masking import FRAMES

FRAME = next(iter(FRAMES.values()))
HEADER = make_header()
RECORDS = [pack_record(HEADER, RawPacket(n, n * 10**9, len(FRAME), FRAME)) for n in range(1, 10)]
RING = Rotation(file_bytes=400_000, files=3)
QUOTA = 500_000


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    settings = load_settings(environ={"NETMON_TUI_CAPTURES_QUOTA_BYTES": str(QUOTA)})
    paths = find_paths(data_dir=tmp_path / "data")
    opened = await asyncio.to_thread(open_services, settings, paths)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def ada(services: Services) -> Actor:
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    return Actor(user.id, user.name, user.role)


def store(services: Services, ada: Actor, *files: bytes, state: JobState = JobState.COMPLETED) -> int:
    """Store a ring whose files have these records, numbered from 5."""
    captures = CaptureRepository(services.database)
    number, directory = begin(services, ada, RING)
    make_ring(directory, *(HEADER.data + records for records in files), first=5)
    if state.is_final:
        stock = take_stock(directory)
        captures.finish(number, stock.files, state=state.value, **stock.facts)
    else:
        captures.update(number, state=state.value, bytes=sum(map(len, files)))
    return number


@pytest.fixture
def ring(services: Services, ada: Actor) -> int:
    return store(services, ada, *(b"".join(RECORDS[n : n + 3]) for n in (0, 3, 6)), b"")


WHOLE = HEADER.data + b"".join(RECORDS)


async def test_a_ring_is_one_file_to_whom_it_is_handed(
    services: Services, ada: Actor, ring: int, tmp_path: Path
) -> None:
    capture = await services.capturing.get(ada, ring)
    assert [(file.name, file.packets) for file in capture.packet_files] == [
        (NUMBERED_NAME % n, 3) for n in (5, 6, 7)
    ], "the last file never got a packet"
    assert [file.last_packet.timestamp() for file in capture.files if file.last_packet] == [3, 6, 9]
    assert (capture.rotation, capture.file_count) == (RING, "1/3")
    written = await services.catalogue.export(ada, ring, tmp_path / "whole.pcap")
    assert written.read_bytes() == WHOLE
    with await services.transfers.read_capture(ada, ring) as reader:
        assert b"".join(reader.pieces()) == WHOLE
    login, stream, _ = services.catalogue.hand_over(capture)
    assert stream.endswith(f" capture stream {ring} > capture-{ring}.pcap")
    program = stream.partition(" capture stream ")[0].removeprefix("ssh ")
    assert login == f"ssh -t {program} login", "ssh without a terminal cannot ask for a password"


TWO = len(HEADER.data + b"".join(RECORDS[:2]))


@pytest.mark.parametrize(
    ("cuts", "left"),
    [
        ({6: TWO + 50}, [0, 1, 2, 3, 4, 6, 7, 8]),
        ({6: TWO + 50, 7: TWO + 50}, [0, 1, 2, 3, 4, 6, 7]),
        ({7: 0}, [0, 1, 2, 3, 4, 5]),
        ({5: 0, 6: 7}, [6, 7, 8]),
        ({5: len(HEADER.data) + 5, 7: 0}, [3, 4, 5]),
    ],
    ids=str,
)
async def test_a_stream_has_all_whole_packets_of_files_that_were_cut(
    services: Services, ada: Actor, ring: int, cuts: dict[int, int], left: list[int]
) -> None:
    directory = CaptureRepository(services.database).directory(ring)
    for number, size in cuts.items():
        os.truncate(directory / (NUMBERED_NAME % number), size)
    with await services.transfers.read_capture(ada, ring) as reader:
        assert b"".join(reader.pieces()) == HEADER.data + b"".join(RECORDS[n] for n in left)
        assert reader.missed == 0
    assert (await services.catalogue.missing(ada, ring)).startswith(f"only {len(left)} of the 9 packets")


async def test_a_stream_without_any_packet_left_is_its_header_or_refused(
    services: Services, ada: Actor, ring: int
) -> None:
    directory = CaptureRepository(services.database).directory(ring)
    for number in (5, 6, 7):
        os.truncate(directory / (NUMBERED_NAME % number), len(HEADER.data))
    with await services.transfers.read_capture(ada, ring) as reader:
        assert b"".join(reader.pieces()) == HEADER.data
    os.truncate(directory / (NUMBERED_NAME % 7), 0)
    with pytest.raises(InvalidInput, match="it is empty"):
        await services.transfers.read_capture(ada, ring)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.COMPLETED])
async def test_only_the_newest_file_of_a_running_capture_grows(
    services: Services, ada: Actor, state: JobState
) -> None:
    capture = store(services, ada, RECORDS[0], RECORDS[1], RECORDS[2], state=state)
    for file, is_newest in (("1", False), ("2", False), ("3", True), ("", True)):
        opened = await services.packets.open(ada, capture, file)
        assert opened.growing is (is_newest and state is JobState.RUNNING), file
        await opened.close()


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.COMPLETED])
@pytest.mark.parametrize("gone", ["oldest", "all", "all, before they were listed"])
@pytest.mark.parametrize(
    "choice",
    [PacketChoice(first=1, last=5), PacketChoice(conversation=8), PacketChoice(marked=True)],
    ids=["range", "conversation", "marks"],
)
async def test_files_that_vanish_before_they_are_opened_are_told(
    services: Services,
    ada: Actor,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    state: JobState,
    gone: str,
    choice: PacketChoice,
) -> None:
    def stored() -> int:
        return store(services, ada, *(b"".join(RECORDS[n : n + 3]) for n in (0, 3, 6)), state=state)

    def list_too_late(directory: Path) -> list[Path]:
        found = files_of(directory)
        for path in found[: 1 if gone == "oldest" else None]:
            path.unlink()
        return files_of(directory) if "before" in gone else found

    monkeypatch.setattr(capture_cutting, "files_of", list_too_late)
    numbers = stored(), stored()
    for number in numbers:
        await services.packets.marks.mark(ada, number, [2], file="2")
    is_ring = state is JobState.RUNNING and "before" not in gone
    refusal = (
        (InvalidInput, "ring deleted packets") if is_ring else (NotFound, r"there is no capture-.* any more")
    )
    for work in (
        services.catalogue.slice(ada, numbers[0], choice),
        services.catalogue.export(ada, numbers[1], tmp_path / "out.pcap", choice),
    ):
        with pytest.raises(refusal[0], match=refusal[1]):
            await asyncio.wait_for(work, 60)
    assert not (tmp_path / "out.pcap").exists()


@pytest.mark.parametrize("listed", [False, True])
async def test_a_merge_of_files_that_vanish_is_refused(
    services: Services, ada: Actor, ring: int, monkeypatch: pytest.MonkeyPatch, listed: bool
) -> None:
    other = store(services, ada, b"".join(RECORDS))

    def list_too_late(directory: Path) -> list[Path]:
        found = files_of(directory)
        for path in found if directory.name.endswith(str(other)) else ():
            path.unlink()
        return found if listed else files_of(directory)

    monkeypatch.setattr(capture_cutting, "files_of", list_too_late)
    with pytest.raises(NotFound, match=r"there is no capture-.* any more"):
        await services.catalogue.merge(ada, [ring, other])


async def test_parts_are_taken_through_all_files_or_from_one(
    services: Services, ada: Actor, ring: int
) -> None:
    async def taken(choice: PacketChoice) -> bytes:
        made = await services.catalogue.slice(ada, ring, choice)
        return Path(made.files[0].path).read_bytes()[24:]

    assert await taken(PacketChoice(first=3, last=7)) == b"".join(RECORDS[2:7])
    assert await taken(PacketChoice(file="2", first=1, last=2)) == b"".join(RECORDS[3:5])
    assert await taken(PacketChoice(file=NUMBERED_NAME % 7)) == b"".join(RECORDS[6:])
    assert await taken(PacketChoice(conversation=8)) == b"".join(RECORDS)
    if find_tool("tshark"):
        assert await taken(PacketChoice(filter="frame.number >= 3 && frame.number < 8")) == b"".join(
            RECORDS[2:7]
        )
    with pytest.raises(NotFound, match="no file 4: it has 3 now"):
        await taken(PacketChoice(file="4"))
    with pytest.raises(NotFound, match="There is no packet 10"):
        await taken(PacketChoice(conversation=10))


async def test_a_ring_merges_and_is_written_in_other_forms(
    services: Services, ada: Actor, ring: int, tmp_path: Path
) -> None:
    other = store(services, ada, RECORDS[4])
    merged = await services.catalogue.merge(ada, [ring, other])
    assert merged.counters.packets == 10
    form = ExportForm("pcapng.gz")
    written = await services.catalogue.export(ada, ring, tmp_path / "whole.pcapng.gz", form=form)
    (back,) = await services.catalogue.import_file(ada, written)
    assert back.counters.packets == 9


async def test_one_file_is_looked_into_by_name_or_place(services: Services, ada: Actor, ring: int) -> None:
    assert [path.name for path in await services.packets.file_set(ada, ring)] == [
        NUMBERED_NAME % n for n in (5, 6, 7)
    ]
    for which, first in (("", 7), ("1", 1), (NUMBERED_NAME % 6, 4)):
        opened = await services.packets.open(ada, ring, which)
        await opened.extend()
        assert [(row.number, row.time) for row in await opened.pick(range(1, 2))] == [(1, first)]
        await opened.close()


@pytest.mark.skipif(find_tool("tshark") is None, reason="tshark is not installed")
async def test_an_analysis_is_of_all_files_and_anew_when_one_is_deleted(
    services: Services, ada: Actor, ring: int
) -> None:
    asked = Asked(find_question("endpoints:eth"))
    assert {int(row.cells[1]) for row in (await services.analysis.ask(ada, ring, asked)).rows} == {9}
    (await services.packets.file_set(ada, ring))[0].unlink()
    assert {int(row.cells[1]) for row in (await services.analysis.ask(ada, ring, asked)).rows} == {6}
    with pytest.raises(InvalidInput):
        await services.analysis.ask(ada, ring, Asked(find_question("hierarchy"), "bogus.field"))


@pytest.mark.skipif(find_tool("tshark") is None, reason="tshark is not installed")
async def test_steps_and_rungs_are_found_by_their_times_in_each_file(
    services: Services, ada: Actor, ring: int, tmp_path: Path
) -> None:
    graph = await services.analysis.ask(ada, ring, Asked(find_question("io"), interval=3.0))
    ladder = await services.analysis.ask(ada, ring, Asked(find_question("flow")))
    (tmp_path / "whole.pcap").write_bytes(WHOLE)
    filters = [row.part_filter for row in (*graph.rows, *ladder.rows)]
    counts = [*(int(row.cells[2] or 0) for row in graph.rows), *[1] * 9]
    assert found_by(tmp_path / "whole.pcap", filters) == counts
    assert filters[0] == "frame.time_epoch >= 1.000000000 && frame.time_epoch < 4.000000000"


async def test_what_a_quota_leaves_is_told_and_no_more_is_taken(
    services: Services, ada: Actor, tmp_path: Path
) -> None:
    captures = CaptureRepository(services.database)
    running = store(services, ada, bytes(300_000), state=JobState.RUNNING)
    captures.update(running, bytes=0)  # what a program stored last
    kept = store(services, ada, RECORDS[0])
    usage = await services.capturing.quota.usage(ada)
    assert (usage.used, usage.quota, usage.is_used_up) == (300_000 + 48 + len(RECORDS[0]), QUOTA, False)
    large = tmp_path / "large.pcap"
    large.write_bytes(WHOLE + bytes(200_000))
    left = f"{QUOTA - usage.used:,} of {QUOTA:,} bytes are left"
    with pytest.raises(DiskFull, match=f"quota of your captures is used up: {left}"):
        await services.catalogue.import_file(ada, large)
    (captures.directory(running) / (NUMBERED_NAME % 6)).write_bytes(bytes(QUOTA))
    for taking in (
        services.capturing.start(ada, StartCapture("lo")),
        services.catalogue.slice(ada, kept, PacketChoice(first=1)),
    ):
        with pytest.raises(DiskFull, match="quota of your captures is used up"):
            await taking


async def test_packets_on_disk_and_all_that_were_captured_are_told(
    services: Services, ada: Actor, ring: int
) -> None:
    captures = CaptureRepository(services.database)
    captures.update(ring, packets=9, overwritten=191)
    ended = captures.get(ada, ring)
    assert (ended.packets_on_disk, ended.packets_captured) == (9, 200)
    assert ended.packets_words == "9 on disk of 200 captured"
    captures.update(ring, state=JobState.RUNNING.value, packets=200)
    assert captures.get(ada, ring).packets_words == ended.packets_words
    assert packets_of(captures.get(ada, ring)) == "9/200"
    captures.update(ring, overwritten=0)
    assert captures.get(ada, ring).packets_words == "200"


async def test_of_an_old_capture_is_asked_for_again_what_its_row_tells(
    services: Services, ada: Actor, ring: int
) -> None:
    captures = CaptureRepository(services.database)
    assert captures.request(captures.get(ada, ring)) == (StartCapture("lo", rotation=RING), True)
    captures.update(ring, request=None)
    assert captures.request(captures.get(ada, ring)) == (StartCapture("lo", rotation=RING), False)


async def test_a_mark_is_of_a_file_and_goes_with_it(services: Services, ada: Actor) -> None:
    marks, parts = services.packets.marks, [b"".join(RECORDS[n : n + 3]) for n in (0, 3, 6)]
    ring = store(services, ada, *parts, state=JobState.RUNNING)
    await marks.mark(ada, ring, [2], "first", file="1")
    await marks.mark(ada, ring, [2, 3], file=NUMBERED_NAME % 6)
    await marks.mark(ada, ring, [1])
    kept = [PacketMark(2, "first", 5), PacketMark(2, "", 6), PacketMark(3, "", 6), PacketMark(1, "", 7)]
    assert await marks.of(ada, ring).all() == kept
    for choice, wanted in (
        (PacketChoice(marked=True), [1, 4, 5, 6]),
        (PacketChoice("2", marked=True), [4, 5]),
        (PacketChoice(marked=True, last=5), [1, 4]),
    ):
        made = await services.catalogue.slice(ada, ring, choice)
        assert Path(made.files[0].path).read_bytes()[24:] == b"".join(RECORDS[n] for n in wanted)
    await marks.unmark(ada, ring, [2], file="2")
    for numbers, file in (([4], "1"), ([1], "4"), ([0], "")):
        with pytest.raises((InvalidInput, NotFound)):
            await marks.mark(ada, ring, numbers, file=file)
    (CaptureRepository(services.database).directory(ring) / (NUMBERED_NAME % 5)).unlink()
    assert await marks.of(ada, ring).all() == [PacketMark(3, "", 6), PacketMark(1, "", 7)]


async def test_parts_of_a_ring_that_turns_meanwhile_are_refused(
    services: Services, ada: Actor, tmp_path: Path
) -> None:
    running = store(services, ada, *(b"".join(RECORDS[n : n + 3]) for n in (0, 3, 6)), state=JobState.RUNNING)
    directory = CaptureRepository(services.database).directory(running)
    source = _Source(await services.capturing.get(ada, running), directory)
    pieces = source.pieces(Cut())
    next(pieces)
    (directory / (NUMBERED_NAME % 5)).unlink()
    with pytest.raises(InvalidInput, match="ring deleted packets while they were read"):
        list(pieces)


async def test_a_file_that_the_ring_deletes_just_then_is_told_as_gone(
    services: Services, ada: Actor, ring: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = CaptureRepository(services.database).directory(ring)

    def overtaken(directory: Path, which: str) -> Path:
        path = one_file(directory, which)
        path.rename(path.with_suffix(".deleted"))
        return path

    def overtaken_of(paths: Sequence[Path], which: str) -> Path:
        return overtaken(paths[0].parent, which)

    monkeypatch.setattr(capture_catalogue, "one_file", overtaken)
    monkeypatch.setattr(packet_marks, "one_file", overtaken)
    monkeypatch.setattr(packets, "one_of", overtaken_of)
    oldest, choice = directory / (NUMBERED_NAME % 5), PacketChoice(file="1", first=1)
    for work in (
        lambda: services.catalogue.slice(ada, ring, choice),
        lambda: services.catalogue.export(ada, ring, tmp_path / "part.pcap", choice),
        lambda: services.packets.marks.mark(ada, ring, [1], file="1"),
        lambda: services.packets.open(ada, ring, "1"),
    ):
        with pytest.raises(
            NotFound, match=f"{oldest.name} is gone: .* the oldest is {NUMBERED_NAME % 6} now"
        ):
            await work()
        oldest.with_suffix(".deleted").rename(oldest)


async def test_who_talks_counts_all_files_of_a_ring_that_has_ended_and_says_which(
    services: Services, ada: Actor, ring: int
) -> None:
    opened = await services.traffic.open(ada, ring)
    while not opened.complete:
        found = await opened.look(growing=False)
    assert (found.packets, found.read, opened.which) == (9, 1.0, "all 3 files")
    await opened.close()
    first = await services.traffic.open(ada, ring, "1")
    assert (await first.look(growing=False)).packets == 3
    assert first.which == f"{NUMBERED_NAME % 5}, file 1 of 3"
    await first.close()


async def test_who_talks_follows_the_newest_file_of_a_ring_and_counts_all_when_it_has_ended(
    services: Services, ada: Actor
) -> None:
    ring = store(services, ada, b"".join(RECORDS[:3]), RECORDS[3], state=JobState.RUNNING)
    directory = CaptureRepository(services.database).directory(ring)
    opened = await services.traffic.open(ada, ring)
    assert (await opened.look(growing=True)).packets == 1
    assert (opened.which, opened.complete) == (f"{NUMBERED_NAME % 6}, the newest of 2", False)
    (directory / (NUMBERED_NAME % 5)).unlink()
    (directory / (NUMBERED_NAME % 7)).write_bytes(HEADER.data + b"".join(RECORDS[4:6]))
    assert (await opened.look(growing=True)).packets == 2
    assert opened.which == f"{NUMBERED_NAME % 7}, the newest of 2"
    older = await services.traffic.open(ada, ring, NUMBERED_NAME % 6)
    while not older.complete:
        assert (await older.look(growing=True)).packets == 1 and not older.grows
    (directory / (NUMBERED_NAME % 6)).unlink()
    await older.look(growing=True)
    assert older.which == f"{NUMBERED_NAME % 6}, deleted by the ring"
    await older.close()
    (directory / (NUMBERED_NAME % 8)).write_bytes(HEADER.data + b"".join(RECORDS[6:9]) + RECORDS[0][:9])
    while not opened.complete:
        found = await opened.look(growing=False)
    assert (found.packets, opened.which) == (5, "all 2 files")
    assert found.damage == "", "a half record at the end is not read, as in one file"
    await opened.close()


def test_a_child_that_cannot_be_given_all_files_is_not_believed(tmp_path: Path) -> None:
    many = RECORDS[0] * 4_000  # more than a pipe holds
    paths = make_ring(tmp_path, *[HEADER.data + many] * 6)
    given = PcapInput(tmp_path)
    for path in paths[1:5]:
        path.unlink()
    while os.read(given.descriptor, 1 << 20):
        pass
    with pytest.raises(ToolFailed, match="could not all be read"):
        given.require_whole()
    given.close()


@pytest.mark.skipif(find_tool("tcpdump") is None, reason="tcpdump is not installed")
async def test_captures_stop_when_they_use_the_quota_up_together(services: Services, ada: Actor) -> None:
    """Each of them has room for itself alone, however long it takes until that is noticed."""
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        receiver.bind(("127.0.0.1", 0))  # a port to which nobody else on this machine sends
        ours = receiver.getsockname()
        request = StartCapture("lo", f"udp dst port {ours[1]}", rotation=Rotation(file_bytes=300_000))
        started = [(await services.capturing.start(ada, request)).id for _ in range(2)]
        for _ in range(300):
            sender.sendto(bytes(1000), ours)
        waiting = asyncio.gather(*(services.capturing.wait(ada, number) for number in started))
        while not waiting.done():  # a capture that gets no more packets takes no more room, and is left alone
            sender.sendto(b"", ours)
            await asyncio.wait([waiting], timeout=0.1)
    ended = await waiting
    assert {(one.state, one.end_reason) for one in ended} == {(JobState.COMPLETED, EndReason.QUOTA)}
    assert all(one.counters.packets for one in ended)
    sizes = [one.counters.bytes for one in ended]
    assert max(sizes) < QUOTA <= sum(sizes)
