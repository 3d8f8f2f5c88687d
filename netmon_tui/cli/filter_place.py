"""Where in a capture filter the trouble is, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netmon_tui.cli.output import say
from netmon_tui.errors import InvalidInput


@contextmanager
def placed(text: str) -> Iterator[None]:
    """Show the place in a filter before the reason why it is wrong."""
    try:
        yield
    except InvalidInput as error:
        if error.position is not None:
            say(text)
            say(f"{' ' * error.position}^")
        raise
