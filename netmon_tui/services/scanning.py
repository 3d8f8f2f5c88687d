"""Starting, queueing, pausing, stopping, resuming and repeating scans."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from netmon_tui.domain.job import Job, JobKind, JobState
from netmon_tui.domain.scan import Scan, ScanPreview, StartScan, require_confirmed
from netmon_tui.domain.user import Actor, Permission, Role
from netmon_tui.errors import InvalidInput, NetmonError, NotAllowed
from netmon_tui.runtime.job_directory import EARLIER, was_begun
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.scan_commands import PLAN_NAME, PreparedScan, ScanCommands, stages_in, write_plan
from netmon_tui.services.scan_estimates import ScanEstimates
from netmon_tui.services.scan_following import ScanFollower
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.tools.nmap_targets import parse_target

QUEUE_SECONDS = 0.5
"""How often a waiting scan is looked at by who waits for it."""
_SKIP_NAME = "skip"
_log = logging.getLogger(__name__)


class ScanningService:
    """Scans from request to end.

    Args:
        scans, results, audit: Storage.
        supervisor: Starts and follows jobs.
        follower: Reads what scans find.
        commands: Makes commands of requests.
        estimates: Tells what they cost.
        at_once: Scans that run at the same time.
        jobs: Directory of the job directories.
        complete: Returns a request with what its profile and its sets stand for; raises InvalidInput.
        today: Returns a user with today's role, or None when the account may not be used any more.
    """

    def __init__(
        self,
        *,
        scans: ScanRepository,
        results: ScanResults,
        audit: AuditRepository,
        supervisor: JobSupervisor,
        follower: ScanFollower,
        commands: ScanCommands,
        estimates: ScanEstimates,
        at_once: int,
        jobs: Path,
        complete: Callable[[Actor, StartScan], Awaitable[StartScan]],
        today: Callable[[Actor], Awaitable[Actor | None]],
    ) -> None:
        self._scans = scans
        self._results = results
        self._audit = audit
        self._supervisor = supervisor
        self._commands = commands
        self._estimates = estimates
        self._at_once = at_once
        self._jobs = jobs
        self._complete = complete
        self._today = today
        self._starting = asyncio.Lock()
        self._follower = follower
        supervisor.register(JobKind.SCAN, self._follow, follower.give_up)
        supervisor.on_sweep(self.start_queued)

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
        await self.start_queued(scan_id)
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def start_queued(self, wanted: int | None = None) -> None:
        """Start scans that wait, oldest first, as many as may run.

        Any program that looks does it for all users: whoever asked may be gone.

        Raises:
            NetmonError, OSError: The scan ``wanted`` could not start; failures of others are only recorded.
        """
        async with self._starting:
            while scan := await asyncio.to_thread(self._scans.claim_next, self._at_once):
                try:
                    await self._launch(scan)
                except (NetmonError, OSError) as error:
                    await self._record_failure(scan.id, str(error))
                    if scan.id == wanted:
                        raise
                    _log.warning("scan %d could not start: %s", scan.id, error)
                except BaseException:  # this program ends: another one may start it
                    await asyncio.shield(asyncio.to_thread(self._scans.give_back, scan.id))
                    raise

    async def _record_failure(self, scan_id: int, reason: str) -> None:
        await asyncio.to_thread(
            self._scans.update,
            scan_id,
            state=JobState.FAILED.value,
            error=reason,
            finished=datetime.now(UTC),
        )

    async def _launch(self, scan: Scan) -> None:
        """Start the job of a scan that was claimed; where an earlier run has left files, go on with them."""
        owner = await self._today(Actor(scan.owner_id, scan.owner, Role.VIEWER))
        if owner is None or not owner.may(Permission.SCAN):
            raise NotAllowed(f"{scan.owner} may not scan any more")
        path = self._jobs / f"scan-{scan.id}"
        request = StartScan(scan.targets, scan.arguments, staged=scan.staged)
        goes_on = await asyncio.to_thread(was_begun, path)
        prepared = await asyncio.to_thread(
            self._commands.prepare, owner, request, path, goes_on=goes_on, skipped=scan.skipped
        )
        await self._note_start(owner, scan, prepared)
        if goes_on:
            await asyncio.to_thread(self._follower.begin_again, scan.id, path)
        await asyncio.to_thread(write_plan, prepared, path)
        spec = await asyncio.to_thread(self._commands.spec, prepared, detached=scan.detached)
        try:
            await self._supervisor.launch(JobKind.SCAN, scan.id, owner, spec, path)
        except (NetmonError, OSError):
            if goes_on:
                await asyncio.to_thread(self._follower.read_again, scan.id, path / EARLIER)
            raise

    async def _note_start(self, owner: Actor, scan: Scan, prepared: PreparedScan) -> None:
        command = prepared.command
        await asyncio.to_thread(
            self._scans.update,
            scan.id,
            command=list(command.argv),
            warnings=list(command.warnings),
            started=scan.started or datetime.now(UTC),
        )
        detail = " ".join(command.argv)
        await asyncio.to_thread(self._audit.record, owner, "scan.start", f"scan {scan.id}", detail)

    # --- while it runs -------------------------------------------------------------------------------

    async def stop(self, actor: Actor, scan_id: int) -> None:
        """Stop a scan that runs or waits; what it found so far is kept.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It does not run.
        """
        scan = await self._unfinished(actor, scan_id)
        await self._record(actor, "scan.stop", scan_id)
        if scan.state is JobState.QUEUED and await asyncio.to_thread(self._scans.cancel_queued, scan_id):
            return
        await self._supervisor.until_launched(JobKind.SCAN, scan_id)
        await self._supervisor.stop(JobKind.SCAN, scan_id)

    async def pause(self, actor: Actor, scan_id: int, *, paused: bool = True) -> None:
        """Halt a running scan, or let a paused one go on. The hosts it is at are asked again after a long pause.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It does not run.
        """
        scan = await self._unfinished(actor, scan_id)
        if scan.state is JobState.QUEUED:
            raise InvalidInput(f"scan {scan_id} has not begun: it waits for its turn")
        await self._record(actor, "scan.pause" if paused else "scan.continue", scan_id)
        await self._supervisor.until_launched(JobKind.SCAN, scan_id)
        await self._supervisor.pause(JobKind.SCAN, scan_id, paused=paused)

    async def skip(self, actor: Actor, scan_id: int, address: str) -> Scan:
        """Give a host up that keeps a scan waiting; the rest goes on. What it has of the host is kept.

        A scan of one nmap is stopped and resumed without the host: of those it was at, it begins anew.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It does not run, or the address is none.
        """
        scan = await self._unfinished(actor, scan_id)
        target = parse_target(address)
        if target.count != 1 or target.family is None:
            raise InvalidInput(f"{target.text} is not the address of one host")
        given_up = target.text.split("/")[0]
        await self._record(actor, "scan.skip", scan_id, given_up)
        skipped = (*scan.skipped, given_up)
        path = self._jobs / f"scan-{scan_id}"
        if scan.state is JobState.QUEUED:
            await asyncio.to_thread(self._scans.update, scan_id, skipped=list(skipped))
            return await asyncio.to_thread(self._scans.get, actor, scan_id)
        await self._supervisor.until_launched(JobKind.SCAN, scan_id)
        if await asyncio.to_thread((path / PLAN_NAME).exists):
            await asyncio.to_thread(self._scans.update, scan_id, skipped=list(skipped))
            await asyncio.to_thread(_append, path / _SKIP_NAME, given_up)
            return await asyncio.to_thread(self._scans.get, actor, scan_id)
        await self._supervisor.stop(JobKind.SCAN, scan_id)
        await self.wait(actor, scan_id)
        return await self._queue_again(actor, scan_id, skipped)

    async def _unfinished(self, actor: Actor, scan_id: int) -> Scan:
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        actor.require(Permission.SCAN)
        if scan.state.is_final:
            raise InvalidInput(f"scan {scan_id} does not run: it is {scan.state}")
        return scan

    async def wait(self, actor: Actor, scan_id: int) -> Scan:
        """Return the scan once it has ended."""
        await self._supervisor.start()  # what it waits for may run with nobody to follow it
        while True:
            scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
            if scan.state.is_final:
                return scan
            if scan.state is JobState.QUEUED or not await self._supervisor.knows(JobKind.SCAN, scan_id):
                await self.start_queued()
                await asyncio.sleep(QUEUE_SECONDS)
            else:
                await self._supervisor.wait(JobKind.SCAN, scan_id)

    async def _follow(self, job: Job) -> None:
        state, error = await self._follower.follow(job, self._supervisor.up_to_date)
        await asyncio.to_thread(self._supervisor.finish, job, state, error)

    async def stages(self, actor: Actor, scan_id: int) -> dict[str, tuple[str, ...]]:
        """Return the commands of a scan's stages by name, without output and targets; none when it is one nmap."""
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        return await asyncio.to_thread(stages_in, self._jobs / f"scan-{scan_id}")

    # --- once more -----------------------------------------------------------------------------------

    async def resume(self, actor: Actor, scan_id: int) -> Scan:
        """Go on with a scan that ended before it was done: what is finished is not scanned again.

        Raises:
            NotFound: No such scan, or not the actor's.
            InvalidInput: It is done, runs still, or was imported.
        """
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        actor.require(Permission.SCAN)
        self._refuse_imported(scan)
        await self._record(actor, "scan.resume", scan_id)
        return await self._queue_again(actor, scan_id, scan.skipped)

    async def _queue_again(self, actor: Actor, scan_id: int, skipped: tuple[str, ...]) -> Scan:
        if not await asyncio.to_thread(self._scans.queue_again, scan_id, skipped):
            scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
            raise InvalidInput(
                f"scan {scan_id} cannot go on: it is {scan.state}",
                fix="" if not scan.state.is_final else "to scan again: scan run, or r in the list of scans",
            )
        await self.start_queued(scan_id)
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


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
