"""The rules as a flow, and a dry run: which of them would decide a submission, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from plivo_sim.account.account import Account
from plivo_sim.catalogue.yaml_text import plain_yaml
from plivo_sim.console.actions import Action, Build, Done, Form, pressed
from plivo_sim.console.pictures import flow
from plivo_sim.console.presets import number_of
from plivo_sim.domain.records import NumberType, UserType

OPERATION = "dry_run"
TEXTS = ("country", "number_type", "user_type", "alias", "name", "registration_number")
OFFERED = 50
"""So many applications can be chosen from, the newest."""
JSON_STEP = "submit"
_FLAGS = {"name": "applicant", "files": "file", "data_fields": "field"}
"""Keys of a step ``submit`` -> the options of the command that are called otherwise."""


def shown_of(account: Account) -> dict[str, Any]:
    """What the dry run's form offers, what was filled in, and what came of it. Caller holds the
    lock."""
    done = next(
        (each for each in pressed().done if each.action.operation == OPERATION),
        None,
    )
    kept = account.store.applications
    first = max(0, len(kept) - OFFERED)
    given = _given(done)
    return {
        "applications": kept.page({}, offset=first, limit=OFFERED).records[::-1],
        "more": first,
        "given": given,
        "number_types": [str(each) for each in NumberType],
        "user_types": [str(each) for each in UserType],
        "told": done.answer if done is not None and done.ok else None,
    }


def _given(done: Done | None) -> dict[str, Any]:
    """The fields of the form, as they were filled in; what has no field stands in the text."""
    body: dict[str, Any] = dict(done.action.body or {}) if done is not None else {}
    step = body.get(JSON_STEP)
    named = step if isinstance(step, dict) else {}
    text = body.get("text", "")
    if not text and not named.keys() <= set(TEXTS):
        import yaml  # here because a start needs none

        named, text = {}, yaml.safe_dump(named, sort_keys=False, allow_unicode=True)
    chosen = {"application": body.get("application", ""), "attempt": body.get("attempt", "")}
    return {**named, **chosen, "scenario": body.get("name", ""), "text": text}


def dry_run(form: Form) -> list[Action]:
    """Of the chosen application, else of the made-up one."""
    account, text = form.get("account", ""), form.get("text", "").replace("\r\n", "\n").strip()
    body: dict[str, Any] = {"account": account}
    words: list[str] = []
    wrong = ""
    if scenario := form.get("scenario", ""):
        body["name"] = scenario
    if id := form.get("application", ""):
        body["application"] = id
        words += ["--application", id]
    elif text:
        body["text"] = text
        try:
            body[JSON_STEP] = _step(text)
        except ValueError as error:
            wrong = str(error)
    else:
        given = {name: form.get(name, "").strip() for name in TEXTS}
        body[JSON_STEP] = {name: value for name, value in given.items() if value}
    words += _options(body.get(JSON_STEP))
    if attempt := form.get("attempt", "").strip():
        body["attempt"] = number_of(attempt)
        words += ["--attempt", attempt]
    sent = {name: value for name, value in body.items() if name != "text" or wrong}
    return [
        Action(
            message="Nothing was submitted; what would be decided is told below.",
            operation=OPERATION,
            body=sent,
            cli=("scenario", "try", *words, "--account", account),
            named=scenario,
            wrong=wrong,
        )
    ]


def _step(text: str) -> Any:
    """What a step ``submit`` says, in YAML or JSON. Raises ValueError with a sentence."""
    data = plain_yaml(text)
    if isinstance(data, dict) and list(data) == [JSON_STEP]:
        data = data[JSON_STEP]
    if not isinstance(data, dict):
        raise ValueError("write an application as 'alias: Acme' and so on")
    return data


def _options(step: Any) -> list[str]:
    """The same as options of the command line."""
    words: list[str] = []
    for name, value in (step if isinstance(step, dict) else {}).items():
        flag = str(_FLAGS.get(name, name))
        pairs = value.items() if isinstance(value, dict) else ()
        for key, each in pairs:
            words += [f"--{flag}", f"{key}={each}"]
        if not isinstance(value, dict) and name != "app":
            words += [f"--{flag.replace('_', '-')}", str(value)]
    return words


# --- the flow --------------------------------------------------------------------------------


def picture(
    account: Account,
    rules: Sequence[dict[str, Any]],
    default: dict[str, Any] | None,
    waiting: int,
    told: dict[str, Any] | None,
) -> Markup:
    """Everything that is asked before the default, in its order (docs/scenarios.md, "Who decides");
    ``told``: a dry run, whose way is marked."""
    asked_now = (told or {}).get("rules", ())
    marks = {each["rule"]: "taken" if each["matched"] else "passed" for each in asked_now}
    decided_by = (told or {}).get("decided_by", "")
    tones = {name: row.tone for name, row in account.machine.statuses.items()}

    def asked(rule: dict[str, Any]) -> flow.Asked:
        outcome, tone = _outcome(rule["then"], tones)
        return flow.Asked(
            name=rule["name"],
            conditions=rule["when"] or ["anything is submitted"],
            outcome=outcome,
            tone=tone,
            counts=_counts(rule),
            mark=marks.get(rule["name"], ""),
        )

    boxes = []
    if waiting:
        mark = "taken" if decided_by == "next outcome" else "passed" if told else ""
        boxes.append(
            flow.Asked(
                name="Next outcome",
                conditions=["an outcome is queued"],
                outcome=f"{waiting} queued",
                mark=mark,
            )
        )
    boxes += [asked(each) for each in rules if each["aimed"]]
    if account.settings.magic:
        mark = "taken" if decided_by.startswith("magic value") else "passed" if told else ""
        boxes.append(
            flow.Asked(
                name="Magic value",
                conditions=["in the alias, the name or a file name"],
                outcome="as the value says",
                mark=mark if told else "",
            )
        )
    boxes += [asked(each) for each in rules if not each["aimed"]]
    if default is not None:
        outcome, tone = _outcome(default, tones)
    else:
        status = account.machine.file.review.outcome
        outcome, tone = f"{status} after the review delay", tones.get(status, "idle")
    ends = decided_by in ("default", "the scenario's default")
    boxes.append(
        flow.Asked(
            name="Everything else",
            conditions=[],
            outcome=outcome,
            tone=tone,
            mark="taken" if ends else "",
        )
    )
    title = "Who decides a submission, in order"
    return flow.draw(boxes, title) + flow.draw(boxes, title, narrow=True)


def _outcome(told: dict[str, Any], tones: Mapping[str, str]) -> tuple[str, str]:
    """What is decided, in words, and its colour."""
    if not told["steps"]:
        return "nothing: it stays in review", "idle"
    steps = [f"{each['status'].replace('_', ' ')} {each['when']}" for each in told["steps"]]
    return ", then ".join(steps), tones.get(told["steps"][0]["status"], "idle")


def _counts(rule: dict[str, Any]) -> str:
    fired = f"decided {rule['fired']}" + (f" of {rule['times']}" if rule["times"] else "")
    return f"{fired} time{'' if (rule['times'] or rule['fired']) == 1 else 's'}" + (
        f", nearly {rule['nearly']}" if rule["nearly"] else ""
    )


ACTIONS: dict[str, Build] = {"dry-run": dry_run}
