"""Starting, following, stopping and repeating scans."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from netmon_tui.config.settings import Settings
from netmon_tui.domain.job import EndReason, Job, JobKind, JobLimits, JobSpec, JobState, JobStatus
from netmon_tui.domain.profile import Profile
from netmon_tui.domain.scan import Scan, ScanPreview, StartScan
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.runtime.tool_paths import require_tool, version_numbers
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.scan_ingest import MOST_WARNINGS, ScanIngest, moment_of
from netmon_tui.services.supervision import JobSupervisor, read_status
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.tools.nmap_arguments import (
    Command,
    NmapOptions,
    build_command,
    needs_private_pty,
    parse_options,
)
from netmon_tui.tools.nmap_exclusions import NeverScan
from netmon_tui.tools.nmap_progress import ScanPercent
from netmon_tui.tools.nmap_rate import under_ceiling
from netmon_tui.tools.nmap_targets import TargetSet, parse_targets

XML_NAME = "scan.xml"
FOLLOW_SECONDS = 0.25
"""How often the files of a running scan are looked at."""
_log = logging.getLogger(__name__)

_ENDED_AS = {
    EndReason.STOPPED: (JobState.CANCELLED, "stopped"),
    EndReason.DEADLINE: (JobState.FAILED, "the time limit was reached; what was found is kept"),
    EndReason.DISK_FULL: (JobState.FAILED, "the disk is full; what was found is kept"),
    EndReason.MEMORY: (JobState.FAILED, "nmap used more memory than allowed; what was found is kept"),
    EndReason.CPU: (JobState.FAILED, "nmap used more CPU time than allowed; what was found is kept"),
    EndReason.LIFELINE: (JobState.INTERRUPTED, "stopped because the application ended"),
}


class ScanningService:
    """Scans from request to end.

    Args:
        scans, results, audit: Storage.
        supervisor: Starts and follows jobs.
        settings: Limits.
        privilege: What this process may do.
        jobs: Directory of the job directories.
        find_profile: Returns the profile that an actor means by a name; raises InvalidInput.
        ended: Called (blocking) with the id of each scan whose results are complete.
    """

    def __init__(
        self,
        *,
        scans: ScanRepository,
        results: ScanResults,
        audit: AuditRepository,
        supervisor: JobSupervisor,
        settings: Settings,
        privilege: Privilege,
        jobs: Path,
        find_profile: Callable[[Actor, str], Awaitable[Profile]],
        ended: Callable[[int], None] = lambda scan_id: None,
    ) -> None:
        self._ended = ended
        self._scans = scans
        self._results = results
        self._audit = audit
        self._supervisor = supervisor
        self._settings = settings
        self._privilege = privilege
        self._jobs = jobs
        self._find_profile = find_profile
        supervisor.register(JobKind.SCAN, self._follow, self._give_up)

    async def preview(self, actor: Actor, request: StartScan) -> ScanPreview:
        """Return what a request would run, with every warning, or why it is refused."""
        try:
            return await self.plan(actor, request)
        except NetmonError as error:
            return ScanPreview(error=str(error))

    async def plan(self, actor: Actor, request: StartScan) -> ScanPreview:
        """Return what a request would run; raises what :meth:`start` would raise of it."""
        return await self._plan(await self._with_options(actor, request))

    async def _plan(self, request: StartScan) -> ScanPreview:
        options, targets = self._parse(request)
        path = self._jobs / "scan-N" / XML_NAME  # the number is known when the scan is
        command = await asyncio.to_thread(self._command, options, targets, str(path))
        return ScanPreview(command.argv, command.warnings, targets.count)

    async def start(self, actor: Actor, request: StartScan) -> Scan:
        """Start a scan.

        Raises:
            InvalidInput: A target or an option is refused, with the reason.
            NotAllowed: The actor may not scan.
            PrivilegeMissing: Without root nothing of what was asked is left.
            ToolMissing: nmap is not installed.
        """
        actor.require(Permission.SCAN)
        return await self._start(actor, await self._with_options(actor, request))

    async def _with_options(self, actor: Actor, request: StartScan) -> StartScan:
        """Return the request with the options of its profile, when it names one and has none itself."""
        if request.arguments or not request.profile:
            return request
        profile = await self._find_profile(actor, request.profile)
        return replace(request, profile=profile.reference_for(actor), arguments=profile.arguments)

    async def _start(self, actor: Actor, request: StartScan) -> Scan:
        """Start a scan with exactly the options of the request: the profile is but a name."""
        await self._plan(request)  # whatever can be refused is, before there is a row
        options, targets = self._parse(request)
        scan_id = await asyncio.to_thread(
            self._scans.create,
            actor,
            targets=targets.texts,
            profile=request.profile,
            arguments=options.line,
            name=clean(request.name),
            jobs=self._jobs,
        )
        try:
            await self._launch(actor, scan_id, options, targets, detached=request.detached)
        except (NetmonError, OSError) as error:
            await asyncio.to_thread(
                self._scans.update,
                scan_id,
                state=JobState.FAILED.value,
                error=str(error),
                finished=datetime.now(UTC),
            )
            raise
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def _launch(
        self, actor: Actor, scan_id: int, options: NmapOptions, targets: TargetSet, *, detached: bool
    ) -> None:
        path = self._jobs / f"scan-{scan_id}"
        command = await asyncio.to_thread(self._command, options, targets, str(path / XML_NAME))
        await asyncio.to_thread(
            self._scans.update,
            scan_id,
            command=list(command.argv),
            warnings=list(command.warnings),
            state=JobState.RUNNING.value,
            started=datetime.now(UTC),
        )
        await asyncio.to_thread(
            self._audit.record, actor, "scan.start", f"scan {scan_id}", " ".join(command.argv)
        )
        spec = await asyncio.to_thread(self._spec, command, detached)
        await self._supervisor.launch(JobKind.SCAN, scan_id, actor, spec, path)

    async def stop(self, actor: Actor, scan_id: int) -> None:
        """Stop a running scan; what it found so far is kept.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It does not run.
        """
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        actor.require(Permission.SCAN)
        if scan.state.is_final:
            raise InvalidInput(f"scan {scan_id} does not run: it is {scan.state}")
        await asyncio.to_thread(self._audit.record, actor, "scan.stop", f"scan {scan_id}", "")
        await self._supervisor.stop(JobKind.SCAN, scan_id)

    async def repeat(self, actor: Actor, scan_id: int) -> Scan:
        """Run a scan again with the same targets and options, as a new scan of the actor.

        Stored targets pass the grammar again: an imported file may have named anything.
        """
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        if scan.imported:
            raise InvalidInput(
                f"scan {scan_id} was imported and cannot be run again", fix="start a new scan of its hosts"
            )
        actor.require(Permission.SCAN)
        # The options are the scan's own, also none at all: its profile may say something else by now.
        return await self._start(actor, StartScan(scan.targets, scan.arguments, scan.profile, scan.name))

    async def wait(self, actor: Actor, scan_id: int) -> Scan:
        """Return the scan once it has ended."""
        await self._supervisor.wait(JobKind.SCAN, scan_id)
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    def _parse(self, request: StartScan) -> tuple[NmapOptions, TargetSet]:
        options = parse_options(request.arguments)
        targets = parse_targets(request.targets, limit=self._settings.scans.maximum_addresses)
        return options, targets

    def _command(self, options: NmapOptions, targets: TargetSet, xml_path: str) -> Command:
        limits = self._settings.scans
        never = NeverScan(limits.never_scan)
        never.refuse(targets.targets)
        nmap = require_tool("nmap")
        excluding = never.added_to(options, ipv6=targets.ipv6 or options.has("-6"))
        return build_command(
            nmap,
            under_ceiling(excluding, limits.maximum_rate),
            targets.targets,
            xml_path=xml_path,
            version=version_numbers("nmap"),
            privileged=self._privilege.can_scan_raw,
            by_capabilities=self._privilege.nmap_needs_flag,
            ipv6=targets.ipv6,
        )

    def _spec(self, command: Command, detached: bool) -> JobSpec:
        limits = self._settings.scans
        return JobSpec(
            kind=JobKind.SCAN,
            argv=command.argv,
            limits=JobLimits(
                seconds=limits.longest_run_seconds,
                cpu_seconds=limits.cpu_limit_seconds,
                memory_bytes=limits.memory_limit_bytes,
                free_space_floor=self._settings.captures.free_space_floor_bytes,
            ),
            detached=detached,
            private_pty=needs_private_pty(version_numbers("nmap")),
        )

    async def _follow(self, job: Job) -> None:
        """Read a scan's files until its runner is done, then record how it ended."""
        directory = JobDirectory(Path(job.directory))
        ingest = await asyncio.to_thread(self._open_ingest, job)
        with ExitStack() as files:
            xml: BinaryIO | None = None
            text: BinaryIO | None = None
            while True:
                status, over = await asyncio.to_thread(read_status, directory)
                xml = xml or _open_if_there(files, directory.path / XML_NAME)
                text = text or _open_if_there(files, directory.path / "stdout")
                new = False
                if xml is not None:
                    new = await asyncio.to_thread(ingest.step, xml, text)
                if over and not new:
                    break
                if not new:
                    self._supervisor.up_to_date(job)
                    await asyncio.sleep(FOLLOW_SECONDS)
        await asyncio.to_thread(self._finish, job, ingest, status)

    def _open_ingest(self, job: Job) -> ScanIngest:
        arguments, targets = self._scans.request(job.subject_id)
        percent = None
        try:
            addresses = parse_targets(targets, limit=self._settings.scans.maximum_addresses).count
            percent = ScanPercent(parse_options(arguments), addresses)
        except InvalidInput as error:
            # Another version's grammar, or a lower limit by now: no reason to lose what the scan finds.
            _log.warning("scan %d has no percentage: %s", job.subject_id, error)
        return ScanIngest(job.subject_id, self._scans, self._results, percent)

    def _give_up(self, job: Job, reason: str) -> None:
        values = {"state": JobState.FAILED.value, "error": reason, "finished": datetime.now(UTC)}
        self._scans.update(job.subject_id, remaining=None, phase="", **values)

    def _finish(self, job: Job, ingest: ScanIngest, status: JobStatus | None) -> None:
        ingest.complete()
        state, error = _ending(ingest, status, JobDirectory(Path(job.directory)))
        values: dict[str, Any] = {"state": state.value, "error": error, "remaining": None, "phase": ""}
        if state is JobState.COMPLETED:
            values["percent"] = 100.0
        ended = moment_of(status.ended if status else None) or datetime.now(UTC)
        self._scans.update(job.subject_id, finished=ended, **values)
        said = [] if state is JobState.FAILED else _complaints(Path(job.directory))
        self._scans.add_warnings(job.subject_id, [*ingest.warnings, *said, *ingest.refused[:MOST_WARNINGS]])
        self._note_end(job.subject_id)
        self._supervisor.finish(job, state, error)

    def _note_end(self, scan_id: int) -> None:
        """Tell whoever wants to know; a failure of theirs must not make the scan look unfinished."""
        try:
            self._ended(scan_id)
        except (NetmonError, ValueError, LookupError):
            _log.exception("after the end of scan %d", scan_id)


def _open_if_there(files: ExitStack, path: Path) -> BinaryIO | None:
    try:
        return files.enter_context(path.open("rb"))
    except FileNotFoundError:
        return None


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
