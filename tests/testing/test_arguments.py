"""What the verbs of tests refuse: nothing that they are given is passed over, or fails inside."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import NoneType
from typing import Any, get_args, get_type_hints
from unittest.mock import ANY

import plivo
import pytest

from plivo_sim import testing
from plivo_sim.client.applications import write_samples
from plivo_sim.domain.errors import NotFound
from plivo_sim.outgoing import read_hosts
from plivo_sim.testing import Handle, InProcess, Remote, Served, in_process, remote, served
from plivo_sim.testing.accounts import AccountOfTest
from plivo_sim.testing.inbox import Inbox
from plivo_sim.testing.markers import mistakes
from plivo_sim.testing.requests import CONDITIONS
from plivo_sim.testing.sdk import point, pointed
from tests.testing.conftest import client_of, file_in

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Incomparable:
    """As an array of numpy is."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture
def sim() -> Iterator[InProcess]:
    with in_process() as handle:
        yield handle


# --- every verb, every argument ----------------------------------------------------------------

GOOD = {"id": "an-id", "status": "accepted", "verb": "advance", "urls": [], "count": 1,
        "decide": "rejected", "effect": "error", "scenario": "instant-accept",
        "machine": "in-review", "auth_id": "MA" + "X" * 18, "auth_token": "token", "settings": {},
        "url": "http://127.0.0.1:1"}  # fmt: skip
"""For the arguments that a verb must be given."""
KEYWORDS = {"units": "days", "wanted": "status", "settings": "strict"}
"""One of those that it takes by any name."""
VALUES = {"fault": "operation", "webhooks": "drop", "next_outcome": "reason"}
CLASSES = (InProcess, Remote, Inbox, AccountOfTest)
FUNCTIONS = (in_process, served, remote)


def _arguments(verb: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(verb).parameters if name not in ("self", "client")]


WALK = [
    pytest.param(cls, name, argument, id=f"{cls.__name__}.{name}({argument})")
    for cls in CLASSES
    for name, verb in inspect.getmembers(cls, inspect.isfunction)
    if not name.startswith("_") and (cls is not Remote or name in vars(Remote))
    for argument in _arguments(verb)
] + [
    pytest.param(None, verb.__name__, argument, id=f"{verb.__name__}({argument})")
    for verb in FUNCTIONS
    for argument in _arguments(verb)
]


def _wrong(verb: Callable[..., Any], argument: str) -> list[Any]:
    """What this argument cannot be."""
    kind, parameter = get_type_hints(verb)[argument], inspect.signature(verb).parameters[argument]
    kinds = get_args(kind) or (kind,)
    is_one = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    found = [b"x", object(), Incomparable()]
    found += [""] if str in kinds and is_one and parameter.default != "" else []
    return found + ([None] if NoneType not in kinds and kind is not Any else [])


def test_the_walk_is_of_all_that_is_public() -> None:
    """A class or function that is added has to be walked, too."""
    public = {getattr(testing, name) for name in testing.__all__}
    rest = {each for each in public if callable(each) and each not in FUNCTIONS}
    walked = {base for cls in CLASSES for base in cls.__mro__}
    assert rest - walked == {Served, testing.Aio, testing.test_settings}
    assert {*vars(Served)} - {*vars(InProcess)} <= {"live", "__doc__", "__module__"}
    assert {name for name in vars(testing.Aio) if name[0] != "_"} <= {*dir(Handle)}


@pytest.mark.live
@pytest.mark.parametrize(("cls", "name", "argument"), WALK)
def test_no_verb_takes_what_it_cannot_mean(
    cls: type | None, name: str, argument: str, sim: InProcess
) -> None:
    """Each argument is named, also where it may be left out; an empty text is none."""
    inbox = Inbox()
    holders: dict[type | None, Any] = {InProcess: sim, Remote: Remote("127.0.0.1:1"), Inbox: inbox,
               AccountOfTest: sim.account, None: testing}  # fmt: skip
    verb = getattr(holders[cls], name)
    parameters = inspect.signature(verb).parameters
    given = {each.name: GOOD[each.name] for each in parameters.values()
             if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD}  # fmt: skip
    kind = parameters[argument].kind
    by_name = kind is inspect.Parameter.VAR_KEYWORD
    told = (KEYWORDS.get(argument) or VALUES[name]) if by_name else argument
    try:
        for wrong in _wrong(verb, argument):
            is_one_of_many = kind is inspect.Parameter.VAR_POSITIONAL
            many, named = ([wrong], given) if is_one_of_many else ([], given | {told: wrong})
            with pytest.raises((ValueError, AssertionError), match=rf"\b{told}\b"):
                _called(verb, many, named)
    finally:
        inbox.close()


def _called(verb: Callable[..., Any], many: list[Any], named: dict[str, Any]) -> None:
    made = verb(*many, **named)
    if hasattr(made, "__enter__"):
        with made:
            pass


