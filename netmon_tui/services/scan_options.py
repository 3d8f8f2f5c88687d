"""What the options of a scan can be: switches for a form, and the scripts that are installed beside nmap."""

from __future__ import annotations

import asyncio

from netmon_tui.domain.nse import CATEGORIES, NseScript, ScriptDetail, find_scripts
from netmon_tui.domain.switches import Switch
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.nse_files import installed_scripts, script_detail
from netmon_tui.tools.nmap_script_rules import plain_words, with_word
from netmon_tui.tools.nmap_switches import SWITCHES, switches_of, with_switch


class ScanOptionsService:
    """Tells what nmap can be asked for. Everything here is the same for every user."""

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Every switch of the form, in its order."""
        return SWITCHES

    def switches_of(self, line: str) -> dict[str, str]:
        """Return the value of every switch for a line of options; raises InvalidInput."""
        return switches_of(line)

    def with_switch(self, line: str, key: str, value: str) -> str:
        """Return the line with a switch set, or without it when the value is empty; raises InvalidInput."""
        return with_switch(line, key, value)

    def with_ports(self, line: str, ports: str) -> str:
        """Return the line with ports, also of a set, and no other choice of them; raises InvalidInput."""
        for other in ("-F", "--top-ports", "--port-ratio"):
            line = with_switch(line, other, "")
        return with_switch(line, "-p", ports)

    def with_script(self, value: str, name: str, *, wanted: bool) -> str:
        """Return a value of ``--script`` with a script or category, or without; other rules stay."""
        return with_word(value, name, wanted=wanted)

    def chosen(self, value: str) -> frozenset[str]:
        """Return the scripts and categories that a value of ``--script`` names by themselves."""
        return frozenset(plain_words(value))

    async def scripts(self, word: str = "", category: str = "") -> list[NseScript]:
        """Return the installed scripts by name: those whose name or categories contain a word, of a category.

        Raises:
            InvalidInput: There is no such category.
            ToolMissing: nmap is not installed.
            ToolFailed: Its scripts are not.
        """
        if category and category not in CATEGORIES:
            raise InvalidInput(f"{category} is not a category", fix=f"one of {', '.join(CATEGORIES)}")
        return find_scripts(await asyncio.to_thread(installed_scripts), word, category)

    async def script(self, name: str) -> ScriptDetail:
        """Return a script with its description and arguments; raises NotFound, and as :meth:`scripts`."""
        return await asyncio.to_thread(script_detail, name)
