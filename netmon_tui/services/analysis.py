"""Analysis of whole captures: conversations, counts, graphs, and streams put together.

tshark answers, but for what our own reader says as well, and sooner.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from netmon_tui.domain.analysis import (
    QUESTIONS,
    SERVICES,
    TIMED,
    Analysis,
    AnalysisRow,
    Asked,
    Question,
    Value,
    check_asked,
)
from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.stream import Follow, PacketPlace, Stream
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput, NetmonError, NotFound, ToolFailed, ToolMissing
from netmon_tui.runtime.display_filter import check_by_tshark
from netmon_tui.runtime.key_log import kept_keys, read_keys
from netmon_tui.runtime.own_reading import OwnRun
from netmon_tui.runtime.pcap_input import FileSet, Source
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.runtime.tshark import TsharkRun
from netmon_tui.runtime.tshark_taps import installed_taps
from netmon_tui.services.file_damage import damage_of, missing_from, whole_ends, with_place
from netmon_tui.services.kept_index import count_packets
from netmon_tui.services.lost_files import no_file
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools import tshark_statistics
from netmon_tui.tools.file_set import statuses_of
from netmon_tui.tools.packet_conversations import own_reader
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.tshark_programs import COMMAND_SETS, NAMED, ProgramReader, programs_command
from netmon_tui.tools.tshark_stream import StreamNumberReader, StreamReader, number_command
from netmon_tui.tools.tshark_tables import TIMES_COLUMNS
from netmon_tui.tools.tshark_taps import questions_of

STEPS = 60
"""Steps of an I/O graph, when nobody says how long one is."""
KEPT_ROWS = 200_000
"""Rows of all answers that are remembered."""
_CUT_SHORT = "the file ends within a packet"
"""Damage, but in a capture that runs: there it is what tcpdump has written so far."""
_TELL_SECONDS = 0.25
_NICE = (1, 2, 5, 10)
Told = Callable[[float], None]
"""Hears how far tshark has read, 0 to 1."""


class _Files(NamedTuple):
    """What an answer depends on."""

    directory: Path
    sizes: tuple[tuple[str, int], ...]
    """Names and bytes."""
    stamps: tuple[tuple[int, ...], ...]
    """By which a file that was changed or replaced is told, which may have as many bytes."""
    keys: bytes
    """SHA-256 of the TLS keys, which may be many."""
    whole: bool
    """Whether the capture is over."""
    ends: tuple[tuple[int, int], ...]
    """Numbers, and where what is whole ends, where any became shorter since; else none."""

    @property
    def oldest(self) -> str:
        """The name of the file with the first packet, from which tshark counts packets and streams."""
        return self.sizes[0][0]

    @property
    def source(self) -> Source:
        """What is read."""
        return FileSet(self.directory, dict(self.ends)) if self.ends else self.directory

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return tuple(self.directory / name for name, _ in self.sizes)

    def require_oldest(self, name: str) -> None:
        """Raise NotFound unless a file is the oldest of these: else numbers are those of others."""
        if name != self.oldest:
            raise NotFound(
                "the ring has deleted packets from which streams are numbered", fix="look once more"
            )


class AnalysisService:
    """Answers questions about captures for those who may see them.

    All files of a capture are read as one. An answer is remembered as long as they are the same.

    Args:
        captures: Which captures there are, and whose.
    """

    def __init__(self, captures: CaptureRepository) -> None:
        self._captures = captures
        self._answers: OrderedDict[tuple[_Files, Asked], Analysis] = OrderedDict()

    async def questions(self) -> tuple[Question, ...]:
        """Return what can be asked of the installed tshark; where there is none, what is known to.

        Raises:
            ToolFailed: It does not say which statistics it has.
        """
        try:
            return questions_of(await asyncio.to_thread(installed_taps))
        except ToolMissing:
            return QUESTIONS

    async def check(self, asked: Asked) -> None:
        """Raise InvalidInput for what cannot be asked; ToolMissing where nobody can say what a filter is."""
        check_asked(asked)
        for text in filter(None, (asked.filter, *asked.series)):
            await asyncio.to_thread(check_by_tshark, text)

    async def ask(
        self, actor: Actor, capture_id: int, asked: Asked, told: Told = lambda part: None
    ) -> Analysis:
        """Return the answer to a question; whoever is cancelled ends tshark.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: There is no file yet, or what is asked or the filter is wrong.
            ToolMissing: tshark is not installed.
            ToolFailed: It ended badly.
        """
        check_asked(asked)
        capture, files, keys = await asyncio.to_thread(self._open, actor, capture_id, asked.keys)
        known = self._answers.get((files, asked))
        if known is not None:
            self._answers.move_to_end((files, asked))
            return known
        timed = asked.question.name.partition(":")[0] in TIMED
        begin = await asyncio.to_thread(_first_moment, files) if timed else None
        answer = await _own_answer(capture, files, asked, told)
        if answer is None:
            async with _placed(files):
                answer = await self._ask_tshark(capture, files, keys, asked, told)
        if begin is not None and answer.since == files.oldest:
            answer = _with_moments(
                answer, begin, in_parts=asked.question.name == "io" and len(files.sizes) > 1
            )
        self._remember((files, asked), answer)
        return answer

    async def _ask_tshark(
        self, capture: Capture, files: _Files, keys: bytes, asked: Asked, told: Told
    ) -> Analysis:
        reader = tshark_statistics.reader_for(asked)
        tshark = await asyncio.to_thread(require_tool, "tshark")
        interval = asked.interval or _fitting_interval(capture)
        name, _, kind = asked.question.name.partition(":")
        programs = COMMAND_SETS.get(kind, []) if name == "srt" else []
        if name == "srt" and kind in NAMED:
            programs = await _programs(tshark, files, kind)
            if not programs:
                return Analysis(
                    TIMES_COLUMNS, (), (f"no program of {SERVICES[kind]} that tshark can measure",)
                )
        run = TsharkRun(files.source, filters=(asked.filter, *asked.series))
        with _told_of(run, told):
            await run.read(
                lambda path: tshark_statistics.build_command(tshark, asked, interval, path, programs),
                reader,
                keys,
            )
        missing = await _missing(capture, files, cut_short=run.cut_short)
        reader.notes += missing
        answer = await asyncio.to_thread(reader.answer)
        if not missing:
            answer = _with_left_out(capture, asked, answer)
        return replace(answer, since=run.first)

    async def follow(
        self, actor: Actor, capture_id: int, wanted: Follow, told: Told = lambda part: None
    ) -> Stream:
        """Return a stream put together; raises as :meth:`ask`.

        Also raises NotFound when a ring has deleted the file from which streams were numbered.
        """
        _, files, keys = await asyncio.to_thread(self._open, actor, capture_id, wanted.keys)
        files.require_oldest(wanted.since or files.oldest)
        tshark = await asyncio.to_thread(require_tool, "tshark")
        tshark_statistics.follow_command(tshark, wanted)
        reader = StreamReader()
        run = TsharkRun(files.source)
        async with _placed(files):
            with _told_of(run, told):
                await run.read(
                    lambda path: tshark_statistics.follow_command(tshark, wanted, path), reader, keys
                )
        if wanted.since:
            files.require_oldest(run.first)
        return await asyncio.to_thread(reader.stream)

    async def stream_of(self, actor: Actor, capture_id: int, place: PacketPlace) -> Follow:
        """Return the stream that a packet belongs to; raises as :meth:`ask`.

        Also raises NotFound when a ring has deleted its file, and InvalidInput when it belongs to none.
        """
        _, files, _ = await asyncio.to_thread(self._open, actor, capture_id, None)
        tshark = await asyncio.to_thread(require_tool, "tshark")
        number = place.number + await asyncio.to_thread(_packets_before, files, place.file)
        reader, run = StreamNumberReader(), TsharkRun(files.source)
        async with _placed(files):
            await run.read(lambda _: number_command(tshark, number), reader)
        files.require_oldest(run.first)
        if reader.found is None:
            raise InvalidInput(f"packet {place.number} belongs to no TCP or UDP stream")
        return replace(reader.found, since=run.first)

    def _open(self, actor: Actor, capture_id: int, keys: Path | None) -> tuple[Capture, _Files, bytes]:
        capture = self._captures.get(actor, capture_id)
        directory = self._captures.directory(capture_id)
        statuses = statuses_of(directory)
        if not statuses:
            raise no_file(capture, directory)
        ends = whole_ends(capture, directory) if len(statuses) > 1 else {}
        read = [path for path in statuses if ends.get(file_number(path.name) or 0) != 0]
        sizes = tuple((path.name, statuses[path].st_size) for path in read)
        stamps = tuple(map(_stamp, statuses.values()))
        data = read_keys(keys) if keys else kept_keys(directory)
        digest = hashlib.sha256(data).digest()
        is_over = capture.state.is_final
        return capture, _Files(directory, sizes, stamps, digest, is_over, tuple(ends.items())), data

    def _remember(self, key: tuple[_Files, Asked], answer: Analysis) -> None:
        self._answers[key] = answer
        while len(self._answers) > 1 and sum(len(one.rows) for one in self._answers.values()) > KEPT_ROWS:
            self._answers.popitem(last=False)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    """Return what is another once a file is changed or replaced, also where its times were set back."""
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


async def _own_answer(capture: Capture, files: _Files, asked: Asked, told: Told) -> Analysis | None:
    """Return what the packets' headers say without tshark; None where they do not say what it would."""
    reader = own_reader(asked)
    if reader is None:
        return None
    run = OwnRun(files.source)
    with _told_of(run, told):
        await run.read(reader)
    if reader.unsure:
        return None
    reader.notes += await _missing(capture, files, cut_short=reader.cut_short)
    return replace(await asyncio.to_thread(reader.answer), since=run.first)