# --- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "named", "told"),
    [
        ((), {}, "nothing is given; give by, to or units"),
        ((None,), {"to": None, "business_days": None}, "nothing is given"),
        (("1d",), {"days": 3}, "by cannot be combined with days"),
        (("1d",), {"business_days": 3}, "by cannot be combined with business_days"),
        (("1d",), {"to": START}, "by cannot be combined with to"),
        ((timedelta(1),), {"hours": 2}, "by cannot be combined with hours"),
        ((), {"business_days": 2, "hours": 5}, "business_days cannot be combined with hours"),
        ((), {"business_days": 0, "hours": 5}, "business_days cannot be combined with hours"),
        ((), {"to": START, "days": 1, "hours": 1}, "to cannot be combined with days, hours"),
        ((3,), {}, "by: 3 is not a text or a timedelta"),
        ((), {"to": date(2027, 2, 1)}, "to: .* is not a text or an instant"),
        ((), {"to": "tomorrow"}, "to: .*tomorrow"),
        ((), {"days": True}, "days: True is not a number"),
        ((), {"days": -1}, "days=-1: time never goes back"),
        ((timedelta(-1),), {}, "time never goes back"),
        ((), {"business_days": -1}, "business_days=-1: time never goes back"),
        ((), {"business_days": 1.5}, "business_days: 1.5 is not a whole number"),
        ((), {"days": float("inf")}, "days=inf"),
        ((), {"days": float("nan")}, "days=nan"),
        ((), {"days": 1e300}, "days=1e"),
    ],
)
def test_an_advance_means_what_it_says_or_is_refused(
    sim: InProcess, by: tuple[Any, ...], named: dict[str, Any], told: str
) -> None:
    """And nothing moves."""
    with pytest.raises(ValueError, match=told):
        sim.advance(*by, **named)
    assert sim.now == START


@pytest.mark.parametrize(
    ("named", "to"),
    [
        ({"to": "2027-02-01T00:00:00Z"}, datetime(2027, 2, 1, tzinfo=UTC)),
        ({"days": 1, "hours": 12}, START + timedelta(hours=36)),
        ({"by": "1d", "to": None}, START + timedelta(days=1)),
        ({"hours": 0}, START),
        ({"business_days": 0}, START),
    ],
)
def test_an_advance_adds_up_what_can_be(
    sim: InProcess, named: dict[str, Any], to: datetime
) -> None:
    """Texts are instants, too; nothing at all may be moved by, if it is said."""
    sim.advance(**named)
    assert sim.now == to


# --- what is asked of what came ----------------------------------------------------------------


