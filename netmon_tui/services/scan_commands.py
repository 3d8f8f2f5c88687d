"""From a request to what is run: the grammar, the limits, and the stages. Everything blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from netmon_tui.config.settings import Settings
from netmon_tui.domain.job import JobKind, JobLimits, JobSpec
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor, ScanLimits
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.job_directory import seconds_run, write_private
from netmon_tui.runtime.nmap_services import port_frequencies
from netmon_tui.runtime.nse_files import installed_scripts
from netmon_tui.runtime.pings import round_trips
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.runtime.staged import PROGRAM
from netmon_tui.runtime.staged.plan import Plan, read_plan
from netmon_tui.runtime.tool_paths import require_tool, version_numbers
from netmon_tui.tools import nmap_stages
from netmon_tui.tools.nmap_address_count import count_addresses
from netmon_tui.tools.nmap_arguments import (
    Command,
    NmapOptions,
    build_command,
    command_words,
    needs_private_pty,
    parse_options,
    usable_options,
)
from netmon_tui.tools.nmap_exclusions import NeverScan, excluded_in
from netmon_tui.tools.nmap_ports import refuse_no_ports
from netmon_tui.tools.nmap_rate import lower_ceiling, under_ceiling
from netmon_tui.tools.nmap_sample import sample_of
from netmon_tui.tools.nmap_stages import Stages, is_near, stages_of
from netmon_tui.tools.nmap_targets import TargetSet, parse_target, parse_targets

XML_NAME = "scan.xml"
PLAN_NAME = "plan.json"
SHORTEST_RUN = 1.0
"""Seconds that must be left of a scan's time for it to go on."""
PING_SECONDS = 0.25
"""How long hosts are waited for that are pinged before a scan: those far away must be heard beside near ones."""


@dataclass(frozen=True, slots=True)
class PreparedScan:
    """What a request runs."""

    options: NmapOptions
    """As the user wrote them."""
    targets: TargetSet
    command: Command
    """The scan as one nmap, with what to tell the user."""
    plan: Plan | None
    """How several nmaps do it; None when it is one."""
    usable: NmapOptions
    """As nmap gets them: with the limits of this installation, and without what needs rights it has not."""
    never: tuple[str, ...]
    """What is left out whatever was asked."""
    addresses: int
    """How many are scanned, without what is excluded."""
    names: int
    """Host names that are scanned, the same."""

    @property
    def stages(self) -> dict[str, tuple[str, ...]]:
        """The commands of the stages by name, without output and targets; none when it is one nmap."""
        return self.plan.stages if self.plan is not None else {}

    @property
    def only_if_far(self) -> bool:
        """Whether the stages gain something only where the hosts are far away: without detection."""
        return bool(self.stages) and "detection" not in self.stages


