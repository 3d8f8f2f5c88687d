"""The catalogue of captures: files that come in, parts, merges, labels, exports, and what is too old."""

from __future__ import annotations

import asyncio
import os
import pwd
import shlex
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

from netmon_tui.config.files import explain
from netmon_tui.config.paths import find_paths
from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.capture import Capture, CaptureLabels, MadeCapture
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.capture_filter import LONGEST_NAME, LONGEST_NOTE, check_tag
from netmon_tui.domain.checked_file import CheckedFile, Finding
from netmon_tui.domain.schedule import Runner
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime import interfaces
from netmon_tui.runtime.key_log import pass_on_keys
from netmon_tui.security.hostile_text import clean, clean_block
from netmon_tui.services.capture_cutting import check_form, export_chunks, make_merge, make_slice, not_held
from netmon_tui.services.capture_drafts import Draft, Drafts, Room
from netmon_tui.services.capture_import import CaptureImport
from netmon_tui.services.capture_quota import CaptureQuota
from netmon_tui.services.file_damage import missing_from
from netmon_tui.services.lost_files import no_file
from netmon_tui.services.readable_files import reading, require_file
from netmon_tui.services.stopping import Stop, in_thread
from netmon_tui.storage.audit_repository import AuditRepository, NewEvent
from netmon_tui.storage.capture_catalogue import CaptureCatalogue
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.tools.file_set import file_gone, one_file, packet_files, sizes_of

_PLAIN = ExportForm()
_EVERYTHING = PacketChoice()
_SOME_KEYS = "its TLS keys open only connections whose beginning is in it"
_LOOK_SECONDS = 60.0
"""From one look for what is too old to the next: a day more or less is never decided in seconds."""
_LONGEST_DAYS = 36_500
"""More days than that back there is no date."""


