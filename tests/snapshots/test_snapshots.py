"""Pictures of every screen at 80x24 and 120x40. After a change that is meant: look, then ``--snapshot-update``."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from netmon_tui.domain.capture_filter_library import SaveCaptureFilter
from netmon_tui.domain.host import Hop, Host, HostAddress, Port
from netmon_tui.domain.named_set import SaveSet, SetKind
from netmon_tui.domain.neighbour_event import Mute, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.profile import SaveProfile
from netmon_tui.services.set_filter import SetFilter
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository, Sighting
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.ui.modals.device_import import DeviceImportPreview
from netmon_tui.ui.modals.form import LOST
from netmon_tui.ui.screens.matching import MatchingScreen
from tests.snapshots.conftest import Album, lines, until
from tests.snapshots.world import ADA, BO, NOW, PRINTER, as_ring
from tests.unit.tools.packet_samples import SAMPLES

Tour = Callable[..., None]
Step = Callable[[Pilot[Any], Album], Awaitable[None]]


def shows(text: str) -> Step:
    """Wait until a text is on the screen."""

    async def step(pilot: Pilot[Any], _album: Album) -> None:
        await until(pilot, lambda: any(text in line for line in lines(pilot)))

    return step


def lacks(text: str) -> Step:
    """Wait until a text is no longer on the screen."""

    async def step(pilot: Pilot[Any], _album: Album) -> None:
        await until(pilot, lambda: not any(text in line for line in lines(pilot)))

    return step


def types(selector: str, text: str) -> Step:
    """Put a text into a field and leave the focus there."""

    async def step(pilot: Pilot[Any], _album: Album) -> None:
        field = await until(pilot, lambda: pilot.app.screen.query_one(selector, Input))
        field.focus()
        field.value = text
        field.cursor_position = len(text)  # or it stays where the folder of this tree ended
        await pilot.pause()

    return step


def picture(name: str) -> Step:
    """Compare the screen with the stored picture of that name."""

    async def step(pilot: Pilot[Any], album: Album) -> None:
        await album.compare(pilot, name)

    return step


def closed() -> Step:
    """Press escape and wait until the dialog is gone; one that keeps what was typed wants it twice."""

    async def step(pilot: Pilot[Any], _album: Album) -> None:
        depth = len(pilot.app.screen_stack)
        await pilot.press("escape")
        await until(pilot, lambda: len(pilot.app.screen_stack) < depth or shown_lost(pilot))
        if len(pilot.app.screen_stack) == depth:
            await pilot.press("escape")
            await until(pilot, lambda: len(pilot.app.screen_stack) < depth)

    return step


def shown_lost(pilot: Pilot[Any]) -> bool:
    """Whether the form says that escape throws away what was typed."""
    return str(pilot.app.screen.query_one(".dialog--box").border_subtitle) == LOST


LISTED = shows("office.xml")
_NEAR, _FAR = Hop(1, "192.0.2.1", "gw.office.example", 0.42), Hop(2, "203.0.113.1", "isp.example", 8.5)
ROUTED = [
    Host("192.0.2.1", "up", addresses=(HostAddress("00:00:0c:9f:f0:01", "mac"),), ports=(Port(22, "tcp", "open"),)),
    Host("198.51.100.5", "up", hostnames=(("web.example", "PTR"),), ports=(Port(443, "tcp", "open"),),
         hops=(_NEAR, _FAR, Hop(5, "198.51.100.5", "", 12.25))),
    Host("198.51.100.6", "up", hostnames=(("db-1.example --> [bold]x[/]\u202e", "PTR"),),
         hops=(_NEAR, _FAR, Hop(5, "198.51.100.6", "", 12.5))),
    Host("198.51.101.9", "up", hops=(_NEAR, Hop(3, "203.0.113.9", "", 20.0), Hop(4, "198.51.101.9", "", 21.0))),
    Host("198.51.100.7", "up"),
]  # fmt: skip


def test_first_run(tour: Tour) -> None:
    tour(
        shows("Create the administrator"),
        picture("empty"),
        types("#name", "ada"),
        types("#password", "walnut-koala"),
        shows("12 of 15"),
        picture("password_weighed"),
        empty=True,
        actor=None,
    )


def test_login(tour: Tour) -> None:
    tour(
        shows("Log in"),
        picture("empty"),
        types("#name", "ada"),
        types("#password", "a wrong password"),
        "enter",
        shows("Wrong name or password"),
        picture("refused"),
        actor=None,
    )


def test_empty_lists(tour: Tour) -> None:
    tour(
        shows("No scans yet"),
        picture("scans"),
        "3",
        shows("No captures yet"),
        picture("captures"),
        "4",
        shows("No hosts yet"),
        picture("hosts"),
        empty=True,
    )


def test_scans(tour: Tour) -> None:
    tour(
        LISTED,
        picture("listed"),
        *("down",) * 3,
        "delete",
        shows("for good"),
        picture("confirm_delete"),
        closed(),
        "e",
        shows("Export scan 4"),
        picture("export"),
        closed(),
        "i",
        types("#path", "/nowhere/scan.xml"),
        shows("cannot be listed"),
        "enter",
        shows("No file"),
        picture("import_refused"),
        closed(),
        "C",
        shows("space changes"),
        picture("columns"),
        closed(),
        "slash",
        *"intense",
        lacks("office.xml"),
        picture("filtered"),
    )


def test_scan_form(tour: Tour) -> None:
    tour(
        LISTED,
        "n",
        types("#targets", "192.0.2.0/28"),
        shows("16 addresses"),
        picture("accepted"),
        types("#options", "-sV -T4 --exclude 192.0.2.1"),
        shows("detection"),
        picture("staged"),
        "ctrl+g",
        shows("--min-parallelism 256"),
        picture("stages"),
        "ctrl+g",
        "shift+tab",
        types("#options", "-sS -oN /etc/passwd"),
        shows("-oN writes"),
        picture("refused"),
        types("#options", "-sS -p 22 -sn"),
        "ctrl+t",
        shows("exclude each other"),
        "pagedown",
        picture("switches"),
    )


async def own_profiles(pilot: Pilot[Any], _album: Album) -> None:
    """Make profiles of one's own and of somebody who shares them."""
    profiles = pilot.app.services.profiles  # type: ignore[attr-defined]
    await profiles.create(ADA, SaveProfile("Büro TLS", "-sT -p443 --script ssl-cert", "Certificates."))
    await profiles.create(ADA, SaveProfile("[b]Lab", "-sS -p 1-1024"), shared=True)
    await profiles.create(BO, SaveProfile("Night sweep", "-sn -T2", "Slow, for the night."), shared=True)


