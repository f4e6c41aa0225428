"""What is wanted of callbacks has to be what those of the account's applications can tell, in the
words of the API that made each; what they tell is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import ANY
from uuid import UUID

import pytest

from plivo_sim.testing import Handle, InProcess, in_process
from plivo_sim.testing.conditions import KEYS
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.page import Page, speaking_beta
from tests.support import Http, Receiver

MAKERS: dict[str, Callable[[Http], str]] = {
    "current": Http.sdk_created,
    "beta": lambda http: Page(speaking_beta(http)).id(),
    "legacy": lambda http: Legacy(http).submitted(),
    "atoms": lambda http: Atoms(http).submitted()["plivoComplianceId"],
}


class World:
    """A simulator in process, and what makes applications in it."""

    def __init__(self, sim: InProcess) -> None:
        self.sim = sim
        self._http = Http(sim.app, sim.sim, AUTH_ID, AUTH_TOKEN)

    def make(self, dialect: str) -> str:
        """The id of an application that this API makes."""
        http = replace(self._http)
        if dialect == "atoms":  # whose keys have accounts of their own
            self.sim.use_account(Atoms(http).auth_id)
        return MAKERS[dialect](http)

    def delete(self, id: str) -> None:
        answer = self._http.delete(f"PhoneNumber/Compliance/{id}/")
        assert answer.status_code < 300, answer.text


def refused(sim: Handle, **wanted: Any) -> str:
    """What every verb says against these conditions."""
    with pytest.raises(ValueError, match=r"callback|no application") as error:
        sim.callbacks(**wanted)
    for verb in (sim.expect_no_callback, sim.expect_callback):
        with pytest.raises(AssertionError, match=re.escape(str(error.value))):
            verb(**wanted)
    return str(error.value)


@pytest.fixture
def world() -> Iterator[World]:
    with Receiver().serving() as receiver, in_process(callback_url=receiver.url) as sim:
        yield World(sim)


@pytest.mark.parametrize("dialect", MAKERS)
def test_what_a_callback_has_is_found(world: World, dialect: str) -> None:
    """Whatever its API: each key and value of it, alone and together; and another one could have
    them, so that there being none of them says something."""
    id = world.make(dialect)
    world.sim.ask_for_more(id, "A page is missing")
    (came,) = world.sim.callbacks()
    assert sorted(came.payload) == sorted(KEYS[dialect])  # type: ignore[index]
    for key, value in came.payload.items():
        assert world.sim.callbacks(**{key: value}) == [came]
        assert world.sim.expect_callback(**{key: value}) == came
        with pytest.raises(AssertionError, match="1 callback with"):
            world.sim.expect_no_callback(**{key: value})
    assert world.sim.expect_callback(**came.payload) == came
    if dialect != "atoms":  # it takes one for each number type
        id = world.make(dialect)
        other = came.payload | {key: id for key in came.payload if key.endswith("_id")}
        world.sim.expect_no_callback(**other)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("current", {"status": "more_info_required"}, "'more_info_required': on the wire it is 'rejec"),
    ("current", {"status": "approved"}, "the status 'approved': on the wire it is 'accepted'"),
    ("current", {"status": "submitted"}, "no callback has the status 'submitted'; there are acc"),
    ("current", {"status": "Rejected"}, "the status 'Rejected'; did you mean 'rejected'?"),
    ("current", {"status": None}, "the status of a callback is a text, no NoneType"),
    ("current", {"event": "compliance.rejected"}, "only callbacks of beta applications have a key"),
    ("current", {"status": "rejected", "event": "compliance.rejected"}, "only callbacks of beta a"),
    ("current", {"compliance_application_id": "{id}"}, "only callbacks of legacy applications"),
    ("current", {"compliance_id": "{other}"}, "no application of this account has the id"),
    ("current", {"compliance_id": object()}, "the compliance_id of a callback is a text, no obj"),
    ("current", {"compliance_id": UUID(int=1)}, "the compliance_id of a callback is a text"),
    ("current", {"rejection_reason": "name_mismatch"}, "on the wire it is 'Business name is not"),
    ("current", {"rejection_reason": "name_mismach"}, "did you mean 'name_mismatch'?"),
    ("current", {"rejection_reason": ""}, "where there is none, the key is missing"),
    ("current", {"rejection_reason": "x", "status": "accepted"}, "status='accepted' together"),
    ("current", {"rejection_reason": ANY, "status": "accepted"}, "status='accepted' together"),
    ("current", {"sttus": "rejected"}, "no callback has a key 'sttus'; did you mean 'status'?"),
    ("beta", {"status": "accepted"}, "the status 'accepted': on the wire it is 'approved'"),
    ("beta", {"status": "suspended"}, "the status 'suspended': on the wire it is 'rejected'"),
    ("beta", {"event": "compliance.suspended"}, "no callback has the event"),
    ("beta", {"event": "compliance.approved", "status": "rejected"}, "status='rejected' together"),
    ("beta", {"compliance_application_id": "{id}"}, "only callbacks of legacy applications"),
    ("legacy", {"status": "approved"}, "the status 'approved': on the wire it is 'accepted'"),
    ("legacy", {"event": "compliance.rejected"}, "only callbacks of beta applications"),
    ("atoms", {"status": "more_info_required"}, "on the wire it is 'rejected'"),
]


@pytest.mark.parametrize(("dialect", "wanted", "told"), REFUSED)
def test_what_none_can_have_is_refused(
    world: World, dialect: str, wanted: dict[str, Any], told: str
) -> None:
    """Though one went out: "there is none" would hold whatever the application does."""
    id = world.make(dialect)
    world.sim.ask_for_more(id, "A page is missing")
    ids = {"{id}": id, "{other}": world.sim.callbacks()[0].id}
    wanted = {k: ids.get(v, v) if isinstance(v, str) else v for k, v in wanted.items()}
    assert told in refused(world.sim, **wanted)


def test_an_id_says_whose_words_count(world: World) -> None:
    """In an account with applications of two APIs the words of both are taken, but for ids; a
    callback is about one application."""
    current, beta = world.make("current"), world.make("beta")
    world.sim.expect_no_callback(status="accepted")
    world.sim.expect_no_callback(status="approved")
    world.sim.expect_no_callback(compliance_id=beta, event="compliance.approved")
    assert "'accepted'" in refused(world.sim, compliance_id=current, status="approved")
    assert "'approved'" in refused(world.sim, compliance_id=beta, status="accepted")
    assert "of beta" in refused(world.sim, compliance_id=current, event="compliance.approved")
    first, second = world.make("legacy"), world.make("legacy")
    two = {"compliance_id": first, "compliance_application_id": second}
    assert refused(world.sim, **two).endswith(" together")


def test_ids_of_deleted_applications_are_known(world: World) -> None:
    """Whether a callback told of them or not; those of another account are not."""
    told, silent = world.make("current"), world.make("current")
    world.sim.reject(told)
    world.delete(told)
    world.delete(silent)
    assert world.sim.callbacks(compliance_id=told)
    world.sim.expect_no_callback(compliance_id=silent)
    assert refused(world.sim, compliance_id=silent, status="approvd")
    other = world.sim.for_account("MAOTHEROTHEROTHEROTH", "token")
    assert "no application of this account" in refused(other, compliance_id=told)


def test_the_words_of_an_own_machine(world: World) -> None:
    """Those on the wire, also of an arrow's callback; what was told by the machine before, too."""
    id = world.make("current")
    world.sim.suspend(world.sim.accept(id).id)
    world.sim.use_machine(
        {
            "machine": "own",
            "extends": "default",
            "statuses": {"frozen": {"legacy": "locked", "current": "locked", "beta": "rejected",
                                    "atoms": "locked", "ends": True}},
            "arrows": [{"from": "suspended", "to": "frozen", "by": "hand",
                        "callback": {"current": "iced"}}],
        }
    )  # fmt: skip
    assert "on the wire it is 'iced'" in refused(world.sim, status="frozen")
    assert "on the wire it is 'iced'" in refused(world.sim, status="locked")
    world.sim.expect_no_callback(status="iced")
    world.sim.decide(id, "frozen")
    assert world.sim.expect_callback(status="iced")
    world.sim.reset()
    id = world.make("current")
    assert refused(world.sim, status="iced")
