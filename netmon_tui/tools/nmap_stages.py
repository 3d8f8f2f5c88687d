"""How one scan becomes several nmaps: which options each stage gets, and when that is worth it.

The port scan of a large network wants many probes at a time, the detection of what listens many connections to
few ports; one nmap does the second with the patience of the first. Measured with 256 hosts of three services:
``-F -sV`` 125 s by one nmap, 10 s in stages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from netmon_tui.tools.nmap_arguments import NmapOptions, Setting
from netmon_tui.tools.nmap_sample import FEWEST
from netmon_tui.tools.nmap_targets import TargetSet

FEWEST_ADDRESSES = 16
FEWEST_FOR_PORTS = 256
"""For fewer, when only ports are asked for: the start of more nmaps costs what it saves.

Where the network is near they save nothing, so hosts are pinged before (:func:`is_near`).
"""
PARALLEL = 4
"""Nmaps of the last stage: more were no faster on two processors."""
BATCH = 64
"""Hosts that each of them gets: what is lost at most when one dies."""
SLOW_MICROS = 5_000
"""Round trip, in microseconds, from which on nmap's caution costs more than the network does."""
FAST_RATE = 20_000
"""Probes a second for ``-T4``: 1,024 hosts 20 ms away take 6.6 s with it and 23 s without, with the same ports."""
_CONNECTIONS = "256"
_GENTLE = frozenset({"0", "1", "2"})
_HASTY = frozenset({"4", "5"})
"""Who asks for these says that the network is fast and reliable: nmap's caution may be overruled."""


def _options(line: str) -> frozenset[str]:
    return frozenset(line.split())


_ONE_STAGE = _options(
    "-sn -sL -sA -sW -sM -sN -sF -sX -sY -sZ -sO --open --scan-delay --max-parallelism --host-timeout --script"
)
"""Options of scans that one nmap does: without ports, by other techniques, or gentle by intent.

Scripts that are chosen may have parts that run before or after all hosts: every nmap would run them.
"""
_DISCOVERY = _options("-PS -PA -PU -PY -PO -PE -PP -PM -PR --discovery-ignore-rst --resolve-all --unique")
_NAMES = _options("-n -R --system-dns --dns-servers")
_PORTS = _options(
    "-p -F -r --top-ports --port-ratio --exclude-ports --defeat-rst-ratelimit --defeat-icmp-ratelimit"
)
_SYSTEM = _options("-O -A")
_PER_HOST = _SYSTEM | _options("-sC --script --traceroute")
"""Detection that also says something of a host without an open port."""
_DETECTION = _PER_HOST | _options(
    "-sV --version-intensity --version-light --version-all --allports --script-args --script-timeout"
    " --osscan-limit --osscan-guess --max-os-tries"
)
_NOT_IN_STAGES = frozenset({"--exclude", "-Pn"})


@dataclass(frozen=True, slots=True)
class Stages:
    """The options of each stage."""

    discovery: NmapOptions | None
    """None when every address is scanned, whether or not it answers."""
    ports: NmapOptions
    detection: NmapOptions | None
    """None when only ports are asked for; without names and ports."""
    names: tuple[str, ...]
    """What the detection gets to look up names, where there are any; ``-n`` when it need not."""
    every_host: bool
    """Whether the detection looks at hosts without an open port, too."""
    closed_port: bool
    """Whether it needs a closed TCP port."""
    parallel: int
    """How many nmaps it is done by."""
    batch: int
    """Hosts that each of them gets."""
    fast: tuple[str, ...]
    """What the port scan gets when the hosts are far away."""


