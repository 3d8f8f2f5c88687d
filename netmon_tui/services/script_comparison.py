"""What scripts said in two scans, compared page by page."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from netmon_tui.domain.comparing import HostHead, Pair
from netmon_tui.domain.comparing_scripts import ScriptText, alike_to_scripts, may_tell, script_change
from netmon_tui.domain.comparison import PortFacts, PortKey, ScriptChange, ScriptKey
from netmon_tui.domain.nse import NseScript
from netmon_tui.domain.script_noise import LEFT_OUT
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.nse_files import installed_scripts
from netmon_tui.storage.script_queries import ScriptQueries
from netmon_tui.tools.nmap_script_coverage import ScriptCoverage, common_scripts, script_choice

LONGEST_COMPARED = 16_384
"""Characters of an output, and of its tables, that are compared in detail: that it differs is seen anyway."""
_HOSTS = 50
"""Hosts whose differing outputs are in memory at once."""

Ports = Mapping[int, Mapping[PortKey, PortFacts]]
"""Listed ports by ordinal."""


class ScriptSide:
    """The scripts of one of two scans.

    Args:
        queries: Storage.
        scan_id: The scan.
        command: Its command; empty where only its document tells it.
        nmap: Version of nmap.
    """

    def __init__(self, queries: ScriptQueries, scan_id: int, command: Sequence[str], nmap: str) -> None:
        self._queries = queries
        self._scan_id = scan_id
        self.nmap = nmap
        run = queries.run(scan_id)
        self.verbosity = run.verbosity
        choice = script_choice(command or _words(run.arguments))
        self.coverage = ScriptCoverage(choice, queries.names(scan_id), _installed())

    def marks(self, ordinals: Sequence[int]) -> dict[int, dict[ScriptKey, int]]:
        """Return numbers that are the same for the same outputs, by ordinal."""
        return self._queries.marks(self._scan_id, ordinals, LEFT_OUT)

    def texts(self, ordinals: Sequence[int], names: set[str]) -> dict[int, dict[ScriptKey, ScriptText]]:
        """Return the outputs of some scripts, by ordinal."""
        return self._queries.texts(self._scan_id, ordinals, names, LONGEST_COMPARED)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # a quotation mark that is not closed: not from nmap
        return command.split()


def _installed() -> tuple[NseScript, ...]:
    try:
        return installed_scripts()
    except NetmonError:  # the same options and what the results tell must do
        return ()


class _Differing(NamedTuple):
    """A host with the scripts that do not say the same to the letter."""

    was: HostHead
    now: HostHead
    keys: list[ScriptKey]


class ScriptComparison:
    """Says what became of the outputs of scripts that both scans ran.

    Args:
        old, new: The scans.
        covered: Whether both scans asked for a port.
    """

    def __init__(self, old: ScriptSide, new: ScriptSide, covered: Callable[[PortKey], bool]) -> None:
        self._old, self._new = old, new
        self._covered = covered
        self._both_ran = common_scripts(old.coverage, new.coverage)
        self._as_verbose = old.verbosity == new.verbosity
        self._found = False

    def notes(self) -> Iterator[str]:
        """Yield what is to be said of the changes, once they are found."""
        a, b = self._old.coverage, self._new.coverage
        if not (a.seen or b.seen):
            return
        if a.choice[:2] != b.choice[:2]:
            yield "they chose different scripts: only those of both are compared"
        if self._found and a.choice.arguments != b.choice.arguments:
            yield "they told scripts different arguments: what scripts say may differ by that"
        if not self._as_verbose:
            yield "one was run with more -v: a script that said something in only one is not compared"
        if self._found and self._old.nmap != self._new.nmap:
            yield "they are of different versions of nmap: scripts may say the same in other words"

    def changes(
        self, page: Sequence[Pair], before: Ports, after: Ports
    ) -> dict[int, tuple[ScriptChange, ...]]:
        """Return what changed, by the ordinal of the host in the later scan; what is the same is left out.

        Args:
            page: Hosts.
            before, after: Their listed ports.
        """
        if not (self._old.coverage.seen or self._new.coverage.seen):
            return {}
        differing = list(self._differing(page, before, after))
        found: dict[int, tuple[ScriptChange, ...]] = {}
        for start in range(0, len(differing), _HOSTS):
            found |= dict(self._compared(differing[start : start + _HOSTS]))
        self._found = self._found or bool(found)
        return found

    def _differing(self, page: Sequence[Pair], before: Ports, after: Ports) -> Iterator[_Differing]:
        both = [(was, now) for was, now in page if was is not None and now is not None]
        old = self._old.marks([was.ordinal for was, _ in both])
        new = self._new.marks([now.ordinal for _, now in both])
        for was, now in both:
            a, b = old.get(was.ordinal, {}), new.get(now.ordinal, {})
            if a == b:
                continue
            ports = before.get(was.ordinal, {}), after.get(now.ordinal, {})
            keys = [
                key
                for key in sorted(a.keys() | b.keys())
                if a.get(key) != b.get(key)
                and self._both_ran(key[2])
                and (key in a or self._would_say(was))
                and (key in b or self._would_say(now))
                and self._is_told(key, *ports, one_sided=key not in a or key not in b)
            ]
            if keys:
                yield _Differing(was, now, keys)

    def _would_say(self, head: HostHead) -> bool:
        """Whether a script that said nothing of a host had nothing to say."""
        return self._as_verbose and not head.unfinished

    def _is_told(
        self,
        key: ScriptKey,
        before: Mapping[PortKey, PortFacts],
        after: Mapping[PortKey, PortFacts],
        *,
        one_sided: bool,
    ) -> bool:
        """Whether both scans had a reason to run a script against the port, or it is about the host."""
        port = key[:2]
        if not port[0]:
            return True
        old, new = before.get(port), after.get(port)
        if old is None or new is None or not may_tell(old, new) or not self._covered(port):
            return False
        return not one_sided or alike_to_scripts(old, new)

    def _compared(self, hosts: Sequence[_Differing]) -> Iterator[tuple[int, tuple[ScriptChange, ...]]]:
        names = {key[2] for host in hosts for key in host.keys}
        before = self._old.texts([host.was.ordinal for host in hosts], names)
        after = self._new.texts([host.now.ordinal for host in hosts], names)
        for was, now, keys in hosts:
            a, b = before.get(was.ordinal, {}), after.get(now.ordinal, {})
            found = (script_change(key, was.ordinal, a.get(key), b.get(key)) for key in keys)
            if changes := tuple(change for change in found if change is not None):
                yield now.ordinal, changes
