"""Whether the records of an account can be served: each has an id of its form, what it refers to
exists, and catalogue, settings and counters fit.

Asked of every snapshot document before anything of it is applied, and of every journal when it is
opened. What a record can hold by itself is said by its type (``domain/records.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.domain import limits
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import (
    ATOMS_ADDRESS,
    MOST_COUNT,
    STEPPING,
    Application,
    DeliveryState,
    Ledger,
    Timer,
    TimerKind,
    is_hash,
    no_hash,
)
from plivo_sim.domain.text import is_bare_name
from plivo_sim.domain.typed import Found
from plivo_sim.domain.urls import check_callback_url, is_uncallable, url_trouble
from plivo_sim.machines import lacks
from plivo_sim.services import machines, policies
from plivo_sim.services.bounds import long_lists, unknown_counters
from plivo_sim.settings import account_troubles

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_SUBACCOUNT = re.compile(r"SA[A-Za-z0-9]{18}")
_ANY = re.compile(r".+", re.DOTALL)
_FORMS = {
    "ledger": re.compile("ledger"),
    "numbers": re.compile(r"[1-9][0-9]{4,14}"),
    "policies": re.compile(f".{{1,{limits.NAME.most}}}", re.DOTALL),
    "explanations": _ANY,
    "atoms_applications": re.compile(r"[0-9a-f]{24}"),
}
"""The form of ids, where it is not that of a UUID."""
_NO_ID = "has not the form of such an id"


def problems_of(account: Account, mark: Mark, *, at_start: bool = False) -> Iterator[Found]:
    """Everything that keeps these records from being served in this account: where (table, id,
    field), and what. ``at_start``: they are the account's own, in which a receiver's URL that no
    request can have may have control characters, too."""
    is_older = is_uncallable if at_start else _is_older
    yield from _misnamed(mark)
    yield from _ledger(account, mark, is_older)
    yield from _references(mark)
    yield from _catalogue(account, mark)
    yield from _statuses(machines.machine_in(mark, account.default_machine), mark)
    yield from _timers(mark)
    yield from _urls(mark, is_older)
    yield from _files(mark)
    yield from _ids_of_others(mark)
    for id, policy in mark["policies"].items():
        if trouble := policies.trouble_of(policy):
            yield ("policies", id, "body"), trouble


def excess_of(account: Account, mark: Mark) -> Iterator[Found]:
    """What no account comes to hold by itself, or only a document may not: more than the limits
    of ``domain/limits.py``, counters from which there is no room to count on, and work that nobody
    could have been waiting for."""
    machine = machines.machine_in(mark, account.default_machine)
    yield from _counters(mark)
    yield from unknown_counters(mark)
    yield from _crowded(machine, mark)
    yield from long_lists(mark)
    yield from _not_waiting(machine, mark)


def _counters(mark: Mark) -> Iterator[Found]:
    counts: Mapping[str, int] = {}
    for id, ledger in mark["ledger"].items():
        counts = ledger.counts
        for name, count in counts.items():
            if count > limits.MOST_COUNTED:
                yield ("ledger", id, "counts", name), f"must be 0 to {limits.MOST_COUNTED}"
    for id, application in mark["applications"].items():
        if application.attempt > limits.MOST_COUNTED:
            yield ("applications", id, "attempt"), f"must be 0 to {limits.MOST_COUNTED}"
        if application.acceptance > counts.get("acceptance", 0):
            yield ("applications", id, "acceptance"), "the ledger counts to less"
    for id, explanation in mark["explanations"].items():
        explained = mark["applications"].get(explanation.application_id)
        if explained is not None and explanation.attempt > explained.attempt:
            yield ("explanations", id, "attempt"), "the application has had fewer"


def _longest_timeline(machine: Machine) -> int:
    """The last decision that is not refused has what follows it, and each step of that what
    follows by itself, at most."""
    by_itself = sum(machine.automatic(each) is not None for each in machine.statuses)
    return limits.TIMELINE.most + (limits.THEN.most + 1) * (1 + by_itself)


def _crowded(machine: Machine, mark: Mark) -> Iterator[Found]:
    longest = _longest_timeline(machine)
    kinds = Counter(policy.kind for policy in mark["policies"].values())
    for kind, limit in (("fault", limits.FAULTS), ("next_outcome", limits.NEXT_OUTCOMES)):
        if kinds[kind] > limit.most:
            yield ("policies",), f"{kinds[kind]} of kind {kind} are too many, {limit}"
    for id, application in mark["applications"].items():
        if (length := len(application.timeline)) > longest:
            text = f"{length} are too many, {limits.TIMELINE} and what follows the last"
            yield ("applications", id, "timeline"), text
    explained = Counter(each.application_id for each in mark["explanations"].values())
    for id, length in explained.items():
        if length > limits.EXPLANATIONS.most:
            yield ("explanations",), f"{length} of {id[:80]!r} are too many, {limits.EXPLANATIONS}"


def _not_waiting(machine: Machine, mark: Mark) -> Iterator[Found]:
    served: set[tuple[str, bool]] = set()
    for id, timer in mark["timers"].items():
        here, subject = ("timers", id, "subject_id"), timer.subject_id
        is_automatic = timer.kind is TimerKind.AUTOMATIC
        if (subject, is_automatic) in served:
            yield here, f"{subject[:80]!r} has a timer already"
        served.add((subject, is_automatic))
        if timer.kind in STEPPING:
            application = mark["applications"].get(subject)
            if application is not None and not _may_wait(machine, application, timer):
                text = f"the application is {application.status}: {timer.steps[0].status} does not"
                yield here, f"{text} follow"
            continue
        delivery = mark["deliveries"].get(subject)
        if delivery is not None and delivery.state is not DeliveryState.PENDING:
            yield here, f"the delivery is {delivery.state}: nothing more is sent"


def _may_wait(machine: Machine, application: Application, timer: Timer) -> bool:
    """A review of what was submitted may wait for what can no longer follow: nothing comes of it
    (``reviews.run``)."""
    if timer.kind is TimerKind.REVIEW:
        return application.attempt > 0
    if application.status not in machine.statuses:
        return True  # which is told of already
    found = machine.automatic(application.status)
    return found is not None and [found[0].to] == [step.status for step in timer.steps]


def _statuses(machine: Machine, mark: Mark) -> Iterator[Found]:
    """Applications in a status that the machine does not have. Their pasts, and what Atoms was
    told, may be of an earlier machine."""
    for id, row in mark["applications"].items():
        if row.status not in machine.statuses:
            yield ("applications", id, "status"), lacks(machine, row.status)


def _misnamed(mark: Mark) -> Iterator[Found]:
    for table, rows in mark.items():
        fits = _FORMS.get(table, _UUID).fullmatch
        for id in rows:
            if fits(id) is None:
                yield (table, id, "id"), _NO_ID
    for id, each in mark["explanations"].items():
        if id != f"{each.application_id}/{each.attempt}":
            yield ("explanations", id, "id"), _NO_ID


def _is_older(url: str) -> bool:
    """Whether it is a receiver's URL that no request can have, as older versions took it."""
    return url.isprintable() and is_uncallable(url)


