"""What the run before has left, when this one goes on with it: its hosts are done, its documents become ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .elements import read_whole
from .plan import read_plan
from .state import INFORMATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .elements import Element
    from .plan import Plan
    from .state import ScanState

EARLIER = "earlier"
"""Directory with the files of the run before."""


def take_over(state: ScanState) -> None:
    """Read the documents of the run that is gone on with, and make them ours."""
    earlier = state.directory / EARLIER
    while earlier.is_dir():  # the run before may have ended before it had taken over its own
        _take_over_run(state, earlier)
        earlier /= EARLIER


def _take_over_run(state: ScanState, earlier: Path) -> None:
    for path in sorted(earlier.glob("scan.xml*")):
        for element in read_whole(path, state.result.begin):
            _take_result(state, element)
    if not _has_stages(earlier, state.plan):
        return
    for stage, take in (("discovery", state.take_discovered), ("ports", state.take_scanned)):
        for path in sorted(earlier.glob(f"stage-{stage}-*.xml*")):
            _adopt(state, path, stage, take)


def _adopt(state: ScanState, path: Path, stage: str, take: Callable[[Element], None]) -> None:
    adopted = state.new_document(stage)
    adopted.with_name(adopted.stem + "".join(path.suffixes)).hardlink_to(path)
    for element in read_whole(path, state.result.begin):
        take(element)
        if element.name == "runstats":
            state.finished |= {stage} if _is_success(element) else set()


def _take_result(state: ScanState, element: Element) -> None:
    """A host that is in the result is done, unless nmap gave it up."""
    if element.name in INFORMATION:
        state.take_information(element)
    elif element.name in ("prescript", "postscript"):
        state.result.copy(element)
    elif element.name == "host":
        host = element.tree
        if host.get("timedout") != "true":
            state.result.add(host)


def _has_stages(directory: Path, plan: Plan) -> bool:
    """Whether the run of a directory had the stages of a plan: else its hosts were not looked at as asked now."""
    try:
        return read_plan(directory / "plan.json").stages.keys() == plan.stages.keys()
    except (OSError, ValueError, TypeError):
        return False


def _is_success(runstats: Element) -> bool:
    finished = runstats.tree.find("finished")
    return finished is not None and finished.get("exit") == "success"
