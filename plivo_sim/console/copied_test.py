"""What was done by hand, as a pytest file that uses the plugin that ships.

The test's clock stands still and goes to where it stood at each call, so that what a running clock
did happens in it, too. Ids are taken from its own answers. What cannot be carried over is told in
the file, and then the file asserts no statuses. Of calls that failed it makes those that a fault
struck, which fail in it, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from plivo_sim.account.account import OWN_MACHINE, Account
from plivo_sim.console.accounts import setting_text
from plivo_sim.console.copied_faults import (
    OWN_FAULT,
    STEERED,
    as_verb,
    expecting,
    strike_on,
    without_faults,
)
from plivo_sim.console.copied_parts import CALL, CONTROL, HEAD, UPLOAD
from plivo_sim.console.sources import ID, INBOX, Names, Source, as_json_source, quoted, source
from plivo_sim.domain import limits
from plivo_sim.domain.records import Application, Policy
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.text import decode_json, printable
from plivo_sim.settings import ACCOUNT_SETTINGS, Settings
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering

GAP = timedelta(seconds=1)
"""The clock of the test follows one that ran this far between two calls."""
NOT_IN_A_TEST = frozenset(
    {"paused", "start", "warp", "callback_url", "allow_callback_hosts", "rate_limits"}
)
"""Settings that the fixtures make, that lead to receivers which the test does not have, or whose
windows are of real time."""
OF_THE_CLOCK = frozenset({"pause", "resume", "set_rate"})
SENT_AGAIN = frozenset({"replay_webhook"})
GOING_BACK = frozenset({"restore", "reset", "undo"})
_TRUNCATED = 4000
"""A text of that many characters was perhaps longer: no more is kept."""
_FILED = re.compile(rf'"compliance(?:_application)?_id": ?"({ID.pattern})"')
Made = Steering | Exchange


@dataclass(frozen=True, slots=True)
class Taken:
    """What a copy needs of an account, by reference: records do not change. ``others``: the ids of
    end users and documents."""

    auth_id: str
    now: datetime
    settings: Settings
    catalogue: Catalogue
    scenario: Policy | None
    machine: Policy | None
    applications: Mapping[str, Application]
    others: frozenset[str]


def take(account: Account) -> Taken:
    """Caller holds the lock."""
    store = account.store
    return Taken(
        auth_id=account.auth_id,
        now=account.now(),
        settings=account.settings,
        catalogue=account.catalogue,
        scenario=store.policies.fetch("scenario"),
        machine=store.policies.fetch(OWN_MACHINE),
        applications={each.id: each for each in store.applications.every()},
        others=frozenset(
            each.id for rows in (store.end_users, store.documents) for each in rows.every()
        ),
    )


@dataclass(slots=True)
class _File:
    """The file that is being written. ``text``: that of the call which is being carried over, and
    ``at`` its place; ``last``: the place of the last call in whose text an id is. ``missing``: what
    could not be carried over. ``size``: characters; ``cut``: how many calls there was no room
    for."""

    account: Taken
    names: Names
    now: datetime
    last: Mapping[str, int]
    text: str = ""
    at: int = 0
    size: int = 0
    cut: int = 0
    lines: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Nothing, if that would be too much."""
        self.size += sum(len(line) + 5 for line in lines)
        if not self.is_full:
            self.lines += [f"    {line}" if line else "" for line in lines]

    @property
    def is_full(self) -> bool:
        return self.size > limits.COPY_TEXT.most

    def leave_out(self, made: Made, why: str) -> None:
        told = printable(f"{made.method} {_path(made)}"[:120])
        self.missing.append(f"{told}: {why}")
        self.add(f"# not carried over: {told}: {why}")


def pytest_file(account: Taken, made: Sequence[Made], *, whole: bool, forgotten: int) -> str:
    """The file. ``made``: the calls that are carried over, in order; ``whole``: whether they are
    all that changed something; ``forgotten``: how many are not known any more."""
    start = _began(made[0]) if made else account.now
    names = Names(fixed=_fixed_ids(account))
    last = {id: at for at, each in enumerate(made) for id in ID.findall(_text(each))}
    file = _File(account, names, start, last)
    _begin(file, made)
    for file.at, each in enumerate(made):
        file.text = _text(each)
        _go_to(file, _began(each))
        if isinstance(each, Steering):
            _steer(file, each)
        else:
            _call(file, each)
        file.now = each.at
        if file.is_full:
            file.cut = len(made) - file.at
            file.lines.append(f"    # not carried over: {_cut(file)}")
            break
    notes = list(_notes(file, whole=whole, forgotten=forgotten))
    if not notes:
        _assert_statuses(file)
    return _whole(file, start, notes)