async def _programs(tshark: str, files: _Files, protocol: str) -> list[str]:
    """Return what tshark can measure of a protocol."""
    reader = ProgramReader(protocol)
    await TsharkRun(files.source).read(lambda _: programs_command(tshark, protocol), reader)
    return reader.found


def _packets_before(files: _Files, file: str) -> int:
    """Return how many packets the files before one have; none before the only one.

    Raises:
        NotFound: A ring has deleted it, or meanwhile one of those before it.
    """
    if not file:
        return 0
    before = 0
    with suppress(FileNotFoundError):
        for name, _ in files.sizes:
            if name == file:
                return before
            before += count_packets(files.directory / name)
    raise NotFound(f"the ring has deleted the file {file} or one before it", fix="try a newer packet")


@contextmanager
def _told_of(run: TsharkRun | OwnRun, told: Told) -> Iterator[None]:
    """Tell how far the reading is, now and then."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            told(run.progress)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()


async def _missing(capture: Capture, files: _Files, *, cut_short: bool) -> list[str]:
    """Return what is missing in files that are written no more, and where; of an empty one tshark says nothing."""
    if files.ends:
        return [await asyncio.to_thread(missing_from, capture, files.directory)]
    is_empty = not any(size for _, size in files.sizes)
    if not files.whole or not (cut_short or is_empty):
        return []
    damage = await asyncio.to_thread(damage_of, files.paths)
    return [words for words in (_CUT_SHORT if cut_short else "", damage) if words]


@asynccontextmanager
async def _placed(files: _Files) -> AsyncIterator[None]:
    """Let a failure of tshark's say what is wrong with the files, and where."""
    try:
        yield
    except ToolFailed as error:
        raise await asyncio.to_thread(with_place, error, files.paths, growing=not files.whole) from error


