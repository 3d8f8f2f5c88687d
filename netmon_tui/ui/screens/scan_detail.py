"""One scan, live while it runs: hosts, services, map, nmap's own text, what changed, and what was asked for."""

from __future__ import annotations

import time
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import TabbedContent

from netmon_tui.domain.scan import Scan
from netmon_tui.domain.user import Permission
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.messages import CaptureAddress, ScanAddress, ShowHost
from netmon_tui.ui.modals.help import Help, title_of
from netmon_tui.ui.screens.running_scan import RunningScan
from netmon_tui.ui.screens.scan_actions import ScanActions
from netmon_tui.ui.screens.scan_changes_tab import ScanChangesTab
from netmon_tui.ui.screens.searchable import SearchableScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.lazy_pane import LazyPane
from netmon_tui.ui.widgets.scan_about import about
from netmon_tui.ui.widgets.scan_changes import ScanChanges
from netmon_tui.ui.widgets.scan_head import ScanHead
from netmon_tui.ui.widgets.scan_hosts import ScanHosts
from netmon_tui.ui.widgets.scan_map import ScanMap
from netmon_tui.ui.widgets.scan_services import ScanServices
from netmon_tui.ui.widgets.scan_words import can_go_on
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.text_view import TextLine, TextView

OUTPUT_SECONDS = 1.0
"""How often the tool's text is read again while it is looked at."""
HELP = (
    "Hosts, services and nmap's own text of one scan. While it runs, open ports appear as soon as nmap\n"
    "reports them; a host that is not finished is marked partial. Stopping keeps what was found, and R goes on\n"
    "with what is missing. P halts a scan; X gives up a host that keeps it waiting: nothing more is asked of it,\n"
    "not even by R. nmap itself gives up a host that takes longer than its time limit (--host-timeout).\n"
    "Only hosts that are up are listed: a shows all. tab goes to the next pane, z gives it the whole screen.\n"
    "Map: the way to every host, where it was traced; enter, left and right open and close, * all, e writes it.\n"
    "Changes: + came, - went, ~ is not what it was, since the pinned scan of these targets or the one before;\n"
    "only what both scans asked for counts, and a host is known again by lladdr, host key or certificate.\n"
    "What scripts say counts where both scans ran them; d shows how an output differs, line by line.\n"
    "I ignores what is noise, as widely as you choose; a shows what is ignored, i lists the rules."
)
TABS = (
    ("hosts", "1 Hosts"),
    ("services", "2 Services"),
    ("map", "3 Map"),
    ("output", "4 Output"),
    ("changes", "5 Changes"),
    ("about", "6 About"),
)


