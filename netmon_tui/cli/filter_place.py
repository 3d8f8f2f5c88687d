"""Where in a capture filter the trouble is, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netmon_tui.cli.output import say
from netmon_tui.errors import InvalidInput

_AROUND = 60
"""Characters of a filter that are shown before the place, and after it."""


@contextmanager
def placed(text: str) -> Iterator[None]:
    """Show the place in a filter before the reason why it is wrong."""
    try:
        yield
    except InvalidInput as error:
        if error.position is not None:
            begin = max(0, error.position - _AROUND)
            end = error.position + _AROUND
            before, after = "..." if begin else "", "..." if end < len(text) else ""
            say(f"{before}{text[begin:end]}{after}")
            say(f"{' ' * (len(before) + error.position - begin)}^")
        raise
