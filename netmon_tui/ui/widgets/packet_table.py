"""The table of packets: what it says where its filter leaves none."""

from __future__ import annotations

from netmon_tui.ui.widgets.table import NO_MATCH, Table

_COMPARES = "No packet has that text. A display filter is typed with d; esc shows all"


class PacketTable(Table):
    """A table whose filter is text, where another one in Wireshark's language may have been meant."""

    def no_match(self, text: str) -> str:
        """Name the key for display filters where the text looks like one."""
        return _COMPARES if "==" in text else NO_MATCH
