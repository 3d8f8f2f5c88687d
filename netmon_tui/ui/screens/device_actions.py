"""What can be done with devices from the tables and from the page of one: one way for all."""

from __future__ import annotations

from datetime import datetime

from netmon_tui.domain.device import DeviceMarks, MarksChange
from netmon_tui.domain.device_list import DEVICE_FORMATS
from netmon_tui.errors import NetmonError
from netmon_tui.services.readable_files import working_directory
from netmon_tui.ui import toasts
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.device_form import DeviceForm
from netmon_tui.ui.modals.device_import import DeviceImportPreview
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.screens.actions import Actions


class DeviceActions(Actions):
    """What a user does with devices."""

    async def mark(self, lladdr: str) -> bool:
        """Ask what is said about a device and keep it; return whether that was done."""
        service, actor = self._services.segment.devices, self._session.actor

        async def save(change: MarksChange) -> DeviceMarks:
            return await service.mark(actor, lladdr, change)

        saved = None
        with self._reported():
            marks, vendor = await service.marks(actor, lladdr), await service.vendor(actor, lladdr)
            saved = await self._app.push_screen_wait(DeviceForm(marks, vendor, save))
            if saved and (told := await service.not_missed(actor, saved)):
                self._tell(f"Must be up, but {told}")
        return saved is not None

    async def forget(self, lladdr: str, name: str) -> bool:
        """Ask, then forget what is said about a device; return whether that was done."""
        text = f"Name, note and marks of {name or lladdr} are forgotten; when it was seen is kept."
        if not await self._app.push_screen_wait(Confirm(f"Forget {lladdr}", text, verb="Forget")):
            return False
        try:
            await self._services.segment.devices.unmark(self._session.actor, lladdr)
        except NetmonError as error:
            toasts.report(self._app, error)
            return False
        return True

    async def import_list(self) -> bool:
        """Ask for files, show what each would change, and store it; return whether anything was stored."""
        lists, actor, stored = self._services.segment.device_lists, self._session.actor, False
        picker = FilePicker("Import devices (CSV, JSON, ethers, arp.dat)", working_directory())
        for path in await self._app.push_screen_wait(picker) or ():
            with self._reported():
                planned = await lists.import_file(actor, path, dry_run=True)
                if await self._app.push_screen_wait(DeviceImportPreview(path.name, planned)):
                    done = await lists.import_file(actor, path, skip_bad=True)
                    self._tell(f"{path.name}: {done.words}")
                    stored = True
        return stored

    async def export(self, text: str) -> None:
        """Ask for format and file, and write the devices that match a filter."""
        stem = f"devices-{datetime.now():%Y%m%d-%H%M%S}"
        title = f"Export the devices that match {text}" if text else "Export all devices"
        dialog = Export(title, DEVICE_FORMATS, self._services.paths.exports, stem)
        choice = await self._app.push_screen_wait(dialog)
        if choice is None:
            return
        with self._reported():
            path = await self._services.segment.device_lists.export(
                self._session.actor, choice.format, choice.path, text
            )
            self._tell(f"Written: {path}")
