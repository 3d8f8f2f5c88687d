"""A sweep: which local network, or which part of it, is asked who has its addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.profile import Profile
from netmon_tui.domain.scan import ScanPreview
from netmon_tui.domain.schedule import When
from netmon_tui.domain.sweep import LocalNetwork, Sweep
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.form import Form
from netmon_tui.ui.modals.schedule_form import ScheduleForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.scan_preview import accepted

PREVIEW_SECONDS = 0.2
"""Pause in typing after which the preview follows."""
LONGEST_NETWORK = 300
FIRST_INTERVAL = 600
"""Seconds between the sweeps of a schedule, before somebody says otherwise."""
_NO_NETWORK = -1


class SweepForm(Form[Sweep]):
    """Asks for a local network; gives a sweep that was accepted by the preview.

    Args:
        session: Services and actor.
        networks: Those that can be swept.
        profiles: Those that a schedule may be given instead.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("sweep_form.schedule", "ctrl+r", "schedule", "Schedule", "Repeat this sweep by a schedule."),
    ]

    def __init__(
        self, session: Session, networks: Sequence[LocalNetwork], profiles: Sequence[Profile]
    ) -> None:
        super().__init__()
        self._session = session
        self._networks = networks
        self._profiles = profiles

    def compose(self) -> ComposeResult:
        """Fields, preview, buttons."""
        networks = [(f"{one.text}  {one.interface}", number) for number, one in enumerate(self._networks)]
        named = networks or [("none: no interface has neighbours", _NO_NETWORK)]
        choices = [(content(name), number) for name, number in named]
        with self.box("Sweep", id="sweep-form"):
            with Horizontal(classes="form--row"):
                yield Label("Network")
                yield Select(choices, value=choices[0][1], allow_blank=False, id="sweep-local", compact=True)
            with Horizontal(classes="form--row"):
                yield Label("Addresses")
                yield Input(id="sweep-addresses", max_length=LONGEST_NETWORK, compact=True)
            yield Static("All of the network, or a range or a smaller network in it", classes="form--hint")
            with VerticalScroll(id="sweep-preview", classes="dialog--text", can_focus=False):
                yield Static("", id="sweep-said")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Sweep", id="start", variant="primary", disabled=True)

    def on_mount(self) -> None:
        """Begin with the first network, so that enter sweeps it."""
        self._network_chosen()
        self.query_one("#sweep-addresses", Input).focus()

    @on(Select.Changed, "#sweep-local")
    def _network_chosen(self) -> None:
        local = self._local
        self.query_one("#sweep-addresses", Input).value = local.text if local else ""
        self._look(0.0)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._look(PREVIEW_SECONDS)

    @work(exclusive=True, group="sweep-preview", exit_on_error=False)
    async def _look(self, delay: float) -> None:
        """Show what would run once typing pauses; the next key press starts the pause anew."""
        await asyncio.sleep(delay)
        await self._planned()

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    @work(exclusive=True, group="sweep-preview", exit_on_error=False)
    async def _start(self) -> None:
        """Give the sweep back if it is accepted as it stands now."""
        if (sweep := await self._planned()) is not None:
            self.dismiss(sweep)

    @work(exclusive=True, group="sweep-schedule", exit_on_error=False)
    async def action_schedule(self) -> None:
        """Make a schedule of what is typed."""
        if (sweep := await self._planned()) is None:
            return
        services = self._session.services
        when = When(every=FIRST_INTERVAL, zone=services.schedules.zone)
        saved = await self.app.push_screen_wait(
            ScheduleForm(
                "Repeat the sweep",
                self._session,
                services.segment.sweeps.repeating(sweep, when),
                self._profiles,
            )
        )
        if saved is not None:
            toasts.tell(self.app, f"{saved.name} runs {saved.words}")

    async def _planned(self) -> Sweep | None:
        """Return what the fields say, if it may start, and show it."""
        local, addresses = self._local, self.query_one("#sweep-addresses", Input).value.strip()
        if local is None or not addresses:
            self._show(ScanPreview(error="" if local else "no interface is in a network that can be swept"))
            return None
        # Only where several interfaces are in the network, its own has to be told to nmap.
        try:
            sweep = await self._session.services.segment.sweeps.plan(
                self._session.actor, addresses, local.interface if self._is_shared(local) else ""
            )
        except NetmonError as error:
            self._show(ScanPreview(error=str(error)))
            return None
        self._show(sweep.preview)
        return sweep

    @property
    def _local(self) -> LocalNetwork | None:
        chosen = self.query_one("#sweep-local", Select).value
        return self._networks[chosen] if isinstance(chosen, int) and chosen >= 0 else None

    def _is_shared(self, local: LocalNetwork) -> bool:
        return sum(one.network == local.network for one in self._networks) > 1

    def _show(self, preview: ScanPreview) -> None:
        self.query_one("#start", Button).disabled = not preview.command
        said = self.query_one("#sweep-said", Static)
        said.set_class(bool(preview.error), "dialog--error")
        said.update(_words(preview))


def _words(preview: ScanPreview) -> Content:
    """Return what would run, or why not."""
    if not preview.command:
        return content(preview.error)
    return accepted(preview, with_stages=False, with_rest=True, key="")
