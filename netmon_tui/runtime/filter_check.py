"""Compiling capture filters with tcpdump, as an unprivileged child on a short leash.

A filter of a thousand characters can keep libpcap busy for many seconds, and its parser has had its share of
memory errors, so neither our process nor root ever compiles one only to see whether it is right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.runtime.processes import run_checked
from netmon_tui.tools.bpf import LONGEST_COMPLETED, check_text, with_protocols
from netmon_tui.tools.bpf_parser import ENCAPSULATIONS, parse
from netmon_tui.tools.bpf_words import mistyped_at
from netmon_tui.tools.tcpdump import complaint

CPU_SECONDS = 2
DEADLINE = 3.0
"""Seconds of wall time."""

_LINK_TYPE = re.compile(r"[A-Z0-9_]{1,40}")
_PROGRAM = re.compile(r"\d{1,5}\n(?:\d{1,5} \d{1,3} \d{1,3} \d{1,10}\n)+")
_RETURN_CONSTANT = 6
"""BPF_RET | BPF_K of linux/bpf_common.h."""
_KILLED_BY_CPU_LIMIT = (-24, -9)
"""SIGXCPU, and the SIGKILL at the hard limit."""


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter that libpcap accepts."""

    program_ddd: str
    """The BPF program as ``tcpdump -ddd`` prints it: how many instructions, then one per line."""
    instructions: int

    @property
    def accepts_all(self) -> bool:
        """Whether no packet is ever rejected: every instruction that ends the program returns some bytes."""
        return all(lengths for lengths in self._returned())

    @property
    def rejects_all(self) -> bool:
        """Whether no packet is ever accepted."""
        return not any(self._returned())

    def _returned(self) -> list[int]:
        """Return the constants with which the program ends, 0 for a packet that is rejected."""
        instructions = (line.split() for line in self.program_ddd.splitlines()[1:])
        return [int(value) for code, _, _, value in instructions if int(code) == _RETURN_CONSTANT]


def compile_filter(tcpdump: str, text: str, linktype: str = "EN10MB") -> CompiledFilter:
    """Compile a filter; blocks for at most three seconds.

    Args:
        tcpdump: Absolute path.
        text: What a user wrote, or what ``tools.bpf`` made of it; empty for all.
        linktype: tcpdump's name of the link type the filter will be used on.

    Raises:
        InvalidInput: The filter is wrong (in tcpdump's own words), takes too long, or the link type is none.
        ToolFailed: tcpdump printed something else than a program.
        ToolMissing: There is no such tcpdump.
    """
    if not _LINK_TYPE.fullmatch(linktype):
        raise InvalidInput(f"{linktype!r} is no link type")
    expression = check_text(text, longest=LONGEST_COMPLETED)
    argv = (tcpdump, "-y", linktype, "-ddd", "--", expression)
    child = run_checked(argv, timeout=DEADLINE, cpu_seconds=CPU_SECONDS)
    if child.timed_out or child.returncode in _KILLED_BY_CPU_LIMIT:
        raise InvalidInput(
            "The filter takes too long to compile",
            why=f"it was given {CPU_SECONDS} seconds",
            fix="write it shorter, such as portrange 1-400 instead of 400 ports",
        )
    if child.returncode != 0:
        words = complaint(child.stderr)
        raise _refusal(expression, words or f"tcpdump ended with status {child.returncode}")
    compiled = _parse(child.stdout)
    if compiled.rejects_all:
        raise _rejecting(expression)
    return compiled


def compile_counters(
    tcpdump: str, capture_filter: str, linktype: str = "EN10MB"
) -> tuple[tuple[str, str], ...]:
    """Compile what is counted during a capture; return pairs of (name, program), the total first.

    A protocol that the filter leaves nothing of (``tcp`` under the filter ``udp``) or that the link type does not
    have (``arp`` on a tunnel) cannot be compiled, and is not among them.

    Args:
        tcpdump: Absolute path.
        capture_filter: The whole filter of the capture.
        linktype: tcpdump's name of the link type.

    Raises:
        InvalidInput: The capture's own filter is wrong.
        ToolFailed: tcpdump printed something else than a program.
        ToolMissing: There is no such tcpdump.
    """
    (total, whole), *protocols = with_protocols(capture_filter)
    programs = [(total, compile_filter(tcpdump, whole, linktype).program_ddd)]
    for name, text in protocols:
        try:
            programs.append((name, compile_filter(tcpdump, text, linktype).program_ddd))
        except InvalidInput:  # the filter itself compiled, so it is the protocol that does not fit
            continue
    return tuple(programs)


def _refusal(expression: str, words: str) -> InvalidInput:
    """Return the error for tcpdump's complaint: why and where by our own reading, by its words without one."""
    if "rejects all" in words:
        return _rejecting(expression)
    try:
        parse(expression)
    except InvalidInput as error:
        at = error.position
        return error if at is None else mistyped_at(expression, at) or error
    quoted = re.search(r"'([^']+)'|\"([^\"]+)\"", words)
    found = re.search(rf"(?<!\w){re.escape(quoted[1] or quoted[2])}(?!\w)", expression) if quoted else None
    return InvalidInput("The filter is not valid", why=words, position=found.start() if found else None)


def _rejecting(expression: str) -> InvalidInput:
    """Return the error for a filter that no packet meets."""
    moved = re.search(rf"\b(?:{'|'.join(ENCAPSULATIONS)})\b", expression)
    fix = f"{moved[0]} goes before what it is to carry: {moved[0]} and ..." if moved else ""
    return InvalidInput("No packet meets the filter", why="expression rejects all packets", fix=fix)


def _parse(output: str) -> CompiledFilter:
    """Read what ``-ddd`` prints: how many instructions, and each as ``code jt jf k``."""
    lines = output.split("\n")
    program = [line for line in lines[1:] if line]
    if not _PROGRAM.fullmatch(output) or int(lines[0]) != len(program):
        raise ToolFailed("tcpdump did not print the compiled filter", why=output[:80])
    return CompiledFilter(output, len(program))
