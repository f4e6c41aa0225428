"""The command line: a table of contents; each command is in ``plivo_sim.commands``."""

from __future__ import annotations

import click

from plivo_sim import __version__
from plivo_sim.commands.admin import export, reset, status
from plivo_sim.commands.apps import apps
from plivo_sim.commands.checks import coverage, evaluate, requests_
from plivo_sim.commands.clock import clock
from plivo_sim.commands.doctor import doctor
from plivo_sim.commands.faults import fault
from plivo_sim.commands.reference import reference
from plivo_sim.commands.replay import replay
from plivo_sim.commands.scenarios import scenario
from plivo_sim.commands.seed import seed
from plivo_sim.commands.serve import serve
from plivo_sim.commands.snapshots import snapshot
from plivo_sim.commands.suites import run, verify
from plivo_sim.commands.trying import try_
from plivo_sim.commands.webhooks import webhooks


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="plivo-sim")
def main() -> None:
    """A local simulator of Plivo's phone-number compliance APIs.

    Exit codes: 0 done, 1 the simulator refused, 2 wrong usage or a wrong file, 3 nobody answers.
    """


main.add_command(serve)
main.add_command(try_)
main.add_command(status)
main.add_command(doctor)
main.add_command(clock)
main.add_command(apps)
main.add_command(scenario)
main.add_command(replay)
main.add_command(fault)
main.add_command(webhooks)
main.add_command(seed)
main.add_command(snapshot)
main.add_command(reset)
main.add_command(export)
main.add_command(evaluate)
main.add_command(requests_)
main.add_command(coverage)
main.add_command(run)
main.add_command(verify)
main.add_command(reference)


if __name__ == "__main__":
    main()
