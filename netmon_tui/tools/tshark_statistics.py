"""tshark's statistics: the command of each question, and what reads its output.

The file comes by stdin, so that tshark needs no right to open anything. Everything is passed as arguments of their
own; a display filter stands in ``-Y`` or at the end of a ``-z``, where a comma is no separator.
Options: https://www.wireshark.org/docs/man-pages/tshark.html.
"""

from __future__ import annotations

from collections.abc import Sequence

from netmon_tui.domain.analysis import Asked
from netmon_tui.domain.display_filter import check_text
from netmon_tui.domain.stream import FOLLOWED, Follow
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.tshark_conversations import LAYERS, ConversationReader, column_formats
from netmon_tui.tools.tshark_ends import conversation_reader, endpoint_reader
from netmon_tui.tools.tshark_flow import FLOW_FORMATS, FlowReader
from netmon_tui.tools.tshark_lines import AnalysisReader
from netmon_tui.tools.tshark_tables import (
    echo_reader,
    expert_reader,
    graph_reader,
    hierarchy_reader,
    sessions_reader,
    times_reader,
)
from netmon_tui.tools.tshark_taps import tap_of
from netmon_tui.tools.tshark_trees import tree_reader

_READ = ("-n", "-r", "-")
_EVERYTHING = "frame"
"""Filter that every packet meets: an I/O graph without filters lets tshark 4.0 die of a division by 0 at times."""
_HELLO_FIELDS = ("_ws.col.Source", "tcp.srcport", "_ws.col.Destination", "tcp.dstport")
"""Who begins a TLS session, which the stream itself does not tell: tshark takes whom it decrypts first."""
_HIGHEST_STREAM = 2**32 - 1


def build_command(
    tshark: str, asked: Asked, interval: float, keys: str = "", programs: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the command of a question.

    Args:
        tshark: Absolute path.
        asked: The question, checked.
        interval: Seconds of one step of the I/O graph.
        keys: Path of the TLS keys, as tshark sees it; empty without any.
        programs: Which of those a capture has are measured, where tshark wants that named.
    """
    options = (tshark, *_READ, *key_options(keys))
    name, _, kind = asked.question.name.partition(":")
    if name in ("conversations", "endpoints") and kind in LAYERS:
        return (*options, *_list_options(column_formats(kind), LAYERS[kind].shown, asked.filter))
    if name == "flow":
        return (*options, *_list_options(FLOW_FORMATS, "", asked.filter))
    if programs:
        end = f",{check_text(asked.filter)}" if asked.filter else ""
        return (*options, "-q", *(word for one in programs for word in ("-z", f"{kind},srt,{one}{end}")))
    return (*options, "-q", "-z", _statistic(asked, interval))


def key_options(keys: str) -> tuple[str, ...]:
    """Return tshark's options for TLS keys, by the path under which it finds them; none without."""
    return ("-o", f"tls.keylog_file:{keys}") if keys else ()


def _list_options(formats: Sequence[str], shown: str, filter: str) -> tuple[str, ...]:
    """Return the options for one line a packet, its columns between tabs."""
    columns = ",".join(f'"{number}","{format}"' for number, format in enumerate(formats))
    wanted = " && ".join(f"({part})" for part in (shown, filter) if part)
    return (
        "-t",
        "r",
        "-T",
        "tabs",
        "-o",
        f"gui.column.format:{columns}",
        *(("-Y", wanted) if wanted else ()),
    )


def _statistic(asked: Asked, interval: float) -> str:
    name, tap = asked.question.name, tap_of(asked.question.name)
    filter = check_text(asked.filter)
    if name == "expert":
        return f"{tap},({filter})" if filter else tap
    if name == "io":
        both = [f"({filter}) && ({one})" if filter else one for one in map(check_text, asked.series)]
        step = f"{interval:.6f}".rstrip("0").rstrip(".")
        return ",".join((tap, step, filter or _EVERYTHING, *both))
    return f"{tap},{filter}" if filter else tap


def reader_for(asked: Asked) -> AnalysisReader:
    """Return what reads the answer to a question."""
    name, _, kind = asked.question.name.partition(":")
    if name in ("conversations", "endpoints"):
        if kind in LAYERS:
            return ConversationReader(kind, endpoints=name == "endpoints")
        return endpoint_reader() if name == "endpoints" else conversation_reader()
    if name == "srt":
        if kind == "camel":
            return sessions_reader()
        return echo_reader(kind) if kind.startswith("icmp") else times_reader(kind)
    if name == "io":
        return graph_reader(asked.series)
    if name == "flow":
        return FlowReader()
    if name in ("hierarchy", "expert"):
        return hierarchy_reader() if name == "hierarchy" else expert_reader()
    return tree_reader(asked.question.name)


def follow_command(tshark: str, wanted: Follow, keys: str = "") -> tuple[str, ...]:
    """Return the command that puts a stream together.

    Raises:
        InvalidInput: No such protocol, or a number that no stream has.
    """
    if wanted.protocol not in FOLLOWED:
        raise InvalidInput(f"{wanted.protocol} cannot be followed", fix=f"one of {', '.join(FOLLOWED)}")
    if not 0 <= wanted.number <= _HIGHEST_STREAM:
        raise InvalidInput(f"there is no stream {wanted.number}")
    options = (tshark, *_READ, *key_options(keys), "-z", f"follow,{wanted.protocol},yaml,{wanted.number}")
    if wanted.protocol != "tls":
        return (*options, "-q")
    hello = f"tcp.stream == {wanted.number} && tls.handshake.type == 1"
    columns = (word for name in _HELLO_FIELDS for word in ("-e", name))
    return (*options, "-Y", hello, "-T", "fields", "-E", "occurrence=f", *columns)
