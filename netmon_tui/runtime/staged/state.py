"""What a staged scan knows: its plan, its hosts so far, and who was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .elements import read_whole
from .hosts import Spool
from .joining import address_of, state_of
from .limits import Limits
from .plan import read_plan
from .result import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .elements import Element
    from .plan import Plan

EARLIER = "earlier"
"""Directory with the files of the run before, when this one goes on with it."""
SKIP = "skip"
"""File with the addresses, one a line, that are given up while we run."""
_COPIED_ONCE = ("scaninfo", "verbose", "debugging")
_COPIED = ("prescript", "postscript", "taskbegin", "taskend", "taskprogress", "hosthint", "output")


class ScanState:
    """Everything the stages share.

    Args:
        directory: The job directory.
        plan: What to run.
    """

    def __init__(self, directory: Path, plan: Plan) -> None:
        self.directory = directory
        self.plan = plan
        self.result = Result(directory / "scan.xml", plan.arguments)
        self.discovered = Spool(directory)
        """Hosts that are up, as the discovery found them."""
        self.scanned = Spool(directory)
        """Hosts with their ports, until the detection is done with them."""
        self.finished: set[str] = set()
        """Stages that have come to their end."""
        self.asked: dict[str, str] = {}
        """Ports by protocol, as ``<scaninfo>`` has them."""
        self.delays: list[int] = []
        """Round trip times, in microseconds."""
        self.skipped = set(plan.skip)
        """Addresses that were given up."""
        self.limits = Limits()
        self.stopping = False
        self._skips_read = 0
        self._documents = 0

    @property
    def in_stages(self) -> bool:
        """Whether more than one stage speaks of a host."""
        return bool(self.plan.discovery or self.plan.detection)

    def stop(self) -> None:
        """Note that somebody asked for the end."""
        self.stopping = True

    def new_document(self, stage: str) -> Path:
        """Return where the next nmap of a stage writes."""
        self._documents += 1
        return self.directory / f"stage-{stage}-{self._documents:04}.xml"

    def look_for_skips(self) -> set[str]:
        """Return the addresses that were given up since the last time."""
        try:
            with (self.directory / SKIP).open() as file:
                lines = file.read().rpartition("\n")[0].split()  # the last one may be being written
        except FileNotFoundError:
            return set()
        new, self._skips_read = set(lines[self._skips_read :]), len(lines)
        self.skipped |= new
        return new

    # --- what an earlier run has left ----------------------------------------------------------------

    def take_over(self) -> None:
        """Read the documents of the run that is gone on with, and make them ours."""
        earlier = self.directory / EARLIER
        while earlier.is_dir():  # the run before may have ended before it had taken over its own
            self._take_over_run(earlier)
            earlier /= EARLIER

    def _take_over_run(self, earlier: Path) -> None:
        for path in sorted(earlier.glob("scan.xml*")):
            for element in read_whole(path, self.result.begin):
                self._take_result(element)
        if not _has_stages(earlier, self.plan):
            return
        for stage, take in (("discovery", self.take_discovered), ("ports", self.take_scanned)):
            for path in sorted(earlier.glob(f"stage-{stage}-*.xml*")):
                self._adopt(path, stage, take)

    def _adopt(self, path: Path, stage: str, take: Callable[[Element], None]) -> None:
        adopted = self.new_document(stage)
        adopted.with_name(adopted.stem + "".join(path.suffixes)).hardlink_to(path)
        for element in read_whole(path, self.result.begin):
            take(element)
            if element.name == "runstats":
                self.finished |= {stage} if _is_success(element) else set()

    def _take_result(self, element: Element) -> None:
        """A host that is in the result is done, unless nmap gave it up."""
        if element.name in _COPIED_ONCE:
            self._take_information(element)
        elif element.name in ("prescript", "postscript"):
            self.result.copy_once(element)
        elif element.name == "host":
            host = element.tree
            if host.get("timedout") != "true":
                self.result.add(host)

    # --- what the stages find ------------------------------------------------------------------------

    def take_discovered(self, element: Element) -> None:
        """Take an element of the host discovery."""
        if element.name == "host":
            self._take_discovered_host(element)
        elif element.name in _COPIED:
            self.result.copy(element)

    def _take_discovered_host(self, element: Element) -> None:
        host = element.tree
        address = address_of(host)
        if state_of(host) != "up":
            self.result.add(host)
            return
        self.discovered.keep(address, element.content)
        self.result.hint(host)
        times = host.find("times")
        if times is not None and times.get("srtt", "").isdigit():
            self.delays.append(int(times.get("srtt", "")))

    def take_scanned(self, element: Element) -> None:
        """Take an element of the port scan: hosts are done with it, where no detection follows."""
        if element.name in _COPIED_ONCE:
            self._take_information(element)
        elif element.name == "host":
            self._take_scanned_host(element)
        elif element.name in _COPIED and not self.in_stages:
            self.result.copy(element)

    def _take_scanned_host(self, element: Element) -> None:
        host = element.tree
        address = address_of(host)
        if self.plan.detection and state_of(host) == "up":
            self.scanned.keep(address, element.content)
        else:
            self.result.add(host, self.discovered.get(address))

    def _take_information(self, element: Element) -> None:
        if element.name == "scaninfo":
            information = element.tree
            self.asked[information.get("protocol", "")] = information.get("services", "")
        self.result.copy_once(element)

    def take_detected(self, element: Element) -> None:
        """Take an element of the detection: its hosts are done with it."""
        if element.name == "host":
            self.finish_host(address_of(element.tree), element)
        elif element.name in ("prescript", "postscript"):
            self.result.copy_once(element)

    def finish_host(self, address: str, detected: Element | None = None) -> None:
        """Write a host with all that is known of it."""
        discovered = self.discovered.get(address)
        host = self.scanned.get(address)
        if host is None:
            host = self.discovered.get(address)
        if host is not None:
            self.result.add(host, discovered, detected.tree if detected else None)


def _has_stages(directory: Path, plan: Plan) -> bool:
    """Whether the run of a directory had the stages of a plan: else its hosts were not looked at as asked now."""
    try:
        return read_plan(directory / "plan.json").stages.keys() == plan.stages.keys()
    except (OSError, ValueError, TypeError):
        return False


def _is_success(runstats: Element) -> bool:
    finished = runstats.tree.find("finished")
    return finished is not None and finished.get("exit") == "success"
