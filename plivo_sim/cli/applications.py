"""``plivo-sim apps``: the applications of an account, and a reviewer's decisions about them.

``plivo-sim evaluate`` and ``try``: what would become of an application, and a complete example.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from plivo_sim.cli.filing import correct, delete, file, submit
from plivo_sim.cli.shared import (
    MOST_SAID,
    Document,
    RefusedBySimulator,
    Target,
    WrongFile,
    exit_codes,
    id_argument,
    instant,
    page_options,
    say,
    shape_of_answers,
    table,
    token_option,
    url_option,
    values,
    with_account,
    with_holder,
)
from plivo_sim.cli.user_files import bytes_of_file, text_of_file
from plivo_sim.cli.words import COUNTRIES, DECIDABLE, REASONS, STATUSES
from plivo_sim.client import Client
from plivo_sim.client.applications import (
    ACME,
    SAMPLE_PROOFS,
    CreateRequest,
    create_request,
    requirement_of,
    sample_business,
    write_samples,
)
from plivo_sim.domain.limits import BODY
from plivo_sim.domain.machine import ByHand
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.text import curl_file, shell_word
from plivo_sim.domain.urls import reached_at
from plivo_sim.machines.loader import known_machine
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.variables import RUN_ID

MACHINE = known_machine()
"""Whose decisions are commands here; an account may have another in use."""


def _choice(words: Iterable[str]) -> click.Choice[str]:
    return click.Choice([str(each) for each in words])


@click.group()
def apps() -> None:
    """List applications, explain, decide, file and correct them."""


@apps.command("list")
@click.option(
    "--status",
    metavar="STATUS",
    type=STATUSES,
    multiple=True,
    help=f"Only with this status: {', '.join(MACHINE.statuses)}, or another of the machine in use.",
)
@click.option(
    "--country", metavar="XX", type=COUNTRIES, multiple=True, help="Only from this country."
)
@click.option("--number-type", type=_choice(NumberType), multiple=True, help="Only for these.")
@click.option("--user-type", type=_choice(UserType), multiple=True, help="Only by these.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, for a sheet.")
@page_options
@with_account
def list_(
    target: Target,
    status: tuple[str, ...],
    country: tuple[str, ...],
    number_type: tuple[str, ...],
    user_type: tuple[str, ...],
    as_csv: bool,
    limit: int,
    offset: int,
) -> None:
    """List applications, oldest first. A filter that is given twice matches either value."""
    if as_csv and target.as_json:
        raise click.UsageError("give one of --csv, --json")
    answer = target.get(
        "/applications",
        status=status,
        country_iso=country,
        number_type=number_type,
        user_type=user_type,
        limit=limit,
        offset=offset,
    )
    filtered = any((status, country, number_type, user_type))
    empty = f"no application in {target.where}{' matches the filters' if filtered else ''}"
    if as_csv:
        say(Document(_csv(answer["applications"])), nl=False)
        if more := _more(answer):
            say(more.strip(), err=True)
        return
    target.show(answer, lambda answer: _list(answer, empty))


_CSV = (
    "id", "status", "country_iso", "number_type", "user_type", "submitted_at", "alias", "attempt",
    "rejection_reason", "callback_url", "origin", "account",
)  # fmt: skip


def _csv(applications: list[dict[str, Any]]) -> str:
    """A line for each below their names, which are those of the control API. A spreadsheet would
    take some texts for formulas; a quote before them says that they are texts, as OWASP advises."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for each in applications:
        writer.writerow({name: _as_text(value) for name, value in each.items()})
    return text.getvalue()


def _as_text(value: Any) -> Any:
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula else value


def _more(answer: dict[str, Any]) -> str:
    shown, total = len(answer["applications"]), answer["total_count"]
    return f"\n{shown} of {total}; see --limit and --offset" if total > shown else ""


def _list(answer: dict[str, Any], empty: str) -> str:
    rows = [
        (
            each["id"],
            each["status"],
            each["country_iso"],
            each["number_type"],
            each["user_type"],
            instant(each["submitted_at"]),
            each["alias"],
        )
        for each in answer["applications"]
    ]
    heads = ("id", "status", "country", "number", "user", "submitted", "alias")
    return table(heads, rows, empty) + _more(answer)


