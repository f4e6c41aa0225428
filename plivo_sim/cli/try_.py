"""``plivo-sim try``: one complete application, with the curl line, the SDK code, the timeline.

``plivo-sim try``: the first thing to type after ``serve``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.shared import exit_codes, url_option
from plivo_sim.client import Client
from plivo_sim.client.filing import _FILES, _curl, _sdk_code, application_data, sample

Say = Callable[[str], Any]


def run_try(client: Client, token: str, say: Say) -> None:
    """File an application, wait for its review in simulated time, tell what came of it."""
    requirements = client.compliance(
        "GET", "Requirements/?country_iso=IN&number_type=local&user_type=business"
    )
    data = application_data(requirements, f"{client.url}/_sim/inbox/try")
    say(_curl(client, token, data))
    say(_sdk_code(client, token, data))
    form = [("data", json.dumps(data))] + [
        (f"documents[{i}].file", (name, sample(name).read_bytes())) for i, name in enumerate(_FILES)
    ]
    made = client.compliance("POST", form=form)
    say(f"\n# Answer\n{json.dumps(made, indent=2)}")
    id = made["compliance_id"]
    until = {"application": id, "status": "accepted"}
    client.control("POST", "/clock/advance", {"until": until, "account": client.auth_id})
    say("\n# Timeline")
    for change in client.control("GET", f"/applications/{id}")["timeline"]:
        say(f"{change['at']}  {change['status']:<10} {change['why']}")
    say("\n# Callbacks received")
    for message in client.control("GET", "/inbox/try/messages")["messages"]:
        if id in message["body"]:
            say(message["body"])
            say(f"  X-Plivo-Signature-V3: {message['headers']['X-Plivo-Signature-V3']}")


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
    from plivo_sim.client import Client
    from plivo_sim.client.filing import write_samples

    if samples is not None:
        for path in write_samples(samples):
            click.echo(f"wrote {path}")
    with exit_codes():
        run_try(Client(url, auth_id, token), token, click.echo)