def test_scan_profiles(tour: Tour) -> None:
    tour(
        LISTED,
        own_profiles,
        "n",
        types("#targets", "192.0.2.0/28"),
        shows("16 addresses"),
        "ctrl+o",
        shows("bo/Night sweep"),
        picture("listed"),
        closed(),
        "ctrl+s",
        types("#profile-name", "ping SCAN"),
        "enter",
        shows("Zenmap's"),
        picture("save_refused"),
    )


async def sets_of_both_kinds(pilot: Pilot[Any], _album: Album) -> None:
    """Make sets of one's own and of somebody who shares them, and limits."""
    services = pilot.app.services  # type: ignore[attr-defined]
    targets, ports = services.sets.of(SetKind.TARGETS), services.sets.of(SetKind.PORTS)
    await targets.create(ADA, SaveSet("servers", "192.0.2.0/28 192.0.2.77", "The [b]first[/] room."))
    await targets.create(BO, SaveSet("printers", "192.0.2.64/27"), shared=True)
    await ports.create(ADA, SaveSet("web", "T:80,443,8080-8090,U:443", "Pages."), shared=True)
    await services.limits.set(ADA, "bo", never_scan="192.0.2.5 192.0.2.64/27", maximum_rate=500)


def test_sets(tour: Tour) -> None:
    tour(
        LISTED,
        sets_of_both_kinds,
        "@",
        shows("@bo/printers"),
        shows("@web"),
        picture("listed"),
        "e",
        shows("Change a target set"),
        types("#set-targets", "192.0.2.1 @web"),
        "enter",
        shows("another set"),
        picture("refused"),
    )


def test_limits_of_a_user(tour: Tour) -> None:
    tour(
        LISTED,
        sets_of_both_kinds,
        "6",
        shows("operator"),
        "down",
        "m",
        shows("Limits of bo"),
        picture("form"),
    )