@apps.command()
@id_argument("application")
@with_holder
def show(target: Target, id: str) -> None:
    """Show an application: its timeline, and what comes next."""
    target.show(target.get(f"/applications/{id}"), _application)


def _application(answer: dict[str, Any]) -> str:
    kind = f"{answer['country_iso']} {answer['number_type']} {answer['user_type']}"
    parts = [
        values(
            [
                ("id", answer["id"]),
                ("account", answer["account"]),
                ("alias", answer["alias"]),
                ("kind", kind),
                ("made through", answer["origin"]),
                ("status", answer["status"]),
                ("reason", answer["rejection_reason"]),
                ("attempt", answer["attempt"]),
                ("callback", answer["callback_url"]),
            ]
        ),
        answer["verdict"],
        _timeline(answer["timeline"]),
    ]
    if answer["next"]:
        rows = [
            (instant(step.get("at")) or f"{step['after']} later", step["status"], step["why"])
            for step in answer["next"]
        ]
        parts.append(table(("next", "status", "why"), rows))
    return "\n\n".join(parts)


def _timeline(timeline: list[dict[str, Any]]) -> str:
    rows = [
        (instant(each["at"]), each["status"], each["by"], each["why"], each["reason"])
        for each in timeline
    ]
    return table(("at", "status", "by", "why", "reason"), rows)


@apps.command()
@id_argument("application")
@with_holder
def why(target: Target, id: str) -> None:
    """Explain where it stands, and how each attempt was decided.

    Shows the rule that matched, why the others did not, and what an attempt changed.
    """
    target.show(target.get(f"/applications/{id}/why"), _why)


def _why(answer: dict[str, Any]) -> str:
    parts = [f"{answer['id']} is {answer['status']}", answer["verdict"]]
    for each in answer["attempts"]:
        how = "decided" if each["decided"] else "to be decided"
        text = f"attempt {each['attempt']}: {how} by {each['decided_by']}"
        if each["rules"]:
            rows = [(rule["rule"], rule["matched"], rule["why"]) for rule in each["rules"]]
            text += f"\n{table(('rule', 'matched', 'why'), rows)}"
        if each["changed"]:
            changed = [(one["path"], one["before"], one["after"]) for one in each["changed"]]
            text += f"\n{table(('changed', 'before', 'now'), changed)}"
        parts.append(text)
    return "\n\n".join(parts)


# --- decisions -------------------------------------------------------------------------------

_REASON = f"which the applicant sees: a text, or one of {', '.join(PRESETS)}."
_REASON_HELP = f"The same as REASON, {_REASON}"


def _decision(status: str, how: ByHand) -> click.Command:
    def decision(
        target: Target, id: str, why: str | None = None, reason: str | None = None
    ) -> None:
        if why and reason:
            raise click.UsageError("give one of REASON, --reason")
        if how.only_from:
            found = target.get(f"/applications/{id}")["status"]
            if found not in how.only_from:
                text = f"cannot {how.command} application {id} in status {found}"
                raise RefusedBySimulator(text)
        _decide(target, id, status, why or reason)

    command: Callable[..., Any] = with_holder(decision)
    if MACHINE.statuses[status].reason:
        command = click.option("--reason", metavar="TEXT", type=REASONS, help=_REASON_HELP)(command)
        command = click.argument("why", metavar="REASON", type=REASONS, required=False)(command)
    return click.command(how.command, help=how.help)(id_argument("application")(command))


for _status in MACHINE.decidable:
    for _how in MACHINE.ways_to(_status):
        apps.add_command(_decision(_status, _how))


@apps.command()
@id_argument("application")
@click.argument("status", type=DECIDABLE)
@click.option("--reason", metavar="TEXT", type=REASONS, help=f"The reason, {_REASON}")
@with_holder
def decide(target: Target, id: str, status: str, reason: str | None) -> None:
    """Decide for any status of the machine in use.

    There must be an arrow to it that is taken by hand; plivo-sim machine show lists them.
    """
    _decide(target, id, status, reason)


