"""The line at the top: program, machine and privilege; jobs; user and time."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from netmon_tui.domain.counted import counted
from netmon_tui.domain.user import Actor
from netmon_tui.ui.rendering import content


class PrivilegeWord(Static):
    """The privilege word; a click opens the doctor."""

    class Clicked(Message):
        """The doctor is wanted."""

    def on_click(self) -> None:
        """Ask for the doctor."""
        self.post_message(self.Clicked())


class FrameHeader(Horizontal):
    """One line. Each part is painted only when its text changes, so an idle screen sends nothing.

    Args:
        machine: Host name.
        privilege: ``root``, ``cap_net_raw`` or ``unprivileged``.
        actor: Who is logged in.
    """

    def __init__(self, machine: str, privilege: str, actor: Actor) -> None:
        super().__init__(id="frame-header")
        self._machine = machine
        self._privilege = privilege
        self._actor = actor
        self._shown: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Left, middle, right."""
        yield Static(content(f" netmon-tui  {self._machine} · "), id="header-machine")
        yield PrivilegeWord(content(self._privilege), id="header-privilege")
        yield Static("", id="header-jobs")
        yield Static(content(f"{self._actor.name} ({self._actor.role})"), id="header-user")
        yield Static("", id="header-clock")

    def show(self, *, jobs: int, note: str = "") -> None:
        """Show the number of running jobs and a note such as ``frozen``."""
        words = counted(jobs, "job") if jobs else ""
        self._put("header-jobs", " · ".join(part for part in (words, note) if part))

    def show_time(self, clock: str) -> None:
        """Show the time, in five cells and a space."""
        self._put("header-clock", clock)

    def _put(self, id: str, text: str) -> None:
        if self._shown.get(id) != text:
            self._shown[id] = text
            self.query_one(f"#{id}", Static).update(content(text), layout=False)
