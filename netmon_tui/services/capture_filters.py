"""Capture filters: those that everybody has, the user's own, those that others share, and the recent ones."""

from __future__ import annotations

import asyncio

from netmon_tui.domain.capture_filter_library import (
    CaptureFilter,
    FilterVerdict,
    SaveCaptureFilter,
)
from netmon_tui.domain.owned import LONGEST_DESCRIPTION, name_key
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.filter_check import compile_filter
from netmon_tui.runtime.interfaces import interface_linktype
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.security.hostile_text import plain_line
from netmon_tui.services.keeping import KeepingService, checked_name
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_filter_repository import CaptureFilterRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.recent_filter_repository import RecentFilterRepository
from netmon_tui.storage.records import recent_capture_filters
from netmon_tui.tools.bpf import check_text
from netmon_tui.tools.bpf_explanation import explain
from netmon_tui.tools.bpf_library import LIBRARY
from netmon_tui.tools.kept_file import KeptFile

FILTER_FILE = KeptFile("capture-filter", ("name", "filter", "meaning"))


class CaptureFilterService(KeepingService[CaptureFilter, SaveCaptureFilter]):
    """Filters for captures. Everybody sees the built-in ones, their own and those that are shared.

    Args:
        database, audit: Storage.
    """

    def __init__(self, database: Database, audit: AuditRepository) -> None:
        super().__init__(CaptureFilterRepository(database), audit, FILTER_FILE, LIBRARY)
        self._recent = RecentFilterRepository(database, recent_capture_filters)

    def _checked(self, new: SaveCaptureFilter) -> SaveCaptureFilter:
        """Return what is stored; whether it compiles depends on the interface, so only its language is judged."""
        name = checked_name(new.name, FILTER_FILE.noun)
        if name_key(name) in {name_key(one.name) for one in LIBRARY}:
            raise InvalidInput(f"{name} is one of the built-in filters", fix="choose another name")
        text = check_text(new.text)
        if not text:
            raise InvalidInput("there is nothing to save", why="an empty filter lets every packet pass")
        return SaveCaptureFilter(name, text, plain_line("the meaning", new.meaning, LONGEST_DESCRIPTION))

    def _new(self, *texts: str) -> SaveCaptureFilter:
        return SaveCaptureFilter(*texts)

    def _texts(self, kept: CaptureFilter) -> tuple[str, ...]:
        return kept.name, kept.text, kept.meaning

    async def save(self, actor: Actor, new: SaveCaptureFilter, *, shared: bool) -> CaptureFilter:
        """Keep a filter under a name; the one that the actor has under it is changed. Raises as create."""
        for kept in await self.usable(actor):
            if kept.owner_id == actor.user_id and name_key(kept.name) == name_key(new.name):
                return await self.change(actor, kept, new, shared=shared)
        return await self.create(actor, new, shared=shared)

    async def recent(self, actor: Actor) -> list[str]:
        """Return the filters that the actor captured with last, the last one first."""
        return await asyncio.to_thread(self._recent.newest, actor)

    def in_words(self, text: str) -> str:
        """Return what packets a filter that compiles lets pass; empty when there are no words for it."""
        return explain(text).text

    async def check(self, text: str, interface: str = "") -> FilterVerdict:
        """Compile a filter and say what it means.

        Args:
            text: As typed.
            interface: What it is to be used on; Ethernet when empty.

        Raises:
            InvalidInput: It is not valid there, or lets nothing pass; with the position when it is known.
            ToolMissing: tcpdump is not installed.
        """
        return await asyncio.to_thread(_verdict, text, interface)


def _verdict(text: str, interface: str) -> FilterVerdict:
    linktype = interface_linktype(interface) if interface else "EN10MB"
    if not linktype:
        raise InvalidInput(f"no interface {interface[:40]!a}")
    program = compile_filter(require_tool("tcpdump"), text, linktype)
    return FilterVerdict(explain(text), program.instructions, program.accepts_all)