def test_scan_detail(tour: Tour) -> None:
    tour(
        LISTED,
        "down",
        "enter",
        shows("SYN Stealth"),
        shows("OpenSSH 9.2"),
        picture("running"),
        closed(),
        "down",
        "down",
        "enter",
        shows("Intense scan"),
        shows("OpenSSH 9.2"),
        picture("hosts"),
        *("down",) * 3,
        shows("click=app.quit"),
        picture("hostile_host"),
        "2",
        shows("netbios-ssn"),
        picture("services"),
        "3",
        shows("5 hosts, 0 hops"),
        picture("map"),
        "4",
        shows("Nmap done"),
        picture("output"),
        "5",
        shows("Nothing to compare with"),
        "6",
        shows("RTTVAR"),
        picture("about"),
    )


def traced() -> Step:
    """Give scan 2 hosts with routes: shared hops, a gap, a hop that is a host, and one that nobody traced."""

    async def step(pilot: Pilot[Any], _album: Album) -> None:
        services = pilot.app.services  # type: ignore[attr-defined]
        await asyncio.to_thread(ScanResults(services.database).store, 2, enumerate(ROUTED))

    return step


def test_scan_map(tour: Tour) -> None:
    tour(
        LISTED,
        traced(),
        *("down",) * 5,
        "enter",
        shows("198.51.100.0/22"),
        "3",
        shows("5 hosts, 3 hops"),
        shows("198.51.100.7"),
        picture("routes"),
        "slash",
        *"web",
        "enter",
        lacks("db-1.example"),
        shows("1 found"),
        picture("found"),
    )


def test_scan_changes(tour: Tour) -> None:
    tour(
        LISTED,
        *("down",) * 3,
        "space",
        *("down",) * 3,
        "space",
        "d",
        shows("since scan 1"),
        shows("on 440/tcp"),
        picture("changes"),
        *("down",) * 2,
        "d",
        shows("- scan 1, + scan 4"),
        picture("difference"),
    )


def test_frame(tour: Tour) -> None:
    tour(
        LISTED,
        "question_mark",
        shows("Help: Scans"),
        picture("help"),
        closed(),
        "ctrl+p",
        shows("Search"),
        picture("palette"),
        closed(),
        "q",
        shows("2 jobs run"),
        picture("quit"),
        closed(),
        "ctrl+l",
        shows("Jobs go on"),
        picture("locked"),
    )


def test_neighbours(tour: Tour) -> None:
    tour(
        "2",
        shows("INCOMPLETE"),
        picture("listed"),
        "enter",
        shows("History of 192.0.2.1"),
        picture("history"),
    )


async def seen_once(pilot: Pilot[Any], _album: Album) -> None:
    """Remember a host that is not in the table now."""
    was = Sighting("eth0", "192.0.2.14", "ipv4", "b8:27:eb:99:88:77", False, NOW - timedelta(hours=5))
    memory = NeighbourRepository(pilot.app.services.database)  # type: ignore[attr-defined]
    await asyncio.to_thread(memory.remember, [was])


def test_sweep(tour: Tour) -> None:
    tour(
        "2",
        shows("INCOMPLETE"),
        "w",
        shows("16 addresses"),
        picture("form"),
        types("#sweep-addresses", "192.0.3.0/24"),
        shows("is not in a local network"),
        picture("refused"),
        closed(),
        seen_once,
        "v",
        shows("GONE"),
        picture("remembered"),
    )


def test_neighbour_edits(tour: Tour) -> None:
    tour(
        "2",
        shows("INCOMPLETE"),
        "a",
        types("#neighbour-lladdr", "0011.32aa.bbcd"),
        types("#neighbour-address", "192.0.2.6"),
        shows("ip neigh add 192.0.2.6"),
        picture("add"),
        types("#neighbour-lladdr", "01:00:5e:00:00:01"),
        shows("group"),
        picture("refused"),
        closed(),
        "E",
        shows("ip neigh replace 192.0.2.1 "),
        picture("change"),
        closed(),
        "D",
        shows("ip neigh del 192.0.2.1"),
        picture("delete"),
        closed(),
        "F",
        shows("carries an SSH"),
        picture("flush"),
        "enter",
        shows("Flush eth0"),
        picture("flush_asked"),
        closed(),
        "u",
        shows("Edits of the neighbour table"),
        shows("unknown"),
        picture("edits"),
    )


