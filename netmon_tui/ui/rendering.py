"""How values become text on the screen, and the only ways for foreign text into a widget.

``content`` and ``content_block`` (Textual) and ``text`` (Rich, for trees and logs) pass the gate and take the
result literally: no markup, no escape sequence. A plain ``str`` handed to a widget would be read as markup,
which can run actions of the application; a test refuses that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from rich.text import Text
from textual.content import Content

from netmon_tui.domain.comparison import Severity
from netmon_tui.security.hostile_text import BLOCK_LIMIT, CELL_LIMIT, clean, clean_block

Tone = Literal["", "success", "warning", "error", "accent", "muted", "strong"]
"""Meaning of a colour. The table knows each as the component class ``table--<tone>``."""

SEVERITY_TONES: dict[Severity, Tone] = {
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "accent",
    Severity.INFO: "muted",
}
ASCII_CLASS = "-ascii"
"""Class of the App on terminals that cannot draw more than ASCII."""

_UNITS = ("", "k", "M", "G", "T", "P", "E")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_JUST_NOW = timedelta(seconds=10)
"""More than what passes between reading a table and showing it, on a slow machine too."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def content(value: object, limit: int = CELL_LIMIT) -> Content:
    """Return a foreign value as one literal line for a Textual widget, title, tooltip or option."""
    return Content(clean(value, limit))


def content_block(value: object, limit: int = BLOCK_LIMIT) -> Content:
    """Return a foreign value as literal lines for a Textual widget."""
    return Content(clean_block(value, limit))


def text(value: object, limit: int = CELL_LIMIT) -> Text:
    """Return a foreign value as one literal line for what draws with Rich: Tree, RichLog."""
    return Text(clean(value, limit), no_wrap=True)


def thin(number: int) -> str:
    """Return a number in groups of three: ``1 204 331``."""
    return f"{number:,}".replace(",", " ")


def size(count: float) -> str:
    """Return a number of bytes with a decimal unit: ``64 B``, ``9.6 kB``, ``961 MB``."""
    return _scaled(count, " ") + "B"


def rate(per_second: float, unit: str = "p/s") -> str:
    """Return a rate with a decimal unit: ``12.1 kp/s``."""
    return _scaled(per_second, " ", places=1) + unit


def _scaled(value: float, gap: str, places: int = 0) -> str:
    """Return three figures or so and the prefix of the unit."""
    step = 0
    while abs(value) >= 999.5 and step < len(_UNITS) - 1:
        value, step = value / 1000, step + 1
    decimals = 1 if step and (places or abs(value) < 9.95) else 0
    return f"{value:.{decimals}f}{gap}{_UNITS[step]}"


def age(seconds: float) -> str:
    """Return how long ago, short: ``2s``, ``71s``, ``3m``, ``2h``, ``4d``; a negative age is ``0s``."""
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE}m"
    return f"{whole // _HOUR}h" if whole < 2 * _DAY else f"{whole // _DAY}d"


def duration(seconds: float) -> str:
    """Return a time span as hours, minutes and seconds: ``0:02:13``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def when(moment: datetime, now: datetime) -> str:
    """Return local time, as short as ``now`` allows: ``14:02``, ``Fri``, ``Nov 3``, ``2023-11-03``.

    Both must know their zone.
    """
    local, today = moment.astimezone(), now.astimezone()
    days = today.date() - local.date()
    if not days:
        return f"{local:%H:%M}"
    if timedelta(0) < days < timedelta(days=7):
        return f"{local:%a}"
    return f"{local:%b} {local.day}" if local.year == today.year else f"{local:%Y-%m-%d}"


def seen_last(moment: datetime, now: datetime, form: str) -> str:
    """Return local time in a form of strftime, or ``now`` for who was heard from just now."""
    return "now" if abs(now - moment) < _JUST_NOW else moment.astimezone().strftime(form)


def bar(fraction: float, width: int, ascii_only: bool = False) -> str:
    """Return a horizontal bar of exactly ``width`` cells; ``fraction`` is held between 0 and 1."""
    held = min(1.0, max(0.0, fraction))
    if ascii_only:
        return ("#" * round(held * width)).ljust(width, ".")
    full, part = divmod(round(held * width * 8), 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state is drawn: a glyph, the word and a tone, so that it is never colour alone."""

    word: str
    glyph: str
    ascii_glyph: str
    tone: Tone

    def label(self, ascii_only: bool = False) -> str:
        """Return glyph and word: ``✓ done``."""
        return f"{self.ascii_glyph if ascii_only else self.glyph} {self.word}"


_RUNNING: tuple[str, str, Tone] = ("▶", ">", "accent")
_GOOD: tuple[str, str, Tone] = ("✓", "+", "success")
_LIVE: tuple[str, str, Tone] = ("●", "*", "success")
_BAD: tuple[str, str, Tone] = ("✗", "x", "error")
_DOUBT: tuple[str, str, Tone] = ("!", "!", "warning")
_HALF: tuple[str, str, Tone] = ("◐", "~", "warning")
_IDLE: tuple[str, str, Tone] = ("○", "o", "muted")
_PENDING: tuple[str, str, Tone] = ("·", ".", "muted")

_LOOKS: dict[str, tuple[str, str, Tone]] = {
    **dict.fromkeys(("running", "new", "back"), _RUNNING),
    **dict.fromkeys(("done", "ok", "success", "permanent", "approved"), _GOOD),
    **dict.fromkeys(("up", "open", "reachable", "active", "present"), _LIVE),
    **dict.fromkeys(("failed", "down", "error", "fail", "incomplete", "duplicate", "disabled"), _BAD),
    **dict.fromkeys(("interrupted", "changed", "flip_flop", "gateway_changed", "warn", "locked"), _DOUBT),
    **dict.fromkeys(
        ("delay", "probe", "open|filtered", "unfiltered", "partial", "given up", "paused"), _HALF
    ),
    **dict.fromkeys(
        ("stale", "closed", "cancelled", "gone", "noarp", "unknown", "undone", "away", "quiet", "replaced"),
        _IDLE,
    ),
    **dict.fromkeys(("queued", "none", "filtered", "closed|filtered", "pending"), _PENDING),
}
_WORDS = {"completed": "done", "flip_flop": "flip-flop", "gateway_changed": "gateway changed"}


def state_style(state: str) -> StateLook:
    """Return how a state of a job, port, host, neighbour or account is drawn; an unknown one gets a dot."""
    word = clean(_WORDS.get(state, state), 40)
    glyph, ascii_glyph, tone = _LOOKS.get(word.lower(), _LOOKS.get(state.lower(), _PENDING))
    return StateLook(word, glyph, ascii_glyph, tone)
