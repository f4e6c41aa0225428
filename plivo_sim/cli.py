"""The command line: a table of contents; each command is in ``plivo_sim.commands``."""

from __future__ import annotations

from importlib import import_module

import click

from plivo_sim import __version__

_COMMANDS = {
    "serve": "serve.serve",
    "try": "trying.try_",
    "status": "admin.status",
    "doctor": "doctor.doctor",
    "account": "accounts.account",
    "clock": "clock.clock",
    "apps": "apps.apps",
    "scenario": "scenarios.scenario",
    "replay": "replay.replay",
    "fault": "faults.fault",
    "webhooks": "webhooks.webhooks",
    "seed": "seed.seed",
    "snapshot": "snapshots.snapshot",
    "reset": "admin.reset",
    "export": "admin.export",
    "evaluate": "checks.evaluate",
    "requests": "checks.requests_",
    "coverage": "checks.coverage",
    "run": "suites.run",
    "verify": "suites.verify",
    "reference": "reference.reference",
}
"""Where each command is, below ``plivo_sim.commands``: it is loaded when it is wanted."""


class Commands(click.Group):
    """See above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(".")
        found = getattr(import_module(f"plivo_sim.commands.{module}"), name)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="plivo-sim")
def main() -> None:
    """A local simulator of Plivo's phone-number compliance APIs.

    Exit codes: 0 done, 1 the simulator refused, 2 wrong usage or a wrong file, 3 nobody answers.
    """


if __name__ == "__main__":
    main()
