"""What to add to, change in or flush from the kernel's neighbour table, with the command as it is filled in."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Interface, NudState
from netmon_tui.domain.neighbour_edit import (
    FLUSHABLE,
    SETTABLE,
    EditPlan,
    EditRequest,
    FlushEntries,
    SetEntry,
    TableEntry,
)
from netmon_tui.errors import NetmonError
from netmon_tui.ui.modals.form import Form
from netmon_tui.ui.rendering import content, content_block
from netmon_tui.ui.session import Session

DEBOUNCE_SECONDS = 0.2
"""Looking at the kernel's table waits for a pause in the typing."""
_LONGEST_ADDRESS, _LONGEST_LLADDR = 60, 20
_SHOWN_COMMANDS = 4


class PlanForm(Form[EditPlan]):
    """Shows what the edit would be while it is filled in; gives the plan that was seen last.

    Args:
        session: Services and actor.
        title: What happens.
        interfaces: Those that can be chosen; the first one is, to begin with.
    """

    def __init__(self, session: Session, title: str, interfaces: Sequence[Interface]) -> None:
        super().__init__()
        self._session = session
        self._title = title
        self._interfaces = [one.name for one in interfaces if one.resolves]

    def request(self) -> EditRequest:
        """Return what the fields ask for."""
        raise NotImplementedError

    def compose_fields(self) -> ComposeResult:
        """The lines between the interface and the command."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Fields over the command that they make."""
        with self.box(self._title, id="neighbour-form"):
            yield from self.compose_fields()
            yield Static("", id="neighbour-preview")
            yield Static("", id="neighbour-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Go on", id="go-on", variant="primary")

    def interface_row(self) -> ComposeResult:
        """The interface."""
        options = [(content(name), name) for name in self._interfaces]
        first = self._interfaces[0] if self._interfaces else Select.NULL
        yield from row("Interface", Select(options, value=first, id="neighbour-interface", compact=True))

    def text(self, id: str) -> str:
        """Return what stands in a field."""
        return self.query_one(f"#neighbour-{id}", Input).value

    def chosen(self, id: str) -> str:
        """Return what is chosen; empty for nothing."""
        value = self.query_one(f"#neighbour-{id}", Select).value
        return value if isinstance(value, str) else ""

    def state(self) -> NudState | None:
        """Return the state that is chosen."""
        return NudState(self.chosen("state")) if self.chosen("state") else None

    @on(Input.Changed)
    @on(Select.Changed)
    @work(exclusive=True, group="neighbour-plan", exit_on_error=False)
    async def _look(self) -> None:
        await asyncio.sleep(DEBOUNCE_SECONDS)
        await self._plan()

    async def _plan(self) -> EditPlan | None:
        """Plan what the fields ask for, and show it or why not."""
        try:
            plan = await self._session.services.segment.editing.plan(self._session.actor, self.request())
        except NetmonError as error:
            self._show("", str(error))
            return None
        self._show(preview(plan), "")
        return plan

    def _show(self, said: str, error: str) -> None:
        self.query_one("#neighbour-preview", Static).update(content_block(said))
        self.query_one("#neighbour-error", Static).update(content(error))

    @on(Button.Pressed, "#go-on")
    @on(Input.Submitted)
    @work(exclusive=True, group="neighbour-plan", exit_on_error=False)
    async def _submit(self) -> None:
        if (plan := await self._plan()) is not None:
            self.dismiss(plan)


def row(label: str, field: Input | Select[str]) -> ComposeResult:
    """Yield one line of a form."""
    with Horizontal(classes="form--row"):
        yield Label(content(label))
        yield field


def preview(plan: EditPlan, most: int = _SHOWN_COMMANDS) -> str:
    """Return what a plan is in lines: what is there, the commands, and what is worth knowing."""
    lines = []
    if isinstance(plan.request, FlushEntries):
        count = len(plan.writes)
        lines.append(f"takes {count:,} {'entry' if count == 1 else 'entries'} of {plan.subject}")
    elif len(plan.writes) == 1 and plan.seen:
        lines.append(f"now: {plan.seen[0]}")
    lines += [shlex.join(command) for command in plan.commands[:most]]
    if len(plan.commands) > most:
        lines.append(f"and {len(plan.commands) - most:,} more of the kind")
    lines += [f"left out: {address} carries an SSH session to here" for address in plan.spared]
    return "\n".join([*lines, *plan.notices, *plan.conflicts])


class EntryForm(PlanForm):
    """Adds an entry, or changes the one that is given.

    Args:
        session: Services and actor.
        interfaces: Those that can be chosen.
        entry: The one to change; None adds one.
    """

    def __init__(
        self, session: Session, interfaces: Sequence[Interface], entry: TableEntry | None = None
    ) -> None:
        title = "Add a neighbour" if entry is None else f"Change {entry.address} on {entry.interface}"
        super().__init__(session, title, interfaces)
        self._entry = entry

    def compose_fields(self) -> ComposeResult:
        """Address, lladdr, interface and state; of an entry that is there only what can be changed."""
        entry = self._entry
        if entry is None:
            yield from row(
                "Address",
                Input(
                    placeholder="192.0.2.7 or fe80::1",
                    id="neighbour-address",
                    max_length=_LONGEST_ADDRESS,
                    compact=True,
                ),
            )
        yield from row(
            "lladdr",
            Input(
                entry.lladdr if entry else "",
                placeholder="b8:27:eb:12:34:56, b827.eb12.3456, ...",
                id="neighbour-lladdr",
                max_length=_LONGEST_LLADDR,
                compact=True,
            ),
        )
        if entry is None:
            yield from self.interface_row()
        states = [(content(state.lower()), state.value) for state in SETTABLE]
        prompt = "permanent" if entry is None else "as it is"
        yield from row("State", Select(states, prompt=prompt, id="neighbour-state", compact=True))

    def request(self) -> SetEntry:
        """Return the entry that the fields describe."""
        lladdr, state = self.text("lladdr"), self.state()
        if self._entry is None:
            return SetEntry(self.text("address"), self.chosen("interface"), lladdr, state)
        return SetEntry(self._entry.address, self._entry.interface, lladdr, state, replace=True)


class FlushForm(PlanForm):
    """Deletes the entries of an interface.

    Args:
        session: Services and actor.
        interfaces: Those that can be chosen.
    """

    def __init__(self, session: Session, interfaces: Sequence[Interface]) -> None:
        super().__init__(session, "Flush an interface", interfaces)

    def on_mount(self) -> None:
        """All that can be flushed is offered to begin with."""
        self.query_one("#go-on").focus()

    def compose_fields(self) -> ComposeResult:
        """Interface, state and family."""
        yield from self.interface_row()
        states = [(content(state.lower()), state.value) for state in FLUSHABLE]
        yield from row(
            "State",
            Select(states, prompt="all but permanent and noarp", id="neighbour-state", compact=True),
        )
        families = [(content(family.value), family.value) for family in Family]
        yield from row("Family", Select(families, prompt="both", id="neighbour-family", compact=True))

    def request(self) -> FlushEntries:
        """Return what the fields take."""
        family = self.chosen("family")
        return FlushEntries(self.chosen("interface"), self.state(), Family(family) if family else None)