def test_devices(tour: Tour) -> None:
    tour(
        "2",
        shows("INCOMPLETE"),
        "left_square_bracket",
        shows("pi-printer"),
        picture("listed"),
        "down",
        "enter",
        shows("24 h ["),
        picture("page"),
        "N",
        shows("Must be up"),
        picture("marks"),
    )


def test_devices_that_a_list_brings(tour: Tour) -> None:
    async def looks(pilot: Pilot[Any], _album: Album) -> None:
        listed = (
            "mac,name,known\n"
            + f"{PRINTER},printer,yes\n52:54:00:00:00:01,db,\nnone,x,\n52:54:00:12:34:56,,\n"
        )
        lists = pilot.app.services.segment.device_lists
        planned = await lists.import_stream(ADA, io.BytesIO(listed.encode()), dry_run=True)
        pilot.app.push_screen(DeviceImportPreview("inventory.csv", planned))

    tour("2", shows("INCOMPLETE"), looks, shows("1 line refused"), picture("planned"))


async def much_happened(pilot: Pilot[Any], _album: Album) -> None:
    """Let something of everything happen in the neighbour table, and mute and acknowledge some of it."""
    services = pilot.app.services  # type: ignore[attr-defined]
    office, router, stranger = "b8:27:eb:12:34:56", "00:00:0c:9f:f0:01", "52:54:00:66:66:66"
    happened = (
        ("new", 2000, "192.0.2.5", office, "", ""),
        ("moved", 500, "192.0.2.14", "00:11:32:aa:bb:cc", office, "its holder was silent for 3 h"),
        ("new_address", 90, "192.0.2.8", office, "", ""),
        ("gone", 61, "192.0.2.9", "00:11:32:00:00:09", "", ""),
        ("back", 40, "192.0.2.9", "00:11:32:00:00:09", "", "the device was down"),
        ("new", 30, "2001:db8:1234:5678:9abc:def0:1234:5678", stranger, "", ""),
        ("changed", 29, "192.0.2.7", stranger, "00:11:32:aa:bb:cc", ""),
        ("flip_flop", 28, "192.0.2.7", "00:11:32:aa:bb:cc", stranger, ""),
        ("down", 10, "192.0.2.12", "52:54:00:12:34:56", "", ""),
        ("gateway_changed", 6, "192.0.2.1", stranger, router, ""),
        *(("duplicate", 5 - n, "192.0.2.1", stranger, router, "3 changes within 1 min") for n in range(4)),
    )
    for kind, minutes, address, lladdr, before, detail in happened:
        time = NOW - timedelta(minutes=minutes)
        event = NeighbourEvent(time, NeighbourEventKind(kind), address, "eth0", lladdr, before, detail)
        NeighbourRepository(services.database).store(NeighbourNews(events=[event]))
    service = services.segment.events
    await service.acknowledge(BO, [1, 2])
    await service.mute(ADA, Mute("new_address", lladdr=office))
    await service.mute(BO, Mute(interface="wlan0"), "2h")


def test_neighbour_events(tour: Tour) -> None:
    tour(
        "2",
        shows("INCOMPLETE"),
        "right_square_bracket",
        shows("Nothing to be seen to"),
        picture("empty"),
        much_happened,
        shows("gateway changed"),
        picture("listed"),
        "enter",
        shows("spoofing"),
        picture("event"),
        closed(),
        "m",
        shows("For how long"),
        picture("mute"),
        closed(),
        "v",
        "V",
        shows("new address"),
        picture("all"),
        "M",
        shows("wlan0"),
        picture("mutes"),
    )


BUSY = shows("1 204 331")
ALL_PACKETS = shows(f"{len(SAMPLES)} packets")
FIRST_PACKET = shows("Frame 1:")


def test_captures(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        picture("listed"),
        "n",
        types("#host", "192.0.2.7"),
        shows("valid"),
        picture("form"),
        types("#port", "99999"),
        shows("99999"),
        lacks("valid"),
        picture("form_refuses"),
        "ctrl+t",
        shows("nanoseconds"),
        picture("form_more"),
    )


