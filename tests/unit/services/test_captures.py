"""Captures through the services: what is refused before it starts, and what leaves while one runs."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Never

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.capture import Capture, CaptureLabels, StartCapture
from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.domain.job import CaptureCounters, EndReason, JobState, JobStatus, ProcessIdentity
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import DatabaseLocked, InvalidInput, NotFound
from netmon_tui.runtime.job_directory import write_private
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.capture_following import ending
from netmon_tui.services.capture_starts import CaptureStarts
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.pcap import FILE_HEADER_SIZE, RawPacket, make_header, pack_record
from tests.unit.services.tsharks import keep

HEADER = make_header()
RECORDS = [pack_record(HEADER, RawPacket(n, n * 10**9, 60, bytes(60))) for n in range(1, 4)]
WHOLE = HEADER.data + b"".join(RECORDS)
SHORT = StartCapture("lo", "udp port 9", seconds=20)
captures_here = pytest.mark.skipif(
    os.geteuid() != 0 or find_tool("tcpdump") is None, reason="captures need root and tcpdump"
)
TWO_AND_A_HALF = WHOLE[: -len(RECORDS[-1]) // 2]


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Services, Actor]]:
    paths = find_paths(data_dir=folder / "data")
    services = await asyncio.to_thread(open_services, load_settings(environ={}), paths)
    try:
        user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
        yield services, Actor(user.id, user.name, user.role)
    finally:
        await services.close()


@pytest.mark.parametrize(
    ("state", "left"),
    [(JobState.RUNNING, WHOLE[: -len(RECORDS[-1])]), (JobState.FAILED, TWO_AND_A_HALF)],
    ids=["running", "failed"],
)
async def test_the_export_of_a_running_capture_ends_with_a_whole_packet(
    tmp_path: Path, state: JobState, left: bytes
) -> None:
    async with opened(tmp_path) as (services, ada):
        number = keep(services, ada, TWO_AND_A_HALF, state)
        written = await services.transfers.export_capture(ada, number, tmp_path / "out.pcap")
        assert written.read_bytes() == left


async def test_a_running_capture_without_packets_is_not_exported(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        number = keep(services, ada, WHOLE[: FILE_HEADER_SIZE - 1], JobState.RUNNING)
        with pytest.raises(InvalidInput, match="no packets yet"):
            await services.transfers.export_capture(ada, number, tmp_path / "out.pcap")
        assert not (tmp_path / "out.pcap").exists()


def locked(*_: object) -> Never:
    raise DatabaseLocked("the database is locked")


async def locked_later(*_: object) -> Never:
    locked()


@captures_here
async def test_a_capture_that_runs_is_told_although_its_filter_could_not_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as (services, ada):
        monkeypatch.setattr(services.capturing, "_note_filter", locked)
        begun = await services.capturing.start(ada, SHORT)
        starts = CaptureStarts(services.capturing, CaptureRepository(services.database), locked_later)
        again = await starts.again(ada, begun.id)
        assert (begun.state, again.state) == (JobState.RUNNING, JobState.RUNNING)
        for one in (begun, again):
            await services.capturing.stop(ada, one.id)
            assert (await services.capturing.wait(ada, one.id)).state is JobState.COMPLETED


@captures_here
async def test_of_captures_that_belong_together_none_runs_when_one_gets_no_tag(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):

        async def label(actor: Actor, capture_id: int, labels: CaptureLabels) -> Capture:
            if capture_id == 2:
                locked()
            return await services.catalogue.label(actor, capture_id, labels)

        starts = CaptureStarts(services.capturing, CaptureRepository(services.database), label)
        with pytest.raises(DatabaseLocked):
            await starts.on_each(ada, SHORT, ["lo", "any"])
        ended = [await services.capturing.wait(ada, number) for number in (1, 2)]
        assert [(one.state, one.end_reason) for one in ended] == [(JobState.COMPLETED, "stopped")] * 2


@pytest.mark.skipif(find_tool("tcpdump") is None, reason="tcpdump is not installed")
async def test_the_preview_names_the_interfaces_there_are(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, _):
        preview = await services.capturing.preview(StartCapture("gone0", filter="udp"))
        assert preview.error.startswith("no interface 'gone0'")
        assert " lo," in preview.error and preview.error.endswith(", any)")
        assert preview.position is None
        assert not (await services.capturing.preview(StartCapture("lo", filter="udp"))).error


@pytest.mark.parametrize(
    ("packets", "kept"),
    [
        (0, "nothing was captured"),
        (1, "the 1 packet before that is kept"),
        (18, "the 18 packets before that are kept"),
    ],
)
def test_a_capture_whose_tool_was_killed_says_so_and_what_is_kept(packets: int, kept: str) -> None:
    runner = ProcessIdentity(1, 1, "")
    status = JobStatus("ended", runner, why=EndReason.FAILED, exit_status=-9, error="ended by SIGKILL")
    state, why, error = ending(status, packets, "tcpdump", "")
    assert (state, why) == (JobState.FAILED, "failed")
    assert error.startswith("tcpdump was killed (SIGKILL); ") and error.endswith(kept)


async def test_a_capture_whose_file_was_taken_away_says_so_everywhere(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        (tmp_path / "made.pcap").write_bytes(WHOLE)
        (capture,) = await services.catalogue.import_file(ada, tmp_path / "made.pcap")
        path = Path(capture.packet_files[0].path)
        path.rename(tmp_path / "moved.pcap")
        question = Asked(find_question("hierarchy"))
        for asking in (
            services.packets.open(ada, capture.id),
            services.packets.filter_set(ada, capture.id, "ip"),
            services.traffic.open(ada, capture.id),
            services.analysis.ask(ada, capture.id, question),
            services.transfers.export_capture(ada, capture.id, tmp_path / "out.pcap"),
            services.catalogue.slice(ada, capture.id, PacketChoice()),
        ):
            with pytest.raises(NotFound) as refused:
                await asking
            told = f"its file {path} is gone: another program moved or deleted it"
            assert str(refused.value) == told


async def test_a_capture_whose_file_was_emptied_is_not_told_as_one_that_never_had_packets(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (services, ada):
        (tmp_path / "made.pcap").write_bytes(WHOLE)
        (capture,) = await services.catalogue.import_file(ada, tmp_path / "made.pcap")
        os.truncate(capture.packet_files[0].path, 0)
        with pytest.raises(
            InvalidInput, match=r"no packets any more: another program emptied .*capture\.pcap$"
        ):
            await services.catalogue.slice(ada, capture.id, PacketChoice(first=1))


def test_nothing_is_said_to_be_kept_where_there_is_nothing() -> None:
    state, _, error = ending(None, 0, "tcpdump", "")
    assert (state, error) == (JobState.INTERRUPTED, "the runner is gone; no packet is kept")
    assert ending(None, 1, "tcpdump", "")[2] == "the runner is gone; what was captured is kept"


@pytest.mark.parametrize("file", ["", "1"])
async def test_a_running_capture_whose_packets_are_not_written_yet_is_not_told_as_lost(
    tmp_path: Path, file: str
) -> None:
    async with opened(tmp_path) as (services, ada):
        number = keep(services, ada, b"", JobState.RUNNING)
        CaptureRepository(services.database).update(number, packets=7)
        with pytest.raises(InvalidInput, match="nothing was written yet"):
            await services.catalogue.slice(ada, number, PacketChoice(file=file, first=1))


async def test_a_file_that_is_taken_away_while_it_is_open_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as (services, ada):
        (tmp_path / "made.pcap").write_bytes(WHOLE)
        (capture,) = await services.catalogue.import_file(ada, tmp_path / "made.pcap")
        packets = await services.packets.open(ada, capture.id)
        try:
            Path(capture.packet_files[0].path).unlink()
            with pytest.raises(NotFound, match="is gone: another program"):
                await packets.matching("frame").all()
        finally:
            await packets.close()


async def test_what_the_runner_says_now_is_told_of_a_running_capture_and_the_row_once_it_ended(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (services, ada):
        capturing, captures = services.capturing, CaptureRepository(services.database)
        number = keep(services, ada, WHOLE, JobState.RUNNING)
        status = captures.directory(number) / "status.json"

        def say(state: str, packets: int) -> None:
            status.unlink(missing_ok=True)
            runner, counters = ProcessIdentity(1, 1, "boot"), CaptureCounters(packets, 60 * packets)
            write_private(status, asdict(JobStatus(state, runner, counters=counters)))

        say("running", 2)
        first = await capturing.get(ada, number)
        captures.update(number, name="renamed")
        say("running", 3)
        known, _ = await capturing.watch(ada, number, first)
        assert (first.counters.packets, known.counters.packets, known.name) == (2, 3, first.name)
        assert (await capturing.get(ada, number)).name == "renamed"
        say("ended", 3)
        assert (await capturing.watch(ada, number, known))[0].name == "renamed", "the end is in the row"
        captures.update(number, state=JobState.COMPLETED.value)
        assert (await capturing.watch(ada, number, known))[0].state is JobState.COMPLETED
        with pytest.raises(NotFound):
            await capturing.watch(Actor(2, "eve", Role.VIEWER), number)
