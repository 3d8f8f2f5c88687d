"""Analysis of captures by the tshark there is, and by ones that hang, die or flood."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_files import CAPTURE_NAME, NUMBERED_NAME, CaptureFile
from netmon_tui.domain.job import JobState
from netmon_tui.domain.stream import CLIENT, SERVER, Follow, PacketPlace
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotFound, ToolFailed, ToolMissing
from netmon_tui.runtime import tool_paths
from netmon_tui.runtime.tshark import TsharkRun
from netmon_tui.services import analysis
from netmon_tui.storage.capture_repository import CaptureRepository
from tests.unit.services.made_scans import Store
from tests.unit.services.tsharks import NumberReader, gone, keep, make_ring, processes_with, program, public
from tests.unit.tools.exchanges import ANSWER, BINARY, HOSTILE, REQUEST, START, exchanges
from tests.unit.tools.exchanges import CLIENT as A
from tests.unit.tools.exchanges import SERVER as B
from tests.unit.tools.packet_samples import IP_A, IP_B, TUNNELS, dns_query, ethernet, file_of, ip4, udp

TSHARK = shutil.which("tshark") or ""
__all__ = ["public"]
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not TSHARK, reason="tshark is not installed")]


@pytest.fixture
async def capture(store: Store) -> AsyncIterator[int]:
    """The exchanges, as a capture of ada's."""
    yield keep(store.services, store.ada, exchanges().data())


def asked(name: str, filter: str = "", **limits: object) -> Asked:
    return Asked(find_question(name), filter, **limits)  # type: ignore[arg-type]


async def test_conversations_are_those_that_were_sent(store: Store, capture: int) -> None:
    answer = await store.services.analysis.ask(store.ada, capture, asked("conversations:tcp"))
    found = {row.cells[1]: row for row in answer.rows}
    assert [(row.cells[:4], row.stream) for row in answer.rows] == [
        ((A, 40002, B, 80), 1),
        ((A, 40001, B, 80), 0),
    ]
    frames = exchanges().frames[:8]
    sent, received = (
        sum(len(f) for f in frames if (f[26:30] == frames[0][26:30]) is own) for own in (True, False)
    )
    assert found[40001].cells[4:12] == (8, sent + received, 5, sent, 3, received, 0.0, 0.007)
    retransmitted = [column.key for column in answer.columns].index("retransmissions")
    assert found[40001].cells[retransmitted] == 0 and found[40002].cells[retransmitted] == 2
    rtt = [column.key for column in answer.columns].index("rtt")
    assert found[40001].cells[rtt] == pytest.approx(0.001, rel=0.5)


async def test_the_filter_of_a_line_finds_its_packets(store: Store, capture: int) -> None:
    packets = await store.services.packets.open(store.ada, capture)
    for name in ("conversations:tcp", "conversations:udp", "conversations:ip", "endpoints:tcp", "hierarchy"):
        answer = await store.services.analysis.ask(store.ada, capture, asked(name))
        column = [column.key for column in answer.columns].index("packets")
        for row in answer.rows:
            found = [n async for numbers in packets.matching(row.filter).numbers() for n in numbers]
            assert len(found) == row.cells[column], (name, row)
    await packets.close()


async def test_a_line_of_the_dns_tree_has_the_filter_that_counts_as_it_or_none(store: Store) -> None:
    answer = struct.pack(">HHIH", 1, 1, 60, 4) + bytes(4)
    no_question, refused = (
        struct.pack(">6H", 5, 0x0100, 0, 0, 0, 0),
        dns_query("no.such.name.here", flags=0x8183),
    )
    answered = bytearray(dns_query("www.example.test", flags=0x8180) + b"\xc0\x0c" + answer)
    answered[6:8] = (1).to_bytes(2)
    asking = [dns_query("www.example.test"), dns_query("test", 28, identifier=2), dns_query("a.b.c.d.e", 999)]
    frames = [
        ethernet(0x800, ip4(17, udp(4000 + at, 53, one))) for at, one in enumerate([*asking, no_question])
    ]
    frames += [
        ethernet(0x800, ip4(17, udp(53, 4000 + at, one), source=IP_B, destination=IP_A))
        for at, one in enumerate([bytes(answered), refused])
    ]
    number = keep(store.services, store.ada, file_of(*frames, step=10**6))
    counted = await store.services.analysis.ask(store.ada, number, asked("dns"))
    packets = await store.services.packets.open(store.ada, number)
    for row in counted.rows:
        if row.filter:
            found = [n async for numbers in packets.matching(row.filter).numbers() for n in numbers]
            assert len(found) == row.cells[1], row
    await packets.close()
    without = [(row.cells[0], row.cells[1]) for row in counted.rows if not row.filter]
    names = ("questions", "authorities", "answers", "additionals")
    assert sorted(without) == sorted((f"no. of {name}", 3) for name in names), (
        "one answer of the two counts twice"
    )
    items = {row.cells[0] for row in counted.rows}
    assert {"Unused", "Unknown class (0)", "4th Level or more", "No such name"} <= items