def _cut(file: _File) -> str:
    return f"the last {file.cut} calls: the text would be too long, {limits.COPY_TEXT}"


def _notes(file: _File, *, whole: bool, forgotten: int) -> Iterator[str]:
    if forgotten:
        yield f"{forgotten} earlier calls, which the simulator has forgotten"
    if not whole:
        yield "calls that were not chosen"
    if file.cut:
        yield _cut(file)
    yield from file.missing[:20]
    if len(file.missing) > 20:
        yield f"and {len(file.missing) - 20} more"


def _whole(file: _File, start: datetime, notes: Sequence[str]) -> str:
    body = "\n".join(file.lines) or "    pass"
    helpers = CALL if re.search(r"\b(call|control|account)\b", body) else ""
    helpers += CONTROL if "control(" in body else ""
    helpers += UPLOAD if "upload(" in body else ""
    imports = ["from datetime import datetime"] if "datetime." in body else []
    imports = (["import json"] if helpers else []) + imports
    imports += ["from urllib.parse import urlencode"] if helpers else []
    imports += ["", "import pytest"] if imports else ["import pytest"]
    imports += ["import urllib3"] if helpers else []
    imports += ["", "from plivo_sim.client.applications import sample"] if "upload(" in body else []
    told = "".join(f"- {note}\n" for note in map(_docstring, notes))
    told = f"\nNot carried over, so no statuses are asserted:\n{told}" if told else ""
    if all(not line or line.lstrip().startswith("#") for line in file.lines):
        told = f"\nIt makes no call: nothing that was done is carried over.\n{told}"
    head = HEAD.format(
        account=file.account.auth_id,
        notes=told,
        imports="\n".join(imports),
        marker=", ".join(_marker(file.account, start)),
        fixtures="plivo_server, plivo_inbox" if INBOX in body else "plivo_server",
    )
    return f"{head}{helpers}{chr(10) if helpers else ''}{body}\n"