def _decide(target: Target, id: str, status: str, reason: str | None = None) -> None:
    body = {"status": status, **({"reason": reason} if reason else {})}
    answer = target.post(f"/applications/{id}/decision", body)
    target.show(answer, lambda answer: f"{answer['id']} is {answer['status']}")


for _command in (file, correct, submit, delete):
    apps.add_command(_command)


File = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("data", type=File)
@click.option(
    "--file",
    "files",
    type=File,
    multiple=True,
    help="File of a document; give one for each document of DATA, in the same order.",
)
@with_account
def evaluate(target: Target, data: Path, files: tuple[Path, ...]) -> None:
    """Show what would happen to an application, and why.

    Nothing is created. DATA is a file with the JSON of the SDK's ``data``.
    """
    text = text_of_file(data, BODY)
    try:
        json.loads(text)
    except ValueError as error:
        raise WrongFile(f"{data}: {error}") from None
    form: Any = [("data", text)]
    form += [
        (f"documents[{index}].file", (file.name, bytes_of_file(file, BODY)))
        for index, file in enumerate(files)
    ]
    if target.account:
        target.check_account()
    client = Client(target.client.url, target.account or "")
    target.show(client.evaluate(form), _evaluated)


def _evaluated(answer: dict[str, Any]) -> str:
    if answer["would"] == "refused":
        head = values([("would be", "refused"), ("with", answer["status"])])
        rows = [(each["path"], each["message"]) for each in answer["problems"]]
        return f"{head}\n\n{table(('path', 'problem'), rows)}"
    pairs = [("would be", answer["would"]), ("by", answer["by"])]
    pairs += [(f"after {each['after']}", each["status"]) for each in answer["steps"]]
    rules = [(each["rule"], each["matched"], each["why"]) for each in answer["rules"]]
    return values(pairs) + (f"\n\n{table(('rule', 'matched', 'why'), rules)}" if rules else "")


# --- one complete application ----------------------------------------------------------------

Say = Callable[[str], Any]
MOST_LISTED = 50
"""Entries of a list: no simulator gives more here."""


def run_try(client: Client, token: str, say: Say, samples: Path | None = None) -> None:
    """Create an application, wait for its review in simulated time, show the result. ``samples``:
    the folder in which the sample files are, if they were written. Raises RefusedBySimulator if no
    callback came."""
    requirements = client.compliance(
        "GET", "Requirements/?country_iso=IN&number_type=local&user_type=business"
    )
    inbox = f"/inbox/{client.auth_id}"
    called_back = f"{reached_at(client.url)}/_sim{inbox}"
    applicant = sample_business(ACME, alias="Acme, Mumbai office", callback_url=called_back)
    request = create_request(applicant, requirement_of(requirements))
    if _is_callback_refused(client, request):
        _call_account_back(client, called_back)
        request = create_request(replace(applicant, callback_url=""), requirement_of(requirements))
    proofs = [str((samples or Path()) / name) for name in SAMPLE_PROOFS]
    if samples is None:
        say("# plivo-sim try --samples . writes the files that the next two need")
    say(_curl(client, token, request.data, proofs))
    say(_sdk_code(client, token, request.data, proofs))
    made = client.compliance("POST", form=request.form)
    id = made["compliance_id"]
    say(f"\n# Answer\n{json.dumps(made, indent=2)[:MOST_SAID]}")
    until = {"application": id, "status": MACHINE.outcomes[0]}
    client.control("POST", "/clock/advance", {"until": until, "account": client.auth_id})
    say("\n# Timeline")
    for change in client.control("GET", f"/applications/{id}")["timeline"][:MOST_LISTED]:
        say(f"{change['at']}  {change['status']:<10} {change['why']}"[:MOST_SAID])
    say("\n# Callbacks received")
    came = client.control("GET", f"{inbox}/messages")["messages"][-MOST_LISTED:]
    shown = [message for message in came if id in message["body"]]
    for message in shown:
        say(message["body"][:MOST_SAID])
        signature = message["headers"]["X-Plivo-Signature-V3"]
        say(f"  X-Plivo-Signature-V3: {signature}"[:MOST_SAID])
    if not shown:
        say(_elsewhere(client, id)[:MOST_SAID])


