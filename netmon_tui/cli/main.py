"""``netmon-tui [OPTIONS] NOUN VERB``: finds the noun's module when it is asked for, and turns errors into exits."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys

import click

from netmon_tui import __version__
from netmon_tui.cli.context import CommandLine
from netmon_tui.cli.output import PROGRAM, say, say_error
from netmon_tui.errors import NetmonError, UsageError

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT."""
_NOUNS = {
    "login": "login",
    "logout": "login",
    "user": "user",
    "scan": "scan",
    "profile": "profile",
    "target-set": "named_set",
    "port-set": "named_set",
    "schedule": "schedule",
    "worker": "worker",
    "ignore": "ignore",
    "search": "search",
    "neighbour": "neighbour",
    "capture": "capture",
    "job": "job",
    "audit": "audit",
    "doctor": "doctor",
    "database": "database",
    "config": "config",
    "completion": "completion",
}
"""Noun -> module of this package, which has a command of that name."""
_TRUECOLOUR_TERMINALS = ("alacritty", "foot", "xterm-ghostty", "xterm-kitty", "wezterm", "contour", "rio")
"""Prefixes of TERM. Over SSH COLORTERM is lost and Rich gives most of these sixteen colours."""

_log = logging.getLogger(__name__)


class _Nouns(click.Group):
    """Imports a noun's module when the noun is used or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the nouns without importing any."""
        return list(_NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a noun's module and return its command."""
        module = _NOUNS.get(cmd_name)
        if module is None:
            return None
        found = getattr(importlib.import_module(f"netmon_tui.cli.{module}"), cmd_name.replace("-", "_"))
        assert isinstance(found, click.Command)
        return found


@click.group(
    PROGRAM,
    cls=_Nouns,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok, 1 failed, 2 usage or no terminal, 3 a tool is missing, 4 privilege missing, "
    "5 database locked, damaged or too new, or no room on the disk, 6 not logged in or not allowed, "
    "130 interrupted.",
)
@click.option("--data-dir", metavar="DIR", help="Where everything is kept (NETMON_TUI_DATA_DIR).")
@click.option("--config", "config_file", metavar="FILE", help="The configuration (NETMON_TUI_CONFIG).")
@click.option("--user", metavar="NAME", envvar="NETMON_TUI_USER", help="Who acts (NETMON_TUI_USER).")
@click.option(
    "--password-file",
    metavar="FILE",
    envvar="NETMON_TUI_PASSWORD_FILE",
    help="File whose first line is the password, - for stdin (NETMON_TUI_PASSWORD_FILE).",
)
@click.option(
    "--set",
    "settings_set",
    metavar="KEY=VALUE",
    multiple=True,
    help="A setting for this once, such as logging.level=debug; netmon-tui config show lists them.",
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def cli(
    context: click.Context,
    data_dir: str | None,
    config_file: str | None,
    user: str | None,
    password_file: str | None,
    settings_set: tuple[str, ...],
) -> int | None:
    """Scan networks with nmap, watch neighbours, capture packets.

    Without a command the full-screen application starts.
    """
    context.obj = CommandLine(data_dir, config_file, user, password_file, settings_set)
    if context.invoked_subcommand is not None:
        return None
    return _start_app(context.obj)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return cli.main(arguments, prog_name=PROGRAM, standalone_mode=False) or 0
    except NetmonError as error:
        say_error(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - the last resort of this face: a line for the user, the rest to the log
        _report_defect(error, arguments)
        return 1


def _report_defect(error: Exception, arguments: list[str]) -> None:
    """Say that the program has a defect, and write the traceback (never the values in it) to the log."""
    say(f"{PROGRAM}: unexpected {type(error).__name__}: {error}")
    line = CommandLine()
    try:
        context = cli.make_context(PROGRAM, list(arguments), resilient_parsing=True)
        line = CommandLine(context.params.get("data_dir"), context.params.get("config_file"))
        line.prepare()
    except (NetmonError, click.ClickException) as trouble:
        say(f"  no details were written: {trouble}")
        return
    _log.error("unexpected %s", type(error).__name__, exc_info=error)
    say(f"  details in {line.paths.log_file}")


def _start_app(line: CommandLine) -> int:
    """Start the full-screen application.

    Raises:
        UsageError: There is no terminal that could show it; nothing has been created then.
    """
    if not _is_usable_terminal():
        raise UsageError(
            "the full-screen application needs a terminal",
            fix=f"start it in one, or use a command: {PROGRAM} --help",
        )
    settings = line.settings
    _prepare_terminal(slow=settings.interface.low_bandwidth or "SSH_CONNECTION" in os.environ)
    gc.disable()  # nothing of what start-up makes is garbage; the application enables it when it is painted
    from netmon_tui.app import run_app

    return run_app(settings, line.paths, user=line.user or "")


def _is_usable_terminal() -> bool:
    """Whether keys can be read from stdin and a screen drawn on stderr, which is where Textual draws."""
    streams = (sys.stdin, sys.stderr)
    return all(s is not None and s.isatty() for s in streams) and os.environ.get("TERM", "") not in (
        "",
        "dumb",
    )


def _prepare_terminal(*, slow: bool) -> None:
    """Tell Textual, which reads the environment when it is imported, what it cannot find out itself."""
    environ = os.environ
    if not environ.get("COLORTERM") and environ.get("TERM", "").startswith(_TRUECOLOUR_TERMINALS):
        environ.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")
    if slow:
        environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        environ.setdefault("TEXTUAL_FPS", "15")
