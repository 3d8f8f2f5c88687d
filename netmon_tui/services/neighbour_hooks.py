"""Passing events of the neighbour table on to programs, URLs and the system's log.

What a hook does never holds up anything: each has a line of its own with a bounded number of events that wait,
and threads that nobody else uses.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from bisect import insort
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from netmon_tui.config.hooks_file import MOST_HOOKS, Stamp, read_hooks, stamp
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.counted import counted
from netmon_tui.domain.hook import Hook, HookRecord, HookReport
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.neighbour_event_documents import neighbour_event_document
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import NetmonError, NotFound, ToolFailed
from netmon_tui.runtime.hooks import pass_on, problem_of
from netmon_tui.services.hook_journal import HookJournal
from netmon_tui.storage.audit_repository import AuditRepository

MOST_WAITING = 100
"""Events that wait for one hook."""
CLOSING_SECONDS = 5.0
"""How long what waits may take when the program ends."""
_KILL_SECONDS = 2.0
_log = logging.getLogger(__name__)
_EXAMPLE = NeighbourEvent(
    datetime(2026, 1, 1, tzinfo=UTC),
    NeighbourEventKind.DUPLICATE,
    address="192.0.2.1",
    interface="eth0",
    lladdr="00:00:5e:00:53:01",
    previous_lladdr="00:00:5e:00:53:02",
    detail="an example, to try a hook",
)
"""Addresses for documentation: RFC 5737, RFC 7042."""


def hook_checks(file: Path) -> list[Check]:
    """Return the doctor's line about hooks that are not called, or cannot work; none where there are no hooks."""
    try:
        hooks = read_hooks(file)
    except NetmonError as error:
        detail = f"no hook is called: {error.what}" + (f": {error.why}" if error.why else "")
        return [Check("hooks", CheckStatus.WARN, detail, error.fix)]
    problems = [f"{hook.name}: {problem}" for hook in hooks if (problem := problem_of(hook))]
    status = CheckStatus.WARN if problems else CheckStatus.OK
    return [Check("hooks", status, "; ".join(problems) or counted(len(hooks), "hook"))] if hooks else []