def _with_left_out(capture: Capture, asked: Asked, answer: Analysis) -> Analysis:
    """Return the graph of a whole capture with a note when tshark leaves packets out of it."""
    if asked.question.name != "io" or asked.filter or asked.series or not capture.state.is_final:
        return answer
    place = [column.key for column in answer.columns].index("packets")
    left_out = capture.counters.packets - sum(int(row.cells[place] or 0) for row in answer.rows)
    if left_out <= 0:
        return answer
    note = f"{left_out:,} of {capture.counters.packets:,} packets are left out: their times are before the first's"
    return replace(answer, notes=(*answer.notes, note))


def _first_moment(files: _Files) -> int | None:
    """Return the time of the first packet in nanoseconds; None where nobody can tell."""
    try:
        with PacketIndex(files.directory / files.oldest) as index:
            index.extend(1)
            return index.read(1).nanoseconds
    except (NetmonError, OSError):  # deleted meanwhile, or empty
        return None


def _with_moments(answer: Analysis, begin: int, *, in_parts: bool) -> Analysis:
    """Return an answer with the time from which it counts, and filters by times where a file is read alone."""
    rows = answer.rows
    if in_parts:
        rows = tuple(replace(row, part_filter=_moments(row, begin)) for row in rows)
    return replace(answer, rows=rows, begin=begin)


def _moments(row: AnalysisRow, begin: int) -> str:
    """Return the filter of a step by times, given the first packet's in nanoseconds."""
    start, end = row.cells[0], row.cells[1]
    until = f" && frame.time_epoch < {_moment(begin, end)}" if end is not None else ""
    return f"frame.time_epoch >= {_moment(begin, start)}{until}"


def _moment(begin: int, since: Value) -> str:
    seconds, nanoseconds = divmod(begin + round(float(since or 0) * 10**9), 10**9)
    return f"{seconds}.{nanoseconds:09}"


def _fitting_interval(capture: Capture) -> float:
    """Return a round number of seconds that divides the capture in some :data:`STEPS` steps."""
    begin = capture.first_packet or capture.started or capture.created
    end = capture.last_packet or capture.finished or datetime.now(UTC)
    wanted = max(abs((end - begin).total_seconds()) / STEPS, 1e-3)  # a clock may have been set back meanwhile
    power = 10.0 ** math.floor(math.log10(wanted))
    return round(next(nice * power for nice in _NICE if nice * power >= wanted * 0.999), 6)