class ScanDetailScreen(SearchableScreen, RunningScan):
    """A scan on a screen of its own, above the frame.

    Args:
        session: Services and actor.
        scan_id: The scan.
        address: Show this host to begin with.
        compared_with: Begin with what changed since this scan.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    MOST_TICKS_PER_SECOND = 2.0
    BINDINGS: ClassVar[list[BindingType]] = [
        command("scan.back", "escape", "back", "Back", "Back to the list."),
        command("scan.stop", "x", "stop", "Stop", "Stop the scan; what it found is kept."),
        command("scan.pause", "P", "pause", "Pause", "Halt the scan, or let it go on.", show=False),
        command("scan.resume", "R", "resume", "Resume", "Go on with what is missing.", show=False),
        command("scan.skip", "X", "skip", "Give up", "Give this host up; the scan goes on.", show=False),
        command("scan.repeat", "r", "repeat", "Again", "Run it again with the same targets and options."),
        command("scan.export", "e", "export", "Export", "Write it, or the selected hosts, to a file."),
        command("scan.scan_host", "s", "scan_host", "Scan", "Scan this host."),
        command("scan.capture_host", "c", "capture_host", "Capture", "Capture this host's packets."),
        command("scan.show_host", "H", "show_host", "Host", "What all scans know of this host.", show=False),
        command("scan.all_hosts", "a", "all_hosts", "All", "Show all hosts, or only those that are up."),
        command("scan.maximise", "z", "maximise", "Zoom", "Give the pane the whole screen.", show=False),
        *(
            command(f"scan.tab{n}", str(n), f"tab('{name}')", title[2:], f"Go to {title[2:]}.", show=False)
            for n, (name, title) in enumerate(TABS, 1)
        ),
        command("scan.freeze", "p", "freeze", "Freeze", "Stop and continue updating.", show=False),
        command("scan.help", "question_mark,f1", "help", "Help", "What this screen is for and all its keys."),
    ]
    NEEDS: ClassVar = {
        **dict.fromkeys(("stop", "pause", "resume", "skip", "repeat", "scan_host"), Permission.SCAN),
        "capture_host": Permission.CAPTURE,
    }

    def __init__(
        self, session: Session, scan_id: int, address: str = "", *, compared_with: int | None = None
    ) -> None:
        super().__init__(session)
        self.scan_id = scan_id
        self._address = address
        self._compared_with = compared_with
        self._scan: Scan | None = None
        self._output_at = 0.0

    def compose(self) -> ComposeResult:
        """Head, tabs, footer."""
        self.prepare()
        yield ScanHead()
        first = "hosts" if self._compared_with is None else "changes"
        with TabbedContent(initial=f"tab-{first}", id="scan-tabs"):
            for name, title in TABS:
                # The hosts are there from the start: the other tabs' rows lead to them.
                at_once = name in {first, "hosts"}
                build = partial(
                    _content_of, name, self.session, self.scan_id, self._address, self._compared_with
                )
                yield LazyPane(title, build, id=f"tab-{name}", at_once=at_once)
        yield KeyLine()

    async def refresh_live(self, *, changed: bool) -> None:
        """Show the scan as it stands; of the tabs only the visible one is brought up to date."""
        if changed:
            before, self._scan = (
                self._scan,
                await self.session.services.scans.get(self.session.actor, self.scan_id),
            )
            self.query_one(ScanHead).show(self._scan, "frozen" if self.frozen else "")
            if before != self._scan or self._is_running:
                await self._refresh_tab()
            if before is None or before.state is not self._scan.state:
                self.refresh_bindings()
        elif (
            self._tab == "output" and self._is_running and time.monotonic() - self._output_at > OUTPUT_SECONDS
        ):
            await self._refresh_tab()

    def current_scan(self) -> Scan | None:
        """Return the scan of the screen, once it is read."""
        return self._scan

    @property
    def _is_running(self) -> bool:
        return self._scan is not None and not self._scan.state.is_final

    @property
    def _tab(self) -> str:
        return self.query_one("#scan-tabs", TabbedContent).active.removeprefix("tab-")

    async def _refresh_tab(self) -> Widget | None:
        """Bring up to date what the active tab shows, and return it; meanwhile another tab may become active."""
        shown = await self.query_one(f"#tab-{self._tab}", LazyPane).fill()
        scan = self._scan
        if scan is None:
            return shown  # it is read soon, and shown then
        if isinstance(shown, ScanHosts):
            shown.refresh_data(running=self._is_running, given_up=scan.skipped)
        elif isinstance(shown, ScanServices):
            shown.refresh_data()
        elif isinstance(shown, ScanMap | ScanChanges):
            await shown.refresh_data(scan)
        elif isinstance(shown, TextView) and shown.id == "output":
            await self._show_output(shown, scan)
        elif isinstance(shown, TextView):
            directory = await self.session.services.scans.directory(self.session.actor, self.scan_id)
            stages = await self.session.services.scanning.stages(self.session.actor, self.scan_id)
            shown.show(about(scan, str(directory), stages))
        return shown

    async def _show_output(self, view: TextView, scan: Scan) -> None:
        self._output_at = time.monotonic()
        output = await self.session.services.scans.output(self.session.actor, self.scan_id)
        lines = [TextLine(line) for line in output.splitlines()]
        if not lines and scan.imported:
            lines = [TextLine("An imported scan has no output of its own.", "muted")]
        view.show(lines, follow=True)

    @on(TabbedContent.TabActivated, "#scan-tabs")
    async def _tab_shown(self) -> None:
        shown = await self._refresh_tab()
        if shown is not None and shown.parent is self.query_one(f"#tab-{self._tab}"):
            if isinstance(shown, ScanHosts | ScanServices | ScanMap | ScanChanges):
                shown.focus_content()
            else:
                shown.focus()
        self.refresh_bindings()

    @on(Table.Opened, "#services")
    @on(Table.Opened, "#map")
    @on(Table.Opened, "#changes")
    def _service_opened(self, event: Table.Opened) -> None:
        address = self._host_address
        self.action_tab("hosts")
        self.query_one(ScanHosts).show_address(address)

    @property
    def _host_address(self) -> str:
        """Address of the host under the cursor; empty on tabs without hosts, and before there is one."""
        for widget in self.query_one(f"#tab-{self._tab}", LazyPane).children:
            if isinstance(widget, ScanHosts | ScanServices | ScanMap | ScanChanges):
                return widget.address
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what makes no sense now, hide what the role does not include."""
        needed = self.NEEDS.get(action)
        if needed is not None and not self.session.actor.may(needed):
            return False
        if action in {"stop", "pause"}:
            return self._is_running or None
        if action == "resume":
            return (self._scan is not None and can_go_on(self._scan)) or None
        if action == "skip":
            return (self._is_running and self._tab == "hosts") or None
        if action == "repeat":
            return (self._scan is not None and not self._scan.imported) or None
        if action == "all_hosts":
            return self._tab == "hosts"
        if action in {"scan_host", "capture_host", "show_host"}:
            return self._tab in {"hosts", "services", "map", "changes"}
        return True

    def action_back(self) -> None:
        """Undo the zoom, or go back to the list."""
        if self.has_class("-maximised"):
            self.action_maximise()
        else:
            self.dismiss(None)

    @work(exclusive=True, group="scan-skip", exit_on_error=False)
    async def action_skip(self) -> None:
        """Give up the host under the cursor."""
        address, scan = self._host_address, self._scan
        if not address or scan is None:
            return
        if address in scan.skipped:
            toasts.tell(self.app, f"{address} is given up already: nothing more is asked of it")
        elif self.query_one(ScanHosts).host_is_done:
            toasts.tell(self.app, f"The scan is done with {address}: there is nothing to give up")
        else:
            await ScanActions(self.session, self.app).skip(self.scan_id, address)

    @work(exclusive=True, group="scan-repeat", exit_on_error=False)
    async def action_repeat(self) -> None:
        """Run it again and look at the new scan."""
        scan = await ScanActions(self.session, self.app).repeat(self.scan_id)
        if scan is not None:
            self.app.switch_screen(ScanDetailScreen(self.session, scan.id))

    @work(exclusive=True, group="scan-export", exit_on_error=False)
    async def action_export(self) -> None:
        """Write the scan to a file, or the hosts that are selected, or the map that is looked at."""
        actions = ScanActions(self.session, self.app)
        if self._tab == "map":
            await actions.export_map(self.scan_id)
        else:
            await actions.export(self.scan_id, self.query_one(ScanHosts).selected_addresses)

    def action_scan_host(self) -> None:
        """Scan the host under the cursor."""
        self._ask_frame(ScanAddress(self._host_address))

    def action_capture_host(self) -> None:
        """Capture the packets of the host under the cursor."""
        self._ask_frame(CaptureAddress(self._host_address))

    def action_show_host(self) -> None:
        """Show what all scans know of the host under the cursor."""
        self._ask_frame(ShowHost(self._host_address))

    def _ask_frame(self, request: ScanAddress | CaptureAddress | ShowHost) -> None:
        """Go back to the frame and hand it the request."""
        if request.address:
            frame = self.beneath
            self.dismiss(None)
            frame.post_message(request)

    def action_all_hosts(self) -> None:
        """Show all hosts, or only those that are up."""
        self.query_one(ScanHosts).toggle_all()

    def action_maximise(self) -> None:
        """Give the focused pane the whole screen, or take it back."""
        self.toggle_class("-maximised")
        self.query_one(ScanHosts).show_only_focused(self.has_class("-maximised"))

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self.query_one("#scan-tabs", TabbedContent).active = f"tab-{name}"

    def action_freeze(self) -> None:
        """Stop or continue updating."""
        self.toggle_frozen()
        if self._scan is not None:
            self.query_one(ScanHead).show(self._scan, "frozen" if self.frozen else "")

    def action_help(self) -> None:
        """Show help for this screen."""
        self.app.push_screen(Help(title_of("Scan"), HELP, list(self.active_bindings.values())))


def _content_of(tab: str, session: Session, scan_id: int, address: str, compared_with: int | None) -> Widget:
    """Return what a tab shows."""
    if tab == "hosts":
        return ScanHosts(session, scan_id, address)
    if tab == "services":
        return ScanServices(session, scan_id)
    if tab == "map":
        return ScanMap(session, scan_id)
    if tab == "changes":
        return ScanChangesTab(session, scan_id, compared_with)
    return TextView(id=tab)
