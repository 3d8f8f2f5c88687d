"""How far a scan is as a whole, from what nmap says of single phases.

nmap's percent is that of one phase of one group of hosts. Addresses are pinged in batches; those that answer
are scanned in groups, and each group goes through all phases before its hosts are printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from netmon_tui.domain.scan import (
    HostFound,
    HostHinted,
    PhaseBegan,
    PhaseEnded,
    PhaseProgress,
    ScanEvent,
    ScanFinished,
)
from netmon_tui.tools.nmap_arguments import NmapOptions

MOST = 99.0
"""Percent that is not passed before nmap says that it has finished."""

_PING_SHARE = 0.1
_PING_BATCH = 4_096
_GROUP = 64
"""Hosts that nmap takes at once at most, by default, for a TCP scan."""
_WEIGHTS = (("tcp", 40.0), ("udp", 60.0), ("service", 25.0), ("traceroute", 3.0), ("nse", 20.0))
"""Phases of a group in nmap's order, with their usual share of its time."""
_STAGE_WEIGHTS = {"discovery": 10.0, "ports": 40.0, "detection": 50.0}
_STAGE_OF = {"ping": "discovery", "tcp": "ports", "udp": "ports", "service": "detection"}
_COUNT = re.compile(r"([0-9]{1,9}) total hosts")


class ScanPercent:
    """Follows a scan's events; the percentage never falls.

    Args:
        options: They say which phases will come.
        addresses: How many addresses are scanned.
    """

    def __init__(self, options: NmapOptions, addresses: int) -> None:
        self._phases = planned_phases(options)
        self._weights = [weight for phase, weight in _WEIGHTS if phase in self._phases]
        self._addresses = max(1, addresses)
        self._ping_share = 0.0 if options.has("-Pn", "-sL") else _PING_SHARE if self._phases else 0.9
        self._pinged = 0 if self._ping_share else self._addresses
        self._ping_fraction = 0.0
        self._done = 0
        self._up_hinted = 0
        self._up_done = 0
        self._phase = -1
        """Index of the group's phase; -1 before the first."""
        self._fraction = 0.0
        self._group_over = False
        self.percent = 0.0
        """0 to 100."""

    def update(self, event: ScanEvent) -> float:
        """Take an event and return the percentage."""
        if isinstance(event, ScanFinished):
            self.percent = 100.0
        elif isinstance(event, HostFound):
            self._finish_host(up=event.host.status == "up")
        elif isinstance(event, HostHinted):
            self._up_hinted += 1
        elif isinstance(event, PhaseBegan | PhaseProgress | PhaseEnded):
            self._follow(event)
        if self.percent < 100.0:
            self.percent = max(self.percent, min(MOST, 100.0 * self._overall()))
        return self.percent

    def _finish_host(self, *, up: bool) -> None:
        self._done += 1
        if up:
            self._up_done += 1
            self._group_over = True

    def _follow(self, event: PhaseBegan | PhaseProgress | PhaseEnded) -> None:
        phase = phase_kind(event.task)
        fraction = 0.0
        if isinstance(event, PhaseProgress):
            fraction = event.percent / 100.0
        elif isinstance(event, PhaseEnded):
            fraction = 1.0
        if phase == "ping":
            self._follow_ping(event, fraction)
        elif phase in self._phases:
            self._follow_group(self._phases.index(phase), fraction)

    def _follow_ping(self, event: PhaseBegan | PhaseProgress | PhaseEnded, fraction: float) -> None:
        if isinstance(event, PhaseEnded):
            count = _COUNT.search(event.extrainfo)
            self._pinged += int(count[1]) if count else 1
            self._pinged = min(self._pinged, self._addresses)
            fraction = 0.0
        self._ping_fraction = fraction

    def _follow_group(self, phase: int, fraction: float) -> None:
        if self._group_over:
            self._group_over = False
            self._phase, self._fraction = -1, 0.0
        if self._phase < 0 < phase and self._phases[phase] == "nse":
            return  # scripts that run before any host
        if phase > self._phase:
            self._phase, self._fraction = phase, fraction
        elif phase == self._phase:
            self._fraction = max(self._fraction, fraction)

    def _overall(self) -> float:
        """0 to 1: pings on one side, whole hosts and the group under way on the other.

        Only hosts that answered are work: nmap reports the others, mostly many, the moment they were pinged.
        """
        batch = min(_PING_BATCH, self._addresses - self._pinged)
        pinged = (self._pinged + batch * self._ping_fraction) / self._addresses
        ups, done = (self._up_hinted, self._up_done) if self._up_hinted else (self._pinged, self._done)
        group = min(_GROUP, max(0, ups - done))
        work = (done + group * self._group_fraction()) / max(1, ups)
        finished = self._pinged / self._addresses * min(1.0, work)
        return self._ping_share * pinged + (1.0 - self._ping_share) * finished

    def _group_fraction(self) -> float:
        if self._phase < 0 or self._group_over:
            return 0.0
        over = sum(self._weights[: self._phase]) + self._weights[self._phase] * self._fraction
        return over / sum(self._weights)


class StagedPercent:
    """Follows a scan in stages, whose progress elements are those of a whole stage.

    Args:
        stages: Of ``discovery``, ``ports`` and ``detection`` those that it has.
    """

    def __init__(self, stages: Sequence[str]) -> None:
        self._stages = stages
        self._whole = sum(_STAGE_WEIGHTS[stage] for stage in stages)
        self.percent = 0.0
        """0 to 100."""

    def update(self, event: ScanEvent) -> float:
        """Take an event and return the percentage."""
        if isinstance(event, ScanFinished):
            self.percent = 100.0
        elif isinstance(event, PhaseProgress):
            stage = _STAGE_OF.get(phase_kind(event.task), "")
            if stage in self._stages:
                self.percent = max(self.percent, min(MOST, self._overall(stage, event.percent)))
        return self.percent

    def _overall(self, stage: str, percent: float) -> float:
        before = self._stages[: self._stages.index(stage)]
        done = sum(_STAGE_WEIGHTS[name] for name in before) + _STAGE_WEIGHTS[stage] * percent / 100.0
        return 100.0 * done / self._whole


def planned_phases(options: NmapOptions) -> tuple[str, ...]:
    """The phases that every group of hosts will go through, in nmap's order."""
    names = {setting.name for setting in options.settings}
    planned = set()
    if not names & {"-sn", "-sL"}:
        techniques = {setting.name for setting in options.settings if setting.option.technique}
        if techniques - {"-sU"} or not techniques:
            planned.add("tcp")
        if "-sU" in techniques:
            planned.add("udp")
        if names & {"-sV", "-A"}:
            planned.add("service")
    if names & {"-sC", "--script", "-A"}:
        planned.add("nse")
    if names & {"--traceroute", "-A"}:
        planned.add("traceroute")
    return tuple(phase for phase, _ in _WEIGHTS if phase in planned)


def phase_kind(task: str) -> str:
    """Sort one of nmap's tasks: ``ping``, ``tcp``, ``udp``, ``service``, ``nse``, ``traceroute`` or ``other``."""
    if task.endswith("Ping Scan"):
        return "ping"
    if task.startswith("UDP Scan"):
        return "udp"
    known = {"Service scan": "service", "NSE": "nse", "Traceroute": "traceroute"}
    return known.get(task, "tcp" if task.endswith("Scan") else "other")
