"""The field tree of one packet, as lines of a table that open and close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from netmon_tui.domain.display_filter import filter_of
from netmon_tui.domain.packet import Field, Layer, PacketDetail
from netmon_tui.ui.clipboard import copy
from netmon_tui.ui.rendering import ASCII_CLASS
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.filled_later import FilledLater
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

_COLUMNS = (
    Column("field", "Field", minimum=24, share=3, priority=0),
    Column("name", "Name", width=22, priority=2),
)
_MARKS = {True: "▾ ", False: "▸ ", None: "  "}
_ASCII_MARKS = {True: "- ", False: "+ ", None: "  "}
_FOUND, _ASCII_FOUND = "» ", "> "
Path = tuple[tuple[str, int], ...]
"""Where a field is: name and how many siblings of that name come before it, from the layer down."""


@dataclass(frozen=True, slots=True)
class Node:
    """A layer or a field in the tree."""

    path: Path
    label: str
    name: str
    value: str
    source: int
    """Which bytes it is in, as the field says it."""
    offset: int
    """First byte there; -1 when it is nowhere."""
    size: int
    fields: tuple[Field, ...]
    filter: str
    """The display filter for it and its value; empty when there is none."""

    def covers(self, offset: int, source: int) -> bool:
        """Whether a byte of a source belongs to it."""
        return self.source == source and 0 <= self.offset <= offset < self.offset + self.size


class PacketTree(FilledLater):
    """Layers of a packet, closed at first; what is open stays open from packet to packet."""

    DEFAULT_CSS = """
    PacketTree {
        height: 1fr;
        #packet-window { display: none; padding: 0 1; }
        &.-window #packet-window { display: block; }
    }
    """
    BINDINGS = [
        # Before the table's own keys, which would move a column cursor that means nothing here
        Binding("right,l", "unfold", "Open field", id="packet.unfold", show=False, priority=True),
        Binding("left,h", "fold", "Close field", id="packet.fold", show=False, priority=True),
        Binding("asterisk", "unfold_all", "Open all", id="packet.unfold_all", show=False),
        Binding(
            "equals_sign",
            "filter('only')",
            "Only such",
            id="packet.filter_only",
            tooltip="Show only packets with this field and value.",
        ),
        Binding(
            "ampersand",
            "filter('and')",
            "And such",
            id="packet.filter_and",
            tooltip="Of the packets shown, keep those with this field and value.",
            show=False,
        ),
        Binding(
            "exclamation_mark",
            "filter('not')",
            "Not such",
            id="packet.filter_not",
            tooltip="Of the packets shown, leave out those with this field and value.",
            show=False,
        ),
        Binding(
            "plus",
            "add_column",
            "As column",
            id="packet.add_column",
            tooltip="Show this field as a column of the packet list.",
            show=False,
        ),
        # Before the table's own, which would copy the line as it is painted
        Binding(
            "y",
            "copy('value')",
            "Copy value",
            id="packet.copy_value",
            priority=True,
            tooltip="Copy its value.",
        ),
        Binding(
            "Y",
            "copy('name')",
            "Copy name",
            id="packet.copy_name",
            priority=True,
            tooltip="Copy its name in filters.",
            show=False,
        ),
        Binding(
            "ctrl+y",
            "copy('filter')",
            "Copy filter",
            id="packet.copy_filter",
            tooltip="Copy the display filter for this field and value.",
            show=False,
        ),
    ]

    class FieldHighlighted(Message):
        """The cursor stands on another field; None when there is none."""

        def __init__(self, node: Node | None) -> None:
            super().__init__()
            self.node = node

    class FilterAsked(Message):
        """The user wants packets chosen by a field."""

        def __init__(self, filter: str, how: str) -> None:
            super().__init__()
            self.filter = filter
            """For the field and its value."""
            self.how = how
            """As :func:`netmon_tui.domain.display_filter.join` takes it."""

    class ColumnAsked(Message):
        """The user wants a field as a column of the packet list."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.detail: PacketDetail | None = None
        """The packet that is shown."""
        self._roots: tuple[Node, ...] = ()
        self._open: set[Path] = set()
        self._by_path: dict[Path, Node] = {}
        """The visible ones."""
        self._is_found: Callable[[str], bool] | None = None
        """Says of a label whether it is what was looked for."""
        self._source = MemorySource([column.key for column in _COLUMNS])
        self._window = Figure(id="packet-window")
        self.table = Table(_COLUMNS, source=self._source, empty_text="Choose a packet", id="packet-fields")
        """The table with the lines."""

    @property
    def parts(self) -> Sequence[Widget]:
        """What the dissector knew, over one table."""
        return self._window, self.table

    def on_mount(self) -> None:
        """Let the packets be painted first."""
        self.call_after_refresh(self.fill)

    @property
    def node(self) -> Node | None:
        """The field under the cursor."""
        key = self.table.cursor_key
        return self._by_path.get(key) if isinstance(key, tuple) else None

    def show(self, detail: PacketDetail | None) -> None:
        """Show a packet's layers, or none; the cursor stays on its field, or goes there once a packet has it."""
        kept = self.table.grid.wanted or (self.node.path if self.node is not None else None)
        self.detail = detail
        self._roots = tuple(_layer_nodes(detail.layers)) if detail else ()
        self.tell("")
        self._arrange()
        if kept is not None:  # what is shown first has few fields, and tshark's come after that
            self.table.move_to_key(kept, later=True)
        self.post_message(self.FieldHighlighted(self.node))

    def tell(self, words: str) -> None:
        """Say something above the fields; what the dissector knew when it is empty."""
        words = words or (_knowing(self.detail) if self.detail else "")
        self._window.show(words)
        self.set_class(bool(words), "-window")

    def reveal(self, offset: int, source: int = 0) -> None:
        """Open what leads to the smallest field with this byte of a source, and put the cursor there."""
        self._open_up(_innermost(self._roots, offset, source))

    def _open_up(self, found: Node | None) -> None:
        if found is not None:
            self._open |= {found.path[:depth] for depth in range(1, len(found.path))}
            self._arrange()
            self.table.move_to_key(found.path)

    def show_found(self, is_found: Callable[[str], bool] | None) -> None:
        """Point at the fields whose label is what was looked for; at none when None."""
        if is_found != self._is_found:
            self._is_found = is_found
            self._arrange()

    def reveal_found(self) -> None:
        """Open what leads to the first field that was found, and put the cursor there."""
        found = (node for node in _walk(self._roots) if self._is_found and self._is_found(node.label))
        self._open_up(next(found, None))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the letters to the filter line while that is being typed in."""
        return self.table.grid.has_focus if action in {"fold", "unfold", "copy"} else True

    def action_unfold(self) -> None:
        """Open the field under the cursor, or go into it when it is open."""
        node = self.node
        if node is None or not node.fields:
            return
        if node.path in self._open:
            self.table.move_to_key(next(_children(node)).path)
        else:
            self._turn(node, True)

    def action_fold(self) -> None:
        """Close the field under the cursor, or go to what contains it."""
        node = self.node
        if node is not None and node.path in self._open:
            self._turn(node, False)
        elif node is not None and len(node.path) > 1:
            self.table.move_to_key(node.path[:-1])

    def action_unfold_all(self) -> None:
        """Open everything; the same key closes everything."""
        everything = {node.path for node in _walk(self._roots) if node.fields}
        self._open = set() if everything <= self._open else self._open | everything
        self._arrange()

    def action_filter(self, how: str) -> None:
        """Ask for the packets that have the field under the cursor."""
        if self.node is not None and self.node.filter:
            self.post_message(self.FilterAsked(self.node.filter, how))

    def action_add_column(self) -> None:
        """Ask for the field under the cursor as a column."""
        if self.node is not None and self.node.name:
            self.post_message(self.ColumnAsked(self.node.name))

    def action_copy(self, what: str) -> None:
        """Copy ``value``, ``name`` or ``filter`` of the field under the cursor; a layer's value is its label."""
        if self.node is not None:
            copy(self, getattr(self.node, what) or (self.node.label if what == "value" else ""))

    @on(Table.Opened)
    def _toggle(self, event: Table.Opened) -> None:
        event.stop()
        node = self.node
        if node is not None and node.fields:
            self._turn(node, node.path not in self._open)

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self.post_message(self.FieldHighlighted(self.node))

    def _turn(self, node: Node, opened: bool) -> None:
        if opened:
            self._open.add(node.path)
        else:
            self._open.discard(node.path)
        self._arrange()

    def _arrange(self) -> None:
        """Make a row of each visible node."""
        marks = _ASCII_MARKS if self.app.has_class(ASCII_CLASS) else _MARKS
        self._by_path = {node.path: node for node in self._visible(self._roots)}
        self._source.replace(self._row(node, marks) for node in self._by_path.values())

    def _row(self, node: Node, marks: Mapping[bool | None, str]) -> Row:
        found = self._is_found is not None and self._is_found(node.label)
        pointer = (_ASCII_FOUND if marks is _ASCII_MARKS else _FOUND) if found else ""
        label = "  " * (len(node.path) - 1) + marks[self._state(node)] + pointer + node.label
        return Row(node.path, (label, node.name), "accent" if found else "")

    def _state(self, node: Node) -> bool | None:
        return node.path in self._open if node.fields else None

    def _visible(self, nodes: Sequence[Node]) -> Iterator[Node]:
        for node in nodes:
            yield node
            if node.path in self._open:
                yield from self._visible(list(_children(node)))


