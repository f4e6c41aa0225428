"""``plivo-sim account move``: an account, all of it, from one server to another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from plivo_sim.cli.shared import as_json as text_of
from plivo_sim.cli.shared import exit_codes, json_option, say, shape_of_answers, table
from plivo_sim.client import Client, Refused, Unreachable
from plivo_sim.domain.serving import ServingRule, read_rule
from plivo_sim.simulator import is_account

if TYPE_CHECKING:
    _Pair = click.ParamType[tuple[str, ServingRule]]
else:  # click has generic types since 8.2 only
    _Pair = click.ParamType


class _Rule(_Pair):
    name = "rule"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ServingRule]:
        url, sign, text = str(value).partition("=")
        if not (url and sign):
            self.fail("write URL=RULE, such as http://127.0.0.1:8701='*[0-7]'", param, ctx)
        try:
            return url, read_rule(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("accounts", metavar="[MA...]...", nargs=-1)
@click.option("--from", "source", metavar="URL", required=True, help="The server that has them.")
@click.option("--to", "target", metavar="URL", help="The server that they move to.")
@click.option(
    "--ring",
    metavar="URL=RULE",
    multiple=True,
    type=_Rule(),
    help="In place of --to, once for each server: its URL and its --serves. Each account moves to"
    " the server whose it is, and those of --from stay. Without MA..., all accounts are meant.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would move where.")
@json_option
def move(
    accounts: tuple[str, ...],
    source: str,
    target: str | None,
    ring: tuple[tuple[str, ServingRule], ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move accounts to another server: all that they are.

    Records, files, clock, timers, machine, settings, scenario, faults, webhook policy, next
    outcomes, tokens, snapshots, the last requests, and the messages that inboxes got from them.
    While an account moves, and afterwards, the old server answers its calls with 421. If anything
    goes wrong it is used there again, as it was; where the new server has it, or may have it, it
    stays out of use there, and the same command once more goes on. How often faults have struck,
    what buttons of the console can undo, and the list of control calls do not move; nor do hosts of
    its allow_callback_hosts that the new server's own --allow-callback-hosts does not have.
    """
    if bool(target) == bool(ring):
        raise click.UsageError("give one of --to, --ring")
    if target and not accounts:
        raise click.UsageError("name the accounts, or give --ring")
    for auth_id in accounts:
        if not is_account(auth_id):
            raise click.BadParameter(f"{auth_id!r} is not MA and 18 letters or digits")
    with exit_codes(as_json), shape_of_answers(source):
        old = Client(source)
        chosen = accounts or _all_of(old)
        plan = _plan(chosen, old.url, target, ring)
        for auth_id, url in () if dry_run else plan:
            _move(old, Client(url), auth_id)
    shown = [{"account": auth_id, "from": old.url, "to": url} for auth_id, url in plan]
    if as_json:
        say(text_of({"moved": [] if dry_run else shown, "planned": shown}))
        return
    verb = "would move" if dry_run else "moved"
    rows = [(each["account"], verb, each["to"]) for each in shown]
    say(table(("account", "", "to"), rows, f"nothing to move: {len(chosen)} stay"))


def _all_of(server: Client) -> tuple[str, ...]:
    return tuple(each["auth_id"] for each in server.control("GET", "/accounts")["accounts"])


def _plan(
    accounts: Sequence[str],
    source: str,
    target: str | None,
    ring: Sequence[tuple[str, ServingRule]],
) -> list[tuple[str, str]]:
    """Which account goes to which URL. Raises UsageError for a ring with a gap or an overlap."""
    plan = []
    for auth_id in accounts:
        urls = [Client(url).url for url, rule in ring if rule.serves(auth_id)]
        if target:
            urls = [Client(target).url]
        if len(urls) != 1:
            several = f"is served by {' and '.join(urls)}" if urls else "is served by none of these"
            raise click.UsageError(f"account {auth_id} {several}")
        if urls[0] != source:
            plan.append((auth_id, urls[0]))
    return plan


