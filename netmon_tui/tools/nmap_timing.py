"""What nmap's timing templates and options bound: how long it waits, how many probes it has out, how often it asks.

From nmap 7.93's NmapOps.cc and its manual; what each is worth in seconds was measured (see `nmap_estimate`).
"""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.tools.nmap_arguments import NmapOptions

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NORMAL = "3"
_DELAYS = {"0": 300.0, "1": 15.0, "2": 0.4}
_FIRST_TIMEOUTS = {"0": 300.0, "1": 15.0, "4": 0.5, "5": 0.25}
_LEAST_TIMEOUTS = {"5": 0.05}
_RETRIES = {"4": 6, "5": 2}
_HOST_TIMEOUTS = {"5": 900.0}
_WINDOW = 10
"""Probes that nmap has out when nothing answers: its congestion window does not open."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a scan is. Times in seconds."""

    first_timeout: float
    """How long it waits for who has not answered yet."""
    least_timeout: float
    """How long it waits at least for a host that is near."""
    retries: int
    """How often a probe is repeated at most."""
    delay: float
    """Between two probes to one host, at least."""
    window: int
    """Probes that are out at once when nothing answers; 1 when all go one after the other."""
    serial: bool
    """Whether only one probe is out at a time, whatever answers."""
    host_timeout: float
    """After which a host is given up; 0 for never."""
    least_rate: float
    """Probes a second; 0 for none."""
    most_rate: float
    """Probes a second; 0 for none."""

    @property
    def tries(self) -> int:
        """How often a silent port is asked on a network that loses nothing: nmap repeats more only after losses."""
        return 1 + min(1, self.retries)


def timing_of(options: NmapOptions) -> Timing:
    """Return the timing that options ask for, a ceiling that was added to them considered."""
    template = options.value("-T") or _NORMAL
    first = _time(options, "--initial-rtt-timeout", _FIRST_TIMEOUTS.get(template, 1.0))
    most = _time(options, "--max-rtt-timeout", max(10.0, first))
    most_probes = int(options.value("--max-parallelism") or (1 if template in _DELAYS else 0))
    window = max(_WINDOW, int(options.value("--min-parallelism") or 0))
    return Timing(
        first_timeout=min(first, most),
        least_timeout=_time(options, "--min-rtt-timeout", _LEAST_TIMEOUTS.get(template, 0.1)),
        retries=int(options.value("--max-retries") or _RETRIES.get(template, 10)),
        delay=_time(options, "--scan-delay", _DELAYS.get(template, 0.0)),
        window=min(window, most_probes or window),
        serial=most_probes == 1,
        host_timeout=_time(options, "--host-timeout", _HOST_TIMEOUTS.get(template, 0.0)),
        least_rate=float(options.value("--min-rate") or 0),
        most_rate=float(options.value("--max-rate") or 0),
    )


def _time(options: NmapOptions, name: str, otherwise: float) -> float:
    text = options.value(name)
    if not text:
        return otherwise
    digits = text.rstrip("msh")
    return int(digits) * _UNITS[text[len(digits) :]]
