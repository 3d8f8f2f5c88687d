"""What a scan would run, how much it is and how long it may take, as the form shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from textual.content import Content

from netmon_tui.domain.estimate import extent_words, probes_words, time_words
from netmon_tui.domain.scan import IF_FAR, ScanPreview
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.scan_words import asks_first, left_out

LONGEST_COMMAND = 2_000
"""Characters of a command line that are shown."""
_THREE_LINES = 210
"""Characters from which on a command line comes last: before the rest it would hide that."""


def accepted(preview: ScanPreview, *, with_stages: bool, with_rest: bool, key: str) -> Content:
    """Return what is said of a request that may start.

    Args:
        preview: Of the request.
        with_stages: Whether the commands of its stages are shown, or only how many there are.
        with_rest: Whether all else is shown: there may be room for one of them only.
        key: What shows the stages where they are not, and the rest where that is not.
    """
    stages: list[Content] = []
    if preview.stages:
        stages = list(_stages(preview)) if with_stages else [_folded(preview, key)]
    never = [content(line).stylize("$foreground-muted") for line in left_out(preview.never_scanned)]
    if not with_rest:
        hint = content(f"{key} shows the rest").stylize("$foreground-muted")
        return Content("\n").join([*stages, *never, hint])
    warnings = (*preview.warnings, *asks_first(preview.to_confirm))
    said = [content(f"! {warning}").stylize("$text-warning") for warning in warnings]
    command = content(shlex.join(preview.command), LONGEST_COMMAND)
    rest = [*_cost(preview), *never, *stages, *said]
    return Content("\n").join([*rest, command] if len(command) > _THREE_LINES else [command, *rest])


def _cost(preview: ScanPreview) -> Iterator[Content]:
    if preview.estimate is not None:
        yield content(f"{extent_words(preview.estimate)}; {probes_words(preview.estimate)}")
        basis = content(f" ({preview.estimate.basis})").stylize("$foreground-muted")
        yield content(f"Takes {time_words(preview.estimate)}") + basis


def _stages(preview: ScanPreview) -> Iterator[Content]:
    for name, words in zip(preview.stage_names, preview.stages, strict=True):
        label = content(f"Stage {name}: ").stylize("$foreground-muted")
        yield label + content(shlex.join(words), LONGEST_COMMAND)
    if preview.only_if_far:
        yield content(IF_FAR).stylize("$foreground-muted")


def _folded(preview: ScanPreview, key: str) -> Content:
    names = ", ".join(preview.stage_names)
    if_far = " if far away" if preview.only_if_far else ""
    return content(f"{len(preview.stages)} stages{if_far}: {names} ({key} shows them)").stylize(
        "$text-accent"
    )