def _knowing(detail: PacketDetail) -> str:
    """Return what the dissector knew of the file, where that makes a difference to what it says."""
    if detail.window is None or detail.window[0] == detail.window[1]:
        return ""
    first, last = detail.window
    return f"W: all; streams in {first}-{last}"  # has room over the fields at 80 columns, up to 99999999


def _layer_nodes(layers: Sequence[Layer]) -> Iterator[Node]:
    seen: Counter[str] = Counter()
    for layer in layers:
        place = _extent(layer.fields)
        path = ((layer.name, seen[layer.name]),)
        seen[layer.name] += 1
        label = layer.label or layer.name
        yield Node(path, label, layer.name, "", *place, layer.fields, filter_of(layer.name, ""))


def _extent(fields: Sequence[Field]) -> tuple[int, int, int]:
    """Return the bytes that fields cover together, as source, offset and size: those where the first field is."""
    anywhere = [field for field in fields if field.offset >= 0 and field.size]
    if not anywhere:
        return 0, -1, 0
    source = anywhere[0].source
    placed = [field for field in anywhere if field.source == source]
    first = min(field.offset for field in placed)
    return source, first, max(field.offset + field.size for field in placed) - first


def _children(node: Node) -> Iterator[Node]:
    seen: Counter[str] = Counter()
    for field in node.fields:
        path = (*node.path, (field.name, seen[field.name]))
        seen[field.name] += 1
        wanted = field.filter or filter_of(field.name, field.value)
        place = field.source, field.offset, field.size
        yield Node(path, field.label, field.name, field.value, *place, field.fields, wanted)


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(list(_children(node)))


def _innermost(roots: Sequence[Node], offset: int, source: int) -> Node | None:
    """Return the smallest field that covers a byte of a source, the last of the deepest."""
    covering = [node for node in _walk(roots) if node.covers(offset, source)]
    return min(reversed(covering), key=lambda node: (node.size, -len(node.path)), default=None)
