"""Scans: what is asked, what is kept, and the events of a running one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from netmon_tui.domain.comparison import ChangeCounts
from netmon_tui.domain.estimate import ScanEstimate
from netmon_tui.domain.host import Host, Script
from netmon_tui.domain.job import JobState
from netmon_tui.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class StartScan:
    """A request to scan."""

    targets: tuple[str, ...]
    """As typed: addresses, ranges, networks, host names."""
    arguments: str = ""
    """nmap options as one line; empty means the profile's."""
    profile: str = ""
    """Name of a profile; empty when the arguments stand alone."""
    name: str = ""
    """A label for people."""
    detached: bool = True
    staged: bool = True
    """Whether several nmaps may do it where that is faster."""
    confirmed: bool = False
    """Whether somebody was asked about scripts that may do harm, and wants them."""
    sets: tuple[str, ...] = ()
    """The sets that targets and options came from, as :attr:`Scan.sets`."""
    of_sets: tuple[tuple[str, str], ...] = ()
    """Targets that nobody typed, each with the mention of the set that brings it, such as ``@servers``."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan's row."""

    id: int
    name: str
    targets: tuple[str, ...]
    profile: str
    arguments: str
    command: tuple[str, ...]
    state: JobState
    owner_id: int
    owner: str
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    percent: float = 0.0
    """0 to 100 over the whole scan, never falling."""
    phase: str = ""
    """nmap's name of what it is doing, such as ``SYN Stealth Scan``."""
    remaining: float | None = None
    """Seconds that the whole scan still takes, as far as can be told from what is done."""
    hosts_up: int = 0
    hosts_down: int = 0
    hosts_total: int = 0
    ports_open: int = 0
    warnings: tuple[str, ...] = ()
    error: str = ""
    imported: bool = False
    detached: bool = True
    staged: bool = True
    skipped: tuple[str, ...] = ()
    """Addresses that were given up."""
    sets: tuple[str, ...] = ()
    """The sets that targets and options came from, as the owner names them, such as ``target set @servers``."""
    pinned: bool = False
    """Whether later runs of the same targets are compared with it."""
    compared_with: int | None = None
    """The scan that it was compared with when it ended."""
    changes: ChangeCounts | None = None
    """How much had changed since then; None when there was nothing to compare with."""


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """``<nmaprun>``."""

    scanner: str
    args: str
    start: float
    version: str
    profile: str = ""
    """Name of Zenmap's profile."""
    format: str = ""
    """Version of the XML's form, such as ``1.05``."""


@dataclass(frozen=True, slots=True)
class ScanInfo:
    """``<scaninfo>``: which ports of which protocol were asked for."""

    type: str
    protocol: str
    numservices: int
    services: str
    flags: str = ""
    """TCP flags of ``--scanflags``."""


@dataclass(frozen=True, slots=True)
class Talkativeness:
    """``<verbose>`` or ``<debugging>``."""

    kind: str
    level: int


@dataclass(frozen=True, slots=True)
class TargetSkipped:
    """``<target>``: what was asked for and not scanned."""

    specification: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class ScreenOutput:
    """``<output>``: nmap's text, which Zenmap puts into the document."""

    text: str


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """``<taskbegin>`` (only with -v)."""

    task: str
    time: float
    extrainfo: str = ""


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """``<taskprogress>``."""

    task: str
    percent: float
    remaining: float | None
    """Seconds."""
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """``<taskend>`` (only with -v)."""

    task: str
    time: float
    extrainfo: str = ""


@dataclass(frozen=True, slots=True)
class HostHinted:
    """``<hosthint>``: a host answered discovery; its ports come later."""

    host: Host


@dataclass(frozen=True, slots=True)
class HostFound:
    """A whole ``<host>`` element."""

    host: Host
    ordinal: int
    """Position of the element in the document, from 0: what makes a second reading skip what is stored."""


@dataclass(frozen=True, slots=True)
class PortDiscovered:
    """``Discovered open port 443/tcp on 192.0.2.1`` from nmap's text, before the host is finished."""

    address: str
    number: int
    protocol: str


@dataclass(frozen=True, slots=True)
class RunScript:
    """A ``<prescript>`` or ``<postscript>`` result."""

    stage: str
    """``pre`` or ``post``."""
    script: Script


@dataclass(frozen=True, slots=True)
class ScanFinished:
    """``<runstats>``: nmap reached its end."""

    time: float
    elapsed: float
    summary: str
    exit: str
    """``success`` or ``error``."""
    errormsg: str
    hosts_up: int
    hosts_down: int
    hosts_total: int


ScanEvent = (
    ScanStarted
    | ScanInfo
    | Talkativeness
    | TargetSkipped
    | ScreenOutput
    | PhaseBegan
    | PhaseProgress
    | PhaseEnded
    | HostHinted
    | HostFound
    | PortDiscovered
    | RunScript
    | ScanFinished
)


@dataclass(frozen=True, slots=True)
class ScanPreview:
    """What a request would run, or why it would not."""

    command: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stages: tuple[tuple[str, ...], ...] = ()
    """The commands of the stages, when the scan is done in stages: without output and targets."""
    addresses: int = 0
    """How many addresses the targets expand to; a host name counts as one."""
    error: str = ""
    """Why it is refused; empty when it may start."""
    to_confirm: tuple[str, ...] = ()
    """Scripts that may do harm or tell third parties, each with its categories: somebody has to want them."""
    stage_names: tuple[str, ...] = ()
    """What each of the stages is for: ``discovery``, ``ports``, ``detection``."""
    only_if_far: bool = False
    """Whether the stages are done only where pings of some hosts find them far away; else one nmap does it."""
    estimate: ScanEstimate | None = None
    """How much it is and how long it may take; None when it is refused."""
    never_scanned: tuple[str, ...] = ()
    """What is left out whoever asks: everybody's never-scan list and the user's own."""


IF_FAR = "in stages only where pings of some hosts find them far away, else by the one nmap"
"""What to say of :attr:`ScanPreview.only_if_far`."""


def require_confirmed(scripts: Sequence[str], *, confirmed: bool) -> None:
    """Raise InvalidInput when scripts that may do harm (``ScanPreview.to_confirm``) were not confirmed."""
    if scripts and not confirmed:
        named = ", ".join(scripts[:3])
        more = f" and {len(scripts) - 3} more" if len(scripts) > 3 else ""
        raise InvalidInput(
            f"not confirmed: {named}{more}",
            why="these scripts may harm a target or tell third parties about it",
            fix="confirm them; on the command line with --confirm-intrusive",
        )
