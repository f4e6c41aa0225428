"""A fuzzer of snapshot documents: right ones, spoiled, each restored into an account that has
records of its own.

Case n of a seed is always the same document. Either it is refused whole, and the account is as it
was, its files too; or it is served: every operation that reads, the pages of the console, time that
goes on, deletes and a reset answer without a 500.
"""

from __future__ import annotations

import copy
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

from plivo_sim.app import SURFACES, create_app, document
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.text import encode_json
from plivo_sim.services.snapshots import save_snapshot
from plivo_sim.settings import Settings
from tests.hostile import planting
from tests.hostile.fuzzing import Nowhere, _tell_scenario
from tests.machines.files import YEARLY
from tests.support import AUTH_ID, PDF, PNG, Http

OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"
TWICE = "--again--"
"""Ends a key that is to stand twice in the text."""

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, 10**40, 0.5, -0.5, 1e308, 1e13,
    "", " ", "x", "é" * 300, "x" * 300, "../../etc/passwd", "/etc/passwd", "a" * 64, "A" * 64,
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-01-05T09:00:00",
    "2026-01-05T09:00:00+05:30", "2026-01-05", "not a time", "ledger", "\u0000", "\ud83d\ude00",
    "http://[::1", "http://127.0.0.1:99999/", "ftp://a/", "atoms://compliance/callback",
    "http://127.0.0.1:9/", "draft", "submitted", "accepted", "expired", "review", "notice",
    "callback", "GET", "get", "legacy", "atoms", "[", "{}", "null", '{"effect":"reset"}',
    [], {}, [[]], {"": ""}, [None], ["x"], [["a", "b"]], [{}],
]  # fmt: skip


@dataclass
class Report:
    """What became of the documents."""

    refused: int = 0
    served: int = 0
    reads: int = 0
    problems: list[str] = field(default_factory=list)
    mutations: Counter[str] = field(default_factory=Counter)


