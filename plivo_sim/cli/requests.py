"""``plivo-sim requests`` and ``coverage``: what was called, and what of the API was exercised."""

from __future__ import annotations

from typing import Any

import click

from plivo_sim.cli.ids import RecordId
from plivo_sim.cli.numbers import FloatRange
from plivo_sim.cli.shared import RefusedBySimulator, Target, instant, table, with_account


@click.command("requests")
@click.option("--id", "api_id", type=RecordId("request"), help="One request, by its api_id.")
@click.option("--unmatched", is_flag=True, help="Those that reached no account, and why.")
@click.option("--clear", is_flag=True, help="With --unmatched: forget them.")
@click.option("--again", is_flag=True, help="With --id: make the same call once more.")
@with_account
def requests_(
    target: Target, api_id: str | None, unmatched: bool, clear: bool, again: bool
) -> None:
    """List the last requests and the faults that affected them.

    With --unmatched, those of the whole server that reached no account: refused with 401, of a URL
    that there is not, or of a foreign host.
    """
    if unmatched or clear:
        if api_id or not unmatched:
            raise click.UsageError("--clear goes with --unmatched, --id with neither")
        if again:
            raise click.UsageError("--again goes with --id")
        answer = target.client.control("DELETE" if clear else "GET", "/unmatched")
        return target.show(answer, _unmatched)
    if again:
        if not api_id:
            raise click.UsageError("--again goes with --id")
        made = target.call("POST", f"/requests/{api_id}/resend")
        return target.show(made, lambda made: _requests({"requests": [made], "forgotten": 0}))
    answer = target.client.control("GET", "/requests", account=target.account, id=api_id)
    if target.account and not answer["requests"]:  # who only reads has requests, and no account
        target.check_account()
    return target.show(answer, _requests)


def _unmatched(answer: dict[str, Any]) -> str:
    rows = [
        (instant(each["at"]), each["headers"].get("Authorization", ""), each["method"], each["url"],
         each["status"], each["why"], each["nearest"])
        for each in answer["unmatched"]
    ]  # fmt: skip
    heads = ("at (real)", "as", "method", "url", "status", "why", "did you mean")
    return table(heads, rows, "every call reached an account") + _forgotten(answer)


def _forgotten(answer: dict[str, Any]) -> str:
    count = answer["forgotten"]
    return f"\n{count:,} older ones were forgotten" if count else ""


def _requests(answer: dict[str, Any]) -> str:
    rows = [
        (instant(each["at"]), each["method"], each["url"], each["status"], each["fault"],
         each["why"])
        for each in answer["requests"]
    ]  # fmt: skip
    heads = ("at", "method", "url", "status", "fault", "why")
    return table(heads, rows, "no request is remembered") + _forgotten(answer)


_PARTS = ("statuses", "transitions", "reasons", "errors", "callbacks")
"""What ``--of`` names: of these the simulator knows all that could happen."""


def _no_share(context: click.Context, parameter: click.Parameter, value: float | None) -> Any:
    """Refuse a share of 1, such as 0.5, where a percentage is wanted."""
    if value is not None and 0 < value < 1:
        text = (
            f"{value:g} is less than 1 percent; write {100 * value:g} for {100 * value:g} percent"
        )
        raise click.BadParameter(text)
    return value


@click.command()
@click.option("--clear", is_flag=True, help="Forget what was exercised, and start again.")
@click.option(
    "--fail-under",
    type=FloatRange(0, 100),
    metavar="PERCENT",
    callback=_no_share,
    help="Exit code 1 if less than this percentage of what could happen has been exercised.",
)
@click.option(
    "--of",
    type=click.Choice(_PARTS),
    multiple=True,
    help="What the share is of; by default, all of these.",
)
@with_account
def coverage(target: Target, clear: bool, fail_under: float | None, of: tuple[str, ...]) -> None:
    """Show what has been exercised since the start.

    Statuses, transitions, reasons, errors, states of callbacks, faults. The statuses are those of
    the account's machine; what is counted happened in any account. The last line is the share of
    what could happen; faults do not count.
    """
    if clear and fail_under is not None:
        raise click.UsageError("give one of --clear, --fail-under")
    answer = target.call("DELETE" if clear else "GET", "/coverage")
    parts = _exercised(answer)
    counted = [each for name in of or _PARTS for each in parts[name]]
    percent = 100 * sum(counted) / len(counted)
    share = f"{sum(counted)} of {len(counted)} exercised: {percent:.1f} %"
    target.show(answer, lambda answer: f"{_coverage(answer)}\n{share}")
    if fail_under is not None and percent < fail_under:
        raise RefusedBySimulator(f"{share}, which is under {fail_under:g} %")


def _exercised(answer: dict[str, Any]) -> dict[str, list[bool]]:
    """By part, whether each thing that could happen did."""
    return {
        "statuses": list(answer["statuses"].values()),
        "transitions": [each["count"] > 0 for each in answer["transitions"]],
        "reasons": [count > 0 for count in answer["rejection_reasons"]["presets"].values()],
        "errors": [count > 0 for count in answer["errors"].values()],
        "callbacks": [count > 0 for count in answer["callbacks"].values()],
    }


def _coverage(answer: dict[str, Any]) -> str:
    arrows = [
        ("transition", f"{each['from']} -> {each['to']}", each["count"])
        for each in answer["transitions"]
    ]
    reasons = answer["rejection_reasons"]
    rows = [
        *(("status", name, "seen" if seen else "-") for name, seen in answer["statuses"].items()),
        *arrows,
        *(("reason", name, count) for name, count in reasons["presets"].items()),
        *(("other reason", text[:60], count) for text, count in reasons["others"].items()),
        *(("error", status, count) for status, count in answer["errors"].items()),
        *(("callback", state, count) for state, count in answer["callbacks"].items()),
        *(("fault", name, count) for name, count in answer["faults"].items()),
    ]
    if forgotten := answer.get("forgotten"):
        rows.append(("forgotten", "transitions and reasons", forgotten))
    return table(("what", "which", "times"), rows)
