"""``config``: where the configuration is, what is in force, and a file to begin with."""

from __future__ import annotations

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_pairs, print_table, say
from netmon_tui.config.files import create_named, explain_named


@click.group()
def config() -> None:
    """The configuration: where it is and what is in force."""


@config.command()
@json_option
@pass_line
def path(line: CommandLine, as_json: bool) -> None:
    """Print where configuration, data and log are."""
    paths = line.paths
    found = {
        "config": str(paths.config_file),
        "data": str(paths.data),
        "database": str(paths.database_file),
        "log": str(paths.log_file),
    }
    if as_json:
        print_json(found)
    else:
        print_pairs(found.items())


@config.command()
@json_option
@pass_line
def show(line: CommandLine, as_json: bool) -> None:
    """Print every setting, its value and where it comes from."""
    rows = list(line.settings.rows())
    if as_json:
        print_json([{"name": name, "value": value, "source": source} for name, value, source in rows])
    else:
        print_table(
            ("SETTING", "VALUE", "SOURCE"), [(name, _toml(value), source) for name, value, source in rows]
        )


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@config.command()
@pass_line
def init(line: CommandLine) -> None:
    """Write a configuration file with every setting explained; an existing one is left alone."""
    from netmon_tui.config.settings import default_toml

    file = line.paths.config_file
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise explain_named(error, file.parent) from error
    create_named(file, default_toml().encode())
    say(f"{file} is written")
