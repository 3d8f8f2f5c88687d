"""Starting a capture: interface, filter, limits, and the command they make."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.capture import CapturePreview, StartCapture
from netmon_tui.domain.capture_filter_library import SaveCaptureFilter
from netmon_tui.domain.neighbour import Interface
from netmon_tui.domain.schedule import SaveSchedule, When
from netmon_tui.errors import InvalidInput, LimitRefused, NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.capture_filters import CaptureFilterForm, CaptureFilterList
from netmon_tui.ui.modals.capture_more import CaptureMore, RareOptions
from netmon_tui.ui.modals.capture_schedule_form import CaptureScheduleForm
from netmon_tui.ui.modals.form import Form
from netmon_tui.ui.modals.interface_picker import InterfacePicker
from netmon_tui.ui.rendering import Tone, content, content_block, rate, state_style
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.capture_limits import CaptureLimits
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.interface_select import InterfaceSelect
from netmon_tui.ui.widgets.tick import Tick

DEBOUNCE_SECONDS = 0.2
"""Compiling starts tcpdump, so it waits for a pause in the typing."""
PROTOCOLS = ("tcp", "udp", "icmp", "icmp6", "arp", "dns", "dhcp", "ip", "ip6", "sctp")
_SIGNS: dict[Tone, str] = {"success": "ok", "warning": "warn", "error": "failed"}
"""Tone of a verdict to the state whose glyph it has."""


class CaptureForm(Form[StartCapture]):
    """Asks what to capture; stays open until it is started, and says why when it is not.

    Args:
        session: Services and actor.
        start: Starts a capture on each of some interfaces; raises NetmonError when one is refused.
        host, interface: Prefilled; foreign text, which the filter's grammar judges.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("capture_form.filters", "ctrl+o", "filters", "Filters", "Take a filter from the library."),
        command("capture_form.save", "ctrl+s", "save_filter", "Save filter", "Keep the filter under a name."),
        command(
            "capture_form.more", "ctrl+t", "more", "More", "Direction, buffer, other interfaces and so on."
        ),
        command(
            "capture_form.schedule", "ctrl+r", "schedule", "Schedule", "Repeat this capture by a schedule."
        ),
    ]

    def __init__(
        self,
        session: Session,
        start: Callable[[StartCapture, Sequence[str]], Awaitable[None]],
        *,
        host: str = "",
        interface: str = "",
    ) -> None:
        super().__init__()
        self._session = session
        self._capturing = session.services.capturing
        self._settings = session.services.settings.captures
        self._start = start
        self._host = host
        self._interface = interface
        self._built = ""
        """The filter the simple fields made last."""
        self._edited = False
        """Whether the fields were changed after somebody wrote another filter."""
        self._usual = StartCapture(interface, buffer_kib=self._settings.buffer_kib)
        self._rare = RareOptions(self._usual)
        self._interfaces: tuple[str, ...] = ()
        self._own_session = self._capturing.own_session()

    def compose(self) -> ComposeResult:
        """What, how long, and the command."""
        with self.box("New capture"):
            with Horizontal(classes="form--line"):
                yield Label("Interface", classes="form--label")
                yield InterfaceSelect([], prompt="looking ...", id="interface", compact=True)
                yield Figure(id="interface-rate")
            with Horizontal(classes="form--line"):
                yield Label("Protocol", classes="form--label")
                options = [(content(name), name) for name in PROTOCOLS]
                yield Select(options, prompt="any", id="protocol", compact=True)
                yield Label("Host", classes="form--next")
                yield Input(
                    self._host, placeholder="address, network or MAC", id="host", compact=True, max_length=64
                )
                yield Label("Port", classes="form--next")
                yield Input(placeholder="80 or 1-99", id="port", compact=True, max_length=11)
            with Horizontal(classes="form--line"):
                yield Label("Filter", classes="form--label")
                yield Input(placeholder="all packets", id="filter", compact=True)
            yield Figure(id="caret")
            yield Static("", id="verdict")
            yield Static("", id="cautions")
            yield CaptureLimits(self._settings)
            yield from self._switches()
            with Horizontal(classes="form--line"):
                yield Label("Name", classes="form--label")
                yield Input(placeholder="optional", id="name", compact=True, max_length=100)
            yield Static("", id="command")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Start", id="start", variant="primary", compact=True)

    def _switches(self) -> ComposeResult:
        """What few captures need, and the own session."""
        with Horizontal(classes="form--line"):
            yield Label("More", classes="form--label")
            yield Button("ctrl+t", id="more", compact=True)
            yield Figure(id="more-words")
        there_is = self._own_session or "there is none"
        yield Tick(
            content(f"Leave out my own SSH session ({there_is})"),
            bool(self._own_session) and not self._settings.include_own_ssh,
            id="without-ssh",
            compact=True,
            disabled=not self._own_session,
        )

    def on_mount(self) -> None:
        """Look for the interfaces, and begin to count."""
        self._offer_interfaces()
        if self._host:
            self._build_filter()
        self.query_one("#filter").focus()
        self._count()

    @work(exclusive=True, group="form-interfaces", exit_on_error=False)
    async def _offer_interfaces(self) -> None:
        await self._offer(self._interface)

    async def _offer(self, wanted: str) -> None:
        """Offer the interfaces that there are now, with the wanted one chosen if it is there."""
        found = await self._capturing.interfaces()
        select = self.query_one("#interface", Select)
        select.set_options([(content(_describe(interface)), interface.name) for interface in found])
        self._interfaces = tuple(interface.name for interface in found)
        select.value = wanted if wanted in self._interfaces else _likely(found)
        self._check()

    @work(exclusive=True, group="form-count", exit_on_error=False)
    async def _count(self) -> None:
        """Show what goes through the chosen interface, each second."""
        async with aclosing(self._capturing.interface_traffic()) as seconds:
            async for found in seconds:
                rates = {one.interface.name: one.rates for one in found}.get(self._chosen("interface"))
                shown = f"in {rate(rates.packets_in)}  out {rate(rates.packets_out)}" if rates else ""
                self.query_one("#interface-rate", Figure).show(shown)

    @on(InterfaceSelect.Asked)
    @work(exclusive=True, group="form-choice", exit_on_error=False)
    async def _choose_interface(self) -> None:
        """Let an interface be chosen by its traffic."""
        picker = InterfacePicker(self._session, self._chosen("interface"))
        if (name := await self.app.push_screen_wait(picker)) is not None:
            await self._offer(name)  # it may have come after the form was opened

    @work(exclusive=True, group="form-choice", exit_on_error=False)
    async def action_filters(self) -> None:
        """Take a filter from the library."""
        library = CaptureFilterList(self._session, self._chosen("interface"))
        if (text := await self.app.push_screen_wait(library)) is not None:
            line = self.query_one("#filter", Input)
            line.value, line.cursor_position = text, len(text)
            line.focus()

    @work(exclusive=True, group="form-choice", exit_on_error=False)
    async def action_save_filter(self) -> None:
        """Keep the filter under a name."""
        first = SaveCaptureFilter("", self._text("filter"))
        form = CaptureFilterForm(self._session, first, interface=self._chosen("interface"))
        if (saved := await self.app.push_screen_wait(form)) is not None:
            toasts.tell(self.app, f"Saved as {saved.name}")

    @on(Button.Pressed, "#more")
    @work(exclusive=True, group="form-more", exit_on_error=False)
    async def action_more(self) -> None:
        """Ask for what few captures need."""
        # any would have the same packets once more
        others = [name for name in self._interfaces if name not in (self._chosen("interface"), "any")]
        taken = await self.app.push_screen_wait(CaptureMore(self._rare, others))
        if taken is not None:
            self._rare = taken
            self._check()

    @work(exclusive=True, group="form-more", exit_on_error=False)
    async def action_schedule(self) -> None:
        """Make a schedule of what is asked for."""
        try:
            asked = self._request()
            if self._rare.also and not asked.is_pcapng:
                raise InvalidInput(
                    "a schedule captures on one interface", fix="untick the others in More, or choose pcapng"
                )
        except InvalidInput as error:
            self._refuse(CapturePreview.refused(error))
            return
        when = When(cron="@daily", zone=self._session.services.schedules.zone)
        first = SaveSchedule(asked.name, (), when)
        saved = await self.app.push_screen_wait(CaptureScheduleForm(self._session, first, asked))
        if saved is not None:
            toasts.tell(self.app, f"{saved.name} runs {saved.words}")

    @on(Select.Changed, "#protocol")
    @on(Input.Changed, "#host")
    @on(Input.Changed, "#port")
    def _fields_changed(self) -> None:
        self._build_filter()

    @on(Select.Changed, "#interface")
    @on(Input.Changed)
    @on(Tick.Changed)
    def _changed(self) -> None:
        self._check()

    def _build_filter(self) -> None:
        """Let the simple fields write the filter, unless somebody wrote another one there."""
        line = self.query_one("#filter", Input)
        self._edited = line.value not in ("", self._built)
        if self._edited:
            return
        try:
            self._built = self._capturing.build_filter(
                self._chosen("protocol"), self._text("host"), self._text("port")
            )
        except InvalidInput as error:
            self._refuse(CapturePreview.refused(error))
        else:
            line.value = self._built

    @work(exclusive=True, group="form-check", exit_on_error=False)
    async def _check(self) -> None:
        """Compile the filter once the typing pauses, and show what would run."""
        self.query_one("#more-words", Figure).show(self._rare.words(self._usual))
        await asyncio.sleep(DEBOUNCE_SECONDS)
        limits = ""
        try:
            self._capturing.build_filter(self._chosen("protocol"), self._text("host"), self._text("port"))
            request = self._request()
        except LimitRefused as error:
            limits, request = str(error), self._request(limited=False)  # the filter is judged nevertheless
        except InvalidInput as error:
            self._refuse(CapturePreview.refused(error))
            return
        preview = await self._capturing.preview(request)
        self._show(replace(preview, limits_error=limits or preview.limits_error))

    def _show(self, preview: CapturePreview) -> None:
        if not preview.error:
            self._caret(None)
            note = "; written by hand, so the fields above do not change it" if self._edited else ""
            meaning = preview.verdict.explanation.text if preview.verdict else ""
            tone: Tone = "warning" if self._edited else "success"
            self._say(": ".join(filter(None, ("valid", meaning))) + note, tone)
            self._warn(preview.verdict.cautions if preview.verdict else ())
        if preview.error or preview.limits_error:
            self._refuse(preview)
            return
        self.query_one(CaptureLimits).tell("")
        others = () if self._rare.request.is_pcapng else self._rare.also
        also = f"; the same on {', '.join(others)}" if others else ""
        self.query_one("#command", Static).update(content(shlex.join(preview.command) + also, 2_000))
        self.query_one("#start", Button).disabled = False

    def _refuse(self, refused: CapturePreview) -> None:
        """Say why it cannot start, under the limits and the filter, there with a mark under the place."""
        self.query_one(CaptureLimits).tell(refused.limits_error)
        if refused.error:
            self._caret(refused.position)
            self._say(refused.error, "error")
            self._warn(())
        self.query_one("#command", Static).update("")
        self.query_one("#start", Button).disabled = True

    def _say(self, text: str, tone: Tone) -> None:
        verdict = self.query_one("#verdict", Static)
        verdict.update(content(_marked(text, tone) if text else ""))
        for name in _SIGNS:
            verdict.set_class(name == tone, f"-{name}")

    def _warn(self, cautions: Sequence[str]) -> None:
        """Say what about the filter may surprise."""
        words = content_block("\n".join(_marked(one, "warning") for one in cautions))
        shown = self.query_one("#cautions", Static)
        shown.update(words)
        shown.display = bool(cautions)

    def _caret(self, position: int | None) -> None:
        line = self.query_one("#filter", Input)
        shown = -1 if position is None else position - round(line.scroll_x)
        self.query_one("#caret", Figure).show(" " * shown + "^" if shown >= 0 else "", "error")

    def _request(self, *, limited: bool = True) -> StartCapture:
        """Return what the form asks for, or that without its limits.

        Raises:
            InvalidInput: A limit is no number.
        """
        rare, first = self._rare.request, self._chosen("interface")
        return replace(
            rare,
            interface=",".join(dict.fromkeys((first, *self._rare.also))) if rare.is_pcapng else first,
            filter=self._text("filter"),
            **(self.query_one(CaptureLimits).read() if limited else {}),
            include_own_ssh=bool(self._own_session) and not self.query_one("#without-ssh", Tick).value,
            name=self._text("name"),
        )

    def _text(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()

    def _chosen(self, id: str) -> str:
        value = self.query_one(f"#{id}", Select).value
        return value if isinstance(value, str) else ""

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    @work(exclusive=True, group="form-start", exit_on_error=False)
    async def _submit(self) -> None:
        try:
            request = self._request()
            await self._start(request, (*request.interfaces, *self._rare.also))
        except NetmonError as error:
            self._refuse(CapturePreview.refused(error))
        else:
            self.dismiss(request)


def _marked(text: str, tone: Tone) -> str:
    """Return words behind the glyph of their tone."""
    return f"{state_style(_SIGNS[tone]).glyph} {text}"


def _describe(interface: Interface) -> str:
    address = interface.addresses[0].address if interface.addresses else ""
    words = [f"{interface.name:<10}", address, "" if interface.up else "(down)"]
    return " ".join(word for word in words if word)


def _likely(found: Sequence[Interface]) -> str:
    """Return the interface one most likely means: with a gateway, else up, else the first."""
    ranked = sorted(found, key=lambda one: (not one.gateways, not one.addresses, one.loopback, not one.up))
    return ranked[0].name