def test_scheduled_captures(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        "n",
        shows("valid"),
        "ctrl+r",
        shows("Seconds"),
        types("#schedule-name", "Morning"),
        types("#schedule-seconds", "600"),
        shows("At 00:00 every day"),
        lacks("needs a"),
        picture("form"),
    )


async def capture_filters(pilot: Pilot[Any], _album: Album) -> None:
    """Keep capture filters of one's own and of somebody who shares one."""
    filters = pilot.app.services.capture_filters  # type: ignore[attr-defined]
    await filters.save(ADA, SaveCaptureFilter("web", "tcp port 80 or 443", "Browsing."), shared=False)
    await filters.save(BO, SaveCaptureFilter("[b]voice", "udp portrange 16384-32767", "RTP."), shared=True)


def test_capture_filters(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        capture_filters,
        "n",
        types("#filter", "tcp or udp and tcp[13] & 2 != 0"),
        shows("IPv4 alone"),
        picture("explained"),
        "ctrl+o",
        shows("bo/[b]voice"),
        picture("library"),
        closed(),
        *("shift+tab", "shift+tab", "shift+tab", "shift+tab", "enter"),
        shows("packets per second"),
        shows("any"),
        picture("interfaces"),
    )


def test_capture_catalogue(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        "t",
        shows("Keep it"),
        picture("labels"),
        closed(),
        "down",
        "a",
        shows("capture stream 2"),
        picture("about"),
        closed(),
        "down",
        "enter",
        shows("Ended: stopped"),
        ALL_PACKETS,
        FIRST_PACKET,
        "M",
        "down",
        "M",
        shows("part 1 to 2"),
        shows("Frame 2:"),
        "w",
        shows("a new capture"),
        picture("slice"),
        closed(),
        "e",
        shows("capture-1.pcap"),
        "tab",
        "space",
        shows("Not hidden"),
        picture("anonymised"),
    )


async def ring_of_files(pilot: Pilot[Any], _album: Album) -> None:
    """Have a capture over several files."""
    await asyncio.to_thread(as_ring, pilot.app.services)  # type: ignore[attr-defined]


async def matches_of_the_ring(pilot: Pilot[Any], _album: Album) -> None:
    """Have a display filter over all files come to its end."""
    screen = pilot.app.screen
    assert isinstance(screen, MatchingScreen)
    paths = await screen.session.services.packets.file_set(ADA, screen.capture_id)
    screen.search = SetFilter(paths, "dns")
    names = list(SAMPLES)
    for path in paths:
        screen.search.matches.add(path, [1 + names.index(name) for name in ("dns query", "dns response")])
    screen.search.is_done = True


def test_file_set(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        ring_of_files,
        *("down", "down", "enter"),
        shows("File 3 of 3"),
        ALL_PACKETS,
        "[",
        shows("File 2 of 3"),
        ALL_PACKETS,
        FIRST_PACKET,
        picture("packets"),
        matches_of_the_ring,
        "D",
        shows("6 matches in 3 of 3 files"),
        shows("Standard"),
        picture("matches"),
        "escape",
        shows("File 2 of 3"),
        "a",
        shows("by the ring"),
        picture("about"),
    )


async def display_filters(pilot: Pilot[Any], _album: Album) -> None:
    """Keep display filters of one's own and of somebody who shares one, and use one."""
    filters = pilot.app.services.filters  # type: ignore[attr-defined]
    await filters.save(ADA, "web", "tcp.port in {80, 443}")
    await filters.save(BO, "[b]slow", "tcp.analysis.retransmission", shared=True)
    await filters.note(ADA, 'dns.qry.name contains "example"')


def test_display_filters(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        display_filters,
        *("down", "down", "enter"),
        shows("Ended: stopped"),
        ALL_PACKETS,
        FIRST_PACKET,
        "d",
        shows("tab completes"),
        types("#display-filter", 'http.host == "\x1b"'),
        shows("does not print"),
        picture("refused"),
        "ctrl+o",
        shows("bo/[b]slow"),
        picture("kept"),
    )


