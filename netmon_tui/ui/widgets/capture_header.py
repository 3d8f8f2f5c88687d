"""The head of a capture's screen: what it is, how fast it goes, what was lost, how it ended."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Label, Static

from netmon_tui.domain.capture import Capture, CaptureOrigin
from netmon_tui.ui.rendering import ASCII_CLASS, bar, content, duration, rate, size, state_style, thin
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.rate_line import RateHistory, RateMeter

PROTOCOLS = ("tcp", "udp", "icmp", "arp", "other")
_STEP_SECONDS = 1.0
"""Figures change once a second, however often they are known: over SSH every cell costs bytes."""
_LEAST_SECONDS = 1.0
"""What took less has no rate: two packets in a microsecond are not two million a second."""
_COUNT_CELLS, _SHORT_CELLS = 7, 5
"""Room for a protocol's number of packets; larger ones are shortened: ``1.2 M``. And for one that is."""
_NAME_CELLS = 6
"""Room for a protocol's name, with the gap after it."""


class CaptureHeader(Vertical):
    """A few lines of figures in fixed places, each sent only when it changes; how it ended may take more."""

    DEFAULT_CSS = """
    CaptureHeader { height: auto; }
    CaptureHeader Horizontal { height: 1; }
    CaptureHeader .header--ended { display: none; }
    CaptureHeader .header--ended.-ended { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._meter = RateMeter()
        self._history = RateHistory()
        self._stepped = 0.0
        self._state = ""
        self._capture: Capture | None = None

    def compose(self) -> ComposeResult:
        """Lines of figures."""
        with Horizontal():
            yield Figure(id="capture-title")
            yield Figure(id="capture-state")
        with Horizontal():
            yield Label("Packets ")
            yield Figure(id="capture-packets")
            yield Label("Size ", id="capture-bytes-label")
            yield Figure(id="capture-bytes")
            yield Figure(id="capture-rate-label")
            yield Figure(id="capture-rate")
            yield Figure(id="capture-spark")
            yield Label("", classes="header--gap")
            yield Figure(id="capture-elapsed")
        yield Figure(id="capture-counts")
        with Horizontal(id="capture-shares"):
            for name in PROTOCOLS:
                yield Figure(id=f"share-{name}")
        yield Static(id="capture-ended", classes="header--ended")
        yield Figure(id="capture-file", classes="header--ended header--facts")
        yield Figure(id="capture-sha256", classes="header--ended header--facts")

    def show(self, capture: Capture, *, now: float | None = None) -> None:
        """Show a capture; while it runs, at most once a second.

        Args:
            capture: Its latest figures.
            now: Monotonic time in seconds; the present by default.
        """
        now = time.monotonic() if now is None else now
        if capture.state == self._state and now - self._stepped < _STEP_SECONDS:
            return
        self._stepped, self._capture = now, capture
        if capture.state != self._state:
            self._state = capture.state
            self._show_state(capture)
        self._show_figures(capture, now)
        self._show_shares(capture)

    def on_resize(self) -> None:
        """Draw the bars anew once their places have their new widths."""
        if self._capture is not None:
            self.call_after_refresh(self._show_shares, self._capture)

    def show_title(self, capture: Capture) -> None:
        """Show what it is called and is of."""
        is_named = bool(capture.source) and capture.source in capture.name
        origin = (capture.made_of if is_named else capture.lineage) or capture.filter or "all packets"
        parts = (capture.name, capture.interface, origin, " ".join(f"#{tag}" for tag in capture.tags))
        what = " · ".join(part for part in parts if part)
        self._put("capture-title", f"Capture {capture.id} · {what}")

    def show_deleted(self, capture_id: int) -> None:
        """Say that there is no such capture any more, in place of all that was known of it."""
        self._capture = None
        self._put("capture-title", f"Capture {capture_id} was deleted")
        self._put("capture-state", "")
        for line in self.children[1:]:
            line.display = False

    def _show_state(self, capture: Capture) -> None:
        self.show_title(capture)
        look = state_style(capture.state)
        state = self.query_one("#capture-state", Figure)
        state.show(f"{look.label(self._ascii)} · {capture.owner}", look.tone)
        state.styles.width = cell_len(state.text) + 2  # the title has the rest
        # tcpdump writes in blocks: what is counted at once is not all in the file
        words = "Size " if capture.state.is_final else "On disk "
        self.query_one("#capture-bytes-label", Label).update(words)
        is_live = capture.origin is CaptureOrigin.LIVE
        self.query_one("#capture-counts").display = is_live or bool(capture.counters.overwritten)
        self.query_one("#capture-shares").display = is_live
        for line in self.query(".header--ended"):  # not the header, in which everything would be styled anew
            line.set_class(capture.state.is_final, "-ended")
        if capture.state.is_final:
            self._show_end(capture)

    def _show_end(self, capture: Capture) -> None:
        words = f"Ended: {capture.error or capture.end_words or 'ended'}"
        if capture.origin is not CaptureOrigin.LIVE:
            words = f"{f'Damaged: {capture.error}' if capture.error else 'Whole'}, drops unknown"
        ended = self.query_one("#capture-ended", Static)
        ended.update(content(f"{words}{_span(capture)}"))
        ended.set_class(bool(capture.error), "-error")
        if len(capture.packet_files) > 1:
            deleted = (
                f"; {thin(capture.counters.overwritten)} packets were in them"
                if capture.counters.overwritten
                else ""
            )
            self._put("capture-file", f"Files {capture.files_words}{deleted}")
            self._put("capture-sha256", "SHA-256 of each: a")
        elif capture.files:
            file = capture.files[0]
            self._put("capture-file", f"File {file.path}")
            self._put("capture-sha256", f"SHA-256 {file.sha256}")

    def _show_figures(self, capture: Capture, now: float) -> None:
        counters, passed = capture.counters, _seconds(capture)
        self._put("capture-packets", thin(capture.packets))
        self._put("capture-bytes", size(counters.bytes))
        self._put("capture-elapsed", duration(passed))
        lost = self.query_one("#capture-counts", Figure)
        # what captures is asked once a second: until then it knows less than the kernel
        captured = counters.captured if capture.state.is_final or counters.dropped else capture.packets
        words = f"captured {thin(captured)}   received {thin(capture.received)}   dropped 0"
        if counters.dropped:
            # the kernel's counters by protocol have seen what nobody captured, too
            below = ", counted below" if counters.protocols else ""
            dropped = f"dropped {thin(counters.dropped)}{below}: B doubles the buffer"
            words = f"captured {thin(captured)}   {dropped}"
        if capture.origin is not CaptureOrigin.LIVE:
            words = "not captured here: nothing is known of what was dropped"
        if counters.overwritten:
            words += f"   {thin(capture.packets_on_disk)} on disk"
        lost.show(words, "error" if counters.dropped else "muted")
        self._put("capture-rate-label", "Avg rate" if capture.state.is_final else "Rate now")
        if capture.state.is_final:
            is_known = passed >= _LEAST_SECONDS
            self._put("capture-rate", rate(capture.packets_captured / passed) if is_known else "-")
            return
        speed = self._meter.read(counters.packets, now)
        self._history.add(speed)
        self._put("capture-rate", rate(speed))
        spark = self.query_one("#capture-spark", Figure)
        spark.show(self._history.line(spark.size.width, self._ascii))

    def _show_shares(self, capture: Capture) -> None:
        """Show packets per protocol as bars of the total."""
        counted = dict(capture.counters.protocols)
        total = max(capture.counters.packets, sum(counted.values()))
        if not counted:
            if capture.state.is_final:
                for name in PROTOCOLS:
                    self._put(f"share-{name}", "")
            return
        counted["other"] = total - sum(counted.values())
        for name in PROTOCOLS:
            figure, count = self.query_one(f"#share-{name}", Figure), counted.get(name, 0)
            part = count / total if total else 0.0
            figure.show(_share(name, count, part, figure.size.width, self._ascii))

    def _put(self, id: str, text: str) -> None:
        self.query_one(f"#{id}", Figure).show(text)

    @property
    def _ascii(self) -> bool:
        return self.app.has_class(ASCII_CLASS)


def _share(name: str, count: int, part: float, width: int, ascii_only: bool) -> str:
    """Return name, bar and number of a protocol in some cells: the bar gives way first, and no number is cut."""
    words, gap = f"{name} ", 1 if name != PROTOCOLS[-1] else 0
    if width > _NAME_CELLS + 1 + _SHORT_CELLS + 1:
        length = max(1, width - _NAME_CELLS - 1 - _COUNT_CELLS - 1)
        words = f"{name:<5} {bar(part, length, ascii_only)} "
    left = min(width - gap - len(words), _COUNT_CELLS)
    forms = (thin(count), size(count).removesuffix("B").rstrip())
    number = next((form for form in forms if len(form) <= left), "")
    return (words + number)[: max(0, width - gap)]


def _span(capture: Capture) -> str:
    """Return when the first and the last packet came, in local time."""
    if capture.first_packet is None or capture.last_packet is None:
        return " · no packets"
    first, last = capture.first_packet.astimezone(), capture.last_packet.astimezone()
    day = "" if first.date() == last.date() else f"{last:%Y-%m-%d} "
    return f" · packets from {first:%Y-%m-%d} {_clock(first)} to {day}{_clock(last)}"


def _clock(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")[11:23]


def _seconds(capture: Capture) -> float:
    """Return how long it runs or ran."""
    if capture.started is None:
        return 0.0
    return ((capture.finished or datetime.now(UTC)) - capture.started).total_seconds()
