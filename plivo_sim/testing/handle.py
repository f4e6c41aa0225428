"""The verbs of a test: a simulator, seen through the control API, and one account of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from copy import copy
from datetime import datetime, timedelta
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any, Self
from warnings import warn

from plivo_sim.client import Client
from plivo_sim.domain.errors import NotFound
from plivo_sim.simulator import AUTH_ID as ANY_AUTH_ID
from plivo_sim.simulator import main_account
from plivo_sim.testing.accounts import AccountOfTest, called_instead
from plivo_sim.testing.calls import Calls, Mistaken, path_of
from plivo_sim.testing.checked import checked_verbs
from plivo_sim.testing.conditions import IDS, having, unknown_in_callbacks
from plivo_sim.testing.given import body_of, move_of
from plivo_sim.testing.loops import loop_hint, waits
from plivo_sim.testing.records import (
    Application,
    Delivery,
    Happening,
    Request,
    application_of,
    delivery_of,
    happening_of,
    request_of,
)
from plivo_sim.testing.requests import (
    NOT_WHOLE,
    check_conditions,
    check_times,
    listed,
    misses,
    told_of,
    unsure,
)
from plivo_sim.testing.sdk import point
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN
from plivo_sim.webhooks.transport import TIMED_OUT

if TYPE_CHECKING:
    from plivo_sim.testing.aio import Aio


@checked_verbs
class Handle:
    """A simulator and one account of it, with the verbs of a test.

    Verbs that cause callbacks return when the first attempt of each is over; see ``settle``.
    """

    others = "all"
    """Which other accounts the report tells of; see ``GET /_sim/report``."""
    instead = "where it is called on purpose, name it with for_account(…) before this"
    """What to do where another account is called."""

    def __init__(
        self, client: Client, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN
    ) -> None:
        self._client = client
        self._made = ExitStack()
        self._began: dict[str, str] = {}
        self.known: list[tuple[str, str]] = []
        """The auth ids and tokens that it was given; handles for other accounts share them."""
        self.use_account(auth_id, auth_token)

    def use_account(self, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN) -> None:
        """Make this the handle of that account; of a subaccount (``SA…``): the one that it is in,
        with clients of the subaccount. Raises ValueError if it is not an auth id."""
        if not ANY_AUTH_ID.fullmatch(auth_id):
            raise ValueError(f"auth_id: {auth_id!r} is not MA or SA and 18 letters or digits")
        self.auth_id, self.auth_token = main_account(auth_id), auth_token
        self.credentials = auth_id, auth_token
        self.known.append(self.credentials)
        self.calls = Calls(self._client, self.auth_id, self._began)
        self._hints: list[str] = []

    @property
    def url(self) -> str:
        """Where the simulator answers, without a last slash."""
        return self._client.url

    def for_account(self, auth_id: str, auth_token: str) -> Self:
        """The verbs and clients of another account, or of a subaccount (``SA…``), of the same
        simulator. Raises ValueError if that is no auth id.

        Elsewhere (``Remote``) it is an account of this test alone, with an auth id of its own that
        stands for this one, and empty at first; it is removed with the test's."""
        other = copy(self)
        other.use_account(auth_id, auth_token)
        return other

    def client(self) -> Any:
        """A ``plivo.RestClient`` of this account that speaks to this simulator; closed when the
        test ends. Raises ImportError without the SDK, TypeError for a simulator in process."""
        client = import_module("plivo").RestClient(*self.credentials, timeout=30)
        return point(self._made.enter_context(client), self.url, self._client.authority)

    def close_clients(self) -> None:
        self._made.close()

    @property
    def aio(self) -> Aio:
        """The verbs, for ``await`` in an async test: the event loop goes on meanwhile."""
        from plivo_sim.testing.aio import Aio

        return Aio(self)

    @property
    def account(self) -> AccountOfTest:
        return AccountOfTest(self)

    # --- time --------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The account's simulated instant."""
        return datetime.fromisoformat(self.calls.get("/clock")["now"])

    @waits
    def advance(
        self,
        /,
        by: str | timedelta | None = None,
        *,
        business_days: int | None = None,
        to: str | datetime | None = None,
        **units: float,
    ) -> list[Happening]:
        """Move time: ``advance("3d")``, ``advance(days=3, hours=12)``,
        ``advance(business_days=2)``, ``advance(to=instant)``. Returns what happened, callbacks
        included: the first 10,000, with a warning where there are more. Raises ValueError for none
        of them, and for two; AssertionError when it takes too long."""
        if business_days is not None:
            units = {"business_days": business_days, **units}
        return self._moved(move_of(by, to, units))

    @waits
    def advance_until(self, id: str, status: str) -> list[Happening]:
        """Move time from event to event until the application has the status.

        Raises ValueError for a status that the account's machine does not have; NotFound;
        NotReached, which says what it is, when, and how far time moved, when nothing more is due;
        AssertionError when it takes too long."""
        return self._moved({"until": {"application": id, "status": status}})

    def _moved(self, move: Mapping[str, Any]) -> list[Happening]:
        """What happened, of an advance that is over."""
        told = self.calls.post("/clock/advance", move)
        if told["pending"]:
            raise AssertionError(f"time was still moving after a while\n{self.report()}")
        happened = told["happenings"]
        if not happened:
            return []
        count = sum((*told["transitions"].values(), *told["callbacks"].values()))
        if count > len(happened):
            warn(f"only the first {len(happened)} of {count} happenings are told", stacklevel=5)
        applications = {each.id: each for each in self._applications()}
        has_callbacks = any(each["type"] == "callback" for each in happened)
        deliveries = {each.id: each for each in self._deliveries()} if has_callbacks else {}
        return [happening_of(each, applications, deliveries) for each in happened]

    @waits
    def settle(self) -> None:
        """Wait until everything that is due now has happened and nothing is under way to a
        receiver. Raises AssertionError when that takes too long, 30 s."""
        self._settle()

    def _settle(self) -> None:
        told = self.calls.post("/clock/settle")
        if not told["settled"]:
            raise AssertionError(f"callbacks were still under way after a while\n{self.report()}")

    # --- decisions ---------------------------------------------------------------------------

    @waits
    def decide(self, id: str, status: str, reason: str | None = None) -> Application:
        """Decide for a status of the machine in use, by hand: of an application of this account,
        else of the one that has it. Raises ValueError for another status."""
        return self._decide(id, status, reason)

    def _decide(self, id: str, status: str, reason: str | None = None) -> Application:
        path, body = path_of(id, "/decision"), {"status": status, "reason": reason}
        try:
            return application_of(self.calls.post(path, body))
        except NotFound:
            return application_of(self.calls.post(path, body, account=None))

    @waits
    def accept(self, id: str) -> Application:
        return self._decide(id, "accepted")

    @waits
    def reject(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "rejected", reason)

    @waits
    def ask_for_more(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "more_info_required", reason)

    @waits
    def suspend(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "suspended", reason)

    @waits
    def reinstate(self, id: str) -> Application:
        return self._decide(id, "accepted")

    @waits
    def expire(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "expired", reason)

    # --- scenarios and faults ----------------------------------------------------------------

    def use_scenario(self, scenario: str | PathLike[str] | Mapping[str, Any]) -> None:
        """A scenario that ships, a file, YAML text, or the same as a dictionary. Raises ValueError
        with every mistake."""
        self._use("scenario", scenario)

    def use_machine(self, machine: str | PathLike[str] | Mapping[str, Any]) -> None:
        """A status machine that ships, a file, YAML text, or the same as a dictionary. Raises
        ValueError with every mistake, WrongState when an application is in a status that the
        machine does not have."""
        self._use("machine", machine)

    def _use(self, kind: str, given: str | PathLike[str] | Mapping[str, Any]) -> None:
        name, body = body_of(kind, given)
        try:
            self.calls.post(f"/{kind}", body)
        except Mistaken as error:
            raise ValueError("\n".join(error.lines(name))) from None

    def drop_machine(self) -> None:
        """Go back to the server's status machine. Raises WrongState as ``use_machine`` does."""
        self.calls.call("DELETE", "/machine")

    def next_outcome(self, /, decide: str, **values: Any) -> None:
        """Decide the next submission: ``next_outcome("rejected", reason="name_mismatch")``."""
        self.calls.post("/next-outcome", {"decide": decide, **values})

    def fault(self, /, effect: str, **values: Any) -> str:
        """Switch a fault on; returns its id."""
        id: str = self.calls.post("/faults", {"effect": effect, **values})["id"]
        return id

    def webhooks(self, /, **values: Any) -> None:
        """Set the webhook policy: ``webhooks(drop=1)``."""
        self.calls.post("/webhooks/policy", values)

    # --- records and callbacks -----------------------------------------------------------------

    @waits
    def application(self, id: str) -> Application:
        """The record. Raises NotFound."""
        self._wait()
        return application_of(self.calls.get(path_of(id)))

    @waits
    def applications(self) -> list[Application]:
        """Every application of the account, oldest first."""
        self._wait()
        return self._applications()

    @waits
    def callbacks(self, /, **wanted: Any) -> list[Delivery]:
        """The callbacks whose payload has these values, oldest first; before the others those that
        were sent and that an undo or a restore took back. Raises ValueError for a key
        that none can have, or a value that none can tell: a status that there is not, the id of no
        application, an empty text."""
        every = self._deliveries_ever()
        if unknown := self._unknown(wanted, every):
            raise ValueError(unknown)
        return having(wanted, every)

    @waits
    def expect_callback(self, /, **wanted: Any) -> Delivery:
        """The callback with these values, delivered, also where it was taken back. Fails with an
        explanation when it did not come: what was sent, what became of it, what is still due."""
        every = self._deliveries_ever()
        delivered = [each for each in having(wanted, every) if each.state == "delivered"]
        if delivered:
            return delivered[-1]
        told = f"no callback with {listed(wanted)} was delivered"
        told = "; ".join(filter(None, (told, self._unknown(wanted, every))))
        raise AssertionError(f"{told}\n{self.report()}")

    @waits
    def expect_no_callback(self, /, **wanted: Any) -> None:
        """Fails with an explanation when a callback with these values was sent, whatever became of
        it, also where an undo or a restore took it back, or is under way, once everything that is
        due now has happened; without values: any. Fails, too, when no callback can have them, when
        older ones are not kept any more, and when the test wrote to an account that it does not
        name."""
        self._settle()
        every = self._deliveries_ever()
        forgotten = sum(
            self.calls.get("/webhooks", limit=0, taken_back=each)["forgotten"]
            for each in ("no", "yes")
        )
        if unknown := self._unknown(wanted, every):
            raise AssertionError(f"this says nothing; {unknown}\n{self.report()}")
        if found := having(wanted, every):
            which = f" with {listed(wanted)}" if wanted else ""
            count, gone = len(found), sum(each.taken_back for each in found)
            since = (
                f"; {gone} of them {'were' if gone > 1 else 'was'} taken back since" if gone else ""
            )
            raise AssertionError(
                f"{count} callback{'s' * (count > 1)}{which} went out{since}\n{self.report()}"
            )
        if forgotten:
            told = f"nobody can tell: {forgotten} older callbacks are not kept any more"
            raise AssertionError(f"{told}\n{self.report()}")
        if not any(isinstance(wanted.get(key), str) for key in IDS):  # of one that is here
            reads = ("GET", "HEAD")
            self._check_elsewhere(lambda each: each.status < 300 and each.method not in reads)

    def _unknown(self, wanted: Mapping[str, Any], every: list[Delivery]) -> str:
        """What of it no callback can have."""
        return "; ".join(unknown_in_callbacks(wanted, every, self.calls))

    # --- requests ------------------------------------------------------------------------------

    def requests(self, /, **wanted: Any) -> list[Request]:
        """The account's last requests that meet these conditions, oldest first, the last 200:
        ``operation``, ``method``, ``path``, ``status``, ``dialect``, ``fault``, ``why`` (texts may
        have ``*`` in them), and ``query``, ``headers``, ``data``: what must be in them. Raises
        ValueError for what no request can have, or each has."""
        came, _ = self._requests(wanted)
        return [each for each in came if not misses(each, wanted)]

    def expect_request(self, /, *, times: int | None = None, **wanted: Any) -> Request | None:
        """The last request that meets these conditions. Fails when none came, or, with ``times``,
        not so many, or when that cannot be told, as older ones than the last 200 came too, or of
        what was sent only the start is kept: tells the closest, and which conditions these do not
        meet. One that was not let in (401) is not the one that is wanted, unless ``status`` says
        so; but it came. ``times=0`` fails, too, when such a request came to an account that the
        test does not name. Raises ValueError as ``requests``."""
        check_times(times)
        came, forgotten = self._requests(wanted)
        found = [each for each in came if not misses(each, wanted)]
        let_in = found if "status" in wanted else [each for each in found if each.is_let_in]
        unknown = unsure(came, wanted, forgotten)
        if (times is None and let_in) or (len(found) == len(let_in) == times and not unknown):
            if times == 0:
                self._check_elsewhere(lambda each: misses(each, wanted) in ([], [NOT_WHOLE]))
            return let_in[-1] if let_in else None
        told = told_of(came, found, let_in, wanted, times, unknown)
        raise AssertionError(f"{told}\n{self.report()}")

    def _requests(self, wanted: Mapping[str, Any]) -> tuple[list[Request], int]:
        """Those that are kept, and how many older ones are not."""
        answer = self.calls.get("/requests")
        came = [request_of(each) for each in answer["requests"]]
        check_conditions(wanted, came, self.calls)
        return came, answer["forgotten"]

    def _check_elsewhere(self, fits: Callable[[Request], bool]) -> None:
        """Fails when such a request came to an account that the test does not name: that none came
        to this one says nothing then."""
        if told := called_instead(self._elsewhere(), fits):
            raise AssertionError(f"this says nothing; {told}; {self.instead}\n{self.report()}")

    def _elsewhere(self) -> dict[str, list[Request]]:
        """The last requests of this test to accounts that it does not name, as far as they are
        known."""
        return {}

    def _came_to(self, auth_id: str) -> list[Request]:
        """The last requests of any account."""
        return [
            request_of(each) for each in self.calls.get("/requests", account=auth_id)["requests"]
        ]

    def _wait(self) -> None:
        """For the callbacks that are due."""
        self.calls.get("/webhooks", limit=0)

    def _applications(self) -> list[Application]:
        return [application_of(each) for each in self.calls.every("/applications", "applications")]

    def _deliveries(self, **query: str) -> list[Delivery]:
        return [delivery_of(each) for each in self.calls.every("/webhooks", "webhooks", **query)]

    def _deliveries_ever(self) -> list[Delivery]:
        """Those that were taken back, and those that there are."""
        here = self._deliveries()  # first: it waits for those that are due
        gone = self.calls.every("/webhooks", "webhooks", taken_back="yes")
        return [*(delivery_of(each, taken_back=True) for each in gone), *here]

    def report(self) -> str:
        """What happened: see ``GET /_sim/report``."""
        lines = self.calls.get("/report", others=self.others)["lines"]
        return "\n".join([*lines, *self._hints])

    def silent(self) -> dict[tuple[str, int], str]:
        """The attempts that were not answered in time, and their URLs."""
        return {
            (delivery.id, number): delivery.url
            for delivery in self._deliveries(wait="no")
            for number, attempt in enumerate(delivery.attempts)
            if (attempt.error or "").startswith(f"{TIMED_OUT} after")
        }

    def hint(self, verb: str, urls: Iterable[str]) -> None:
        """Have the report say that these did not answer while a verb blocked an event loop."""
        self._hints.append(loop_hint(verb, urls))

    def reset(self) -> None:
        """Forget everything, in every account. No callback of before arrives afterwards."""
        self._hints.clear()
        self.calls.post("/reset", account="all")
