"""The line over the packets in which a display filter is typed: checked as it is, completed, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from netmon_tui.domain.display_filter import LONGEST_FILTER, Offer, word_before
from netmon_tui.errors import InvalidInput, NetmonError
from netmon_tui.ui.rendering import Tone
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.filled_later import FilledLater

DEBOUNCE_SECONDS = 0.15
"""Rest of the keys before the dissector is asked."""
_OFFERED = 12
"""Names that are shown; tab goes through all."""
_APPLY = "apply-filter"
_HINT = "enter shows the packets, tab completes, up recalls, ^s saves, ^o lists"


class DisplayFilterInput(Input):
    """Where it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="packets.filter_leave"),
        Binding("enter", "apply", "Show packets", id="packets.filter_apply"),
        Binding("tab", "complete", "Complete", id="packets.filter_complete", tooltip="Complete the name."),
        Binding("up", "recall(1)", "Earlier filter", id="packets.filter_earlier", show=False),
        Binding("down", "recall(-1)", "Later filter", id="packets.filter_later", show=False),
        Binding("ctrl+s", "save", "Save", id="packets.filter_save", tooltip="Keep this filter under a name."),
        Binding("ctrl+o", "choose", "Saved", id="packets.filter_saved", tooltip="Choose a kept filter."),
    ]

    @property
    def _bar(self) -> DisplayFilterBar:
        bar = self.parent
        assert isinstance(bar, DisplayFilterBar)
        return bar

    def action_leave(self) -> None:
        """Go back to the packets, with what they are filtered by."""
        self._bar.cancel()

    def action_apply(self) -> None:
        """Show the packets that meet it."""
        self._bar.apply()

    def action_complete(self) -> None:
        """Complete the name before the cursor, or take the next one that is offered."""
        self._bar.complete()

    def action_recall(self, step: int) -> None:
        """Take an earlier or later one of the recent filters."""
        self._bar.recall(step)

    def action_save(self) -> None:
        """Ask the screen to keep it."""
        self.post_message(DisplayFilterBar.Save(self.value))

    def action_choose(self) -> None:
        """Ask the screen for a kept one."""
        self.post_message(DisplayFilterBar.Choose(self._bar))


