"""A command has one key, on whichever screen it is offered."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator

from textual.binding import Binding
from textual.dom import DOMNode

from netmon_tui.ui import screens

_MEAN_SEVERAL_THINGS = {"All", "Delete", "Search"}
"""Labels of different commands: all hosts, lines or events; a stored thing, or an entry of the kernel; to go to the
line of a search, or to ask what stands there."""


def _commands() -> Iterator[Binding]:
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__ == module.name:
                yield from (one for one in vars(kind).get("BINDINGS", ()) if isinstance(one, Binding))


def test_what_is_called_the_same_has_the_same_key_on_all_screens() -> None:
    keys = defaultdict[str, set[str]](set)
    for command in _commands():
        if not command.key.isdigit():  # tabs have their places
            keys[command.description].add(command.key)
    assert len(keys) > 40, "the commands were not found"
    several = {label: found for label, found in keys.items() if len(found) > 1}
    assert several.keys() == _MEAN_SEVERAL_THINGS, several


def test_a_letter_for_the_schedules_means_nothing_else() -> None:
    opens = {one.key for one in _commands() if one.action == "schedules"}
    assert {one.description for one in _commands() if one.key in opens} == {"Schedules"}