class ScanCommands:
    """Makes commands of requests.

    Args:
        settings: Limits.
        privilege: What this process may do.
        limits: Returns what the scans of a user are held to.
    """

    def __init__(self, settings: Settings, privilege: Privilege, limits: Callable[[int], ScanLimits]) -> None:
        self._settings = settings
        self._limits = limits
        self._privilege = privilege

    def prepare(
        self,
        owner: Actor,
        request: StartScan,
        directory: Path,
        *,
        goes_on: bool = False,
        skipped: Iterable[str] = (),
        spared: Iterable[str] = (),
    ) -> PreparedScan:
        """Return what a request runs in a directory.

        Args:
            owner: Whose scan it is: it is held to the owner's limits of today, and to those of the settings.
            request: With what its profile and its sets stand for.
            directory: The job directory.
            goes_on: Whether an earlier run has left something that is not scanned again.
            skipped: Addresses that were given up.
            spared: What earlier runs have left out: it stays so, or the scan would claim to have asked it.

        Raises:
            InvalidInput: A target or an option is refused, with the reason.
            PrivilegeMissing: Without root nothing of what was asked is left.
            ToolMissing: nmap is not installed.
        """
        limits, own = self._settings.scans, self._limits(owner.user_id)
        options = parse_options(request.arguments)
        never = NeverScan(limits.never_scan, own.never_scan, spared)
        asked = parse_targets(request.targets, limit=limits.maximum_addresses)
        targets, left_out = never.taken_from(asked, dict(request.of_sets))
        ipv6 = targets.ipv6 or options.has("-6")
        nmap = require_tool("nmap")
        allowed = under_ceiling(
            never.added_to(options, ipv6=ipv6), lower_ceiling(limits.maximum_rate, own.maximum_rate)
        )
        command = self._command(nmap, allowed, targets, directory)
        usable, _ = usable_options(
            allowed, version=version_numbers("nmap"), privileged=self._privilege.can_scan_raw
        )
        refuse_no_ports(usable, port_frequencies())
        excluded = excluded_in(usable)
        addresses, names = count_addresses(targets.targets, map(parse_target, excluded))
        _refuse_nothing(addresses + names)
        stages = stages_of(usable, targets) if request.staged and limits.staged else None
        if stages is None and goes_on:
            stages = nmap_stages.one_stage(usable)
        plan = None if stages is None else self._plan(nmap, usable, targets, stages, excluded, tuple(skipped))
        command = replace(command, warnings=(*left_out, *command.warnings))
        never_here = never.of_family(ipv6=ipv6)
        return PreparedScan(options, targets, command, plan, usable, never_here, addresses, names)

    def _command(self, nmap: str, allowed: NmapOptions, targets: TargetSet, directory: Path) -> Command:
        """Return the command of one nmap that does everything."""
        return build_command(
            nmap,
            allowed,
            targets.targets,
            xml_path=str(directory / XML_NAME),
            version=version_numbers("nmap"),
            privileged=self._privilege.can_scan_raw,
            by_capabilities=self._privilege.nmap_needs_flag,
            ipv6=targets.ipv6,
            scripts=installed_scripts() if allowed.has("--script") else None,
        )

    @staticmethod
    def settle(prepared: PreparedScan) -> PreparedScan:
        """Return what a scan that is about to begin runs: one nmap, where stages would gain nothing.

        Some of its hosts may be pinged for that; it waits :data:`PING_SECONDS` at most.
        """
        sample = sample_of(prepared.usable, prepared.targets) if prepared.only_if_far else ()
        return replace(prepared, plan=None) if sample and _are_near(sample) else prepared

    def _plan(
        self,
        nmap: str,
        usable: NmapOptions,
        targets: TargetSet,
        stages: Stages,
        excluded: tuple[str, ...],
        skipped: tuple[str, ...],
    ) -> Plan:
        def words(options: NmapOptions | None) -> tuple[str, ...]:
            if options is None:
                return ()
            return command_words(
                nmap,
                options,
                privileged=self._privilege.can_scan_raw,
                by_capabilities=self._privilege.nmap_needs_flag,
                ipv6=targets.ipv6 and not options.has("-6"),
            )

        return Plan(
            arguments=" ".join(["nmap", *usable.tokens, *targets.texts]),
            targets=targets.texts,
            addresses=targets.count,
            discovery=words(stages.discovery),
            ports=words(stages.ports),
            detection=words(stages.detection),
            names=stages.names,
            every_host=stages.every_host,
            closed_port=stages.closed_port,
            exclude=excluded,
            skip=skipped,
            slow_micros=nmap_stages.SLOW_MICROS,
            fast=stages.fast,
            parallel=stages.parallel,
            batch=stages.batch,
        )

    def seconds_left(self, directory: Path) -> float:
        """Return how long the scan of a job directory may run yet.

        Raises:
            InvalidInput: No longer.
        """
        allowed = self._settings.scans.longest_run_seconds
        left = allowed - seconds_run(directory)
        if left < SHORTEST_RUN:
            raise InvalidInput(
                f"the scan has run for as long as one may, {allowed} s; what was found is kept",
                fix="raise scans.longest_run_seconds, or start a new scan of what is missing",
            )
        return left

    def spec(self, prepared: PreparedScan, directory: Path, *, detached: bool) -> JobSpec:
        """Return what the runner of a prepared scan is told.

        Raises:
            InvalidInput: Earlier runs of the directory have used the time up.
        """
        limits = self._settings.scans
        staged = (sys.executable, "-I", "-S", str(PROGRAM))
        return JobSpec(
            kind=JobKind.SCAN,
            argv=prepared.command.argv if prepared.plan is None else staged,
            limits=JobLimits(
                seconds=self.seconds_left(directory),
                cpu_seconds=limits.cpu_limit_seconds,
                memory_bytes=limits.memory_limit_bytes,
                free_space_floor=self._settings.captures.free_space_floor_bytes,
            ),
            detached=detached,
            private_pty=needs_private_pty(version_numbers("nmap")),
        )


def _are_near(sample: tuple[str, ...]) -> bool:
    return is_near(round_trips(sample, PING_SECONDS))


def _refuse_nothing(left: int) -> None:
    """Refuse what nmap would end with a warning that sounds as if nothing had been typed."""
    if not left:
        raise InvalidInput(
            "nothing is left to scan",
            why="all targets are excluded, or on the never-scan list",
            fix="exclude less, or ask an administrator for it",
        )


def write_plan(prepared: PreparedScan, directory: Path) -> None:
    """Make the job directory of a scan that several nmaps do, with its plan."""
    if prepared.plan is not None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(directory / PLAN_NAME, prepared.plan._asdict())


def stages_in(directory: Path) -> dict[str, tuple[str, ...]]:
    """Return the commands of the stages of the scan in a job directory; none when one nmap does it."""
    try:
        return read_plan(directory / PLAN_NAME).stages
    except (OSError, ValueError, TypeError):
        return {}
