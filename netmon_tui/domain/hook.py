"""Hooks: where events of the neighbour table are passed on to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind


class HookKind(StrEnum):
    """How an event is passed on."""

    COMMAND = "command"
    """A program reads the event's JSON."""
    WEBHOOK = "webhook"
    """The event's JSON is posted to a URL."""
    SYSLOG = "syslog"
    """The event's sentence goes to the system's log."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook, as the file of hooks has it."""

    name: str
    kind: HookKind
    events: tuple[NeighbourEventKind, ...] = ()
    """Only of these kinds; empty for all."""
    least: Severity = Severity.LOW
    """The least severity."""
    command: tuple[str, ...] = ()
    """Of a command: the program and its arguments."""
    url: str = ""
    """Of a webhook; may hold a secret anywhere behind the host."""
    timeout: int = 10
    """Seconds that passing on one event may take."""
    per_minute: int = 6
    """Events that are passed on in a minute, and at once; and as many more of high severity."""

    def wants(self, event: NeighbourEvent) -> bool:
        """Whether an event is to be passed on."""
        return event.severity.rank <= self.least.rank and (not self.events or event.kind in self.events)

    @property
    def target(self) -> str:
        """Where it goes to, without what may be secret: arguments, and what is behind the host of a URL."""
        if self.kind is HookKind.WEBHOOK:
            parts = urlsplit(self.url)
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        return self.command[0] if self.command else "the system's log"


def kept_out(events: Iterable[NeighbourEventKind], least: Severity) -> tuple[NeighbourEventKind, ...]:
    """Return which of the kinds that a hook names are too light for its least severity."""
    return tuple(kind for kind in events if kind.severity.rank > least.rank)


@dataclass(frozen=True, slots=True)
class HookRecord:
    """What became of the events that a hook wanted."""

    sent: int = 0
    left_out: int = 0
    """More than it may have in a minute, or than could wait."""
    last_sent: datetime | None = None
    failures: int = 0
    failure: str = ""
    """What the last one that failed said; foreign text."""
    failed: datetime | None = None

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self.failed is not None and (self.last_sent is None or self.failed > self.last_sent)


@dataclass(frozen=True, slots=True)
class HookReport:
    """A hook with what is wrong with it."""

    hook: Hook
    record: HookRecord
    problem: str = ""
    """Why it cannot work as things are; empty when nothing is known against it."""
