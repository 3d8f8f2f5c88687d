"""``completion``: the script that teaches a shell the commands."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from netmon_tui.cli.output import PROGRAM

_VARIABLE = "_NETMON_TUI_COMPLETE"
"""What click looks at to see that a shell asks for completions."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script.

    bash: put  eval "$(netmon-tui completion bash)"  into ~/.bashrc; zsh likewise into ~/.zshrc;
    fish: netmon-tui completion fish > ~/.config/fish/completions/netmon-tui.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(context.find_root().command, {}, PROGRAM, _VARIABLE)
    # The base method: bash's own first starts a bash to ask for its version.
    print(ShellComplete.source(complete))
