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
    listed = browser.listed
    choices = []
    if first:
        choices.append(PacketChoice(file, first=first, last=last or first))
    if browser.marks:
        choices.append(PacketChoice(file, marked=True))
    if file and len(browser.marks) < len(browser.all_marks):
        choices.append(PacketChoice(marked=True))
    if listed is not None and (listed.numbers or not listed.is_whole):
        choices.append(PacketChoice(file, numbers=listed.numbers, numbers_are=listed.words))
    choices += [PacketChoice(file), PacketChoice()] if file else [PacketChoice()]
    number = browser.table.cursor_key
    if isinstance(number, int):
        choices.append(PacketChoice(file, conversation=number))
    if browser.address:
        choices.append(PacketChoice(hosts=(browser.address,)))
    return choices
