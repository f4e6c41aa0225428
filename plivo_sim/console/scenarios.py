"""The account's scenario: its rules and what they did, how to choose another; next outcomes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import msgspec
from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console import playing, plays, trying
from plivo_sim.console.actions import (
    Action,
    Build,
    Done,
    Form,
    just_refused,
    pressed,
    text_refused,
    yaml_of,
)
from plivo_sim.console.pages import open_account, show
from plivo_sim.control.presenters import explained
from plivo_sim.domain.records import Explanation
from plivo_sim.domain.typed import decode, once
from plivo_sim.scenarios import loader as library
from plivo_sim.scenarios.language import Comparison, Decision, Delay, Rule, Scenario, When
from plivo_sim.scenarios.matching import wanted_text
from plivo_sim.scenarios.rules import PRESETS, TOKENS, reason_of
from plivo_sim.services import policies
from plivo_sim.services.reviews import named_rules, times_fired
from plivo_sim.web.long_work import work_on

SHOWN_ATTEMPTS = 10
SHOWN_WAITING = 20
SCENARIO_FILE = "scenario.yaml"
LINES_OF_ROW = 10
"""Of the text in the editor, which take about as long to show as a row of other pages."""


def scenario_page(auth_id: str) -> Response:
    """The active scenario, what its rules did lately, and every way to choose another one."""
    account = open_account(auth_id)
    with account.lock:
        scenario = policies.scenario_of(account)
        attempts = [_attempt(account, each) for each in _latest(account)]
        waiting = account.store.policies.having("kind", "next_outcome")
        queue = [_in_words(decode(each.body, Decision)) for each in waiting[:SHOWN_WAITING]]
        rules = [
            _rule(account, *each, attempts) for each in (named_rules(scenario) if scenario else ())
        ]
        default = _in_words(scenario.default) if scenario and scenario.default else None
        tried = trying.shown_of(account)
        picture = trying.picture(account, rules, default, len(waiting), tried["told"])
    text, mistakes, warnings = _written(scenario)
    margin = margin_of(text, mistakes or warnings)
    return show(
        "scenario.html",
        account=account,
        rows=len(margin) // LINES_OF_ROW + sum(len(each["when"]) for each in rules),
        scenario=scenario,
        rules=rules,
        default=default,
        tried=tried,
        picture=picture,
        callbacks=msgspec.to_builtins(scenario.webhooks) if scenario else {},
        attempts=attempts,
        queue=queue,
        more=len(waiting) - len(queue),
        outcome=next((each.action.body for each in just_refused("next_outcome")), {}),
        shipped=shipped(),
        plays_here=plays.is_empty(account),
        place_for=plays.own_account,
        play=plays.plays().of(account),
        text=text,
        mistakes=mistakes,
        warnings=warnings,
        margin=margin,
        checked=any(each.action.operation == "check_scenario" for each in _just_done()),
        decisions=account.machine.outcomes,
        otherwise=account.machine.file.review.outcome,
        presets=PRESETS,
        tokens={token: _in_words(decision) for token, decision in TOKENS.items()},
    )


@once
def shipped() -> tuple[tuple[str, tuple[tuple[library.Card, str], ...]], ...]:
    """The scenarios that ship by theme, each with its text: rejections first."""
    themes: dict[str, list[tuple[library.Card, str]]] = {"Rejections": []}
    for card in library.shipped_cards():
        themes.setdefault(card.theme, []).append((card, library.shipped_text(card.name)))
    return tuple((theme, tuple(cards)) for theme, cards in themes.items())


def _just_done() -> tuple[Done, ...]:
    return pressed().done


Told = list[dict[str, Any]]


def _written(scenario: Scenario | None) -> tuple[str, Told, Told]:
    """The text in the editor, its mistakes, and what is warned of: what was refused or checked,
    else a beginning."""
    for done in _just_done():
        if done.action.operation == "check_scenario" and done.ok:
            return done.yaml, done.mistakes, done.warnings
    if refused := text_refused("use_scenario"):
        return refused.yaml, refused.mistakes, []
    warnings = [
        each
        for done in _just_done()
        if done.action.operation == "use_scenario"
        for each in done.warnings
    ]
    return _begun(scenario), [], warnings


def margin_of(text: str, mistakes: Told) -> list[str]:
    """What stands beside each line of the editor, for as many lines as it has."""
    margin = [""] * (text.count("\n") + 1)
    for each in mistakes:
        if 0 < each["line"] <= len(margin):
            told = ": ".join(filter(None, (each["path"].rpartition(".")[2], each["text"])))
            margin[each["line"] - 1] = "; ".join(filter(None, (margin[each["line"] - 1], told)))
    return margin


def _begun(scenario: Scenario | None) -> str:
    """The text in the editor: the shipped scenario of ``?edit=``, else the active one."""
    wanted = request.args.get("edit", "")
    if wanted in library.shipped_names():
        return library.shipped_text(wanted)
    if scenario is None:
        return ""
    import yaml  # here because a start needs none

    with work_on(scenario):
        plain: str = yaml.safe_dump(
            msgspec.to_builtins(scenario), sort_keys=False, allow_unicode=True, width=96
        )
        return plain


# --- what was decided lately -----------------------------------------------------------------


def _latest(account: Account) -> list[Explanation]:
    kept = account.store.explanations
    return kept.page({}, offset=max(0, len(kept) - SHOWN_ATTEMPTS), limit=SHOWN_ATTEMPTS).records[
        ::-1
    ]


def _attempt(account: Account, explanation: Explanation) -> dict[str, Any]:
    application = account.store.applications.fetch(explanation.application_id)
    return {**explained(explanation), "application": application}


def _rule(
    account: Account, name: str, rule: Rule, attempts: list[dict[str, Any]]
) -> dict[str, Any]:
    missed = [miss for each in attempts for miss in each["near_misses"] if miss["rule"] == name]
    return {
        "name": name,
        "when": conditions(rule.when),
        "then": _in_words(rule),
        "aimed": rule.when.application is not None,
        "times": rule.times,
        "fired": times_fired(account, name),
        "nearly": len(missed),
    }


# --- rules in words --------------------------------------------------------------------------


def conditions(when: When) -> list[str]:
    """What must hold for a rule, a sentence each; empty if it matches every submission."""
    sentences = []
    for name in When.__struct_fields__:
        test = getattr(when, name)
        if test is None:
            continue
        if name == "data_fields":
            sentences += [_condition(f"data field {key}", each) for key, each in test.items()]
        elif name == "any":
            sentences.append(f"any of: {'; or '.join(map(_together, test))}")
        elif name == "all":
            sentences += [_together(each) for each in test]
        elif name == "not_":
            sentences.append(f"not: {_together(test)}")
        else:
            sentences.append(_condition(name.replace("_", " "), test))
    return sentences


def _together(when: When) -> str:
    return " and ".join(conditions(when)) or "anything"


def _condition(name: str, test: Any) -> str:
    return f"{name} {'' if isinstance(test, Comparison) else 'is '}{wanted_text(test)}"


def _in_words(decision: Decision) -> dict[str, Any]:
    """A decision: its steps (status, when, reason), and the verdicts on single documents."""
    reasons = " ".join(reason_of(each) for each in (decision.reason, *decision.reasons) if each)
    first = {"status": decision.decide, "when": _delay(decision.after), "reason": reasons}
    then = [
        {"status": each.status, "when": f"{each.after} later", "reason": reason_of(each.reason)}
        for each in decision.then
    ]
    return {
        "steps": [first, *then] if decision.decide != "nothing" else [],
        "documents": [
            (word, verdict.status, reason_of(verdict.reason))
            for word, verdict in decision.documents.items()
        ],
    }


def _delay(after: str | Delay | None) -> str:
    if after is None:
        return "after the account's review delay"
    if isinstance(after, str):
        return f"after {after}"
    if after.at is not None:
        return f"at {after.at}"
    if after.between is not None:
        return f"after {after.between[0]} to {after.between[1]}"
    return f"after about {after.about}, give or take {after.give_or_take or '0s'}"


# --- buttons ---------------------------------------------------------------------------------


def use(form: Form) -> list[Action]:
    """A scenario that ships."""
    account, name = form.get("account", ""), form.get("name", "")
    return [
        Action(
            message=f"The account uses the scenario {name}.",
            operation="use_scenario",
            body={"name": name, "account": account},
            cli=("scenario", "use", name, "--account", account),
        )
    ]


def write(form: Form) -> list[Action]:
    """A scenario that was written in the editor."""
    account, text = form.get("account", ""), yaml_of(form)
    return [
        Action(
            message="The account uses the scenario that was written.",
            operation="use_scenario",
            body={"yaml": text, "account": account},
            cli=("scenario", "use", SCENARIO_FILE, "--account", account),
            written=(SCENARIO_FILE, text),
        )
    ]


def check(form: Form) -> list[Action]:
    """The mistakes in what was written, and what is doubtful in it; nothing is used."""
    account, text = form.get("account", ""), yaml_of(form)
    return [
        Action(
            message="The text was checked, and is not in use.",
            operation="check_scenario",
            body={"yaml": text, "account": account},
            cli=("scenario", "check", SCENARIO_FILE),
            written=(SCENARIO_FILE, text),
        )
    ]


def drop(form: Form) -> list[Action]:
    account = form.get("account", "")
    return [
        Action(
            message="The account has no scenario.",
            operation="drop_scenario",
            query={"account": account},
            cli=("scenario", "use", "--none", "--account", account),
        )
    ]


def next_outcome(form: Form) -> list[Action]:
    """What the next submission gets; empty fields are left out."""
    account = form.get("account", "")
    given = {
        "decide": form.get("decide", ""),
        "reason": form.get("reason", "").strip() or form.get("preset", ""),
        "after": form.get("after", "").strip(),
    }
    body = {name: text for name, text in given.items() if text}
    word = given["decide"].replace("_", " ")
    options = [(f"--{name}", body[name]) for name in ("reason", "after") if name in body]
    return [
        Action(
            message=f"The outcome of the next submission is queued: {word}.",
            operation="next_outcome",
            body={**body, "account": account},
            cli=("scenario", "next", *chain(*options), "--account", account),
            named=given["decide"],
        )
    ]


def clear_next(form: Form) -> list[Action]:
    account = form.get("account", "")
    return [
        Action(
            message="No outcome is queued any more.",
            operation="clear_next_outcomes",
            query={"account": account},
            cli=("scenario", "next", "--clear", "--account", account),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/scenario", scenario_page),
    *playing.PAGES,
]

ACTIONS: dict[str, Build] = {
    "use-scenario": use,
    "write-scenario": write,
    "check-scenario": check,
    "drop-scenario": drop,
    "next-outcome": next_outcome,
    "clear-next": clear_next,
    **playing.ACTIONS,
    **trying.ACTIONS,
}