class CatalogueService:
    """Makes captures of files and of other captures, and keeps what people say of them.

    Args:
        captures, catalogue, marks, audit: Storage.
        quota: What users may keep.
        settings: The free space that must stay, and how long captures are kept.
        jobs: Directory of the job directories.
        export_whole: Copies the files of a capture as they are, as one, to a new file.
        write_new: Writes a new file from chunks, whole or not at all; blocks.
        environ: Where the SSH session of this program is read from.
    """

    def __init__(
        self,
        captures: CaptureRepository,
        catalogue: CaptureCatalogue,
        marks: PacketMarkRepository,
        audit: AuditRepository,
        quota: CaptureQuota,
        settings: CaptureSettings,
        *,
        jobs: Path,
        export_whole: Callable[[Actor, int, Path], Awaitable[Path]],
        write_new: Callable[[Path, Iterable[bytes]], Path],
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._captures = captures
        self._catalogue = catalogue
        self._marks = marks
        self._audit = audit
        self._quota = quota
        self._keep_days = min(settings.keep_days, _LONGEST_DAYS)
        self._jobs = jobs
        self._drafts = Drafts(jobs, settings.free_space_floor_bytes, catalogue.has_directory)
        self._import = CaptureImport(catalogue, self._drafts)
        self._export_whole = export_whole
        self._write_new = write_new
        self._environ = environ
        self._looked = -_LOOK_SECONDS

    # --- in ---

    async def import_file(self, actor: Actor, path: Path, *, again: bool = False) -> list[Capture]:
        """Store a pcap or pcapng file, packed by gzip or not: a capture for each of its link types.

        Args:
            actor: Whose captures they become.
            path: The file.
            again: Whether a file that is a capture of the actor already becomes one more.

        Raises:
            InvalidInput: It is no capture file, or nothing in it can be read; nothing is stored.
            AlreadyCaptured: It is there already; the error says where.
            NotFound: There is no such file.
            DiskFull, StorageError: As they say; nothing is stored.
        """
        actor.require(Permission.IMPORT)
        ids = await in_thread(partial(self._import_path, actor, path, again))
        return [await self._get(actor, capture_id) for capture_id in ids]

    async def import_stream(
        self, actor: Actor, stream: BinaryIO, name: str, *, again: bool = False
    ) -> list[Capture]:
        """Store what a pipe brings; as :meth:`import_file`."""
        actor.require(Permission.IMPORT)
        ids = await in_thread(partial(self._import_pipe, actor, stream, name, again))
        return [await self._get(actor, capture_id) for capture_id in ids]

    def _room(self, actor: Actor, stop: Stop) -> Room:
        return self._drafts.room(self._quota.allowance(actor), stop)

    def _import_path(self, actor: Actor, path: Path, again: bool, stop: Stop) -> list[int]:
        with reading(str(path)):
            require_file(path)
            size, file = path.stat().st_size, path.open("rb")
        with file:
            room = self._room(actor, stop)
            room.allowance.require(size)  # at once what is known beforehand
            return self._store(actor, file, path.name, room, again)

    def _import_pipe(self, actor: Actor, stream: BinaryIO, name: str, again: bool, stop: Stop) -> list[int]:
        """Keep the stream in a file without a name: it is read twice, and gone whatever happens."""
        room = self._room(actor, stop)
        try:
            with tempfile.TemporaryFile(dir=self._jobs) as spool:
                for piece in _arriving(stream, name, stop):
                    room.spend(len(piece))
                    spool.write(piece)
                spool.flush()
                return self._store(actor, spool, name, self._room(actor, stop), again)
        except OSError as error:
            raise explain(error, self._jobs) from error

    def _store(self, actor: Actor, file: BinaryIO, name: str, room: Room, again: bool) -> list[int]:
        stored = self._import.store(actor, file, name, room, again=again)
        self._quota.tell(actor.user_id)
        return stored

    # --- parts and wholes ---

    async def slice(self, actor: Actor, capture_id: int, choice: PacketChoice, *, name: str = "") -> Capture:
        """Make a capture of some packets of another, which may still run.

        Raises:
            NotFound: No such capture, or it has no file.
            InvalidInput: The choice cannot be understood, or no packet meets it.
            ToolMissing, ToolFailed: A display filter needs tshark.
            DiskFull, StorageError: As they say; nothing is stored.
        """
        actor.require(Permission.CAPTURE)
        capture, path = await self._with_files(actor, capture_id, choice.file)
        name, exact = _checked_name(name), await self._exact(actor, capture_id, choice)

        def make(draft: Draft) -> MadeCapture:
            has_keys = pass_on_keys([path], draft.path) and not choice.everything
            made = make_slice(capture, path, exact, draft, name)
            return _noted(made, missing_from(capture, path), _SOME_KEYS if has_keys else "")

        detail = f"of capture {capture_id}: {choice.words()}"
        made = await in_thread(partial(self._add, actor, make, "capture.slice", detail))
        return await self._get(actor, made)

    async def merge(self, actor: Actor, capture_ids: Sequence[int], *, name: str = "") -> Capture:
        """Make a capture of several that have ended, in time order.

        Raises:
            NotFound: No such capture, or one has no file.
            InvalidInput: One still runs, they have different link types, or there are not at least two.
            DiskFull, StorageError: As they say; nothing is stored.
        """
        actor.require(Permission.CAPTURE)
        wanted = list(dict.fromkeys(capture_ids))
        captures = [await self._with_files(actor, capture_id) for capture_id in wanted]
        running = [str(one.id) for one, _ in captures if not one.state.is_final]
        if running:
            raise InvalidInput(f"capture {' and '.join(running)} still runs", fix="stop it first")
        name = _checked_name(name)

        def make(draft: Draft) -> MadeCapture:
            pass_on_keys((directory for _, directory in captures), draft.path)
            made = make_merge(captures, draft, name)
            return _noted(made, *(missing_from(capture, directory) for capture, directory in captures))

        detail = f"of captures {' '.join(map(str, wanted))}"
        made = await in_thread(partial(self._add, actor, make, "capture.merge", detail))
        return await self._get(actor, made)

    def _add(
        self, actor: Actor, make: Callable[[Draft], MadeCapture], action: str, detail: str, stop: Stop
    ) -> int:
        with self._drafts.open(self._room(actor, stop)) as draft:
            made, event = make(draft), NewEvent(action, actor, "", clean(detail))
            stop.check()
            (capture_id,) = self._catalogue.add(actor, [made], [event])
            draft.is_stored = True
        self._quota.tell(actor.user_id)
        return capture_id

    async def export(
        self,
        actor: Actor,
        capture_id: int,
        path: Path,
        choice: PacketChoice = _EVERYTHING,
        form: ExportForm = _PLAIN,
    ) -> Path:
        """Write packets of a capture to a new file (mode 0600) and return its path.

        Raises:
            NotFound: No such capture, or it has no file.
            InvalidInput: The file exists, the form or the choice cannot be met, or no packet meets it.
            ToolMissing, ToolFailed: A display filter needs tshark.
            DiskFull, StorageError: As they say; nothing is left behind.
        """
        actor.require(Permission.EXPORT)
        check_form(form)
        as_it_is = ExportForm((await self._get(actor, capture_id)).format)
        if choice.everything and form == as_it_is and not await self.missing(actor, capture_id):
            return await self._export_whole(actor, capture_id, path)
        capture, source = await self._with_files(actor, capture_id, choice.file)
        exact = await self._exact(actor, capture_id, choice)

        def write(stop: Stop) -> Path:
            chunks = export_chunks(capture, source, exact, form, stop)
            return self._write_new(path, stop.passing(chunks))

        written = await in_thread(write)
        detail = f"{choice.words()} as {form.format}{', anonymised' if form.anonymise else ''}"
        await asyncio.to_thread(
            self._audit.record, actor, "capture.export", f"capture {capture_id}", clean(detail)
        )
        return written

    async def missing(self, actor: Actor, capture_id: int, file: str = "", into: str = "") -> str:
        """Return what its files, or one of them, have lost since the capture was stored; empty when nothing.

        Args:
            actor: Who asks.
            capture_id: Which capture.
            file: Name of the one of its files; empty for all.
            into: Format of a copy: what that cannot hold is missing there, too.

        Raises:
            NotFound: No such capture, or it has no file.
        """
        capture, path = await self._with_files(actor, capture_id, file)
        lost = await asyncio.to_thread(missing_from, capture, path)
        return "; ".join(filter(None, (lost, not_held(capture, into))))

    async def _exact(self, actor: Actor, capture_id: int, choice: PacketChoice) -> PacketChoice:
        """Return the choice with the marked packets, where those are asked for."""
        if not choice.marked:
            return choice
        marks = await asyncio.to_thread(self._marks.marks, actor, capture_id)
        return replace(choice, marked=False, marks=marks)

    async def _with_files(self, actor: Actor, capture_id: int, file: str = "") -> tuple[Capture, Path]:
        """Return a capture with the path of its directory, or of one of its files."""
        capture = await self._get(actor, capture_id)
        directory = await asyncio.to_thread(self._captures.directory, capture_id)
        path = await asyncio.to_thread(one_file, directory, file) if file else directory
        sizes = await asyncio.to_thread(sizes_of, path)
        if file and not sizes:
            raise file_gone(path.name, await asyncio.to_thread(packet_files, directory))
        if not any(sizes.values()):
            raise no_file(capture, directory)
        return capture, path

    async def _get(self, actor: Actor, capture_id: int) -> Capture:
        return await asyncio.to_thread(self._captures.get, actor, capture_id)

    def hand_over(self, capture: Capture, differing: Collection[CheckedFile] = ()) -> list[str]:
        """Return commands that fetch a capture to another machine, ready to be run there.

        Args:
            capture: The capture.
            differing: Files of it that differ from what was stored: one that is gone cannot be fetched.
        """
        files = capture.packet_files
        missing = {one.file for one in differing if one.finding is Finding.GONE}
        if missing.issuperset(files):
            return []
        session, name = interfaces.ssh_session(self._environ), f"capture-{capture.id}.{capture.format}"
        host = session.server if session else socket.gethostname()
        there = f"{login_name()}@{host}"
        program = f"netmon-tui {_data_option(self._jobs.parent)}"
        stream = f"ssh {there} {program}capture stream {capture.id}"
        place = f"{login_name()}@[{host}]" if ":" in host else there
        return [
            *([f"scp {shlex.quote(f'{place}:{files[0].path}')} {name}"] if len(files) == 1 else []),
            f"ssh -t {there} {program}login",  # what follows has no terminal to ask for a password
            f"{stream} > {name}",
            f"{stream} | wireshark -k -i -",
        ]

    # --- labels ---

    async def label(self, actor: Actor, capture_id: int, labels: CaptureLabels) -> Capture:
        """Change name, note, tags or the mark that keeps a capture; return it as it is then.

        Raises:
            NotFound: No such capture, or not the actor's.
            InvalidInput: A text is too long, or no tag.
        """
        actor.require(Permission.CAPTURE)
        await self._get(actor, capture_id)
        checked = CaptureLabels(
            name=None if labels.name is None else _checked_name(labels.name),
            note=None if labels.note is None else _checked_note(labels.note),
            add_tags=tuple(map(check_tag, labels.add_tags)),
            remove_tags=tuple(map(check_tag, labels.remove_tags)),
            kept=labels.kept,
        )
        event = NewEvent("capture.label", actor, "", _label_words(checked))
        await asyncio.to_thread(self._catalogue.label, capture_id, checked, event)
        return await self._get(actor, capture_id)

    # --- age ---

    async def delete_one_expired(self, _runner: Runner) -> bool:
        """Delete one capture that is older than is kept, if there is one; return whether there was."""
        if not self._keep_days or time.monotonic() - self._looked < _LOOK_SECONDS:
            return False
        before = datetime.now(UTC) - timedelta(days=self._keep_days)
        expired = await asyncio.to_thread(self._catalogue.find_one_older, before)
        if expired is None:
            self._looked = time.monotonic()
            await asyncio.to_thread(self._drafts.clear_away)
            return False
        # the rows first: somebody may have marked it to be kept since it was found
        forget = partial(self._catalogue.delete, expired, before)
        deleted = await asyncio.to_thread(self._drafts.discard, expired.directory, forget)
        await asyncio.to_thread(self._quota.tell, expired.owner_id)
        return deleted


def _arriving(stream: BinaryIO, name: str, stop: Stop) -> Iterator[bytes]:
    with reading(name):
        yield from stop.arriving(stream)


def _data_option(data: Path) -> str:
    """Return the option that names our data directory to whoever logs in afresh; quoted for two shells."""
    if data == find_paths(environ={}).data:
        return ""
    return f"--data-dir {shlex.quote(shlex.quote(str(data)))} "


def _noted(made: MadeCapture, *notes: str) -> MadeCapture:
    return replace(made, note=clean("; ".join(filter(None, notes)), LONGEST_NOTE))


def login_name() -> str:
    """Return the name of the system's user that this program runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _checked_name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise InvalidInput("the name is too long", why=f"{len(text)} characters, {LONGEST_NAME} are possible")
    return clean(text.strip(), LONGEST_NAME)


def _checked_note(text: str) -> str:
    if len(text) > LONGEST_NOTE:
        raise InvalidInput("the note is too long", why=f"{len(text)} characters, {LONGEST_NOTE} are possible")
    return clean_block(text.strip(), LONGEST_NOTE)


def _label_words(labels: CaptureLabels) -> str:
    """Return what changed, for the audit trail."""
    words = [] if labels.name is None else [f"name {labels.name!r}"]
    words += [] if labels.note is None else ["note"]
    words += [f"+{tag}" for tag in labels.add_tags] + [f"-{tag}" for tag in labels.remove_tags]
    words += [] if labels.kept is None else ["kept" if labels.kept else "no longer kept"]
    return ", ".join(words)
