"""The defaults of all settings, by name, with their reasons."""

from __future__ import annotations

from netmon_tui.domain.buffer import DEFAULT_BUFFER_KIB

MINIMUM_PASSWORD_LENGTH = 15
"""Characters: NIST SP 800-63B-4 for a password that is the only factor."""
SHORTEST_PASSWORD_LENGTH = 8
"""Characters: what the setting above may never go under."""
LONGEST_MINIMUM_PASSWORD_LENGTH = 128
IDLE_LOCK_MINUTES = 10
LOCKOUT_AFTER = 5
"""Failed logins in a row before the first delay."""
SESSION_HOURS = 12
"""How long the token of ``netmon-tui login`` is good for."""

MAXIMUM_ADDRESSES = 65_536
"""A /16: more in one scan is nearly always a typing error."""
NEIGHBOUR_HISTORY_DAYS = 400
SCANS_AT_ONCE = 4
SCAN_SECONDS = 6 * 3600
SCAN_MEMORY_BYTES = 2 * 1024**3
"""An endless banner has driven nmap -sV to 1.5 GB; nothing else comes near."""
SCAN_CPU_SECONDS = 3600
"""The same scan burnt 7 minutes of CPU in 10 without an end in sight."""

CAPTURE_SECONDS = 24 * 3600
CAPTURE_BYTES = 4 * 1024**3
FREE_SPACE_FLOOR_BYTES = 256 * 1024**2
CAPTURE_BUFFER_KIB = DEFAULT_BUFFER_KIB

THEME = "textual-dark"
REFRESH_PER_SECOND = 4.0
LOW_BANDWIDTH_REFRESH_PER_SECOND = 1.0

LOG_LEVEL = "info"
LOG_FILE_BYTES = 1024**2
LOG_FILES_KEPT = 3
