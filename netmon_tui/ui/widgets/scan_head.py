"""The two lines above an open scan: what and how it stands; bar, progress and counts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import Scan
from netmon_tui.ui.rendering import ASCII_CLASS, bar, content, state_style, thin
from netmon_tui.ui.widgets.scan_words import progress, what

BAR_CELLS = 16


class ScanHead(Vertical):
    """Shows one scan. Each part is painted only when its text changes."""

    DEFAULT_CSS = """
    ScanHead {
        height: 2;
        Horizontal { height: 1; }
        #scan-title { width: 1fr; }
        #scan-state { width: 16; }
        #scan-bar { width: 17; }
        #scan-progress { width: 1fr; }
        #scan-counts { width: 28; text-align: right; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="scan-head")
        self._shown: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Two lines of narrow parts."""
        with Horizontal():
            yield Static("", id="scan-title")
            yield Static("", id="scan-state")
        with Horizontal():
            yield Static("", id="scan-bar")
            yield Static("", id="scan-progress")
            yield Static("", id="scan-counts")

    def show(self, scan: Scan, note: str = "") -> None:
        """Show the scan as it stands, and a note such as ``frozen``."""
        ascii_only = self.app.has_class(ASCII_CLASS)
        look = state_style(scan.state)
        running = scan.state in (JobState.RUNNING, JobState.PAUSED)
        title = (f"{scan.id}", what(scan), scan.profile, note)
        self._put("scan-title", " " + "  ".join(part for part in title if part))
        self._put("scan-state", look.label(ascii_only))
        for tone in ("success", "warning", "error", "accent", "muted"):
            self.query_one("#scan-state").set_class(tone == look.tone, f"-{tone}")
        self._put("scan-bar", " " + bar(scan.percent / 100, BAR_CELLS, ascii_only) if running else "")
        self.query_one("#scan-bar").display = running
        self._put("scan-progress", " " + progress(scan))
        self._put("scan-counts", f"{thin(scan.hosts_up)} up  {thin(scan.ports_open)} open ")

    def _put(self, id: str, text: str) -> None:
        if self._shown.get(id) != text:
            self._shown[id] = text
            line: Content = content(text)
            self.query_one(f"#{id}", Static).update(line, layout=False)