@pytest.mark.parametrize("name", [each for each in CONDITIONS if each != "status"])
@pytest.mark.parametrize("wrong", [b"x", {1}, object(), Incomparable()])
def test_a_condition_that_no_request_can_meet_is_refused(
    sim: InProcess, name: str, wrong: Any
) -> None:
    """Else "none came" would always hold."""
    with pytest.raises(ValueError, match=name if not isinstance(wrong, Incomparable) else "compar"):
        sim.expect_request(times=0, **{name: wrong})


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"data": {}}, "data: is empty"),
        ({"query": {}}, "query: is empty"),
        ({"headers": {}}, "headers: is empty"),
        ({"query": {"limit": b"5"}}, "query.limit: b'5' is not a text"),
        ({"headers": {5: "x"}}, "headers: the key 5"),
        ({"data": {"end_user": {"name": b"x"}}}, "data.end_user.name: b'x' cannot be written"),
        ({"data": {"at": [START]}}, "data.at.0: .* cannot be written"),
        ({"data": {"alias": Incomparable()}}, "cannot be compared: ambiguous"),
        ({"path": ""}, "begins with '/'"),
        ({"path": "v1/Account/*"}, "begins with '/'"),
        ({"operation": None}, "operation: None is not a text"),
        ({"times": -1}, "times: -1 is not a whole number, 0 or more"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(
    sim: InProcess, wanted: dict[str, Any], told: str
) -> None:
    """What all have, and what none can have."""
    with pytest.raises(ValueError, match=told):
        sim.expect_request(**{"times": 0} | wanted)


def test_an_empty_part_has_to_be_there(sim: InProcess) -> None:
    """It says that there is an object, whatever is in it."""
    file_in(sim)
    sim.expect_request(data={"end_user": {}}, times=1)
    sim.expect_request(data={"documents": {}}, times=0)
    sim.expect_request(data={"end_user": {"name": ANY}}, operation=ANY, times=1)


@pytest.mark.parametrize("key", ["status", "compliance_id", "rejection_reason"])
@pytest.mark.parametrize("wrong", [None, "", 5, b"x", ["accepted"], {"a": 1}])
def test_a_value_that_no_callback_can_tell_is_refused(sim: InProcess, key: str, wrong: Any) -> None:
    """They are texts, and not empty."""
    told = f"no callback has the {key}|the {key} of a callback is a text|no application .* the id"
    with pytest.raises(AssertionError, match=f"this says nothing; ({told})"):
        sim.expect_no_callback(**{key: wrong})
    with pytest.raises(ValueError, match=told):
        sim.callbacks(**{key: wrong})


def test_an_id_of_no_application_is_refused(sim: InProcess) -> None:
    """One that is deleted had callbacks, maybe; a preset's name is not its text."""
    id = file_in(sim)
    sim.expect_no_callback(compliance_id=id)
    client_of(sim).compliance("DELETE", f"{id}/")
    sim.expect_no_callback(compliance_id=id)
    with pytest.raises(AssertionError, match="no application of this account has the id 'x'"):
        sim.expect_no_callback(compliance_id="x")
    with pytest.raises(AssertionError, match="on the wire it is 'Business name is"):
        sim.expect_no_callback(rejection_reason="name_mismatch")
    with pytest.raises(ValueError, match="cannot be compared: ambiguous"):
        sim.expect_no_callback(status=Incomparable())
    sim.expect_no_callback(status=ANY)


def test_an_id_that_can_be_none_is_not_found(sim: InProcess) -> None:
    """It stands in a path."""
    for id in ("a/b", "..", "\ud800", "a b"):
        for verb in (sim.application, sim.accept):
            with pytest.raises(NotFound):
                verb(id)


def test_settings_of_the_account_are_texts_or_values(sim: InProcess) -> None:
    """As the marker takes them."""
    told = sim.account.configure(
        {"strict": True, "review_delay": None, "callback_retries": ("5s",)}
    )
    assert told == {"strict": "on", "review_delay": "documented", "callback_retries": "5s"}
    with pytest.raises(ValueError, match="strict: 5 is not True or False"):
        sim.account.configure({"strict": 5})


# --- the receiver, and the SDK -----------------------------------------------------------------


@pytest.mark.live
def test_what_the_inbox_cannot_do_is_refused() -> None:
    """When it is told, and not in the thread that receives."""
    inbox = Inbox()
    try:
        for wrong in ("500", "x", None, 42, 199, 600, True, 200.0):
            with pytest.raises(ValueError, match="statuses: "):
                inbox.answer_with(500, wrong)  # type: ignore[arg-type]
        for count in (0, -1, "1", None):
            with pytest.raises(ValueError, match="count: "):
                inbox.wait_for(count)  # type: ignore[arg-type]
        for timeout_s in (0, -1, float("nan"), float("inf"), "1"):
            with pytest.raises(ValueError, match="timeout_s: "):
                inbox.wait_for(1, timeout_s)  # type: ignore[arg-type]
        for name in ("token", "subaccount_token"):
            with pytest.raises(ValueError, match=f"{name}: what is given is not a text"):
                setattr(inbox, name, 5)
    finally:
        inbox.close()


@pytest.mark.live
def test_a_client_is_pointed_without_a_scheme() -> None:
    """As ``--plivo-sim-url`` takes it."""
    with served() as server, plivo.RestClient(server.auth_id, server.auth_token) as client:
        point(client, server.url.removeprefix("http://"))
        assert client.phone_number_compliance.list().meta.total_count == 0


@pytest.mark.parametrize(
    "wrong", [None, 5, "", "ftp://localhost", "http://", "http://u:p@a", "a?b"]
)
def test_what_is_no_url_of_a_simulator_is_refused(wrong: Any) -> None:
    """At once, not by the next call."""
    with plivo.RestClient("MA" + "X" * 18, "token") as client:
        refused = pytest.raises(ValueError, match=r"^url: ")
        with refused:
            point(client, wrong)
    with pytest.raises(ValueError, match=r"^url: "), pointed(wrong):
        pass


def test_only_a_client_is_pointed_and_only_lists_are_hosts() -> None:
    """A text would be a list of letters."""
    with pytest.raises(TypeError, match=r"only a plivo\.RestClient can be pointed, not a object"):
        point(object(), "http://127.0.0.1:8700")
    for wrong in ("api.plivo.com", None, 5):
        with pytest.raises(ValueError, match=r"hosts: .* is not a list of host names"):
            read_hosts(wrong)  # type: ignore[arg-type]


def test_samples_are_written_to_a_path_or_a_text(tmp_path: Any) -> None:
    assert write_samples(f"{tmp_path}/new")[0].parent == tmp_path / "new"


# --- the markers -------------------------------------------------------------------------------


def test_a_marker_compares_nothing_that_cannot_be() -> None:
    (told,) = mistakes({"clock": Incomparable()})
    assert told.startswith("clock: ")