def _ledger(account: Account, mark: Mark, is_older: Callable[[str], bool]) -> Iterator[Found]:
    latest = max((row.seq for rows in mark.values() for row in rows.values()), default=0)
    ledger: Ledger | None = mark["ledger"].get("ledger")
    if ledger is None:
        if latest:
            yield ("ledger",), "there are records, but no ledger"
        return
    here = ("ledger", "ledger")
    if ledger.seq:
        yield (*here, "seq"), "must be 0"
    wrong = dict(account_troubles(ledger.overrides))
    if is_older(ledger.overrides.get("callback_url", "")):
        del wrong["callback_url"]
    for name, text in wrong.items():
        yield (*here, "overrides", name), text
    try:
        account.settings_with(ledger.overrides)
    except ValueError as error:
        if not wrong:
            yield (*here, "overrides"), str(error)
    if ledger.clock.now > limits.LATEST:
        yield (*here, "clock", "now"), limits.CLOCK_ENDS
    for name, count in ledger.counts.items():
        if not 0 <= count <= MOST_COUNT:
            yield (*here, "counts", name), f"must be 0 to {MOST_COUNT}"
    if ledger.counts.get("seq", 0) < latest:
        text = f"the ledger counts to less than {latest}, the last record's seq"
        yield (*here, "counts", "seq"), text


_REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("documents", "end_user_id", "end_users", "end user"),
    ("applications", "end_user_id", "end_users", "end user"),
    ("applications", "document_ids", "documents", "document"),
    ("numbers", "application_id", "applications", "application"),
    ("explanations", "application_id", "applications", "application"),
)
"""Table, field, the table in which what the field names must be, and what that is called."""


