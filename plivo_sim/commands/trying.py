"""``plivo-sim try``: the first thing to type after ``serve``."""

from __future__ import annotations

from pathlib import Path

import click

from plivo_sim.commands.asking import exit_codes, url_option


@click.command("try")
@url_option
@click.option(
    "--auth-id", default="MATRYTRYTRYTRYTRYTRY", show_default=True, help="Account that files it."
)
@click.option("--token", default="token", show_default=True, help="Its auth token.")
@click.option("--samples", type=click.Path(path_type=Path), help="Also write sample files there.")
def try_(url: str, auth_id: str, token: str, samples: Path | None) -> None:
    """Send one complete application, watch it.

    Prints the curl line, the SDK code, the timeline and the callback of an Indian business's
    application.
    """
    from plivo_sim import trial
    from plivo_sim.client import Client
    from plivo_sim.samples import write_samples

    if samples is not None:
        for path in write_samples(samples):
            click.echo(f"wrote {path}")
    with exit_codes():
        trial.run(Client(url, auth_id, token), token, click.echo)
