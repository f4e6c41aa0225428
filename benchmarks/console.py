"""What a page of the console costs the server when an account has many applications.

    python benchmarks/console.py --size 10000

In process, nothing is sent over a network. The account has ``--size`` applications, each with an
applicant, two documents and, every third one, a callback; every second one is still due to be
decided. The log of requests is full. Prints the median and the worst of
``--rounds`` requests of each page in milliseconds of processor time, and how many times as much as
reading one application through the API it takes in the same run. Exits 1 when a median is over
``--most-ms``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec.structs import replace as changed

from plivo_sim.account.account import KEPT_EXCHANGES
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.records import Application, Step, Timer, TimerKind
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.support import AUTH_ID, Http

HOME = f"/console/{AUTH_ID}"
STATUSES = ("submitted", "accepted", "rejected", "submitted")
PAGES = {
    "overview": "/",
    "list": "/applications",
    "list, a status": "/applications?status=accepted",
    "list, three filters": "/applications?status=accepted&country_iso=IN&origin=current",
    "list, every filter": "/applications?status=accepted&country_iso=IN&origin=current"
    "&number_type=local&user_type=business&callbacks=delivered&q=case&sort=applicant",
    "list, a callback's health": "/applications?callbacks=delivered",
    "list, by alias": "/applications?sort=alias",
    "list, by applicant": "/applications?sort=-applicant",
    "list, by what is next": "/applications?sort=next",
    "list, by callbacks": "/applications?sort=callbacks",
    "list, last page": "/applications?page=99999",
    "search, a name": "/applications?q=case+77",
    "search, nothing": "/applications?q=nobody+has+this",
    "search, everything": "/applications?q=e",
    "search of the header": "/search?q=case+77",
    "one application": "/applications/{id}",
    "its report": "/applications/{id}/report.html",
    "traffic": "/traffic",
    "traffic, callbacks": "/traffic?kind=callback",
    "traffic, those that failed": "/traffic?kind=callback&state=failed",
    "traffic, a request's filters": "/traffic?kind=request&operation=compliance.get&status=2"
    "&dialect=current&application={id}&q=case",
    "traffic, a callback's filters": "/traffic?kind=callback&status=2&state=delivered"
    "&application={id}&q=rejected",
    "traffic, a text": "/traffic?q=case+77",
    "traffic, a text of none": "/traffic?q=nobody+has+this",
    "traffic, last page": "/traffic?page=99999",
    "a callback": "/webhooks/{delivery}",
    "a request": "/requests/{request}",
    "time": "/time",
    "time, what is due": "/time?which=due",
    "time, every filter": "/time?which=due&status=submitted&window=quarter",
    "time, a status": "/time?status=submitted&window=month",
    "time, last page": "/time?page=99999",
    "history": "/history",
}


def fill(sim: Simulator, http: Http, size: int) -> dict[str, str]:
    """Copies of one real application, its end user, documents and callback. An id of an
    application and of a callback, by its name in ``PAGES``."""
    id = http.sdk_created(alias="case 0", callback_url="http://localhost:9/cb")
    http.decide(id, "rejected", "The seal is missing.")
    http.advance("1s")
    account = sim.account(AUTH_ID)
    with account.transaction():
        store = account.store
        first = store.applications.fetch(id)
        assert first is not None
        end_user = store.end_users.fetch(first.end_user_id)
        papers = [store.documents.fetch(each) for each in first.document_ids]
        (delivery,) = store.deliveries.having("application_id", id)
        assert end_user is not None
        for n in range(1, size):
            own, seq = account.next_identity("application")
            who, who_seq = account.next_identity("end_user")
            store.end_users.put(changed(end_user, id=who, seq=who_seq, name=f"Firm {n * 7919}"))
            ids = []
            for paper in papers:
                assert paper is not None
                new, place = account.next_identity("document")
                store.documents.put(changed(paper, id=new, seq=place, end_user_id=who))
                ids.append(new)
            made: Application = changed(
                first, id=own, seq=seq, alias=f"case {n}", end_user_id=who,
                document_ids=tuple(ids), status=STATUSES[n % len(STATUSES)],
            )  # fmt: skip
            store.applications.put(made)
            if made.status == "submitted":
                timer, turn = account.next_identity("timer")
                account.agenda.add(
                    Timer(
                        id=timer, seq=turn, kind=TimerKind.REVIEW, subject_id=own,
                        due_at=account.now() + timedelta(hours=1 + n % 100),
                        steps=(Step(after=parse_duration("1h"), status="accepted"),),
                    )
                )  # fmt: skip
            if n % 3 == 0:
                new, place = account.next_identity("delivery")
                store.deliveries.put(changed(delivery, id=new, seq=place, application_id=own))
    return {"id": id, "delivery": delivery.id}


def measured(work: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of processor time of each round, sorted. The first, which may make an index, is
    not counted."""
    work()
    times = []
    for _ in range(rounds):
        began_s = time.process_time()
        work()
        times.append((time.process_time() - began_s) * 1000)
    return sorted(times)


def main() -> int:
    """Prints one line for each page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--most-ms", type=float, default=100.0)
    options = parser.parse_args()
    sim = make_simulator(replace(PAUSED), transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    ids = fill(sim, http, options.size)
    one = f"PhoneNumber/Compliance/{ids['id']}/"
    read = statistics.median(measured(lambda: http.get(one), max(KEPT_EXCHANGES, options.rounds)))
    ids["request"] = list(sim.account(AUTH_ID).exchanges)[-1].id
    print(f"{options.size:,} applications; one is read through the API in {read:.2f} ms")
    print(f"{'page':28}{'median ms':>10}{'worst ms':>10}{'× a read':>10}{'KB':>6}")
    slow = False
    for name, path in PAGES.items():
        url = HOME + path.format_map(ids)
        answer = http.get(url)
        assert answer.status_code == 200, answer.text
        times = measured(lambda url=url: http.get(url), options.rounds)
        median = statistics.median(times)
        slow = slow or median > options.most_ms
        kilobytes = len(answer.data) // 1024
        print(f"{name:28}{median:10.1f}{times[-1]:10.1f}{median / read:10.0f}{kilobytes:6}")
    sim.close()
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
