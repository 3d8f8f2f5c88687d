"""Sizes as options: of files in bytes, of the kernel's buffer in KiB, each with its units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from netmon_tui.domain.buffer_size import parse_buffer
from netmon_tui.domain.byte_size import parse_size
from netmon_tui.errors import InvalidInput


class SizeType(click.ParamType[int]):
    """A size that a text says.

    Args:
        name: What it is of.
        parse: Reads it; raises InvalidInput.
    """

    def __init__(self, name: str, parse: Callable[[str], int]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            return self._parse(str(value))
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


BYTES = SizeType("size", parse_size)
BUFFER = SizeType("buffer", parse_buffer)