class Restorer:
    """See the module."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.report = Report()
        self._sim = make_simulator(
            Settings(port=0, paused=True, review_delay=None), transport=Nowhere()
        )
        self._http = Http(create_app(self._sim), self._sim)
        self._seeds = [*self._documents()]
        self._sim.remove_all()
        self._other = Http(self._http.app, self._sim, auth_id=OTHER_ID)
        self._other.sdk_created(alias="Own")
        self._mark = self._other.account.mark()
        self._files = [PDF, PNG]
        self._before = self._state()

    def _documents(self) -> Iterator[dict[str, Any]]:
        """Of an account with something of everything, as time goes on: with and without policies,
        what waits, and callbacks that have failed."""
        http, account = self._http, {"account": AUTH_ID}
        _tell_scenario(http)
        yield self._saved()
        http.control("POST", "/faults", {"effect": "error", "probability": 0.01} | account)
        http.control("POST", "/scenario", {"name": "unreadable-scan"} | account)
        http.control("POST", "/machine", {"yaml": YEARLY} | account)
        http.control("POST", "/next-outcome", {"decide": "rejected", "reason": "no"} | account)
        http.control("POST", "/webhooks/policy", {"retries": ["1h"], "delay": "1m"} | account)
        http.sdk_created(alias="Third", callback_url="http://127.0.0.1:9/cb")
        yield self._saved()
        http.advance("6d")
        yield self._saved()

    def _saved(self) -> dict[str, Any]:
        account = self._http.account
        with account.lock:
            kept = save_snapshot(account, account.mark())
        return dict(json.loads(encode_json(kept)))

    def run(self, cases: int, first: int = 0) -> Report:
        """Restore that many documents, beginning with case ``first``."""
        logging.disable(logging.CRITICAL)
        try:
            for number in range(first, first + cases):
                self._one(number)
        finally:
            logging.disable(logging.NOTSET)
        return self.report

    def plant(self, text: str) -> set[str]:
        """Restore documents with this text in the place of others, each kind of place by itself,
        and serve one with all that were taken; returns their kinds."""
        logging.disable(logging.CRITICAL)
        try:
            taken = set()
            for document_ in self._seeds:
                taken |= self._planted(document_, text)
            return taken
        finally:
            logging.disable(logging.NOTSET)

    def _planted(self, document_: dict[str, Any], text: str) -> set[str]:
        places: dict[str, list[planting.Place]] = {}
        for place in planting.texts(document_["tables"], ("tables",), (str, type(None))):
            if not isinstance(place[-1], dict):  # a member with another name is one that is missing
                places.setdefault(planting.kind(place), []).append(place)
        taken, whole = set(), document_
        for kind, found in places.items():
            for several in (found, found[-1:]):
                changed = planting.planted_in_all(whole, several, text)
                if self._restored(changed):
                    taken.add(kind)
                    whole = changed
                    break
        assert self._restored(whole)
        self._serve(text, 1000)
        self._back()
        return taken

    def _restored(self, document_: dict[str, Any]) -> bool:
        body = {"account": OTHER_ID, "snapshot": document_}
        answer = self._other.control_raw("/restore", json.dumps(body).encode(), "application/json")
        if answer.status_code not in (200, 400):
            self._note(0, f"restore answered {answer.status_code}")
        return answer.status_code == 200

    def text_of(self, number: int) -> str:
        """The document of a case."""
        dice = Random(f"{self.seed}/{number}")
        spoilt = copy.deepcopy(dice.choice(self._seeds))
        for _ in range(dice.choice([1, 1, 1, 2, 5])):
            name, change = dice.choice(list(MUTATIONS.items()))
            self.report.mutations[name] += 1
            change(dice, spoilt)
        return json.dumps(spoilt).replace(TWICE, "")

    def _one(self, number: int) -> None:
        text = self.text_of(number)
        body = f'{{"account":"{OTHER_ID}","snapshot":{text}}}'
        try:
            answer = self._other.control_raw("/restore", body.encode(), "application/json")
            status = answer.status_code
            if status == 400:
                self.report.refused += 1
                if self._state() != self._before:
                    self._note(number, "was refused, and something of it applied")
            elif status == 200:
                self.report.served += 1
                self._serve(number)
            else:
                self._note(number, f"restore answered {status}")
        except Exception as error:
            self._note(number, f"{type(error).__name__}: {error}")
        self._back()

    def _back(self) -> None:
        """To the account's own records, and to the files, which a reset forgets."""
        account = self._other.account
        self._sim.restore(account, self._mark)
        for content in self._files:
            account.files.keep(content)

    def _state(self) -> str:
        account = self._other.account
        with account.lock:
            kept = json.loads(encode_json(save_snapshot(account, account.store.mark())))
            return json.dumps(kept, sort_keys=True)

    def _serve(self, number: int | str, most: int = 3) -> None:
        """``most``: of each table, so many records are looked at."""
        account = self._other.account
        ids = {table: list(islice(rows, most)) for table, rows in account.store.mark().items()}
        pairs = [
            (each.id, id)
            for each in islice(account.store.applications.every(), most)
            for id in each.document_ids
        ]
        for path in ("/_sim/faults", "/_sim/scenario", "/_sim/webhooks/policy", "/_sim/machine"):
            self._answered(number, "GET", path)
        for path in (
            "/faults",
            "/scenario",
            "/webhooks/policy",
            "/machine",
        ):  # which may ask for a 500
            self._ask(number, "DELETE", f"/_sim{path}", ids, pairs)
        for path in READS:
            self._ask(number, "GET", path, ids, pairs)
        for by in ("1s", "1d", "400d"):
            body = {"by": by, "account": OTHER_ID}
            self._answered(number, "POST", "/_sim/clock/advance", json=body)
        for path in READS:
            if "{" not in path and not path.startswith("/console"):
                self._answered(number, "GET", path)
        for id in ids["applications"]:
            self._answered(number, "DELETE", f"PhoneNumber/Compliance/{id}/")
        self._answered(number, "POST", "/_sim/reset", json={"account": OTHER_ID})

    def _ask(
        self,
        number: int | str,
        method: str,
        path: str,
        ids: dict[str, list[str]],
        pairs: list[tuple[str, str]],
    ) -> None:
        for filled in _filled(path, ids, pairs):
            self._answered(number, method, filled)

    def _answered(self, number: int | str, method: str, path: str, **body: Any) -> None:
        self.report.reads += 1
        control = path.startswith("/_sim")
        query = {"account": OTHER_ID} if control else {"expand": "end_user,documents"}
        headers = {"Authorization": f"Bearer {OTHER_ID}"} if path.startswith("/atoms") else {}
        answer = self._other.call(method, path, query_string=query, headers=headers, **body)
        if answer.status_code >= 500:
            self._note(number, f"{method} {path}: {answer.status_code} {answer.text[:200]}")

    def _note(self, number: int | str, what: str) -> None:
        self.report.problems.append(f"case {number!r} of seed {self.seed}: {what}")


