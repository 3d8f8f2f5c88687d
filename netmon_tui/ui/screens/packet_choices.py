"""Which parts of a capture offer themselves for taking out: by part, marks, filter, and the packet at hand."""

from __future__ import annotations

from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.ui.widgets.packet_browser import PacketBrowser


def choices_of(browser: PacketBrowser, file: str = "") -> list[PacketChoice]:
    """Return what can be taken out, the likeliest first: a part, what is marked or shown, all, this packet's.

    Args:
        browser: Shows the packets.
        file: Name of the file whose packets they are when the capture has others.
    """
    first, last = browser.range
    filter, shown = browser.shown
    choices = []
    if first:
        choices.append(PacketChoice(file, first=first, last=last or first))
    if browser.marks:
        choices.append(PacketChoice(file, marked=True))
    if file and len(browser.marks) < len(browser.all_marks):
        choices.append(PacketChoice(marked=True))
    if shown:
        choices.append(PacketChoice(file, numbers=shown, numbers_are=f"shown by {filter}"))
    choices += [PacketChoice(file), PacketChoice()] if file else [PacketChoice()]
    number = browser.table.cursor_key
    if isinstance(number, int):
        choices.append(PacketChoice(file, conversation=number))
    if browser.address:
        choices.append(PacketChoice(hosts=(browser.address,)))
    return choices
