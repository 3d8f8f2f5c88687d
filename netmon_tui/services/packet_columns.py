"""Which columns each user wants in lists of packets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from netmon_tui.domain.packet_columns import PacketColumns, check_columns
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.display_filter import check_by_tshark
from netmon_tui.storage.database import Database
from netmon_tui.storage.packet_column_repository import PacketColumnRepository


class PacketColumnService:
    """Whoever may look at captures may choose, for nobody else.

    Args:
        database: Where choices are kept.
    """

    def __init__(self, database: Database) -> None:
        self._repository = PacketColumnRepository(database)

    async def chosen(self, actor: Actor) -> PacketColumns:
        """Return the actor's columns, or the usual ones."""
        return await asyncio.to_thread(self._repository.chosen, actor) or PacketColumns()

    async def checked(
        self, keys: Sequence[str], *, by_tshark: bool = False, known: Sequence[str] = ()
    ) -> PacketColumns:
        """Return a choice of columns whose fields exist.

        Args:
            keys: Of the columns.
            by_tshark: Protocol and info in Wireshark's words.
            known: Fields that need no asking for: that takes a third of a second.

        Raises:
            InvalidInput: It is none, or there is no such field, in tshark's words.
            ToolMissing: There are fields and no tshark.
        """
        columns = check_columns(keys, by_tshark=by_tshark)
        if new := [field for field in columns.fields if field not in known]:
            try:
                await asyncio.to_thread(check_by_tshark, " || ".join(new))
            except InvalidInput as error:
                raise InvalidInput("there is no such field", why=error.why) from error
        return columns

    async def choose(self, actor: Actor, columns: PacketColumns) -> PacketColumns:
        """Keep the actor's columns and return them; raises as :meth:`checked` does."""
        known = (await self.chosen(actor)).fields
        checked = await self.checked(columns.keys, by_tshark=columns.by_tshark, known=known)
        kept = None if checked == PacketColumns() else checked
        await asyncio.to_thread(self._repository.choose, actor, kept)
        return checked
