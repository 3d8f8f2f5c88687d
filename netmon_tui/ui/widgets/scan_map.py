"""The map of one scan: us -> hop -> subnet -> host, as a tree by keyboard."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from netmon_tui.domain.scan import Scan
from netmon_tui.domain.topology import GroupKey, MapHost, MapNode, NodeKind
from netmon_tui.ui.rendering import ASCII_CLASS, Tone, thin
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.map_source import Found, MapSource
from netmon_tui.ui.widgets.row_source import Row
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column

COLUMNS = (
    Column("place", "Where", minimum=32, share=3, priority=0),
    Column("name", "Name", minimum=12, share=2, priority=1),
    Column("hosts", "Hosts", width=7, align="right", priority=0),
    Column("open", "Open", width=7, align="right", priority=0),
    Column("rtt", "Round trip", width=11, align="right", priority=2),
)
EMPTY = "No host is up"
_MARKS = {True: "▾ ", False: "▸ ", None: "  "}
_ASCII_MARKS = {True: "- ", False: "+ ", None: "  "}
_TONES: dict[NodeKind, Tone] = {NodeKind.HOP: "accent", NodeKind.GAP: "muted", NodeKind.UNTRACED: "muted"}


class ScanMap(Vertical):
    """Hops and subnets are read when the tab is shown, the hosts of a subnet when they come into sight.

    Args:
        session: Services and actor.
        scan_id: The scan.
    """

    DEFAULT_CSS = "ScanMap { height: 1fr; }"
    BINDINGS = [
        # Before the table's own keys, which would move a column cursor that means little here
        Binding("right,l", "unfold", "Open branch", id="map.unfold", show=False, priority=True),
        Binding("left,h", "fold", "Close branch", id="map.fold", show=False, priority=True),
        Binding(
            "asterisk",
            "unfold_all",
            "All branches",
            id="map.unfold_all",
            tooltip="Open all branches, or close them.",
        ),
    ]

    def __init__(self, session: Session, scan_id: int) -> None:
        super().__init__(id="scan-map")
        self._session = session
        self._scan_id = scan_id
        self._source = MapSource(self, self._find)
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """What is counted, over the tree."""
        yield Figure(id="map-head", classes="-muted")
        yield Table(COLUMNS, source=self._source, empty_text="Reading the routes", sorts=False, id="map")

    @property
    def address(self) -> str:
        """Address of the host or hop under the cursor; empty when there is none."""
        key = self._key
        if isinstance(key, tuple):
            return str(key[1])
        node = self._source.node(key)
        return node.address if node is not None and node.kind is NodeKind.HOP else ""

    def focus_content(self) -> None:
        """Focus the tree."""
        self.query_one(Table).focus()

    async def refresh_data(self, scan: Scan) -> None:
        """Read the routes again, unless nothing was found since.

        Raises:
            NetmonError: As the services say.
        """
        state = (scan.state, scan.hosts_up, scan.ports_open)
        if state == self._shown:
            return
        self._say("Reading the routes")
        root = await self._session.services.maps.read(self._session.actor, self._scan_id)
        if self.is_attached:
            self._shown = state
            self.query_one(Table).set_texts(empty=EMPTY)
            await self._source.show(root)
            self._say(_head(root))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the letters to the filter line while that is being typed in."""
        return self.query_one(Table).grid.has_focus if action in {"fold", "unfold"} else True

    def action_unfold(self) -> None:
        """Open the branch under the cursor, or go into it when it is open."""
        node = self._source.node(self._key)
        opened = self._source.is_open(node) if node is not None else None
        if node is not None and opened is False:
            self._source.turn(node, True)
        elif opened:
            self.query_one(Table).grid.action_move(1)

    def action_fold(self) -> None:
        """Close the branch under the cursor, or go to what contains it."""
        node = self._source.node(self._key)
        if node is not None and self._source.is_open(node):
            self._source.turn(node, False)
        elif (parent := self._source.parent(self._key)) is not None:
            self.query_one(Table).move_to_key(parent)

    def action_unfold_all(self) -> None:
        """Open everything; the same key closes everything."""
        self._source.turn_all()

    @on(Table.Opened)
    def _toggle(self, event: Table.Opened) -> None:
        """Open or close a branch; a host is for the screen to show."""
        node = self._source.node(event.key)
        if node is not None and node.host is None:
            event.stop()
            opened = self._source.is_open(node)
            if opened is not None:
                self._source.turn(node, not opened)

    @property
    def _key(self) -> object:
        return self.query_one(Table).cursor_key

    def _say(self, head: str) -> None:
        self.query_one("#map-head", Figure).show(f" {head}", "muted")

    async def _find(self, text: str) -> Found:
        root = self._source.root
        if root is None:
            return Found(None, {})
        maps, actor = self._session.services.maps, self._session.actor
        found = await maps.find(actor, self._scan_id, root, text)
        count = sum(map(len, found.members.values()))
        self._say(f"{_head(root)}; {f'the first {thin(count)}' if found.is_cut else thin(count)} found")
        return Found(found.root, found.members)

    # what the source asks for

    async def members(self, group: GroupKey) -> Sequence[int]:
        """Return the ordinals of a subnet's hosts."""
        assert self._source.root is not None
        maps, actor = self._session.services.maps, self._session.actor
        return await maps.members(actor, self._scan_id, self._source.root, group)

    async def hosts(self, ordinals: Sequence[int]) -> Sequence[MapHost]:
        """Return hosts by their ordinals."""
        return await self._session.services.maps.hosts(self._session.actor, self._scan_id, ordinals)

    def row(self, node: MapNode, depth: int, is_open: bool | None) -> Row:
        """Return a node as a line."""
        marks = _ASCII_MARKS if self.app.has_class(ASCII_CLASS) else _MARKS
        key = ("host", node.address, node.key) if node.kind is NodeKind.HOST else node.key
        cells = (
            "  " * depth + marks[is_open] + node.label,
            node.name,
            "" if node.kind is NodeKind.HOST else thin(node.hosts),
            thin(node.open_ports) if node.open_ports else "",
            f"{node.rtt:.2f} ms" if node.rtt is not None else "",
        )
        return Row(key, cells, _TONES.get(node.kind, ""))


def _head(root: MapNode) -> str:
    kinds = [node.kind for node in root.walk()]
    hops = kinds.count(NodeKind.HOP)
    lost = sum(node.hosts for node in root.children if node.kind is NodeKind.UNTRACED)
    parts = [
        f"{thin(root.hosts)} host{'' if root.hosts == 1 else 's'}",
        f"{hops} hop{'' if hops == 1 else 's'}",
    ]
    if lost:
        parts.append(f"{thin(lost)} not traced (--traceroute finds the way)")
    return ", ".join(parts)