def test_capture_detail(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        "enter",
        ALL_PACKETS,
        FIRST_PACKET,
        picture("running"),
        closed(),
        "down",
        "enter",
        shows("disk is full"),
        ALL_PACKETS,
        FIRST_PACKET,
        picture("failed"),
        closed(),
        "down",
        "enter",
        shows("Ended: stopped"),
        ALL_PACKETS,
        FIRST_PACKET,
        *("down",) * 9,
        shows("Frame 10"),
        shows("ww.examp"),
        picture("done"),
        "tab",
        "right",
        picture("fields"),
        "z",
        picture("fields_zoomed"),
    )


async def own_columns(pilot: Pilot[Any], _album: Album) -> None:
    """Let ada have other columns than the usual ones."""
    columns = PacketColumns(("number", "since", "source", "source_port", "destination", "ttl", "info"))
    await pilot.app.services.packets.columns.choose(ADA, columns)  # type: ignore[attr-defined]


def test_packet_columns(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        own_columns,
        *("down", "down", "enter"),
        shows("Ended: stopped"),
        ALL_PACKETS,
        FIRST_PACKET,
        shows("Since first"),
        picture("shown"),
        "C",
        shows("Columns of packets"),
        *("down", "down", "down", "J"),
        picture("choice"),
        closed(),
        "ctrl+g",
        shows("14:03:05"),
        types("#line", "never"),
        "enter",
        shows("is no place in a capture"),
        picture("no_place"),
    )


def test_finding_and_marking(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        *("down", "down", "enter"),
        shows("Ended: stopped"),
        ALL_PACKETS,
        FIRST_PACKET,
        "m",
        shows("1 marked"),
        *("down", "down", "semicolon"),
        shows("Mark packet 3"),
        types("#comment", "[b]the first answer"),
        "enter",
        shows("2 marked"),
        "ctrl+f",
        types("#find", "EXAMPLE"),
        "enter",
        shows("match 1 of"),
        shows("▾"),
        picture("found"),
        "home",
        FIRST_PACKET,
        shows("packet 1 by"),
        "ctrl+f",
        "ctrl+t",
        types("#find", "(a"),
        "enter",
        shows("missing )"),
        picture("refused"),
        "escape",
        "semicolon",
        shows("Mark packet"),
        picture("comment"),
    )


def test_hosts_and_activity(tour: Tour) -> None:
    tour(
        "4",
        shows("192.0.2.14"),
        picture("hosts"),
        "5",
        shows("tcpdump"),
        picture("jobs"),
        "shift+tab",
        "right",
        shows("login.failure"),
        picture("audit"),
    )


def test_operator(tour: Tour) -> None:
    tour("5", shows("/usr/bin/nmap"), picture("jobs"), "6", shows("schema 0001"), picture("doctor"), actor=BO)


def test_admin(tour: Tour) -> None:
    tour(
        "6",
        shows("eve"),
        picture("users"),
        "n",
        shows("at least 15 characters"),
        picture("new_user"),
        closed(),
        "shift+tab",
        "right",
        shows("schema 0001"),
        "tab",
        *("down",) * 3,
        shows("Fix: sudo apt-get install tshark"),
        picture("doctor"),
    )


def test_traffic(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        "end",
        "enter",
        shows("Ended: stopped"),
        ALL_PACKETS,
        "T",
        shows(" packets · "),
        picture("talkers"),
        "2",
        shows("TCP 80"),
        picture("conversations"),
        "3",
        shows("███"),
        picture("services"),
    )


def test_analysis(tour: Tour) -> None:
    tour(
        "3",
        BUSY,
        "end",
        "enter",
        shows("Ended: stopped"),
        ALL_PACKETS,
        "A",
        shows("Protocol hierarchy"),
        picture("questions"),
        "enter",
        shows(" lines"),
        shows("eth  "),
        picture("hierarchy"),
        "escape",
        "down",
        "down",
        "enter",
        shows("1.000000"),
        picture("graph"),
        "escape",
        "down",
        "enter",
        shows("Ladder"),
        picture("flow"),
        "escape",
        "down",
        "enter",
        shows("Retr"),
        picture("conversations"),
        "F",
        shows("client sent"),
        picture("stream"),
        "t",
        shows("000000"),
        picture("stream_bytes"),
    )