def _references(mark: Mark) -> Iterator[Found]:
    for table, field, target, called in _REFERENCES:
        there, rows = mark[target], mark[table]
        values = {getattr(row, field) for row in rows.values()}
        if field == "document_ids":
            values = set(chain.from_iterable(values))
        lost = values - there.keys() - {None}
        for id, row in rows.items() if lost else ():
            value = getattr(row, field)
            for named in value if isinstance(value, tuple) else (value,):
                if named in lost:
                    yield (table, id, field), f"there is no {called} {named[:80]!r}"


def _catalogue(account: Account, mark: Mark) -> Iterator[Found]:
    other = "it was made with another --seed or --catalogue: use those"
    types, requirements = account.catalogue.types_by_id, account.catalogue.by_id
    documents, applications = mark["documents"], mark["applications"]
    if {each.document_type_id for each in documents.values()} - types.keys():
        for id, document in documents.items():
            if document.document_type_id not in types:
                yield ("documents", id, "document_type_id"), other
    for id, application in applications.items():
        requirement = requirements.get(application.requirement_id)
        if requirement is None:
            yield ("applications", id, "requirement_id"), other
        elif (
            requirement.country_iso != application.country_iso
            or requirement.number_type is not application.number_type
            or requirement.user_type is not application.user_type
        ):
            text = "country, number type and user type are not those of the application"
            yield ("applications", id, "requirement_id"), text


def _timers(mark: Mark) -> Iterator[Found]:
    for id, timer in mark["timers"].items():
        if text := _timer(mark, timer):
            yield ("timers", id, "subject_id"), text


def _timer(mark: Mark, timer: Timer) -> str:
    if timer.kind in STEPPING:
        known = timer.subject_id in mark["applications"]
        return "" if known else f"there is no application {timer.subject_id[:80]!r}"
    delivery = mark["deliveries"].get(timer.subject_id)
    if delivery is None:
        return f"there is no delivery {timer.subject_id[:80]!r}"
    if (timer.kind is TimerKind.NOTICE) != (delivery.url == ATOMS_ADDRESS):
        return f"a timer of kind {timer.kind} cannot bring a callback to {delivery.url[:80]!r}"
    return ""


def _urls(mark: Mark, is_older: Callable[[str], bool]) -> Iterator[Found]:
    def callback_url(url: str) -> str:
        problem = check_callback_url(url, (), https_only=False, allowed=())
        return problem.text if problem else ""

    def called_url(url: str) -> str:
        return "" if url == ATOMS_ADDRESS or is_older(url) else url_trouble(url)

    yield from _each_once(mark, "applications", "callback_url", callback_url)
    yield from _each_once(mark, "deliveries", "url", called_url)
    for id, delivery in mark["deliveries"].items():
        for index, attempt in enumerate(delivery.attempts):
            if attempt.url != delivery.url and (text := called_url(attempt.url)):
                yield ("deliveries", id, "attempts", index, "url"), text


def _files(mark: Mark) -> Iterator[Found]:
    for id, document in mark["documents"].items():
        if document.file is None:
            continue
        here = ("documents", id, "file")
        if not is_hash(document.file.sha256):
            yield (*here, "sha256"), no_hash(document.file.sha256)
        if not is_bare_name(document.file.name):
            yield (*here, "name"), _NO_NAME
    for id, told in mark["atoms_applications"].items():
        for index, name in enumerate(told.document_file_names):
            if not is_bare_name(name):
                yield ("atoms_applications", id, "document_file_names", index), _NO_NAME


_NO_NAME = "must be the name of a file alone, on one line: without folders and control characters"


def _ids_of_others(mark: Mark) -> Iterator[Found]:
    """What may be gone, or was never here, must still have an id of its form."""
    for table, field, form in _ELSEWHERE:
        yield from _each_once(mark, table, field, partial(_misformed, form))


def _misformed(form: re.Pattern[str], id: str) -> str:
    return "" if form.fullmatch(id) else _NO_ID


_ELSEWHERE = (
    ("deliveries", "application_id", _UUID),
    ("deliveries", "repeats", _UUID),
    ("applications", "subaccount", _SUBACCOUNT),
    ("numbers", "subaccount", _SUBACCOUNT),
)
"""Table, field, and the form of what the field names."""


def _each_once(
    mark: Mark, table: str, field: str, trouble_of: Callable[[str], str]
) -> Iterator[Found]:
    """Most records share a few URLs, so each is looked at once."""
    rows: Mapping[str, Any] = mark[table]
    urls = {getattr(row, field) for row in rows.values()} - {None}
    wrong = {url: text for url in urls if (text := trouble_of(url))}
    if wrong:
        for id, row in rows.items():
            if getattr(row, field) in wrong:
                yield (table, id, field), wrong[getattr(row, field)]
