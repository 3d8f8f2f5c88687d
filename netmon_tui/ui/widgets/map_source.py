"""The visible lines of a scan's map: the tree is in memory, the hosts of open subnets are read as they are seen."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol

from netmon_tui.domain.topology import GroupKey, MapHost, MapNode, NodeKind, host_node
from netmon_tui.ui.widgets.row_source import Listeners, Row

PAGE_HOSTS = 64
KEPT_PAGES = 64
SMALL = 32
"""A map of so many hosts begins with its subnets open."""
_CLOSED_AT_FIRST = (NodeKind.NETWORK, NodeKind.SUBNET)


class Hosts(Protocol):
    """Where the hosts of a subnet come from."""

    async def members(self, group: GroupKey) -> Sequence[int]:
        """Return the ordinals of its hosts in their order."""

    async def hosts(self, ordinals: Sequence[int]) -> Sequence[MapHost]:
        """Return these hosts."""

    def row(self, node: MapNode, depth: int, is_open: bool | None) -> Row:
        """Return a node as a line; None is for what cannot be opened."""


class Line(NamedTuple):
    """A visible node, and the hosts that are listed below it."""

    node: MapNode
    depth: int
    place: int
    """Where its row stands; its hosts follow."""
    hosts: int


class Found(NamedTuple):
    """What is shown while a filter is set."""

    root: MapNode | None
    members: dict[GroupKey, Sequence[int]]


Find = Callable[[str], Awaitable[Found]]


class MapSource:
    """A row source for :class:`~netmon_tui.ui.widgets.table.Table`.

    Args:
        hosts: Reads hosts and makes rows.
        find: Searches the map; called with what is typed into the filter.
    """

    def __init__(self, hosts: Hosts, find: Find) -> None:
        self._hosts = hosts
        self._find = find
        self._root: MapNode | None = None
        self._filter = ""
        self._found: Found | None = None
        self._turned: dict[str, bool] = {}
        """Keys of the nodes that somebody opened or closed."""
        self._lines: list[Line] = []
        self._places: list[int] = []
        self._count = 0
        self._by_key: dict[str, Line] = {}
        self._by_group: dict[GroupKey, Line] = {}
        self._generation = 0
        self._members: dict[GroupKey, tuple[int, Sequence[int]]] = {}
        """Group to (generation, ordinals)."""
        self._pages: OrderedDict[tuple[GroupKey, int], tuple[int, Sequence[Row]]] = OrderedDict()
        """Group and number of a page of its hosts to (generation, rows)."""
        self._listeners = Listeners()

    @property
    def count(self) -> int:
        """Visible lines."""
        return self._count

    @property
    def root(self) -> MapNode | None:
        """The whole tree."""
        return self._root

    async def show(self, root: MapNode) -> None:
        """Show another tree; what is open stays open, and what is searched for is searched again."""
        self._root = root
        if self._filter:
            self._found = await self._find(self._filter)
        self._generation += 1
        self._members.clear()
        self._arrange()

    def node(self, key: Hashable) -> MapNode | None:
        """Return the node of a visible line that is no host of a subnet."""
        line = self._by_key.get(key) if isinstance(key, str) else None
        return line.node if line else None

    def parent(self, key: Hashable) -> str | None:
        """Return the key of the line that contains another one."""
        place = self.position_of(key)
        if place is None:
            return None
        line = self._line_at(place)
        if line.place != place:
            return line.node.key
        above = (other for other in reversed(self._lines[: self._lines.index(line)]))
        return next((other.node.key for other in above if other.depth < line.depth), None)

    def is_open(self, node: MapNode) -> bool | None:
        """Whether what is below a node is shown; None when there is nothing."""
        if not node.children and node.group is None:
            return None
        small = self._found is not None or (self._root is not None and self._root.hosts <= SMALL)
        return self._turned.get(node.key, small or node.kind not in _CLOSED_AT_FIRST)

    def turn(self, node: MapNode, opened: bool) -> None:
        """Open or close a node."""
        self._turned[node.key] = opened
        self._arrange()

    def turn_all(self) -> None:
        """Open everything; when all is open, close everything below us."""
        if self._root is not None:
            nodes = [node for node in self._root.walk() if self.is_open(node) is not None]
            opened = not all(map(self.is_open, nodes))
            self._turned = {node.key: opened or node is self._root for node in nodes}
            self._arrange()

    def window(self, start: int, stop: int) -> Sequence[Row | None]:
        """Return the lines of a range, None where a host is not loaded."""
        return [self._row_at(index) for index in range(start, min(stop, self._count))]

    def missing(self, start: int, stop: int) -> bool:
        """Whether a host in the range is not loaded or outdated."""
        return any(True for _ in self._wanted(start, stop))

    async def load(self, start: int, stop: int) -> None:
        """Fetch the hosts of a range."""
        generation = self._generation
        for group, page in list(self._wanted(start, stop)):
            rows = await self._rows(group, page)
            if generation != self._generation:
                return  # the listeners have been told
            self._pages[group, page] = (generation, rows)
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)

    async def sort(self, column_key: str | None, reverse: bool) -> None:
        """A tree has one order."""

    async def filter(self, text: str) -> None:
        """Show only what leads to a text."""
        if text != self._filter:
            self._filter = text
            found = await self._find(text) if text else None
            if text == self._filter:
                self._found = found
                self._generation += 1
                self._arrange()

    def position_of(self, key: Hashable) -> int | None:
        """Return where a line stands; None when it is hidden or not loaded."""
        if isinstance(key, str):
            line = self._by_key.get(key)
            return line.place if line else None
        for (group, page), (_, rows) in self._pages.items():
            line = self._by_group.get(group)
            for offset, row in enumerate(rows):
                if row.key == key:
                    place = page * PAGE_HOSTS + offset
                    return line.place + 1 + place if line and place < line.hosts else None
        return None

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change; the returned function ends that."""
        return self._listeners.subscribe(listener)

    def _arrange(self) -> None:
        """Lay out the visible lines, then tell the listeners."""
        root = self._found.root if self._found is not None else self._root
        self._lines, self._count = [], 0
        for node, depth in self._visible(root, 0) if root else ():
            hosts = self._hosts_of(node) if node.group is not None and self.is_open(node) else 0
            self._lines.append(Line(node, depth, self._count, hosts))
            self._count += 1 + hosts
        self._places = [line.place for line in self._lines]
        self._by_key = {line.node.key: line for line in self._lines}
        self._by_group = {line.node.group: line for line in self._lines if line.node.group is not None}
        self._listeners.tell()

    def _visible(self, node: MapNode, depth: int) -> Iterator[tuple[MapNode, int]]:
        yield node, depth
        if self.is_open(node):
            for child in node.children:
                yield from self._visible(child, depth + 1)

    def _hosts_of(self, node: MapNode) -> int:
        found = self._found.members.get(node.group) if self._found and node.group else None
        return node.hosts if found is None else len(found)

    def _line_at(self, index: int) -> Line:
        return self._lines[bisect_right(self._places, index) - 1]

    def _row_at(self, index: int) -> Row | None:
        line = self._line_at(index)
        if index == line.place:
            return self._hosts.row(line.node, line.depth, self.is_open(line.node))
        assert line.node.group is not None
        page, offset = divmod(index - line.place - 1, PAGE_HOSTS)
        entry = self._pages.get((line.node.group, page))
        if entry is None:
            return None
        self._pages.move_to_end((line.node.group, page))
        # A scan that runs may have moved a host since it was counted
        return entry[1][offset] if offset < len(entry[1]) else Row(("gone", index), ("",) * 5)

    def _wanted(self, start: int, stop: int) -> Iterator[tuple[GroupKey, int]]:
        """Yield the pages of hosts in a range that are not loaded or outdated."""
        index, stop = max(0, start), min(stop, self._count)
        while index < stop:
            line = self._line_at(index)
            first, last = max(0, index - line.place - 1), min(line.hosts, stop - line.place - 1) - 1
            if line.node.group is not None and last >= first:
                for page in range(first // PAGE_HOSTS, last // PAGE_HOSTS + 1):
                    if self._pages.get((line.node.group, page), (-1,))[0] != self._generation:
                        yield line.node.group, page
            index = line.place + 1 + line.hosts

    async def _rows(self, group: GroupKey, page: int) -> Sequence[Row]:
        line = self._by_group[group]
        ordinals = await self._ordinals(group)
        hosts = await self._hosts.hosts(ordinals[page * PAGE_HOSTS : (page + 1) * PAGE_HOSTS])
        return [self._hosts.row(host_node(host), line.depth + 1, None) for host in hosts]

    async def _ordinals(self, group: GroupKey) -> Sequence[int]:
        if self._found is not None and group in self._found.members:
            return self._found.members[group]
        generation, known = self._members.get(group, (-1, ()))
        if generation != self._generation:
            generation, known = self._generation, await self._hosts.members(group)
            self._members[group] = (generation, known)
        return known
