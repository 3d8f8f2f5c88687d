"""What a table tells its screen; handle them as attributes of ``Table``, such as ``Table.Opened``."""

from __future__ import annotations

from collections.abc import Hashable

from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input


class TableMessage(Message):
    """A message of a table; ``control`` is the table, so ``@on(Table.Opened, "#scans")`` works."""

    def __init__(self, table: Widget) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Widget:
        """The table."""
        return self.table


class Opened(TableMessage, namespace="table"):
    """Enter, or a double click, on a row."""

    def __init__(self, table: Widget, key: Hashable) -> None:
        super().__init__(table)
        self.key = key


class Highlighted(TableMessage, namespace="table"):
    """The cursor stands on another row; None when the table became empty."""

    def __init__(self, table: Widget, key: Hashable | None) -> None:
        super().__init__(table)
        self.key = key


class LoadFailed(TableMessage, namespace="table"):
    """Rows could not be loaded; the table says why in their place."""


class LastAsked(TableMessage, namespace="table"):
    """The cursor was put on the last row; whoever fills the table may know that more are on their way."""


class SelectionChanged(TableMessage, namespace="table"):
    """Rows were selected or deselected."""

    def __init__(self, table: Widget, keys: frozenset[Hashable]) -> None:
        super().__init__(table)
        self.keys = keys


class FilterChanged(TableMessage, namespace="table"):
    """The filter text changed; the rows follow."""

    def __init__(self, table: Widget, text: str) -> None:
        super().__init__(table)
        self.text = text


class SortChanged(TableMessage, namespace="table"):
    """Another order was asked for; the rows follow. None is the source's own order."""

    def __init__(self, table: Widget, column_key: str | None, reverse: bool) -> None:
        super().__init__(table)
        self.column_key = column_key
        self.reverse = reverse


class ChooseColumns(TableMessage, namespace="table"):
    """The user wants to choose the columns; the screen answers with a dialog that calls ``toggle_column``."""


class SortAsked(TableMessage, namespace="table"):
    """A click on a title or a key asks the table for an order; it answers with ``SortChanged``."""

    def __init__(self, table: Widget, column_key: str, reverse: bool) -> None:
        super().__init__(table)
        self.column_key = column_key
        self.reverse = reverse


class SaveQuery(Message, namespace="table"):
    """The user wants to keep a search under a name; the screen answers with a dialog."""

    def __init__(self, line: Input, text: str) -> None:
        super().__init__()
        self.line = line
        self.text = text


class ChooseQuery(Message, namespace="table"):
    """The user wants a saved search; the screen answers with a list, and writes the choice into the line."""

    def __init__(self, line: Input) -> None:
        super().__init__()
        self.line = line


class FilterLeft(Message, namespace="table"):
    """The user is done with the filter line."""
