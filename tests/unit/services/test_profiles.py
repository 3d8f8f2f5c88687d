"""The users' own scan profiles: names, options, whose they are, and what is written down about them."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.job import JobState
from netmon_tui.domain.profile import Profile, SaveProfile
from netmon_tui.domain.scan import StartScan
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.profiles import ProfileService
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.tools.nmap_arguments import parse_options
from netmon_tui.tools.nmap_profiles import PROFILES
from tests.unit.services.conftest import USERS

NIGHT = SaveProfile("Night", "-sn  -T2", "Slow.")
needs_nmap = pytest.mark.skipif(find_tool("nmap") is None, reason="nmap is not installed")


class House:
    """Services with an administrator, two operators and a viewer."""

    def __init__(self, services: Services, ada: Actor, bo: Actor, cy: Actor, eve: Actor) -> None:
        self.services, self.ada, self.bo, self.cy, self.eve = services, ada, bo, cy, eve
        self.profiles: ProfileService = services.profiles

    async def names(self, actor: Actor) -> list[str]:
        """What the actor may use besides Zenmap's, as the actor names it."""
        return [p.reference_for(actor) for p in await self.profiles.usable(actor) if not p.is_built_in]

    def trail(self) -> list[tuple[str, str, str, str]]:
        """What was written down about profiles, oldest first."""
        events = AuditRepository(self.services.database).find(Window(sort="id"))
        return [(e.action, e.actor, e.subject, e.detail) for e in events if e.action.startswith("profile.")]


@pytest.fixture
async def house(data_of_four: Path, tmp_path: Path) -> AsyncIterator[House]:
    shutil.copytree(data_of_four, tmp_path / "data")
    settings, paths = load_settings(environ={}), find_paths(data_dir=tmp_path / "data")
    services = await asyncio.to_thread(open_services, settings, paths)
    actors = (Actor(number, name, role) for number, (name, role) in enumerate(USERS.items(), 1))
    yield House(services, *actors)
    await services.close()


# --- whose they are ---------------------------------------------------------------------------------


async def test_a_profile_is_kept_in_canonical_form_and_seen_by_its_owner_alone(house: House) -> None:
    made = await house.profiles.create(house.bo, SaveProfile(" Night ", "-sn  -T2 ", " Slow. "))
    assert made == Profile("Night", "-sn -T2", "Slow.", made.id, house.bo.user_id, "bo", shared=False)
    assert await house.profiles.usable(house.bo) == (*PROFILES, made)
    for other in (house.ada, house.cy, house.eve):
        assert await house.profiles.usable(other) == PROFILES
        with pytest.raises(InvalidInput, match="no profile"):
            await house.profiles.find(other, "bo/Night")


async def test_another_who_knows_the_number_of_a_private_profile_finds_none(house: House) -> None:
    made = await house.profiles.create(house.bo, NIGHT)
    for other in (house.ada, house.cy):
        with pytest.raises(NotFound):
            await house.profiles.change(other, made, NIGHT)
        with pytest.raises(NotFound):
            await house.profiles.share(other, made, shared=True)
        with pytest.raises(NotFound):
            await house.profiles.delete(other, made)
    assert await house.names(house.bo) == ["Night"]


async def test_a_shared_profile_is_used_by_all_and_changed_by_its_owner_and_administrators(
    house: House,
) -> None:
    made = await house.profiles.create(house.bo, NIGHT, shared=True)
    for other in (house.ada, house.cy, house.eve):
        assert await house.names(other) == ["bo/Night"]
        assert await house.profiles.find(other, "night") == made
    for other in (house.cy, house.eve):
        with pytest.raises(NotAllowed):
            await house.profiles.change(other, made, NIGHT)
        with pytest.raises(NotAllowed):
            await house.profiles.share(other, made, shared=False)
        with pytest.raises(NotAllowed):
            await house.profiles.delete(other, made)
    changed = await house.profiles.change(house.ada, made, SaveProfile("Day", "-F"))
    assert (changed.owner, changed.name, changed.arguments, changed.shared) == ("bo", "Day", "-F", True)
    await house.profiles.share(house.bo, made, shared=False)
    assert await house.names(house.cy) == []
    await house.profiles.delete(house.bo, made)
    assert await house.names(house.bo) == []
    with pytest.raises(NotFound):
        await house.profiles.delete(house.bo, made)


