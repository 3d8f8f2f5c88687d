"""nmap's scripts: their database and files, what ``--script`` chooses of them, and what they may be given."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.nse import NseScript, find_scripts
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import build_command, parse_options
from netmon_tui.tools.nmap_script_arguments import script_arguments
from netmon_tui.tools.nmap_script_rules import chosen_scripts, plain_words, scripts, with_word
from netmon_tui.tools.nmap_scripts import read_arguments, read_database, read_description

DATABASE = """Entry { filename = "http-title.nse", categories = { "default", "discovery", "safe", } }
Entry { filename = "http-slowloris.nse", categories = { "dos", "intrusive", } }
Entry { filename = "http-robots.txt.nse", categories = { "default", "safe", } }
Entry { filename = "http-open-proxy.nse", categories = { "default", "external", "safe", } }
Entry { filename = "banner.nse", categories = { "discovery", "safe", } }
Entry { filename = "../../tmp/x.nse", categories = { "safe", } }
os.execute("id")
"""
INSTALLED = read_database(DATABASE)

HEAD = """description = [[
Shows the title.

It follows redirects.
]]

---
--@args http-title.url The url to fetch. Default: /
-- @args http-title.long first words
--       second words
-- @arg flag
--
-- not of an argument
-- @output
"""


def chosen(value: str) -> str:
    return " ".join(script.name for script in chosen_scripts(scripts(value), INSTALLED))


def test_the_database_is_read_and_nothing_else_of_it() -> None:
    assert [one.name for one in INSTALLED] == [
        *("banner", "http-open-proxy", "http-robots.txt", "http-slowloris", "http-title"),
    ]
    assert INSTALLED[0] == NseScript("banner", ("discovery", "safe"))
    assert [one.label for one in INSTALLED if one.is_risky] == ["http-slowloris (dos, intrusive)"]
    assert [one.name for one in find_scripts(INSTALLED, "PROXY")] == ["http-open-proxy"]
    assert [one.name for one in find_scripts(INSTALLED, "", "dos")] == ["http-slowloris"]


def test_the_head_of_a_script_is_read() -> None:
    assert read_description(HEAD) == "Shows the title.\n\nIt follows redirects."
    assert read_description('description = "Short \\" one."\n') == 'Short \\" one.'
    assert [(one.name, one.description) for one in read_arguments(HEAD)] == [
        ("http-title.url", "The url to fetch. Default: /"),
        ("http-title.long", "first words second words"),
        ("flag", ""),
    ]
    assert (read_description("x"), read_arguments("x")) == ("", ())


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("banner", "banner"),
        ("BANNER,Default", "banner http-open-proxy http-robots.txt http-title"),
        ("http-*", "http-open-proxy http-robots.txt http-slowloris http-title"),
        ("http-robots.txt", "http-robots.txt"),
        ("not safe", "http-slowloris"),
        ("default and not http-t*", "http-open-proxy http-robots.txt"),
        ("dos and discovery or safe", ""),
        ("discovery and dos or safe", "banner http-title"),
        ("(discovery and dos) or external", "http-open-proxy"),
        ("not(safe)", "http-slowloris"),
        ("all", "banner http-open-proxy http-robots.txt http-slowloris http-title"),
        (" or ".join(["banner"] * 100), "banner"),
    ],
)
def test_rules_choose_as_nmap_does(value: str, names: str) -> None:
    if not names:
        with pytest.raises(InvalidInput, match="chooses no script"):
            chosen(value)
        return
    assert chosen(value) == names


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("/tmp/x.nse", "path"),
        ("banner.nse", "path"),
        ("http-*,../x", "path"),
        ("+banner", "not the name"),
        ("", "not the name"),
        ("banner,", "not the name"),
        ("safe and", "not the name"),
        ("safe or or dos", "not the name"),
        ("not", "not the name"),
        ("true", "not the name"),
        ("(safe", "not closed"),
        ("safe)", "no place"),
        ("safe dos", "no place"),
        ("(safe,dos)", "not closed"),
        ("safe, safe", "twice"),
        ("not " * 40 + "safe", "too deep"),
        ("a" * 1_100, "1,024"),
    ],
)
def test_what_is_no_choice_of_scripts_is_refused(value: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        scripts(value)


def test_a_script_that_is_not_installed_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(InvalidInput) as caught:
        chosen("http-titel")
    assert "'http-titel'" in caught.value.what and "http-title" in caught.value.fix
    for value in ("safe or baner", "ssh-*", "not wibble"):
        with pytest.raises(InvalidInput, match="is installed"):
            chosen(value)


@given(st.text(alphabet="abnots der,()*-./+", max_size=40))
def test_what_passes_is_canonical_and_no_path(value: str) -> None:
    try:
        canonical = scripts(value)
    except InvalidInput:
        return
    assert scripts(canonical) == canonical
    assert not {"/", "\\", "+"} & set(canonical) and ".nse" not in canonical


def test_scripts_that_may_do_harm_are_told_apart() -> None:
    def to_confirm(line: str) -> tuple[str, ...]:
        made = build_command(
            "nmap",
            parse_options(line),
            ["192.0.2.1"],
            xml_path="/x",
            version=(7, 93),
            privileged=True,
            ipv6=False,
            scripts=INSTALLED,
        )
        return made.to_confirm

    assert to_confirm('--script "default or safe"') == to_confirm("-sC") == ()
    assert to_confirm("--script http-*") == ("http-slowloris (dos, intrusive)",)
    with pytest.raises(InvalidInput, match="is installed"):
        to_confirm("--script wibble")


@pytest.mark.parametrize(
    "text", ["http.useragent=Mozilla/5", "http-title.url=/a/b,smbuser=x", "userdb=/etc/shadow", "passdb=x"]
)
def test_arguments_never_name_files(text: str) -> None:
    refused = "smbuser" in text or "Mozilla/5" in text or "db=" in text
    if refused:
        with pytest.raises(InvalidInput):
            script_arguments(text)
    else:
        assert script_arguments(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("banner", "not an argument"),
        ("a=b", "could make a script read or write files"),
        ("http-fetch.destination=x", "files"),
        ("creds.global=a:b", "files"),
        ("newtargets=1", "files"),
        ("http-title.url=//192.0.2.9/", "no plain value"),
        ("http-title.url=/../x", "no plain value"),
        ("smb.path=/etc/passwd", "files"),
        ("smbusername=.x", "no plain value"),
        ("smbusername={a=b}", "not an argument"),
        ("smbusername=a\\b", "not an argument"),
        ("smbusername=" + "x" * 1_100, "1,024"),
    ],
)
def test_other_arguments_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        script_arguments(text)


def test_good_arguments_pass() -> None:
    assert script_arguments("http-title.url=/a/b, smbusername=x") == "http-title.url=/a/b,smbusername=x"
    assert parse_options("-sC --script-args unsafe=1").line == "-sC --script-args unsafe=1"


def test_words_are_added_and_taken_out_and_other_rules_stay() -> None:
    value = "default and not http-*,banner"
    assert list(plain_words(value)) == ["banner"]
    assert with_word(value, "vuln", wanted=True) == f"{value},vuln"
    assert with_word(value, "banner", wanted=False) == "default and not http-*"
    assert with_word("", "vuln", wanted=True) == "vuln"
    assert with_word("banner", "banner", wanted=True) == "banner"


@pytest.mark.lab
@pytest.mark.parametrize(
    "value",
    [
        "banner,ssh*",
        "default and safe or dos",
        "dos and default or intrusive",
        "not safe and not intrusive",
        "(vuln and safe) or http-robots.txt",
        "discovery or version and brute",
    ],
)
def test_the_installed_nmap_chooses_the_same_scripts(value: str) -> None:
    if shutil.which("nmap") is None:
        pytest.skip("nmap is not installed")
    from netmon_tui.runtime.nse_files import installed_scripts

    ours = {script.name for script in chosen_scripts(scripts(value), installed_scripts())}
    said = subprocess.run(
        ["nmap", "--script-help", value], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert ours == set(re.findall(r"^([\w.-]+)\nCategories: ", said, re.MULTILINE))
