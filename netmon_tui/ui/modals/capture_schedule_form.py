"""A schedule of captures: what is captured again and again, how long, and when."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.widgets import Static

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.owned import LONGEST_NAME
from netmon_tui.domain.schedule import SaveSchedule, Schedule, limit_words
from netmon_tui.errors import InvalidInput
from netmon_tui.ui.modals.times_form import TimesForm
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session

_LONGEST_FILTER = 1024


class CaptureScheduleForm(TimesForm):
    """Asks for name, filter, length and times; the rest is as in the form of a capture.

    Args:
        session, first, changed: As of the base.
        asked: What is captured.
    """

    def __init__(
        self, session: Session, first: SaveSchedule, asked: StartCapture, changed: Schedule | None = None
    ) -> None:
        super().__init__(session, first, changed)
        self._asked = asked

    def compose(self) -> ComposeResult:
        """Fields, run times, buttons."""
        asked = self._asked
        with self.box("Schedule of captures", id="schedule-form"):
            yield from self.labelled("Name", "schedule-name", self._first.name, LONGEST_NAME)
            others = limit_words(replace(asked, seconds=0.0))
            told = f"on {asked.interface}" + (f", at most {others}" if others else "")
            yield Static(content(told), classes="form--hint")
            yield from self.labelled(
                "Filter", "schedule-filter", asked.filter, _LONGEST_FILTER, "all packets"
            )
            seconds = f"{asked.seconds:g}" if asked.seconds else ""
            empty = "no limit" if others else "how long, such as 600"
            yield from self.labelled("Seconds", "schedule-seconds", seconds, 9, empty)
            yield from self.times()
            yield from self.buttons()

    def request(self) -> SaveSchedule:
        """Return what the fields say; raises InvalidInput when the seconds or the times are none."""
        seconds = self.typed("schedule-seconds").strip()
        if seconds and not (seconds.isascii() and seconds.isdecimal()):
            raise InvalidInput(f"{seconds!r} is no number of seconds", fix="digits only, or nothing")
        asked = replace(
            self._asked, filter=self.typed("schedule-filter").strip(), seconds=float(seconds or 0)
        )
        return replace(
            self._first,
            name=self.typed("schedule-name"),
            when=self.when(),
            catch_up=self.catches_up,
            capture=asked,
        )
