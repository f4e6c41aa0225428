"""End users that stand alone: the rules beneath the legacy API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from plivo_sim.domain.models import Application, NumberType, Origin, UserType, Version
from plivo_sim.domain.statuses import Status
from plivo_sim.errors import Fault, InUse, Invalid, NotFound, Problem
from plivo_sim.services import drafts, end_users
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import EndUserChange, NewEndUser
from plivo_sim.simulator import Simulator
from plivo_sim.world import World

ACME = NewEndUser(name="Acme", type=UserType.BUSINESS)


@pytest.fixture
def world(sim: Simulator) -> World:
    return sim.world("MAXXXXXXXXXXXXXXXXXX")


def draft_of(world: World, end_user_id: str) -> Application:
    requirement = world.catalogue.find(Version.SDK, ("IN", NumberType.LOCAL, UserType.BUSINESS))
    assert requirement is not None
    wanted = NewDraft(requirement_id=requirement.id, end_user_id=end_user_id, alias="a")
    return drafts.create(world, wanted).application


def test_one_that_is_made_here_is_legacys_own(world: World) -> None:
    """So that no application takes it along when it goes."""
    end_user = end_users.create(world, ACME)
    assert end_user.origin is Origin.LEGACY
    assert end_users.get(world, end_user.id) == end_user


def test_what_the_edge_found_refuses(world: World) -> None:
    """Nothing is made then."""
    problem = Problem(Fault.MISSING_FIELD, ("name",), "is required")
    with pytest.raises(Invalid) as caught:
        end_users.create(world, NewEndUser(), [problem])
    assert caught.value.problems == (problem,)
    assert len(world.store.end_users) == 0


def test_an_update_that_changes_nothing_leaves_the_record(world: World) -> None:
    """``updated_at`` included, though time has passed."""
    end_user = end_users.create(world, ACME)
    world.clock.move_to(world.now() + timedelta(hours=1))
    same = end_users.update(world, end_user.id, EndUserChange(name="Acme"))
    assert same is end_user


def test_an_update_changes_what_is_given_only(world: World) -> None:
    """An empty last name removes it."""
    end_user = end_users.create(world, NewEndUser(name="A", last_name="B", type=UserType.BUSINESS))
    changed = end_users.update(world, end_user.id, EndUserChange(name="C"))
    assert (changed.name, changed.last_name) == ("C", "B")
    changed = end_users.update(world, end_user.id, EndUserChange(last_name=""))
    assert (changed.name, changed.last_name) == ("C", None)


@pytest.mark.parametrize("status", list(Status))
def test_submitted_and_accepted_applications_lock(world: World, status: Status) -> None:
    """No other status does (DECISIONS 21)."""
    end_user = end_users.create(world, ACME)
    application = draft_of(world, end_user.id)
    with world.transaction():
        world.store.applications.put(replace(application, status=status))
    change = EndUserChange(name="B")
    if status in (Status.SUBMITTED, Status.ACCEPTED):
        with pytest.raises(InUse) as caught:
            end_users.update(world, end_user.id, change)
        assert caught.value.used_by == (f"application {application.id} ({status})",)
    else:
        assert end_users.update(world, end_user.id, change).name == "B"


def test_the_type_stays_once_something_uses_it(world: World) -> None:
    """A draft is enough."""
    end_user = end_users.create(world, ACME)
    draft_of(world, end_user.id)
    with pytest.raises(InUse):
        end_users.update(world, end_user.id, EndUserChange(type=UserType.INDIVIDUAL))
    same = end_users.update(world, end_user.id, EndUserChange(type=UserType.BUSINESS))
    assert same.type is UserType.BUSINESS


def test_only_an_unused_one_can_be_deleted(world: World) -> None:
    """Then it is gone."""
    used, free = end_users.create(world, ACME), end_users.create(world, ACME)
    draft_of(world, used.id)
    with pytest.raises(InUse):
        end_users.delete(world, used.id)
    end_users.delete(world, free.id)
    with pytest.raises(NotFound):
        end_users.get(world, free.id)
    with pytest.raises(NotFound):
        end_users.delete(world, free.id)


def test_many_users_are_counted_rather_than_listed(world: World) -> None:
    """An error stays readable."""
    with pytest.raises(InUse) as caught:
        end_users.refuse_if_used("end_user", "x", "delete", [str(n) for n in range(9)])
    assert caught.value.used_by == ("0", "1", "2", "3", "4", "4 more")