async def test_who_says_that_another_ones_profile_is_theirs_is_not_believed(house: House) -> None:
    made = await house.profiles.create(house.bo, NIGHT, shared=True)
    forged = Profile(made.name, made.arguments, made.description, made.id, house.cy.user_id, "cy")
    with pytest.raises(NotAllowed):
        await house.profiles.delete(house.cy, forged)


async def test_a_viewer_has_no_profiles_of_their_own(house: House) -> None:
    with pytest.raises(NotAllowed):
        await house.profiles.create(house.eve, NIGHT)
    with pytest.raises(NotAllowed):
        await house.profiles.copy(house.eve, "Ping scan", "Mine")
    with pytest.raises(NotAllowed):
        await house.profiles.import_file(house.eve, Path("/nowhere"))


async def test_zenmaps_are_copied_but_not_changed(house: House) -> None:
    ping = await house.profiles.find(house.ada, "ping scan")
    for change in (
        house.profiles.change(house.ada, ping, NIGHT),
        house.profiles.share(house.ada, ping, shared=False),
        house.profiles.delete(house.ada, ping),
    ):
        with pytest.raises(NotAllowed):
            await change
    copied = await house.profiles.copy(house.ada, "ping scan", "Ping of mine")
    assert (copied.arguments, copied.owner, copied.shared) == (ping.arguments, "ada", False)
    assert (await house.profiles.copy(house.cy, "regular SCAN", "Plain")).arguments == ""


async def test_every_change_is_written_down(house: House) -> None:
    made = await house.profiles.create(house.bo, NIGHT, shared=True)
    await house.profiles.change(house.ada, made, SaveProfile("Day", "-F"))
    await house.profiles.share(house.bo, made, shared=False)
    await house.profiles.delete(house.bo, made)
    subject = f"profile {made.id}"
    assert house.trail() == [
        ("profile.create", "bo", subject, "Night: -sn -T2"),
        ("profile.share", "bo", subject, "Night: shared"),
        ("profile.change", "ada", subject, "Day: -F"),
        ("profile.share", "bo", subject, "Day: no longer shared"),
        ("profile.delete", "bo", subject, "Day"),
    ]


# --- names and options ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["", "  ", "x" * 65, "quick SCAN", "a/b", "a\nb", "a\x1b[31m", "\u202egnp", "a\x00", "a\u200bb", "a\ud800",
     "z\u0301\u0301\u0301\u0301\u0301", "a\u00a0b"],
    ids=ascii,
)  # fmt: skip
async def test_what_is_no_name_is_refused(house: House, name: str) -> None:
    with pytest.raises(InvalidInput):
        await house.profiles.create(house.bo, SaveProfile(name, "-F"))
    assert await house.names(house.bo) == []
    assert house.trail() == []


@pytest.mark.parametrize(
    "description", ["x" * 201, "a\nb", "\x1b]0;owned\x07"], ids=lambda text: ascii(text[:9])
)
async def test_what_is_no_description_is_refused(house: House, description: str) -> None:
    with pytest.raises(InvalidInput, match="the description"):
        await house.profiles.create(house.bo, SaveProfile("Night", "-F", description))


@pytest.mark.parametrize("name", ["Büro", "[@click=app.quit]x", "=1+1", "夜間", "-oN", "x" * 64])
async def test_what_prints_is_a_name_as_it_is(house: House, name: str) -> None:
    assert (await house.profiles.create(house.bo, SaveProfile(name, "-F"))).name == name


