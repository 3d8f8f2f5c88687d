"""What the options of a scan can be: the scripts that are installed beside nmap."""

from __future__ import annotations

import asyncio

from netmon_tui.domain.nse import CATEGORIES, NseScript, ScriptDetail, find_scripts
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.nse_files import installed_scripts, script_detail


class ScanOptionsService:
    """Tells what nmap can be asked for. Everything here is the same for every user."""

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