def _is_callback_refused(client: Client, request: CreateRequest) -> bool:
    """Whether a strict simulator wants another callback URL: https, which the inbox has not."""
    told = client.evaluate(request.form)
    return any(each["path"].endswith("callback_url") for each in told.get("problems") or ())


def _call_account_back(client: Client, url: str) -> None:
    """Make it the callback URL of the account, which may be http, unless it has one."""
    account = {"auth_id": client.auth_id}
    if not client.control("POST", "/accounts", account)["settings"].get("callback_url"):
        client.control("POST", "/accounts", account | {"settings": {"callback_url": url}})


def _elsewhere(client: Client, id: str) -> str:
    """Where a callback of the application was taken, which did not come to the inbox. Raises
    RefusedBySimulator if none was, with the reason of the last attempt."""
    webhooks = client.control("GET", "/webhooks", application=id, account=client.auth_id)
    found = webhooks["webhooks"]
    for each in found:
        if each["state"] == "delivered":
            return f"{each['url']} took it"
    if not found:
        raise RefusedBySimulator("no callback was sent")
    last = found[-1]
    told = last["why"]
    for attempt in last["attempts"][-1:]:
        told = attempt["error"] or f"answered {attempt['status']}"
    raise RefusedBySimulator(
        f"no callback came; that to {last['url']} is {last['state']}: {told}"[:MOST_SAID]
    )


def _curl(client: Client, token: str, data: Mapping[str, Any], proofs: Sequence[str]) -> str:
    files = [f"documents[{i}].file=@{curl_file(path)}" for i, path in enumerate(proofs)]
    lines = [
        f"curl -u {shell_word(f'{client.auth_id}:{token}')}",
        shell_word(f"{client.url}/v1/Account/{client.auth_id}/PhoneNumber/Compliance/"),
        *(f"-F {shell_word(each)}" for each in (f"data={json.dumps(data)}", *files)),
    ]
    return "# curl\n" + " \\\n  ".join(lines)


def _sdk_code(client: Client, token: str, data: Mapping[str, Any], proofs: Sequence[str]) -> str:
    return f"""
# plivo for Python
import plivo, plivo.rest.client
plivo.rest.client.PLIVO_API_BASE_URI = {f"{client.url}/v1/Account"!r}
client = plivo.RestClient({client.auth_id!r}, {token!r})
client.phone_number_compliance.create(
    data={data!r},
    documents={list(proofs)!r},
)"""


def _of_run(context: click.Context, parameter: click.Parameter, auth_id: str) -> str:
    """The callback of ``--auth-id``: where it was not given, an account of this run, if it has an
    id."""
    from plivo_sim.client.replay import account_of

    is_given = context.get_parameter_source(str(parameter.name)) is not ParameterSource.DEFAULT
    run_id = os.environ.get(RUN_ID, "")
    return auth_id if is_given or not run_id else account_of("plivo-sim try", run_id)


@click.command("try")
@url_option
@click.option(
    "--auth-id",
    default="MATRYTRYTRYTRYTRYTRY",
    show_default=True,
    callback=_of_run,
    help="Account that applies; where PLIVO_SIM_RUN_ID is set, by default one of that run.",
)
@token_option("Its auth token.")
@click.option("--samples", type=click.Path(path_type=Path), help="Also write sample files there.")
def try_(url: str, auth_id: str, token: str, samples: Path | None) -> None:
    """Send one complete application and show what happens.

    Prints the curl command, the SDK code, the timeline and the callback of an Indian business's
    application. Where the simulator is strict and takes https callback URLs only, the inbox
    becomes that of the account. On a shared server, each job sets PLIVO_SIM_RUN_ID to a value of
    its own, so that it has an account of its own. Exit code 1 when no callback came, with the
    reason.
    """
    if samples is not None:
        for path in write_samples(samples):
            say(f"wrote {path}")
    with exit_codes(), shape_of_answers(url):
        run_try(Client(url, auth_id, token), token, say, samples)
