"""What ``--script-args`` takes: pairs of a name and a plain value, and no name that makes a script touch a file.

Scripts open files that their arguments name, for reading and for writing, with nmap's privileges. No list of
such arguments stays complete, so this is a list of those that may be given.
"""

from __future__ import annotations

import re

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import shown

LONGEST = 1_024
_PAIR = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,79})=([A-Za-z0-9_.:@%+/ -]{1,200})")
_PATHS_ON_SERVERS = frozenset({"basepath", "path", "root", "uri", "url", "url-path"})
"""Arguments of scripts called http-...: a place on the web server."""
_PLAIN = (
    "apikey asn auth category check-version community count database dbname delay displayall domain emptypass"
    " firstonly guesses hostname instance-all instance-name instance-port interface limit max-body-size"
    " max-cache-size max-pipeline max-retries maxdepth maxpagecount method mincvss mode mysqlpass mysqluser"
    " nocipher node nodefault nodns nossl pass passlimit passonly passvar password pipeline port ports protocol"
    " protocols query realm retries servername share short showall sid singlepages smbdomain smbhash smbnoguest"
    " smbpassword smbport smbsign smbtype smbusername snmpcommunity snmpversion start threads timelimit timeout"
    " tries truncated-ok type ua unsafe user useragent useraspass userlimit username uservar version wait"
)


def script_arguments(text: str) -> str:
    """Check a value of ``--script-args`` and return it without spaces around its parts.

    Raises:
        InvalidInput: It is not ``name=value,name=value``, or an argument may not be given.
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"arguments of scripts have at most {LONGEST:,} characters, not {len(text):,}")
    pairs = [_checked(part.strip()) for part in text.split(",")]
    return ",".join(pairs)


def _checked(pair: str) -> str:
    match = _PAIR.fullmatch(pair)
    if not match:
        raise InvalidInput(
            f"{shown(pair)} is not an argument of a script", fix="write http.useragent=Mozilla,smtp.domain=a"
        )
    name, value = match.groups()
    last = name.rpartition(".")[2]
    on_server = last in _PATHS_ON_SERVERS and name.startswith("http")
    if not on_server and last not in _PLAIN.split():
        raise InvalidInput(
            f"{shown(name)} may not be given",
            why="it could make a script read or write files, or go elsewhere",
        )
    if "//" in value or ("/" in value and not on_server) or value.startswith((".", "-")) or ".." in value:
        raise InvalidInput(f"{shown(value)} is no plain value for {name}")
    return f"{name}={value.strip()}"
