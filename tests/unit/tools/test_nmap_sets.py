"""What may be in a set, and that whatever a name leads to is targets or ports and never an option."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netmon_tui.domain.named_set import LONGEST_CONTENT, SetKind
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import build_command, parse_options
from netmon_tui.tools.nmap_mentions import check_set_name
from netmon_tui.tools.nmap_sets import checked_content, expanded_options, expanded_targets
from netmon_tui.tools.nmap_switches import switches_of, with_switch

TARGETS, PORTS = SetKind.TARGETS, SetKind.PORTS
HOSTILE = (
    "-oN /tmp/x",
    "--script=evil",
    "10.0.0.1\n-iL /etc/passwd",
    "10.0.0.1\x00-oX x",
    "\x1b]0;owned\x07",
    "[b]10.0.0.1[/]",
    "10.0.0.1 -oN",
    "22 --script x",
    "22,-p-",
    "@other",
    "22\u2028-sU",
    "$(reboot)",
)


def holding(content: str) -> Callable[[str], str]:
    return lambda _reference: content


@pytest.mark.parametrize(
    ("kind", "text", "canonical"),
    [
        (TARGETS, " 10.0.0.1/24,fe.example\n10.0.0.1-9\t10.0.0.1/24 ", "10.0.0.0/24 fe.example 10.0.0.1-9"),
        (TARGETS, "FE80::1%eth0", "fe80::1%eth0"),
        (PORTS, "T:22,80,U:53,1-1024", "T:22,80,U:53,1-1024"),
        (PORTS, " 22, 80  8000- ", "22,80,8000-65535"),
    ],
)
def test_content_is_kept_in_the_form_that_a_scan_takes(kind: SetKind, text: str, canonical: str) -> None:
    assert checked_content(kind, text) == canonical == checked_content(kind, canonical)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (TARGETS, "", "No targets"),
        (PORTS, " , ", "No ports"),
        (TARGETS, "10.0.0.1 @other", "cannot have another set"),
        (PORTS, "22,@other", "cannot have another set"),
        (TARGETS, "10.0.0.1 fd00::1", "cannot be mixed"),
        (TARGETS, "10.0.0.300", "a part is over 255"),
        (PORTS, "70000", "not a range within 0 to 65535"),
        (PORTS, "1," * 600 + "1", "1,024"),
        (TARGETS, "1" * (LONGEST_CONTENT + 1), "characters are too many for a target set"),
        (TARGETS, "10.0.0.1 " * 200_000, "1,800,000 characters are too many"),
        (TARGETS, " ".join(f"10.0.{n // 250}.{n % 250}" for n in range(1_500)), ""),
        *((kind, text, "") for kind in SetKind for text in HOSTILE),
    ],
)
def test_what_a_scan_would_refuse_is_refused(kind: SetKind, text: str, words: str) -> None:
    if text.count(" ") == 1_499:
        assert checked_content(kind, text).count(" ") == 1_499
        return
    with pytest.raises(InvalidInput) as caught:
        checked_content(kind, text)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["", "-x", ".x", "a b", "a/b", "@a", "a,b", "é", "a\n", "a\x1b", "[b]", "x" * 65]
)
def test_a_name_must_be_one_that_can_be_written(name: str) -> None:
    with pytest.raises(InvalidInput, match="no name of a set"):
        check_set_name(name)


def test_mentions_give_way_to_what_is_in_the_sets() -> None:
    asked: list[str] = []

    def find(reference: str) -> str:
        asked.append(reference)
        return "10.0.0.0/24 srv.example"

    found = expanded_targets(["192.0.2.1", "@Servers", "@bo/web.1"], find)
    assert found == ("192.0.2.1", *("10.0.0.0/24", "srv.example") * 2)
    assert asked == ["Servers", "bo/web.1"]
    of = {TARGETS: holding("10.0.0.1 10.0.0.2"), PORTS: holding("T:80,U:53")}.__getitem__
    line = "-sS -p @web -T4 --exclude @p,10.0.0.9 --exclude-ports @web"
    assert expanded_options(line, of) == (
        "-sS -pT:80,U:53 -T4 --exclude 10.0.0.1,10.0.0.2,10.0.0.9 --exclude-ports T:80,U:53"
    )


def test_a_line_without_mentions_is_left_alone() -> None:
    line = '-sS  --script-args "user=a@b"'
    assert expanded_options(line, lambda kind: pytest.fail(kind)) == line


@pytest.mark.parametrize("text", ["@", "@@a", "@-oN", "@a b", "@a;b", "@/a", "@a/b/c", "@a\x00", "@\u202ea"])
def test_a_mention_that_is_badly_written_is_refused(text: str) -> None:
    for attempt in (
        lambda: expanded_targets([text], holding("10.0.0.1")),
        lambda: expanded_options(f'-p "{text}"', lambda kind: holding("22")),
    ):
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert str(caught.value).isprintable()


def test_a_port_set_stands_alone() -> None:
    with pytest.raises(InvalidInput, match="a port set stands alone"):
        parse_options("-p 22,@web")


def test_switches_take_and_show_mentions() -> None:
    assert switches_of("-sT -p @web")["-p"] == "@web"
    assert with_switch("-sT -F", "-F", "") == "-sT"
    assert with_switch("-sT", "-p", "@web") == "-sT -p@web"
    assert parse_options("-sO -p @web300").value("-p") == "@web300"


@pytest.mark.parametrize("content", ["22,80", "T:22,80", "P:6,T:22", "22,P:6", "T:8000"])
@pytest.mark.parametrize("line", ["-sO -p @web", "-sO --exclude-ports @web"])
def test_ports_of_a_set_are_not_taken_for_ip_protocols(line: str, content: str) -> None:
    with pytest.raises(InvalidInput, match="@web cannot be used with -sO"):
        expanded_options(line, lambda kind: holding(content))
    assert expanded_options(line, lambda kind: holding("P:1,6,17")).endswith("P:1,6,17")


def test_no_command_has_a_name_of_a_set_in_it() -> None:
    for line in ("-p @web", "--exclude @web", "--exclude-ports @web"):
        with pytest.raises(InvalidInput, match="was not looked up"):
            command(line, ["10.0.0.1"])
    with pytest.raises(InvalidInput):
        command("", ["@servers"])


def command(line: str, targets: list[str]) -> tuple[str, ...]:
    return build_command(
        "/usr/bin/nmap",
        parse_options(line),
        targets,
        xml_path="/x.xml",
        version=(7, 93),
        privileged=True,
        ipv6=False,
    ).argv


MENTIONS = st.one_of(
    st.from_regex(r"@[A-Za-z0-9_./@-]{0,9}", fullmatch=True), st.text(max_size=12).map("@".__add__)
)
CONTENTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=30),
    st.from_regex(r"(10\.0\.0\.[0-9]{1,3}[ ,\n]?){1,4}", fullmatch=True),
    st.from_regex(r"([TU]:)?[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,4}){0,3}", fullmatch=True),
)


@given(MENTIONS, CONTENTS)
@example("@a", "10.0.0.1 10.0.0.2")
@example("@a", "T:80,U:53")
@example("@a", "-oN /tmp/x")
def test_no_set_smuggles_an_option_however_it_is_spelled(mention: str, content: str) -> None:
    plain = command("-sS", ["192.0.2.1"])
    try:
        targets = expanded_targets(["192.0.2.1", mention], holding(content))
        argv = command("-sS", list(targets))
    except InvalidInput as error:
        assert str(error).isprintable()
    else:
        end = argv.index("--")
        assert argv[: end + 1] == plain[: plain.index("--") + 1]
        assert not any(word.startswith("-") or not word.isprintable() for word in argv[end + 1 :])
    try:
        line = expanded_options(f'-sS -p "{mention}"', lambda kind: holding(content))
        options = parse_options(line)
    except InvalidInput as error:
        assert str(error).isprintable()
    else:
        assert [setting.name for setting in options.settings] == ["-sS", "-p"]
        assert set(options.value("-p")) <= set("0123456789,-TUSP:")


def test_a_set_that_is_mentioned_a_thousand_times_is_looked_up_once() -> None:
    """Each time costs as much as its content is long, and the form asks at every pause in typing."""
    asked: list[str] = []

    def find(reference: str) -> str:
        asked.append(reference)
        return "10.0.0.1 10.0.0.2"

    assert expanded_targets(["@servers"] * 1_000, find) == ("10.0.0.1", "10.0.0.2")
    assert asked == ["servers"]


def test_sets_of_more_targets_than_a_scan_may_have_are_refused_before_all_are_read() -> None:
    asked: list[str] = []

    def find(reference: str) -> str:
        asked.append(reference)
        return " ".join(f"10.{reference[1:]}.0.{n}" for n in range(250))

    with pytest.raises(InvalidInput, match="More than 2,000 targets"):
        expanded_targets([f"@s{number}" for number in range(100)], find)
    assert len(asked) == 9
