"""The line above a table that filters as you type, in plain words or in the language of searches."""

from __future__ import annotations

from collections.abc import Callable

from textual.binding import Binding
from textual.widgets import Input, Static

from netmon_tui.domain.search import LONGEST_QUERY
from netmon_tui.errors import InvalidInput
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets import table_messages

Check = Callable[[str], None]
"""Raises InvalidInput when a filter cannot be carried out."""


class TableFilter(Input):
    """Filters by the words in it."""

    BINDINGS = [
        Binding("escape", "clear_filter", "Clear filter", id="table.filter_clear"),
        Binding("enter,down", "keep_filter", "Keep filter", id="table.filter_keep"),
    ]

    def action_clear_filter(self) -> None:
        """Show all rows again."""
        self.value = ""
        self.post_message(table_messages.FilterLeft())

    def action_keep_filter(self) -> None:
        """Go back to the rows."""
        self.post_message(table_messages.FilterLeft())


class QueryFilter(TableFilter):
    """Filters by a query, which can be kept under a name."""

    BINDINGS = [
        Binding(
            "ctrl+s", "save_query", "Save", id="table.filter_save", tooltip="Keep this search under a name."
        ),
        Binding(
            "ctrl+o", "saved_queries", "Saved", id="table.filter_saved", tooltip="Choose a saved search."
        ),
    ]

    def action_save_query(self) -> None:
        """Ask the screen to keep it."""
        self.post_message(table_messages.SaveQuery(self, self.value))

    def action_saved_queries(self) -> None:
        """Ask the screen for a saved one."""
        self.post_message(table_messages.ChooseQuery(self))


class Refusal(Static):
    """What is wrong with a filter; nothing to see while nothing is.

    Args:
        check: Refuses filters; None accepts all.
    """

    DEFAULT_CSS = """
    Refusal { display: none; height: auto; max-height: 3; padding: 0 1; color: $text-error; }
    Refusal.-refused { display: block; }
    """

    def __init__(self, check: Check | None) -> None:
        super().__init__("")
        self._check = check

    def accepts(self, text: str) -> bool:
        """Return whether a filter can be carried out, and show why not."""
        why: InvalidInput | None = None
        try:
            if self._check is not None:
                self._check(text)
        except InvalidInput as error:
            why = error
            self.update(content(error))
        self.set_class(why is not None, "-refused")
        return why is None


def filter_line(check: Check | None) -> TableFilter:
    """Return the line for a list that understands queries, or plain words when there is nothing to check."""
    if check is None:
        return TableFilter(placeholder="filter, ! inverts", compact=True, max_length=LONGEST_QUERY)
    return QueryFilter(
        placeholder="words, open:443, service:http, target:10.0.0.0/8, !inverts",
        compact=True,
        max_length=LONGEST_QUERY,
    )
