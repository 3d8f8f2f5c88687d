"""Which program captures: tcpdump where it may, dumpcap where only that one may."""

from __future__ import annotations

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.errors import PrivilegeMissing
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.runtime.tool_paths import require_tool
from netmon_tui.tools import dumpcap, tcpdump

_AUTO, _TCPDUMP, _DUMPCAP = "auto", "tcpdump", "dumpcap"
_FIXES = {
    _TCPDUMP: "run as root, or: sudo setcap cap_net_raw,cap_net_admin+eip $(command -v tcpdump)",
    _DUMPCAP: "sudo dpkg-reconfigure wireshark-common; sudo usermod -aG wireshark $USER; then log in anew",
}


class CaptureEngine:
    """The program that captures, by the setting and by what it may.

    Args:
        setting: ``auto``, ``tcpdump`` or ``dumpcap``.
        privilege: What this process and its tools may do.
    """

    def __init__(self, setting: str, privilege: Privilege) -> None:
        self._setting = setting
        self._may = {_TCPDUMP: privilege.can_capture, _DUMPCAP: privilege.can_capture_by_dumpcap}

    @property
    def name(self) -> str:
        """Name of the program."""
        if self._setting != _AUTO:
            return self._setting
        return _DUMPCAP if self._may[_DUMPCAP] and not self._may[_TCPDUMP] else _TCPDUMP

    def require(self) -> None:
        """Raise PrivilegeMissing when the program may not open an interface."""
        if not self._may[self.name]:
            raise PrivilegeMissing(f"capturing needs root or CAP_NET_RAW for {self.name}", fix=self._fix)

    def command(self, request: StartCapture, capture_filter: str) -> tuple[str, ...]:
        """Return what captures to stdout.

        Raises:
            ToolMissing: The program is not installed.
            InvalidInput: It cannot do what is asked.
        """
        build = dumpcap.build_command if self.name == _DUMPCAP else tcpdump.build_command
        return build(require_tool(self.name), request, capture_filter)

    def check(self) -> Check:
        """Return the doctor's line: which program captures, and why."""
        name = self.name
        if not self._may[name]:
            told = f"{name} may not open interfaces"
            return Check("captures", CheckStatus.WARN, told, self._fix, 4)
        why = f"captures.engine = {name}"
        if self._setting == _AUTO:
            why = "tcpdump may not open interfaces" if name == _DUMPCAP else "it may open interfaces"
        return Check("captures", CheckStatus.OK, f"by {name}: {why}")

    @property
    def _fix(self) -> str:
        fixes = [_FIXES[self.name]] if self._setting != _AUTO else _FIXES.values()
        return "; or: ".join(fixes)
