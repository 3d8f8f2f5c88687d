"""Starting, following, stopping and keeping captures."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from netmon_tui.config.settings import Settings
from netmon_tui.domain.capture import CAPTURE_NAME, Capture, CaptureFile, CapturePreview, StartCapture
from netmon_tui.domain.job import (
    CaptureCounters,
    EndReason,
    Job,
    JobKind,
    JobLimits,
    JobSpec,
    JobState,
    JobStatus,
)
from netmon_tui.domain.neighbour import Interface
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import InvalidInput, NetmonError, PrivilegeMissing
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.filter_check import CompiledFilter, compile_counters, compile_filter
from netmon_tui.runtime.interfaces import Counters
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.kept_index import keep_index
from netmon_tui.services.supervision import JobSupervisor, read_status
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools import bpf, pcap_files, tcpdump

FOLLOW_SECONDS = 0.25
STORE_SECONDS = 1.0
"""How often a running capture's figures are stored; this program shows those in memory."""

_ENDED_AS = {
    EndReason.FINISHED: JobState.COMPLETED,
    EndReason.STOPPED: JobState.COMPLETED,
    EndReason.DEADLINE: JobState.COMPLETED,
    EndReason.SIZE_LIMIT: JobState.COMPLETED,
    EndReason.LIFELINE: JobState.INTERRUPTED,
}
"""Stopping is how a capture ends; everything else is a failure that keeps what was captured."""


