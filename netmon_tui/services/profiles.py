"""Scan profiles: Zenmap's, which stay as they are, the user's own, and those that others share."""

from __future__ import annotations

from netmon_tui.domain.owned import LONGEST_DESCRIPTION
from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import plain_line
from netmon_tui.services.keeping import KeepingService, checked_name
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.profile_repository import ProfileRepository
from netmon_tui.tools.kept_file import KeptFile
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_profiles import PROFILES, is_built_in_name

PROFILE_FILE = KeptFile("profile", ("name", "arguments", "description"))


class ProfileService(KeepingService[Profile, SaveProfile]):
    """Profiles for scans. Everybody sees Zenmap's, their own and those that are shared.

    Args:
        profiles, audit: Storage.
    """

    def __init__(self, profiles: ProfileRepository, audit: AuditRepository) -> None:
        super().__init__(profiles, audit, PROFILE_FILE, PROFILES)

    def _checked(self, new: SaveProfile) -> SaveProfile:
        """Return what is stored: the name in normal form, the options in canonical form."""
        name = checked_name(new.name, "profile")
        if is_built_in_name(name):
            raise InvalidInput(f"{name} is one of Zenmap's profiles", fix="choose another name")
        description = plain_line("the description", new.description, LONGEST_DESCRIPTION)
        return SaveProfile(name, parse_options(new.arguments.strip()).line, description)

    def _new(self, *texts: str) -> SaveProfile:
        return SaveProfile(*texts)

    def _texts(self, kept: Profile) -> tuple[str, ...]:
        return kept.name, kept.arguments, kept.description
