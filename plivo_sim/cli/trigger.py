"""``plivo-sim trigger``: one signed callback to a receiver, without simulator or application."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import click

from plivo_sim.cli.numbers import FloatRange
from plivo_sim.cli.shared import (
    NothingAnswers,
    RefusedBySimulator,
    WrongFile,
    as_json,
    check_sendable,
    say,
    table,
    token_option,
    values,
)
from plivo_sim.cli.words import DECIDABLE, MACHINES, REASONS, STATUSES
from plivo_sim.domain.urls import check_callback_url, looks_local
from plivo_sim.domain.words import did_you_mean

if TYPE_CHECKING:
    from plivo_sim.account.account import Account
    from plivo_sim.account.interfaces import Answer, Outgoing
    from plivo_sim.domain.machine import Arrow, Machine
    from plivo_sim.domain.records import Application, StatusChanged

AUTH_ID = "MATRIGGERTRIGGERTRIG"
LONGEST_TIMEOUT_S = 120
"""As long as a policy may say."""
_APIS = click.Choice(["current", "beta", "legacy"])


@click.command()
@click.argument("event", type=DECIDABLE)
@click.option("--to", "url", required=True, metavar="URL", help="The receiver; a local one.")
@token_option("Auth token that it is signed with.")
@click.option(
    "--reason",
    metavar="TEXT",
    type=REASONS,
    help="Of a rejection: a text, or the name of a preset.",
)
@click.option(
    "--from",
    "previous",
    metavar="STATUS",
    type=STATUSES,
    help="The status before; default: the first.",
)
@click.option("--id", "id_", metavar="ID", help="The compliance_id; default: a new one.")
@click.option("--api", type=_APIS, default="current", show_default=True, help="In whose words.")
@click.option("--method", type=click.Choice(["POST", "GET"], case_sensitive=False), default="POST",
              show_default=True, help="As callback_method.")  # fmt: skip
@click.option("--encoding", type=click.Choice(["json", "form"]), default="json", show_default=True,
              help="Of a POST.")  # fmt: skip
@click.option("--signature", type=click.Choice(["valid", "wrong", "missing"]), default="valid",
              show_default=True, help="One that is not valid must be refused.")  # fmt: skip
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=FloatRange(0.001, LONGEST_TIMEOUT_S),
    default=10,
    show_default=True,
    help="How long the receiver may take.",
)
@click.option(
    "--machine",
    metavar="NAME|FILE",
    type=MACHINES,
    default="default",
    envvar="PLIVO_SIM_MACHINE",
    show_envvar=True,
    help="Whose statuses there are.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print JSON and nothing else.")
def trigger(event: str, url: str, timeout_s: float, as_json_: bool, **given: Any) -> None:
    """Send one callback to a receiver, signed as the real one. Needs no simulator.

    EVENT is the status that an application would have got: accepted, rejected, suspended ...
    Nothing is sent twice.

    Exit codes: 0 the receiver did as it should: it took it (2xx), or refused it where --signature
    is not valid; 1 it did not, 2 wrong usage, 3 nothing answers.
    """
    check_sendable({"event": event, "to": url, "timeout_s": timeout_s, **given})
    request = _request(event, url, timeout_s, **given)
    from plivo_sim.webhooks.transport import HttpTransport

    answer = HttpTransport().send(request)
    say(as_json(_plain(request, answer)) if as_json_ else _shown(request, answer))
    if answer.status is None:
        raise NothingAnswers(f"{url}: {answer.error}")
    signature, is_taken = given["signature"], 200 <= answer.status < 300
    if signature == "valid" and not is_taken:
        raise RefusedBySimulator(f"the receiver answered {answer.status}")
    if signature != "valid" and is_taken:
        text = f"the receiver answered {answer.status}: it took a callback that it must refuse"
        raise RefusedBySimulator(f"{text}, because its signature is {signature}")


def _request(
    event: str,
    url: str,
    timeout_s: float,
    *,
    token: str,
    reason: str | None,
    previous: str | None,
    id_: str | None,
    api: str,
    method: Literal["POST", "GET"],
    encoding: str,
    signature: Literal["valid", "wrong", "missing"],
    machine: str,
) -> Outgoing:
    """The request, made as those of a simulator are. Raises UsageError, WrongFile."""
    from plivo_sim.assembly import make_simulator
    from plivo_sim.scenarios.language import WebhookPolicy
    from plivo_sim.services.policies import set_webhook_policy
    from plivo_sim.settings import Settings
    from plivo_sim.webhooks.composing import compose

    _check_url(url)
    seed = secrets.randbelow(10**9)  # another nonce each time, as the real one
    try:
        sim = make_simulator(Settings(machine=machine, callback_encoding=encoding, seed=seed))
    except ValueError as error:
        raise WrongFile(str(error)) from None
    account = sim.account(AUTH_ID)
    account.token = token
    set_webhook_policy(account, WebhookPolicy(signature=signature, timeout_s=timeout_s))
    arrow = _arrow(sim.machine, event, previous)
    application = _application(account, arrow.to, id_, api, _reason(sim.machine, arrow.to, reason))
    changed = _changed(account, application, arrow.from_)
    return compose(account, sim.outbox.delivery_of(account, changed, url, method))


def _check_url(url: str) -> None:
    """Callbacks go to local hosts only. Raises UsageError."""
    problem = check_callback_url(url, (), https_only=False, allowed=())
    if problem is not None:
        raise click.UsageError(f"--to {url}: {problem.text}")
    host = urlsplit(url).hostname or ""
    if not looks_local(host):
        raise click.UsageError(f"--to: {host} is not a local host")


def _arrow(machine: Machine, event: str, previous: str | None) -> Arrow:
    """The change that a callback tells of. Raises UsageError."""
    told = [each for each in machine.arrows if set(each.takers) != {"client"}]
    targets = list(dict.fromkeys(each.to for each in told))
    if event not in targets:
        raise click.UsageError(
            f"no callback tells of '{event}'{did_you_mean(event, targets, listed=len(targets))}"
        )
    found = [each for each in told if each.to == event and previous in (None, each.from_)]
    if not found:
        origins = ", ".join(each.from_ for each in told if each.to == event)
        raise click.UsageError(f"--from {previous}: {event} follows {origins}")
    return found[0]


def _reason(machine: Machine, status: str, given: str | None) -> str | None:
    """Raises UsageError for one where there is none, or that is almost a preset's name."""
    usual = machine.statuses[status].reason or None
    if given is None:
        return usual
    if usual is None:
        raise click.UsageError(f"--reason: {status} has none")
    from plivo_sim.scenarios.rules import read_reason

    try:
        return read_reason(given)
    except ValueError as error:
        raise click.UsageError(f"--reason: {error}") from None


