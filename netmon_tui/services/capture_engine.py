"""Which program captures: tcpdump where it may, dumpcap where only that one may, and for pcapng."""

from __future__ import annotations

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.errors import InvalidInput, PrivilegeMissing
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

    def _name_for(self, request: StartCapture) -> str:
        """Return the program for a request; InvalidInput when the setting does not let it write the format."""
        if not request.is_pcapng:
            return self.name
        if self._setting == _TCPDUMP:
            raise InvalidInput(
                "tcpdump writes classic pcap only",
                why="captures.engine is tcpdump",
                fix="choose pcap, or set it to auto in the file of: netmon-tui config path",
            )
        return _DUMPCAP

    def require(self, request: StartCapture) -> None:
        """Raise PrivilegeMissing when the program may not open an interface."""
        name = self._name_for(request)
        if self._may[name]:
            return
        if request.is_pcapng:
            raise PrivilegeMissing(
                "pcapng needs dumpcap, which may not open interfaces",
                fix=f"{_FIXES[_DUMPCAP]}; or choose pcap",
            )
        raise PrivilegeMissing(f"capturing needs root or CAP_NET_RAW for {name}", fix=self._fix)

    def command(self, request: StartCapture, capture_filter: str) -> tuple[str, ...]:
        """Return what captures to stdout.

        Raises:
            ToolMissing: The program is not installed.
            InvalidInput: It cannot do what is asked.
        """
        name = self._name_for(request)
        program = require_tool(name)
        if name == _DUMPCAP:
            is_set = self._setting == _DUMPCAP
            return dumpcap.build_command(program, request, capture_filter, is_set=is_set)
        return tcpdump.build_command(program, request, capture_filter)

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
