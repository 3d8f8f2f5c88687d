"""One capture: its figures, live while it runs, over the packets of its file."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from netmon_tui.domain.capture import Capture, CaptureOrigin
from netmon_tui.domain.display_filter import needs_all
from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError, NotFound
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command, commands_of
from netmon_tui.ui.messages import ApplyDisplayFilter, CaptureAddress, CaptureBegun, ScanAddress, ShowHost
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.screens.analysis import AnalysisPlace, AnalysisScreen
from netmon_tui.ui.screens.capture_actions import CaptureActions
from netmon_tui.ui.screens.matching import MatchingScreen
from netmon_tui.ui.screens.packet_choices import choices_of
from netmon_tui.ui.screens.packet_pivots import begin, page_of, scan_of
from netmon_tui.ui.screens.traffic import TrafficScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.capture_header import CaptureHeader
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.packet_bytes import PacketBytes
from netmon_tui.ui.widgets.packet_finding import PacketFinding
from netmon_tui.ui.widgets.packet_marking import PacketMarking
from netmon_tui.ui.widgets.packet_tree import PacketTree

HELP_TEXT = (
    "Above: the figures of the capture. Packets and protocols are the kernel's own count; captured, received and\n"
    "dropped are tcpdump's. Below: the packets of the file, the fields of one, and its bytes. While packets come\n"
    "slowly, what is written is up to 4 kB behind what is counted.\n"
    "m marks a packet, for you alone, and ; says something of it; . and , go from mark to mark.\n"
    "M says where a part begins and ends; w makes a capture of it, of the marked packets, or of what / shows.\n"
    "In the fields, right opens and left closes; the bytes of a field are marked, and a byte shows its field.\n"
    "Of what was decrypted or put together the bytes stand there under their name; b turns from one to the next.\n"
    "ctrl+f finds text, an expression or bytes in bytes, lines or fields; n and N go to the next match and back.\n"
    "In bytes are those of the frames only: what was decrypted or put together is found in fields (tree).\n"
    "/ shows only lines with some words, as they are listed: where these are tshark's that takes longer;\n"
    "d takes a display filter in Wireshark's language, = & ! one of a field. tshark filters what it has put\n"
    "together, and our own words are of each packet alone: P shows then what tshark calls the packets.\n"
    "C chooses the columns, ctrl+t the form of the time, P tshark's words; + makes a column of a field.\n"
    "ctrl+g goes to a packet by number, time (14:03:05), distance (+10s, -500) or part of the file (50%).\n"
    "The fields are made of some hundred packets around the one shown, and W makes them of the whole file.\n"
    "F puts the TCP or UDP stream of the packet together, as text, as bytes, or into a file.\n"
    "K keeps TLS keys with the capture: list, fields and streams say then what was encrypted.\n"
    "Of several files one is shown: [ and ] turn to the others, { and } to those where packets meet the filter;\n"
    "D lists the packets of all that meet it; n and N, . and , go on through all. Export and analysis take all\n"
    "of them as one."
)
_DELETED = "Somebody has deleted it with its packets. Press esc"
_PARTS = (PacketTree, PacketBytes, PacketFinding, PacketMarking)
"""Whose keys are told also where they do not work yet."""
LOOK_SECONDS = 1.0
"""How often a growing file is looked at."""
ROW_SECONDS = 5.0
"""How often it is looked at whether a running capture has another name, tag or note."""


class CaptureDetailScreen(MatchingScreen):
    """A capture and its packets.

    Args:
        session: Services and actor.
        capture_id: Which one.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-normal"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]
    AUTO_FOCUS = "#packets TableGrid"
    MOST_TICKS_PER_SECOND = 1 / LOOK_SECONDS
    BINDINGS: ClassVar[list[BindingType]] = [
        command("capture.back", "escape", "back", "Back", "Back to where you came from.", show=False),
        command("capture.stop", "x", "stop", "Stop", "Stop this capture; its packets are kept."),
        command("capture.analysis", "A", "analysis", "Analysis", "Conversations, counts, graph, streams."),
        command(
            "capture.traffic", "T", "traffic", "Talkers", "Who talks: addresses, conversations, services."
        ),
        command(
            "capture.again",
            "r",
            "again('')",
            "Again",
            "Start this capture again as it was asked for.",
            show=False,
        ),
        command(
            "capture.buffer",
            "B",
            "again('2x')",
            "Buffer",
            "Start this capture again with twice the buffer; one that runs is stopped.",
            show=False,
        ),
        command("capture.slice", "w", "slice", "Slice", "Make a capture of some of the packets."),
        command("capture.export", "e", "export", "Export", "Write packets to a file (pcap, pcapng)."),
        command("capture.label", "t", "label", "Label", "Change name, tags and note.", show=False),
        command(
            "capture.about",
            "a",
            "about",
            "About",
            "Show where it comes from and how to fetch it.",
            show=False,
        ),
        command("capture.scan", "s", "scan", "Scan", "Scan the address under the cursor."),
        command("capture.capture", "c", "capture", "Capture", "Capture the address under the cursor."),
        command(
            "capture.host",
            "H",
            "host",
            "Host",
            "Show what is known of the address under the cursor.",
            show=False,
        ),
        command(
            "capture.stream",
            "F",
            "stream",
            "Stream",
            "Show what the TCP or UDP stream of this packet carries.",
            show=False,
        ),
        command(
            "capture.keys",
            "K",
            "keys",
            "TLS keys",
            "Keep TLS keys with the capture, or remove them.",
            show=False,
        ),
        command(
            "capture.matches",
            "D",
            "matches",
            "All files",
            "List what the display filter lets through in all files.",
            show=False,
        ),
        command("capture.facts", "i", "facts", "File", "Show or hide file and SHA-256.", show=False),
        command("capture.freeze", "p", "freeze", "Freeze", "Stop and continue updating.", show=False),
        command("capture.help", "question_mark,f1", "help", "Help", "Show what this is and all its keys."),
    ]

    NEEDS: ClassVar = {
        **dict.fromkeys(("stop", "again", "slice", "label", "capture", "keys"), Permission.CAPTURE),
        "scan": Permission.SCAN,
        "export": Permission.EXPORT,
    }

    def __init__(self, session: Session, capture_id: int) -> None:
        super().__init__(session, capture_id)
        self._capture: Capture | None = None
        self._analysed = AnalysisPlace()
        self._read_at = 0.0
        """When all that is known of the capture was read."""
        self._settled = False
        """Whether the capture has ended, and its files were looked at after that."""
        self._is_deleted = False

    @property
    def _actions(self) -> CaptureActions:
        return CaptureActions(self.session, self.app)

    def compose(self) -> ComposeResult:
        """Figures, packets, keys."""
        self.prepare()
        services, actor = self.session.services, self.session.actor
        yield CaptureHeader(id="capture-header")
        yield FileSetBrowser(services.packets, actor, self.capture_id, id="file-set-browser")
        yield KeyLine()

    async def has_changed(self) -> bool:
        """Return whether there may be something new."""
        return not self._settled or await super().has_changed()

    async def refresh_live(self, *, changed: bool) -> None:
        """Show what is new, and the running clock: once a second while it runs."""
        before, now = self._capture, time.monotonic()
        if self._is_deleted or (self._settled and not changed):
            return
        known = before if now - self._read_at < ROW_SECONDS else None
        self._read_at = self._read_at if known else now
        capturing = self.session.services.capturing
        try:
            capture, on_disk = await capturing.watch(self.session.actor, self.capture_id, known)
        except NotFound:
            self._is_deleted = True
            self.query_one(CaptureHeader).show_deleted(self.capture_id)
            await self.end_files(_DELETED)
            self.refresh_bindings()
            toasts.warn(self.app, "Deleted", f"Capture {self.capture_id} was deleted")
            return
        self._capture = capture
        if before is None:
            self.query_one(CaptureHeader).show(capture, now=now)
            self.recall_filters(self.files.browser.filter_bar)
            await self.show_chosen_columns()
        await self.files.look(on_disk, growing=not capture.state.is_final)
        self._settled = capture.state.is_final
        self.query_one(CaptureHeader).show(capture, now=now)
        if before is None or before.state != capture.state:
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the capture, the row or the role does not allow."""
        if self._is_deleted:
            return action in {"back", "help"}
        capture, needed = self._capture, self.NEEDS.get(action)
        if action == "stop" and capture is not None and capture.state.is_final:
            return False  # for good: others have its room in the line of keys
        if needed is not None and not self.session.actor.may(needed):
            return None
        if action == "stop":
            return capture is not None or None
        if action == "again":
            return (capture is not None and capture.origin is CaptureOrigin.LIVE) or None
        return action not in {"scan", "capture", "host"} or bool(self._address) or None

    @property
    def _address(self) -> str:
        files = self.query(FileSetBrowser)
        browser = files.first().browser if files else None
        return browser.address if browser is not None and browser.is_mounted else ""

    def action_back(self) -> None:
        """Leave."""
        self.dismiss(None)

    @work(exclusive=True, group="capture-stop", exit_on_error=False)
    async def action_stop(self) -> None:
        """Stop it."""
        await self._actions.stop(self.capture_id)
        self.refresh_now()

    @work(exclusive=True, group="capture-again", exit_on_error=False)
    async def action_again(self, buffer: str) -> None:
        """Start it again and look at the new capture."""
        begun = await self._actions.again(self.capture_id, buffer)
        if begun is not None:
            self.beneath.post_message(CaptureBegun(begun.id))
            self.app.switch_screen(CaptureDetailScreen(self.session, begun.id))

    @work(exclusive=True, group="capture-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Write packets to a file."""
        await self._actions.export(self.capture_id, choices_of(self.files.browser, self.files.shown_file))

    @work(exclusive=True, group="capture-slice", exit_on_error=False)
    async def action_slice(self) -> None:
        """Make a capture of packets."""
        choices = choices_of(self.files.browser, self.files.shown_file)
        await self._actions.export(self.capture_id, choices, as_capture=True)

    @work(exclusive=True, group="capture-label", exit_on_error=False)
    async def action_label(self) -> None:
        """Change what is said of it."""
        labelled = await self._actions.label(self.capture_id)
        if labelled is not None:
            self._capture = labelled
            self.query_one(CaptureHeader).show_title(labelled)

    @work(exclusive=True, group="capture-about", exit_on_error=False)
    async def action_about(self) -> None:
        """Show what is known of it."""
        await self._actions.about(self.capture_id)

    @work(exclusive=True, group="capture-pivot", exit_on_error=False)
    async def action_scan(self) -> None:
        """Scan the address under the cursor; of a MAC the one that it was seen under."""
        try:
            self._pivot(await scan_of(self.session, self._address))
        except NetmonError as error:
            toasts.report(self.app, error)

    @work(exclusive=True, group="capture-pivot", exit_on_error=False)
    async def action_capture(self) -> None:
        """Capture the address under the cursor, on the interface of its packet where that is known."""
        address = self._address
        interface = self._capture.one_interface if self._capture else ""
        try:
            self._pivot(CaptureAddress(address, interface or await self.files.browser.interface()))
        except NetmonError as error:
            toasts.report(self.app, error)

    @work(exclusive=True, group="capture-pivot", exit_on_error=False)
    async def action_host(self) -> None:
        """Show what is known of the address under the cursor: of a MAC its device."""
        await self._show_host(ShowHost(self._address))

    @on(ShowHost)
    async def _show_host(self, request: ShowHost) -> None:
        """Show it above the packets, so that escape leads back to them."""
        try:
            self.app.push_screen(await page_of(self.session, request.address))
        except NetmonError as error:
            toasts.report(self.app, error)

    @on(ScanAddress)
    @on(CaptureAddress)
    @work(exclusive=True, group="capture-form", exit_on_error=False)
    async def _pivot(self, request: ScanAddress | CaptureAddress) -> None:
        """Open a form above all that is open, and there what is captured: escape leads back."""
        begun = await begin(self.session, self.app, request)
        if begun is not None:
            self.app.push_screen(CaptureDetailScreen(self.session, begun.id))

    def action_analysis(self) -> None:
        """Ask about the whole capture."""
        interface = self._capture.one_interface if self._capture else ""
        self.app.push_screen(AnalysisScreen(self.session, self.capture_id, interface, self._analysed))

    def action_traffic(self) -> None:
        """Show who talks."""
        self.app.push_screen(TrafficScreen(self.session, self.capture_id, self.files.pinned_file))

    @on(ApplyDisplayFilter)
    def _apply_filter(self, request: ApplyDisplayFilter) -> None:
        """Show only what the analysis points at; in all files where it counts through them."""
        if self.files.shown_file and needs_all(request.text):
            self.list_matches(request.text, request.since)
            return
        self.files.browser.filter_bar.put(request.text, apply=True)

    def action_facts(self) -> None:
        """Show or hide the file's facts."""
        self.toggle_class("-facts")

    def action_freeze(self) -> None:
        """Stop or continue updating."""
        self.toggle_frozen()
        self.notify("Frozen; p continues" if self.frozen else "Live again", markup=False)

    def action_help(self) -> None:
        """Show help."""
        others = commands_of(_PARTS, self.session.services.settings.keys)
        active = list(self.active_bindings.values())
        self.app.push_screen(Help(title_of("A capture"), HELP_TEXT, active, others))
