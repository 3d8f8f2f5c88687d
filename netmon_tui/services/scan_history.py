"""Looking at scans: lists, hosts, services, nmap's own output; and deleting them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from netmon_tui.domain.host import Host, HostLine, KnownHost, ServiceLine
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.scan_run import ScanRun
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.domain.window import FIRST, Window
from netmon_tui.errors import InvalidInput
from netmon_tui.services.result_files import delete_files
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.storage.scan_repository import ScanRepository

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
OUTPUT_BYTES = 256 * 1024
"""How much of nmap's text is shown at once."""


class ScanHistory:
    """Scans as they are kept. Every call takes the actor and refuses what is not theirs.

    Args:
        scans, hosts, audit: Storage.
        jobs: Directory of the job directories.
    """

    def __init__(
        self, *, scans: ScanRepository, hosts: HostQueries, audit: AuditRepository, jobs: Path
    ) -> None:
        self._scans = scans
        self._hosts = hosts
        self._audit = audit
        self._jobs = jobs

    async def get(self, actor: Actor, scan_id: int) -> Scan:
        """Return a scan; NotFound when there is none or it is not the actor's."""
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    async def find(self, actor: Actor, window: Window = FIRST) -> list[Scan]:
        """Return a window of the actor's scans.

        Args:
            actor: Who asks.
            window: Sorted by id, targets, profile, state, progress, up, open, owner or started.
        """
        return await asyncio.to_thread(self._scans.find, actor, window)

    async def count(self, actor: Actor, text: str = "") -> int:
        """Return how many scans :meth:`find` would find."""
        return await asyncio.to_thread(self._scans.count, actor, text)

    async def hosts(
        self,
        actor: Actor,
        scan_id: int,
        window: Window = FIRST,
        *,
        up_only: bool = True,
    ) -> list[HostLine]:
        """Return a window of a scan's hosts (sort: address, status, hostname, vendor, os, open)."""
        return await self._ask(actor, scan_id, self._hosts.host_lines, window, up_only=up_only)

    async def count_hosts(self, actor: Actor, scan_id: int, text: str = "", *, up_only: bool = True) -> int:
        """Return how many lines :meth:`hosts` has."""
        return await self._ask(actor, scan_id, self._hosts.count_hosts, text, up_only=up_only)

    async def host(self, actor: Actor, scan_id: int, ordinal: int) -> Host:
        """Return one host with ports, services, scripts, OS matches and hops."""
        return await self._ask(actor, scan_id, self._hosts.host, ordinal)

    async def host_by_address(self, actor: Actor, scan_id: int, address: str) -> Host:
        """Return the host of a scan that has this address."""
        return await self._ask(actor, scan_id, self._hosts.host_by_address, address)

    async def whole_hosts(self, actor: Actor, scan_id: int) -> list[Host]:
        """Return every host of a scan that was up, with all its results."""
        return await self._ask(actor, scan_id, self._whole_hosts)

    def _whole_hosts(self, scan_id: int) -> list[Host]:
        return [host for host in self._hosts.whole_hosts(scan_id) if host.status == "up"]

    async def run(self, actor: Actor, scan_id: int) -> ScanRun:
        """Return what the scan's document says of the run itself: versions, phases, what was skipped."""
        return await self._ask(actor, scan_id, self._hosts.run)

    async def services(self, actor: Actor, scan_id: int, window: Window = FIRST) -> list[ServiceLine]:
        """Return a window of a scan's ports over all hosts (sort: address, number, protocol, state, service)."""
        return await self._ask(actor, scan_id, self._hosts.service_lines, window)

    async def count_services(self, actor: Actor, scan_id: int, text: str = "") -> int:
        """Return how many lines :meth:`services` has."""
        return await self._ask(actor, scan_id, self._hosts.count_services, text)

    async def known_hosts(self, actor: Actor, window: Window = FIRST) -> list[KnownHost]:
        """Return a window of every address that was up in the actor's scans."""
        return await asyncio.to_thread(self._hosts.known_hosts, actor, window)

    async def count_known_hosts(self, actor: Actor, text: str = "") -> int:
        """Return how many lines :meth:`known_hosts` has."""
        return await asyncio.to_thread(self._hosts.count_known_hosts, actor, text)

    async def output(self, actor: Actor, scan_id: int) -> str:
        """Return the end of nmap's own text (and what it complained about), foreign text as it is."""
        return await self._ask(actor, scan_id, lambda number: _output(self._scans.directory(number)))

    async def directory(self, actor: Actor, scan_id: int) -> Path:
        """Return where a scan's files are."""
        return await self._ask(actor, scan_id, self._scans.directory)

    async def _ask(
        self,
        actor: Actor,
        scan_id: int,
        query: Callable[Concatenate[int, Arguments], Answer],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Answer:
        """Ask something of a scan that is the actor's to see, in one wait for a thread."""

        def work() -> Answer:
            self._scans.get(actor, scan_id)
            return query(scan_id, *arguments, **named)

        return await asyncio.to_thread(work)

    async def delete(self, actor: Actor, scan_id: int) -> None:
        """Delete a scan that has ended, with its results and files.

        Raises:
            NotFound, NotAllowed: Not the actor's to delete.
            InvalidInput: It still runs.
        """
        scan = await self.get(actor, scan_id)
        actor.require(Permission.DELETE)
        if not scan.state.is_final:
            raise InvalidInput(f"scan {scan_id} still runs", fix="stop it first")
        directory = await asyncio.to_thread(self._scans.directory, scan_id)
        await asyncio.to_thread(
            self._audit.record, actor, "scan.delete", f"scan {scan_id}", " ".join(scan.targets)
        )
        forget_files = partial(delete_files, directory, self._jobs)
        await asyncio.to_thread(self._scans.delete, scan_id, forget_files)
        await asyncio.to_thread(forget_files)  # a document that was packed just then may have come back


def _output(directory: Path) -> str:
    parts = []
    for name in ("stdout", "stderr"):
        path = directory / name
        if path.is_file() and (size := path.stat().st_size):
            with path.open("rb") as file:
                file.seek(max(0, size - OUTPUT_BYTES))
                parts.append(file.read(OUTPUT_BYTES).decode("utf-8", "replace"))
    return "\n".join(parts)
