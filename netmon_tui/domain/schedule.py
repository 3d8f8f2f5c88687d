"""Schedules: scans and captures that repeat, by interval or by cron expression."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.comparison import ChangeCounts
from netmon_tui.domain.job import JobState
from netmon_tui.domain.owned import Owned


class Runner(StrEnum):
    """What kind of program starts the scans that are due."""

    APP = "app"
    """The full-screen application, while somebody uses it."""
    WORKER = "worker"
    """``netmon-tui worker``."""


@dataclass(frozen=True, slots=True)
class When:
    """The times of a schedule: an interval or a cron expression, never both."""

    every: int = 0
    """Seconds that pass from one run to the next, whatever the clocks do; 0 with a cron expression."""
    cron: str = ""
    """Five fields, or a name such as ``@daily``; empty with an interval."""
    zone: str = "UTC"
    """IANA name of the time zone whose clock the cron expression goes by, on whatever machine it is read."""


@dataclass(frozen=True, slots=True)
class SaveSchedule:
    """What a schedule is to be."""

    name: str
    targets: tuple[str, ...]
    """As typed: addresses, ranges, networks, host names."""
    when: When
    profile: str = ""
    """What its owner calls a profile, whose options of the day are taken; empty with options of its own."""
    arguments: str = ""
    """nmap options as one line; empty with a profile, or for nmap's defaults."""
    catch_up: bool = True
    """Whether a run that was missed (nothing ran that could start it) is made up for, once."""
    confirmed: bool = False
    """Whether scripts that may do harm were confirmed, for every run."""
    staged: bool = True
    """Whether several nmaps may do it in stages."""
    capture: StartCapture | None = None
    """What is captured, with a limit; None for scans. Then nothing of scans counts."""


@dataclass(frozen=True, slots=True)
class Schedule(Owned):
    """A schedule's row, and how its last scan or capture went."""

    id: int
    owner_id: int
    owner: str
    name: str
    targets: tuple[str, ...]
    when: When
    profile: str
    arguments: str
    catch_up: bool
    confirmed: bool
    staged: bool
    enabled: bool
    next_run: datetime | None = None
    """None while it is disabled."""
    last_run: datetime | None = None
    """When it was last due and somebody looked, whether a scan came of it or not."""
    last_scan: int | None = None
    """Id of the last scan that it started; it may be deleted since."""
    last_error: str = ""
    """Why the last run came to nothing; empty when it did not."""
    last_state: JobState | None = None
    """State of the last scan or capture; None without one."""
    last_changes: ChangeCounts | None = None
    """What the last scan found changed; None when it was compared with nothing."""
    words: str = ""
    """When it runs, for people, such as ``every 1d12h`` or ``At 03:00 every day``."""
    capture: StartCapture | None = None
    last_capture: int | None = None
    """Id of the last capture that it started; it may be deleted since."""

    @property
    def noun(self) -> str:
        """What it starts: ``scan`` or ``capture``."""
        return "scan" if self.capture is None else "capture"

    @property
    def last_id(self) -> int | None:
        """Id of the last scan or capture that it started."""
        return self.last_scan if self.capture is None else self.last_capture

    @property
    def last_words(self) -> str:
        """The last scan or capture that it started, such as ``scan 3``; empty without one."""
        return "" if self.last_id is None else f"{self.noun} {self.last_id}"

    @property
    def target_words(self) -> str:
        """What is scanned, or where is captured."""
        return " ".join(self.targets) if self.capture is None else self.capture.interface

    @property
    def option_words(self) -> str:
        """How it is scanned, or what is captured and how long."""
        return (self.profile or self.arguments) if self.capture is None else capture_words(self.capture)

    @property
    def runs(self) -> bool:
        """Whether its last scan or capture has not ended."""
        return self.last_state is not None and not self.last_state.is_final

    @property
    def saved(self) -> SaveSchedule:
        """What it was saved as."""
        return SaveSchedule(
            name=self.name,
            targets=self.targets,
            when=self.when,
            profile=self.profile,
            arguments=self.arguments,
            catch_up=self.catch_up,
            confirmed=self.confirmed,
            staged=self.staged,
            capture=self.capture,
        )


@dataclass(frozen=True, slots=True)
class SchedulePreview:
    """When something would run, or why it is refused."""

    words: str = ""
    """As :attr:`Schedule.words`."""
    times: tuple[datetime, ...] = ()
    """The next run times, in the time zone of the schedule."""
    error: str = ""
    """Why it is refused; empty when it may be saved."""


def capture_words(request: StartCapture) -> str:
    """Return what is captured, and until when: ``udp port 53 for 600 s, 1000 packets``."""
    limits = limit_words(request)
    return (request.filter or "all packets") + (f" for {limits}" if limits else "")


def limit_words(request: StartCapture) -> str:
    """Return until when is captured, such as ``600 s, 1000 packets``; empty without a limit."""
    limits = {"s": request.seconds, "packets": request.packets, "bytes": request.size}
    words = [f"{limit:.10g} {unit}" for unit, limit in limits.items() if limit]
    if request.rotation.files:
        words.append(f"in a ring of {request.rotation.files} files")
    return ", ".join(words)
