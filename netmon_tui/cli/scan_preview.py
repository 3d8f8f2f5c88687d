"""``scan run --dry-run``: what would run, how much it is and how long it may take."""

from __future__ import annotations

import shlex
from typing import Any

from netmon_tui.cli.output import print_line, say
from netmon_tui.domain.estimate import ScanEstimate, Span, extent_words, probes_words, rounded, time_words
from netmon_tui.domain.scan import IF_FAR, ScanPreview


def preview_document(plan: ScanPreview) -> dict[str, Any]:
    """Return a plan for ``--json``; ``addresses`` are what the targets stand for before anything is excluded."""
    return {
        "command": list(plan.command),
        "stages": [list(stage) for stage in plan.stages],
        "stages_only_if_far": plan.only_if_far,
        "addresses": plan.addresses,
        "warnings": list(plan.warnings),
        "to_confirm": list(plan.to_confirm),
        "never_scanned": list(plan.never_scanned),
        "estimate": _estimate_document(plan.estimate) if plan.estimate else None,
    }


def _estimate_document(estimate: ScanEstimate) -> dict[str, Any]:
    return {
        "addresses": estimate.addresses,
        "names": estimate.names,
        "ports": dict(estimate.ports),
        "probes": _bounds(rounded(estimate.probes)),
        "seconds": _bounds(rounded(estimate.seconds)),
        "open_ended": estimate.open_ended,
        "basis": estimate.basis,
        "earlier_runs": estimate.earlier_runs,
    }


def _bounds(span: Span) -> dict[str, int]:
    return {"lowest": int(span.lowest), "highest": int(span.highest)}


def print_preview(plan: ScanPreview) -> None:
    """Print the command on stdout, and on stderr what there is to say of it."""
    print_line(shlex.join(plan.command))
    if plan.estimate is not None:
        say(f"{extent_words(plan.estimate)}; {probes_words(plan.estimate)}")
        say(f"takes {time_words(plan.estimate)} ({plan.estimate.basis})")
    for stage in plan.stages:
        say(f"stage: {shlex.join(stage)}")
    if plan.only_if_far:
        say(IF_FAR)
    if plan.never_scanned:
        say(f"never scanned: {' '.join(plan.never_scanned)}")
    for warning in plan.warnings:
        say(f"warning: {warning}")
    for script in plan.to_confirm:
        say(f"to confirm: {script}")
