"""Scan profiles: Zenmap's, which stay as they are, the user's own, and those that others share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from netmon_tui.domain.profile import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    OWNER_MARK,
    Profile,
    SaveProfile,
    name_key,
)
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.security.hostile_text import clean, plain_line
from netmon_tui.services.transfers import write_new
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.profile_repository import ProfileRepository
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_profiles import PROFILES, find_profile, is_built_in_name
from netmon_tui.tools.profile_file import LARGEST_FILE, read_profiles, write_profiles


class ProfileService:
    """Profiles for scans. Everybody sees Zenmap's, their own and those that are shared.

    Args:
        profiles, audit: Storage.
    """

    def __init__(self, profiles: ProfileRepository, audit: AuditRepository) -> None:
        self._profiles = profiles
        self._audit = audit

    async def usable(self, actor: Actor) -> tuple[Profile, ...]:
        """Return Zenmap's profiles, then the actor's own, then those that others share."""
        return (*PROFILES, *await asyncio.to_thread(self._profiles.usable, actor))

    async def find(self, actor: Actor, reference: str) -> Profile:
        """Return the profile that the actor means by a name, or by ``OWNER/NAME`` for another's.

        Raises:
            InvalidInput: The actor can use none of that name, or several.
        """
        return find_profile(reference, await self.usable(actor), actor)

    async def create(self, actor: Actor, new: SaveProfile, *, shared: bool = False) -> Profile:
        """Keep options under a name.

        Raises:
            InvalidInput: The name is taken or no name, or the options are such as a scan would refuse.
            NotAllowed: The actor may not scan.
        """
        actor.require(Permission.SCAN)
        return await asyncio.to_thread(self._profiles.create, actor, _checked(new), shared=shared)

    async def copy(self, actor: Actor, reference: str, name: str) -> Profile:
        """Make a profile of the actor that is like another one, also one of Zenmap's; raises as create and find."""
        found = await self.find(actor, reference)
        return await self.create(actor, SaveProfile(name, found.arguments, found.description))

    async def change(self, actor: Actor, profile: Profile, new: SaveProfile) -> Profile:
        """Give a profile another name, options and description; scans that were made with it stay as they are.

        Raises:
            InvalidInput: As :meth:`create`.
            NotAllowed: It is another's, or the actor may not scan.
            NotFound: There is none, or it is not the actor's to see.
        """
        current = await self._changeable(actor, profile)
        return await asyncio.to_thread(self._profiles.change, actor, current, _checked(new))

    async def share(self, actor: Actor, profile: Profile, *, shared: bool) -> Profile:
        """Let everybody see and use a profile, or no longer; raises NotAllowed and NotFound as :meth:`change`."""
        current = await self._changeable(actor, profile)
        return await asyncio.to_thread(self._profiles.share, actor, current, shared=shared)

    async def delete(self, actor: Actor, profile: Profile) -> None:
        """Delete a profile; raises NotAllowed and NotFound as :meth:`change`."""
        current = await self._changeable(actor, profile)
        await asyncio.to_thread(self._profiles.delete, actor, current)

    async def _changeable(self, actor: Actor, profile: Profile) -> Profile:
        """Return a profile as it is now, if the actor may change it."""
        actor.require(Permission.SCAN)
        if profile.id is not None:
            profile = await asyncio.to_thread(self._profiles.get, actor, profile.id)
        if not profile.is_changed_by(actor):
            raise NotAllowed(
                f"{profile.name} is a profile of {profile.owner}", fix="copy it and change the copy"
            )
        return profile

    # files

    async def export(self, actor: Actor, references: Sequence[str] = ()) -> bytes:
        """Return profiles as TOML: those that are named, or all the actor's own.

        Raises:
            InvalidInput: There is nothing to export, one is Zenmap's, or two have the same name.
            NotAllowed: The actor may not export.
        """
        actor.require(Permission.EXPORT)
        usable = await self.usable(actor)
        chosen = [find_profile(reference, usable, actor) for reference in references]
        if not references:
            chosen = [profile for profile in usable if profile.owner_id == actor.user_id]
        _require_importable(chosen)
        subject = f"{len(chosen)} profile{'' if len(chosen) == 1 else 's'}"
        await asyncio.to_thread(self._audit.record, actor, "profile.export", subject)
        return write_profiles(SaveProfile(p.name, p.arguments, p.description) for p in chosen).encode()

    async def export_file(self, actor: Actor, path: Path, references: Sequence[str] = ()) -> Path:
        """Write profiles to a new file (mode 0600) and return its path; as :meth:`export`."""
        return await asyncio.to_thread(write_new, path, [await self.export(actor, references)])

    async def import_file(self, actor: Actor, path: Path, *, replace: bool = False) -> list[Profile]:
        """Store all profiles of a TOML file as the actor's own, or none.

        Args:
            actor: Whose they become.
            path: The file, as :meth:`export` writes it.
            replace: Whether profiles that the actor has under the same names are changed.

        Raises:
            InvalidInput: The file or an entry is refused; the error names the entry and says why.
            NotAllowed: The actor may not scan.
            NotFound: There is no such file.
        """
        actor.require(Permission.SCAN)
        return await asyncio.to_thread(self._import, actor, path, replace)

    def _import(self, actor: Actor, path: Path, replace: bool) -> list[Profile]:
        entries = _all_checked(read_profiles(_read(path)))
        return self._profiles.import_all(actor, entries, replace=replace)


def _checked(new: SaveProfile) -> SaveProfile:
    """Return what is stored: the name in normal form, the options in canonical form."""
    name = plain_line("the name", new.name, LONGEST_NAME)
    if not name:
        raise InvalidInput("a profile needs a name")
    if OWNER_MARK in name:
        raise InvalidInput(f"the name has a {OWNER_MARK}", why="it stands between owner and name")
    if is_built_in_name(name):
        raise InvalidInput(f"{name} is one of Zenmap's profiles", fix="choose another name")
    description = plain_line("the description", new.description, LONGEST_DESCRIPTION)
    return SaveProfile(name, parse_options(new.arguments.strip()).line, description)


def _all_checked(entries: Sequence[SaveProfile]) -> list[SaveProfile]:
    """Return the entries of a file as they are stored; a refusal names the entry by position and name."""
    checked: dict[str, SaveProfile] = {}
    for number, entry in enumerate(entries, 1):
        try:
            profile = _checked(entry)
            if name_key(profile.name) in checked:
                raise InvalidInput("another profile of the file has that name")
        except InvalidInput as error:
            what = f"profile {number}, {clean(entry.name, LONGEST_NAME)!r}, is refused"
            why = f"{error.what}: {error.why}" if error.why else error.what
            raise InvalidInput(what, why=why, fix=error.fix) from None
        checked[name_key(profile.name)] = profile
    return list(checked.values())


def _require_importable(chosen: Sequence[Profile]) -> None:
    """Refuse to write a file that an import would refuse."""
    if not chosen:
        raise InvalidInput("you have no profiles of your own", fix="name those of others, as OWNER/NAME")
    seen: set[str] = set()
    for profile in chosen:
        if profile.is_built_in:
            raise InvalidInput(f"{profile.name} is one of Zenmap's profiles", why="everybody has it")
        if name_key(profile.name) in seen:
            raise InvalidInput(f"two of the profiles are called {profile.name}", fix="export them one by one")
        seen.add(name_key(profile.name))


def _read(path: Path) -> bytes:
    """Return a file, or as much of it as shows that it is too large."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}", why=error.strerror or "") from error
