"""What a scan is expected to cost: counted from its options and targets, timed by earlier runs or by a model."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence

from netmon_tui.domain.counted import counted
from netmon_tui.domain.estimate import ScanEstimate, Span, from_earlier, number_words, rounded, span_words
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.nmap_services import port_frequencies
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.services.scan_commands import PreparedScan
from netmon_tui.storage.duration_queries import DurationQueries
from netmon_tui.tools.nmap_estimate import Extent, Reckoning, open_ended, reckon
from netmon_tui.tools.nmap_ports import ports_per_host
from netmon_tui.tools.nmap_targets import TargetSet

_LOOPBACK = "127.0.0.0/8"


class ScanEstimates:
    """Estimates scans.

    Args:
        durations: Of earlier scans.
        privilege: What this process may do.
        longest: Seconds after which a scan is stopped.
    """

    def __init__(self, durations: DurationQueries, privilege: Privilege, longest: int) -> None:
        self._durations = durations
        self._privilege = privilege
        self._longest = longest

    async def of(self, actor: Actor, request: StartScan, prepared: PreparedScan) -> ScanEstimate:
        """Return what a prepared scan is expected to cost; earlier runs are those that the actor may see."""
        return await asyncio.to_thread(self._estimate, actor, request, prepared)

    def _estimate(self, actor: Actor, request: StartScan, prepared: PreparedScan) -> ScanEstimate:
        options, targets = prepared.usable, prepared.targets
        addresses, names = prepared.addresses, prepared.names
        ports = ports_per_host(options, port_frequencies())
        local = _are_local(targets)
        ipv6 = targets.ipv6 or options.has("-6")
        extent = Extent(addresses + names, ports, self._privilege.can_scan_raw, ipv6, local)
        model = reckon(options, extent, staged=prepared.plan is not None)
        runs = self._durations.earlier(
            actor,
            arguments=prepared.options.line,
            command=prepared.command.argv,
            targets=targets.texts,
            staged=request.staged,
        )
        seconds, count = from_earlier(runs, addresses + names) if runs else (model.seconds, 0)
        basis = _earlier_words(count) if runs else _model_words(extent, model)
        if seconds.highest > self._longest:
            limit = span_words(Span(self._longest, self._longest)).removeprefix("about ")
            basis += f"; a scan is stopped after {limit}"
        return ScanEstimate(
            addresses, names, tuple(ports.items()), model.probes, seconds, open_ended(options), basis, count
        )


def _are_local(targets: TargetSet) -> bool:
    """Whether all targets are IPv4 addresses of networks that this machine is in."""
    try:
        here = [ipaddress.IPv4Network(network) for network in (*interfaces.local_networks(), _LOOPBACK)]
    except NetmonError:
        return False
    return not targets.ipv6 and all(
        target.family is not None and _is_within(target.text, here) for target in targets.targets
    )


def _is_within(text: str, networks: Sequence[ipaddress.IPv4Network]) -> bool:
    if "/" in text:
        asked = ipaddress.IPv4Network(text)
        return any(asked.subnet_of(network) for network in networks)
    first, last = (
        ipaddress.IPv4Address(".".join(part.split("-")[end] for part in text.split("."))) for end in (0, -1)
    )
    return any(first in network and last in network for network in networks)


def _earlier_words(runs: int) -> str:
    return f"from {runs} earlier run{'' if runs == 1 else 's'} of these options"


def _model_words(extent: Extent, model: Reckoning) -> str:
    """Return what the times assume, in one line."""
    place = "on this machine's network" if extent.local else "behind a router"
    if model.up == Span(0, 0):
        return "nothing is sent to them"
    if extent.hosts == 1:
        return f"assumes a host {place} that answers at once, or not at all"
    up = rounded(model.up)
    low, high = map(number_words, up)
    hosts = counted(int(up.highest), "host", high) if low == high else f"{low} to {high} hosts"
    silent = "all" if model.all_may_be_silent else "half of them"
    return f"assumes {hosts} up {place}, {silent} perhaps silent"