class DisplayFilterBar(FilledLater):
    """A line with what is wrong and what could stand there below it; gone while there is no filter.

    Args:
        check: Raises InvalidInput for a filter that is wrong; other errors mean that nobody can say.
        offer: Returns names that begin with a word.
        id: Identifier of the widget.
    """

    DEFAULT_CSS = """
    DisplayFilterBar {
        height: auto; display: none;
        Input { height: 1; border: none; padding: 0 1; }
        .words { display: none; }
        &.-open { display: block; }
        &.-typing .words { display: block; }
    }
    """

    class Applied(Message):
        """The user wants the packets that meet a filter; all of them when it is empty."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The user is done with the line."""

    class Save(Message):
        """The user wants to keep a filter under a name."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Choose(Message):
        """The user wants a kept filter."""

        def __init__(self, bar: DisplayFilterBar) -> None:
            super().__init__()
            self.bar = bar

    def __init__(
        self,
        check: Callable[[str], Awaitable[str]],
        offer: Callable[[str], Awaitable[Sequence[Offer]]],
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._check = check
        self._offer = offer
        self._offers: Sequence[Offer] = ()
        self._turn = -1
        """Which of them stands there by tab; -1 for none."""
        self._offered_to = ""
        """What stood before the cursor, to whose last word they are names."""
        self._recent: list[str] = []
        self._recalled = -1
        self._typed_text = ""
        """What stood there before a recent one was recalled."""
        self._applied = ""
        self._line = DisplayFilterInput(
            placeholder="display filter, such as tcp.port == 443 && ip.addr == 192.0.2.1",
            compact=True,
            max_length=LONGEST_FILTER,
            select_on_focus=False,
            id="display-filter",
        )
        self._line.can_focus = False
        self._words = Figure(id="display-words", classes="words")
        self._offered = Figure(id="display-offers", classes="words")

    @property
    def parts(self) -> Sequence[Widget]:
        """Line over words."""
        return self._line, self._words, self._offered

    @property
    def text(self) -> str:
        """The filter that the packets are shown by."""
        return self._applied

    # what the screen and the list do with it

    async def open(self) -> None:
        """Begin to type."""
        await self.fill()
        self.add_class("-open", "-typing")
        self._line.can_focus = True  # never by tab, and not as the screen's first focus
        self._line.focus()
        self._look()

    @property
    def recent(self) -> Sequence[str]:
        """The filters that can be recalled, the last first."""
        return self._recent

    def remember(self, recent: Sequence[str]) -> None:
        """Take the filters that up and down recall, the newest first."""
        self._recent, self._recalled = list(recent), -1

    def put(self, text: str, *, apply: bool = False) -> None:
        """Write a filter into the line, and apply it."""
        self.call_later(self.fill)
        self._line.value = text
        self._line.cursor_position = len(text)
        self.add_class("-open")
        if apply:
            self.apply()

    def show(self, text: str) -> None:
        """Show the filter that the packets are shown by, unless somebody types another one."""
        self._applied = text
        if text and not self.has_class("-typing"):
            self.put(text)

    def cancel(self) -> None:
        """Go back to the packets; what is just looked at to be applied is not."""
        self.workers.cancel_group(self, _APPLY)
        self.leave()

    def clear(self) -> None:
        """Show all packets again; what is just looked at to be applied is not."""
        self.workers.cancel_group(self, _APPLY)
        self._line.value = self._applied = ""
        self.remove_class("-open", "-valid", "-invalid")

    def tell(self, error: NetmonError) -> None:
        """Say what is wrong with the filter that was applied."""
        self._say(str(error), "error")
        self.set_class(isinstance(error, InvalidInput), "-invalid")
        self.add_class("-open", "-typing")

    # what is typed

    @work(exclusive=True, group=_APPLY, exit_on_error=False)
    async def apply(self) -> None:
        """Show the packets that meet what stands there, if it is right."""
        try:
            text = await self._check(self._line.value)
        except NetmonError as error:
            self.tell(error)
            return
        self._applied = text
        if text:
            self._recent = [text, *(one for one in self._recent if one != text)]
        self._recalled = -1
        self.post_message(self.Applied(text))
        self.leave()

    def leave(self) -> None:
        """Go back to the packets."""
        self.workers.cancel_group(
            self, "look-at-filter"
        )  # its words would cover what tshark says from now on
        self._line.value = self._applied
        self._line.cursor_position = len(self._applied)
        self.set_class(bool(self._applied), "-open")
        self.remove_class("-typing")
        self.post_message(self.Left())

    def close(self) -> None:
        """Let nobody come here but by its key; call it when the focus is elsewhere."""
        self._line.can_focus = False

    def recall(self, step: int) -> None:
        """Write an earlier (1) or later (-1) recent filter into the line; after the last one, what was typed."""
        if self._recalled < 0:
            self._typed_text = self._line.value
        turn = max(-1, min(len(self._recent) - 1, self._recalled + step))
        if turn != self._recalled:
            self._recalled = turn
            self.put(self._recent[turn] if turn >= 0 else self._typed_text)

    def complete(self) -> None:
        """Write the next name that is offered into the line."""
        before = self._line.value[: self._line.cursor_position]
        if before != self._offered_to:
            self._look()
            return
        if not self._offers:
            return
        start = len(before) - len(word_before(before, len(before)))
        self._turn = (self._turn + 1) % len(self._offers)
        name = self._offers[self._turn].name
        rest = self._line.value[self._line.cursor_position :]
        with self._line.prevent(Input.Changed):
            self._line.value = before[:start] + name + rest
        self._line.cursor_position = start + len(name)
        self._offered_to = before[:start] + name
        self._show_offers()
        self._look(names=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._line.has_focus:
            self._look()

    @work(exclusive=True, group="look-at-filter", exit_on_error=False)
    async def _look(self, *, names: bool = True) -> None:
        """Say whether what stands there is right, and what could stand there."""
        await asyncio.sleep(DEBOUNCE_SECONDS)
        text = self._line.value
        if names:
            cursor = self._line.cursor_position
            self._offers = await self._offer(word_before(text, cursor))
            self._turn, self._offered_to = -1, text[:cursor]
            self._show_offers()
        await self._judge(text)

    async def _judge(self, text: str) -> None:
        verdict = ""
        try:
            await self._check(text)
        except InvalidInput as error:
            verdict = "-invalid"
            self._say(self._pointed(error), "error")
        except NetmonError as error:
            self._say(str(error), "warning")
        else:
            verdict = "-valid" if text.strip() else ""
            self._say(_HINT, "muted")
        self.remove_class("-valid", "-invalid")
        self.add_class(*filter(None, [verdict]))

    def _say(self, words: str, tone: Tone) -> None:
        """Say something; what has no room in its line stands in that of the names, when there are none."""
        width = self._words.size.width
        first, *others = wrap(words, width) if 0 < width < cell_len(words) and not self._offers else [words]
        self._words.show(first, tone)
        if others:
            self._offered.show(" ".join(others), tone)
        else:
            self._show_offers()

    def _pointed(self, error: InvalidInput) -> str:
        """Return what is wrong and what helps, behind a mark under the place where there is room for both."""
        told = f"{error.why or error.what}{f' ({error.fix})' if error.fix else ''}"
        if error.position is None:
            return told
        value = self._line.value
        place = error.position + len(value) - len(value.lstrip())  # outer spaces are no part of a filter
        cells = cell_len(value[:place]) - round(self._line.scroll_x)
        fits = 0 <= cells <= self._words.size.width - cell_len(told) - len("^ ")
        return f"{' ' * cells}^ {told}" if fits else f"at character {place + 1}: {told}"

    def _show_offers(self) -> None:
        """Show some names, those from the one that stands there on."""
        first = max(0, self._turn)
        shown = self._offers[first : first + _OFFERED]
        meaning = f"{shown[0].name} ({shown[0].meaning})" if shown and shown[0].meaning else ""
        names = [meaning or one.name if one is shown[0] else one.name for one in shown]
        self._offered.show("  ".join(names))