# --- what is read ------------------------------------------------------------------------------

_UNSEEN = ("inbox", "search", "pulse", "static", "unmatched", "play", "traffic")
"""Pages that show no record, or what another one shows."""


def _pages() -> list[str]:
    """Those of the console that show an account."""
    sim = make_simulator(Settings(port=0))
    console = create_app(sim).extensions["part"]("/console/")
    sim.close()
    rules = {
        re.sub(r"<(\w+)>", r"{\1}", rule.rule.replace("<auth_id>", OTHER_ID))
        for rule in console.url_map.iter_rules()
        if rule.rule.startswith("/console/<auth_id>") and "GET" in (rule.methods or ())
    }
    return sorted(each for each in rules if not any(word in each for word in _UNSEEN))


def _reads(*names: str) -> list[str]:
    found = [
        path.replace("{auth_id}", OTHER_ID)
        for name in names
        for path, operations in document(name)["paths"].items()
        if "get" in operations
    ]
    return [
        path
        for path in dict.fromkeys(found)
        if not path.endswith("/PhoneNumber/")  # what can be rented, which is in no record
        and not any(word in path for word in ("ComplianceDocumentType", "equirement"))
    ]


CONTROL_READS = [
    path
    for path in _reads("control")
    if not any(word in path for word in ("inbox", "openapi", "scenarios", "schema", "words"))
] + _pages()
READS = [*_reads(*(name for name in SURFACES if name != "control")), *CONTROL_READS]
_TABLES = (
    ("EndUser", "end_users"),
    ("ComplianceDocument/", "documents"),
    ("pplication", "applications"),
    ("webhooks", "deliveries"),
    ("Number/{number}", "numbers"),
    ("Compliance/{compliance_id}/", "applications"),
)


def _filled(path: str, ids: dict[str, list[str]], pairs: list[tuple[str, str]]) -> Iterator[str]:
    if "{document_id}" in path:
        for application_id, document_id in pairs:
            ids_of = {"compliance_id": application_id, "id": application_id}
            yield path.format(**ids_of, document_id=document_id)
    elif "{" not in path:
        yield path
    else:
        table = next((table for word, table in _TABLES if word in path), "policies")
        for id in ids[table]:
            yield path.format(id=id, compliance_id=id, number=id, name="one")


# --- how documents are spoiled -----------------------------------------------------------------

Place = tuple[Any, Any]
"""What holds a value, and under which key or index."""


def _places(value: Any) -> list[Place]:
    found: list[Place] = []
    if isinstance(value, dict):
        found += [(value, key) for key in value]
    elif isinstance(value, list):
        found += [(value, index) for index in range(len(value))]
    for holder, key in list(found):
        found += _places(holder[key])
    return found


def _some(dice: Random, document_: dict[str, Any]) -> Place:
    """Anything: a table, a record, a field, and what is within it, each level as likely."""
    keys = [key for key in ("tables", "tables", "files") if key in document_] or list(document_)
    holder: Any = document_
    key: Any = dice.choice(keys)
    while holder[key] and isinstance(holder[key], dict | list) and dice.random() < 0.85:
        holder = holder[key]
        key = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    return holder, key


def _swap(dice: Random, document_: dict[str, Any]) -> None:
    holder, key = _some(dice, document_)
    holder[key] = copy.deepcopy(dice.choice(ODD))


