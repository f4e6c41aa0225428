"""``PLIVO_SIM_*`` variables that are none of ours: what a platform sets, and what nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from plivo_sim.cli import main
from plivo_sim.cli.run import variables
from plivo_sim.cli.starting import SettingOption
from plivo_sim.variables import KNOWN, PREFIX, of_platform, unread

KUBERNETES = {
    "PLIVO_SIM_PORT": "tcp://10.96.14.2:8700",
    "PLIVO_SIM_PORT_8700_TCP": "tcp://10.96.14.2:8700",
    "PLIVO_SIM_PORT_8700_TCP_ADDR": "10.96.14.2",
    "PLIVO_SIM_PORT_8700_TCP_PORT": "8700",
    "PLIVO_SIM_PORT_8700_TCP_PROTO": "tcp",
    "PLIVO_SIM_SERVICE_HOST": "10.96.14.2",
    "PLIVO_SIM_SERVICE_PORT": "8700",
    "PLIVO_SIM_SERVICE_PORT_HTTP": "8700",
    "PLIVO_SIM_EU_PORT": "udp://10.96.14.3:53",
    "PLIVO_SIM_EU_SERVICE_HOST": "10.96.14.3",
}
"""For services called plivo-sim and plivo-sim-eu."""


def envvars(command: click.Command) -> Iterator[str]:
    """Of a command and all below it."""
    yield from (each.envvar for each in command.params if isinstance(each.envvar, str))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from envvars(found)


def test_every_variable_that_is_read_is_known() -> None:
    """Those of all commands and of the pytest plugin, and those that ``run`` sets; no other."""
    plugin = [f"{PREFIX}{name}" for name in ("URL", "RUN_ID", "INBOX_HOST")]
    every = [*envvars(main), *variables(""), *plugin]
    read = {name for name in every if name.startswith(PREFIX)}
    assert read == KNOWN


def test_what_a_platform_sets_is_no_mistake_of_anybody() -> None:
    """Each is passed over, and none is called unread."""
    assert of_platform(KUBERNETES) == sorted(KUBERNETES)
    assert list(unread(KUBERNETES)) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PLIVO_SIM_PRT", "did you mean 'PLIVO_SIM_PORT'?"),
        ("PLIVO_SIM_ALLOWED_HOST", "did you mean 'PLIVO_SIM_ALLOWED_HOSTS'?"),
        ("PLIVO_SIM_ADMIN", "docs/settings.md has the names"),
        ("PLIVO_SIM_ZZZ", "docs/settings.md has the names"),
    ],
)
def test_what_nothing_reads_has_a_hint(name: str, hint: str) -> None:
    """The name that was meant, if one is near."""
    assert list(unread({name: "1", "PLIVO_SIM_PAUSED": "1", "OTHER": "1"})) == [(name, hint)]


def test_a_port_is_ours_when_it_is_a_number() -> None:
    """Only an address is the platform's."""
    assert of_platform({"PLIVO_SIM_PORT": "8700"}) == []


@pytest.mark.parametrize(("text", "read"), [("tcp://10.96.14.2:8700", None), ("9", "9")])
def test_a_platforms_port_is_not_read(
    monkeypatch: pytest.MonkeyPatch, text: str, read: str | None
) -> None:
    """The option has its default then."""
    monkeypatch.setenv("PLIVO_SIM_PORT", text)
    option = SettingOption(["--port"], envvar="PLIVO_SIM_PORT")
    assert option.resolve_envvar_value(click.Context(main)) == read


def test_serve_says_what_has_no_effect() -> None:
    """Before anything else, on stderr; a wrong option ends it here."""
    env = KUBERNETES | {"PLIVO_SIM_PRT": "9"}
    done = CliRunner(env=env).invoke(main, ["serve", "--warp", "0"])
    unread_, passed_over, *_ = done.stderr.splitlines()
    assert passed_over.startswith(f"{', '.join(sorted(KUBERNETES))}: set by the platform")
    assert unread_ == "PLIVO_SIM_PRT is set, and nothing reads it; did you mean 'PLIVO_SIM_PORT'?"
    assert "warp: the rate" in done.stderr
    assert "port" not in done.stderr.partition("warp:")[2]