class Allowance:
    """How many events may be passed on: so many at once, and again as time goes by (a token bucket).

    Args:
        per_minute: How many.
        clock: Seconds that never go back.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left = float(per_minute)
        self._at = clock()

    def take(self) -> bool:
        """Whether one more may be passed on now."""
        now = self._clock()
        self._left = min(self._per_minute, self._left + (now - self._at) * self._per_minute / 60)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class _Line:
    """The events that wait for one hook.

    Args:
        hook: The hook.
        carry: Passes one event on, with the number of those left out before it; says whether that went well.
    """

    def __init__(self, hook: Hook, carry: Callable[[Hook, NeighbourEvent, int], Any]) -> None:
        self.hook = hook
        self._carry = carry
        self._allowances = _allowances(hook)
        self._waiting: list[NeighbourEvent] = []
        """The weightiest first, and of those the oldest."""
        self._left_out = 0
        self.task: asyncio.Task[None] | None = None

    def change(self, hook: Hook) -> None:
        """Go on as the hook is written down now; what waits is kept."""
        self.hook, self._allowances = hook, _allowances(hook)

    def put(self, events: Sequence[NeighbourEvent]) -> None:
        """Take events; what is too much is counted and left out, the lightest first."""
        for event in sorted(events, key=_rank):
            if self._allowances[event.severity is Severity.HIGH].take():
                insort(self._waiting, event, key=_rank)
            else:
                self._left_out += 1
        self._left_out += len(self._waiting[MOST_WAITING:])
        del self._waiting[MOST_WAITING:]
        if self._waiting and (self.task is None or self.task.done()):
            self.task = asyncio.create_task(self._empty(), name=f"hook {self.hook.name}")

    def forget(self) -> None:
        """Let nothing wait any more."""
        self._waiting.clear()

    async def _empty(self) -> None:
        while self._waiting:
            event, left_out = self._waiting.pop(0), self._left_out
            if await self._carry(self.hook, event, left_out):
                self._left_out -= left_out


def _rank(event: NeighbourEvent) -> int:
    return event.severity.rank


def _allowances(hook: Hook) -> dict[bool, Allowance]:
    """Return those for events of high severity (True), which a storm of others must not use up, and for others."""
    return {is_high: Allowance(hook.per_minute) for is_high in (True, False)}


class NeighbourHooks:
    """The hooks of one program.

    Args:
        file: Where they are written down; read again when it changes.
        journal: What became of them.
        audit: Who tried one.
    """

    def __init__(self, file: Path, journal: HookJournal, audit: AuditRepository) -> None:
        self._file = file
        self._journal = journal
        self._audit = audit
        self._machine = socket.gethostname()
        self._read: tuple[Stamp, tuple[Hook, ...]] = (), ()
        self._lines: dict[str, _Line] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._stopped = threading.Event()
        self._complaints: dict[str, str] = {}
        """What was logged of each hook that fails, so that it is not logged again and again; of the file by ""."""

    async def tell(self, events: Sequence[NeighbourEvent]) -> None:
        """Pass events on, as soon as may be. Returns at once, and raises nothing because of a hook."""
        for hook in await asyncio.to_thread(self._hooks):
            if wanted := [event for event in events if hook.wants(event)]:
                self._line_of(hook).put(wanted)

    async def reports(self, actor: Actor) -> list[HookReport]:
        """Return the hooks with what is wrong with each.

        Raises:
            InvalidInput: The file is wrong; names the hook and the key, or the line.
            StorageError: The file cannot be read, or is not safe to use.
        """
        actor.require(Permission.VIEW)
        hooks = await asyncio.to_thread(read_hooks, self._file)
        records = await asyncio.to_thread(self._journal.records)
        return [HookReport(hook, records.get(hook.name, HookRecord()), problem_of(hook)) for hook in hooks]

    async def test(self, actor: Actor, name: str) -> str:
        """Pass an example on; return what came of it.

        Raises:
            NotAllowed: The role does not include it.
            NotFound: There is no such hook.
            ToolFailed: It failed, with the reason.
            InvalidInput, StorageError: As :meth:`reports`.
        """
        actor.require(Permission.MARK_NEIGHBOURS)
        hooks = await asyncio.to_thread(read_hooks, self._file)
        hook = next((hook for hook in hooks if hook.name == name), None)
        if hook is None:
            raise NotFound(f"no hook {name[:40]!a}", fix=f"{self._file} names them")
        await asyncio.to_thread(self._audit.record, actor, "neighbour.test_hook", f"hook {name}")
        event = replace(_EXAMPLE, time=datetime.now(UTC))
        return await self._in_thread(self._attempt, hook, event, 0)

    async def close(self) -> None:
        """Pass on what waits, within some seconds, and kill what does not end."""
        tasks = {line.task for line in self._lines.values() if line.task is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
            for line in self._lines.values():
                line.forget()
            self._stopped.set()
            await asyncio.wait(tasks, timeout=_KILL_SECONDS)
        if self._threads is not None:
            self._stopped.set()
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _hooks(self) -> tuple[Hook, ...]:
        """Return the hooks as the file has them now.

        A wrong file has none, and is logged once, but read each time: what is wrong may be mended elsewhere.
        """
        known, hooks = self._read
        found = stamp(self._file)
        if found != known:
            try:
                hooks = read_hooks(self._file)
            except NetmonError as error:
                if self._complaints.get("") != str(error):
                    _log.error("no hook is called: %s", error)
                self._complaints[""], self._read = str(error), ((), ())
                return ()
            self._complaints.pop("", None)
            self._read = found, hooks
        return hooks

    def _line_of(self, hook: Hook) -> _Line:
        line = self._lines.get(hook.name)
        if line is None:
            line = self._lines[hook.name] = _Line(hook, self._carry)
        elif line.hook != hook:
            line.change(hook)
        return line

    async def _carry(self, hook: Hook, event: NeighbourEvent, left_out: int) -> bool:
        """Pass an event on; log a failure, once while it lasts."""
        try:
            await self._in_thread(self._attempt, hook, event, left_out)
        except ToolFailed as error:
            if self._complaints.get(hook.name) != str(error):
                _log.warning("hook %s: %s", hook.name, error)
            self._complaints[hook.name] = str(error)
            return False
        if self._complaints.pop(hook.name, ""):
            _log.info("hook %s works again", hook.name)
        return True

    def _attempt(self, hook: Hook, event: NeighbourEvent, left_out: int) -> str:
        """Pass an event on and write down what came of it."""
        document = neighbour_event_document(event) | {"machine": self._machine, "left_out": left_out}
        try:
            words = pass_on(hook, event, document, left_out, stopped=self._stopped.is_set)
        except ToolFailed as error:
            self._journal.change(hook.name, _failed(str(error)))
            raise
        self._journal.change(hook.name, _sent(left_out))
        return words

    async def _in_thread(
        self, work: Callable[[Hook, NeighbourEvent, int], str], hook: Hook, event: NeighbourEvent, number: int
    ) -> str:
        """Call something in a thread of our own: hooks that hang must not use up those of everybody."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(MOST_HOOKS + 1, thread_name_prefix="hook")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, hook, event, number)


def _failed(words: str) -> Callable[[HookRecord], HookRecord]:
    def change(record: HookRecord) -> HookRecord:
        return replace(record, failures=record.failures + 1, failure=words[:300], failed=datetime.now(UTC))

    return change


def _sent(left_out: int) -> Callable[[HookRecord], HookRecord]:
    def change(record: HookRecord) -> HookRecord:
        return replace(
            record,
            sent=record.sent + 1,
            left_out=record.left_out + left_out,
            last_sent=datetime.now(UTC),
        )

    return change
