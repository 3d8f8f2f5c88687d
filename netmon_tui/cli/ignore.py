"""``ignore``: what scan diff, the Changes tab and the counts of scans leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netmon_tui.cli.context import CommandLine, json_option, pass_line
from netmon_tui.cli.output import print_json, print_table, say, yes_no
from netmon_tui.domain.comparison import Kind
from netmon_tui.domain.documents import ignore_rule_document
from netmon_tui.domain.ignoring import IgnorePattern

if TYPE_CHECKING:
    from netmon_tui.domain.ignoring import IgnoreRule

_COLUMNS = ("RULE", "IGNORES", "OWNER", "EVERYBODY", "ON", "NOTE")
_reference = click.argument("rule", metavar="RULE")


@click.group()
def ignore() -> None:
    """Ignore rules: noise that scan diff and the counts of changes leave out.

    Your own rules and those for everybody hold for what you see; the counts of a scan follow its owner's.
    """


@ignore.command("list")
@json_option
@pass_line
def list_rules(line: CommandLine, as_json: bool) -> None:
    """List the built-in rules, your own and those for everybody."""
    found = line.run(lambda services, actor: services.ignoring.rules(actor))
    if as_json:
        print_json([ignore_rule_document(rule) for rule in found])
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(rule: IgnoreRule) -> tuple[object, ...]:
    return rule.reference, rule.pattern, rule.owner, yes_no(rule.everybody), yes_no(rule.on), rule.note


@ignore.command()
@click.option("--host", "address", default="", metavar="ADDRESS", help="Only on this host.")
@click.option(
    "--what",
    "subject",
    default="",
    metavar="WHAT",
    help="A port as 443/tcp, or host (it comes or goes), lladdr, hostname, address, os.",
)
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Only changes of this kind.")
@click.option("--service", default="", metavar="NAME", help="Only where this service stays, as http.")
@click.option("--script", default="", metavar="NAME", help="Only what this script says, as http-title.")
@click.option("--no-answer", is_flag=True, help="Only UDP ports that did not answer once (open|filtered).")
@click.option("--note", default="", metavar="TEXT", help="Why.")
@click.option("--everybody", is_flag=True, help="For all users (administrators).")
@json_option
@pass_line
def add(
    line: CommandLine,
    address: str,
    subject: str,
    kind: str | None,
    service: str,
    script: str,
    no_answer: bool,
    note: str,
    everybody: bool,
    as_json: bool,
) -> None:
    """Ignore changes from now on.

    All that is given must be true of a change. A host that comes or goes is ignored only by --what host with
    --host; what would hide every opened port everywhere is refused.
    """
    pattern = IgnorePattern(address, subject, Kind(kind) if kind else None, service, no_answer, script)
    made = line.run(
        lambda services, actor: services.ignoring.create(actor, pattern, note, everybody=everybody)
    )
    _report(made, "added", as_json)


@ignore.command()
@_reference
@pass_line
def delete(line: CommandLine, rule: str) -> None:
    """Delete a rule; what it left out is told of again."""
    _report(line.run(lambda services, actor: services.ignoring.delete(actor, rule)), "deleted", False)


@ignore.command()
@_reference
@json_option
@pass_line
def on(line: CommandLine, rule: str, as_json: bool) -> None:
    """Switch a built-in rule on again."""
    _report(
        line.run(lambda services, actor: services.ignoring.switch(actor, rule, on=True)), "is on", as_json
    )


@ignore.command()
@_reference
@json_option
@pass_line
def off(line: CommandLine, rule: str, as_json: bool) -> None:
    """Switch a built-in rule off, for you alone."""
    _report(
        line.run(lambda services, actor: services.ignoring.switch(actor, rule, on=False)), "is off", as_json
    )


def _report(rule: IgnoreRule, what: str, as_json: bool) -> None:
    if as_json:
        print_json(ignore_rule_document(rule))
    else:
        say(f"rule {rule.reference}: {rule.pattern}: {what}")
