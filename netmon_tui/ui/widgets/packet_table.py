"""The table of packets: what it says where its filter leaves none."""

from __future__ import annotations

from netmon_tui.ui.widgets.table import Table


class PacketTable(Table):
    """A table whose filter is text, where another one in Wireshark's language may have been meant."""

    hints = {"==": "No packet has that text. A display filter is typed with d; esc shows all"}
