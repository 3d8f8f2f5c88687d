"""What a staged scan knows: its plan, its hosts so far, and who was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .hosts import Spool
from .joining import address_of, state_of
from .limits import Limits
from .result import Result

if TYPE_CHECKING:
    from pathlib import Path

    from .elements import Element
    from .plan import Plan

SKIP = "skip"
"""File with the addresses, one a line, that are given up while we run."""
INFORMATION = ("scaninfo", "verbose", "debugging")
"""Elements that every stage repeats."""
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
        if element.name in INFORMATION:
            self.take_information(element)
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

    def take_information(self, element: Element) -> None:
        """Take what an nmap says of the whole scan, such as the ports that were asked for."""
        if element.name == "scaninfo":
            information = element.tree
            self.asked[information.get("protocol", "")] = information.get("services", "")
        self.result.copy_once(element)

    def take_detected(self, element: Element) -> None:
        """Take an element of the detection: its hosts are done with it."""
        if element.name == "host":
            self.finish_host(address_of(element.tree), element)
        elif element.name in ("prescript", "postscript"):
            self.result.copy(element)

    def finish_host(self, address: str, detected: Element | None = None) -> None:
        """Write a host with all that is known of it."""
        discovered = self.discovered.get(address)
        host = self.scanned.get(address)
        if host is None:
            host = self.discovered.get(address)
        if host is not None:
            self.result.add(host, discovered, detected.tree if detected else None)