async def test_addresses_are_counted_without_tshark_where_that_is_the_same(
    store: Store, capture: int, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, directory = (
        store.services.analysis.ask,
        CaptureRepository(store.services.database).directory(capture),
    )
    make_ring(directory, *[exchanges().data()] * 2, first=4)
    tunnel = keep(store.services, store.ada, file_of(TUNNELS["6in4"]))
    counted, filtered = await ask(store.ada, capture, asked("conversations:ip")), asked("endpoints:ip", "ip")
    assert sum(int(row.cells[2] or 0) for row in counted.rows) == 40 and counted.since == NUMBERED_NAME % 4
    assert any("without tshark" in note for note in counted.notes)
    assert not (await ask(store.ada, capture, filtered)).notes
    by_tshark = await ask(store.ada, tunnel, asked("conversations:ipv6"))
    assert len(by_tshark.rows) == 1 and not by_tshark.notes
    program(public, "raise SystemExit(3)")
    monkeypatch.setenv("PATH", str(public))
    assert (await ask(store.ada, capture, asked("endpoints:eth"))).rows
    with pytest.raises(ToolFailed, match="status 3"):
        await ask(store.ada, tunnel, asked("endpoints:ipv6"))


@pytest.mark.parametrize("question", ["hierarchy", "endpoints:ip"])
async def test_only_a_capture_that_is_over_is_told_to_end_within_a_packet(
    store: Store, question: str
) -> None:
    notes = {}
    for state in (JobState.RUNNING, JobState.INTERRUPTED):
        number = keep(store.services, store.ada, exchanges().data()[:-1])
        CaptureRepository(store.services.database).update(number, state=state.value)
        answer = await store.services.analysis.ask(store.ada, number, asked(question))
        notes[state] = "the file ends within a packet" in answer.notes
    assert notes == {JobState.RUNNING: False, JobState.INTERRUPTED: True}


async def test_a_filter_limits_what_counts(store: Store, capture: int) -> None:
    ask = store.services.analysis.ask
    answer = await ask(store.ada, capture, asked("hierarchy", "udp"))
    assert (answer.rows[0].cells[0], answer.rows[0].cells[1]) == ("eth", 2)
    answer = await ask(store.ada, capture, asked("io", "tcp", interval=1.0, series=("tcp.port == 40001",)))
    assert [sum(int(row.cells[n] or 0) for row in answer.rows) for n in (2, 4)] == [18, 8]
    answer = await ask(store.ada, capture, asked("conversations:tcp", "tcp.port == 40001"))
    assert len(answer.rows) == 1


@pytest.mark.parametrize("question", ["hierarchy", "conversations:tcp", "expert", "io", "dns", "srt:icmp"])
async def test_a_wrong_filter_is_refused_in_the_words_of_tshark(
    store: Store, capture: int, question: str
) -> None:
    with pytest.raises(InvalidInput, match=r"no\.such") as refused:
        await store.services.analysis.ask(store.ada, capture, asked(question, "udp or no.such == 1"))
    assert refused.value.position == len("udp or ")
    with pytest.raises(InvalidInput, match=r"character 10: .* \(write == to compare\)"):
        await store.services.analysis.ask(store.ada, capture, asked(question, "tcp.port = 80"))


async def test_of_several_filters_none_is_pointed_at(store: Store, capture: int) -> None:
    for limits in ({"series": ("udp", "tcp &&")}, {"series": ("tcp &&",), "filter": "udp"}):
        with pytest.raises(InvalidInput, match="The filter is not valid: ") as refused:
            await store.services.analysis.ask(store.ada, capture, asked("io", **limits))
        assert refused.value.position is None
    with pytest.raises(InvalidInput, match="at character 7") as refused:
        await store.services.analysis.ask(store.ada, capture, asked("io", series=("tcp &&",)))


async def test_every_question_has_an_answer(store: Store, capture: int) -> None:
    for name, most in (("expert", "count"), ("http", "count"), ("lengths", "count"), ("flow", "packet")):
        answer = await store.services.analysis.ask(store.ada, capture, asked(name))
        column = [column.key for column in answer.columns].index(most)
        assert answer.rows[-1].cells[column], name
    answer = await store.services.analysis.ask(store.ada, capture, asked("http"))
    assert answer.rows[0].cells[:2] == ("Total HTTP Packets", 4)


async def test_hostile_names_are_one_line_of_text(store: Store, capture: int) -> None:
    answer = await store.services.analysis.ask(store.ada, capture, asked("http:requests"))
    items = [str(row.cells[0]) for row in answer.rows]
    assert sum("owned" in item for item in items) == 1 and "/index.html" in items
    answer = await store.services.analysis.ask(store.ada, capture, asked("flow"))
    assert len(answer.rows) == 20 and sum("owned" in str(row.cells[-1]) for row in answer.rows) == 1


async def test_a_stream_is_put_together_byte_for_byte(store: Store, capture: int) -> None:
    follow = store.services.analysis.follow
    stream = await follow(store.ada, capture, Follow("tcp", 0))
    assert stream.peers == (f"{A}:40001", f"{B}:80")
    assert b"".join(part.data for part in stream.side(CLIENT)) == REQUEST
    assert b"".join(part.data for part in stream.side(SERVER)) == ANSWER
    again = await follow(store.ada, capture, Follow("tcp", 1))
    assert b"".join(part.data for part in again.side(SERVER)) == ANSWER, "what came again is there once"
    udp = await follow(store.ada, capture, Follow("udp", 0))
    assert [part.data for part in udp.parts] == [HOSTILE.encode(), BINARY]
    web = await follow(store.ada, capture, Follow("http", 0))
    assert web.parts[0].data == REQUEST
    assert (await follow(store.ada, capture, Follow("tcp", 9))).peers == ("", "")


async def test_the_stream_of_a_packet_in_a_ring_is_not_that_of_another(store: Store, capture: int) -> None:
    directory = CaptureRepository(store.services.database).directory(capture)
    make_ring(directory, *[exchanges().data()] * 2, first=4)
    service = store.services.analysis
    found = await service.stream_of(store.ada, capture, PacketPlace(9, NUMBERED_NAME % 4))
    assert found == Follow("tcp", 1, since=NUMBERED_NAME % 4)
    with pytest.raises(NotFound, match="deleted"):
        await service.stream_of(store.ada, capture, PacketPlace(9, NUMBERED_NAME % 3))


@pytest.mark.parametrize(("cut_one", "emptied"), [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "question",
    [asked("conversations:tcp"), asked("hierarchy"), asked("io", interval=1.0)],
    ids=lambda one: one.question.name,
)
async def test_a_file_cut_within_a_packet_takes_no_packet_of_the_next_along(
    store: Store, capture: int, question: Asked, cut_one: int, emptied: int
) -> None:
    captures, content = CaptureRepository(store.services.database), exchanges().data()
    paths = make_ring(captures.directory(capture), *[content] * 3)
    count, cut = len(exchanges().frames), content[: -len(exchanges().frames[-1]) - 16]
    stored = [CaptureFile(str(path), len(content), count, "") for path in paths]
    captures.finish(capture, stored, state=JobState.COMPLETED.value)
    os.truncate(paths[emptied], 0)
    os.truncate(paths[cut_one], len(content) - 5)
    answer = await store.services.analysis.ask(store.ada, capture, question)
    as_one = keep(store.services, store.ada, cut + content[24:])
    left = await store.services.analysis.ask(store.ada, as_one, question)
    assert [row.cells for row in answer.rows] == [row.cells for row in left.rows]
    assert answer.since == paths[cut_one].name
    (note,) = answer.notes
    assert note.startswith(f"only {2 * count - 1} of the {3 * count} packets of capture {capture} are left: ")
    found = await store.services.analysis.stream_of(store.ada, capture, PacketPlace(1, paths[2].name))
    assert found.since == paths[cut_one].name


def deleting(before: Callable[..., object], path: Path) -> Callable[..., object]:
    """Return something that does the same, and after which a file is gone."""

    def done(*arguments: object) -> object:
        answer = before(*arguments)
        path.unlink(missing_ok=True)
        return answer

    return done


async def test_a_stream_is_refused_once_the_ring_deleted_where_its_number_counts_from(
    store: Store, capture: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = CaptureRepository(store.services.database).directory(capture)
    make_ring(directory, *[exchanges().data()] * 3, first=3)
    service, place = store.services.analysis, PacketPlace(9, NUMBERED_NAME % 5)
    wanted = await service.stream_of(store.ada, capture, place)
    answer = await service.ask(store.ada, capture, asked("conversations:tcp"))
    assert wanted.since == answer.since == NUMBERED_NAME % 3
    assert (await service.follow(store.ada, capture, wanted)).parts

    oldest = directory / (NUMBERED_NAME % 3)
    monkeypatch.setattr(analysis, "_packets_before", deleting(analysis._packets_before, oldest))
    with pytest.raises(NotFound, match="deleted"):
        await service.stream_of(store.ada, capture, place)
    with pytest.raises(NotFound, match="deleted"):
        await service.follow(store.ada, capture, wanted)
    oldest = directory / (NUMBERED_NAME % 4)
    require_tool = deleting(analysis.require_tool, oldest)
    monkeypatch.setattr(analysis, "require_tool", require_tool)
    with pytest.raises(NotFound, match="deleted"):
        await service.follow(store.ada, capture, replace(wanted, since=oldest.name))


async def test_steps_of_a_graph_have_the_times_that_were_counted_from_while_a_ring_deletes(
    store: Store, capture: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = CaptureRepository(store.services.database).directory(capture)
    begins = ((10**9 + 10 * number) * 10**9 for number in (3, 4, 5))
    frames = [bytes(60)] * 3
    make_ring(directory, *(file_of(*frames, nanoseconds=at, step=10**9) for at in begins), first=3)

    async def part_filter(**limits: object) -> str:
        return (
            (await store.services.analysis.ask(store.ada, capture, asked("io", **limits))).rows[0].part_filter
        )

    begin = "frame.time_epoch >= 1000000030.000000000"
    after = deleting(analysis._with_left_out, directory / (NUMBERED_NAME % 3))
    monkeypatch.setattr(analysis, "_with_left_out", after)
    assert (await part_filter(interval=10.0)).startswith(begin), "deleted after tshark read it"
    before = deleting(analysis._first_moment, directory / (NUMBERED_NAME % 4))
    monkeypatch.setattr(analysis, "_first_moment", before)
    assert await part_filter(interval=5.0) == "", "deleted before"


@pytest.mark.parametrize("name", ["hierarchy", "http", "endpoints:ip", "conversations:ip", "io", "flow"])
async def test_the_first_packets_time_is_read_where_times_count_from_it(
    store: Store, capture: int, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    read, first_moment = [], analysis._first_moment
    monkeypatch.setattr(analysis, "_first_moment", lambda files: read.append(1) or first_moment(files))
    answer = await store.services.analysis.ask(store.ada, capture, asked(name))
    timed = any(column.kind == "time" for column in answer.columns)
    assert (bool(read), answer.begin) == (timed, START if timed else None)


async def test_others_see_nothing(store: Store, capture: int) -> None:
    bo = Actor(77, "bo", Role.OPERATOR)
    service = store.services.analysis
    with pytest.raises(NotFound):
        await service.ask(bo, capture, asked("hierarchy"))
    with pytest.raises(NotFound):
        await service.follow(bo, capture, Follow("tcp", 0))


async def test_a_capture_without_file_says_so(store: Store) -> None:
    captures = CaptureRepository(store.services.database)
    number = captures.create(store.ada, StartCapture("lo"), filter="", jobs=store.services.paths.jobs)
    with pytest.raises(InvalidInput, match="has no file"):
        await store.services.analysis.ask(store.ada, number, asked("hierarchy"))


async def test_an_answer_is_remembered_until_the_file_grows(store: Store, capture: int) -> None:
    service = store.services.analysis
    first = await service.ask(store.ada, capture, asked("hierarchy"))
    assert await service.ask(store.ada, capture, asked("hierarchy")) is first
    path = CaptureRepository(store.services.database).directory(capture) / CAPTURE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    cut = await service.ask(store.ada, capture, asked("hierarchy"))
    assert cut.rows[0].cells[1] == 19 and any("within a packet" in note for note in cut.notes)
    with pytest.raises(NotFound):
        await service.ask(Actor(77, "bo", Role.OPERATOR), capture, asked("hierarchy"))


@pytest.mark.parametrize("in_place", [True, False], ids=["written over", "replaced"])
async def test_another_file_of_the_same_size_is_read_anew(store: Store, capture: int, in_place: bool) -> None:
    service = store.services.analysis
    first = await service.ask(store.ada, capture, asked("conversations:tcp"))
    path = CaptureRepository(store.services.database).directory(capture) / CAPTURE_NAME
    before = path.stat()
    other = path.with_name("other")
    target = path if in_place else other
    target.write_bytes(path.read_bytes().replace((40001).to_bytes(2), (40003).to_bytes(2)))
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a copy that keeps times
    target.rename(path)
    second = await service.ask(store.ada, capture, asked("conversations:tcp"))
    assert path.stat().st_size == before.st_size
    assert [{row.cells[1] for row in answer.rows} for answer in (first, second)] == [
        {40001, 40002},
        {40002, 40003},
    ]


async def test_what_is_no_capture_file_is_told(store: Store) -> None:
    number = keep(store.services, store.ada, b"no capture at all, just words" * 9)
    with pytest.raises(ToolFailed):
        await store.services.analysis.ask(store.ada, number, asked("hierarchy"))


async def test_without_the_means_to_bound_it_tshark_is_not_started(
    store: Store, capture: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netmon_tui.runtime.tshark.PRLIMIT", "/nonexistent/prlimit")
    with pytest.raises(ToolFailed, match="prlimit"):
        await store.services.analysis.ask(store.ada, capture, asked("hierarchy"))


async def test_keys_reach_tshark(store: Store, capture: int, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("CLIENT_RANDOM " + "ab" * 32 + " " + "cd" * 48 + "\n")
    answer = await store.services.analysis.ask(store.ada, capture, asked("hierarchy", keys=keys))
    assert answer.rows[0].cells[1] == 20
    stream = await store.services.analysis.follow(store.ada, capture, Follow("tcp", 0, keys))
    assert stream.parts


# --- a tshark that is none -------------------------------------------------------------------------


async def test_without_tshark_it_says_what_to_install(
    store: Store, capture: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(tool_paths, "SYSTEM_DIRECTORIES", ())
    with pytest.raises(ToolMissing, match="apt install tshark"):
        await store.services.analysis.ask(store.ada, capture, asked("hierarchy"))


async def test_a_tshark_that_hangs_is_ended(public: Path, tmp_path: Path) -> None:
    tshark = program(public, "import time\ntime.sleep(600)")
    file = exchanges().write(tmp_path / "capture.pcap")
    run = TsharkRun(file, stall_seconds=0.2)
    with pytest.raises(ToolFailed, match="hangs"):
        await run.read(lambda keys: (tshark, keys), NumberReader())
    assert await gone(tshark)


async def test_a_tshark_that_is_killed_is_told(public: Path, tmp_path: Path) -> None:
    tshark = program(public, "import time\nprint('1', flush=True)\ntime.sleep(600)")
    reader = NumberReader()
    run = TsharkRun(exchanges().write(tmp_path / "capture.pcap"))
    task = asyncio.create_task(run.read(lambda keys: (tshark, keys), reader))
    while not reader.numbers:
        await asyncio.sleep(0.01)
    for pid in processes_with(tshark):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ToolFailed, match="signal 9"):
        await task


async def test_whoever_stops_waiting_leaves_no_tshark_behind(public: Path, tmp_path: Path) -> None:
    tshark = program(public, "import time\nprint('1', flush=True)\ntime.sleep(600)")
    reader = NumberReader()
    run = TsharkRun(exchanges().write(tmp_path / "capture.pcap"))
    before = len(os.listdir("/proc/self/fd"))
    task = asyncio.create_task(run.read(lambda keys: (tshark, keys), reader, b"CLIENT_RANDOM aa bb\n"))
    while not reader.numbers:
        await asyncio.sleep(0.01)
    assert processes_with(tshark)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(tshark)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_reader_that_has_enough_ends_a_tshark_that_floods(public: Path, tmp_path: Path) -> None:
    tshark = program(public, "while True: print('7' * 60)")

    class Sated(NumberReader):
        def _line(self, line: bytes) -> None:
            self.numbers.append(len(line))
            self.enough = len(self.numbers) > 1_000

    reader = Sated()
    await TsharkRun(exchanges().write(tmp_path / "capture.pcap")).read(lambda keys: (tshark, keys), reader)
    assert len(reader.numbers) == 1_001
    assert await gone(tshark)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")
async def test_tshark_is_nobody_and_reads_keys_from_a_file_without_a_name(
    public: Path, tmp_path: Path
) -> None:
    tshark = program(public, "import os, sys\nprint(os.getuid())\nprint(len(open(sys.argv[1]).read()))")
    reader, keys = NumberReader(), b"CLIENT_RANDOM aa bb\n"
    await TsharkRun(exchanges().write(tmp_path / "capture.pcap")).read(
        lambda path: (tshark, path), reader, keys
    )
    assert list(reader.numbers) == [65_534, len(keys)]
