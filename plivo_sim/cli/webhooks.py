"""``plivo-sim webhooks``: the callbacks of an account, each with every attempt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.ids import RecordId
from plivo_sim.cli.shared import (
    Document,
    RefusedBySimulator,
    Target,
    WrongFile,
    id_argument,
    instant,
    not_empty,
    page_options,
    table,
    values,
    with_account,
    with_new_account,
    with_simulator,
)
from plivo_sim.cli.user_files import problems_of, text_of_file
from plivo_sim.domain.records import DeliveryState, standing

PAGE = 500
_STATES = click.Choice(list(map(str, DeliveryState)))


@click.group()
def webhooks() -> None:
    """List callbacks, send them again, spoil them; check signatures."""


@webhooks.command("list")
@click.option(
    "--application",
    type=RecordId("application"),
    metavar="ID",
    help="Only those of this application.",
)
@click.option("--state", type=_STATES, help="Only those in this state.")
@page_options
@with_account
def list_(
    target: Target, application: str | None, state: str | None, limit: int, offset: int
) -> None:
    """List callbacks, oldest first."""
    answer = target.get(
        "/webhooks", application=application, state=state, limit=limit, offset=offset
    )
    empty = f"no callback in {target.where}{' matches the filters' if application or state else ''}"
    target.show(answer, lambda answer: _list(answer, empty))


def _list(answer: dict[str, Any], empty: str) -> str:
    shown, total = answer["webhooks"], answer["total_count"]
    more = f"\n{len(shown)} of {total}; see --limit and --offset" if total > len(shown) else ""
    return _table(shown, empty) + more


def _table(deliveries: list[dict[str, Any]], empty: str) -> str:
    rows = [
        (
            each["id"],
            instant(each["created_at"]),
            standing(each["state"], len(each["attempts"]), each["retries"]),
            len(each["attempts"]),
            each["attempts"][-1]["status"] if each["attempts"] else None,
            each["application"],
            each["url"],
        )
        for each in deliveries
    ]
    heads = ("id", "made", "state", "attempts", "answer", "application", "url")
    blocked = [
        f"{each['id']}: {each['why']}"
        for each in deliveries
        if each["state"] == DeliveryState.BLOCKED
    ]
    return "\n".join([table(heads, rows, empty), *blocked])


@webhooks.command()
@id_argument("webhook")
@with_account
def show(target: Target, id: str) -> None:
    """Show what was sent, and what each attempt was answered."""
    target.show(target.get(f"/webhooks/{id}"), _delivery)


def _delivery(answer: dict[str, Any]) -> str:
    attempts = answer["attempts"]
    head = values(
        [
            ("id", answer["id"]),
            ("application", answer["application"]),
            ("target", f"{answer['method']} {answer['url']}"),
            ("state", standing(answer["state"], len(attempts), answer["retries"])),
            ("why", answer["why"]),
            *((f"payload {name}", text) for name, text in answer["payload"].items()),
        ]
    )
    rows = [
        (
            instant(each["at"]),
            each["status"] or each["error"],
            f"{each['latency_s'] * 1000:.0f} ms",
            each["answer"] + (f" ({each['damage']})" if each["damage"] else ""),
        )
        for each in attempts
    ]
    pending = answer["state"] == DeliveryState.PENDING
    empty = "it has not been sent yet" if pending else "it was not sent"
    parts = [head, table(("attempt at", "answer", "took", "body"), rows, empty)]
    if attempts:
        parts.append(table(("header sent last", "value"), attempts[-1]["headers"].items()))
        if attempts[-1]["status"] in (401, 403):
            parts.append(_REFUSED)
    return "\n\n".join(parts)


_REFUSED = (
    "the receiver refused it: if its signature check failed, webhooks verify-signature says why.\n"
    "The fields are JSON here; a receiver that gives a form's fields to the validator needs\n"
    "account set callback_encoding=form"
)


@webhooks.command()
@click.argument("id", type=RecordId("webhook"), required=False)
@click.option("--all", "all_", is_flag=True, help="Every callback of the account.")
@click.option(
    "--application",
    type=RecordId("application"),
    metavar="ID",
    help="With --all: only those of this application.",
)
@click.option("--state", type=_STATES, help="With --all: only those in this state.")
@with_account
def replay(
    target: Target, id: str | None, all_: bool, application: str | None, state: str | None
) -> None:
    """Send a callback again, as a new one; or all of them."""
    if bool(id) == all_:
        raise click.UsageError("give one of ID, --all")
    if not all_ and (application or state):
        raise click.UsageError("--application and --state go with --all")
    if id:
        target.show(target.post(f"/webhooks/{id}/replay"), lambda made: _table([made], ""))
        return
    found = list(_every(target, application, state))
    made = [target.post(f"/webhooks/{each['id']}/replay") for each in found]
    target.show(
        {"webhooks": made},
        lambda answer: _table(answer["webhooks"], "no callback matches; none was sent again"),
    )


def _every(target: Target, application: str | None, state: str | None) -> Iterator[dict[str, Any]]:
    """All the callbacks of a filter, page by page."""
    offset = 0
    while True:
        answer = target.get(
            "/webhooks", application=application, state=state, limit=PAGE, offset=offset
        )
        yield from answer["webhooks"]
        offset += PAGE
        if offset >= answer["total_count"]:
            return


# --- signatures ------------------------------------------------------------------------------


@webhooks.command("verify-signature")
@click.argument("received_url", callback=not_empty)
@click.option("--method", default="POST", show_default=True, help="Of the request.")
@click.option("--nonce", default="", help="The header X-Plivo-Signature-V3-Nonce (or V2-Nonce).")
@click.option("--v2", default="", help="The header X-Plivo-Signature-V2.")
@click.option("--v3", default="", help="The header X-Plivo-Signature-V3.")
@click.option("--ma-v3", default="", help="The header X-Plivo-Signature-Ma-V3.")
@click.option("--body", default="", help="The body; @FILE reads it from a file.")
@click.option(
    "--token", help="What the receiver checks with; default: the tokens that the account used."
)
@with_account
def verify_signature(
    target: Target,
    received_url: str,
    method: str,
    nonce: str,
    v2: str,
    v3: str,
    ma_v3: str,
    body: str,
    token: str | None,
) -> None:
    """Say which signatures of a callback are valid, and why not.

    It also says what they cover.

    RECEIVED_URL is the URL that the receiver checks with. Exit code 1: one of those given is not
    valid.
    """
    given = {"v2": v2, "v3": v3, "ma_v3": ma_v3}
    given = {version: text for version, text in given.items() if text}
    if not given:
        raise click.UsageError("give one of --v2, --v3, --ma-v3")
    headers = {f"X-Plivo-Signature-{each.replace('_', '-')}": given[each] for each in given}
    headers |= {f"X-Plivo-Signature-{each}-Nonce": nonce for each in ("V2", "V3")}
    request = {
        "method": method,
        "url": received_url,
        "headers": headers,
        "body": text_of_file(Path(body[1:])) if body.startswith("@") else body,
        "token": token,
    }
    found = target.post("/webhooks/verify-signature", request)
    target.show({each: found[each] for each in given}, _verdicts)
    if not all(found[each]["valid"] for each in given):
        raise click.exceptions.Exit(RefusedBySimulator.exit_code)


def _verdicts(answer: dict[str, Any]) -> str:
    return values(
        (
            version.upper().replace("MA_", "Ma-"),
            f"valid: {verdict['covers']}"
            if verdict["valid"]
            else f"not valid: {'; '.join(verdict['wrong'])}",
        )
        for version, verdict in answer.items()
    )


# --- policy ----------------------------------------------------------------------------------


@webhooks.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--drop",
    is_flag=True,
    help="Return to the policy of the scenario.",
)
@with_new_account
def policy(target: Target, file: Path | None, drop: bool) -> None:
    """Show, set or drop the policy for callbacks.

    It has retries, delays, lost callbacks and duplicates. FILE is YAML or JSON, and says the same
    as `webhooks` in a scenario file, with or without that key. It replaces the policy of the
    active scenario.
    """
    if file and drop:
        raise click.UsageError("give one of FILE, --drop")
    if file is None:
        target.show(target.call("DELETE" if drop else "GET", "/webhooks/policy"), _policy)
        return
    body = _read_policy(file)
    with problems_of(file, target.as_json):
        target.show(target.post("/webhooks/policy", body), _policy)


def _read_policy(file: Path) -> dict[str, Any]:
    from plivo_sim.catalogue.yaml_text import plain_yaml  # here because it needs YAML

    try:
        policy = plain_yaml(text_of_file(file))
    except ValueError as error:
        raise WrongFile(f"{file}: {error}") from None
    if isinstance(policy, dict) and list(policy) == ["webhooks"]:
        policy = policy["webhooks"]
    if not isinstance(policy, dict):
        raise WrongFile(f"{file}: expected keys such as 'delay: 10m'")
    return policy


def _policy(answer: dict[str, Any]) -> Document:
    """As YAML, as a file would have it. Raises TypeError for what is no policy."""
    import yaml  # here because a start needs none

    from plivo_sim.scenarios.language import WebhookPolicy

    WebhookPolicy(**answer)
    text: str = yaml.safe_dump({"webhooks": answer}, sort_keys=False, allow_unicode=True)
    return Document(text.rstrip())


@webhooks.command()
@click.argument("name", callback=not_empty)
@click.option("--clear", is_flag=True, help="Delete the messages in it.")
@with_simulator
def inbox(target: Target, name: str, clear: bool) -> None:
    """Show what the built-in inbox NAME received.

    URL/_sim/inbox/NAME is its address, a callback_url for those who have no receiver. All accounts
    share it.
    """
    method = "DELETE" if clear else "GET"
    target.show(target.call(method, f"/inbox/{name}/messages"), _messages)


def _messages(answer: dict[str, Any]) -> str:
    rows = [
        (number, each["method"], each["url"], each["body"])
        for number, each in enumerate(answer["messages"], answer["forgotten"] + 1)
    ]
    told = table(("message", "method", "url", "body"), rows, "there is nothing in this inbox")
    if answer["forgotten"]:
        told += f"\n{answer['forgotten']:,} older ones were forgotten"
    if answer["uncertain"]:
        told += (
            "\nnobody can tell whether there were more: inboxes that were not used for long went,"
            f" with {answer['uncertain']:,} messages (--clear: from then on it can be told)"
        )
    return told