def stages_of(options: NmapOptions, targets: TargetSet) -> Stages | None:
    """Return the stages of a scan, or None when one nmap is the better way.

    Args:
        options: As they will be used: what needs root and cannot be had is gone, the rate is bounded.
        targets: What is scanned.
    """
    if not _is_worth_it(options, targets):
        return None
    has_detection = options.has(*_DETECTION)
    no_ping = Setting("-Pn")
    pinged = not options.has("-Pn")
    common = _without(
        options, _DISCOVERY | _NAMES | _PORTS | _DETECTION | _NOT_IN_STAGES | _techniques(options)
    )
    names = _only(options, _NAMES)
    scripts = options.has("-sC", "-A")
    # Some scripts compare all hosts in the end, such as their SSH keys: only one nmap knows them all.
    parallel, batch = (1, targets.count) if scripts else (_parallel(options), BATCH)
    detection = (*common, *_only(options, _DETECTION | _techniques(options)), no_ping)
    return Stages(
        discovery=NmapOptions((*common, *names, *_only(options, _DISCOVERY), Setting("-sn")))
        if pinged
        else None,
        ports=NmapOptions(
            (
                *common,
                *([Setting("-n")] if pinged else names),
                *_only(options, _PORTS | _techniques(options)),
                no_ping,
            )
        ),
        detection=NmapOptions(tuple(_shared(detection, parallel))) if has_detection else None,
        names=tuple(word for setting in names for word in setting.tokens) if scripts else ("-n",),
        every_host=options.has(*_PER_HOST),
        closed_port=options.has(*_SYSTEM),
        parallel=parallel,
        batch=batch,
        fast=_fast(options),
    )


def is_near(round_trips: Sequence[float]) -> bool:
    """Whether the hosts of a network are so near that a port scan in stages gains nothing.

    Args:
        round_trips: Of some of its hosts, in seconds; too few of them say nothing.
    """
    return len(round_trips) >= FEWEST and median(round_trips) * 1e6 < SLOW_MICROS


def one_stage(options: NmapOptions) -> Stages:
    """Return a scan that is one nmap as a stage: only so can it go on where an earlier run has ended."""
    alone = NmapOptions(tuple(_without(options, {"--exclude"})))
    return Stages(
        discovery=None,
        ports=alone,
        detection=None,
        names=(),
        every_host=False,
        closed_port=False,
        parallel=1,
        batch=BATCH,
        fast=(),
    )


def _is_worth_it(options: NmapOptions, targets: TargetSet) -> bool:
    named = any(target.family is None or "%" in target.text for target in targets.targets)
    gentle = options.value("-T") in _GENTLE
    # nmap folds many silent UDP ports into one number: the detection would not know which to ask
    folded = options.has("-sU") and options.has(*_DETECTION)
    has_detection = options.has(*_DETECTION)
    # Of a port scan alone only the haste is to be had, and that wants the delays which the discovery measures.
    gains = has_detection or (bool(_fast(options)) and not options.has("-Pn"))
    fewest = FEWEST_ADDRESSES if has_detection else FEWEST_FOR_PORTS
    return (
        gains and targets.count >= fewest and not (folded or named or gentle) and not options.has(*_ONE_STAGE)
    )


def _parallel(options: NmapOptions) -> int:
    """Return how many nmaps may share the allowed rate: each sends at least one probe a second."""
    return min(PARALLEL, int(options.value("--max-rate") or PARALLEL))


def _techniques(options: NmapOptions) -> frozenset[str]:
    return frozenset(setting.name for setting in options.settings if setting.option.technique)


def _only(options: NmapOptions, names: Iterable[str]) -> list[Setting]:
    return [setting for setting in options.settings if setting.name in names]


def _without(options: NmapOptions, names: Iterable[str]) -> list[Setting]:
    return [setting for setting in options.settings if setting.name not in names]


def _shared(settings: Iterable[Setting], parallel: int) -> Iterable[Setting]:
    """Share the allowed rate among the nmaps of the detection, and let each ask many services at once."""
    asks_many = False
    for setting in settings:
        asks_many = asks_many or setting.name == "--min-parallelism"
        if setting.name in ("--min-rate", "--max-rate"):
            yield Setting(setting.name, str(max(1, int(setting.value) // parallel)))
        else:
            yield setting
    if not asks_many:
        yield Setting("--min-parallelism", _CONNECTIONS)


def _fast(options: NmapOptions) -> tuple[str, ...]:
    if options.has("--min-rate") or options.value("-T") not in _HASTY:
        return ()
    ceiling = int(options.value("--max-rate") or FAST_RATE)
    return ("--min-rate", str(min(FAST_RATE, ceiling)))
