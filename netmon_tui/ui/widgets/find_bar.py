"""The line in which it is typed what is looked for in packets, and chosen how and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from netmon_tui.domain.packet_find import LONGEST_PATTERN, FindIn, FindKind, Wanted
from netmon_tui.errors import NetmonError
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.filled_later import FilledLater

_HEX_HINT = "enter finds · hex digits are of bytes: no line or tree has them · ^t text"
_HINT = "enter finds · tab list, tree, bytes · ^t text, regex, hex · ^g case"
_PLACES = (FindIn.BYTES, FindIn.LIST, FindIn.TREE)
_KINDS = tuple(FindKind)
Way = TypeVar("Way")


class FindInput(Input):
    """Where it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="find.leave"),
        Binding("enter", "find", "Find", id="find.find"),
        Binding(
            "tab", "place", "Where", id="find.place", tooltip="Look in the frames, the list or the tree."
        ),
        Binding("ctrl+t", "kind", "How", id="find.kind", tooltip="Text, regular expression or hex bytes."),
        Binding("ctrl+g", "case", "Case", id="find.case", tooltip="Whether capital letters matter."),
    ]

    @property
    def _bar(self) -> FindBar:
        return next(node for node in self.ancestors if isinstance(node, FindBar))

    def action_leave(self) -> None:
        """Go back to the packets."""
        self._bar.leave()

    def action_find(self) -> None:
        """Look for it."""
        self._bar.ask()

    def action_place(self) -> None:
        """Look elsewhere."""
        self._bar.turn("place")

    def action_kind(self) -> None:
        """Read it otherwise."""
        self._bar.turn("kind")

    def action_case(self) -> None:
        """Take capital and small letters for the same, or no longer."""
        self._bar.turn("case")


class FindBar(FilledLater):
    """Shown while something is typed; remembers what was looked for last, how and where."""

    DEFAULT_CSS = """
    FindBar {
        height: auto; display: none;
        Horizontal { height: 1; }
        Input { height: 1; border: none; padding: 0 1; }
        #find { width: 1fr; }
        #find-words { width: 26; text-align: right; }
        &.-open { display: block; }
    }
    """

    class Asked(Message):
        """The user wants the next packet with something in it."""

        def __init__(self, wanted: Wanted) -> None:
            super().__init__()
            self.wanted = wanted

    class Left(Message):
        """The user is done with the line."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._wanted = Wanted("", ignore_case=True)
        self._line = FindInput(
            placeholder="find", compact=True, max_length=LONGEST_PATTERN, select_on_focus=True, id="find"
        )
        self._line.can_focus = False
        self._words = Figure(id="find-words")
        self._hint = Figure(id="find-hint")

    @property
    def parts(self) -> Sequence[Widget]:
        """Line and how it is read, over a hint or an error."""
        return Horizontal(self._line, self._words), self._hint

    async def open(self) -> None:
        """Begin to type."""
        await self.fill()
        self.add_class("-open")
        self._line.can_focus = True  # never by tab, and not as the screen's first focus
        self._line.focus()
        self._show()

    def leave(self) -> None:
        """Go back to the packets."""
        self.remove_class("-open")
        self.post_message(self.Left())

    def take(self, wanted: Wanted) -> None:
        """Remember what was looked for in another list."""
        self._wanted = wanted
        self._line.value = wanted.text

    def close(self) -> None:
        """Let nobody come here but by its key; call it when the focus is elsewhere."""
        self._line.can_focus = False

    def ask(self) -> None:
        """Ask for what stands there; the line stays until it is understood."""
        self.post_message(self.Asked(replace(self._wanted, text=self._line.value)))

    def tell(self, error: NetmonError) -> None:
        """Say what is wrong with it."""
        self._hint.show(error, "error")

    def turn(self, what: str) -> None:
        """Take the next of the ways to read it: its ``place``, ``kind`` or ``case``."""
        wanted = self._wanted
        if what == "case":
            self._wanted = replace(wanted, ignore_case=not wanted.ignore_case)
        elif what == "place" and wanted.kind is not FindKind.HEX:
            self._wanted = replace(wanted, place=_next(_PLACES, wanted.place))
        elif what == "kind":
            kind = _next(_KINDS, wanted.kind)
            self._wanted = replace(
                wanted, kind=kind, place=FindIn.BYTES if kind is FindKind.HEX else wanted.place
            )
        self._show()

    def _show(self) -> None:
        self._words.show(self._wanted.words())
        self._hint.show(_HEX_HINT if self._wanted.kind is FindKind.HEX else _HINT, "muted")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()


def _next(ways: tuple[Way, ...], now: Way) -> Way:
    return ways[(ways.index(now) + 1) % len(ways)]
