"""A display filter on a capture that runs: what came since is looked through now and then."""

from __future__ import annotations

import time

from netmon_tui.domain.display_filter import needs_all
from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui.widgets.packet_list import PacketSource

SHORTEST_PAUSE, LONGEST_PAUSE = 3.0, 60.0
"""Seconds between one tshark and the next."""
_PAUSE_SHARE = 3
"""How much longer than a tshark took nothing runs after it, so that all of them have a quarter of a processor."""


class FilterRounds:
    """Adds to a list of packets those that meet a filter, round by round.

    A round looks at what came since the last one, and at all packets where those far before matter: for some
    filters, and for what TLS keys decrypt. The round after the end looks at all of them once more.

    Args:
        packets: The file.
        source: The list.
        text: The filter.
        covered: Number of the last packet that was looked at.
    """

    def __init__(self, packets: PacketList, source: PacketSource, text: str, covered: int) -> None:
        self._packets = packets
        self._source = source
        self._text = text
        self._needs_all = needs_all(text)
        self._took = 0.0
        self.is_over = False
        """Whether no packets can come any more, and all of them were looked at together."""
        self.covered = covered
        """Number of the last packet that was looked at."""

    @property
    def pause(self) -> float:
        """Seconds until the next round may begin."""
        return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, _PAUSE_SHARE * self._took))

    async def look(self) -> None:
        """Look at the packets that came since the last round; raises as a run of the filter does."""
        packets = self._packets
        while not packets.growing and await packets.extend():
            pass  # the last packets, which came after the last look at the file
        ended = not packets.growing and packets.complete
        if packets.count <= self.covered and not ended:
            return
        begun = time.monotonic()
        whole = ended or self._needs_all or await packets.has_keys()
        run = await packets.matching_after(self._text, 0 if whole else self.covered)
        numbers = await run.all()
        self._source.choose(numbers) if whole else self._source.choose_more(numbers)
        self.covered = run.last
        self.is_over = ended
        self._took = time.monotonic() - begun
