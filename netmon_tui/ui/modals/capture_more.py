"""What few captures need: length of packets, direction, times, buffer, and other interfaces beside the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Select, Static

from netmon_tui.domain.buffer_size import buffer_text, parse_buffer
from netmon_tui.domain.capture import DEFAULT_SNAPLEN, CaptureFormat, Direction, StartCapture
from netmon_tui.errors import InvalidInput
from netmon_tui.ui.modals.form import SavingForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.widgets.tick import Tick

_DIRECTIONS = {
    Direction.BOTH: "in and out",
    Direction.IN: "only what comes in",
    Direction.OUT: "only what goes out",
}


@dataclass(frozen=True, slots=True)
class RareOptions:
    """What is set there."""

    request: StartCapture
    """Only the fields that are asked for there count."""
    also: tuple[str, ...] = ()
    """Other interfaces to capture on: with a capture each, or as pcapng in the same one."""

    def words(self, usual: StartCapture) -> str:
        """Return what is not as usual, in words."""
        own = self.request
        parts = {
            f"{own.snaplen} bytes of each packet": own.snaplen != usual.snaplen,
            _DIRECTIONS[own.direction]: own.direction is not usual.direction,
            f"buffer {buffer_text(own.buffer_kib)}": own.buffer_kib != usual.buffer_kib,
            "not promiscuous": not own.promiscuous,
            "nanoseconds": own.nanoseconds,
            "immediate": own.immediate,
            "pcapng": own.is_pcapng,
            f"also on {' '.join(self.also)}": bool(self.also),
        }
        return ", ".join(part for part, is_unusual in parts.items() if is_unusual) or "nothing unusual"


class CaptureMore(SavingForm[RareOptions]):
    """Asks for what few captures need; stays open until it is right.

    Args:
        first: What stands in the fields to begin with.
        others: Interfaces besides the one of the capture.
    """

    def __init__(self, first: RareOptions, others: Sequence[str]) -> None:
        super().__init__()
        self._first = first
        self._others = tuple(others)

    def compose(self) -> ComposeResult:
        """Fields, ticks, buttons."""
        request = self._first.request
        with self.box("More of the capture", id="capture-more"):
            with Horizontal(classes="form--row"):
                yield Label("Direction")
                choices = [(content(words), direction) for direction, words in _DIRECTIONS.items()]
                yield Select(
                    choices, value=request.direction, allow_blank=False, id="more-direction", compact=True
                )
            with Horizontal(classes="form--row"):
                yield Label("Per packet")
                snaplen = "" if request.snaplen == DEFAULT_SNAPLEN else str(request.snaplen)
                yield Input(
                    snaplen,
                    placeholder=f"{DEFAULT_SNAPLEN} bytes",
                    id="more-snaplen",
                    compact=True,
                    max_length=6,
                )
            with Horizontal(classes="form--row"):
                yield Label("Buffer")
                buffer = buffer_text(request.buffer_kib).replace(" ", "")
                yield Input(buffer, id="more-buffer", compact=True, max_length=12)
            yield Static("More survives longer stalls without a loss", classes="form--hint")
            yield Tick(
                "Promiscuous: also packets for others", request.promiscuous, id="promiscuous", compact=True
            )
            yield Tick("Times in nanoseconds", request.nanoseconds, id="nanoseconds", compact=True)
            yield Tick(
                "Each packet at once: costs more time", request.immediate, id="immediate", compact=True
            )
            yield Tick(
                "pcapng, by dumpcap: each packet with its interface",
                request.is_pcapng,
                id="pcapng",
                compact=True,
            )
            if self._others:
                yield Static("Also on: as pcapng in the same file, else a capture for each")
            with VerticalScroll(id="more-also", can_focus=False):
                for name in self._others:
                    yield Tick(content(name), name in self._first.also, compact=True, classes="more--also")
            yield Static("", id="more-error", classes="dialog--error")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Take", id="take", variant="primary", compact=True)

    async def save(self) -> RareOptions:
        """Return what the fields say; raises InvalidInput when a number is none."""
        snaplen = self.query_one("#more-snaplen", Input).value.strip()
        if snaplen and not (
            snaplen.isascii() and snaplen.isdecimal() and 1 <= int(snaplen) <= DEFAULT_SNAPLEN
        ):
            raise InvalidInput(
                f"{snaplen!r} is no number of bytes", fix=f"from 1 to {DEFAULT_SNAPLEN}, or nothing"
            )
        direction = self.query_one("#more-direction", Select).value
        request = replace(
            self._first.request,
            direction=direction if isinstance(direction, Direction) else Direction.BOTH,
            snaplen=int(snaplen or DEFAULT_SNAPLEN),
            buffer_kib=parse_buffer(self.query_one("#more-buffer", Input).value),
            promiscuous=self.query_one("#promiscuous", Tick).value,
            nanoseconds=self.query_one("#nanoseconds", Tick).value,
            immediate=self.query_one("#immediate", Tick).value,
            format=CaptureFormat.PCAPNG if self.query_one("#pcapng", Tick).value else CaptureFormat.PCAP,
        )
        ticks = self.query(".more--also").results(Tick)
        also = (name for name, tick in zip(self._others, ticks, strict=True) if tick.value)
        return RareOptions(request, tuple(also))
