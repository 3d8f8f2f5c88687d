"""Durable jobs: a directory, a row and a runner that watches one tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class JobKind(StrEnum):
    """What a job runs."""

    SCAN = "scan"
    CAPTURE = "capture"


class JobState(StrEnum):
    """The life of a job, a scan and a capture alike."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    """Only a scan: its nmap is stopped until it is told to go on."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


class EndReason(StrEnum):
    """Why a runner's tool ended (``why`` in status.json)."""

    FINISHED = "finished"
    """The tool ended by itself with exit status 0."""
    FAILED = "failed"
    """The tool ended by itself with another status or a signal that was not ours."""
    STOPPED = "stopped"
    """Somebody asked for it."""
    QUOTA = "quota"
    """What its owner may keep of captures is used up."""
    DEADLINE = "deadline"
    """The time limit."""
    SIZE_LIMIT = "size_limit"
    """The byte limit of the capture."""
    FLOOR = "floor"
    """The free-space floor was reached: stopped before the disk is full."""
    DISK_FULL = "disk_full"
    """No space left, or the free-space floor was reached before it began."""
    MEMORY = "memory"
    CPU = "cpu"
    LIFELINE = "lifeline"
    """The application went and the job was tied to it."""
    START_FAILED = "start_failed"
    """The tool could not be started at all."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be mistaken for another one that got its number later."""

    pid: int
    start_ticks: int
    """Field 22 of /proc/PID/stat."""
    boot_id: str
    """/proc/sys/kernel/random/boot_id."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a capture goes on in another file, as dumpcap's ``-b`` says it; 0 meaning never."""

    file_bytes: int = 0
    """No file has more."""
    file_seconds: float = 0.0
    """From the first packet of a file to the end of it."""
    files: int = 0
    """The oldest is deleted when there would be more: a ring. 0 keeps all."""

    @property
    def is_on(self) -> bool:
        """Whether there can be a second file."""
        return bool(self.file_bytes or self.file_seconds)

    def words(self) -> str:
        """Return when the next file begins and what is kept, as ``of 5,000,000 bytes, then the oldest goes``."""
        bounds = [f"{self.file_bytes:,} bytes"] if self.file_bytes else []
        bounds += [f"{self.file_seconds:g} seconds"] if self.file_seconds else []
        return f"of {' or '.join(bounds)}, {'then the oldest goes' if self.files else 'all kept'}"


@dataclass(frozen=True, slots=True)
class JobLimits:
    """Bounds that the runner enforces, 0 meaning none."""

    seconds: float = 0.0
    """Wall time of the tool (monotonic clock)."""
    cpu_seconds: int = 0
    """RLIMIT_CPU of the tool."""
    memory_bytes: int = 0
    """RLIMIT_AS of the tool."""
    output_bytes: int = 0
    """Bytes of capture files after which the capture is stopped."""
    quota_bytes: int = 0
    """What all captures of its owner may have together."""
    free_space_floor: int = 256 * 1024 * 1024
    """Stop when the file system of the job directory has less than this left."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a runner is told, once, in spec.json."""

    kind: JobKind
    argv: tuple[str, ...]
    """The tool's command, argv[0] an absolute path."""
    limits: JobLimits = field(default_factory=JobLimits)
    detached: bool = True
    """Go on when the application goes (within the limits), or stop the tool."""
    private_pty: bool = False
    """Give the tool a terminal of its own: nmap 7.94 to 7.99 print no progress without one."""
    capture_file: str = ""
    """For captures: file in the job directory that the tool's stdout is spliced into.

    With a rotation it has a ``%d`` for the number of the file, from 1.
    """
    rotation: Rotation = field(default_factory=Rotation)
    """For captures: when the next file begins."""
    quota_document: str = ""
    """For captures: path of the document on what else its owner has; see ``runtime/runner/quota.py``."""
    counter_programs: tuple[tuple[str, str], ...] = ()
    """For captures: (name, BPF program as ``tcpdump -ddd`` prints it) of the unread counting sockets."""
    counter_interface: str = ""
    """For captures: the interface those sockets are bound to; ``any`` for all."""


@dataclass(frozen=True, slots=True)
class CaptureCounters:
    """Live figures of a capture."""

    packets: int = 0
    """Packets the filter matched, from the kernel (or the file when there is no CAP_NET_RAW); of a capture that has
    ended, those in its files."""
    bytes: int = 0
    """Size of the capture's files in bytes, headers included."""
    received: int = 0
    """tcpdump's "received by filter"."""
    dropped: int = 0
    """tcpdump's "dropped by kernel"."""
    captured: int = 0
    """tcpdump's "captured"."""
    protocols: tuple[tuple[str, int], ...] = ()
    """Pairs of (protocol, packets)."""
    files: int = 1
    """How many files there are now."""
    overwritten: int = 0
    """Packets that were in files which the ring has deleted."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """status.json: what the runner last said."""

    state: str
    """``starting``, ``running``, ``paused``, ``stopping`` or ``ended``."""
    runner: ProcessIdentity
    tool_pid: int = 0
    tool_start_ticks: int = 0
    """Start time of the tool, as in :class:`ProcessIdentity`; its boot is the runner's."""
    started: float = 0.0
    """POSIX time."""
    ended: float = 0.0
    """POSIX time; 0 while the tool runs."""
    why: EndReason | None = None
    exit_status: int | None = None
    """Exit status of the tool; negative is the signal that ended it."""
    error: str = ""
    """One line for a person, such as ``No space left on device``."""
    counters: CaptureCounters | None = None
    halted: float = 0.0
    """Seconds of all pauses that are over."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job's row."""

    id: int
    kind: JobKind
    subject_id: int
    """Id of the scan or capture."""
    owner_id: int
    owner: str
    state: JobState
    command: tuple[str, ...]
    directory: str
    created: datetime
    """UTC."""
    started: datetime | None = None
    finished: datetime | None = None
    pid: int = 0
    """Process id of the runner; 0 before it runs."""
    error: str = ""
