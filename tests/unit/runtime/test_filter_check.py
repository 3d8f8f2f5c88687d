import shutil

import pytest

from netmon_tui.errors import InvalidInput, ToolFailed, ToolMissing
from netmon_tui.runtime import filter_check
from netmon_tui.runtime.filter_check import compile_counters, compile_filter
from netmon_tui.tools.bpf import LONGEST_COMPLETED, PROTOCOLS, build_filter, exclude_ssh

TCPDUMP = shutil.which("tcpdump") or ""
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not TCPDUMP, reason="tcpdump is not installed")]


def test_a_filter_becomes_a_program():
    compiled = compile_filter(TCPDUMP, "arp")
    assert compiled.program_ddd == "4\n40 0 0 12\n21 0 1 2054\n6 0 0 262144\n6 0 0 0\n"
    assert compiled.instructions == 4


def test_the_link_type_matters():
    assert (
        compile_filter(TCPDUMP, "arp", "LINUX_SLL2").program_ddd != compile_filter(TCPDUMP, "arp").program_ddd
    )


def test_an_empty_filter_accepts_everything():
    assert compile_filter(TCPDUMP, "").program_ddd == "1\n6 0 0 262144\n"


@pytest.mark.parametrize("linktype", ["EN10MB", "LINUX_SLL2", "RAW"])
def test_everything_that_is_built_here_compiles(linktype):
    for name in set(PROTOCOLS) - {"ip6", "icmp6", "arp" if linktype == "RAW" else ""}:
        if name:
            assert compile_filter(TCPDUMP, build_filter(name, "192.0.2.1"), linktype).instructions
    own = exclude_ssh("tcp or udp", "192.0.2.9", 50000, "192.0.2.1", 22)
    assert compile_filter(TCPDUMP, own, linktype).instructions > 10


@pytest.mark.parametrize(
    ("text", "linktype", "names"),
    [
        ("", "EN10MB", ["total", "tcp", "udp", "icmp", "arp"]),
        ("udp port 53", "EN10MB", ["total", "udp"]),
        ("host 192.0.2.1", "RAW", ["total", "tcp", "udp", "icmp"]),
        (
            exclude_ssh("", "192.0.2.9", 1, "192.0.2.1", 22),
            "LINUX_SLL2",
            ["total", "tcp", "udp", "icmp", "arp"],
        ),
    ],
)
def test_only_protocols_that_can_occur_are_counted(text, linktype, names):
    programs = compile_counters(TCPDUMP, text, linktype)
    assert [name for name, _ in programs] == names
    assert programs[0][1] == compile_filter(TCPDUMP, text, linktype).program_ddd


def test_a_filter_that_lets_nothing_pass_is_refused():
    for compiler in (compile_filter, compile_counters):
        with pytest.raises(InvalidInput, match="rejects all packets"):
            compiler(TCPDUMP, "tcp and udp")
    with pytest.raises(InvalidInput, match="vlan goes before"):
        compile_filter(TCPDUMP, "tcp and vlan")


@pytest.mark.parametrize(
    ("text", "accepts"),
    [("", True), ("tcp or not tcp", True), ("1 = 1", True), ("tcp", False), ("not tcp", False)],
)
def test_a_filter_that_lets_everything_pass_is_known(text, accepts):
    assert compile_filter(TCPDUMP, text).accepts_all is accepts


@pytest.mark.parametrize(
    ("text", "words", "position"),
    [
        ("tcp and port nonesuch", "unknown port 'nonesuch'", 13),
        ("vlan 5000", "VLAN tag 5000 greater than maximum 4095", None),
        ("tcp port", "after `tcp port` a port number", 8),
        ("tcp and (udp", "does not close", 8),
        ("tcp and (udp 53) or arp", "a word such as `port`", 13),
        ("port 1 and port http-nonesuch or http", "unknown port 'http-nonesuch'", 16),
        ("-w /tmp/written", "would be looked up", 1),
        ("tcp; id", "would be looked up", 5),
    ],
)
def test_what_does_not_compile_is_refused_with_reason_and_place(text, words, position):
    with pytest.raises(InvalidInput, match=words) as caught:
        compile_filter(TCPDUMP, text)
    assert caught.value.position == position


@pytest.mark.parametrize(("cpu_seconds", "deadline"), [(1, 60.0), (60, 0.2)])
def test_a_filter_that_takes_too_long_is_given_up(monkeypatch, cpu_seconds, deadline):
    monkeypatch.setattr(filter_check, "CPU_SECONDS", cpu_seconds)
    monkeypatch.setattr(filter_check, "DEADLINE", deadline)
    text = "port " + " or ".join(str(number) for number in range(1, 298))
    assert len(text) <= LONGEST_COMPLETED  # its length is allowed, but it is work for 4 s
    with pytest.raises(InvalidInput, match="too long to compile"):
        compile_filter(TCPDUMP, text)


@pytest.mark.parametrize("linktype", ["", "EN10MB -w x", "-r", "en10mb"])
def test_a_link_type_is_a_name(linktype):
    with pytest.raises(InvalidInput, match="no link type"):
        compile_filter(TCPDUMP, "tcp", linktype)


def test_an_unknown_link_type_is_refused_by_tcpdump():
    with pytest.raises(InvalidInput, match="invalid data link type"):
        compile_filter(TCPDUMP, "tcp", "NONE_SUCH")


def test_another_program_is_no_tcpdump():
    with pytest.raises(ToolFailed, match="did not print"):
        compile_filter(shutil.which("true"), "tcp")
    with pytest.raises(ToolMissing):
        compile_filter("/nonexistent/tcpdump", "tcp")


@pytest.mark.parametrize(
    ("text", "word", "meant"),
    [
        ("tcp port 80 and hst 1.2.3.4", "hst", "host"),
        ("port 80 or nett 10", "nett", "net"),
        ("tcp port 80 adn udp", "adn", "and"),
        ("port 80 orr port 81", "orr", "or"),
    ],
)
def test_a_mistyped_word_after_a_port_is_named_and_not_what_follows(text, word, meant):
    with pytest.raises(InvalidInput) as refused:
        compile_filter(TCPDUMP, text)
    assert refused.value.position == text.index(word)
    assert f"not understood: {word} (write {meant}, if that was meant)" in str(refused.value)