def _docstring(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def _marker(account: Taken, start: datetime) -> Iterator[str]:
    yield f'start="{start.isoformat()}"'
    if account.settings.seed != 1:
        yield f"seed={account.settings.seed}"
    usual = Settings(paused=True, review_delay=None)
    for name in ACCOUNT_SETTINGS:
        value = getattr(account.settings, name)
        if name in NOT_IN_A_TEST or value == getattr(usual, name):
            continue
        yield f"{name}={value if isinstance(value, bool) else quoted(setting_text(name, value))}"


def _fixed_ids(account: Taken) -> frozenset[str]:
    """Those of the catalogue, which the seed makes."""
    types = (type_.id for each in account.catalogue.requirements for type_ in each.document_types)
    return frozenset([*account.catalogue.by_id, *types])


def _begin(file: _File, made: Sequence[Made]) -> None:
    """What was in force already when the first call was made, as far as that can be told."""
    operations = {each.operation for each in made if isinstance(each, Steering)}
    scenario = file.account.scenario
    if scenario is not None and not operations & {"use_scenario", "drop_scenario"}:
        _use(file, "use_scenario", _without_faults(file, decode_json(scenario.body)))
    machine = file.account.machine
    if machine is not None and not operations & {"use_machine", "drop_machine"}:
        _use(file, "use_machine", decode_json(machine.body))


def _without_faults(file: _File, scenario: Any, *, is_name: bool = False) -> Any:
    kept = without_faults(scenario, is_name=is_name)
    if kept is not scenario:
        file.add(f"# the scenario without its faults: {OWN_FAULT}")
    return kept


def _use(file: _File, verb: str, given: Any) -> None:
    file.add(f"plivo_server.{verb}({source(given, file.names, 4, len(verb) + 16)})")


def _go_to(file: _File, at: datetime) -> None:
    if at - file.now >= GAP:
        file.add(_advance_to(at))
        file.now = at


def _advance_to(at: datetime) -> str:
    return f'plivo_server.advance(to=datetime.fromisoformat("{at.isoformat()}"))'


def _assert_statuses(file: _File) -> None:
    for id, name in file.names.known.items():
        application = file.account.applications.get(id)
        if application is None:
            continue
        statuses = [each.status for each in application.timeline if each.at <= file.now]
        timeline = f"[each.status for each in plivo_server.application({name}).timeline]"
        file.add(f"assert {timeline} == {source(statuses, file.names, 4, len(timeline) + 11)}")
        if file.is_full:
            return file.lines.append(f"    # no more statuses: {limits.COPY_TEXT}")
    return None


# --- calls -----------------------------------------------------------------------------------


def _began(made: Made) -> datetime:
    return made.began if isinstance(made, Steering) else made.at


def _path(made: Made) -> str:
    return made.target if isinstance(made, Steering) else urlsplit(made.url).path


def _text(made: Made) -> str:
    """All in which the id of a record may stand."""
    if isinstance(made, Steering):
        return f"{made.target}\n{(made.body or b'').decode('utf-8', 'replace')}"
    return f"{made.url}\n{made.shown()['body']!r}"


def _unknown(file: _File, made: Made) -> str:
    """A record that the call is about and that no variable of the test stands for."""
    account, path = file.account, _path(made)
    return next(
        (
            id
            for id in file.names.unknown_in(file.text)
            if id in path or id in account.applications or id in account.others
        ),
        "",
    )


def _call(file: _File, made: Exchange) -> None:
    """A request of an API, as it was sent."""
    shown = made.shown()
    if made.dialect == "atoms":
        return file.leave_out(made, "it is of Atoms, whose key is not kept")
    if unknown := _unknown(file, made):
        return file.leave_out(made, f"{unknown} was not made by a call that is carried over")
    parts = urlsplit(made.url)
    shown_path = _with_account(file.names, parts.path, file.account.auth_id)
    sent = _sent(file, shown)
    if sent is None:
        return file.leave_out(made, "its body is not kept whole")
    if parts.query:
        sent["params"] = [*parse_qsl(parts.query, keep_blank_values=True)]
    if made.dialect in ("current", "beta"):
        sent["headers"] = {"X-Plivo-Sim-Dialect": made.dialect}
    words = "".join(
        f"        {key}={source(value, file.names, 8, len(key) + 2)},\n"
        for key, value in sent.items()
    )
    strike = strike_on(made)
    is_lost = strike is not None and strike.raises != ""
    learned = [] if is_lost else _learned(file, shown["answer"])
    called = f"{quoted(made.method)}, {shown_path}, {made.status}"
    whole = f"call(\n        {called},\n{words}    )" if words else f"call({called})"
    if strike is not None:
        file.add(as_verb(strike, made))
    file.add(f"answer = {whole}" if learned else expecting(strike, whole), *learned)
    if is_lost and made.is_spoilt and made.method == "POST":
        file.add(*_found(file, f"{shown['answer']}{shown['answer_end']}"))
    return None


def _learned(file: _File, text: str) -> list[str]:
    """Lines that take ids that are needed out of an answer."""
    try:
        answer = decode_json(text)
    except ValueError:
        return []
    return file.names.learn(answer, _wanted(file, answer))


def _found(file: _File, text: str) -> list[str]:
    """A line that finds the application whose filing was done, and the answer lost."""
    known = file.names.known
    new = set(_FILED.findall(text)) - known.keys()
    if len(new) != 1:
        return []
    name = known[new.pop()] = f"compliance_id_{len(known) + 1}"
    return [f"{name} = plivo_server.applications()[-1].id"]


def _with_account(names: Names, path: str, auth_id: str) -> str:
    """The path with the variables ``account`` and those of ids in it."""
    parts = path.split(f"/{auth_id}/")
    if len(parts) == 1:
        return names.text(path)
    return f"f{quoted('/{account}/'.join(map(names.within, parts)))}"


def _wanted(file: _File, answer: Any) -> set[str]:
    """The ids in an answer that are in a later call, too, or are of the application that it is
    about."""
    applications = file.account.applications
    return {
        id
        for id in ID.findall(repr(answer))
        if file.last.get(id, 0) > file.at or (isinstance(answer, dict) and id in applications)
    }


def _sent(file: _File, shown: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to send, as arguments of the test's own ``call``; None: it is not known."""
    body, headers = shown["body"], {k.lower(): v for k, v in shown["headers"].items()}
    if body is None:
        return {}
    if isinstance(body, str) and body.startswith("("):
        return None
    if not (isinstance(body, list) and "json" not in headers.get("content-type", "")):
        return {"json": body}
    if any(len(part.get("text", "")) >= _TRUNCATED for part in body):
        return None
    fields = [(part["name"], _part(file, part)) for part in body]
    if "multipart" in headers.get("content-type", ""):
        files = [Source(f"({quoted(name)}, {text})") for name, text in fields]
        return {"files": files}
    return {"data": [Source(f"({quoted(name)}, {text})") for name, text in fields]}


def _part(file: _File, part: Mapping[str, Any]) -> str:
    """A part of a form: a text, or a file."""
    if "filename" in part:
        return f"upload({quoted(part['filename'])})"
    text = part["text"]
    shown = Source(INBOX) if part["name"] == "callback_url" and text else None
    return str(shown or as_json_source(text, file.names, 12) or file.names.text(text))


# --- control calls ---------------------------------------------------------------------------


def _steer(file: _File, made: Steering) -> None:
    """The verb of the fixture that does the same, or the call itself."""
    if made.operation in OF_THE_CLOCK:
        return file.add(f"# {made.operation}: the clock of the test stands still, and is moved")
    if made.operation in STEERED:
        return file.add(f"# {made.operation}: {OWN_FAULT}")
    if made.operation in SENT_AGAIN:
        return file.add("# a callback was sent again here")
    if made.operation in GOING_BACK:
        return file.leave_out(made, "a test begins anew instead")
    if unknown := _unknown(file, made):
        return file.leave_out(made, f"{unknown} was not made by a call that is carried over")
    body = decode_json(made.body) if made.body else {}
    if not isinstance(body, dict) or (made.body is None and made.method == "POST"):
        return file.leave_out(made, "its body is not kept")
    body.pop("account", None)
    write = _VERBS.get(made.operation)
    if write is not None:
        try:
            return write(file, made, body)
        except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
            return file.leave_out(made, "its body is none that the verb takes")
    path = file.names.text(urlsplit(made.target).path)
    given = f", **{source(body, file.names, 4, 30 + len(path))}" if body else ""
    return file.add(f"control({quoted(made.method)}, {path}{given})")


def _advance(file: _File, made: Steering, body: dict[str, Any]) -> None:
    if body.get("until") is not None:
        until = body["until"]
        id, status = [file.names.text(str(until[key])) for key in ("application", "status")]
        file.add(f"plivo_server.advance_until({id}, {status})")
    elif body.get("to") is not None:
        file.add(_advance_to(made.at))
    else:
        file.add(f"plivo_server.advance({_duration(body['by'])})")


def _duration(by: Any) -> str:
    """Raises TypeError for what is none."""
    if isinstance(by, bool) or not isinstance(by, str | int | float):
        raise TypeError
    return quoted(by) if isinstance(by, str) else f"seconds={by!r}"


def _decide(file: _File, made: Steering, body: dict[str, Any]) -> None:
    id = made.target.split("/applications/")[1].partition("/")[0]
    given = [file.names.text(id), quoted(body["status"])]
    given += [quoted(body["reason"])] if body.get("reason") else []
    file.add(f"plivo_server.decide({', '.join(given)})")


def _use_one(verb: str) -> Callable[[_File, Steering, dict[str, Any]], None]:
    def use(file: _File, made: Steering, body: dict[str, Any]) -> None:
        keys = ("name", "yaml", "scenario", "machine")
        key = next(key for key in keys if body.get(key) is not None)
        given = body[key]
        if verb == "use_scenario":
            given = _without_faults(file, given, is_name=key == "name")
        # The verb takes what is one line for a name, or for a path.
        is_line = key == "yaml" and isinstance(given, str) and "\n" not in given
        _use(file, verb, f"{given}\n" if is_line else given)

    return use


def _with_values(verb: str) -> Callable[[_File, Steering, dict[str, Any]], None]:
    def call(file: _File, made: Steering, body: dict[str, Any]) -> None:
        file.add(f"plivo_server.{verb}(**{source(body, file.names, 4, len(verb) + 18)})")

    return call


def _configure(file: _File, made: Steering, body: dict[str, Any]) -> None:
    settings = body.get("settings") or {}
    kept = {name: text for name, text in settings.items() if name not in NOT_IN_A_TEST}
    if kept:
        file.add(f"plivo_server.account.configure({source(kept, file.names, 4, 32)})")
    for name in sorted(settings.keys() - kept.keys()):
        file.add(f"# {printable(name)} was set here; a test has its own")


_VERBS: Mapping[str, Callable[[_File, Steering, dict[str, Any]], None]] = {
    "advance": _advance,
    "set_clock": _advance,
    "decide": _decide,
    "use_scenario": _use_one("use_scenario"),
    "use_machine": _use_one("use_machine"),
    "next_outcome": _with_values("next_outcome"),
    "set_webhook_policy": _with_values("webhooks"),
    "make_account": _configure,
}
