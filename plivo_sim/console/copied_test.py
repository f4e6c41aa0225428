"""What was done by hand, as a pytest file that uses the plugin that ships.

The test's clock stands still and goes to where it stood at each call, so that what a running clock
did happens in it, too. Ids are taken from its own answers. What cannot be carried over is told in
the file, and then the file asserts no statuses. Of calls that failed it makes those that a fault
struck, which fail in it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from plivo_sim.console.accounts import setting_text
from plivo_sim.console.copied_calls import call
from plivo_sim.console.copied_file import File, Made, Taken, text_of
from plivo_sim.console.copied_parts import CALL, CONTROL, HEAD, UPLOAD
from plivo_sim.console.copied_steering import NOT_IN_A_TEST, advance_to, kept_scenario, steer, use
from plivo_sim.console.sources import ID, INBOX, Names, quoted, source
from plivo_sim.domain import limits
from plivo_sim.domain.text import decode_json
from plivo_sim.settings import ACCOUNT_SETTINGS, Settings
from plivo_sim.web.steering import Steering

GAP = timedelta(seconds=1)
"""The clock of the test follows one that ran this far between two calls."""


def pytest_file(account: Taken, made: Sequence[Made], *, whole: bool, forgotten: int) -> str:
    """The file. ``made``: the calls that are carried over, in order; ``whole``: whether they are
    all that changed something; ``forgotten``: how many are not known any more."""
    start = _began(made[0]) if made else account.now
    names = Names(fixed=_fixed_ids(account))
    last = {id: at for at, each in enumerate(made) for id in ID.findall(text_of(each))}
    file = File(account, names, start, last)
    _begin(file, made)
    for file.at, each in enumerate(made):
        file.text = text_of(each)
        _go_to(file, _began(each))
        if isinstance(each, Steering):
            steer(file, each)
        else:
            call(file, each)
        file.now = each.at
        if file.is_full:
            file.cut = len(made) - file.at
            file.lines.append(f"    # not carried over: {_cut(file)}")
            break
    notes = list(_notes(file, whole=whole, forgotten=forgotten))
    if not notes:
        _assert_statuses(file)
    return _whole(file, start, notes)


def _cut(file: File) -> str:
    return f"the last {file.cut} calls: the text would be too long, {limits.COPY_TEXT}"


def _notes(file: File, *, whole: bool, forgotten: int) -> Iterator[str]:
    if forgotten:
        yield f"{forgotten} earlier calls, which the simulator has forgotten"
    if not whole:
        yield "calls that were not chosen"
    if file.cut:
        yield _cut(file)
    yield from file.missing[:20]
    if len(file.missing) > 20:
        yield f"and {len(file.missing) - 20} more"


def _whole(file: File, start: datetime, notes: Sequence[str]) -> str:
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


def _begin(file: File, made: Sequence[Made]) -> None:
    """What was in force already when the first call was made, as far as that can be told."""
    operations = {each.operation for each in made if isinstance(each, Steering)}
    scenario = file.account.scenario
    if scenario is not None and not operations & {"use_scenario", "drop_scenario"}:
        use(file, "use_scenario", kept_scenario(file, decode_json(scenario.body)))
    machine = file.account.machine
    if machine is not None and not operations & {"use_machine", "drop_machine"}:
        use(file, "use_machine", decode_json(machine.body))


def _go_to(file: File, at: datetime) -> None:
    if at - file.now >= GAP:
        file.add(advance_to(at))
        file.now = at


def _assert_statuses(file: File) -> None:
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


def _began(made: Made) -> datetime:
    return made.began if isinstance(made, Steering) else made.at
