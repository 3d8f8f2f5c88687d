"""Passing on one event by one hook, in whichever way the hook says."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from netmon_tui.domain.hook import Hook, HookKind, kept_out
from netmon_tui.domain.neighbour_event import NeighbourEvent
from netmon_tui.domain.neighbour_event_words import sentence
from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.hook_process import ENVIRONMENT, Ended, run_hook
from netmon_tui.runtime.system_log import SOCKET, write_to_system_log
from netmon_tui.security.hostile_text import clean

_POST = (sys.executable, "-I", "-S", str(Path(__file__).with_name("hook_post.py")))
_FOR_POST = ("http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of ours that say how the network is reached and whose certificates are trusted."""
_WORDS = 200
"""Characters of a program's last line that are kept."""


def pass_on(
    hook: Hook,
    event: NeighbourEvent,
    document: Mapping[str, Any],
    left_out: int = 0,
    *,
    stopped: Callable[[], bool] = lambda: False,
    system_log: Path = SOCKET,
) -> str:
    """Pass an event on. Blocks for the hook's timeout at most: call it in a thread.

    Args:
        hook: By which hook.
        event: What happened.
        document: The event as JSON.
        left_out: How many were not passed on since the last one.
        stopped: Says that it is to be given up at once.
        system_log: The socket of the system's log.

    Returns:
        What came of it, in words; foreign text.

    Raises:
        ToolFailed: It was not passed on, with the reason.
    """
    try:
        if hook.kind is HookKind.SYSLOG:
            more = f" ({left_out} more were left out)" if left_out else ""
            text = f"{event.severity} {event.kind.words}: {sentence(event)}{more}"
            write_to_system_log(text, event.severity, path=system_log)
            return "written to the system's log"
        if hook.kind is HookKind.WEBHOOK:
            return _post(hook, document, stopped)
        data = (json.dumps(document) + "\n").encode("ascii")
        ended = run_hook(hook.command, data, timeout=hook.timeout, stopped=stopped)
    except OSError as error:
        raise ToolFailed("it cannot be reached", why=f"{hook.target}: {error.strerror or error}") from error
    return _judge(hook, ended, f"exit status {ended.returncode}")


def _post(hook: Hook, document: Mapping[str, Any], stopped: Callable[[], bool]) -> str:
    wanted = {"url": hook.url, "document": document, "timeout": hook.timeout}
    environment = ENVIRONMENT | {name: os.environ[name] for name in _FOR_POST if name in os.environ}
    data = json.dumps(wanted).encode("ascii")
    ended = run_hook(_POST, data, timeout=hook.timeout, environment=environment, stopped=stopped)
    return _judge(hook, ended, f"{hook.target} was not reached")


def _judge(hook: Hook, ended: Ended, failed: str) -> str:
    """Return the last line that was printed, if all went well."""
    lines = ended.output.split("\n")
    words = clean(next((line for line in reversed(lines) if line.strip()), ""), _WORDS)
    if ended.runs_on:
        why = f"process {ended.runs_on} belongs to another user now, as by sudo, and runs on"
        raise ToolFailed(
            f"it did not end within {hook.timeout} s and cannot be killed",
            why=why,
            fix="have it end by itself, with timeout(1) perhaps",
        )
    if ended.overdue:
        raise ToolFailed(f"it did not end within {hook.timeout} s and was killed", why=words)
    if ended.returncode != 0:
        raise ToolFailed(failed, why=words)
    return words or "done"


def problem_of(hook: Hook) -> str:
    """Return why a hook cannot work as things are, or not all of it; empty when nothing speaks against it."""
    if hook.kind is HookKind.COMMAND:
        path = Path(hook.command[0])
        if not path.is_file():
            return f"there is no program {path}"
        if not os.access(path, os.X_OK):
            return f"{path} may not be executed"
    if hook.kind is HookKind.SYSLOG and not SOCKET.exists():
        return f"there is no {SOCKET}: no system log runs"
    light = ", ".join(kept_out(hook.events, hook.least))
    return f"least = {hook.least.value!r} keeps out {light}" if light else ""
