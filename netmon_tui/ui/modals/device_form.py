"""What people say about a device."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from netmon_tui.domain.device import LONGEST_NAME, LONGEST_NOTE, DeviceMarks, MarksChange
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.widgets.tick import Tick


class DeviceForm(SavingForm[DeviceMarks]):
    """Asks for name, note and marks; stays open until they are accepted.

    Only what was changed here is saved: somebody else may have changed the rest meanwhile.

    Args:
        marks: What is said to begin with.
        vendor: Of the lladdr; may be empty.
        save: Saves it and returns what is said then; raises NetmonError when something is refused.
    """

    def __init__(
        self, marks: DeviceMarks, vendor: str, save: Callable[[MarksChange], Awaitable[DeviceMarks]]
    ) -> None:
        super().__init__()
        self._marks = marks
        self._vendor = vendor
        self._save = save

    def compose(self) -> ComposeResult:
        """Texts, marks and buttons."""
        marks = self._marks
        title = f"Device {marks.lladdr} {self._vendor}".rstrip()
        with self.box(title, id="device-form") as box:
            box.add_class("named-form")
            with Horizontal(classes="form--row"):
                yield Label("Name")
                yield Input(marks.name, id="device-name", max_length=LONGEST_NAME, compact=True)
            with Horizontal(classes="form--row"):
                yield Label("Note")
                yield Input(marks.note, id="device-note", max_length=LONGEST_NOTE, compact=True)
            yield Tick(
                "Known: its appearing is nothing to report", marks.known, id="device-known", compact=True
            )
            yield Tick(
                "Must be up: say so when it does not answer", marks.must_be_up, id="device-must", compact=True
            )
            yield Tick(
                "Cluster: addresses may pass between those that say so",
                marks.shares_addresses,
                id="device-cluster",
                compact=True,
            )
            yield Static("", id="device-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Save", id="save", variant="primary")

    async def save(self) -> DeviceMarks:
        """Save what was changed here."""
        return await self._save(self._change())

    def _change(self) -> MarksChange:
        """Return what differs from what was there to begin with."""
        marks = self._marks
        name, note = (self.query_one(f"#device-{field}", Input).value for field in ("name", "note"))
        known, must, cluster = (
            self.query_one(f"#device-{field}", Tick).value for field in ("known", "must", "cluster")
        )
        return MarksChange(
            name=name if name != marks.name else None,
            note=note if note != marks.note else None,
            known=known if known != marks.known else None,
            must_be_up=must if must != marks.must_be_up else None,
            shares_addresses=cluster if cluster != marks.shares_addresses else None,
        )