class CapturingService:
    """Captures from request to catalogue.

    Args:
        captures, audit: Storage.
        supervisor: Starts and follows jobs.
        settings: Limits.
        privilege: What this process may do.
        jobs: Directory of the job directories.
        environ: Where the SSH session of this program is read from.
    """

    def __init__(
        self,
        captures: CaptureRepository,
        audit: AuditRepository,
        supervisor: JobSupervisor,
        settings: Settings,
        privilege: Privilege,
        *,
        jobs: Path,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._captures = captures
        self._audit = audit
        self._supervisor = supervisor
        self._settings = settings
        self._privilege = privilege
        self._jobs = jobs
        self._environ = environ
        self._live: dict[int, CaptureCounters] = {}
        supervisor.register(JobKind.CAPTURE, self._follow, self._give_up)

    async def interfaces(self) -> list[Interface]:
        """Return the interfaces that can be captured on, ``any`` last."""
        found = await asyncio.to_thread(interfaces.list_interfaces)
        return [*found, Interface(name="any")]

    async def interface_counters(self) -> dict[str, Counters]:
        """Return what each interface has received and sent."""
        return await asyncio.to_thread(interfaces.interface_counters)

    def own_session(self) -> str:
        """Return the far end of the SSH session this program is used through; empty when there is none."""
        session = interfaces.ssh_session(self._environ)
        return f"{session.client} port {session.client_port}" if session else ""

    def build_filter(self, protocol: str, host: str, port: str) -> str:
        """Return the BPF filter that the simple fields mean; InvalidInput says which field is wrong."""
        return bpf.build_filter(protocol, host, port)

    async def preview(self, request: StartCapture) -> CapturePreview:
        """Return what a request would run, its filter compiled, or why it is refused."""
        try:
            bpf.check_text(request.filter)
            whole = self._whole_filter(request)
            program = await asyncio.to_thread(self._compile, request.interface, request.filter)
            tool = await asyncio.to_thread(require_tool, "tcpdump")
            command = tcpdump.build_command(tool, request, whole)
        except InvalidInput as error:
            return CapturePreview(error=str(error), position=error.position)
        except NetmonError as error:
            return CapturePreview(error=str(error))
        return CapturePreview(command, whole, program.instructions)

    def _compile(self, interface: str, text: str) -> CompiledFilter:
        linktype = _linktype(interface)
        return compile_filter(require_tool("tcpdump"), text, linktype)

    def _whole_filter(self, request: StartCapture) -> str:
        session = interfaces.ssh_session(self._environ)
        if request.include_own_ssh or session is None:
            return request.filter
        return bpf.exclude_ssh(request.filter, *session)

    async def start(self, actor: Actor, request: StartCapture) -> Capture:
        """Start a capture.

        Raises:
            InvalidInput: Interface, filter or a limit is refused, with the reason.
            NotAllowed: The actor may not capture.
            PrivilegeMissing: This process may not open the interface.
            ToolMissing: tcpdump is not installed.
        """
        actor.require(Permission.CAPTURE)
        tool = await asyncio.to_thread(require_tool, "tcpdump")
        await asyncio.to_thread(self._check, request)
        whole = self._whole_filter(request)
        command = tcpdump.build_command(tool, request, whole)
        programs = await asyncio.to_thread(self._counting_programs, request.interface, whole)
        capture_id = await asyncio.to_thread(
            self._captures.create,
            actor,
            replace(request, name=clean(request.name)),
            filter=whole,
            jobs=self._jobs,
        )
        try:
            await self._launch(actor, capture_id, self._spec(request, command, programs))
        except (NetmonError, OSError) as error:
            failed = {"state": JobState.FAILED.value, "error": str(error), "finished": datetime.now(UTC)}
            await asyncio.to_thread(self._captures.update, capture_id, **failed)
            raise
        return await self.get(actor, capture_id)

    async def _launch(self, actor: Actor, capture_id: int, spec: JobSpec) -> None:
        await asyncio.to_thread(
            self._captures.update,
            capture_id,
            command=list(spec.argv),
            state=JobState.RUNNING.value,
            started=datetime.now(UTC),
        )
        await asyncio.to_thread(
            self._audit.record, actor, "capture.start", f"capture {capture_id}", " ".join(spec.argv)
        )
        path = self._jobs / f"capture-{capture_id}"
        await self._supervisor.launch(JobKind.CAPTURE, capture_id, actor, spec, path)

    def _check(self, request: StartCapture) -> None:
        _linktype(request.interface)
        if not self._privilege.can_capture:
            raise PrivilegeMissing(
                "capturing needs root or CAP_NET_RAW",
                fix="run as root, or: sudo setcap cap_net_raw,cap_net_admin+eip $(command -v tcpdump)",
            )
        bpf.check_text(request.filter)
        self._compile(request.interface, request.filter)

    def _counting_programs(self, interface: str, whole: str) -> tuple[tuple[str, str], ...]:
        """Return the compiled filters that count; without CAP_NET_RAW of our own tcpdump's figures must do."""
        if not self._privilege.can_count_in_kernel:
            return ()
        return compile_counters(require_tool("tcpdump"), whole, _linktype(interface))

    def _spec(
        self, request: StartCapture, command: tuple[str, ...], programs: tuple[tuple[str, str], ...]
    ) -> JobSpec:
        limits = self._settings.captures
        return JobSpec(
            kind=JobKind.CAPTURE,
            argv=command,
            limits=JobLimits(
                seconds=min(request.seconds or limits.longest_run_seconds, limits.longest_run_seconds),
                output_bytes=min(request.size or limits.largest_bytes, limits.largest_bytes),
                free_space_floor=limits.free_space_floor_bytes,
            ),
            detached=request.detached,
            capture_file=CAPTURE_NAME,
            counter_programs=programs,
            counter_interface=request.interface,
        )

    async def stop(self, actor: Actor, capture_id: int) -> None:
        """Stop a running capture cleanly.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: It does not run.
        """
        capture = await self.get(actor, capture_id)
        actor.require(Permission.CAPTURE)
        if capture.state.is_final:
            raise InvalidInput(f"capture {capture_id} does not run: it is {capture.state}")
        await asyncio.to_thread(self._audit.record, actor, "capture.stop", f"capture {capture_id}", "")
        await self._supervisor.stop(JobKind.CAPTURE, capture_id)

    async def get(self, actor: Actor, capture_id: int) -> Capture:
        """Return a capture with the latest figures; NotFound when it is not the actor's."""
        capture = await asyncio.to_thread(self._captures.get, actor, capture_id)
        live = self._live.get(capture_id)
        return replace(capture, counters=live) if live and not capture.state.is_final else capture

    async def find(self, actor: Actor, window: Window = FIRST) -> list[Capture]:
        """Return a window of the actor's captures (sort: id, interface, filter, state, packets, bytes, ...)."""
        return await asyncio.to_thread(self._captures.find, actor, window)

    async def count(self, actor: Actor, text: str = "") -> int:
        """Return how many captures :meth:`find` would find."""
        return await asyncio.to_thread(self._captures.count, actor, text)

    async def wait(self, actor: Actor, capture_id: int) -> Capture:
        """Return the capture once it has ended."""
        await self._supervisor.wait(JobKind.CAPTURE, capture_id)
        return await self.get(actor, capture_id)

    async def delete(self, actor: Actor, capture_id: int) -> None:
        """Delete a capture that has ended, with its files."""
        capture = await self.get(actor, capture_id)
        actor.require(Permission.DELETE)
        if not capture.state.is_final:
            raise InvalidInput(f"capture {capture_id} still runs", fix="stop it first")
        directory = await asyncio.to_thread(self._captures.directory, capture_id)
        await asyncio.to_thread(self._audit.record, actor, "capture.delete", f"capture {capture_id}", "")
        await asyncio.to_thread(self._captures.delete, capture_id)
        await asyncio.to_thread(shutil.rmtree, directory, True)

    async def _follow(self, job: Job) -> None:
        """Copy the runner's figures until it is done, then take stock of the file."""
        directory = JobDirectory(Path(job.directory))
        try:
            status = await self._copy_figures(job, directory)
            await asyncio.to_thread(self._finish, job, directory, status)
        finally:
            # Also when another program follows from here on: its figures are in the row.
            self._live.pop(job.subject_id, None)

    async def _copy_figures(self, job: Job, directory: JobDirectory) -> JobStatus | None:
        stored, stored_at = None, 0.0
        while True:
            status, over = await asyncio.to_thread(read_status, directory)
            if status is not None and status.counters is not None:
                self._live[job.subject_id] = status.counters
                if status.counters != stored and (over or time.monotonic() - stored_at >= STORE_SECONDS):
                    stored, stored_at = status.counters, time.monotonic()
                    await asyncio.to_thread(self._captures.update_counters, job.subject_id, stored)
            if over:
                return status
            self._supervisor.up_to_date(job)
            await asyncio.sleep(FOLLOW_SECONDS)

    def _give_up(self, job: Job, reason: str) -> None:
        values = {"state": JobState.FAILED.value, "error": reason, "finished": datetime.now(UTC)}
        self._captures.update(job.subject_id, **values)

    def _finish(self, job: Job, directory: JobDirectory, status: JobStatus | None) -> None:
        file, damage, facts = _take_stock(directory.path / CAPTURE_NAME)
        state, why, error = _ending(status, file, tcpdump.complaint(directory.read_tail("stderr")))
        if damage:
            state = JobState.FAILED if state is JobState.COMPLETED else state
            error = f"{error}; {damage}" if error else damage
        counters = (status.counters if status else None) or CaptureCounters()
        counters = replace(counters, packets=file.packets if file else 0, bytes=file.bytes if file else 0)
        self._captures.update_counters(job.subject_id, counters)
        self._captures.finish(
            job.subject_id,
            [file] if file else [],
            state=state.value,
            end_reason=why,
            error=error,
            finished=datetime.fromtimestamp(status.ended, UTC)
            if status and status.ended
            else datetime.now(UTC),
            **facts,
        )
        self._supervisor.finish(job, state, error)


def _linktype(interface: str) -> str:
    """Return tcpdump's name of an interface's link type.

    Raises:
        InvalidInput: There is no such interface; says which there are.
    """
    tcpdump.check_interface(interface)
    linktype = interfaces.interface_linktype(interface)
    if not linktype:
        known = ", ".join(found.name for found in interfaces.list_interfaces())
        raise InvalidInput(f"no interface {interface!r}", fix=f"there are: {known}, any")
    return linktype


def _take_stock(path: Path) -> tuple[CaptureFile | None, str, dict[str, Any]]:
    """Trim a cut file to its last whole record; count, time and hash it.

    Returns:
        The file, why there is none when it is damaged, and columns of the capture's row.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return None, "", {}
    try:
        whole = pcap_files.trim(path, keep_index)
    except InvalidInput as error:
        return None, str(error), {}
    facts: dict[str, Any] = {"linktype": whole.linktype}
    if whole.times:
        facts["first_packet"], facts["last_packet"] = (datetime.fromtimestamp(t, UTC) for t in whole.times)
    file = CaptureFile(str(path), whole.bytes, whole.packets, pcap_files.sha256_of(path))
    return file, "", facts


def _ending(status: JobStatus | None, file: CaptureFile | None, words: str) -> tuple[JobState, str, str]:
    """Say how a capture ended: (state, reason in a word, error for a person).

    Success is the file's to tell: its records must be as many as tcpdump says it captured.
    """
    if status is None or status.state != "ended":
        return JobState.INTERRUPTED, "lost", "the runner is gone; what was captured is kept"
    why = status.why or EndReason.FAILED
    state = _ENDED_AS.get(why, JobState.FAILED)
    if state is JobState.FAILED:
        return state, why.value, status.error or words or "tcpdump failed"
    records = file.packets if file else 0
    reported = status.counters.captured if status.counters else records
    if why is not EndReason.SIZE_LIMIT and records != reported:
        return JobState.FAILED, why.value, f"the file has {records} packets, tcpdump reports {reported}"
    return state, why.value, ""
