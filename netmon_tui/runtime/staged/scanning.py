"""The first two stages, one nmap at a time: which hosts are up, and which ports they have open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from .process import Nmap, wait_for_news

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from .elements import Element
    from .state import ScanState

LOOK = 0.2
"""Seconds between looks at the documents."""
ATTEMPTS = 2
"""How often a stage that died is tried."""
_GROUP = 64
"""Hosts that nmap scans at once, as a rule: what its percentage is of."""


class Stopped(Exception):
    """Somebody asked for the end."""


class Failed(Exception):
    """A stage could not be finished; what was found is kept."""


class Stage(NamedTuple):
    """A stage that one nmap at a time works on."""

    name: str
    words: tuple[str, ...]
    take: Callable[[Element], None]
    known: Callable[[], Iterable[str]]
    """Addresses that are not scanned again."""
    hosts: Callable[[], Iterable[str]] | None
    """Addresses to scan, where they are known; else the targets."""


def discover(state: ScanState) -> None:
    """Find the hosts that are up."""
    if state.plan.discovery and "discovery" not in state.finished:
        _finish(
            state,
            Stage(
                "discovery",
                state.plan.discovery,
                state.take_discovered,
                known=lambda: state.result.done.union(state.discovered),
                hosts=None,
            ),
        )


def scan_ports(state: ScanState) -> None:
    """Scan the ports of the hosts that are up, or of all targets."""
    if "ports" in state.finished:
        return

    def known() -> set[str]:
        return state.result.done.union(state.scanned)

    def hosts() -> list[str]:
        without = known() | state.skipped
        return [address for address in state.discovered if address not in without]

    if state.plan.discovery and not hosts():
        return
    words = state.plan.ports + _speed(state)
    _finish(
        state,
        Stage("ports", words, state.take_scanned, known, hosts if state.plan.discovery else None),
    )


def _speed(state: ScanState) -> tuple[str, ...]:
    """Return the options that hurry a port scan which would mostly wait for answers."""
    delays = sorted(state.delays)
    median = delays[len(delays) // 2] if delays else 0
    return state.plan.fast if median >= state.plan.slow_micros else ()


def _finish(state: ScanState, stage: Stage) -> None:
    """Run a stage to its end: again, without what is done, when its nmap died or a host was given up."""
    attempts = 0
    while attempts < ATTEMPTS:
        nmap = Nmap(*_command(state, stage))
        try:
            gave_up = _follow(state, nmap, stage)
        finally:
            nmap.close()
        if nmap.succeeded or (gave_up and stage.hosts and not list(stage.hosts())):
            return
        attempts += not gave_up
    raise Failed(f"the {stage.name} stage of the scan did not come to its end: {nmap.ending}")


def _command(state: ScanState, stage: Stage) -> tuple[list[str], Path, tuple[str, ...]]:
    """Return words, document and targets of the next nmap of a stage."""
    xml = state.new_document(stage.name)
    words = list(stage.words)
    exclude = [*state.plan.exclude, *state.skipped]
    if stage.hosts is None:
        exclude += stage.known()
        targets = state.plan.targets
    else:
        targets = ()
        words += ["-iL", write_list(xml.with_suffix(".hosts"), stage.hosts())]
    return words + exclusions(xml, exclude), xml, targets


def exclusions(xml: Path, exclude: Sequence[str]) -> list[str]:
    """Return the words that keep an nmap away from targets, with the file that they name beside its document."""
    return ["--excludefile", write_list(xml.with_suffix(".exclude"), exclude)] if exclude else []


def write_list(path: Path, lines: Iterable[str]) -> str:
    """Write a file for an nmap to read, one word a line; return its name."""
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def _follow(state: ScanState, nmap: Nmap, stage: Stage) -> bool:
    """Read what nmap writes until it ends; whether it was ended because a host was given up."""
    gave_up, progress = False, _Progress(state, stage)
    while True:
        ended = nmap.has_ended()
        for element in nmap.more():
            state.result.begin(nmap.root)
            stage.take(element)
            progress.hear(element)
        state.result.flush()
        state.limits.check([nmap])
        if state.stopping:
            nmap.interrupt()
        elif not gave_up and state.look_for_skips():
            gave_up = True
            nmap.interrupt()
        if ended:
            break
        wait_for_news([nmap], LOOK)
    if state.stopping:
        raise Stopped
    return gave_up


class _Progress:
    """The percentage of the port scan over all groups of hosts, which is not nmap's own."""

    def __init__(self, state: ScanState, stage: Stage) -> None:
        self._state = state
        self._tells = stage.name == "ports" and state.in_stages
        self._hosts = len(state.discovered) or state.plan.addresses
        self._begun = time.monotonic()
        self._most = 0.0

    def hear(self, element: Element) -> None:
        """Take an element; one that tells of a phase becomes one that tells of the stage."""
        if not self._tells or element.name != "taskprogress":
            return
        said = element.tree
        task = said.get("task", "")
        if not task.endswith("Scan"):
            return
        done = len(self._state.result.done.intersection(self._state.discovered)) + len(self._state.scanned)
        group = min(_GROUP, max(0, self._hosts - done))
        percent = (100 * done + group * float(said.get("percent", "0"))) / max(1, self._hosts)
        self._most = max(self._most, min(percent, 100.0))
        self._state.result.tell_progress(task, self._most, time.monotonic() - self._begun)
