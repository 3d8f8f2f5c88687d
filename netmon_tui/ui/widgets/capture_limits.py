"""The fields of a form that say when a capture ends, and when its next file begins."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.byte_size import parse_size, size_within
from netmon_tui.domain.job import Rotation
from netmon_tui.errors import InvalidInput, LimitRefused
from netmon_tui.ui.rendering import content, state_style


class CaptureLimits(Vertical):
    """Two lines of fields, and why what stands there cannot be.

    Args:
        settings: What holds where nothing is typed.
    """

    DEFAULT_CSS = """
    CaptureLimits {
        height: auto;
        Input { width: 10; }
        #files { width: 7; }
        #limits-error { display: none; height: auto; padding-left: 12; color: $text-error; }
        &.-refused #limits-error { display: block; }
    }
    """

    def __init__(self, settings: CaptureSettings) -> None:
        super().__init__()
        self._settings = settings

    def compose(self) -> ComposeResult:
        """Limits, then files."""
        with Horizontal(classes="form--line"):
            yield Label("Stop after", classes="form--label")
            yield from _field("packets", "no limit", 12, "packets")
            yield from _field("seconds", str(self._settings.longest_run_seconds), 9, "seconds")
            yield from _field("size", size_within(self._settings.largest_bytes), 12, "of file")
        with Horizontal(classes="form--line"):
            yield Label("Next file", classes="form--label")
            yield from _field("file-size", "never", 12, "or after")
            yield from _field("file-seconds", "never", 9, "seconds, keep")
            yield from _field("files", "all", 6, "files")
        yield Static("", id="limits-error")

    def tell(self, why: str) -> None:
        """Say under the fields why they are refused; nothing when they are not."""
        self.query_one("#limits-error", Static).update(
            content(f"{state_style('failed').glyph} {why}" if why else "")
        )
        self.set_class(bool(why), "-refused")

    def read(self) -> dict[str, Any]:
        """Return fields of :class:`~netmon_tui.domain.capture.StartCapture`; LimitRefused says what is wrong."""
        try:
            return self._fields()
        except InvalidInput as error:
            raise LimitRefused(error.what, why=error.why, fix=error.fix) from error

    def _fields(self) -> dict[str, Any]:
        return {
            "packets": self._whole("packets", "packets"),
            "seconds": float(self._whole("seconds", "seconds")),
            "size": parse_size(self._text("size")),
            "rotation": Rotation(
                parse_size(self._text("file-size")),
                float(self._whole("file-seconds", "seconds")),
                self._whole("files", "files"),
            ),
        }

    def _text(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()

    def _whole(self, id: str, what: str) -> int:
        text = self._text(id)
        if text and not (text.isascii() and text.isdecimal()):
            raise InvalidInput(f"{text!r} is no number of {what}", fix="digits only, or nothing")
        return int(text or 0)


def _field(id: str, without: str, most: int, unit: str) -> ComposeResult:
    yield Input(placeholder=without, id=id, compact=True, max_length=most)
    yield Label(content(unit), classes="form--unit")
