"""Captures: what is asked and what is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from netmon_tui.domain.buffer import DEFAULT_BUFFER_KIB
from netmon_tui.domain.job import CaptureCounters, JobState

DEFAULT_SNAPLEN = 262_144
"""tcpdump's own default, in bytes."""
CAPTURE_NAME = "capture.pcap"
"""Name of a capture's file in its job directory."""


@dataclass(frozen=True, slots=True)
class StartCapture:
    """A request to capture."""

    interface: str
    filter: str = ""
    """BPF in tcpdump's language."""
    snaplen: int = DEFAULT_SNAPLEN
    packets: int = 0
    """Stop after so many packets; 0 for no limit."""
    seconds: float = 0.0
    """Stop after so long; 0 for the configured longest run."""
    size: int = 0
    """Stop when the file has so many bytes; 0 for the configured largest file."""
    buffer_kib: int = DEFAULT_BUFFER_KIB
    promiscuous: bool = True
    include_own_ssh: bool = False
    """Keep the packets of the SSH session the program is used through."""
    name: str = ""
    detached: bool = True


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """One file of a capture."""

    path: str
    """Absolute."""
    bytes: int
    packets: int
    sha256: str
    """Hex; empty while the file still grows."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture's row."""

    id: int
    name: str
    interface: str
    filter: str
    snaplen: int
    linktype: str
    """``EN10MB`` and so on; empty until the file has its header."""
    state: JobState
    owner_id: int
    owner: str
    command: tuple[str, ...]
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    counters: CaptureCounters = field(default_factory=CaptureCounters)
    files: tuple[CaptureFile, ...] = ()
    first_packet: datetime | None = None
    last_packet: datetime | None = None
    end_reason: str = ""
    """An EndReason, or why the capture ended in one word."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class CapturePreview:
    """What a request would run, or why it would not."""

    command: tuple[str, ...] = ()
    filter: str = ""
    """The whole filter: what was typed, and the exclusion of the own SSH session."""
    instructions: int = 0
    """Length of the compiled BPF program."""
    error: str = ""
    """Why it is refused; empty when it may start."""
    position: int | None = None
    """Where in the typed filter the trouble begins, when known."""