@pytest.mark.parametrize(
    "arguments",
    [
        "-oN /tmp/x",
        "-iL /etc/passwd",
        "--script /tmp/x.nse",
        "-F; id",
        "10.0.0.1",
        "-F -F",
        "-sn -p 1",
        "-p \x1b[31m",
    ],
    ids=ascii,
)
async def test_options_are_refused_in_the_words_of_a_scan(house: House, arguments: str) -> None:
    with pytest.raises(InvalidInput) as of_scan:
        parse_options(arguments)
    made = await house.profiles.create(house.bo, NIGHT)
    for attempt in (
        house.profiles.create(house.bo, SaveProfile("Day", arguments)),
        house.profiles.change(house.bo, made, SaveProfile("Night", arguments)),
    ):
        with pytest.raises(InvalidInput) as caught:
            await attempt
        assert str(caught.value) == str(of_scan.value)
    assert (await house.profiles.find(house.bo, "Night")).arguments == "-sn -T2"


async def test_a_name_is_its_owners_only_one_whatever_its_case(house: House) -> None:
    made = await house.profiles.create(house.bo, SaveProfile("Büro", "-F"))
    for name in ("büro", "BU\u0308RO"):
        with pytest.raises(InvalidInput, match="already"):
            await house.profiles.create(house.bo, SaveProfile(name, "-F"))
    other = await house.profiles.create(house.bo, NIGHT)
    with pytest.raises(InvalidInput, match="already"):
        await house.profiles.change(house.bo, other, SaveProfile("BÜRO", "-F"))
    assert (await house.profiles.change(house.bo, made, SaveProfile("BÜRO", "-F"))).name == "BÜRO"
    await house.profiles.create(house.cy, SaveProfile("Büro", "-F"))


async def test_of_many_that_make_the_same_name_at_once_one_succeeds(house: House) -> None:
    paths = house.services.paths
    other = await asyncio.to_thread(open_services, house.services.settings, paths, reading=False)
    try:
        makers = (house.profiles, other.profiles) * 10
        made = await asyncio.gather(
            *(maker.create(house.bo, SaveProfile("Night", "-F")) for maker in makers), return_exceptions=True
        )
    finally:
        await other.close()
    assert sum(isinstance(one, Profile) for one in made) == 1
    assert sum(isinstance(one, InvalidInput) for one in made) == 19
    assert [action for action, *_ in house.trail()] == ["profile.create"]


# --- scans ------------------------------------------------------------------------------------------


@needs_nmap
async def test_a_scan_keeps_the_options_it_was_started_with(house: House) -> None:
    scanning = house.services.scanning
    made = await house.profiles.create(house.bo, SaveProfile("List", "-sL -n"), shared=True)
    scan = await scanning.start(house.cy, StartScan(("127.0.0.1",), profile="list"))
    assert (scan.profile, scan.arguments) == ("bo/List", "-sL -n")
    await house.profiles.change(house.bo, made, SaveProfile("List", "-sL"))
    await scanning.wait(house.cy, scan.id)
    assert (await house.services.scans.get(house.cy, scan.id)).arguments == "-sL -n"
    await house.profiles.delete(house.bo, made)
    again = await scanning.repeat(house.cy, scan.id)
    assert (again.profile, again.arguments) == ("bo/List", "-sL -n")
    assert (await scanning.wait(house.cy, again.id)).state is JobState.COMPLETED
    with pytest.raises(InvalidInput, match="no profile"):
        await scanning.start(house.cy, StartScan(("127.0.0.1",), profile="bo/List"))


@needs_nmap
async def test_a_scan_without_options_is_repeated_without_any(house: House) -> None:
    scanning = house.services.scanning
    made = await house.profiles.create(house.bo, SaveProfile("Plain", ""))
    scan = await scanning.start(house.bo, StartScan(("127.0.0.1",), profile="plain"))
    await house.profiles.change(house.bo, made, SaveProfile("Plain", "-sL"))
    await scanning.wait(house.bo, scan.id)
    again = await scanning.repeat(house.bo, scan.id)
    assert (again.profile, again.arguments) == ("Plain", "")
    assert "-sL" not in again.command
    await scanning.wait(house.bo, again.id)


@needs_nmap
async def test_a_private_profile_is_nobody_elses_to_scan_with(house: House) -> None:
    await house.profiles.create(house.bo, SaveProfile("List", "-sL -n"))
    request = StartScan(("127.0.0.1",), profile="bo/List")
    assert "no profile" in (await house.services.scanning.preview(house.ada, request)).error
    with pytest.raises(InvalidInput, match="no profile"):
        await house.services.scanning.start(house.ada, request)