def _application(
    account: Account, status: str, id_: str | None, api: str, reason: str | None
) -> Application:
    """One of which no more is known than callbacks tell."""
    from plivo_sim.domain.records import Application, NumberType, Origin, UserType

    now = account.now()
    return Application(
        id=id_ or account.ids.next("application"),
        seq=account.next_seq(),
        origin=Origin(api),
        requirement_id="",
        country_iso="",
        number_type=NumberType.LOCAL,
        user_type=UserType.BUSINESS,
        alias="",
        end_user_id="",
        document_ids=(),
        status=status,
        rejection_reason=reason,
        created_at=now,
        updated_at=now,
    )


def _changed(account: Account, application: Application, previous: str) -> StatusChanged:
    from plivo_sim.domain.records import StatusChanged

    now = account.now()
    return StatusChanged(application=application, previous=previous, at=now, by_reviewer=True)


def _plain(request: Outgoing, answer: Answer) -> dict[str, Any]:
    return {
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "body": request.body.decode(),
        },
        "answer": {
            "status": answer.status,
            "body": answer.body,
            "error": answer.error,
            "latency_s": round(answer.latency_s, 6),
        },
    }


def _shown(request: Outgoing, answer: Answer) -> str:
    head = table(("header sent", "value"), request.headers)
    pairs = [("sent", f"{request.method} {request.url}"), ("body", request.body.decode())]
    pairs += [("answer", str(answer.status or answer.error)), ("its body", answer.body)]
    return f"{head}\n\n{values(pairs)}"
