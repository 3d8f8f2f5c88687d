"""Following a running scan: reading its files, and recording how it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from netmon_tui.config.sections import ScanSettings
from netmon_tui.domain.job import EndReason, Job, JobState, JobStatus
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.runtime.job_directory import JobDirectory, set_aside
from netmon_tui.runtime.kept_documents import open_document
from netmon_tui.services.scan_commands import XML_NAME, stages_in
from netmon_tui.services.scan_ingest import MOST_WARNINGS, ScanIngest, ingest_file, moment_of
from netmon_tui.services.supervision import read_status
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_progress import ScanPercent, StagedPercent
from netmon_tui.tools.nmap_targets import parse_targets

_log = logging.getLogger(__name__)

_ENDED_AS = {
    EndReason.STOPPED: (JobState.CANCELLED, "stopped"),
    EndReason.DEADLINE: (JobState.FAILED, "the time limit was reached; what was found is kept"),
    EndReason.FLOOR: (JobState.FAILED, "the disk is nearly full; what was found is kept"),
    EndReason.DISK_FULL: (JobState.FAILED, "the disk is full; what was found is kept"),
    EndReason.MEMORY: (JobState.FAILED, "nmap used more memory than allowed; what was found is kept"),
    EndReason.CPU: (JobState.FAILED, "nmap used more CPU time than allowed; what was found is kept"),
    EndReason.LIFELINE: (JobState.INTERRUPTED, "stopped because the application ended"),
}
_OF_STAGES = ("Host discovery disabled (-Pn)", "Warning: Your --min-parallelism option is pretty high")
"""What nmap says of options that are ours: no warning for the user."""


class ScanFollower:
    """Follows scans.

    Args:
        scans, results: Storage.
        limits: The scans' settings.
        ended: Called (blocking) with the id of each scan whose results are complete.
    """

    def __init__(
        self,
        scans: ScanRepository,
        results: ScanResults,
        limits: ScanSettings,
        *,
        ended: Callable[[int], None],
    ) -> None:
        self._scans = scans
        self._results = results
        self._limits = limits
        self._ended = ended

    def begin_again(self, scan_id: int, directory: Path, given_up: Sequence[str]) -> None:
        """Set the files of an ended run aside, and forget what was read of them: it comes again (blocking).

        Args:
            scan_id: The scan.
            directory: Its job directory.
            given_up: Hosts of which nothing more comes.
        """
        set_aside(directory)
        self._results.clear(scan_id, given_up)

    def read_again(self, scan_id: int, directory: Path) -> None:
        """Bring the results back of a scan that could not go on (blocking)."""
        path = directory / XML_NAME
        if path.exists():
            ingest_file(path, ScanIngest(scan_id, self._scans, self._results))

    async def follow(self, job: Job, rest: Callable[[Job], Awaitable[None]]) -> tuple[JobState, str]:
        """Read a scan's files until its runner is done, record how it ended, and return that.

        Args:
            job: The scan's job.
            rest: Waits a little; called whenever all that the job has written is in the database.
        """
        directory = JobDirectory(Path(job.directory))
        stages = tuple(await asyncio.to_thread(stages_in, directory.path))
        ingest = await asyncio.to_thread(self._open_ingest, job, stages)
        paused: bool | None = None
        with ExitStack() as files:
            output = _Output(directory, files)
            while True:
                status, over, is_behind = await asyncio.to_thread(output.read, ingest)
                if status is not None and (status.state == "paused") is not paused and not over:
                    paused = status.state == "paused"
                    await asyncio.to_thread(self._note_pause, job, paused=paused)
                if is_behind:
                    continue
                if over:
                    break
                await rest(job)
        return await asyncio.to_thread(self._finish, job, ingest, status, staged=bool(stages))

    def _note_pause(self, job: Job, *, paused: bool) -> None:
        self._scans.note_pause(job.subject_id, paused=paused)

    def _open_ingest(self, job: Job, stages: tuple[str, ...]) -> ScanIngest:
        arguments, targets = self._scans.request(job.subject_id)
        percent = None
        try:
            options = parse_options(arguments)
            addresses = parse_targets(targets, limit=self._limits.maximum_addresses).count
            percent = StagedPercent(stages) if stages else ScanPercent(options, addresses)
        except InvalidInput as error:
            # Another version's grammar, or a lower limit by now: no reason to lose what the scan finds.
            _log.warning("scan %d has no percentage: %s", job.subject_id, error)
        return ScanIngest(job.subject_id, self._scans, self._results, percent)

    def give_up(self, job: Job, reason: str) -> None:
        """Record a scan as failed whose files could not be read (blocking)."""
        values = {"state": JobState.FAILED.value, "error": reason, "finished": datetime.now(UTC)}
        self._scans.update(job.subject_id, remaining=None, phase="", **values)

    def _finish(
        self, job: Job, ingest: ScanIngest, status: JobStatus | None, *, staged: bool
    ) -> tuple[JobState, str]:
        ingest.complete()
        state, error = _ending(ingest, status, JobDirectory(Path(job.directory)))
        values: dict[str, Any] = {"state": state.value, "error": error, "remaining": None, "phase": ""}
        if state is JobState.COMPLETED:
            values["percent"] = 100.0
        ended = moment_of(status.ended if status else None) or datetime.now(UTC)
        self._scans.update(job.subject_id, finished=ended, **values)
        said = [] if state is JobState.FAILED else _complaints(Path(job.directory))
        warnings = [*ingest.warnings, *said]
        if staged:
            warnings = [warning for warning in warnings if not warning.startswith(_OF_STAGES)]
        self._scans.add_warnings(job.subject_id, [*warnings, *ingest.refused[:MOST_WARNINGS]])
        self._note_end(job.subject_id)
        return state, error

    def _note_end(self, scan_id: int) -> None:
        """Tell whoever wants to know; a failure of theirs must not make the scan look unfinished."""
        try:
            self._ended(scan_id)
        except (NetmonError, ValueError, LookupError):
            _log.exception("after the end of scan %d", scan_id)


class _Output:
    """What a scan writes: files that are opened once they are there.

    Args:
        directory: Of its job.
        files: Closes them.
    """

    def __init__(self, directory: JobDirectory, files: ExitStack) -> None:
        self._directory = directory
        self._files = files
        self._opened: dict[str, BinaryIO] = {}

    def read(self, ingest: ScanIngest) -> tuple[JobStatus | None, bool, bool]:
        """Take a piece of what is new (blocking).

        Returns:
            What the runner said before that, whether it was over then, and whether there may be more.
        """
        status, over = read_status(self._directory)
        xml, text = self._file(XML_NAME), self._file("stdout")
        return status, over, xml is not None and ingest.step(xml, text)

    def _file(self, name: str) -> BinaryIO | None:
        if name not in self._opened:
            try:
                self._opened[name] = self._files.enter_context(open_document(self._directory.path / name))
            except FileNotFoundError:
                return None
        return self._opened[name]


def _ending(ingest: ScanIngest, status: JobStatus | None, directory: JobDirectory) -> tuple[JobState, str]:
    """Say how a scan ended. An exit status alone is never success: the document must say so, and cover hosts."""
    if status is None or status.state != "ended":
        return JobState.INTERRUPTED, "the runner is gone; what was found is kept"
    if status.why in _ENDED_AS:
        return _ENDED_AS[status.why]
    if status.why is EndReason.START_FAILED:
        return JobState.FAILED, status.error
    words = _last_words(directory.read_tail("stderr"))
    finished = ingest.finished
    if ingest.damage:
        return JobState.FAILED, f"nmap's output cannot be read: {ingest.damage}"
    if finished is None:
        return JobState.FAILED, words or status.error or "nmap ended before it was done"
    if finished.exit != "success":
        return JobState.FAILED, finished.errormsg or words or "nmap reports an error"
    if finished.hosts_total == 0:
        return JobState.FAILED, words or "nothing was scanned: no target could be resolved or reached"
    return JobState.COMPLETED, ""


def _complaints(directory: Path) -> list[str]:
    """Return what nmap wrote to stderr, such as the names that it could not resolve."""
    lines = JobDirectory(directory).read_tail("stderr").splitlines()
    return [line[:500] for line in lines if line.strip()][:MOST_WARNINGS]


def _last_words(text: str) -> str:
    """Return the last two lines of what nmap complained about, as one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-2:])[:500]
