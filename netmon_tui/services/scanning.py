"""Asking for, pausing, stopping, resuming and repeating scans."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from netmon_tui.domain.job import Job, JobKind, JobState
from netmon_tui.domain.scan import Scan, ScanPreview, StartScan, require_confirmed
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.scan_commands import PLAN_NAME, PreparedScan, ScanCommands, stages_in
from netmon_tui.services.scan_estimates import ScanEstimates
from netmon_tui.services.scan_queue import ScanQueue
from netmon_tui.services.supervision import JobSupervisor, is_halted
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.tools.nmap_coverage import TargetCoverage
from netmon_tui.tools.nmap_targets import parse_target, parse_targets

QUEUE_SECONDS = 0.5
"""How often a waiting scan is looked at by who waits for it."""
_SKIP_NAME = "skip"


class ScanningService:
    """Scans from request to end.

    Args:
        scans, audit: Storage.
        supervisor: Knows what runs.
        queue: Starts what waits.
        commands: Makes commands of requests.
        estimates: Tells what they cost.
        jobs: Directory of the job directories.
        complete: Returns a request with what its profile and its sets stand for; raises InvalidInput.
    """

    def __init__(
        self,
        scans: ScanRepository,
        audit: AuditRepository,
        supervisor: JobSupervisor,
        queue: ScanQueue,
        commands: ScanCommands,
        estimates: ScanEstimates,
        jobs: Path,
        complete: Callable[[Actor, StartScan], Awaitable[StartScan]],
    ) -> None:
        self._scans = scans
        self._audit = audit
        self._supervisor = supervisor
        self._queue = queue
        self._commands = commands
        self._estimates = estimates
        self._jobs = jobs
        self._complete = complete

    # --- before the start ----------------------------------------------------------------------------

    async def preview(self, actor: Actor, request: StartScan) -> ScanPreview:
        """Return what a request would run, with every warning, or why it is refused."""
        try:
            return await self.plan(actor, request)
        except NetmonError as error:
            return ScanPreview(error=str(error))

    async def plan(self, actor: Actor, request: StartScan) -> ScanPreview:
        """Return what a request would run; raises what :meth:`start` would raise of it."""
        request = await self._complete(actor, request)
        prepared = await self._prepare(actor, request)
        command = prepared.command
        return ScanPreview(
            command.argv,
            command.warnings,
            tuple(prepared.stages.values()),
            prepared.targets.count,
            to_confirm=command.to_confirm,
            stage_names=tuple(prepared.stages),
            only_if_far=prepared.only_if_far,
            estimate=await self._estimates.of(actor, request, prepared),
            never_scanned=prepared.never,
        )

    async def _prepare(self, owner: Actor, request: StartScan) -> PreparedScan:
        path = self._jobs / "scan-N"  # the number is known when the scan is
        return await asyncio.to_thread(self._commands.prepare, owner, request, path)

    # --- the start -----------------------------------------------------------------------------------

    async def start(self, actor: Actor, request: StartScan) -> Scan:
        """Start a scan, or let it wait while as many run as may.

        Raises:
            InvalidInput: A target or an option is refused, with the reason, or scripts have to be confirmed.
            NotAllowed: The actor may not scan.
            PrivilegeMissing: Without root nothing of what was asked is left.
            ToolMissing: nmap is not installed.
        """
        actor.require(Permission.SCAN)
        return await self._start(actor, await self._complete(actor, request))

    async def _start(self, actor: Actor, request: StartScan) -> Scan:
        """Start a scan with exactly the options of the request: the profile is but a name."""
        prepared = await self._prepare(actor, request)  # whatever can be refused is, before there is a row
        require_confirmed(prepared.command.to_confirm, confirmed=request.confirmed)
        scan_id = await asyncio.to_thread(
            self._scans.create,
            actor,
            targets=prepared.targets.texts,
            profile=request.profile,
            arguments=prepared.options.line,
            name=clean(request.name),
            warnings=prepared.command.warnings,
            command=prepared.command.argv,
            detached=request.detached,
            staged=request.staged,
            sets=request.sets,
            jobs=self._jobs,
        )
        await self._queue.start_waiting(scan_id)
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    # --- while it runs -------------------------------------------------------------------------------

    async def stop(self, actor: Actor, scan_id: int) -> None:
        """Stop a scan that runs or waits; what it found so far is kept.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It does not run.
        """
        await self._unfinished(actor, scan_id)
        await self._record(actor, "scan.stop", scan_id)
        if await asyncio.to_thread(self._scans.cancel_queued, scan_id):
            return
        await self._job(await asyncio.to_thread(self._scans.get, actor, scan_id))
        await self._supervisor.stop(JobKind.SCAN, scan_id)

    async def pause(self, actor: Actor, scan_id: int, *, paused: bool = True) -> Scan:
        """Halt a running scan, or let a paused one go on. The hosts it is at are asked again after a long pause.

        A paused scan has left its place to others: to go on, it waits for one like every scan. Where its owner's
        limits have changed meanwhile it is resumed under those of today.

        Raises:
            NotFound: No such scan, or not the actor's.
            NotAllowed: Its owner may not scan any more.
            InvalidInput: It does not run, or a target may not be scanned any more.
        """
        scan = await self._unfinished(actor, scan_id)
        job = await self._job(scan)
        if job is None:
            raise InvalidInput(f"scan {scan_id} has not begun: it waits for its turn")
        await self._record(actor, "scan.pause" if paused else "scan.continue", scan_id)
        if not paused and await asyncio.to_thread(is_halted, job):
            if await self._queue.fits(scan):
                await asyncio.to_thread(self._scans.queue_paused, scan_id)
                await self._queue.start_waiting(scan_id)
            else:
                await self._begin_again(job)
        elif not (paused and await asyncio.to_thread(self._scans.stay_paused, scan_id)):
            await self._supervisor.pause(JobKind.SCAN, scan_id, paused=paused)
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def skip(self, actor: Actor, scan_id: int, address: str) -> Scan:
        """Give a host up that keeps a scan waiting; the rest goes on. What it has of the host is kept.

        A scan of one nmap is stopped and resumed without the host: of those it was at, it begins anew.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It does not run, or the address is none, or was given up before.
        """
        scan = await self._unfinished(actor, scan_id)
        given_up = _host_of(scan, address)
        if given_up in scan.skipped:
            raise InvalidInput(f"{given_up} is given up already", why="nothing more is asked of it")
        await self._record(actor, "scan.skip", scan_id, given_up)
        # Whoever starts or resumes it from here on leaves the host out; only a run before that must be told.
        await asyncio.to_thread(self._scans.give_up_host, scan_id, given_up)
        while job := await self._job(await self._unfinished(actor, scan_id)):
            directory = Path(job.directory)
            if await asyncio.to_thread((directory / PLAN_NAME).exists):
                await asyncio.to_thread(_append, directory / _SKIP_NAME, given_up)
                break
            if await asyncio.to_thread(is_halted, job):
                break  # it is told when it goes on
            # Where it does not wait again by us, somebody else has done the same: that run is told.
            if await self._begin_again(job):
                break
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def _begin_again(self, job: Job) -> bool:
        """Stop a run and resume its scan; False when somebody else has done that."""
        await self._supervisor.stop(JobKind.SCAN, job.subject_id)
        await self._supervisor.wait_for(job)
        waits = await asyncio.to_thread(self._scans.queue_again, job.subject_id)
        if waits:
            await self._queue.start_waiting(job.subject_id)
        return waits

    async def _unfinished(self, actor: Actor, scan_id: int) -> Scan:
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        actor.require(Permission.SCAN)
        if scan.state.is_final:
            raise InvalidInput(f"scan {scan_id} does not run: it is {scan.state}")
        return scan

    async def _job(self, scan: Scan) -> Job | None:
        """Return the job of a scan that has not ended; None of one that waits and has not begun.

        Raises:
            InvalidInput: It is starting, and does not come to its start.
        """
        waits = scan.state is JobState.QUEUED
        job = await self._supervisor.job_with_runner(JobKind.SCAN, scan.id, *([0.0] if waits else []))
        if job is None and not waits:
            raise InvalidInput(f"scan {scan.id} has not begun yet", fix="try again in a moment")
        return job

    async def wait(self, actor: Actor, scan_id: int) -> Scan:
        """Return the scan once it has ended."""
        await self._supervisor.start()  # what it waits for may run with nobody to follow it
        while True:
            scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
            if scan.state.is_final:
                return scan
            if scan.state is JobState.QUEUED:
                await self._queue.start_waiting()
                await asyncio.sleep(QUEUE_SECONDS)
            elif job := await self._supervisor.job_with_runner(JobKind.SCAN, scan_id, QUEUE_SECONDS):
                await self._supervisor.wait_for(job)

    async def stages(self, actor: Actor, scan_id: int) -> dict[str, tuple[str, ...]]:
        """Return the commands of a scan's stages by name, without output and targets; none when it is one nmap."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(stages_in, self._jobs / f"scan-{scan_id}")

    # --- once more -----------------------------------------------------------------------------------

    async def resume(self, actor: Actor, scan_id: int) -> Scan:
        """Go on with a scan that ended before it was done: what is finished is not scanned again.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It is done, runs still, was imported, or has had all its time.
        """
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        actor.require(Permission.SCAN)
        self._refuse_imported(scan)
        await asyncio.to_thread(self._commands.seconds_left, self._jobs / f"scan-{scan_id}")
        if scan.state.is_final:  # its job is finished a moment later, when all is told of its end
            await self._supervisor.wait(JobKind.SCAN, scan_id)
        await self._record(actor, "scan.resume", scan_id)
        if not await asyncio.to_thread(self._scans.queue_again, scan_id):
            scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
            raise InvalidInput(
                f"scan {scan_id} cannot go on: it is {scan.state}",
                fix="" if not scan.state.is_final else "to scan again: scan run, or r in the list of scans",
            )
        await self._queue.start_waiting(scan_id)
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def repeat(self, actor: Actor, scan_id: int, *, confirmed: bool = False) -> Scan:
        """Run a scan again with the same targets and options, as a new scan of the actor; raises as start.

        Stored targets pass the grammar again: an imported file may have named anything.
        """
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        self._refuse_imported(scan)
        actor.require(Permission.SCAN)
        # The options are the scan's own, also none at all: its profile may say something else by now.
        request = StartScan(scan.targets, scan.arguments, scan.profile, scan.name, staged=scan.staged)
        return await self._start(actor, replace(request, confirmed=confirmed, sets=scan.sets))

    def _refuse_imported(self, scan: Scan) -> None:
        if scan.imported:
            raise InvalidInput(
                f"scan {scan.id} was imported and cannot be run again", fix="start a new scan of its hosts"
            )

    async def _record(self, actor: Actor, action: str, scan_id: int, detail: str = "") -> None:
        await asyncio.to_thread(self._audit.record, actor, action, f"scan {scan_id}", detail)


def _host_of(scan: Scan, address: str) -> str:
    """Return the address of one host of a scan, as nmap is given it; raises InvalidInput for any other."""
    target = parse_target(address)
    if target.count != 1 or target.family is None:
        raise InvalidInput(f"{target.text} is not the address of one host")
    found = target.text.split("/")[0]
    targets = parse_targets(scan.targets, limit=2**128)
    by_address = all(one.family is not None and "%" not in one.text for one in targets.targets)
    if by_address and not TargetCoverage(targets.texts).covers(found):
        raise InvalidInput(f"{found} is not among the targets of scan {scan.id}")
    return found


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
