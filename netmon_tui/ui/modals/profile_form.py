"""A scan profile of one's own: new, as a copy, or changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from netmon_tui.domain.owned import LONGEST_DESCRIPTION, LONGEST_NAME
from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.ui.modals.named_form import Field, NamedForm

LONGEST_OPTIONS = 4_096


class ProfileForm(NamedForm[Profile]):
    """Asks for name, options and description; stays open until they are accepted. Gives what was saved.

    Args:
        title: What happens.
        first: What stands in the fields to begin with.
        save: Saves the profile, shared or not; raises NetmonError when something is refused.
        shared: Whether it is shared to begin with.
    """

    def __init__(
        self,
        title: str,
        first: SaveProfile,
        save: Callable[[SaveProfile, bool], Awaitable[Profile]],
        *,
        shared: bool = False,
    ) -> None:
        fields = (
            Field("Name", first.name, LONGEST_NAME),
            Field("Options", first.arguments, LONGEST_OPTIONS),
            Field("Description", first.description, LONGEST_DESCRIPTION),
        )
        super().__init__(
            title,
            "profile",
            fields,
            lambda texts, is_shared: save(SaveProfile(*texts), is_shared),
            shared=shared,
        )