# --- files ------------------------------------------------------------------------------------------


def entry(name: str, arguments: str = "-F") -> str:
    return f'[[profile]]\nname = "{name}"\narguments = "{arguments}"\n'


async def test_what_is_exported_is_imported_again(house: House, tmp_path: Path) -> None:
    await house.profiles.create(
        house.bo, SaveProfile('"Bü\\ro"', '--script "default or (discovery and safe)"', "# '"), shared=True
    )
    await house.profiles.create(house.bo, NIGHT)
    path = await house.profiles.export_file(house.bo, tmp_path / "own.toml")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await house.profiles.import_file(house.cy, path)
    assert (await house.profiles.export(house.cy)).decode() == path.read_text()
    assert not any(p.shared for p in await house.profiles.usable(house.cy) if p.owner == "cy")
    with pytest.raises(InvalidInput, match="exists"):
        await house.profiles.export_file(house.bo, path)


async def test_named_profiles_are_exported_of_others_too(house: House) -> None:
    await house.profiles.create(house.bo, NIGHT, shared=True)
    exported = await house.profiles.export(house.eve, ["bo/night"])
    assert exported == b'[[profile]]\nname = "Night"\narguments = "-sn -T2"\ndescription = "Slow."\n'
    assert house.trail()[-1][:3] == ("profile.export", "eve", "1 profile")
    await house.profiles.create(house.cy, NIGHT)
    for names, words in (
        ((), "no profiles of your own"),
        (("Ping scan",), "Zenmap"),
        (("bo/Night", "night"), "two of the profiles"),
    ):
        actor = house.cy if len(names) == 2 else house.eve
        with pytest.raises(InvalidInput, match=words):
            await house.profiles.export(actor, names)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (entry("Day", "-oN /tmp/x"), "profile 2, 'Day', is refused: -oN writes files"),
        (entry("Ping scan"), "profile 2, 'Ping scan', is refused: Ping scan is one of Zenmap's"),
        (entry("GOOD"), "profile 2, 'GOOD', is refused: another profile of the file has that name"),
        (entry("night"), "profile 2, 'night', is refused: there is one of that name already"),
        (entry(r"a\u001b[31m"), r"is refused: the name has characters"),
        (entry(""), "profile 2, '', is refused: a profile needs a name"),
    ],
)
async def test_one_bad_entry_keeps_the_whole_file_out(
    house: House, tmp_path: Path, bad: str, words: str
) -> None:
    await house.profiles.create(house.bo, NIGHT)
    before = house.trail()
    path = tmp_path / "bad.toml"
    path.write_text(entry("Good") + bad + entry("Last"))
    with pytest.raises(InvalidInput) as caught:
        await house.profiles.import_file(house.bo, path)
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert await house.names(house.bo) == ["Night"]
    assert house.trail() == before


async def test_replacing_changes_ones_own_and_nobody_elses(house: House, tmp_path: Path) -> None:
    mine = await house.profiles.create(house.bo, NIGHT, shared=True)
    theirs = await house.profiles.create(house.cy, NIGHT, shared=True)
    path = tmp_path / "own.toml"
    path.write_text(entry("NIGHT", "-sL") + entry("Day"))
    stored = await house.profiles.import_file(house.bo, path, replace=True)
    assert [(p.name, p.arguments, p.shared) for p in stored] == [("NIGHT", "-sL", True), ("Day", "-F", False)]
    assert stored[0].id == mine.id
    assert await house.profiles.find(house.cy, "Night") == theirs
    assert [action for action, *_ in house.trail()][-2:] == ["profile.change", "profile.create"]


async def test_what_is_no_file_is_refused(house: House, tmp_path: Path) -> None:
    for path, refusal in (
        (tmp_path, InvalidInput),
        (tmp_path / "missing", NotFound),
        (Path("/dev/zero"), InvalidInput),
    ):
        with pytest.raises(refusal):
            await house.profiles.import_file(house.bo, path)
