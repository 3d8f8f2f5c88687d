"""One of nmap's options as a check mark, a list to choose from or a field."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Label, Select

from netmon_tui.domain.switches import ON, Switch, SwitchKind
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.tick import Tick

LONGEST_VALUE = 1_024


class Choice(Select[str], inherit_bindings=False):
    """A list that opens with enter or space: the arrows go on to the next switch."""

    BINDINGS = [Binding("enter,space", "show_overlay", "Open", show=False)]


class SwitchRow(Horizontal):
    """A label and what sets the switch.

    Args:
        switch: Which.
        value: What it is set to, as ``domain.switches`` says.
    """

    DEFAULT_CSS = """
    SwitchRow {
        height: 1; width: 1fr;
        & > Label { width: 23; }
        & > Input, & > Select { width: 1fr; }
        & > Tick { width: auto; border: none; padding: 0; background: transparent; }
        &.-mark > Tick { width: 1fr; }
        &.-optional > Tick { width: 20; }
        &.-choice > Label { width: 10; }
    }
    """

    class Changed(Message):
        """The user set the switch."""

        def __init__(self, row: SwitchRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, switch: Switch, value: str) -> None:
        super().__init__(classes=f"-{switch.kind}")
        self.switch = switch
        """What it sets."""
        self._first = value

    def compose(self) -> ComposeResult:
        """What the kind needs."""
        switch, value = self.switch, self._first
        text = "" if value == ON else value
        if switch.kind in (SwitchKind.MARK, SwitchKind.OPTIONAL):
            yield Tick(content(switch.label), bool(value), compact=True)
        else:
            yield Label(content(switch.label))
        if switch.kind is SwitchKind.CHOICE:
            yield Choice(self._choices(value), value=value, allow_blank=False, compact=True)
        elif switch.kind is SwitchKind.FIELD:
            yield Input(text, max_length=LONGEST_VALUE, compact=True)
        elif switch.kind is SwitchKind.OPTIONAL:
            yield Input(text, placeholder="ports", max_length=LONGEST_VALUE, compact=True)

    def _choices(self, value: str) -> list[tuple[Content, str]]:
        """Return the choices, with the value that is set even where the form does not offer it."""
        choices = [(content(label), one) for label, one in self.switch.choices]
        if value not in {one for _, one in self.switch.choices}:
            choices.append((content(value), value))
        return choices

    @property
    def control(self) -> Widget:
        """What takes the keys."""
        return self.query("Tick, Input, Choice").first(Widget)

    @property
    def value(self) -> str:
        """What it is set to now."""
        ticks, fields, lists = self.query(Tick), self.query(Input), self.query(Choice)
        if lists:
            return str(lists.first().value)
        if ticks and not ticks.first().value:
            return ""
        text = fields.first().value.strip() if fields else ""
        return text or (ON if ticks else "")

    def show(self, value: str) -> None:
        """Show another value without telling anybody."""
        if value == self.value:
            return
        with self.prevent(Checkbox.Changed, Input.Changed, Select.Changed):
            for choice in self.query(Choice):
                choice.set_options(self._choices(value))
                choice.value = value
            for tick in self.query(Tick):
                tick.value = bool(value)
            for field in self.query(Input):
                field.value = "" if value == ON else value

    @on(Checkbox.Changed)
    @on(Select.Changed)
    def _set(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed(self))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value and (ticks := self.query(Tick)):
            with self.prevent(Checkbox.Changed):
                ticks.first().value = True
        self.post_message(self.Changed(self))
