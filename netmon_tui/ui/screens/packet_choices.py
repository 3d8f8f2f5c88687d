"""Which parts of a capture offer themselves for taking out: by marks, filter, and the packet under the cursor."""

from __future__ import annotations

from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.ui.widgets.packet_browser import PacketBrowser


def choices_of(browser: PacketBrowser) -> list[PacketChoice]:
    """Return what can be taken out, the likeliest first: what is marked, what is shown, all, this packet's."""
    first, last = browser.marks
    filter, shown = browser.shown
    choices = []
    if first:
        choices.append(PacketChoice(first=first, last=last or first))
    if shown:
        choices.append(PacketChoice(numbers=shown, numbers_are=f"shown by {filter}"))
    choices.append(PacketChoice())
    number = browser.table.cursor_key
    if isinstance(number, int):
        choices.append(PacketChoice(conversation=number))
    if browser.address:
        choices.append(PacketChoice(hosts=(browser.address,)))
    return choices
