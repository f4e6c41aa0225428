"""The written reference, made from the code: commands, settings, the control API.

``plivo-sim reference > docs/cli.md`` writes the first page, and ``plivo-sim reference WHAT >
docs/WHAT.md`` the others: ``settings``, ``control`` and ``limits``. A test holds that they are
current.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields

import click

from plivo_sim.cli.shared import Document, say
from plivo_sim.client.rows import COLUMNS
from plivo_sim.domain import limits
from plivo_sim.settings import Settings, text_of

_INTRO = """\
# The command line

`plivo-sim serve` starts a simulator; most other commands call a running one over HTTP. They find it
by `--url` or `PLIVO_SIM_URL`, and take the account by `--account` or `PLIVO_SIM_ACCOUNT` (needed
only when several exist). `--json` prints the simulator's own JSON and nothing else, a refusal's
problem details included.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the simulator refused or could not start, or a check failed: why is on the error output |
| 2 | wrong usage, or a file that is wrong, or cannot be read or written |
| 3 | nothing answers at the URL, or what answers is no simulator, with `--json` too |
| 130 | it was interrupted by Ctrl-C |
| 141 | nobody reads its output any more, as in `plivo-sim … \\| head` |

This page is made by `plivo-sim reference > docs/cli.md`.
"""


_SETTINGS = """\
# Settings

Each setting is an option of `plivo-sim serve` and of `plivo-sim run`, and a variable; the option
wins. Those with a tick may also differ from account to account:
`POST /_sim/accounts` with `{"auth_id": "MA…", "settings": {"review_delay": "3d"}}`, where every
value is the text that the option takes.

This page is made by `plivo-sim reference settings > docs/settings.md`.
"""


_LIMITS = """\
# Limits

How long a text may be, and what a scenario, a policy or a control call can cause. All are far
beyond what a test of an application needs. What is beyond them is refused, unless the table says
otherwise, and the refusal says the limit's value and its name. None of them is Plivo's.

The rate of a clock is from 1e-9 to 1e9 simulated seconds in a real second.

This page is made by `plivo-sim reference limits > docs/limits.md`.
"""


@click.command(hidden=True)
@click.argument("what", type=click.Choice(["cli", "settings", "control", "limits"]), default="cli")
@click.pass_context
def reference(context: click.Context, what: str) -> None:
    """Print a page of the reference as Markdown."""
    root = context.find_root().command
    assert isinstance(root, click.Group)
    if what == "cli":
        text = page(root)
    elif what == "settings":
        text = settings_page(dict(commands_of(root))["serve"])
    elif what == "limits":
        text = limits_page()
    else:
        text = control_page()
    say(Document(text), nl=False)


def control_page() -> str:
    """The control API, from its OpenAPI document."""
    from plivo_sim.app import document
    from plivo_sim.openapi.markdown import written

    return written(document("control"), "plivo-sim reference control > docs/control.md")


def limits_page() -> str:
    """Every limit: its name, how much, and of what."""
    rows = [f"| `{each.name}` | {each.most} {each.unit} | {each.of} |" for each in limits.TABLE]
    return "\n".join([_LIMITS, "| limit | at most | of |", "|---|---|---|", *rows]) + "\n"


def settings_page(serve: click.Command) -> str:
    """Every setting: its option and variable, its default, whether an account may have its own."""
    rows = ["| option, variable | default | account | meaning |", "|---|---|---|---|"]
    options = {each.name: each for each in serve.params if isinstance(each, click.Option)}
    for each in fields(Settings):
        option = options[each.name]
        tick = "✓" if each.metadata["account"] else ""
        text = text_of(getattr(Settings(), each.name))
        default = f"`{text}`" if text else ""
        names = f"{_names(option)}, `{option.envvar}`"
        help = each.metadata["help"].replace("|", "\\|")
        rows.append(f"| {names} | {default} | {tick} | {help} |")
    return "\n".join([_SETTINGS, *rows]) + "\n"


def page(main: click.Group) -> str:
    """The whole page."""
    parts = [_INTRO]
    for path, command in _commands(main, ("plivo-sim",)):
        parts.append(_section(path, command))
    rows = [f"| `{name}` | {text} |" for name, text in COLUMNS.items()]
    parts.append("\n".join(["## Columns of `seed --csv`", "", _CSV, "", *_head("column"), *rows]))
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


_CSV = (
    "The first line names the columns, in any order; UTF-8, separated by commas. Every wrong row\n"
    "is named with its line, and nothing is created if any is wrong."
)


def commands_of(group: click.Group) -> list[tuple[str, click.Command]]:
    """The commands of a group by name, also of one that loads them when they are wanted."""
    context = click.Context(group)
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return [(name, command) for name, command in found if command is not None]


def _commands(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, groups opened, in the order of the help."""
    for name, command in commands_of(group):
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif not command.hidden:
            yield (*path, name), command


def _section(path: tuple[str, ...], command: click.Command) -> str:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    usage = " ".join([*path, "[OPTIONS]", *map(_argument, arguments)])
    lines = [f"## `{' '.join(path)}`", "", f"`{usage}`", "", inspect.cleandoc(command.help or "")]
    rows = [f"| {_names(each)} | {_meaning(each)} |" for each in options]
    return "\n".join([*lines, "", *_head("option"), *rows])


def _head(what: str) -> list[str]:
    return [f"| {what} | meaning |", "|---|---|"]


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    if argument.metavar:
        return name
    name = name if argument.required else f"[{name}]"
    return f"{name}..." if argument.nargs == -1 else name


def _names(option: click.Option) -> str:
    names = " / ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {_value(option)}"
    return f"`{names}{value}`".replace("|", "\\|")


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.type.name.upper().removesuffix(" RANGE")


def _meaning(option: click.Option) -> str:
    """The help text, then what is known of it: needed, many, range, variable, default."""
    notes = []
    if option.required:
        notes.append("required")
    if option.multiple:
        notes.append("may be repeated")
    if isinstance(option.type, click.IntRange | click.FloatRange):
        notes.append(_range(option.type))
    if option.envvar and option.show_envvar:
        notes.append(f"`{option.envvar}`")
    if option.show_default:
        notes.append(f"default `{option.default}`")
    note = "; ".join(notes)
    return f"{option.help or ''}{f' ({note})' if note else ''}".strip().replace("|", "\\|")


def _range(type_: click.IntRange | click.FloatRange) -> str:
    low = "" if type_.min is None else f"{'over' if type_.min_open else 'at least'} {type_.min}"
    high = "" if type_.max is None else f"at most {type_.max}"
    return ", ".join(filter(None, (low, high)))
