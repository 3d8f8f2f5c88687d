"""The last stage: what listens on the open ports. Batches of hosts, several nmaps at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .batches import Batch, Batches
from .process import Nmap, wait_for_news
from .scanning import LOOK, Failed, Stopped, exclusions, write_list

if TYPE_CHECKING:
    from .state import ScanState

TASK = "Service scan"
_SERVICES = 0.6
"""Share of a batch's time that the services take; scripts take the rest."""


def detect(state: ScanState) -> None:
    """Find out what listens, then finish every host that no stage has finished."""
    detection = _Detection(state)
    lost = set(detection.run()) if state.plan.detection else set()
    for address in [*state.scanned, *state.discovered]:
        # who is written counts as done, also for a run that goes on with this one
        if address not in lost and address not in state.result.done:
            state.finish_host(address)
    if lost:
        raise Failed(f"what listens on {len(lost)} hosts could not be found out: {detection.why}")


class _Run:
    """A batch and its nmap."""

    def __init__(self, batch: Batch, nmap: Nmap) -> None:
        self.batch = batch
        self.nmap = nmap
        self.gave_up = False
        """Whether it was ended because a host was given up."""
        self.fraction = 0.0
        """0 to 1: how far its nmap says it is."""

    def hear(self, task: str, percent: float) -> None:
        """Take what its nmap says of a phase."""
        if task == "Service scan":
            self.fraction = max(self.fraction, _SERVICES * percent / 100.0)
        elif task == "NSE":
            self.fraction = max(self.fraction, _SERVICES + (1 - _SERVICES) * percent / 100.0)


class _Detection:
    def __init__(self, state: ScanState) -> None:
        self._state = state
        without = state.result.done | state.skipped
        waiting = [address for address in state.scanned if address not in without]
        self._parallel = state.limits.at_once(state.plan.parallel)
        self._memory = state.limits.memory_of_each(self._parallel)
        self._batches = Batches(state.plan, state.discovered, state.scanned, waiting, self._parallel)
        self._running: list[_Run] = []
        self._begun = time.monotonic()
        self._done = 0
        self.why = ""
        """How the last nmap ended that did not do its work."""

    def run(self) -> list[str]:
        """Look at all batches; return the hosts that could not be looked at."""
        while (self._batches.waiting and not self._state.stopping) or self._running:
            while self._has_room():
                self._start(self._batches.waiting.popleft())
            wait_for_news([run.nmap for run in self._running], LOOK)
            self._give_up_hosts()
            nmaps = [run.nmap for run in self._running]
            self._running = [run for run in self._running if self._goes_on(run)]
            self._state.limits.check(nmaps)
            self._tell_progress()
            self._state.result.flush()
        if self._state.stopping:
            raise Stopped
        return self._batches.lost

    def _has_room(self) -> bool:
        room = len(self._running) < self._parallel
        return room and bool(self._batches.waiting) and not self._state.stopping

    def _start(self, batch: Batch) -> None:
        plan = self._state.plan
        ports = self._batches.ports(batch, self._state.asked)
        names = plan.names if self._batches.has_names(batch) else ("-n",)
        xml = self._state.new_document("detection")
        words = [*plan.detection, *names, "-p", ports, *exclusions(xml, plan.exclude)]
        words += ["-iL", write_list(xml.with_suffix(".hosts"), batch.hosts)]
        self._running.append(_Run(batch, Nmap(words, xml, (), self._memory)))

    def _give_up_hosts(self) -> None:
        """End the nmaps that work for a host that was given up; their other hosts get another one."""
        given_up = self._state.look_for_skips()
        for run in self._running:
            if self._state.stopping or given_up.intersection(run.batch.hosts):
                run.gave_up = True
                run.nmap.interrupt()

    def _goes_on(self, run: _Run) -> bool:
        """Read what an nmap has written; whether more will come."""
        ended = run.nmap.has_ended()
        for element in run.nmap.more():
            if element.name == "taskprogress":
                said = element.tree
                run.hear(said.get("task", ""), float(said.get("percent", "0")))
            self._state.take_detected(element)
        if not ended:
            return True
        run.nmap.close()
        self._done += len(run.batch.hosts)
        if not run.nmap.succeeded and not self._state.stopping:
            self.why = self.why if run.gave_up else run.nmap.ending
            self._take_back(run)
        return False

    def _take_back(self, run: _Run) -> None:
        without = self._state.result.done | self._state.skipped
        left = [address for address in run.batch.hosts if address not in without]
        self._done -= len(left)
        self._batches.give_back(left, run.batch.attempt + (not run.gave_up))

    def _tell_progress(self) -> None:
        under_way = sum(run.fraction * len(run.batch.hosts) for run in self._running)
        percent = 100.0 * (self._done + under_way) / max(1, self._batches.total)
        if percent > 0:
            elapsed = time.monotonic() - self._begun
            self._state.result.tell_progress(TASK, min(percent, 100.0), elapsed)