def _move(old: Client, new: Client, auth_id: str) -> None:
    """Raises Refused, Unreachable; then the old server has the account as before. Raises
    ClickException where it has it, but keeps it out of use, and says why and how to go on."""
    new.ready()
    drawn = uuid4().hex
    with _telling(f"{old.url} may keep {auth_id} out of use: {AGAIN}", Unreachable):
        body = {"to": new.url, "move": drawn}
        given = old.control("POST", "/handover", body, account=auth_id)
    if given["to"] != new.url:
        raise click.ClickException(
            f"{auth_id} is being moved to {given['to']}, and may be there already: name that one."
            f" {_way_back(old, given['to'], auth_id)}"
        )
    interrupt, holds = None, None
    try:
        holds = _take_over(old, new, auth_id, given)
    except BaseException as error:
        is_refused = isinstance(error, Refused) and error.status < 500
        if (is_refused and given["move"] == drawn) or not _is_there(old, new, auth_id, given):
            _give_back(old, auth_id)
            raise
        interrupt = error if not isinstance(error, Refused | Unreachable) else None
    _complete(old, new, auth_id, given, holds)
    with _telling(f"{auth_id} is at {new.url}, and {old.url} may keep it, out of use: {AGAIN}"):
        old.control("POST", "/handover/end", {"moved": True}, account=auth_id)
    if left_out := (holds or {}).get("hosts_left_out"):
        text = f"{auth_id}: its callbacks go no more to {', '.join(left_out)}"
        say(f"{text}, which {new.url} does not allow (--allow-callback-hosts)", err=True)
    if left_out := (holds or {}).get("inboxes_left_out"):
        text = f"{auth_id}: the messages of {len(left_out):,} inboxes did not come along"
        say(f"{text}: {new.url} has no room for more inboxes", err=True)
    if interrupt is not None:
        raise interrupt


AGAIN = "call this command again"


def _way_back(old: Client, new_url: str, auth_id: str) -> str:
    return (
        f"To use it at {old.url} again, once you know that {new_url} does not have it: POST"
        f' {old.url}/_sim/handover/end?account={auth_id} with {{"moved": false}}'
    )


@contextmanager
def _telling(state: str, kind: type[BaseException] = BaseException) -> Iterator[None]:
    """What the state is, when this is raised within."""
    try:
        yield
    except kind as error:
        raise click.ClickException(f"{str(error) or 'interrupted'}; {state}") from None


def _take_over(old: Client, new: Client, auth_id: str, given: Any) -> Any:
    """How much the new server holds then."""
    for name in given["snapshots"]:  # one that cannot be given is told before anything has moved
        old.control("GET", "/handover", account=auth_id, name=name)
    document = old.control("GET", "/handover", account=auth_id)
    taken = {"snapshot": document, "rest": given["rest"], "move": given["move"]}
    return new.control("POST", "/takeover", taken, account=auth_id)


def _is_there(old: Client, new: Client, auth_id: str, given: Any, *, undo: bool = False) -> bool:
    """Whether the new server has it by this move, for who has no answer of the takeover; if not, it
    takes it over no more. ``undo``: it gives it up first, unless something was written there."""
    unknown = (
        f"so it is not known whether {new.url} has {auth_id}; {old.url} keeps it, out of use; when"
        f" {new.url} answers, {AGAIN}. {_way_back(old, new.url, auth_id)}"
    )
    with _telling(unknown):
        body = {"move": given["move"], "undo": undo}
        return bool(new.control("POST", "/takeover/end", body, account=auth_id)["taken"])


def _give_back(old: Client, auth_id: str) -> None:
    with _telling(f"{old.url} may keep {auth_id} out of use: {AGAIN}"):
        old.control("POST", "/handover/end", {"moved": False}, account=auth_id)


def _complete(old: Client, new: Client, auth_id: str, given: Any, holds: Any) -> None:
    """Bring along what a takeover does not: its snapshots. ``holds``: see ``_take_over``; None if
    that is not known."""
    missing = list(given["snapshots"])
    try:
        known = new.control("GET", "/snapshots", account=auth_id)["snapshots"]
        there = {each["name"] for each in known}
        missing = [name for name in missing if name not in there]
        while missing:
            document = old.control("GET", "/handover", account=auth_id, name=missing[0])
            kept = {"name": missing[0], "snapshot": document, "move": given["move"]}
            new.control("POST", "/snapshot", kept, account=auth_id)
            del missing[0]
        counts = {name: n for name, n in given["holds"].items() if isinstance(n, int)}
        lacking = [name for name, n in counts.items() if holds is not None and holds[name] != n]
        if lacking:
            raise Refused(500, f"{new.url} has another number of {', '.join(lacking)}")
    except BaseException:
        if _is_there(old, new, auth_id, given, undo=True):
            with _telling(_not_whole(old, new, auth_id, missing)):
                raise
        _give_back(old, auth_id)
        raise


def _not_whole(old: Client, new: Client, auth_id: str, missing: list[str]) -> str:
    lacks = f", without the snapshots {', '.join(missing)}" if missing else ""
    return (
        f"{auth_id} is at {new.url}, not whole{lacks}, and stays, as it was written to there;"
        f" {old.url} keeps it, out of use; {AGAIN}. To leave it so: POST"
        f" {old.url}/_sim/handover/end?account={auth_id} with"
        ' {"moved": true}'
    )