def _drop(dice: Random, document_: dict[str, Any]) -> None:
    holder, key = _some(dice, document_)
    del holder[key]


def _repeat(dice: Random, document_: dict[str, Any]) -> None:
    """A record under another id, an entry twice, or a key that stands twice in the text."""
    holder, key = _some(dice, document_)
    if isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        again = key + dice.choice([TWICE, "x"])
        holder[again] = dice.choice([copy.deepcopy(holder[key]), *ODD])


def _exchange(dice: Random, document_: dict[str, Any]) -> None:
    """The values of two fields change places: references that lead elsewhere, other types."""
    (one, first), (two, second) = _some(dice, document_), _some(dice, document_)
    value = copy.deepcopy(two[second])
    two[second] = copy.deepcopy(one[first])
    one[first] = value


def _misdate(dice: Random, document_: dict[str, Any]) -> None:
    found = [(h, k) for h, k in _places(document_) if isinstance(h, dict) and _is_time(k)]
    if found:
        holder, key = dice.choice(found)
        holder[key] = dice.choice([each for each in ODD if isinstance(each, str)])


def _is_time(key: str) -> bool:
    return key in ("at", "now") or key.endswith("_at")


def _path_for_hash(dice: Random, document_: dict[str, Any]) -> None:
    path = dice.choice(["/etc/passwd", "../journal.jsonl", "..", "", "a" * 63, "a" * 65])
    found = [(h, k) for h, k in _places(document_) if k == "sha256"]
    if found and dice.random() < 0.5:
        holder, key = dice.choice(found)
        holder[key] = path
    elif document_.get("files") and isinstance(document_["files"], dict):
        files = document_["files"]
        files[path] = files.pop(dice.choice(list(files)))


def _other_reference(dice: Random, document_: dict[str, Any]) -> None:
    ids = [id for rows in _tables(document_) for id in rows]
    found = [(h, k) for h, k in _places(document_) if isinstance(k, str) and k.endswith("_id")]
    if found and ids:
        holder, key = dice.choice(found)
        holder[key] = dice.choice(ids)


def _tables(document_: dict[str, Any]) -> list[dict[str, Any]]:
    tables = document_.get("tables")
    rows = list(tables.values()) if isinstance(tables, dict) else []
    return [each for each in rows if isinstance(each, dict)]


def _number(dice: Random, document_: dict[str, Any]) -> None:
    found = [(h, k) for h, k in _places(document_) if type(h[k]) in (int, float)]
    if found:
        holder, key = dice.choice(found)
        holder[key] = dice.choice([each for each in ODD if type(each) in (int, float)])


def _nest(dice: Random, document_: dict[str, Any]) -> None:
    holder, key = _some(dice, document_)
    for _ in range(dice.choice([1, 3, 60, 70, 200])):
        holder[key] = dice.choice([[holder[key]], {"x": holder[key]}])


def _body(dice: Random, document_: dict[str, Any]) -> None:
    """Within the text of a policy."""
    found = [(h, k) for h, k in _places(document_) if k == "body" and isinstance(h[k], str)]
    if found:
        holder, key = dice.choice(found)
        try:
            inner = {"tables": json.loads(holder[key]), "files": {}}
        except ValueError:
            return
        dice.choice([_swap, _drop, _repeat])(dice, inner)
        holder[key] = json.dumps(inner.get("tables")).replace(TWICE, "")


def _empty(dice: Random, document_: dict[str, Any]) -> None:
    rows = _tables(document_)
    if rows:
        dice.choice(rows).clear()


MUTATIONS: dict[str, Callable[[Random, dict[str, Any]], None]] = {
    "another value": _swap,
    "a member dropped": _drop,
    "a member twice": _repeat,
    "two values exchanged": _exchange,
    "a wrong time": _misdate,
    "a path for a hash": _path_for_hash,
    "another reference": _other_reference,
    "another number": _number,
    "deep nesting": _nest,
    "within a policy": _body,
    "a table emptied": _empty,
}
