"""Scans that wait for a place: starting them when there is one, and following them to their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from netmon_tui.domain.job import Job, JobKind, JobState
from netmon_tui.domain.scan import Scan, StartScan
from netmon_tui.domain.user import Actor, Permission, Role
from netmon_tui.errors import NetmonError, NotAllowed
from netmon_tui.runtime.job_directory import EARLIER, was_begun
from netmon_tui.services.scan_commands import PLAN_NAME, PreparedScan, ScanCommands, write_plan
from netmon_tui.services.scan_following import ScanFollower
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.tools.nmap_coverage import excluded_by

LIMITS_CHANGED = (
    "its limits have changed while it waited: let it go on again, and it is held to those of today"
)
_log = logging.getLogger(__name__)


class ScanQueue:
    """The scans of all users that wait, oldest first.

    Args:
        scans, audit: Storage.
        supervisor: Starts and follows jobs.
        follower: Reads what scans find.
        commands: Makes commands of requests.
        at_once: Scans that run at the same time.
        jobs: Directory of the job directories.
        today: Returns a user with today's role, or None when the account may not be used any more.
    """

    def __init__(
        self,
        *,
        scans: ScanRepository,
        audit: AuditRepository,
        supervisor: JobSupervisor,
        follower: ScanFollower,
        commands: ScanCommands,
        at_once: int,
        jobs: Path,
        today: Callable[[Actor], Awaitable[Actor | None]],
    ) -> None:
        self._scans = scans
        self._audit = audit
        self._supervisor = supervisor
        self._follower = follower
        self._commands = commands
        self._at_once = at_once
        self._jobs = jobs
        self._today = today
        self._starting = asyncio.Lock()
        supervisor.register(JobKind.SCAN, self._follow, follower.give_up)
        supervisor.on_sweep(self.start_waiting)

    async def start_waiting(self, wanted: int | None = None) -> None:
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
        if await self._supervisor.job_with_runner(JobKind.SCAN, scan.id, patience=0.0):
            await self._go_on(scan)  # it was halted, and needed but the place
            return
        owner = await self._owner_today(scan)
        path, request = self._jobs / f"scan-{scan.id}", _request(scan)
        goes_on = await asyncio.to_thread(was_begun, path)
        prepared = await asyncio.to_thread(
            self._commands.prepare,
            owner,
            request,
            path,
            goes_on=goes_on,
            skipped=scan.skipped,
            spared=excluded_by(scan.command) if goes_on else (),
        )
        if not goes_on:
            prepared = await asyncio.to_thread(self._commands.settle, prepared)
        spec = await asyncio.to_thread(self._commands.spec, prepared, path, detached=scan.detached)
        await self._note_start(owner, scan, prepared)
        if goes_on:
            await asyncio.to_thread(self._follower.begin_again, scan.id, path, scan.skipped)
        await asyncio.to_thread(write_plan, prepared, path)
        try:
            await self._supervisor.launch(JobKind.SCAN, scan.id, owner, spec, path)
        except (NetmonError, OSError):
            if goes_on:
                await asyncio.to_thread(self._follower.read_again, scan.id, path / EARLIER)
            raise

    async def _owner_today(self, scan: Scan) -> Actor:
        """Return the owner with today's role; raises NotAllowed when that is not to scan any more."""
        owner = await self._today(Actor(scan.owner_id, scan.owner, Role.VIEWER))
        if owner is None or not owner.may(Permission.SCAN):
            raise NotAllowed(f"{scan.owner} may not scan any more")
        return owner

    async def fits(self, scan: Scan) -> bool:
        """Whether what a halted scan would go on with is what its start would run today.

        It is not when its owner's limits have changed, or a host was given up that its one nmap does not know of.

        Raises:
            NotAllowed: Its owner may not scan any more.
            InvalidInput: A target may not be scanned any more.
        """
        owner, path = await self._owner_today(scan), self._jobs / f"scan-{scan.id}"
        spared = excluded_by(scan.command)
        prepared = await asyncio.to_thread(self._commands.prepare, owner, _request(scan), path, spared=spared)
        knows = not scan.skipped or await asyncio.to_thread((path / PLAN_NAME).exists)
        return knows and prepared.command.argv == scan.command

    async def _go_on(self, scan: Scan) -> None:
        """Let a halted scan go on, unless its limits have changed while it waited: then it stays halted."""
        try:
            why = "" if await self.fits(scan) else LIMITS_CHANGED
        except NetmonError as error:
            why = str(error)
        if why:
            _log.warning("scan %d does not go on: %s", scan.id, why)
            await asyncio.to_thread(self._scans.note_pause, scan.id, paused=True, why=why)
        else:
            await self._supervisor.pause(JobKind.SCAN, scan.id, paused=False)

    async def _note_start(self, owner: Actor, scan: Scan, prepared: PreparedScan) -> None:
        command = prepared.command
        await asyncio.to_thread(
            self._scans.update,
            scan.id,
            command=list(command.argv),
            warnings=list(dict.fromkeys((*scan.warnings, *command.warnings))),
            started=scan.started or datetime.now(UTC),
        )
        detail = " ".join(command.argv)
        await asyncio.to_thread(self._audit.record, owner, "scan.start", f"scan {scan.id}", detail)

    async def _follow(self, job: Job) -> None:
        state, error = await self._follower.follow(job, self._supervisor.rest)
        await asyncio.to_thread(self._supervisor.finish, job, state, error)


def _request(scan: Scan) -> StartScan:
    return StartScan(scan.targets, scan.arguments, staged=scan.staged)
