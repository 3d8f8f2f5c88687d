"""The sections of the configuration: every setting with its default, its bounds and its words."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.config import defaults
from netmon_tui.config.setting import setting


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """``[storage]``."""

    url: str = setting(
        "",
        "SQLAlchemy URL of the database. Empty: netmon.db in the data directory.",
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """``[accounts]``."""

    minimum_password_length: int = setting(
        defaults.MINIMUM_PASSWORD_LENGTH,
        "Characters a new password must have.",
        minimum=defaults.SHORTEST_PASSWORD_LENGTH,
        maximum=defaults.LONGEST_MINIMUM_PASSWORD_LENGTH,
    )
    registration: str = setting(
        "closed",
        "Registering from the login screen: for nobody, for anybody with approval, or for anybody.",
        choices=("closed", "approval", "open"),
    )
    idle_lock_minutes: int = setting(
        defaults.IDLE_LOCK_MINUTES,
        "Minutes without a key after which the screen is locked. 0: never.",
        minimum=0,
        maximum=1440,
    )
    lockout_after: int = setting(
        defaults.LOCKOUT_AFTER,
        "Failed logins in a row after which the next one has to wait, longer each time.",
        minimum=1,
        maximum=100,
    )
    session_hours: int = setting(
        defaults.SESSION_HOURS,
        "Hours after which the token kept by `netmon-tui login` expires.",
        minimum=1,
        maximum=8760,
    )


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """``[scans]``."""

    maximum_addresses: int = setting(
        defaults.MAXIMUM_ADDRESSES,
        "Addresses that one scan may have.",
        minimum=1,
        maximum=2**24,
    )
    never_scan: str = setting(
        "", "Addresses, networks and host names that no scan touches, with spaces between: always excluded."
    )
    maximum_rate: int = setting(
        0, "Probes a second that a scan may send. 0: as many as its options say.", minimum=0, maximum=100_000
    )
    at_once: int = setting(
        defaults.SCANS_AT_ONCE, "Scans that run at the same time; others wait.", minimum=1, maximum=100
    )
    staged: bool = setting(
        True, "Whether a large scan may be done by several nmaps, stage by stage, where that is faster."
    )
    longest_run_seconds: int = setting(
        defaults.SCAN_SECONDS, "Seconds after which a scan is stopped.", minimum=1, maximum=30 * 86_400
    )
    memory_limit_bytes: int = setting(
        defaults.SCAN_MEMORY_BYTES,
        "Bytes of address space that the nmaps of a scan may use together. 0: no limit.",
        minimum=0,
    )
    cpu_limit_seconds: int = setting(
        defaults.SCAN_CPU_SECONDS,
        "Seconds of CPU time that the nmaps of a scan may use together, in one run. 0: no limit.",
        minimum=0,
    )


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """``[captures]``."""

    longest_run_seconds: int = setting(
        defaults.CAPTURE_SECONDS, "Seconds after which a capture is stopped.", minimum=1, maximum=366 * 86_400
    )
    largest_bytes: int = setting(
        defaults.CAPTURE_BYTES, "Bytes of file after which a capture is stopped.", minimum=4096
    )
    free_space_floor_bytes: int = setting(
        defaults.FREE_SPACE_FLOOR_BYTES,
        "Bytes that must stay free on the disk: captures and scans are stopped before.",
        minimum=0,
    )
    quota_bytes: int = setting(
        0, "Bytes that all captures of one user may take together. 0: no limit.", minimum=0
    )
    engine: str = setting(
        "auto",
        "What captures: tcpdump, or dumpcap. auto: dumpcap for pcapng, and where only dumpcap may open interfaces.",
        choices=("auto", "tcpdump", "dumpcap"),
    )
    buffer_kib: int = setting(
        defaults.CAPTURE_BUFFER_KIB,
        "Kernel buffer of a capture in KiB: more survives longer stalls without a loss.",
        minimum=64,
        maximum=1024**2,
    )
    include_own_ssh: bool = setting(
        False, "Whether captures keep the packets of the SSH session the program is used through."
    )
    keep_days: int = setting(
        0, "Days after which captures that ended are deleted, unless marked to be kept. 0: never.", minimum=0
    )


@dataclass(frozen=True, slots=True)
class NeighbourSettings:
    """``[neighbours]``."""

    resolve_names: bool = setting(True, "Whether neighbours' host names are asked for (reverse DNS).")
    follow: bool = setting(
        True, "Whether netmon-tui worker follows the neighbour table and tells its events."
    )
    history_days: int = setting(
        defaults.NEIGHBOUR_HISTORY_DAYS,
        "Days after which times of presence that ended and acknowledged events are deleted. 0: never.",
        minimum=0,
        maximum=36_500,
    )


@dataclass(frozen=True, slots=True)
class InterfaceSettings:
    """``[interface]``."""

    theme: str = setting(defaults.THEME, "Name of the colour theme.")
    refresh_per_second: float = setting(
        defaults.REFRESH_PER_SECOND, "How often live figures are repainted.", minimum=0.1, maximum=20
    )
    low_bandwidth: bool = setting(False, "Repaint once a second and without animation, for slow connections.")
    ascii: bool = setting(False, "Draw with ASCII only, for terminals without line-drawing characters.")
    mouse: bool = setting(True, "Whether the mouse works; without it the terminal's own selection does.")

    @property
    def repaints_per_second(self) -> float:
        """The rate in force, low bandwidth considered."""
        if self.low_bandwidth:
            return min(self.refresh_per_second, defaults.LOW_BANDWIDTH_REFRESH_PER_SECOND)
        return self.refresh_per_second


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """``[logging]``."""

    level: str = setting(
        defaults.LOG_LEVEL,
        "What goes into the log file.",
        choices=("debug", "info", "warning", "error"),
    )
