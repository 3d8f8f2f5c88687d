"""Starting, following, stopping and keeping captures."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from netmon_tui.config.settings import Settings
from netmon_tui.domain.capture import Capture, CapturePreview, StartCapture
from netmon_tui.domain.capture_files import file_name
from netmon_tui.domain.capture_filter_library import FilterVerdict
from netmon_tui.domain.interface_traffic import InterfaceTraffic
from netmon_tui.domain.job import (
    JobKind,
    JobSpec,
    JobState,
)
from netmon_tui.domain.neighbour import Interface
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import DiskFull, InvalidInput, NetmonError
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.filter_check import CompiledFilter, compile_counters, compile_filter
from netmon_tui.runtime.interface_rates import InterfaceRates
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.capture_engine import CaptureEngine
from netmon_tui.services.capture_following import CaptureFollower, unstored
from netmon_tui.services.capture_limits import check_limits, job_limits, refused_limits
from netmon_tui.services.capture_on_disk import OnDisk, on_disk
from netmon_tui.services.capture_quota import CaptureQuota
from netmon_tui.services.result_files import delete_files
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools import bpf, tcpdump
from netmon_tui.tools.bpf_explanation import explain

_log = logging.getLogger(__name__)


class CapturingService:
    """Captures from request to catalogue.

    Args:
        captures, audit: Storage.
        quota: What users may keep.
        supervisor: Starts and follows jobs.
        settings: Limits.
        privilege: What this process may do.
        jobs: Directory of the job directories.
        environ: Where the SSH session of this program is read from.
        note_filter: Remembers with which filter an actor has captured.
    """

    def __init__(
        self,
        captures: CaptureRepository,
        audit: AuditRepository,
        quota: CaptureQuota,
        supervisor: JobSupervisor,
        settings: Settings,
        privilege: Privilege,
        *,
        jobs: Path,
        environ: Mapping[str, str] = os.environ,
        note_filter: Callable[[Actor, str], None],
    ) -> None:
        self._captures = captures
        self._audit = audit
        self.quota = quota
        """What users may keep."""
        self._supervisor = supervisor
        self._settings = settings
        self._privilege = privilege
        self._engine = CaptureEngine(settings.captures.engine, privilege)
        self._jobs = jobs
        self._environ = environ
        self._note_filter = note_filter
        follower = CaptureFollower(captures, quota, supervisor)
        supervisor.register(JobKind.CAPTURE, follower.follow, follower.give_up)

    async def interfaces(self) -> list[Interface]:
        """Return the interfaces that can be captured on, ``any`` last."""
        found = await asyncio.to_thread(interfaces.list_interfaces)
        return [*found, Interface(name="any")]

    async def interface_traffic(self, every: float = 1.0) -> AsyncGenerator[list[InterfaceTraffic]]:
        """Yield the interfaces that can be captured on, ``any`` last, for ever: at once, then with their rates.

        Args:
            every: Seconds from one to the next, over which the rates are.
        """
        rates = InterfaceRates()
        while True:
            yield await asyncio.to_thread(rates.read)
            await asyncio.sleep(every)

    def own_session(self) -> str:
        """Return the far end of the SSH session this program is used through; empty when there is none."""
        session = interfaces.ssh_session(self._environ)
        return f"{session.client} port {session.client_port}" if session else ""

    def build_filter(self, protocol: str, host: str, port: str) -> str:
        """Return the BPF filter that the simple fields mean; InvalidInput says which field is wrong."""
        return bpf.build_filter(protocol, host, port)

    async def preview(self, request: StartCapture) -> CapturePreview:
        """Return what a request would run, its filter compiled, or why it is refused."""
        limits = refused_limits(request, self._settings.captures)
        try:
            tcpdump.check_interfaces(request)
            bpf.check_text(request.filter)
            whole = self._whole_filter(request)
            program = await asyncio.to_thread(self._compile, request.interface, request.filter)
            command = await asyncio.to_thread(self._engine.command, request, whole)
        except NetmonError as error:
            return replace(CapturePreview.refused(error), limits_error=limits)
        return CapturePreview(
            command,
            whole,
            limits_error=limits,
            verdict=FilterVerdict(explain(request.filter), program.instructions, program.accepts_all),
        )

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
            ToolMissing: tcpdump, which checks the filter, or what captures is not installed.
            DiskFull: The actor's quota is used up, or less of the disk is free than must stay so.
        """
        actor.require(Permission.CAPTURE)
        await asyncio.to_thread(self.quota.left, actor)
        await asyncio.to_thread(self.quota.require_space)
        await self.check(request)
        whole = self._whole_filter(request)
        command = await asyncio.to_thread(self._engine.command, request, whole)
        narrowed = bpf.directed(whole, request.direction)
        programs = await asyncio.to_thread(self._counting_programs, request.interface, narrowed)
        capture_id = await asyncio.to_thread(
            self._captures.create,
            actor,
            replace(request, name=clean(request.name)),
            filter=whole,
            jobs=self._jobs,
        )
        try:
            await self._launch(actor, capture_id, self._spec(actor, request, command, programs))
        except (NetmonError, OSError) as error:
            failed = {"state": JobState.FAILED.value, "error": str(error), "finished": datetime.now(UTC)}
            await asyncio.to_thread(self._captures.update, capture_id, **failed)
            raise
        try:
            if request.filter:
                await asyncio.to_thread(self._note_filter, actor, request.filter)
        except NetmonError as error:  # it runs, and its caller must be told which it is
            _log.warning("remembering the filter of capture %d: %s", capture_id, error)
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
        await asyncio.to_thread(self.quota.require_told, actor.user_id)
        path = self._directory(capture_id)
        await self._supervisor.launch(JobKind.CAPTURE, capture_id, actor, spec, path)

    async def check(self, request: StartCapture) -> None:
        """Refuse what :meth:`start` would refuse, but for what only the tool itself can find."""
        await asyncio.to_thread(self._check, request)

    def _check(self, request: StartCapture) -> None:
        tcpdump.check_interfaces(request)
        _linktype(request.interface)
        bpf.check_text(request.filter)
        check_limits(request, self._settings.captures)
        self._compile(request.interface, request.filter)
        self._engine.command(request, self._whole_filter(request))
        self._engine.require(request)

    def _counting_programs(self, interface: str, whole: str) -> tuple[tuple[str, str], ...]:
        """Return the compiled filters that count; without CAP_NET_RAW of our own tcpdump's figures must do."""
        if not self._privilege.can_count_in_kernel:
            return ()
        return compile_counters(require_tool("tcpdump"), whole, _linktype(interface))

    def _spec(
        self,
        actor: Actor,
        request: StartCapture,
        command: tuple[str, ...],
        programs: tuple[tuple[str, str], ...],
    ) -> JobSpec:
        return JobSpec(
            kind=JobKind.CAPTURE,
            argv=command,
            limits=job_limits(request, self._settings.captures),
            detached=request.detached,
            capture_file=file_name(numbered=request.rotation.is_on, pcapng=request.is_pcapng),
            rotation=request.rotation,
            quota_document=str(self.quota.document(actor.user_id)),
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
        """Return a capture with the latest figures; NotFound when there is none, or it is not the actor's."""
        return await asyncio.to_thread(lambda: self._as_it_is(self._captures.get(actor, capture_id)))

    async def watch(
        self, actor: Actor, capture_id: int, known: Capture | None = None
    ) -> tuple[Capture, OnDisk]:
        """Return a capture as :meth:`get` does, and what it has on the disk, in one wait for a thread.

        Args:
            actor: Who asks.
            capture_id: For which.
            known: What this returned a moment ago: of a capture that still runs only the figures are read then.
        """
        return await asyncio.to_thread(self._watch, actor, capture_id, known)

    def _watch(self, actor: Actor, capture_id: int, known: Capture | None) -> tuple[Capture, OnDisk]:
        directory = self._directory(capture_id)
        if known is not None and known.id == capture_id and not known.state.is_final:
            status = JobDirectory(directory).read_status()
            if status is not None and status.state != "ended" and status.counters is not None:
                return replace(known, counters=status.counters), on_disk(directory)
        capture = self._as_it_is(self._captures.get(actor, capture_id))
        if capture.state.is_final:  # else its files are with its runner, and nobody needs to be asked where
            directory = self._captures.directory(capture_id, actor)
        return capture, on_disk(directory)

    def _as_it_is(self, capture: Capture) -> Capture:
        if capture.state.is_final:
            return capture
        # What the runner says now: the row has what its follower stored last.
        status = JobDirectory(self._directory(capture.id)).read_status()
        if self._supervisor.without_room.has_capture(capture.id):
            return unstored(capture, status)
        return replace(capture, counters=status.counters) if status and status.counters else capture

    def _directory(self, capture_id: int) -> Path:
        return self._jobs / f"capture-{capture_id}"

    async def find(self, actor: Actor, window: Window = FIRST) -> list[Capture]:
        """Return a window of the actor's captures (sort: id, interface, filter, state, packets, bytes, ...)."""
        return await asyncio.to_thread(self._find, actor, window)

    def _find(self, actor: Actor, window: Window) -> list[Capture]:
        lacks_room = self._supervisor.without_room.has_capture
        found = self._captures.find(actor, window)
        return [self._as_it_is(one) if lacks_room(one.id) else one for one in found]

    async def count(self, actor: Actor, text: str = "") -> int:
        """Return how many captures :meth:`find` would find."""
        return await asyncio.to_thread(self._captures.count, actor, text)

    async def wait(self, actor: Actor, capture_id: int) -> Capture:
        """Return the capture once it has ended."""
        with suppress(DiskFull):  # then it says itself that its end could not be stored
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
        # the files first: whoever is killed in between leaves a capture that can be deleted again
        await asyncio.to_thread(delete_files, directory, self._jobs)
        await asyncio.to_thread(self._captures.delete, capture_id)
        await asyncio.to_thread(self.quota.tell, capture.owner_id)


def _linktype(interface: str) -> str:
    """Return tcpdump's name of the link type of an interface, or of several with commas between.

    Raises:
        InvalidInput: There is no such interface; says which there are. Or they have different link types.
    """
    found = {name: _linktype_of_one(name) for name in interface.split(",")}
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name} {linktype}" for name, linktype in found.items())
        raise InvalidInput(
            "interfaces of different link types cannot be captured in one file",
            why=told,
            fix="capture them apart",
        )
    return found.popitem()[1]


def _linktype_of_one(interface: str) -> str:
    tcpdump.check_interface(interface)
    linktype = interfaces.interface_linktype(interface)
    if not linktype:
        known = ", ".join(found.name for found in interfaces.list_interfaces())
        raise InvalidInput(f"no interface {interface!r}", fix=f"there are: {known}, any")
    return linktype
